"""The stage: opened, its instancing undone in the session layer, and asked which label a mesh carries."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from .errors import Refused

UPDATES = 4                                    # application ticks that an opened stage gets before it is touched
PARTS = ("background", "board", "pad", "body", "lead", "joint", "ball", "bridge", "residue", "scratch", "paste")


def opened(app: Any, path: Path) -> tuple[Any, dict[str, int]]:
    """Open a stage and undo its instancing: some versions give instanced prims no label of their own.

    Returns:
        The stage; how many meshes it has, and how many prims were instanced.

    Raises:
        Refused: "stage".
    """
    import omni.usd
    from pxr import Usd, UsdGeom

    context = omni.usd.get_context()
    if not context.open_stage(str(path)):
        raise Refused("stage", f"{path.name} was not opened")
    for _ in range(UPDATES):
        app.update()
    stage = context.get_stage()
    if stage is None:
        raise Refused("stage", f"{path.name} was opened, but there is no stage")
    instanced = 0
    with Usd.EditContext(stage, Usd.EditTarget(stage.GetSessionLayer())):
        while True:                            # undoing one may bring others to light below it
            found = [prim for prim in stage.Traverse() if prim.IsInstance()]
            if not found:
                break
            for prim in found:
                prim.SetInstanceable(False)
            instanced += len(found)
    meshes = sum(1 for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh))
    return stage, {"meshes": meshes, "instanced": instanced}


class Labels:
    """Path of a mesh → its label id and part, kept until the stage changes."""

    def __init__(self, stage: Any) -> None:
        self._stage = stage
        self._known: dict[str, tuple[int, int] | None] = {}

    def __call__(self, path: str) -> tuple[int, int] | None:
        if path not in self._known:
            self._known[path] = self._look(path)
        return self._known[path]

    def _look(self, path: str) -> tuple[int, int] | None:
        """``twin:part`` of the mesh, ``twin:instance`` of the nearest prim that has one, upwards."""
        from pxr import Sdf

        if not Sdf.Path.IsValidPathString(path):
            return None
        prim = self._stage.GetPrimAtPath(path)
        part = instance = None
        while prim and not prim.IsPseudoRoot():
            if part is None:
                part = prim.GetAttribute("twin:part").Get() if prim.HasAttribute("twin:part") else None
            if prim.HasAttribute("twin:instance"):
                instance = prim.GetAttribute("twin:instance").Get()
                break
            prim = prim.GetParent()
        if instance is None or part not in PARTS:
            return None
        return int(instance), PARTS.index(part)


__all__ = ["PARTS", "Labels", "opened"]
