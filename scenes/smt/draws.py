"""draws: random numbers of one unit, or of a block of units with a stream each.

A block draws what its units would draw one by one: stream n gives row n, in the same order.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Streams = np.random.Generator | Sequence[np.random.Generator]
"""The stream of one unit, whose draws have no axis before, or those of N units, whose draws have (N, …)."""


def normals(rng: Streams, *shape: int) -> F64:
    """Standard normals, (…, *shape)."""
    if isinstance(rng, np.random.Generator):
        return rng.standard_normal(shape)
    out = np.empty((len(rng), *shape))
    for one, row in zip(rng, out, strict=True):
        one.standard_normal(out=row)
    return out


def uniforms(rng: Streams, *shape: int) -> F64:
    """Uniforms in [0, 1), (…, *shape)."""
    if isinstance(rng, np.random.Generator):
        return rng.random(shape)
    out = np.empty((len(rng), *shape))
    for one, row in zip(rng, out, strict=True):
        one.random(out=row)
    return out


__all__ = ["Streams", "normals", "uniforms"]
