"""cavitation: a pump whose water boils at the blades: band noise that beats with the blades, and head that is lost.

Reports differ (domain reference 5.5), so the model is what they share: noise of 1 … 10 kHz, amplitude-modulated at the
blade-pass frequency, that grows while the cavitation number falls below inception; head falls later, by 3 % at the
number that defines the required suction head. Numbers of intensity are engineering defaults.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfftfreq

from generators.traces.acoustics import shaped_noise
from generators.traces.tones import tones

F64 = NDArray[np.float64]

BAND = (1e3, 10e3)                             # [Hz]


@dataclass(frozen=True)
class Cavitation:
    """How one pump cavitates. Cavitation number σ = (p_suction − p_vapour) / (½·ρ·u²), u the tip speed."""
    inception: float = 0.45                    # [1] σ where the first bubbles are heard
    breakdown: float = 0.20                    # [1] σ where the head has fallen by 3 %
    acceleration: float = 12.0                 # [m/s²] RMS on the casing at breakdown
    depth: float = 0.6                         # [1] of the modulation at the blade-pass frequency


def vapour_pressure(temperature: float) -> float:
    """Of water [Pa] at 1 … 100 °C (Antoine; 3.17 kPa at 25 °C)."""
    return 133.322 * 10 ** (8.07131 - 1730.63 / (233.426 + temperature))


def cavitation_number(suction: float, temperature: float, tip_speed: float, density: float = 998.0) -> float:
    """σ [1] for a suction pressure [Pa absolute], a temperature [°C] and a tip speed [m/s]."""
    return (suction - vapour_pressure(temperature)) / (0.5 * density * tip_speed ** 2)


def intensity(number: float, model: Cavitation) -> float:
    """[1] 0 above inception, 1 at breakdown and below 1.2: the noise grows first, then bubbles cushion it."""
    return min(max((model.inception - number) / (model.inception - model.breakdown), 0.0), 1.2)


def head_factor(number: float, model: Cavitation) -> float:
    """[1] of the head that is left: 0.97 at breakdown, and steeply less below."""
    if number >= model.inception:
        return 1.0
    return max(1 - 0.03 * ((model.inception - number) / (model.inception - model.breakdown)) ** 4, 0.0)


def cavitation_noise(count: int, rate: float, rng: np.random.Generator, number: float, blade_pass: float, phase: float = 0.0,
                     model: Cavitation | None = None) -> F64:
    """Casing acceleration [m/s²], shape (count,), zeros above inception.

    Args:
        count: Of values.
        rate: [Hz]; the band ends at half of it where that is less than 10 kHz, and the noise above is not heard.
        rng: For the noise.
        number: σ.
        blade_pass: [Hz] shaft speed × vanes.
        phase: [rad] of the modulation at the first value.
        model: The pump's.
    """
    model = model or Cavitation()
    strength = intensity(number, model)
    if strength == 0:
        return np.zeros(count)
    frequency = rfftfreq(count, 1 / rate)
    inside = (frequency >= BAND[0]) & (frequency <= BAND[1])
    noise = shaped_noise(count, rate, rng, np.where(inside, (strength * model.acceleration) ** 2 / (BAND[1] - BAND[0]), 0.0))
    beat = 1 + tones(count, rate, [(blade_pass, model.depth, phase)])
    found: F64 = noise * beat / math.sqrt(1 + model.depth ** 2 / 2)       # the modulation adds no power
    return found


__all__ = ["BAND", "Cavitation", "cavitation_noise", "cavitation_number", "head_factor", "intensity", "vapour_pressure"]
