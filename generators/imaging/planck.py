"""planck: how much a black body radiates in a band, and the temperature that a radiance stands for.

Band radiance is the integral of Planck's law over wavelength, by Gauss–Legendre quadrature; both directions then go
through one table per band. CODATA 2018 constants.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

PLANCK, LIGHT, BOLTZMANN = 6.62607015e-34, 299792458.0, 1.380649e-23   # [J s], [m/s], [J/K]
COLDEST, HOTTEST, STEP = 150.0, 750.0, 0.25    # [K] of the table; linear within a step: error below 1 mK above 200 K
_NODES = 96
_INVERSE = 1 << 15                           # steps of the way back


_nodes = lru_cache(np.polynomial.legendre.leggauss)     # solving for them takes longer than an exposure


def band_radiance(kelvin: NDArray[np.floating] | float, band: tuple[float, float]) -> F64:
    """Radiance [W/(m² sr)] of a black body between the wavelengths of ``band`` [m], shape as ``kelvin``."""
    temperature = np.asarray(kelvin, np.float64)
    node, weight = _nodes(_NODES)
    low, high = band
    length = low + (high - low) * (node + 1) / 2
    exponent = PLANCK * LIGHT / (length * BOLTZMANN * temperature[..., None])
    spectral = 2 * PLANCK * LIGHT**2 / length**5 / np.expm1(exponent)
    total: F64 = (spectral * weight).sum(axis=-1) * (high - low) / 2
    return total


@dataclass(frozen=True, eq=False)
class Band:
    """A band's tables. Use :func:`band_of`."""
    band: tuple[float, float]                  # [m]
    kelvin: F64                                # (K,) evenly spaced
    radiance: F64                              # (K,) rising
    inverse: F32                               # (N, 2) temperature and its step, over evenly spaced radiances from 0

    def of(self, kelvin: F64 | float) -> F64:
        """Temperature [K] → radiance [W/(m² sr)]."""
        return np.asarray(np.interp(kelvin, self.kelvin, self.radiance), np.float64)

    def temperature(self, radiance: F32) -> F32:
        """Radiance → temperature of the black body that has it [K], float32, held within the table.

        Evenly spaced steps make the look-up an index: several times as fast as a search on a whole picture.
        """
        last = len(self.inverse) - 1
        at = np.asarray(radiance, np.float32) * np.float32(last / self.radiance[-1])
        np.clip(at, 0, last, out=at)
        low = np.floor(at)
        step = low.astype(np.intp)
        at -= low
        at *= np.take(self.inverse[:, 1], step, mode="clip")
        at += np.take(self.inverse[:, 0], step, mode="clip")
        return at

    def slope(self, kelvin: float) -> float:
        """dL/dT [W/(m² sr K)], by a central difference of the integral."""
        high, low = band_radiance(np.array([kelvin + 0.05, kelvin - 0.05]), self.band)
        return float(high - low) / 0.1

    @property
    def table(self) -> tuple[float, float, F32]:
        """First temperature, step and values: what a shader looks up."""
        return COLDEST, STEP, self.radiance.astype(np.float32)


@lru_cache(maxsize=8)
def band_of(band: tuple[float, float]) -> Band:
    """The tables of a band, made once. ``band``: wavelengths [m]."""
    kelvin = np.linspace(COLDEST, HOTTEST, round((HOTTEST - COLDEST) / STEP) + 1)
    radiance = band_radiance(kelvin, band)
    even = np.interp(np.linspace(0, radiance[-1], _INVERSE), radiance, kelvin)
    inverse = np.column_stack([even, np.diff(even, append=even[-1])]).astype(np.float32)
    return Band(band, kelvin, radiance, np.asfortranarray(inverse))


__all__ = ["COLDEST", "HOTTEST", "Band", "band_of", "band_radiance"]
