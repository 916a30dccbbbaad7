"""gears: the mesh of two wheels, and one tooth that is chipped (domain reference 5.4)."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generators.traces.rotor import Forces

MESH = (1.0, 0.4, 0.2)                         # [1] harmonics of the mesh (engineering default)
RUNOUT = 0.08                                  # [1] amplitude modulation once a turn of a good wheel (engineering default)
DIRECTION = np.array([0.94, 0.34, 0.1])        # [1] line of action at 20° and a little thrust


@dataclass(frozen=True)
class Gear:
    """A wheel on the machine's shaft."""
    teeth: int
    force: float                               # [N] dynamic mesh force at rated load
    impulse: float = 1e-3                      # [N s] of a lost tooth at rated load


def mesh(gear: Gear, load: float, wear: float) -> Forces:
    """Forces at the mesh frequency z·fr and its harmonics, each with sidebands one and two turns away.

    Args:
        load: [1] of the rated one.
        wear: [1] 0 … 1: four times the mesh force and six times the modulation when worn out (engineering defaults).
    """
    found = {}
    depth = RUNOUT * (1 + 5 * wear)
    for harmonic, share in enumerate(MESH, 1):
        force = gear.force * load * (1 + 3 * wear) * share
        for side, part in ((-2, depth ** 2 / 4), (-1, depth / 2), (0, 1.0), (1, depth / 2), (2, depth ** 2 / 4)):
            found[float(harmonic * gear.teeth + side)] = force * part * DIRECTION.astype(np.complex128)
    return found


__all__ = ["DIRECTION", "MESH", "RUNOUT", "Gear", "mesh"]
