"""structure: how a machine answers forces: a sum of modes, for steady tones, for impacts and for noise.

Directions are horizontal, vertical, axial: (3,). A mode moves along its ``shape``; a force F gives it the generalised force
shape · F, so the receptance is H(ω) = Σ shape shapeᵀ / (m (ω_n² − ω² + 2 j ζ ω_n ω)) [m/N].
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from generators.traces.kept import frequencies, kept

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
C64 = NDArray[np.complex64]
C128 = NDArray[np.complex128]

HORIZONTAL, VERTICAL, AXIAL = 0, 1, 2
RUN_UP = 0.05                                  # [s] before a window from which impacts may still ring inside it
CONTACT = 50e-6                                # [s] of a strike: Hertz, 8 mm steel ball on steel at some 0.05 m/s
TAPS = 16                                      # [readings] over which an impact between two readings is spread


@dataclass(frozen=True)
class Mode:
    """One resonance as the sensor's place knows it."""
    frequency: float                           # [Hz] undamped
    damping: float                             # [1] ζ
    mass: float                                # [kg] modal, at the place of the sensor
    shape: tuple[float, float, float] = (1.0, 1.0, 0.3)     # [1] horizontal, vertical, axial


def receptance(modes: Sequence[Mode], frequency: F64) -> C128:
    """Displacement per force [m/N] at frequencies [Hz] of shape (…): (…, 3, 3)."""
    omega = 2 * np.pi * np.asarray(frequency, np.float64)[..., None, None]
    total = np.zeros((*np.shape(frequency), 3, 3), np.complex128)
    for mode in modes:
        own, shape = 2 * math.pi * mode.frequency, np.array(mode.shape)
        total += np.outer(shape, shape) / (mode.mass * (own ** 2 - omega ** 2 + 2j * mode.damping * own * omega))
    return total


def accelerance(modes: Sequence[Mode], frequency: F64, force: C128) -> C128:
    """Acceleration amplitude [m/s²], (K, 3), of force amplitudes [N], (K, 3), at frequencies [Hz], (K,): −ω² H(ω) F."""
    shape = np.array([m.shape for m in modes])                             # (M, 3)
    own = 2 * np.pi * np.array([m.frequency for m in modes])
    mass, damping = np.array([m.mass for m in modes]), np.array([m.damping for m in modes])
    omega = 2 * np.pi * np.asarray(frequency, np.float64)[:, None]
    moved = (force @ shape.T) / (mass * (own ** 2 - omega ** 2 + 2j * damping * own * omega))
    found: C128 = -(omega ** 2) * (moved @ shape)
    return found


def strike(drive: F32, times: F64, impulses: F64, rate: float) -> None:
    """Add impacts at any times [s] to a drive [N s per reading], band-limited: a windowed sinc each. Those outside are lost."""
    at = times * rate
    whole = np.floor(at)
    first = whole.astype(np.intp) - TAPS // 2 + 1
    inside = (first >= 0) & (first + TAPS <= len(drive))
    step = np.arange(1 - TAPS // 2, TAPS // 2 + 1)                         # of each tap from the reading before the impact
    turn, late = 2 * np.pi / TAPS, np.maximum(at - whole, 1e-9)[inside]
    # sin(π(late − step)) is ± sin(π·late), and cos² half a cosine of the double: two sines per impact, not two per tap
    size = impulses[inside] * np.sin(np.pi * late) / np.pi
    window = 0.5 + 0.5 * (np.outer(np.cos(turn * late), np.cos(turn * step)) + np.outer(np.sin(turn * late), np.sin(turn * step)))
    weight = window * np.where(step % 2, -1.0, 1.0) / (late[:, None] - step) * size[:, None]
    np.add.at(drive, first[inside, None] + np.arange(TAPS), weight.astype(np.float32))


def answer(modes: tuple[Mode, ...], along: tuple[float, float, float], drive: F32, rate: float,
           directions: tuple[int, ...], contact: float = CONTACT) -> F32:
    """Acceleration after impulses: Σ J (ω_n / m) e^(−ζ ω_n t) sin(ω_d t) per mode, the s(t) of the impulse model, and
    the push itself.

    Worked in the frequency domain: what rings beyond the end comes in at the beginning, so a caller gives a run-up and cuts
    it off.

    Args:
        along: Direction of the force.
        drive: (N,) [N s] impulse at each reading.
        rate: [Hz].
        directions: To be known.
        contact: [s] that a strike lasts.

    Returns:
        (D, N) [m/s²].
    """
    found: F32 = fft.irfft(lines(modes, along, drive, rate, directions, contact), padded(len(drive)), axis=1)[:, :len(drive)]
    return found


def lines(modes: tuple[Mode, ...], along: tuple[float, float, float], drive: F32, rate: float, directions: tuple[int, ...],
          contact: float = CONTACT) -> C64:
    """Spectrum of :func:`answer`, (D, padded(N) // 2 + 1)."""
    count = padded(len(drive))
    found: C64 = transfer(count, rate, modes, along, directions, contact) * fft.rfft(drive, count)
    return found


def padded(count: int) -> int:
    """A length not shorter that transforms quickly."""
    return int(fft.next_fast_len(count, real=True))


@kept
def transfer(count: int, rate: float, modes: tuple[Mode, ...], along: tuple[float, float, float],
             directions: tuple[int, ...], contact: float = CONTACT) -> C64:
    """(D, count // 2 + 1) spectrum of the answer to one impulse of 1 N s, a half sine as long as a contact, as sampled."""
    frequency = frequencies(count, rate)
    omega = 2 * np.pi * frequency
    total = np.zeros((len(directions), len(omega)), np.complex128)
    for mode in modes:
        own, shape = 2 * math.pi * mode.frequency, np.array(mode.shape)
        gain = float(shape @ np.array(along)) / mode.mass
        total += np.outer(shape[list(directions)], gain / (own ** 2 - omega ** 2 + 2j * mode.damping * own * omega))
    x = 2 * frequency * contact
    pulse = np.where(np.abs(x - 1) < 1e-6, math.pi / 4, np.cos(math.pi / 2 * x) / np.where(x == 1, 1, 1 - x ** 2))
    return (-rate * omega ** 2 * pulse * total).astype(np.complex64)


__all__ = ["AXIAL", "HORIZONTAL", "RUN_UP", "VERTICAL", "Mode", "accelerance", "answer", "lines", "padded", "receptance",
           "strike", "transfer"]
