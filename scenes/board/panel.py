"""A panel: several copies of a board in one frame, as the line carries them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from scenes.board.model import Board, Component, Drill, Fiducial, Layer, Pad
from scenes.board.strokes import TextStyle, text_strokes
from scenes.errors import SceneError
from scenes.scene import Panel

TAB = 3e-3  # [m] width of the bridges that hold a board in its frame
DOT, OPENING = 1e-3, 2e-3  # [m] panel fiducial and its mask opening (IPC-7351's 1:2)
CODE_HEIGHTS = (1.5e-3, 1.0e-3, 0.7e-3)  # [m] tried in this order
CODE_CLEARANCE = 0.2e-3  # [m] around the code
LEAST_HEIGHT = 0.5e-3  # [m] of a code that can still be read
_PATTERN = re.compile(r"[^{}]*\{(:0?\d{0,2}d)?\}[^{}]*")


def panelise(board: Board, panel: Panel) -> Board:
    """Rows × columns copies of ``board`` with rails, as one board.

    Copies stand at a pitch of the board's size plus the gap. References get the copy's place, ``R1@0-1`` for row 0 from
    below and column 1. Rails run along the lower and the upper edge and carry three fiducials on each side. Tabs bridge
    the gaps. Every copy has its serial code on the silkscreen of each side where there is room for it; where there is none,
    the codes stand side by side on the lower rail. ``serial`` of the panel lists all codes in the order of the copies.

    Args:
        board: One board.
        panel: How many, and how far apart [m].

    Raises:
        SceneError: the serial pattern is not a format of one whole number.
    """
    codes = _codes(board, panel)
    width, height = board.size
    lift = panel.rail + panel.gap if panel.rail > 0 else 0.0
    spots = [
        (row, column, column * (width + panel.gap), lift + row * (height + panel.gap))
        for row in range(panel.rows)
        for column in range(panel.columns)
    ]
    size = (panel.columns * (width + panel.gap) - panel.gap, panel.rows * (height + panel.gap) - panel.gap + 2 * lift)
    outline = _outline(board, panel, [(x, y) for _, _, x, y in spots], size)
    marks = _rail_fiducials(panel, size)
    layers, notes = _layers(board, panel, [(x, y) for _, _, x, y in spots], codes, marks, size[0])
    components, drills, fiducials = [], [], list(marks)
    for row, column, x, y in spots:
        components += [_component(c, f"{c.reference}@{row}-{column}", x, y) for c in board.components]
        drills += [_drill(d, x, y) for d in board.drills]
        fiducials += [replace(f, reference=f"{f.reference}@{row}-{column}", x=f.x + x, y=f.y + y) for f in board.fiducials]
    count = len(spots)
    return replace(
        board,
        name=f"{board.name} {panel.rows}×{panel.columns}",
        outline=outline,
        layers=layers,
        drills=tuple(drills),
        components=tuple(components),
        fiducials=tuple(fiducials),
        serial=" ".join(codes),
        notes=(*board.notes, *notes),
        counts={k: v * count for k, v in board.counts.items()},
    )


def _codes(board: Board, panel: Panel) -> list[str]:
    if not _PATTERN.fullmatch(panel.serial):
        raise SceneError(
            f"{board.source}: panel.serial {panel.serial!r} is no pattern for one number; write one such as 'SN{{:04d}}'"
        )
    return [panel.serial.format(index + 1) for index in range(panel.rows * panel.columns)]


def _moved(shapes: Sequence[BaseGeometry], x: float, y: float) -> NDArray[np.object_]:
    return shapely.transform(np.array(shapes, dtype=object), lambda points: points + np.array([x, y]))


def _drill(drill: Drill, x: float, y: float) -> Drill:
    return replace(drill, x=drill.x + x, y=drill.y + y)


def _pad(pad: Pad, x: float, y: float, outline: BaseGeometry | None) -> Pad:
    return replace(pad, x=pad.x + x, y=pad.y + y, outline=outline, drill=_drill(pad.drill, x, y) if pad.drill else None)


def _component(component: Component, reference: str, x: float, y: float) -> Component:
    outlines: Any = _moved([p.outline for p in component.pads], x, y) if component.pads else []
    courtyard = None if component.courtyard is None else _moved([component.courtyard], x, y)[0]
    return replace(
        component,
        reference=reference,
        x=component.x + x,
        y=component.y + y,
        courtyard=courtyard,
        pads=tuple(_pad(p, x, y, o) for p, o in zip(component.pads, outlines, strict=True)),
    )


def _outline(
    board: Board,
    panel: Panel,
    spots: Sequence[tuple[float, float]],
    size: tuple[float, float],
) -> BaseGeometry:
    """Boards, rails and the tabs between them."""
    copies = [shapely.transform(board.outline, lambda points, at=spot: points + at) for spot in spots]
    rails: list[BaseGeometry] = []
    if panel.rail > 0:
        rails = [shapely.box(0, 0, size[0], panel.rail), shapely.box(0, size[1] - panel.rail, size[0], size[1])]
    solid = shapely.union_all([*copies, *rails])
    if panel.gap <= 0:
        return shapely.orient_polygons(solid)
    width, height = board.size
    half, tabs = min(TAB, width / 4, height / 4) / 2, []
    for index, (x, y) in enumerate(spots):
        row, column = divmod(index, panel.columns)
        middle_x, middle_y = x + width / 2, y + height / 2
        if column + 1 < panel.columns:
            strip = shapely.box(middle_x, middle_y - half, middle_x + width + panel.gap, middle_y + half)
            tabs.append((strip, (x + width + panel.gap / 2, middle_y)))
        if row + 1 < panel.rows or rails:
            top = y + height + panel.gap / 2
            strip = shapely.box(middle_x - half, middle_y, middle_x + half, min(middle_y + height + panel.gap, size[1]))
            tabs.append((strip, (middle_x, top)))
        if row == 0 and rails:
            tabs.append((shapely.box(middle_x - half, 0, middle_x + half, middle_y), (middle_x, y - panel.gap / 2)))
    bridges = []
    for strip, point in tabs:
        # what of the strip is not board or rail already, and only the piece that spans the gap: cut-outs stay open
        for piece in shapely.get_parts(shapely.difference(strip, solid)):
            if shapely.intersects_xy(piece, *point):
                bridges.append(piece)
    return shapely.orient_polygons(shapely.union_all([solid, *bridges]))


def _rail_fiducials(panel: Panel, size: tuple[float, float]) -> list[Fiducial]:
    """Three marks on the rails, on both sides. Three of four corners: a panel turned by 180° is noticed."""
    if panel.rail < OPENING:
        return []
    inset = max(panel.rail / 2, OPENING)
    places = [(inset, panel.rail / 2), (size[0] - inset, panel.rail / 2), (inset, size[1] - panel.rail / 2)]
    return [
        Fiducial(f"FID{i + 1}@panel-{side}", x, y, DOT, side)  # type: ignore[arg-type]
        for side in ("front", "back")
        for i, (x, y) in enumerate(places)
    ]


def _layers(
    board: Board,
    panel: Panel,
    spots: Sequence[tuple[float, float]],
    codes: Sequence[str],
    marks: Sequence[Fiducial],
    width: float,
) -> tuple[tuple[Layer, ...], list[str]]:
    """Artwork of all copies with the rails' marks and the codes, and notes on codes that found no room."""
    out, notes = [], []
    for layer in board.layers:
        shapes: list[BaseGeometry] = []
        for x, y in spots:
            shapes += _moved(layer.shapes, x, y).tolist() if layer.shapes else []
        dark = list(layer.dark) * len(spots)
        added: list[BaseGeometry] = []
        if layer.kind in ("copper", "mask"):
            diameter = DOT if layer.kind == "copper" else OPENING
            added = [shapely.Point(m.x, m.y).buffer(diameter / 2) for m in marks if m.side == layer.side]
        elif layer.kind == "silk" and layer.side != "inner":
            for (x, y), strokes in zip(spots, _code_strokes(board, layer.side, codes), strict=True):
                added += _moved(strokes, x, y).tolist() if len(strokes) else []
            added = added or _rail_codes(panel, layer.side, codes, width)
            if not added:
                notes.append(
                    f"no room for the serial codes on the {layer.side} of the boards or on a rail; they are not printed there"
                )
        out.append(replace(layer, shapes=(*shapes, *added), dark=(*dark, *(True for _ in added))))
    return tuple(out), notes


def _rail_codes(panel: Panel, side: str, codes: Sequence[str], width: float) -> list[BaseGeometry]:
    """All codes side by side on the lower rail, between its fiducials; nothing where they would be too small to read."""
    room = (width - 4 * OPENING) / len(codes)
    longest = float(np.ptp(np.concatenate(_code(max(codes, key=len), 1.0))[:, 0])) + 1.0  # in text heights, with a blank
    height = min(CODE_HEIGHTS[0], 0.5 * panel.rail, room / longest)
    if panel.rail <= 0 or height < LEAST_HEIGHT:
        return []
    return [
        stroke
        for i, code in enumerate(codes)
        for stroke in _printed(code, height, 2 * OPENING + (i + 0.5) * room, panel.rail / 2, side)
    ]


def _code_strokes(board: Board, side: str, codes: Sequence[str]) -> list[list[BaseGeometry]]:
    """Strokes of each code in the board's frame, at the first free place from below; nothing where none is free."""
    longest = max(codes, key=len)
    taken = [s for a in board.layers if a.side == side and a.kind in ("mask", "silk") for s in a.shapes]
    taken += [c.courtyard for c in board.components if c.courtyard is not None and c.side == side]
    tree = shapely.STRtree(taken)
    holes = shapely.STRtree([shapely.Point(d.x, d.y).buffer(max(d.diameter, d.length) / 2) for d in board.drills if not d.via])
    laminate = shapely.buffer(board.outline, -CODE_CLEARANCE)
    shapely.prepare(laminate)
    width, height = board.size
    for text_height in CODE_HEIGHTS:
        extent = np.concatenate(_code(longest, text_height))
        half = (np.ptp(extent, axis=0) + 0.15 * text_height) / 2 + CODE_CLEARANCE
        step = text_height / 2
        for y in np.arange(half[1], height - half[1], step):
            xs = np.arange(half[0], width - half[0], step)
            boxes = shapely.box(xs - half[0], y - half[1], xs + half[0], y + half[1])
            free = shapely.covers(laminate, boxes)
            for obstacles in (tree, holes):
                hit = obstacles.query(boxes[free], predicate="intersects")[0]
                index = np.flatnonzero(free)
                free[index[np.unique(hit)]] = False
            if free.any():
                x = xs[np.argmax(free)]
                return [_printed(code, text_height, x, y, side) for code in codes]
    return [[] for _ in codes]


def _code(code: str, height: float) -> list[NDArray[np.float64]]:
    """Strokes about the origin [m], y up."""
    style = TextStyle(height * 1e3, height * 1e3)
    return [stroke * [1e-3, -1e-3] for stroke in text_strokes(code, style)]


def _printed(code: str, height: float, x: float, y: float, side: str) -> list[BaseGeometry]:
    mirror = -1.0 if side == "back" else 1.0
    lines = [shapely.LineString(s * [mirror, 1.0] + [x, y]) for s in _code(code, height)]
    return list(shapely.get_parts(shapely.buffer(lines, 0.075 * height)))


__all__ = ["panelise"]
