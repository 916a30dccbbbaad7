"""Polygons to area coverage: an exact union in x, sampled eight times per texel in y.

Every edge crosses a set of sub-scanlines. The crossings of one sub-scanline, sorted by x, are walked with the nonzero winding
rule; the intervals that are inside any polygon are added up with their exact ends. So shapes may overlap or abut without
a seam and without being counted twice, which painting them one by one with soft edges cannot do. Horizontal edges are
placed to 1/8 texel. All work is numpy on bands of rows: memory is bounded by the band, and the result does not depend on it.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

SUB = 8                                        # sub-scanlines per texel row
BAND = 128                                     # [rows] worked on at a time
_FRACTION = 20                                 # bits of x below the texel, in the sort key


def rasterise(shapes: Sequence[BaseGeometry], origin: tuple[float, float], texel_size: float,
              height: int, width: int) -> NDArray[np.uint8]:
    """Area coverage of the union of ``shapes``.

    Args:
        shapes: shapely polygons and multipolygons [m]; others and empty ones are passed over. Need not be valid.
        origin: lower left corner of the raster [m].
        texel_size: edge of a texel [m].
        height, width: raster size in texels, width < 32768.

    Returns:
        uint8 (height, width), row 0 at the largest y, 255 fully covered.
    """
    out = np.zeros((height, width), np.uint8)
    edges = _edges(shapes, origin, texel_size, height)
    if not len(edges.first):
        return out
    low, high = int(edges.first.min()) // SUB, -(-int(edges.last.max()) // SUB)
    for row in range(low, high, BAND):
        end = min(row + BAND, high)
        out[row:end] = _band(edges, row, end, width)
    return out


class _Edges:
    """Edges that cross at least one sub-scanline, pointing down the raster: x = x0 + slope · (k + ½), first ≤ k < last."""

    def __init__(self, x0: NDArray[np.float64], slope: NDArray[np.float64], turn: NDArray[np.int64],
                 first: NDArray[np.int64], last: NDArray[np.int64]):
        self.x0, self.slope, self.turn, self.first, self.last = x0, slope, turn, first, last


def _edges(shapes: Sequence[BaseGeometry], origin: tuple[float, float], texel_size: float, height: int) -> _Edges:
    polygons = shapely.get_parts(np.asarray(list(shapes), dtype=object))
    rings, owner = shapely.get_rings(polygons, return_index=True)
    outer = np.ones(len(rings), bool)
    outer[1:] = owner[1:] != owner[:-1]
    # Outer rings wind one way and holes the other, whatever the file's order, so that nonzero winding is the union.
    sign = np.where(outer == shapely.is_ccw(rings), 1, -1)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    x = (points[:, 0] - origin[0]) / texel_size
    y = (height - (points[:, 1] - origin[1]) / texel_size) * SUB
    same = ring[1:] == ring[:-1]
    ax, ay, bx, by = x[:-1][same], y[:-1][same], x[1:][same], y[1:][same]
    turn = np.where(by > ay, 1, -1) * sign[ring[:-1][same]]
    up = by < ay
    ax, bx = np.where(up, bx, ax), np.where(up, ax, bx)
    ay, by = np.where(up, by, ay), np.where(up, ay, by)
    first = np.clip(np.ceil(ay - 0.5), 0, height * SUB).astype(np.int64)
    last = np.clip(np.ceil(by - 0.5), 0, height * SUB).astype(np.int64)
    keep = last > first
    ax, ay, bx, by = ax[keep], ay[keep], bx[keep], by[keep]
    slope = (bx - ax) / (by - ay)
    return _Edges(ax - ay * slope, slope, turn[keep], first[keep], last[keep])


def _band(edges: _Edges, row: int, end: int, width: int) -> NDArray[np.uint8]:
    """Coverage of the rows ``row`` to ``end``."""
    low, high = np.maximum(edges.first, row * SUB), np.minimum(edges.last, end * SUB)
    hit = np.flatnonzero(high > low)
    count = (high - low)[hit]
    edge = np.repeat(hit, count)
    line = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - low[hit], count)
    x = np.clip(edges.x0[edge] + (line + 0.5) * edges.slope[edge], 0, width)
    # One integer per crossing, line | x | turn, so that a plain sort puts them in walking order.
    key = ((line - row * SUB) << (16 + _FRACTION)) | ((x * (1 << _FRACTION)).astype(np.int64))
    key = (key << 2) | (edges.turn[edge] + 1)
    key.sort()
    turn = (key & 3) - 1
    after = np.cumsum(turn)
    before = after - turn
    key >>= 2
    x = (key & ((1 << (16 + _FRACTION)) - 1)) / (1 << _FRACTION)
    texel_row = (key >> (16 + _FRACTION)) // SUB
    enters, leaves = (before == 0) & (after != 0), (before != 0) & (after == 0)
    # Coverage is the running sum of its steps; an edge inside a texel splits its step between that texel and the next.
    stride = width + 2
    bins, steps = [], []
    for mask, gain in ((enters, 1.0), (leaves, -1.0)):
        at = x[mask]
        whole = at.astype(np.int64)
        index = texel_row[mask] * stride + whole
        bins += [index, index + 1]
        steps += [gain * (1 - (at - whole)), gain * (at - whole)]
    step = np.bincount(np.concatenate(bins), np.concatenate(steps), minlength=(end - row) * stride)
    level = np.cumsum(step.reshape(end - row, stride), axis=1)[:, :width]
    return np.clip(level * (255 / SUB) + 0.5, 0, 255).astype(np.uint8)


__all__ = ["SUB", "rasterise"]
