"""turning: how a shaft turns, and what repeats with it.

A turning is a function of time, not of readings: whoever asks, at whatever rate, sees the same shaft. What is locked to a shaft
repeats every two turns (looseness has half orders), so its steady answer is one table over two turns, looked up at the angle.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
C64 = NDArray[np.complex64]
C128 = NDArray[np.complex128]

RIPPLES = 3                                    # tones of which the speed's ripple is made
STEP = 5e-3                                    # [s] between knots, over which a speed is held
FINE = 64                                      # [values] at least per period in a table: 0.1 % by linear interpolation
SMALLEST = 1 << 11                             # [values] in a table of two turns
BLOCK = 1 << 14                                # [readings] worked on at once: stays in the cache


@dataclass(frozen=True, eq=False)
class Turning:
    """A shaft at its mean speed, rippling by a few slow tones."""
    speed: float                               # [Hz]
    phase: float                               # [rad] at time 0
    tone: F64                                  # (RIPPLES, 1) [Hz]
    start: F64                                 # (RIPPLES, 1) [rad]
    swing: float                               # [1] speed ripple RMS over the mean

    def turns(self, time: F64) -> F64:
        """[1] at times [s], (K,); phase / 2π at time 0."""
        size = self.speed * self.swing * math.sqrt(2 / RIPPLES) / (2 * math.pi * self.tone)
        ripple = (size * (np.sin(2 * math.pi * self.tone * time + self.start) - np.sin(self.start))).sum(axis=0)
        found: F64 = self.phase / (2 * math.pi) + self.speed * time + ripple
        return found

    def knots(self, before: float, seconds: float) -> tuple[F64, F64]:
        """(K,) times [s] from ``before`` time 0 to ``seconds``, and the turns then. The same times for every rate."""
        time: F64 = np.arange(-math.ceil(before / STEP), math.ceil(seconds / STEP - 1e-6) + 1, dtype=np.float64) * STEP
        return time, self.turns(time)

    def at(self, rate: float, count: int, size: int) -> F64:
        """Steps of a table of ``size`` values over two turns at readings 0 … count − 1, (count,), never negative."""
        held = 1 << max(int(math.log2(STEP * rate)), 4)                    # readings between knots of about that distance
        time: F64 = np.arange(-(-count // held) + 1, dtype=np.float64) * (held / rate)
        own = (self.turns(time) + 2) * (size / 2)                          # two turns more: it may ripple below 0
        found = np.multiply.outer((own[1:] - own[:-1]) / held, np.arange(held, dtype=np.float64))
        found += own[:-1, None]
        return found.reshape(-1)[:count]


def turning(speed: float, phase: float, ripple: float, rng: np.random.Generator) -> Turning:
    """A shaft whose speed [Hz] ripples by ``ripple`` [1] RMS at 0.3 to 6 Hz. Always the same number of draws."""
    tone, start = rng.uniform(0.3, 6.0, (RIPPLES, 1)), rng.uniform(0, 2 * math.pi, (RIPPLES, 1))
    return Turning(speed, phase, tone, start, ripple)


def add_locked(out: F32, orders: F64, answers: C128, way: Turning, rate: float) -> None:
    """Add what repeats with the shaft: Σ Re(answer · e^(j·order·θ)).

    Args:
        out: (D, N), added to.
        orders: (K,) multiples of ½, none of them twice.
        answers: (K, D) amplitudes in every direction.
        way: The shaft.
        rate: [Hz] of the readings.
    """
    if not len(orders):
        return
    half = np.rint(2 * orders).astype(np.intp)
    size = max(SMALLEST, 1 << int(FINE * half.max() - 1).bit_length())
    spectrum = np.zeros((len(out), size // 2 + 1), np.complex64)
    spectrum[:, half] = answers.T * (size / 2)
    table = fft.irfft(spectrum, size, axis=1)
    pairs = np.empty(table.shape, np.complex64)                            # value and slope: one look-up for both
    pairs.real = table
    pairs.imag[:, :-1] = table[:, 1:] - table[:, :-1]
    pairs.imag[:, -1] = table[:, 0] - table[:, -1]
    angle = way.at(rate, out.shape[1], size)
    for begin in range(0, out.shape[1], BLOCK):
        at = angle[begin:begin + BLOCK]
        index = at.astype(np.intp)
        share = (at - index).astype(np.float32)
        index &= size - 1
        for row, pair in zip(out, pairs, strict=True):
            found, part = pair.take(index), row[begin:begin + BLOCK]
            part += found.real
            part += found.imag * share


__all__ = ["Turning", "add_locked", "turning"]
