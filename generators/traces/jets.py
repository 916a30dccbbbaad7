"""jets: the hiss of an air leak: a turbulent jet, mostly above hearing.

Stream power ½·ṁ·U² times an efficiency η = 1e-4·M⁵ (Lighthill's law; M and U end at the speed of sound in the hole: an
engineering default on the quiet side). The spectrum peaks at f = 0.2·U / diameter with a density ∝ x² / (1 + x²)², x = f / peak
(engineering default: rises with f², falls with f⁻²), so the share below a frequency is (2/π)·(atan x − x / (1 + x²)).
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generators.traces.acoustics import AIR_DENSITY, SOUND_SPEED, free_field_level, power_level, shaped_noise
from generators.traces.kept import frequencies
from generators.traces.pneumatics import ATMOSPHERE, flow, mass_flow, orifice_of_hole

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

STROUHAL, EFFICIENCY, GAMMA = 0.2, 1e-4, 1.4
ULTRASONIC = (38e3, 42e3)                      # [Hz] band of a leak detector
ABSORPTION = 1.3                               # [dB/m] of air at 40 kHz, 20 °C, 50 % humidity (ISO 9613-1)


@dataclass(frozen=True)
class Jet:
    """Air that leaves a hole."""
    diameter: float                            # [m]
    pressure: float                            # [Pa] before it, absolute

    @property
    def mach(self) -> float:
        """[1] in the hole, 1 where it is choked."""
        ratio = max(self.pressure / ATMOSPHERE, 1.0)
        return min(math.sqrt(2 / (GAMMA - 1) * (ratio ** ((GAMMA - 1) / GAMMA) - 1)), 1.0)

    @property
    def speed(self) -> float:
        """[m/s] in the hole."""
        return self.mach * SOUND_SPEED / math.sqrt(1 + (GAMMA - 1) / 2 * self.mach ** 2)

    @property
    def volume_flow(self) -> float:
        """[m³/s ANR]"""
        return float(flow(orifice_of_hole(self.diameter), self.pressure, ATMOSPHERE))

    @property
    def power(self) -> float:
        """Sound power [W]."""
        return EFFICIENCY * self.mach ** 5 * 0.5 * mass_flow(self.volume_flow) * self.speed ** 2

    @property
    def peak(self) -> float:
        """[Hz] of the greatest density."""
        return STROUHAL * self.speed / self.diameter


def share_below(frequency: float, peak: float) -> float:
    """[1] of the sound power below a frequency [Hz]."""
    x = frequency / peak
    return 2 / math.pi * (math.atan(x) - x / (1 + x * x))


def ultrasonic_level(jet: Jet, distance: float, band: tuple[float, float] = ULTRASONIC) -> float:
    """Sound pressure level [dB] in a band [Hz] at a distance [m], air absorption included; −inf without a jet."""
    if jet.power <= 0:
        return -math.inf
    share = share_below(band[1], jet.peak) - share_below(band[0], jet.peak)
    return free_field_level(power_level(jet.power * share), distance) - ABSORPTION * distance


def density(jet: Jet, frequency: F64) -> F64:
    """Power density [1/Hz] at frequencies [Hz], shape as given, of a jet of power 1."""
    x2 = np.square(frequency / jet.peak)
    found: F64 = 4 / (math.pi * jet.peak) * x2 / np.square(1 + x2)
    return found


def jet_source(jet: Jet, count: int, rate: float, rng: np.random.Generator) -> F32:
    """The hiss as a source [Pa at 1 m], shape (count,): the part of it below half the rate."""
    if jet.power <= 0:
        return np.zeros(count, np.float32)
    mean_square = AIR_DENSITY * SOUND_SPEED * jet.power / (4 * math.pi)
    return shaped_noise(count, rate, rng, mean_square * density(jet, frequencies(count, rate)))


__all__ = ["ABSORPTION", "ULTRASONIC", "Jet", "density", "jet_source", "share_below", "ultrasonic_level"]
