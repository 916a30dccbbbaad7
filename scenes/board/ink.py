"""Ink: collects strokes and fills of one layer, then turns all of them into polygons in a few array operations.

Millimetres, y down, as in the file. ``Ink.polygons`` gives the board frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from scenes.board.kicad_curves import Points, capsules, circle, steps

Geometries = NDArray[np.object_]
NONE: Geometries = np.empty(0, dtype=object)


@dataclass
class Ink:
    """What is drawn on one layer, not yet turned into polygons."""

    segments: list[tuple[float, float, float, float, float]] = field(default_factory=list)  # x0, y0, x1, y1, width [mm]
    lines: list[tuple[Points, float]] = field(default_factory=list)  # points, width
    rings: list[Points] = field(default_factory=list)  # filled, no border
    bordered: list[tuple[Points, float]] = field(default_factory=list)  # filled, with a border's width
    ready: list[shapely.Geometry] = field(default_factory=list)  # polygons already

    def line(self, points: Points, width: float) -> None:
        """A stroke with round ends. A stroke without width leaves no ink."""
        if width <= 0 or len(points) < 2:
            return
        if len(points) == 2:
            self.segments.append((*points[0].tolist(), *points[1].tolist(), width))
        else:
            self.lines.append((points, width))

    def fill(self, points: Points, width: float = 0.0) -> None:
        """A filled outline, grown by half of its border's width."""
        if len(points) < 3:
            self.line(points, width)
        elif width > 0:
            self.bordered.append((points, width))
        else:
            self.rings.append(points)

    def disc(self, x: float, y: float, diameter: float) -> None:
        self.rings.append(circle(np.array([x, y]), diameter / 2))

    def geometries(self) -> Geometries:
        """Everything as valid polygons, shape (N,), still in millimetres with y down."""
        parts = [
            _capsules(np.array(self.segments)) if self.segments else NONE,
            _polygons(self.rings),
            _strokes(self.lines),
            _bordered(self.bordered),
            _flat(np.array(self.ready, dtype=object)) if self.ready else NONE,
        ]
        return np.concatenate(parts)


def _capsules(rows: NDArray[np.float64]) -> Geometries:
    out = []
    for width in np.unique(rows[:, 4]):
        these = rows[rows[:, 4] == width]
        out.append(shapely.polygons(capsules(these[:, :2], these[:, 2:4], float(width) / 2)))
    return np.concatenate(out)


def _polygons(rings: list[Points]) -> Geometries:
    if not rings:
        return NONE
    closed = [np.concatenate([r, r[:1]]) for r in rings]
    index = np.repeat(np.arange(len(closed)), [len(r) for r in closed])
    shells = shapely.linearrings(np.concatenate(closed), indices=index)
    return _flat(shapely.polygons(shells))


def _strokes(lines: list[tuple[Points, float]]) -> Geometries:
    out = []
    for width in sorted({w for _, w in lines}):
        these = [p for p, w in lines if w == width]
        index = np.repeat(np.arange(len(these)), [len(p) for p in these])
        chains = shapely.linestrings(np.concatenate(these), indices=index)
        out.append(_flat(shapely.buffer(chains, width / 2, quad_segs=steps(width / 2) // 4)))
    return np.concatenate(out) if out else NONE


def _bordered(fills: list[tuple[Points, float]]) -> Geometries:
    out = []
    for width in sorted({w for _, w in fills}):
        shapes = _polygons([p for p, w in fills if w == width])
        out.append(_flat(shapely.buffer(shapes, width / 2, quad_segs=steps(width / 2) // 4)))
    return np.concatenate(out) if out else NONE


def _flat(shapes: Geometries) -> Geometries:
    """Valid single polygons with area: KiCad's filled zones touch themselves along slits, drawings may cross themselves."""
    broken = ~shapely.is_valid(shapes)
    if broken.any():
        shapes = shapes.copy()
        shapes[broken] = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
    parts = shapely.get_parts(shapes)
    return parts[(shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)]


__all__ = ["NONE", "Geometries", "Ink"]
