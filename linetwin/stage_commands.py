"""What ``linetwin scene usd`` does, and the OpenUSD part of ``linetwin scene check``."""
from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenes.errors import SceneError

if TYPE_CHECKING:
    from domain_randomization.sampling import Context

STATES = ("bridge", "missing", "tombstone")    # variants of a stage where nobody asks for others


def write_usd(path: Path, out: Path, *, states: str = "", machines: bool = True) -> dict[str, Any]:
    """Write the stage of a scene into a folder.

    Args:
        path: Of the scene.
        states: Defects with a comma between them, each of which becomes a variant of the unit; "all", "none", or "" for a few.
        machines: With the machines of the line.

    Raises:
        RecipeError: a defect that this product cannot have.
        SceneError: the scene is made from what lies where its stage would be written.
        StorageError: the folder cannot be written, or holds an ``authored`` that is not ours.
    """
    from domain_randomization.sampling import Context
    from domain_randomization.stage import contents, defective_states, possible
    from scenes.scene import Scene
    from scenes.usd.authored import refuse, write_kept

    scene = Scene.read(path)
    refuse(out, scene)
    context = Context.for_scene(scene)
    can = possible(context)
    asked: Sequence[str] = [s for s in STATES if s in can] if not states else can if states == "all" else \
        [] if states == "none" else list(dict.fromkeys(s.strip() for s in states.split(",") if s.strip()))
    told = contents(context, states=defective_states(context, asked), machines=machines)
    root = write_kept(told, out, scene)
    files = [f for f in sorted(out.rglob("*")) if f.is_file()]
    return {"stage": str(root), "stations": [p.path for p in told.places], "cameras": sum(len(p.views) for p in told.places),
            "parts": len(told.unit.parts), "solder": len(told.unit.solder), "states": ["healthy", *(n for n, _ in told.states)],
            "materials": len(told.materials), "files": len(files), "bytes": sum(f.stat().st_size for f in files),
            "next": f"linetwin scene check {root}"}


def check_usd(path: Path) -> dict[str, Any]:
    """Check a stage. Raises SceneError with one line per error."""
    from scenes.usd.check import check_stage

    found = check_stage(path)
    if found.errors:
        raise SceneError("\n".join(found.errors))
    return {"usd_checked_by": list(found.checkers), "usd_warnings": list(found.warnings),
            **({"usd_not_checked_by": list(found.skipped)} if found.skipped else {})}


def check_usd_of(context: Context) -> dict[str, Any]:
    """Write the stage of a context's scene into a folder that goes away again, and check it.

    Without variants and, where the scene brings none of its own, without machines: those are the same for every scene, and
    looking at all their meshes takes a minute. ``scene check`` of a stage looks at everything.
    """
    from domain_randomization.stage import contents
    from scenes.usd import write

    with tempfile.TemporaryDirectory(prefix="linetwin-") as folder:
        return check_usd(write(contents(context, machines=bool(context.scene.equipment)), folder))


__all__ = ["STATES", "check_usd", "check_usd_of", "write_usd"]
