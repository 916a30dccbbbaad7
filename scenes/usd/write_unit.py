"""Writing product.usda: the packages' prototypes, and the unit with its states as variants.

What all states share is written once. What differs between any two (a part elsewhere, other solder, a film) is in the variants
and nowhere else: an opinion outside a variant would win over the one inside.
"""
from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from scenes.geometry import BOARD_ID
from scenes.usd import author
from scenes.usd.contents import HEALTHY, Contents, Film, Part, Piece, Solid, Unit
from scenes.usd.names import ARTWORK, BOARD_TOP, FILM, LOOKS, PROTOTYPES, UNIT, prim_name, unused
from scenes.usd.write_look import look_paths, write_artwork

Item = Part | Solid | Film
Key = tuple[str, int]                          # group and label id


def write_product(layer: Any, contents: Contents) -> None:
    """Prototypes and the unit, at ``/World/Prototypes`` and ``/World/Unit``."""
    looks = look_paths(contents)
    if contents.artwork is not None:
        write_artwork(layer, contents.artwork)
    prototypes = author.at(layer, PROTOTYPES, "Scope", "class")
    states = ((HEALTHY, contents.unit), *contents.states)
    for package in _packages([unit for _, unit in states]).values():
        spec = author.prim(prototypes, package.name, "Xform")
        for piece in package.pieces:
            author.mesh(spec, piece, looks[piece.material])
    _unit(author.at(layer, UNIT, "Xform"), contents, states, looks)


def _packages(units: Sequence[Unit]) -> dict[str, Any]:
    return {p.name: p for unit in units for p in unit.packages}


def _unit(spec: Any, contents: Contents, states: Sequence[tuple[str, Unit]], looks: Mapping[str, str]) -> None:
    from pxr import Sdf

    unit = contents.unit
    author.apply(spec, "PhysicsRigidBodyAPI", "PhysicsMassAPI")
    author.attribute(spec, "physics:kinematicEnabled", "bool", True)
    same_mass = len({u.mass for _, u in states}) == 1
    if same_mass:
        author.attribute(spec, "physics:mass", "float", float(unit.mass))
    author.attribute(spec, "physics:rigidBodyEnabled", "bool", True)
    board = author.prim(spec, "Board", "Xform")
    author.attribute(board, "twin:instance", "uint", BOARD_ID)
    author.label(board, {"class": "board"})
    for piece in unit.board:
        top = piece.name == BOARD_TOP
        shown = ARTWORK if contents.artwork is not None else "solder_mask"
        made = author.mesh(board, piece, f"{LOOKS}/{shown}" if top else looks[piece.material])
        if not top:
            author.apply(made, "PhysicsCollisionAPI", "PhysicsMeshCollisionAPI")
            author.attribute(made, "physics:approximation", "token", "convexHull")
    for group in ("Parts", "Solder", "Films"):
        author.prim(spec, group, "Xform")

    names = part_prims([u for _, u in states])
    items = [dict(_items(u)) for _, u in states]
    shared = {key for key in items[0] if len({_digest(i[key]) if key in i else b"" for i in items}) == 1}
    for key, item in items[0].items():
        if key in shared:
            _item(spec, key, item, names, looks)
    if len(states) == 1:
        return
    spec.variantSetNameList.prependedItems.append("unit")
    spec.variantSelections["unit"] = HEALTHY
    variants = Sdf.VariantSetSpec(spec, "unit")
    for (name, state), found in zip(states, items, strict=True):
        inside = Sdf.VariantSpec(variants, prim_name(name)).primSpec
        if not same_mass:
            author.attribute(inside, "physics:mass", "float", float(state.mass))
        for key, item in found.items():
            if key not in shared:
                _item(inside, key, item, names, looks)


def part_prims(units: Sequence[Unit]) -> dict[int, str]:
    """Label id → prim name of every part: its reference, which two copies of a panel may share."""
    out: dict[int, str] = {}
    taken: set[str] = set()
    for unit in units:
        for part in unit.parts:
            if part.instance not in out:
                out[part.instance] = unused(prim_name(part.reference), taken)
                taken.add(out[part.instance])
    return out


def _items(unit: Unit) -> Iterator[tuple[Key, Item]]:
    for part in unit.parts:
        yield ("Parts", part.instance), part
    for solid in unit.solder:
        yield ("Solder", solid.instance), solid
    for film in unit.films:
        yield ("Films", film.instance), film


def _digest(item: Item) -> bytes:
    """Equal for items that are written alike."""
    sha = hashlib.sha256()
    pieces: tuple[Piece, ...] = ()
    if isinstance(item, Part):
        sha.update(repr((item.reference, item.package, sorted(item.labels.items()), item.tint)).encode())
        sha.update(np.ascontiguousarray(item.pose, np.float64).tobytes())
    elif isinstance(item, Solid):
        sha.update(repr((sorted(item.labels.items()), item.roughness)).encode())
        pieces = item.pieces
    else:
        sha.update(repr((sorted(item.labels.items()), item.roughness, item.direction, item.edge)).encode())
        pieces = (item.piece,)
    for piece in pieces:
        sha.update(repr((piece.name, piece.material, piece.part, piece.color, piece.opacity)).encode())
        for array in (piece.points, piece.normals, piece.faces):
            sha.update(np.ascontiguousarray(array).tobytes())
    return sha.digest()


def _item(unit: Any, key: Key, item: Item, names: Mapping[int, str], looks: Mapping[str, str]) -> None:
    group, instance = key
    parent = author.prim(unit, group, "", "over")
    if isinstance(item, Film):
        spec = author.mesh(parent, item.piece, f"{LOOKS}/{FILM}")
        author.attribute(spec, "primvars:roughness", "float", float(item.roughness), interpolation="constant")
        author.attribute(spec, "twin:film:direction", "double", float(item.direction))
        author.attribute(spec, "twin:film:edge", "double", float(item.edge))
    elif isinstance(item, Solid):
        spec = author.prim(parent, f"id_{instance}", "Xform")
        for piece in item.pieces:
            made = author.mesh(spec, piece, looks[piece.material])
            if item.roughness >= 0:
                author.attribute(made, "primvars:roughness", "float", float(item.roughness), interpolation="constant")
    else:
        spec = _part(parent, names[instance], item)
    author.attribute(spec, "twin:instance", "uint", instance)
    author.label(spec, item.labels)            # a mesh has its part already


def _part(parent: Any, name: str, part: Part) -> Any:
    from pxr import Gf, Sdf

    spec = author.prim(parent, name, "Xform")
    spec.instanceable = True
    spec.referenceList.prependedItems.append(Sdf.Reference(primPath=f"{PROTOTYPES}/{part.package}"))
    author.transform(spec, part.pose)
    author.attribute(spec, "twin:package", "string", part.package)
    author.attribute(spec, "twin:reference", "string", part.reference)
    if part.tint != (1.0, 1.0, 1.0):
        author.attribute(spec, "twin:tint", "color3d", Gf.Vec3d(*(float(c) for c in part.tint)))
    return spec


__all__ = ["part_prims", "write_product"]
