"""What leaves the tube, what matter takes away, what the scintillator takes up. Energies in eV.

Spectra by spekpy (Poludniowski et al., Med. Phys. 48 (2021) 3630), attenuation by xraylib's ``CS_Total`` (photoelectric,
coherent and incoherent; within 0.06 % of NIST SRD 126 at the energies of the domain reference 4.1).
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.errors import BackendUnavailable
from scenes.instruments.xray import XrayMachine
from scenes.materials import TABLE, Material

F64 = NDArray[np.float64]

STEP = 500.0                                   # [eV] of a tube spectrum; Sn's, Ag's and Ba's edges fall between its energies
LEAST = 4000.0                                 # [eV] nothing softer leaves a tube with a window
CSI = (("Cs", 132.905 / 259.81), ("I", 126.904 / 259.81))
CSI_DENSITY = 4510.0                           # [kg/m³]
INSTALL = "install linetwin[xray]"


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Photons by energy, N energies. Of one incident photon."""
    energy: F64                                # (N,) [eV]
    incident: F64                              # (N,) [1] share of the photons; sums to 1
    absorbed: F64                              # (N,) [1] share that the scintillator takes up, ≤ incident

    @property
    def signal(self) -> F64:
        """Share of the detector's signal by energy, (N,): it integrates energy. Sums to 1."""
        weight = self.absorbed * self.energy
        return np.asarray(weight / weight.sum())

    @property
    def mean(self) -> float:
        """Mean energy of the incident photons [eV]."""
        return float(self.incident @ self.energy)


def spectrum(machine: XrayMachine) -> Spectrum:
    """The machine's spectrum, kept between calls. Raises BackendUnavailable without xraylib, or spekpy for a tube."""
    return _spectrum(machine.tube_voltage, machine.anode_angle, machine.filters, machine.energy, machine.scintillator)


@lru_cache(maxsize=32)
def _spectrum(voltage: float, angle: float, filters: tuple[tuple[str, float], ...], single: float | None,
              scintillator: float) -> Spectrum:
    energy, photons = (np.array([single]), np.ones(1)) if single is not None else _tube(voltage, angle, filters)
    taken = -np.expm1(-mass_attenuation(CSI, energy) * CSI_DENSITY * scintillator)
    incident = photons / photons.sum()
    return Spectrum(energy, incident, incident * taken)


def _tube(voltage: float, angle: float, filters: tuple[tuple[str, float], ...]) -> tuple[F64, F64]:
    """Energies and photons of a tungsten tube behind its filters."""
    try:
        import spekpy  # two seconds, most of it matplotlib: only where a tube is asked for
    except ImportError:
        raise BackendUnavailable(f"X-ray: spekpy is not installed; {INSTALL}") from None
    tube = spekpy.Spek(kvp=voltage / 1e3, th=np.degrees(angle), dk=STEP / 1e3, targ="W")
    for element, thickness in filters:
        tube.filter(element, thickness * 1e3)
    energy, photons = tube.get_spectrum(edges=False)
    keep = (photons > 0) & (energy * 1e3 > LEAST)
    return np.asarray(energy[keep] * 1e3, np.float64), np.asarray(photons[keep], np.float64)


def _xraylib() -> Any:
    try:
        import xraylib
    except ImportError:
        raise BackendUnavailable(f"X-ray: xraylib is not installed; {INSTALL}") from None
    return xraylib


def mass_attenuation(composition: tuple[tuple[str, float], ...], energy: F64) -> F64:
    """µ/ρ of a mixture of elements by mass [m²/kg] at the energies (N,) [eV]."""
    library = _xraylib()
    total = np.zeros(len(energy))
    for element, fraction in composition:
        number = library.SymbolToAtomicNumber(element)
        total += fraction * np.array([library.CS_Total(number, e / 1e3) for e in energy])
    return total * 0.1                         # cm²/g → m²/kg


@lru_cache(maxsize=1024)
def _attenuation(composition: tuple[tuple[str, float], ...], density: float, energy: tuple[float, ...]) -> F64:
    row = mass_attenuation(composition, np.array(energy)) * density
    row.setflags(write=False)
    return row


def attenuation(energy: F64, materials: Sequence[Material] = TABLE) -> F64:
    """µ of every material [1/m], (M, N), at the energies (N,) [eV]. Kept between calls."""
    at = tuple(energy.tolist())
    return np.array([_attenuation(m.composition, m.density, at) for m in materials])


__all__ = ["CSI", "CSI_DENSITY", "Spectrum", "attenuation", "mass_attenuation", "spectrum"]
