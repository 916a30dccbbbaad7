"""What stands on a linetwin stage: its cameras, the things that have a label id, the states of the unit."""
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LABELS = "semantics:labels:"                   # UsdSemantics.LabelsAPI's attributes, read by name: Kit's USD may be older
UNIT = "unit"                                  # the variant set of a product's states
BOARD = 1                                      # label id of every board
INTENSITY = "inputs:intensity"
# What RTX makes white, about: in the golden images of NVIDIA's PoseWriter test (Isaac Sim 6.2) a dome of intensity 500 shows as
# 228 of 255, which is 0.78 of full scale. Our lamps are relative: radiance 1 is to show as white.
GAIN = 640.0


class StageError(ValueError):
    """The stage is not one of linetwin's, or lacks what is asked for. One line: what, and what to do."""


@dataclass(frozen=True)
class Twin:
    """A thing with a label id."""
    path: str
    instance: int                              # linetwin's label id; 1 is the board
    labels: Mapping[str, str]                  # taxonomy → label: class, reference, kind


@dataclass(frozen=True)
class View:
    """A camera that a render product is made for."""
    path: str
    name: str                                  # of the render product: <station>_<camera>
    width: int                                 # [px]
    height: int


def twins(stage: Any) -> dict[str, Twin]:
    """Everything with a label id, by prim path. Raises StageError where there is nothing."""
    found = {}
    for prim in _prims(stage):
        value = prim.GetAttribute("twin:instance").Get() if prim.HasAttribute("twin:instance") else None
        if value is not None:
            path = str(prim.GetPath())
            found[path] = Twin(path, int(value), labels(prim))
    if not found:
        raise StageError("stage: nothing has a twin:instance; write the stage with 'linetwin scene usd' and open its line.usda")
    return found


def products(stage: Any) -> tuple[str, ...]:
    """Paths of the units that stand somewhere: what their boards lie below. Raises StageError where there is none."""
    return tuple(sorted(path.rsplit("/", 1)[0] for path, twin in twins(stage).items() if twin.instance == BOARD))


def labels(prim: Any) -> dict[str, str]:
    """Taxonomy → first label of a prim."""
    out = {}
    for attribute in prim.GetAttributes():
        name = attribute.GetName()
        value = attribute.Get() if name.startswith(LABELS) else None
        if value is not None and len(value):
            out[name[len(LABELS):]] = str(value[0])
    return out


def classes(stage: Any) -> list[str]:
    """Every ``class`` label of things with an id, sorted."""
    return sorted({t.labels["class"] for t in twins(stage).values() if "class" in t.labels})


def views(stage: Any, station: str | None = None, modality: str = "rgb") -> list[View]:
    """The cameras of a station (its id; None: of all) for a modality. Raises StageError where there is none."""
    found = []
    for prim in _prims(stage):
        if prim.GetTypeName() != "Camera" or not prim.HasAttribute("twin:width"):
            continue
        place = _station(prim)
        kind = prim.GetAttribute("twin:modality").Get() if prim.HasAttribute("twin:modality") else "rgb"
        if (station is None or place == station) and str(kind) == modality:
            name = re.sub(r"[^A-Za-z0-9_]", "_", f"{place}_{prim.GetName()}")
            found.append(View(str(prim.GetPath()), name, int(prim.GetAttribute("twin:width").Get()),
                              int(prim.GetAttribute("twin:height").Get())))
    if not found:
        where = f"station '{station}'" if station is not None else "any station"
        raise StageError(f"stage: no camera for '{modality}' at {where}; look at the stage's /World, or write it again")
    return found


def states(stage: Any) -> list[str]:
    """Names of the unit's states ("healthy", …); none where the stage has no variants."""
    return sorted({name for prim in _units(stage) for name in prim.GetVariantSets().GetVariantSet(UNIT).GetVariantNames()})


def choose_state(stage: Any, state: str) -> None:
    """Put a unit in this state at every station, in the session layer: the files stay as they are. Raises StageError."""
    from pxr import Usd

    known = states(stage)
    if state not in known:
        raise StageError(f"stage: no unit state '{state}'; there are: {', '.join(known) or 'none'}")
    with Usd.EditContext(stage, stage.GetSessionLayer()):
        for prim in _units(stage):
            prim.GetVariantSets().GetVariantSet(UNIT).SetVariantSelection(state)


def unshare(stage: Any) -> int:
    """Give every instanced part prims of its own, in the session layer; returns how many.

    Replicator has lost the labels of instanced prims (isaac-sim/IsaacSim#253, #256); prims of their own it names one by one.
    """
    from pxr import Usd

    count = 0
    with Usd.EditContext(stage, stage.GetSessionLayer()):
        while shared := [p for p in stage.Traverse() if p.IsInstance()]:       # again: instances may lie inside instances
            for prim in shared:
                prim.SetInstanceable(False)
            count += len(shared)
    return count


def lamps(stage: Any) -> dict[str, float]:
    """Every light's intensity as the stage has it, by prim path; relative, see ``GAIN``."""
    return {str(p.GetPath()): float(p.GetAttribute(INTENSITY).Get()) for p in stage.Traverse() if p.HasAttribute(INTENSITY)}


def light(stage: Any, intensities: Mapping[str, float], gain: float) -> None:
    """Set every light to its intensity times ``gain``, in the session layer."""
    from pxr import Usd

    with Usd.EditContext(stage, stage.GetSessionLayer()):
        for path, intensity in intensities.items():
            stage.GetPrimAtPath(path).GetAttribute(INTENSITY).Set(intensity * gain)


def _prims(stage: Any) -> Any:
    from pxr import Usd

    return stage.Traverse(Usd.TraverseInstanceProxies())


def _units(stage: Any) -> list[Any]:
    return [p for p in stage.Traverse() if p.GetVariantSets().HasVariantSet(UNIT)]


def _station(prim: Any) -> str:
    while prim and not prim.HasAttribute("twin:kind"):
        prim = prim.GetParent()
    if not prim:
        return "station"
    return str(prim.GetAttribute("twin:id").Get()) if prim.HasAttribute("twin:id") else str(prim.GetName())


__all__ = ["GAIN", "StageError", "Twin", "View", "choose_state", "classes", "labels", "lamps", "light", "products",
           "states", "twins", "unshare", "views"]
