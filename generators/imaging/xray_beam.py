"""A beam in few numbers: every material as a mixture of four, every spectrum as a few energies.

A path through a board crosses thirty materials. µ(E) of each of them is, over a tube's band, a mixture of solder's (the
edges of Ag and Sn), copper's (photoelectric), aluminium's (photoelectric and Compton) and barium titanate's (the edge of
Ba), so four lengths per pixel say all. The detector's signal behind four lengths is a sum of exponentials over the
spectrum; twelve well chosen energies give the same sum (``Beam.error`` says how well).

With one energy instead of a tube both steps are exact.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from generators.imaging.xray_spectrum import Spectrum, attenuation, spectrum
from scenes.instruments.xray import XrayMachine
from scenes.materials import TABLE, Material, index

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

BASIS = ("solder_sac305", "copper", "aluminium", "ceramic_mlcc")
NODES = 12                                     # energies that stand for a spectrum
_LEVELS = (0.8, 0.5, 0.2)                      # transmissions at which a mixture is fitted
_LONGEST = np.array([1.5e-3, 2e-3, 15e-3, 2e-3])   # [m] lengths of the basis that the energies are chosen for
_LAMINATE = 4e-3                               # [m] of aluminium that attenuates like two boards
_PATHS = 400                                   # paths that they are fitted to
_FLOOR = 0.003                                 # [1] below this transmission errors count absolutely


@dataclass(frozen=True, eq=False)
class Beam:
    """Of one incident photon, K energies. Signals are in energy taken up, relative to the open beam."""
    coefficients: F32                          # (M, 4) lengths of BASIS that attenuate like a metre of each material
    attenuation: F32                           # (4, K) µ of BASIS [1/m]
    weight: F64                                # (K,) share of the open beam's signal; sums to 1
    energy: F64                                # (K,) [eV]
    quanta: float                              # signals of single photons that make the open beam's: absorbed share × …
    error: float                               # [1] greatest relative error of a transmission above 1 % among the fitted paths

    @property
    def spread(self) -> F64:
        """(K,) share of the open beam's variance per share of its signal: photons of more energy are fewer, and noisier."""
        return np.asarray(self.energy / (self.weight @ self.energy))


def beam(machine: XrayMachine) -> Beam:
    """The machine's beam, kept between calls."""
    return _beam(spectrum(machine))


@lru_cache(maxsize=32)
def _beam(source: Spectrum) -> Beam:
    mu, signal = attenuation(source.energy), source.signal
    basis = [index(name) for name in BASIS]
    # mean² / variance of the energy that one incident photon leaves: compound Poisson
    quanta = float((source.absorbed @ source.energy) ** 2 / (source.absorbed @ source.energy**2))
    coefficients = mixtures(mu, signal, basis)
    if len(source.energy) <= NODES:
        return Beam(coefficients.astype(np.float32), mu[basis].astype(np.float32), signal, source.energy, quanta, 0.0)
    chosen, weight, error = nodes(mu[basis], signal, source.energy)
    return Beam(coefficients.astype(np.float32), mu[np.ix_(basis, chosen)].astype(np.float32), weight, source.energy[chosen],
                quanta, error)


def lengths(machine: XrayMachine, materials: tuple[Material, ...]) -> F32:
    """Lengths of BASIS that attenuate like a metre of each of ``materials``, (M, 4): the beam's own where nothing was edited.

    The basis stays what ``TABLE`` says of it, whatever the scene's copper is.
    """
    return beam(machine).coefficients if materials is TABLE else _lengths(spectrum(machine), materials)


@lru_cache(maxsize=8)
def _lengths(source: Spectrum, materials: tuple[Material, ...]) -> F32:
    own = dict(zip(TABLE, _beam(source).coefficients, strict=True))
    new = [m for m in materials if m not in own]
    basis = [TABLE[index(name)] for name in BASIS]
    rows = mixtures(attenuation(source.energy, [*basis, *new]), source.signal, list(range(len(basis))))[len(basis):]
    own |= dict(zip(new, rows, strict=True))
    return np.array([own[m] for m in materials], np.float32)


def mixtures(mu: F64, signal: F64, basis: list[int]) -> F64:
    """Lengths of the basis that attenuate like a metre of each material, (M, B), by weighted least squares over energies.

    The weights are what an error of µ does to the transmission, at the thicknesses that transmit ``_LEVELS``.
    """
    out = np.zeros((len(mu), len(basis)))
    for row, own in enumerate(mu):
        if row in basis:
            out[row, basis.index(row)] = 1.0
            continue
        weight = np.zeros(len(signal))
        for level in _LEVELS:
            low, high = 0.0, -np.log(level) / own.min() + 1e-12
            for _ in range(50):
                middle = (low + high) / 2
                low, high = (middle, high) if signal @ np.exp(-own * middle) > level else (low, middle)
            weight += (signal * np.exp(-own * high) * high / level) ** 2
        weight = np.sqrt(weight)
        scale = mu[basis].max(axis=1)
        out[row] = np.linalg.lstsq((mu[basis] / scale[:, None] * weight).T, own * weight, rcond=None)[0] / scale
    return out


def nodes(mu: F64, signal: F64, energy: F64) -> tuple[list[int], F64, float]:
    """Few energies for a spectrum: non-negative least squares over many paths, energies added, moved and dropped greedily.

    Args:
        mu: of the basis (B, N) [1/m]. signal: (N,). energy: (N,) [eV].

    Returns:
        Indices of ``NODES`` energies, their weights (they sum to 1), and the greatest relative error above 1 % transmission.
    """
    rng = np.random.default_rng(0)             # a fixed set of paths, not a draw
    length = _LONGEST * rng.random((_PATHS, len(mu))) ** 4 * (rng.random((_PATHS, len(mu))) < 0.7)
    length[:, 2] += _LAMINATE * rng.random(_PATHS)
    left = np.exp(-length @ mu) * signal       # (P, N) signal behind each path, by energy
    truth = left.sum(axis=1)
    scale = 1 / (truth + _FLOOR)
    harder = energy / (signal @ energy)        # the second moment belongs to the noise; it counts a third
    system = np.vstack([left * scale[:, None], left * harder * (0.3 * scale)[:, None], 30 * signal[None]])
    wanted = system.sum(axis=1)
    norm = np.linalg.norm(system, axis=0) + 1e-30
    system /= norm

    def solved(at: list[int]) -> tuple[F64, float]:
        x, residual = nnls(system[:, at], wanted)
        return x, float(residual)

    chosen: list[int] = []
    rest = wanted
    while len(chosen) < NODES + 4:
        gain = system.T @ rest
        gain[chosen] = -np.inf
        chosen.append(int(np.argmax(gain)))
        x, _ = solved(chosen)
        rest = wanted - system[:, chosen] @ x
    while len(chosen) > NODES:
        dropped = min(range(len(chosen)), key=lambda k: solved(chosen[:k] + chosen[k + 1:])[1])
        chosen.pop(dropped)
        chosen = _moved(chosen, len(energy), solved)
    chosen = sorted(chosen)
    share = solved(chosen)[0] / norm[chosen] * signal[chosen]
    weight = share / share.sum()
    got = np.exp(-length @ mu[:, chosen]) @ weight
    return chosen, weight, float(np.abs(got / truth - 1)[truth > 0.01].max())


def _moved(chosen: list[int], count: int, solved) -> list[int]:  # type: ignore[no-untyped-def]
    """Each energy moved to neighbours as long as that helps."""
    best, better = solved(chosen)[1], True
    while better:
        better = False
        for k in range(len(chosen)):
            for step in (-8, -3, -1, 1, 3, 8):
                trial = chosen.copy()
                trial[k] += step
                if not 0 <= trial[k] < count or trial[k] in chosen:
                    continue
                residual = solved(trial)[1]
                if residual < 0.9999 * best:
                    chosen, best, better = trial, residual, True
    return chosen


def worst_errors(machine: XrayMachine, thickness: float, least: float = 0.05) -> dict[str, float]:
    """Per material the greatest relative error of the beam's transmission against the whole spectrum, up to ``thickness`` [m]."""
    source, few = spectrum(machine), beam(machine)
    mu, signal = attenuation(source.energy), source.signal
    out = {}
    for row, material in enumerate(TABLE):
        worst = 0.0
        for length in thickness * np.array([0.02, 0.05, 0.1, 0.2, 0.5, 1.0]):
            exact = float(signal @ np.exp(-mu[row] * length))
            got = float(few.weight @ np.exp(-(few.coefficients[row].astype(float) @ few.attenuation) * length))
            if exact > least:
                worst = max(worst, abs(got / exact - 1))
        out[material.name] = worst
    return out


__all__ = ["BASIS", "NODES", "Beam", "beam", "lengths", "mixtures", "nodes", "worst_errors"]
