"""heat_board: a board as a plate that conducts heat: its copper, layer by layer, on a coarse grid. Once per product."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from shapely.geometry.base import BaseGeometry

from scenes.board.model import Board, Layer
from scenes.board.raster import rasterise
from scenes.errors import SceneError
from scenes.materials import TABLE, Material, index

F64 = NDArray[np.float64]

CELL = 0.5e-3                                  # [m] finest cell; spreading within one is added in closed form
CELLS_MOST = 3000                              # of a whole board: 10 ms to factorise
FINE = 4                                       # raster texels per cell and axis
COPPER_THICKNESS = 35e-6                       # [m] where the file has no stack-up
CONNECTED = 1.5                                # exponent of the copper share, see ``Plate``


@dataclass(frozen=True, eq=False)
class Plate:
    """A board as square cells, (rows, columns) each, row 0 at the largest y, and everything that belongs to a cell.

    ``sheet`` is conductivity times thickness [W/K], all layers in parallel. A layer with the copper share f counts with
    k·t·f^1.5: straight tracks carry k·t·f along and nothing across, a plane with round clearances k·t·f² (differential
    effective medium in two dimensions); real artwork lies between.
    """
    solid: NDArray[np.bool_]
    sheet: F64
    capacity: F64                              # [J/(m² K)]
    origin: tuple[float, float]                # lower left corner [m]
    cell: float                                # [m]
    nearest: NDArray[np.int64]                 # (2, rows, columns): row and column of the nearest solid cell

    def cell_at(self, x: F64, y: F64) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and column of the solid cell that is nearest to each point."""
        rows, columns = self.solid.shape
        j = np.clip(np.floor((x - self.origin[0]) / self.cell), 0, columns - 1).astype(np.int64)
        i = np.clip(rows - 1 - np.floor((y - self.origin[1]) / self.cell), 0, rows - 1).astype(np.int64)
        return self.nearest[0][i, j], self.nearest[1][i, j]


def plate(board: Board, materials: Sequence[Material] = TABLE) -> Plate:
    """Rasterise the outline and every copper layer. Raises SceneError for an outline without area."""
    x0, y0, x1, y1 = board.outline.bounds
    if not (x1 > x0 and y1 > y0):
        raise SceneError(f"{board.source}: the outline encloses nothing; draw it as closed lines on Edge.Cuts")
    cell = max(CELL, math.sqrt((x1 - x0) * (y1 - y0) / CELLS_MOST))
    rows, columns = (max(1, math.ceil(round(side / cell, 6))) for side in (y1 - y0, x1 - x0))

    def share(shapes: Sequence[BaseGeometry]) -> F64:
        fine = rasterise(shapes, (x0, y0), cell / FINE, rows * FINE, columns * FINE)
        return fine.reshape(rows, FINE, columns, FINE).mean(axis=(1, 3)) / 255.0

    laminate, fr4, copper = share([board.outline]), materials[index("fr4")], materials[index("copper")]
    layers = sorted((a for a in board.layers if a.kind == "copper"), key=lambda a: a.index)
    known = [s.thickness for s in board.stackup if s.kind == "copper"]
    sheet = fr4.conductivity * board.thickness * laminate
    capacity = fr4.density * fr4.specific_heat * board.thickness * laminate
    for number, layer in enumerate(layers):
        thickness = (known[number] if number < len(known) else 0.0) or COPPER_THICKNESS
        covered = np.minimum(_painted(layer, share), laminate)
        sheet = sheet + copper.conductivity * thickness * covered**CONNECTED
        capacity = capacity + copper.density * copper.specific_heat * thickness * covered
    solid = laminate >= min(0.5, float(laminate.max()))
    floor = 0.5 * fr4.conductivity * board.thickness
    nearest = distance_transform_edt(~solid, return_distances=False, return_indices=True).astype(np.int64)
    return Plate(solid, np.maximum(sheet, floor), np.maximum(capacity, 1.0), (float(x0), float(y0)), cell, nearest)


def _painted(layer: Layer, share: Callable[[Sequence[BaseGeometry]], F64]) -> F64:
    """Share of a layer per cell: runs of dark shapes add, runs of clear ones take away from what came before."""
    out, start = share([]), 0
    while start < len(layer.shapes):
        end = start
        while end < len(layer.shapes) and layer.dark[end] == layer.dark[start]:
            end += 1
        run = share([s for s in layer.shapes[start:end] if not s.is_empty])
        out = 1 - (1 - out) * (1 - run) if layer.dark[start] else out * (1 - run)
        start = end
    return out


__all__ = ["CELL", "Plate", "plate"]
