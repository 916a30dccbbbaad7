"""heat: the two states in which an infrared camera meets a unit, and what a unit's temperatures look like to it.

A family makes a ``TemperatureField`` (``Family.heat``), a renderer shows it. The solver is ``scenes.conduction``.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Powered:
    """The unit runs and has reached its steady state. Seen in an air-conditioned room, standing free."""
    air: float = 298.15                        # [K]
    film: float = 10.0                         # [W/(m² K)] natural convection and radiation; 8–12 (domain reference 4.2)
    total: float | None = None                 # [W] of all parts of a healthy unit together; None: the family's rule per part
    supply: float = 3.3                        # [V] what currents are reckoned from
    fault_current: float = 2.0                 # [A] where solder joins two nets: the limit of a bench supply


@dataclass(frozen=True)
class Cooling:
    """The unit comes out of the oven: it leaves the hot zones at one temperature, is cooled in the tunnel, then in the room.

    The defaults are those of ``scenes.smt.oven.Oven``: peak 245 °C, two cooling zones of 30 s with 55 W/(m² K).
    """
    after: float = 20.0                        # [s] since the unit left the tunnel
    air: float = 298.15                        # [K] of the room
    film: float = 10.0                         # [W/(m² K)] in the room
    start: float = 518.15                      # [K] on leaving the hot zones
    tunnel: float = 60.0                       # [s]
    tunnel_air: float = 368.15                 # [K]
    tunnel_film: float = 55.0                  # [W/(m² K)]


@dataclass(frozen=True, eq=False)
class TemperatureField:
    """Temperatures of one unit, ready to be looked at. Board frame [m], kelvin.

    The board is a grid (rows, columns) of cell middles, row 0 at the largest y, defined everywhere (cells without laminate
    take the nearest one's value). A thing with a label id has, at the point p,

        T(p) = mean + clip(gradient · (p − middle), ± |gradient|·reach) + rise · max(0, 1 − (|p − middle| / reach)²)

    which holds a joint's one temperature, a chip's two ends and the warm middle of a package. What has no row has the
    board's temperature under it.
    """
    board: F64                                 # (rows, columns)
    origin: tuple[float, float]                # lower left corner of the grid
    cell: float                                # edge of a cell
    air: float                                 # of the room
    ids: NDArray[np.uint32]                    # (N,) ascending
    mean: F64                                  # (N,)
    gradient: F64                              # (N, 3) [K/m]
    middle: F64                                # (N, 3)
    rise: F64                                  # (N,)
    reach: F64                                 # (N,) > 0

    def of(self, identity: int) -> float:
        """Temperature in the middle of the thing with this id [K]. Raises InputError for one without a row."""
        row = int(np.searchsorted(self.ids, identity))
        if row == len(self.ids) or self.ids[row] != identity:
            raise InputError(f"temperature of id {identity}: no such thing; ids run from {self.ids[:1]} to {self.ids[-1:]}")
        return float(self.mean[row] + self.rise[row])

    def on_board(self, points: F64) -> F64:
        """Board temperature at (…, 2) or (…, 3) points [K], bilinear between cell middles."""
        rows, columns = self.board.shape
        x = np.clip((points[..., 0] - self.origin[0]) / self.cell - 0.5, 0, columns - 1)
        y = np.clip(rows - 0.5 - (points[..., 1] - self.origin[1]) / self.cell, 0, rows - 1)
        i, j = np.minimum(y.astype(np.int64), max(rows - 2, 0)), np.minimum(x.astype(np.int64), max(columns - 2, 0))
        v, u = y - i, x - j
        below, right = np.minimum(i + 1, rows - 1), np.minimum(j + 1, columns - 1)
        t = self.board
        out: F64 = (t[i, j] * (1 - u) + t[i, right] * u) * (1 - v) + (t[below, j] * (1 - u) + t[below, right] * u) * v
        return out

    def at(self, identity: int, points: F64) -> F64:
        """Temperature of one thing at (…, 3) points [K]; the board's where it has no row."""
        row = int(np.searchsorted(self.ids, identity))
        if row == len(self.ids) or self.ids[row] != identity:
            return self.on_board(points)
        away = points - self.middle[row]
        most = float(np.linalg.norm(self.gradient[row]) * self.reach[row])
        along = np.clip(away @ self.gradient[row], -most, most)
        far = (away**2).sum(axis=-1) / self.reach[row]**2
        out: F64 = self.mean[row] + along + self.rise[row] * np.maximum(1 - far, 0)
        return out


__all__ = ["Cooling", "Powered", "TemperatureField"]
