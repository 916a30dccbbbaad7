"""tones: sums of steady cosines, without a cosine per reading."""
from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_BLOCK = 512                                   # [readings] whose phases are computed; between blocks they are turned


def tones(count: int, rate: float, lines: Iterable[tuple[float, float, float]]) -> F64:
    """Σ amplitude · cos(2π·frequency·n / rate + phase), shape (count,).

    Lines are (frequency [Hz], amplitude [any], phase [rad]). cos(a + b) = cos a·cos b − sin a·sin b, with a at the begin of each
    block of readings and b inside a block: products of two short tables, to the accuracy of double.
    """
    blocks = -(-count // _BLOCK)
    total, part = np.zeros((blocks, _BLOCK)), np.empty((blocks, _BLOCK))
    for frequency, amplitude, phase in lines:
        step = 2 * math.pi * frequency / rate
        begin, inside = phase + step * _BLOCK * np.arange(blocks), step * np.arange(_BLOCK)
        total += np.multiply.outer(amplitude * np.cos(begin), np.cos(inside), out=part)
        total -= np.multiply.outer(amplitude * np.sin(begin), np.sin(inside), out=part)
    return total.ravel()[:count]


__all__ = ["tones"]
