"""zones: vibration severity by the standards: velocity RMS between 10 and 1000 Hz, and the zones A to D.

A: as new; B: fit for long operation; C: fit until the next stop; D: damaging. The limits of ISO 10816-1 agree between all
sources. Those of ISO 20816-3 (once 10816-3) are from memory of a paywalled standard, and web copies contradict each other:
buy the standard and pass your own limits to ``zone`` (domain reference 5.8). Not a substitute for either.
"""
from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError

Limits = tuple[float, float, float]            # [m/s] A/B, B/C, C/D

ISO_10816_1: dict[str, Limits] = {             # by class of machine: I to 15 kW, II medium, III large stiff, IV large soft
    "I": (0.71e-3, 1.8e-3, 4.5e-3), "II": (1.12e-3, 2.8e-3, 7.1e-3),
    "III": (1.8e-3, 4.5e-3, 11.2e-3), "IV": (2.8e-3, 7.1e-3, 18e-3),
}
ISO_20816_3: dict[str, Limits] = {             # by group and support; group 1 above 300 kW, group 2 15 to 300 kW
    "1 rigid": (2.3e-3, 4.5e-3, 7.1e-3), "1 flexible": (3.5e-3, 7.1e-3, 11.0e-3),
    "2 rigid": (1.4e-3, 2.8e-3, 4.5e-3), "2 flexible": (2.3e-3, 4.5e-3, 7.1e-3),
}
BAND = (10.0, 1000.0)                          # [Hz]


def velocity_rms(acceleration: NDArray[Any], rate: float, band: tuple[float, float] = BAND) -> float:
    """Velocity RMS [m/s] in a band [Hz] of an acceleration [m/s²], (N,), at ``rate`` [Hz]; at least 0.5 s for 10 Hz.

    Integrated in the spectrum under a Hann window, which keeps what is below the band from leaking into it.
    """
    count = len(acceleration)
    if count * band[0] < 5 * rate:
        raise InputError(f"velocity_rms: {count / rate:g} s are too short for {band[0]:g} Hz; give {5 / band[0]:g} s or more")
    window = np.hanning(count + 1)[:-1]
    spectrum = np.fft.rfft((acceleration - np.mean(acceleration)) * window)
    frequency = np.fft.rfftfreq(count, 1 / rate)
    inside = (frequency >= band[0]) & (frequency <= band[1])
    power = np.sum(np.abs(spectrum[inside] / (2 * np.pi * frequency[inside])) ** 2)
    return math.sqrt(2 * float(power) / (count * float(np.sum(window ** 2))))


def zone(velocity: float, limits: Limits = ISO_10816_1["I"]) -> str:
    """The zone, "A" to "D", of a velocity RMS [m/s]. A value on a limit is still in the better zone."""
    return "ABCD"[sum(velocity > limit for limit in limits)]


__all__ = ["BAND", "ISO_10816_1", "ISO_20816_3", "velocity_rms", "zone"]
