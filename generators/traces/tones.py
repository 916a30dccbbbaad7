"""tones: sums of steady cosines, without a cosine per reading."""
from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_BLOCK = 256                                   # [readings] whose phases are computed; between blocks they are turned


def tones(count: int, rate: float, lines: Iterable[tuple[float, float, float]]) -> F64:
    """Σ amplitude · cos(2π·frequency·n / rate + phase), shape (count,).

    Lines are (frequency [Hz], amplitude [any], phase [rad]). cos(a + b) = cos a·cos b − sin a·sin b, with a at the begin of each
    block of readings and b inside a block: one product of two short tables, to the accuracy of double.
    """
    found = np.array(list(lines), np.float64).reshape(-1, 3)
    blocks = -(-count // _BLOCK)
    step, amplitude, phase = 2 * math.pi * found[:, 0] / rate, found[:, 1], found[:, 2]
    begin, inside = np.multiply.outer(np.arange(blocks) * _BLOCK, step) + phase, np.multiply.outer(step, np.arange(_BLOCK))
    left = np.hstack([amplitude * np.cos(begin), -amplitude * np.sin(begin)])
    total: F64 = left @ np.vstack([np.cos(inside), np.sin(inside)])
    return total.ravel()[:count]


__all__ = ["tones"]
