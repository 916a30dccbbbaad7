"""References: what every window of a layout looks like on good units, and how a unit is brought to the same light.

A unit under a dimmer lamp or a warmer camera differs everywhere from the reference. One gain and one offset per colour
channel, fitted robustly over the whole unit, take that away; what is left is local. The spread of the good crops says
how much a difference means there: much on a bare land, little on a printed lot code.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_bridge.layout import CROP

POOL = 4                   # cells per crop side that the light is fitted on
ROUNDS = 3                 # of reweighting
FLOOR = 5.0                # least spread [grey levels]: camera noise and rounding
CLIP = 8.0                 # deviations are cut at this many spreads
CHANNELS = 9               # crop, reference, deviation; three colours each

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class References:
    """Mean and spread of good crops [grey levels, 0 to 255], both float32 (L, CROP, CROP, 3)."""
    mean: F32
    spread: F32

    def pooled(self) -> F32:
        """Mean per cell, (L, POOL, POOL, 3)."""
        return pool(self.mean)


def pool(crops: NDArray[Any]) -> F32:
    """Crops (N, CROP, CROP, 3) → means of POOL × POOL cells (N, POOL, POOL, 3)."""
    step = CROP // POOL
    return np.asarray(crops.reshape(len(crops), POOL, step, POOL, step, 3).mean(axis=(2, 4), dtype=np.float32))


def light(cells: F32, reference: F32) -> F32:
    """Gain and offset per channel that bring a unit's cells to the reference's, (2, 3): reference ≈ gain · cell + offset.

    Iteratively reweighted least squares with Cauchy weights: a defect or a wrong part does not pull it.
    A channel without contrast gets gain 1. Windows that were not seen are NaN in ``cells`` and take no part.
    """
    seen = np.isfinite(cells[:, 0, 0, 0])
    cells, reference = cells[seen], reference[seen]
    result = np.empty((2, 3), np.float32)
    for c in range(3):
        x, y = cells[..., c].ravel().astype(np.float64), reference[..., c].ravel().astype(np.float64)
        weight = np.ones_like(x)
        gain, offset = 1.0, 0.0
        for _ in range(ROUNDS):
            total = weight.sum()
            mx, my = (weight * x).sum() / total, (weight * y).sum() / total
            spread = (weight * (x - mx) ** 2).sum()
            gain = float((weight * (x - mx) * (y - my)).sum() / spread) if spread > 1e-6 * total else 1.0
            gain = min(max(gain, 0.25), 4.0)
            offset = float(my - gain * mx)
            rest = y - gain * x - offset
            scale = 1.4826 * np.median(np.abs(rest)) + 1.0
            weight = 1 / (1 + (rest / (2 * scale)) ** 2)
        result[:, c] = gain, offset
    return result


def learn(crops: U8, unit: NDArray[np.int64], window: NDArray[np.int64], cells: F32, count: int) -> tuple[References, F32]:
    """References from good crops, and the light of every unit.

    Args:
        crops: Good crops of training units, (N, CROP, CROP, 3).
        unit: Row of ``cells`` that each crop belongs to, (N,).
        window: Window of each crop, (N,).
        cells: Pooled crops of all units, good or bad, (U, L, POOL, POOL, 3); NaN where a window was not seen.
        count: Number of windows L.

    Returns:
        The references, and gain and offset per unit, (U, 2, 3). A window never seen good keeps the mean of all units'
        cells blown up and the spread of the whole, so that it says little.
    """
    first = np.nan_to_num(np.nanmedian(cells, axis=0))
    lights = np.stack([light(c, first) for c in cells]) if len(cells) else np.empty((0, 2, 3), np.float32)
    step = CROP // POOL
    mean = np.repeat(np.repeat(first, step, axis=1), step, axis=2).astype(np.float32)
    spread = np.full_like(mean, 255 / CLIP)
    for k in range(count):
        rows = np.flatnonzero(window == k)
        if len(rows) < 2:
            continue
        lit = crops[rows].astype(np.float32)
        lit *= lights[unit[rows], 0][:, None, None]
        lit += lights[unit[rows], 1][:, None, None]
        mean[k] = lit.mean(axis=0)
        spread[k] = lit.std(axis=0)
    return References(mean, spread), lights


__all__ = ["CHANNELS", "CLIP", "FLOOR", "POOL", "References", "learn", "light", "pool"]
