"""Random numbers of every instrument: normals and Poisson counts cut from fixed pools, so that a picture costs no draws.

A pool of 2²⁰ standard normals is drawn once per process and scaled to mean 0 and variance 1 exactly. A picture takes a piece
of it for every band of rows, at a start that its seed decides. Two seeds share a piece at the same place with probability 2e-6
per band.
"""
from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

POOL = 1 << 20
FEW = 20.0                                     # [e⁻] below it counts follow Poisson's law itself; its skewness is 0.22 here
_STEP = 4                                      # tabulated means per electron
_FINE = 1 << 4                                 # … and means between two of them, by mixing both
_CHANCE = 1 << 12                              # quantiles per mean: with the mixing, 16 bits of chance


@lru_cache(maxsize=1)
def normals() -> F32:
    """The pool (POOL,), read only."""
    pool = np.random.Generator(np.random.SFC64(1288)).standard_normal(POOL, dtype=np.float32).astype(np.float64)
    out = ((pool - pool.mean()) / pool.std()).astype(np.float32)
    out.setflags(write=False)
    return out


@lru_cache(maxsize=1)
def _chances() -> NDArray[np.uint16]:
    """The pool's normals as probabilities of being smaller, in 1/65536."""
    from scipy import special  # slow to import, and most pictures have no such dark place

    return np.asarray((special.ndtr(normals()) * 65536).clip(0, 65535), np.uint16)


@lru_cache(maxsize=1)
def _counts() -> NDArray[np.uint8]:
    """Quantiles of Poisson's law for means of 0, 1/4, 2/4 … FEW [e⁻], (…, _CHANCE)."""
    from scipy import special

    mean = np.arange(int(FEW) * _STEP + 2)[:, None] / _STEP
    below = special.pdtr(np.arange(100)[None], mean)                         # P(count ≤ k)
    share = (np.arange(_CHANCE) + 0.5) / _CHANCE
    return np.stack([np.searchsorted(row, share) for row in below]).astype(np.uint8)


def starts(seed: int, bands: int, size: int) -> NDArray[np.int64]:
    """Where in the pool the pieces of ``size`` ≤ POOL/4 begin, (bands, 2), all in its first half; ``other`` has the second."""
    return np.random.Generator(np.random.SFC64(seed)).integers(POOL // 2 - size, size=(bands, 2))


def other(start: int) -> int:
    """A piece that is independent of the one at ``start``."""
    return start + POOL // 2


def few_photons(mean: F32, where: NDArray[np.intp], start: int) -> F32:
    """Poisson counts for means from 0 to FEW [e⁻], to one part in 4096: rarer counts than that are cut off.

    Means lie on a grid of 1/64 e⁻; one between two tabulated means is drawn from either, so that the mean is kept and the
    variance is too large by at most 1/64 e⁻².

    Args:
        mean: (K,).
        where: which places of the piece of the pool that begins at ``start`` they take, (K,).
    """
    chance = _chances()[start:][where]
    level = (mean * np.float32(_STEP * _FINE) + np.float32(0.5)).astype(np.uint16)
    row = level >> 4
    row += chance & 15 < level & 15
    chance >>= 4
    return np.take(_counts().reshape(-1), (row.astype(np.int32) << 12) + chance).astype(np.float32)


__all__ = ["FEW", "POOL", "few_photons", "normals", "other", "starts"]
