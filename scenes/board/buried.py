"""What lies below a board's front: copper layers as coverage, holes and their plating. For X-ray pictures.

Takes a board that was already turned with :meth:`Board.seen_from`, like ``artwork``.
"""
from __future__ import annotations

import math

import numpy as np
import shapely

from scenes.board.artwork import GRID, MESHED_HOLE, extrude, hole, layer_coverage, plan, times
from scenes.board.model import Board, Drill
from scenes.board.raster import rasterise
from scenes.geometry import Buried, Mesh, PartKind
from scenes.materials import index

PLATING = 25e-6                                # [m] copper on the wall of a hole: IPC-6012 class 2 asks for 20, class 3 for 25
OUTER, INNER = 35e-6, 18e-6                    # [m] copper where the stack-up does not say
TEXELS_MOST = 2_500_000                        # of a layer, four layers sharing a texture: 10 MB, 13 MB with its mipmaps
FINEST = 15e-6                                 # [m]


def buried(board: Board, *, texels_most: int = TEXELS_MOST) -> Buried:
    """All copper below the front, and all holes.

    Args:
        board: Already seen from the side that is up.
        texels_most: Bound of a layer's texels for up to four layers, half of it for up to eight; texels are as fine as that
            allows, but not below 15 µm.

    Returns:
        Layers from the front to the back. Copper is absent where there is a hole; its plating is the hole's own.
    """
    x0, y0, x1, y1 = board.outline.bounds
    layers = sorted((a for a in board.layers if a.kind == "copper" and a.side != "front"), key=lambda a: a.index)
    size = max(FINEST, math.sqrt((x1 - x0) * (y1 - y0) * max(math.ceil(len(layers) / 4), 1) / texels_most))
    width, height = (max(1, math.ceil(round(side / size, 6))) for side in (x1 - x0, y1 - y0))
    texels = np.zeros((len(layers), height, width), np.uint8)
    open_ = rasterise([hole(d) for d in board.drills], (x0, y0), size, height, width)
    for k, layer in enumerate(layers):
        texels[k] = times(layer_coverage(layer, (x0, y0), size, height, width), open_)
    texels.setflags(write=False)
    middle, thick = levels(board, [a.index for a in layers])
    return Buried(texels, (x0, y0), size, middle, thick, _holes(board), (x0, y0, x1, y1), _cutouts(board))


def levels(board: Board, indices: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Height of the middle and thickness of the copper layers ``indices`` (front is 0), (L,) each [m].

    From the stack-up, stretched to the board's thickness; evenly spaced where the file has none, or one of other layers.
    """
    count = max([a.index for a in board.layers if a.kind == "copper"], default=0) + 1
    solid = [s for s in board.stackup if s.kind in ("copper", "dielectric")]
    copper = [k for k, s in enumerate(solid) if s.kind == "copper"]
    total = sum(s.thickness for s in solid)
    if len(copper) == count and total > 0.5 * board.thickness and all(solid[k].thickness > 0 for k in copper):
        below = np.cumsum([0.0, *[s.thickness for s in solid]]) * (board.thickness / total)
        rows = [(-(below[k] + below[k + 1]) / 2, solid[k].thickness) for k in copper]
    else:
        thick = [OUTER if k in (0, count - 1) else INNER for k in range(count)]
        rows = [(-(t / 2 + (board.thickness - t) * k / max(count - 1, 1)), t) for k, t in enumerate(thick)]
    table = np.array([rows[i] for i in indices], np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _cutouts(board: Board) -> Mesh:
    """What ``artwork.slab`` leaves out of the outline's bounding box."""
    missing = shapely.set_precision(shapely.difference(shapely.box(*board.outline.bounds), plan(board)), GRID)
    polygons = [p for p in shapely.get_parts(missing) if p.geom_type == "Polygon" and p.area > 0]
    none = np.zeros((0, 3))
    v, n, f = extrude(polygons, board.thickness) if polygons else (none, none, none)
    return Mesh("cutouts", np.asarray(v, np.float32), np.asarray(n, np.float32), np.asarray(f, np.uint32),
                np.full(len(v), index("fr4"), np.uint8), np.full(len(v), PartKind.BOARD, np.uint8))


def _holes(board: Board) -> np.ndarray:
    """Rows of ``Buried.holes``. Of holes drilled at one place the widest stays: each takes its laminate away once."""
    widest: dict[tuple[int, int, int], Drill] = {}
    for drill in board.drills:
        place = (round(drill.x * 1e5), round(drill.y * 1e5), round(drill.length * 1e5))
        if place not in widest or widest[place].diameter < drill.diameter:
            widest[place] = drill
    out = np.zeros((len(widest), 7))
    for row, drill in zip(out, widest.values(), strict=True):
        half = max(drill.length - drill.diameter, 0.0) / 2
        row[:] = (drill.x, drill.y, drill.diameter / 2, half * math.cos(drill.angle), half * math.sin(drill.angle),
                  PLATING if drill.plated or drill.via else 0.0, drill.diameter >= MESHED_HOLE)
    return out


__all__ = ["buried", "levels"]
