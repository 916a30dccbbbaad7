"""rotor: forces locked to the turning of a shaft: unbalance, misalignment, looseness (domain reference 5.4).

Forces are amplitudes per order of the shaft: {order: (3,) complex N}, horizontal, vertical, axial; a force is Re(F e^(j k θ)).
"""
from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

C128 = NDArray[np.complex128]
Forces = Mapping[float, C128]

HARMONICS = 10                                 # of looseness: 1× … 10× (reference 5.4)


def eccentricity(grade: float, speed: float) -> float:
    """Residual unbalance e [m] of an ISO 21940 grade [m/s] at the rated speed [Hz]: e·ω is the grade.

    At 3000 rpm G2.5 (0.0025 m/s) is 7.96 µm, and G6.3 is 20.1 µm.
    """
    return grade / (2 * math.pi * speed)


def unbalance(mass: float, offset: float, speed: float) -> Forces:
    """The force m·e·ω² of a rotor [kg] whose mass lies ``offset`` [m] off its axis, at ``speed`` [Hz]: a radial vector."""
    force = mass * offset * (2 * math.pi * speed) ** 2
    return {1.0: force * np.array([1, -1j, 0], np.complex128)}


def misalignment(force: float) -> Forces:
    """A coupling that bends twice a turn: 2× above all, and axial motion. ``force`` [N] is its 2× radial amplitude.

    The shares of 1×, 3× and of the axial direction are engineering defaults.
    """
    shares: dict[float, tuple[complex, complex, complex]] = {1.0: (0.2, 0.15j, 0.4), 2.0: (1.0, 0.7j, 0.7), 3.0: (0.2, 0.1j, 0.1)}
    return {order: force * np.array(share, np.complex128) for order, share in shares.items()}


def looseness(force: float, rng: np.random.Generator) -> Forces:
    """A foot that lifts and lands: ½×, 1×, 1½× … 10×, mostly vertical. ``force`` [N] is the amplitude of 1×.

    Whole orders fall as 1/√k, halves are a third of their neighbours (engineering defaults); the phases are drawn.
    """
    half = np.arange(1, 2 * HARMONICS + 1)
    share = np.where(half % 2, 0.35, 1.0) / np.sqrt(np.maximum(half / 2, 1.0))
    turned = force * share * np.exp(2j * math.pi * rng.random(len(half)))
    return dict(zip((half / 2).tolist(), np.multiply.outer(turned, np.array([0.4, 1.0, 0.15])), strict=True))


def together(parts: Iterable[Forces]) -> Forces:
    """The sum of forces, order by order."""
    total: dict[float, C128] = {}
    for part in parts:
        for order, force in part.items():
            total[order] = total[order] + force if order in total else force
    return total


__all__ = ["HARMONICS", "Forces", "eccentricity", "looseness", "misalignment", "together", "unbalance"]
