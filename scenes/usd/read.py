"""Reading a stage: the contents that ``write`` wrote, or what somebody made of them since."""
from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from scenes.errors import SceneError
from scenes.usd.contents import Contents, Place, Unit
from scenes.usd.files import open_stage
from scenes.usd.names import MACHINES, UNIT, WORLD, line_path
from scenes.usd.read_line import read_node, read_place, stations
from scenes.usd.read_look import read_artwork, read_materials
from scenes.usd.read_mesh import Notes, local, twin
from scenes.usd.read_unit import read_states, state_of
from scenes.usd.same import differences

VERSION = 1                                    # of the layout


def read(path: str | Path) -> Contents:
    """The contents of a stage. What is there and cannot be told in them is in ``notes``, one line each.

    Raises:
        SceneError: not a stage, not one of ours, or of a newer layout.
        AssetError: it names a file outside its folder, or a picture that cannot be read.
    """
    return contents_in(open_stage(path), Path(path).resolve())


def contents_in(stage: Any, root: Path) -> Contents:
    """The contents of an open stage whose root layer is the file ``root``. Leaves the stage as it was."""
    notes = Notes()
    world = stage.GetPrimAtPath(WORLD)
    version = twin(world, "scene_version") if world else None
    if not isinstance(version, int):
        raise SceneError(f"{root}: not a stage of ours (no twin:scene_version on {WORLD}); write one with 'linetwin scene usd'")
    if version > VERSION:
        raise SceneError(f"{root}: layout version {version}, this linetwin reads up to {VERSION}; use a newer one")
    text = str(twin(world, "line", ""))
    line = stage.GetPrimAtPath(line_path(text))
    found = stations(world)
    if not found or not line:
        raise SceneError(f"{root}: no station on the line '{text}'; a stage needs at least one prim with twin:id and twin:kind")
    places: list[Place] = []
    unit: Unit | None = None
    others: tuple[tuple[str, Unit], ...] = ()
    for prim in found:
        place = read_place(prim, line, notes)
        product = prim.GetChild("Bench").GetChild("Product") if prim.GetChild("Bench") else None
        if product:
            place = dataclasses.replace(place, state=state_of(product))
            if unit is None:
                _, unit, others = read_states(product, notes)
            elif _edited(product) and (changed := differences(unit, read_states(product, notes)[1])):
                notes.tell(product, f"not the unit of the first station ({changed[0]}); edit {UNIT}, so that all stations see it")
        if prim.GetChild("Machine"):
            place = dataclasses.replace(place, machine=read_node(prim.GetChild("Machine"), notes))
        places.append(place)
    if unit is None:
        raise SceneError(f"{root}: no unit stands on the line; a station with cameras has Bench/Product")
    beside, shared = line.GetChild("Equipment"), stage.GetPrimAtPath(MACHINES)
    return Contents(
        str(twin(world, "scene", "")), text, tuple(places), unit, others, read_materials(stage, notes),
        read_artwork(stage, root, notes),
        tuple(dataclasses.replace(read_node(p, notes), pose=local(p, line)) for p in beside.GetChildren()) if beside else (),
        tuple(read_node(p, notes) for p in shared.GetAllChildren()) if shared else (), int(version), tuple(notes))


def _edited(product: Any) -> bool:
    """Whether a layer says more of this unit than that it is a reference to the shared one."""
    own = [spec for spec in product.GetPrimStack() if spec.path == product.GetPath()]
    arcs = sum(len(spec.referenceList.GetAddedOrExplicitItems()) for spec in own)
    return arcs != 1 or any(spec.nameChildren or spec.properties for spec in own)


__all__ = ["VERSION", "contents_in", "read"]
