"""normals: standard normals for fast windows, six times faster than the exact ones of numpy.

Sixteen random bits choose one of 65,536 equal shares of the bell, and the share's mean is the number. Variance is 1 exactly;
the fourth moment is 2.9998, the largest number ±4.39 (one in 87,000 is larger in truth). What goes on through a filter or a
Fourier transform is a sum of many of them and normal in the tails as well.
"""
from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

F32 = NDArray[np.float32]

SHARES = 1 << 16


def normals(rng: np.random.Generator, count: int) -> F32:
    """Standard normals, shape (count,), float32, fresh. Takes ⌈count / 4⌉ words of 64 bits from the generator."""
    bits = rng.integers(0, 1 << 64, -(-count // 4), np.uint64).astype("<u8", copy=False).view("<u2")
    found: F32 = _table().take(bits[:count])
    return found


@lru_cache(maxsize=1)
def _table() -> F32:
    """Mean of every share: (φ(a) − φ(b)) · 65,536 between its quantiles a and b; scaled to a variance of 1."""
    edges = ndtri(np.linspace(0.0, 1.0, SHARES + 1))
    density = np.exp(-np.square(edges) / 2) / np.sqrt(2 * np.pi)
    means = (density[:-1] - density[1:]) * SHARES
    means = (means - means[::-1]) / 2                                      # as symmetric as it is on paper
    found = (means / np.sqrt(np.mean(means ** 2))).astype(np.float32)
    found.flags.writeable = False
    return found


__all__ = ["SHARES", "normals"]
