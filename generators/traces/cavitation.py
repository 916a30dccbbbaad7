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
from scipy.fft import irfft, rfft

from generators.traces.kept import frequencies, kept
from generators.traces.normals import normals
from generators.traces.tones import tones

F32 = NDArray[np.float32]

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


def boiling(count: int, rate: float, rng: np.random.Generator, number: float, blade_pass: float, phase: float = 0.0,
            model: Cavitation | None = None) -> F32 | None:
    """White noise that beats with the blades, (count,); what ``band`` leaves of it is heard. None above inception.

    Args:
        count: Of values.
        rate: [Hz].
        rng: For the noise.
        number: σ.
        blade_pass: [Hz] shaft speed × vanes.
        phase: [rad] of the modulation at the first value.
        model: The pump's.
    """
    model = model or Cavitation()
    strength = intensity(number, model)
    if strength == 0:
        return None
    found = normals(rng, count)
    found *= (1 + tones(count, rate, [(blade_pass, model.depth, phase)])).astype(np.float32)
    found *= np.float32(strength * model.acceleration / math.sqrt(1 + model.depth ** 2 / 2))      # beating adds no power
    return found


@kept
def band(count: int, rate: float) -> F32:
    """[1] factors on the lines of white noise that leave as much power in the band as there was in all, (count // 2 + 1,).

    Where half of the rate lies in the band, the part above is not heard.
    """
    frequency = frequencies(count, rate)
    inside = (frequency >= BAND[0]) & (frequency <= BAND[1])
    return np.where(inside, math.sqrt(rate / 2 / (BAND[1] - BAND[0])), 0.0).astype(np.float32)


def cavitation_noise(count: int, rate: float, rng: np.random.Generator, number: float, blade_pass: float, phase: float = 0.0,
                     model: Cavitation | None = None) -> F32:
    """Casing acceleration [m/s²], shape (count,), zeros above inception. Arguments as of ``boiling``."""
    white = boiling(count, rate, rng, number, blade_pass, phase, model)
    if white is None:
        return np.zeros(count, np.float32)
    found: F32 = irfft(rfft(white) * band(count, rate), count)
    return found


__all__ = ["BAND", "Cavitation", "band", "boiling", "cavitation_noise", "cavitation_number", "head_factor", "intensity",
           "vapour_pressure"]
