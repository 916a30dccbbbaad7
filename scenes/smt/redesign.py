"""redesign: what was changed in a stage, as a change of the design: components stand elsewhere, are others, or are gone.

The board that comes out is one like any other: its lands, paste and holes follow the component, so process, joints, rules and
labels know nothing of an edit. Frame: the board frame of the side that is up (the board is turned and panelised already).

What moves with a component is what its pads have drawn: shapes of copper, mask and paste layers inside a pad grown by
``GROWN``, and the pads' holes. Tracks, poured copper and print stay where they are; a component that is taken away leaves
its land pattern bare, as one that is not populated does.
"""
from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from scenes.board.model import Board, Component, Drill, Layer, Pad
from scenes.edits import Paint, PartEdit
from scenes.errors import SceneError
from scenes.materials import Material
from scenes.parts.model import Package
from scenes.smt.assembly import land_polygon

GROWN = 0.2e-3                                 # [m] a mask opening is larger than its pad, by 50 to 75 µm after IPC-7351
DRAWN = ("copper", "mask", "paste")            # kinds of layers that pads draw on


def redesigned(board: Board, edits: Iterable[PartEdit]) -> Board:
    """The board with ``edits``; the same object without any.

    Raises:
        SceneError: a component that is not there, or not populated on this side; one that would stand off the board.
    """
    edits = tuple(edits)
    if not edits:
        return board
    design = {c.reference: c for c in board.components if c.placed and c.side == "front"}
    components = {c.reference: c for c in board.components}
    lifted: list[Component] = []               # whose land patterns go
    laid: list[tuple[Component, _Move]] = []   # whose land patterns come, and where
    for edit in edits:
        own = _own(board, design, components, edit)
        if edit.removed:
            components[edit.reference] = replace(components[edit.reference], placed=False)
            continue
        donor = design.get(edit.like) if edit.like else own
        if donor is None:
            raise SceneError(f"{board.source}: edits.parts: {edit.reference} is like '{edit.like}', which is not populated on "
                             "this side; name another component")
        x, y, angle = edit.at or (0.0, 0.0, 0.0)
        if own is not None:
            x, y, angle = own.x + edit.move[0], own.y + edit.move[1], own.angle + edit.turn
            lifted.append(own)
        if not board.outline.buffer(1e-6).contains(shapely.Point(x, y)):
            raise SceneError(f"{board.source}: edits.parts: {edit.reference} at ({x * 1e3:.3f}, {y * 1e3:.3f}) mm stands off the "
                             "board; move it back onto it")
        move = _Move(donor, (x, y, angle))
        laid.append((donor, move))
        components[edit.reference] = _placed(donor, own, edit.reference, move)
    gone = {p.drill for c in lifted for p in c.pads if p.drill is not None}
    drills = [d for d in board.drills if d not in gone]
    drills += [move.drill(p.drill) for donor, move in laid for p in donor.pads if p.drill is not None]
    layers = tuple(_redrawn(a, lifted, laid) if a.kind in DRAWN else a for a in board.layers)
    return replace(board, components=tuple(components.values()), layers=layers, drills=tuple(drills))


def _own(board: Board, design: Mapping[str, Component], components: Mapping[str, Component], edit: PartEdit) -> Component | None:
    """The component that an edit is of; None for a new one."""
    own = design.get(edit.reference)
    if edit.at is None and own is None:
        raise SceneError(f"{board.source}: edits.parts: {edit.reference} is not populated on this side; remove its edit or fix "
                         "its reference")
    if edit.at is not None and edit.reference in components:
        raise SceneError(f"{board.source}: edits.parts: {edit.reference} is there already; give the new component another name")
    return own


class _Move:
    """The rigid motion that takes a donor component to a place."""

    def __init__(self, donor: Component, place: tuple[float, float, float]) -> None:
        self.start, self.end = np.array([donor.x, donor.y]), np.array(place[:2])
        self.turn = place[2] - donor.angle
        c, s = (1.0, 0.0) if self.turn == 0 else (math.cos(self.turn), math.sin(self.turn))
        self.matrix = np.array([[c, -s], [s, c]])

    def points(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((points - self.start) @ self.matrix.T + self.end)

    def shape(self, shape: BaseGeometry | None) -> BaseGeometry | None:
        return None if shape is None else shapely.transform(shape, self.points)

    def at(self, x: float, y: float) -> tuple[float, float]:
        x, y = self.points(np.array([[x, y]]))[0].tolist()
        return x, y

    def drill(self, drill: Drill) -> Drill:
        x, y = self.at(drill.x, drill.y)
        return replace(drill, x=x, y=y, angle=drill.angle + self.turn)

    def pad(self, pad: Pad, net: str) -> Pad:
        x, y = self.at(pad.x, pad.y)
        return replace(pad, x=x, y=y, angle=pad.angle + self.turn, outline=self.shape(pad.outline), net=net,
                       drill=self.drill(pad.drill) if pad.drill else None)


def _placed(donor: Component, own: Component | None, reference: str, move: _Move) -> Component:
    """``donor`` at another place, under another's reference; pads of equal number keep the nets that were there."""
    nets = {p.number: p.net for p in own.pads} if own is not None else {}
    x, y = move.end.tolist()
    return replace(donor, reference=reference, x=x, y=y, angle=donor.angle + move.turn, courtyard=move.shape(donor.courtyard),
                   pads=tuple(move.pad(p, nets.get(p.number, "")) for p in donor.pads))


def _redrawn(layer: Layer, lifted: Sequence[Component], laid: Sequence[tuple[Component, _Move]]) -> Layer:
    """A layer without what some components had drawn on it, and with what others have drawn on it, moved."""
    gone = {k for c in lifted for k in drawn_by(c, layer)}
    kept = [k for k in range(len(layer.shapes)) if k not in gone]
    new = [move.shape(layer.shapes[k]) for donor, move in laid for k in drawn_by(donor, layer)]
    return replace(layer, shapes=(*(layer.shapes[k] for k in kept), *new),
                   dark=(*(layer.dark[k] for k in kept), *(True for _ in new)))


def drawn_by(component: Component, layer: Layer) -> list[int]:
    """Which shapes of a layer the pads of a component have drawn: dark ones that lie inside a pad, with some to spare."""
    pads = [land_polygon(p).buffer(GROWN) for p in component.pads]
    if not pads or not layer.shapes:
        return []
    shapes: Any = np.array(layer.shapes, dtype=object)
    tree = shapely.STRtree(shapes)
    found = tree.query(pads, predicate="contains")[1]
    return sorted({int(k) for k in found if layer.dark[int(k)]})


def repainted(components: Sequence[Component], packages: Sequence[Package], paints: Iterable[Paint],
              materials: Sequence[Material]) -> tuple[Package, ...]:
    """The packages of ``components`` with other materials where ``paints`` say so. Raises SceneError for an unknown material."""
    rows = {m.name: k for k, m in enumerate(materials)}
    of: dict[str, dict[int, int]] = {}
    for paint in paints:
        if unknown := [n for n in (paint.was, paint.now) if n and n not in rows]:
            raise SceneError(f"edits.paints: '{unknown[0]}' is not a material of the scene; add it to edits.materials")
        for reference in paint.parts:
            of.setdefault(reference, {})[rows[paint.was] if paint.was else -1] = rows[paint.now]
    return tuple(replace(p, paint=tuple(sorted(of[c.reference].items()))) if c.reference in of else p
                 for c, p in zip(components, packages, strict=True))


__all__ = ["DRAWN", "GROWN", "drawn_by", "redesigned", "repainted"]
