"""References: what every window of a layout looks like on a good unit *of this look, in this light*.

Lamps age, lacquer comes in other greens, finishes differ; all of it changes every window of a unit together. So the
golden reference is not one picture but a small linear family of them: a mean and R directions, learned from good
training crops. A unit's coordinates in it are fitted robustly over the whole unit, and its own golden reference follows
for every window. What is left is local. The spread of that rest over good units says how much a difference means:
much on a bare land, little on a printed lot code.

Shapes: L windows, R directions, U units. Grey levels 0 to 255.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_bridge.layout import CROP

POOL = 4                   # cells per crop side that a unit's coordinates are fitted on
RANK = 12                  # directions R, fewer on small datasets
UNITS_PER_RANK = 8         # training units that each direction needs
ROUNDS = 4                 # of reweighting
FLOOR = 5.0                # least spread that a deviation is divided by: camera noise and rounding
CLIP = 8.0                 # deviations are cut at this many spreads
CHANNELS = 9               # crop, reference, deviation; three colours each
CELL_FLOOR = 2.0           # least spread of a cell
SALIENCE = 4               # scales at which a crop's strongest deviation is measured: 1, 2, 4 and 8 px
SALIENCE_FLOOR = 0.05      # least spread of its logarithm
SELDOM = 6                 # good crops that a window's own statistics need
CAUCHY = 2.0               # cells further than this many spreads off lose their say
SHRINK = 1e-3              # ridge on a unit's coordinates, which have unit variance

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class References:
    """The golden family."""
    mean: F32                                  # (L, 3, CROP, CROP)
    basis: F32                                 # (R, L, 3, CROP, CROP) per unit of a coordinate
    spread: F32                                # (L, 3, CROP, CROP) of the rest over good units
    cell_spread: F32                           # (L, 3, POOL, POOL) the same for cell means
    usual: F32                                 # (L, 2, SALIENCE) mean and spread of the log salience of good crops

    def cells(self) -> tuple[F32, F32]:
        """Mean and basis of the cells, (L, 3, POOL, POOL) and (R, L, 3, POOL, POOL)."""
        basis = pool(self.basis.reshape(-1, 3, CROP, CROP))
        return pool(self.mean), basis.reshape(len(self.basis), len(self.mean), 3, POOL, POOL)

    def golden(self, coordinates: F32, windows: I64) -> F32:
        """This unit's golden reference in these windows (N,), in ascending order, (N, 3, CROP, CROP)."""
        shown = coordinates @ self.basis.reshape(len(self.basis), self.mean.size)
        shown += self.mean.ravel()
        every = shown.reshape(self.mean.shape)
        return every if len(windows) == len(every) else every[windows]


def pool(crops: NDArray[Any]) -> F32:
    """Crops (N, 3, CROP, CROP) → means of POOL × POOL cells (N, 3, POOL, POOL)."""
    step = CROP // POOL
    if crops.dtype == np.uint8:                # sums of bytes are exact, and a third of the time
        rows = crops.reshape(len(crops), 3, POOL, step, CROP).sum(axis=3, dtype=np.uint16)
        sums = rows.reshape(len(crops), 3, POOL, POOL, step).sum(axis=4, dtype=np.uint32)
        return sums.astype(np.float32) / np.float32(step * step)
    return np.asarray(crops.reshape(len(crops), 3, POOL, step, POOL, step).mean(axis=(3, 5), dtype=np.float32))


def coordinates(cells: F32, mean: F32, basis: F32, spread: F32) -> F32:
    """A unit's coordinates in the golden family, (R,), by iteratively reweighted least squares with Cauchy weights.

    Args:
        cells: The unit's cells (L, 3, POOL, POOL); NaN where a window was not seen.
        mean: (L, 3, POOL, POOL).
        basis: (R, L, 3, POOL, POOL).
        spread: (L, 3, POOL, POOL).

    A defect, a wrong part or a hand in the picture does not pull it: what does not fit loses its say.
    """
    if not len(basis):
        return np.zeros(0, np.float32)
    seen = np.isfinite(cells)
    scale = np.maximum(spread[seen], CELL_FLOOR).astype(np.float64)
    target = (cells - mean)[seen] / scale
    design = basis[:, seen].T / scale[:, None]                                   # (cells, R)
    found: NDArray[np.floating[Any]] = np.zeros(len(basis))
    weight = np.ones_like(target)
    for _ in range(ROUNDS):
        weighted = design * weight[:, None]
        found = np.linalg.solve(weighted.T @ design + SHRINK * len(target) * np.eye(len(basis)), weighted.T @ target)
        rest = target - design @ found
        width = CAUCHY * max(1.4826 * float(np.median(np.abs(rest))), 0.5)
        weight = 1 / (1 + (rest / width) ** 2)
    return found.astype(np.float32)


def learn(crops: U8, unit: I64, window: I64, cells: F32, good: NDArray[np.bool_]) -> tuple[References, F32]:
    """The golden family from good crops of training units, and the coordinates of every unit.

    Args:
        crops: Good crops of training units, (N, 3, CROP, CROP).
        unit: Row of ``cells`` that each crop belongs to, (N,).
        window: Window of each crop, (N,).
        cells: Cells of all units, (U, L, 3, POOL, POOL); NaN where a window was not seen.
        good: (U, L) training unit and nothing wrong in this window.

    Returns:
        The family, and coordinates (U, R). A window that was never seen good has the mean of whatever was seen, and a
        spread that lets nothing stand out.
    """
    count, rank = cells.shape[1], min(RANK, int(good.any(axis=1).sum()) // UNITS_PER_RANK)
    flat = np.where(good[:, :, None, None, None], cells, np.nan).reshape(len(cells), -1)
    seen = np.isfinite(cells).any(axis=0).ravel()
    any_good = np.isfinite(flat).any(axis=0)
    first = np.zeros(flat.shape[1])
    first[seen] = np.nanmean(cells.reshape(len(cells), -1)[:, seen], axis=0)
    first[any_good] = np.nanmean(flat[:, any_good], axis=0)
    teach = good.any(axis=1)
    rest = np.nan_to_num(flat[teach] - first)
    left, sizes, right = np.linalg.svd(rest, full_matrices=False)
    scale = sizes[:rank] / np.sqrt(len(rest))
    directions = (right[:rank] * scale[:, None]).astype(np.float32)
    remains = rest - (left[:, :rank] * sizes[:rank]) @ right[:rank]
    shape = cells.shape[1:]
    cell_spread = np.sqrt((remains ** 2).sum(axis=0) / np.maximum(np.isfinite(flat[teach]).sum(axis=0) - rank - 1, 1))
    cell_spread = cell_spread.reshape(shape).astype(np.float32)
    mean_cells, basis_cells = first.reshape(shape).astype(np.float32), directions.reshape(rank, *shape)
    found = np.stack([coordinates(c, mean_cells, basis_cells, cell_spread) for c in cells])
    references = _blown_up(crops, unit, window, found, mean_cells, cell_spread, count)
    own = references.cells()
    return references, np.stack([coordinates(c, *own, cell_spread) for c in cells])       # as inspection will find them


def _blown_up(crops: U8, unit: I64, window: I64, found: F32, mean_cells: F32, cell_spread: F32, count: int) -> References:
    """Regress every pixel of every window on the units' coordinates."""
    rank, step = found.shape[1], CROP // POOL
    mean = np.repeat(np.repeat(mean_cells, step, axis=2), step, axis=3)
    basis = np.zeros((rank, *mean.shape), np.float32)
    spread = np.full_like(mean, 255.0)
    for k in range(count):
        rows = np.flatnonzero(window == k)
        if len(rows) < 2:
            continue
        design = np.column_stack([np.ones(len(rows), np.float32), found[unit[rows]]])
        if len(rows) < 2 * design.shape[1]:
            design = design[:, :1]                                               # too few: a plain mean
        seen = crops[rows].reshape(len(rows), -1).astype(np.float32)
        gram = design.T @ design + np.diag([0.0, *[1.0] * (design.shape[1] - 1)]).astype(np.float32)
        fitted = np.linalg.solve(gram, design.T @ seen)
        mean[k] = fitted[0].reshape(mean.shape[1:])
        basis[:len(fitted) - 1, k] = fitted[1:].reshape(-1, *mean.shape[1:])
        seen -= design @ fitted
        spread[k] = np.sqrt((seen ** 2).sum(axis=0) / max(len(rows) - len(fitted), 1)).reshape(mean.shape[1:])
    return References(mean, basis, spread, cell_spread, np.tile(np.array([[0.0], [1.0]], np.float32), (count, 1, SALIENCE)))


def usual(log_salience: F32, window: I64, count: int) -> F32:
    """Mean and spread per window of the log salience of good crops, (L, 2, SALIENCE); seen seldom means everyone's."""
    found = np.empty((count, 2, SALIENCE), np.float32)
    for k in range(count):
        mine = log_salience[window == k]
        mine = mine if len(mine) >= SELDOM else log_salience
        found[k] = mine.mean(axis=0), mine.std(axis=0) + SALIENCE_FLOOR
    return found


__all__ = ["CHANNELS", "CLIP", "FLOOR", "POOL", "RANK", "SALIENCE", "References", "coordinates", "learn", "pool", "usual"]
