"""acoustics: what a vibrating surface sounds like, and what else is heard in a hall.

A surface of area S radiates W = ρ0·c·S·σ·⟨v²⟩ (domain reference 5.9). The pressure here keeps the phase of the vibration,
so an impact on a bearing race is heard as an impact: the surface is a sphere of the same area, whose pressure and velocity
are in the exact ratio j·x / (1 + j·x), x = f / corner, corner = c / (2π·radius). Its σ is σ∞·x² / (1 + x²).

Waveforms are sound pressure [Pa]; a *source* is its pressure in the free field at 1 m, without delay. Records are taken
from the middle of a long life: the machine ran before, so filters and echoes have no beginning (see ``steady``).
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft, rfftfreq

from generators.traces.kept import frequencies, kept
from generators.traces.normals import normals
from generators.traces.tones import tones

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
C64 = NDArray[np.complex64]
C128 = NDArray[np.complex128]

AIR_DENSITY, SOUND_SPEED = 1.204, 343.2        # dry air of 20 °C and 101 325 Pa [kg/m³], [m/s]
REFERENCE_PRESSURE, REFERENCE_POWER = 20e-6, 1e-12        # ISO 1683 [Pa], [W]
_PASCAL = 20 * math.log10(1 / REFERENCE_PRESSURE)         # [dB] of 1 Pa


@dataclass(frozen=True)
class Radiator:
    """A surface that radiates. The corner frequency is that of a sphere of the same area unless it is given."""
    area: float = 0.25                         # [m²] engineering default: casing of a 5 kW machine
    efficiency: float = 1.0                    # [1] σ∞, far above the corner
    corner: float = 0.0                        # [Hz]; 0: from the area

    @property
    def corner_frequency(self) -> float:
        """[Hz] where σ is half of σ∞."""
        return self.corner or SOUND_SPEED / (2 * math.pi * math.sqrt(self.area / (4 * math.pi)))

    def sigma(self, frequency: F64) -> F64:
        """Radiation efficiency [1] at frequencies [Hz], shape as given."""
        x2 = (np.asarray(frequency, np.float64) / self.corner_frequency) ** 2
        found: F64 = self.efficiency * x2 / (1 + x2)
        return found


@dataclass(frozen=True)
class Hall:
    """What is heard where nothing is wrong: pink noise of many machines, and the tones of fans. Engineering defaults."""
    level: float = 66.0                        # [dB] of the pink part, 20 Hz to half the rate
    tones: tuple[tuple[float, float], ...] = ((24.6, 48.0), (100.0, 52.0), (172.0, 54.0), (345.0, 47.0))   # ([Hz], [dB])
    wander: float = 0.002                      # [1] standard deviation of a tone's frequency from one record to the next


def radiated_power(velocity_rms: float, area: float, efficiency: float = 1.0) -> float:
    """Sound power [W] of a surface [m²] that moves with ``velocity_rms`` [m/s]."""
    return AIR_DENSITY * SOUND_SPEED * area * efficiency * velocity_rms ** 2


def power_level(power: float) -> float:
    """Sound power level [dB] re 1 pW; −inf for none."""
    return 10 * math.log10(power / REFERENCE_POWER) if power > 0 else -math.inf


def free_field_level(level: float, distance: float) -> float:
    """Sound pressure level [dB] of a point source with power level ``level`` [dB] at a distance [m]."""
    return level - 20 * math.log10(distance) - 11.0


def pressure_level(pressure: F64) -> float:
    """Level of a waveform [Pa], shape (N,): dB re 20 µPa over the whole record, unweighted; −inf for silence."""
    mean_square = float(np.mean(np.square(pressure, dtype=np.float64)))
    return 10 * math.log10(mean_square / REFERENCE_PRESSURE ** 2) if mean_square > 0 else -math.inf


def rms_pressure(level: float) -> float:
    """[Pa] of a level [dB]."""
    return REFERENCE_PRESSURE * 10 ** (level / 20)


def integrated(frequency: F64, low: float = 2.0) -> C128:
    """Velocity per acceleration [s] at frequencies [Hz], shape as given. Below ``low`` [Hz] nothing is left: no drift."""
    found: C128 = (frequency >= low) / (2j * math.pi * np.maximum(frequency, low))
    return found


def velocity(acceleration: F64, rate: float, low: float = 2.0) -> F64:
    """Integrate a waveform [m/s²], shape (N,), to velocity [m/s], by :func:`integrated`."""
    count = len(acceleration)
    found: F64 = irfft(rfft(np.asarray(acceleration, np.float64)) * integrated(rfftfreq(count, 1 / rate), low), count)
    return found


def source_power(acceleration: F64, rate: float, radiator: Radiator, low: float = 2.0) -> float:
    """Sound power [W] of a surface that vibrates so, shape (N,), summed over frequency with σ(f)."""
    count = len(acceleration)
    frequency = rfftfreq(count, 1 / rate)[1:]
    amplitude = np.abs(rfft(np.asarray(acceleration, np.float64))[1:]) / count / (2 * math.pi * frequency)
    weight = np.where(frequency >= low, 2.0, 0.0)
    if count % 2 == 0:
        weight[-1] *= 0.5                                                 # the last line of an even record stands alone
    return AIR_DENSITY * SOUND_SPEED * radiator.area * float((weight * radiator.sigma(frequency) * amplitude ** 2).sum())


def radiation(frequency: F64, radiator: Radiator, low: float = 2.0) -> C128:
    """The source [Pa at 1 m] per acceleration [m/s²] of a surface at frequencies [Hz], shape as given.

    p = ρ0·c·√(S·σ∞ / 4π) · j·x / (1 + j·x) · v. Velocity is acceleration / (2π·j·f), so the factor is finite at 0 Hz and
    the whole is a first-order low-pass of the acceleration; ``low`` [Hz] takes away what a machine on its feet has not.
    """
    corner = radiator.corner_frequency
    gain = AIR_DENSITY * SOUND_SPEED * math.sqrt(radiator.area * radiator.efficiency / (4 * math.pi)) / (2 * math.pi * corner)
    found: C128 = gain * (frequency >= low) / (1 + 1j * frequency / corner)
    return found


def source_pressure(acceleration: F64, rate: float, radiator: Radiator, low: float = 2.0) -> F64:
    """The source [Pa at 1 m] of a surface with this acceleration [m/s²], shape (N,), by :func:`radiation`."""
    count = len(acceleration)
    spectrum = rfft(np.asarray(acceleration, np.float64)) * radiation(rfftfreq(count, 1 / rate), radiator, low)
    found: F64 = irfft(spectrum, count)
    return found


def travelled(frequency: F64, distance: float) -> C128:
    """Sound pressure per source [1] at frequencies [Hz], shape as given, at a distance [m] in free field: 1/r, r/c later."""
    found: C128 = np.exp(frequency * (-2j * math.pi * distance / SOUND_SPEED)) / distance
    return found


def free_field(source: F64, rate: float, distance: float) -> F64:
    """A source [Pa at 1 m], shape (N,), heard at a distance [m]: 1/r and the delay r/c, to a fraction of a sample."""
    count = len(source)
    found: F64 = irfft(rfft(np.asarray(source, np.float64)) * travelled(rfftfreq(count, 1 / rate), distance), count)
    return found


def steady(source: F64, response: F64) -> F64:
    """Convolve a source, shape (N,), with an impulse response, shape (M,), as if the record repeated itself for ever.

    What is heard at the beginning is the echo of the end: right for machines that have been running, wrong for one shot.
    """
    count = len(source)
    found: F64 = irfft(rfft(np.asarray(source, np.float64)) * rfft(folded(response, count)), count)
    return found


def folded(response: F64, count: int) -> F64:
    """An impulse response, shape (M,), as one period of ``count`` values sees it: what is longer comes round again."""
    whole = np.zeros(-(-len(response) // count) * count)
    whole[:len(response)] = response
    found: F64 = whole.reshape(-1, count).sum(axis=0)
    return found


def noise_lines(count: int, rate: float, rng: np.random.Generator, density: F64) -> C64:
    """Spectrum of Gaussian noise with a one-sided power density [unit²/Hz] given at its lines, (count // 2 + 1,).

    No filter that would have to settle; ``irfft`` of it is the noise.
    """
    return _lines(count, rng, amplitudes(count, rate, density))


def amplitudes(count: int, rate: float, density: F64) -> F32:
    """What normals are multiplied with to be lines of that density."""
    found: F32 = np.sqrt(np.asarray(density, np.float64) * (count * rate / 4)).astype(np.float32)
    found[0] = 0
    return found


def _lines(count: int, rng: np.random.Generator, size: F32) -> C64:
    draws = normals(rng, 2 * len(size)).view(np.complex64)
    draws *= size
    if count % 2 == 0:
        draws[-1] = draws[-1].real * math.sqrt(2.0)
    return draws


def shaped_noise(count: int, rate: float, rng: np.random.Generator, density: F64) -> F32:
    """The noise of :func:`noise_lines`, shape (count,)."""
    found: F32 = irfft(noise_lines(count, rate, rng, density), count)
    return found


def pink_density(frequency: F64, level: float, low: float, high: float) -> F64:
    """One-sided density [Pa²/Hz] ∝ 1/f between ``low`` and ``high`` [Hz] whose level [dB] is ``level``."""
    inside = (frequency >= low) & (frequency <= high)
    scale = rms_pressure(level) ** 2 / math.log(high / low)
    found: F64 = np.where(inside, scale / np.maximum(frequency, low), 0.0)
    return found


@kept
def _pink(count: int, rate: float, low: float) -> F32:
    """Amplitudes of pink noise of 1 Pa from ``low`` [Hz] to half the rate."""
    return amplitudes(count, rate, pink_density(frequencies(count, rate), _PASCAL, low, rate / 2))


def pink_lines(count: int, rate: float, rng: np.random.Generator, level: float, low: float = 20.0) -> C64:
    """Spectrum of pink noise of a level [dB] from ``low`` [Hz] to half the rate."""
    return _lines(count, rng, _pink(count, rate, low) * np.float32(rms_pressure(level)))


def hall_lines(count: int, rate: float, rng: np.random.Generator, hall: Hall) -> C64:
    """Spectrum of a hall's pink part at a microphone."""
    return pink_lines(count, rate, rng, hall.level)


def hall_tones(count: int, rate: float, rng: np.random.Generator, hall: Hall) -> F64:
    """A hall's tones [Pa] at a microphone, shape (count,). Those above half the rate are not heard."""
    lines = []
    for frequency, level in hall.tones:
        phase, shift = rng.uniform(0, 2 * math.pi), 1 + hall.wander * rng.standard_normal()
        if frequency * shift < rate / 2:
            lines.append((frequency * shift, math.sqrt(2.0) * rms_pressure(level), phase))
    return tones(count, rate, lines)


def hall_noise(count: int, rate: float, rng: np.random.Generator, hall: Hall | None = None) -> F64:
    """Background [Pa] at a microphone, shape (count,)."""
    hall = hall or Hall()
    pink: F32 = irfft(hall_lines(count, rate, rng, hall), count)
    return pink + hall_tones(count, rate, rng, hall)


__all__ = ["AIR_DENSITY", "REFERENCE_POWER", "REFERENCE_PRESSURE", "SOUND_SPEED", "Hall", "Radiator", "amplitudes", "folded",
           "free_field", "free_field_level", "hall_lines", "hall_noise", "hall_tones", "integrated", "noise_lines",
           "pink_density", "pink_lines", "power_level", "pressure_level", "radiated_power", "radiation", "rms_pressure",
           "shaped_noise", "source_power", "source_pressure", "steady", "travelled", "velocity"]
