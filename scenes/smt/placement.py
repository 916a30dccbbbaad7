"""placement: which parts lie where, and how, before the oven."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.parts.model import Package
from scenes.smt.layout import CHIP_KINDS, Layout
from scenes.smt.process import NOZZLES, Process
from scenes.smt.state import BILLBOARD, FLIPPED, UPRIGHT, Assembly

F64 = NDArray[np.float64]

WORN_BIAS = 60e-6                              # [m] of a worn-out nozzle
WORN_STD = 30e-6                               # [m] "30 µm and more when worn"
WORN_ROTATION = 5.0                            # [1] factor on the rotation's spread
WORN_VACUUM = 25e3                             # [Pa] lost: −80 → −55 kPa
VACUUM_LIMIT = -48e3                           # [Pa] at which a part falls off every other time
VACUUM_SCALE = 2e3                             # [Pa] width of that limit
PIN_PLAY = 0.1e-3                              # [m] that a pin can move in its hole
MISFEEDS = ("flipped", "billboard", "polarity")


@dataclass(frozen=True, eq=False)
class Placed:
    """Parts on wet paste. Offsets and rotations are against the nominal pose; half turns are kept apart."""
    present: NDArray[np.bool_]                 # (C,)
    offset: F64                                # (C, 2) [m]
    rotation: F64                              # (C,) [rad]
    reversed: NDArray[np.bool_]                # (C,) turned by 180° in its pocket, about the terminals' middle
    orientation: NDArray[np.int32]             # (C,)
    substitute: NDArray[np.int32]              # (C,)
    substitutes: tuple[Package, ...]
    lead_height: F64                           # (J,) [m] formed lead above the seating plane
    vacuum: float                              # [Pa] mean over the nozzles used
    retries: float                             # picks that had to be repeated


def can_lie(assembly: Assembly, layout: Layout, component: int, how: str) -> bool:
    """Whether a part can come out of its pocket in this way and still be placed on its lands.

    flipped: two-ended chips, marked on top (a mark is what is lost). billboard: two-ended chips whose width and height
    differ by a fifth, else it is not to be told. polarity: polarised parts that fit when turned by 180°.
    """
    package = assembly.packages[component]
    two_ended = component in layout.two and package.kind in CHIP_KINDS
    if how == "flipped":
        return two_ended and package.marked
    if how == "billboard":
        return two_ended and abs(np.diff(layout.size[component, 1:])[0]) > 0.2 * layout.size[component, 1:].max()
    return bool(package.polarised and layout.symmetric[component])


def place(assembly: Assembly, layout: Layout, process: Process, rng: np.random.Generator) -> Placed:
    """Place one board: normal errors per nozzle, lost picks, misfed parts, bent leads (domain reference 3.2, 6.4).

    Draws: fixed numbers of normals and uniforms per component and joint, whatever the settings.
    """
    placement, parts, rows = process.placement, len(assembly.components), assembly.joints
    normal, turn = rng.standard_normal((parts, 2)), rng.standard_normal(parts)
    lost, misfed, which = rng.random(parts), rng.random(parts), rng.random(parts)
    lead, bent, height = rng.standard_normal(len(rows)), rng.random(len(rows)), rng.random(len(rows))

    wear = np.array(placement.wear, np.float64)
    for fault in process.of("worn_nozzle"):
        wear[int(fault.values[0]) % NOZZLES] = fault.values[1]
    nozzle = np.arange(parts) % NOZZLES
    worn = wear[nozzle]
    bias = np.column_stack([placement.bias_x, placement.bias_y])[nozzle] + WORN_BIAS * worn[:, None] * np.array([1.0, -0.5])
    spread = np.hypot(placement.std, WORN_STD * worn)
    offset = np.array([placement.offset_x, placement.offset_y]) + bias + spread[:, None] * normal
    rotation = placement.rotation + placement.rotation_std * (1 + (WORN_ROTATION - 1) * worn) * turn

    vacuum = placement.vacuum + WORN_VACUUM * wear
    fall = 1 / (1 + np.exp(-(vacuum - VACUUM_LIMIT) / VACUUM_SCALE))
    present = lost >= 1 - (1 - placement.pick_failure) * (1 - 0.5 * fall[nozzle])
    orientation, substitute = np.full(parts, UPRIGHT, np.int32), np.full(parts, -1, np.int32)
    reverse = np.zeros(parts, bool)
    substitutes: list[Package] = []

    def misfeed(c: int, how: str) -> None:
        if how == "polarity":
            reverse[c] = True
        else:
            orientation[c] = FLIPPED if how == "flipped" else BILLBOARD

    for c in np.flatnonzero(misfed < placement.feeder_error).tolist():
        how = MISFEEDS[int(which[c] * len(MISFEEDS))]
        if can_lie(assembly, layout, c, how):
            misfeed(c, how)
    height_bent = np.where(bent < placement.damage, 100e-6 + 200e-6 * height, 0.0)
    lead_height = np.where(layout.gullwing, np.maximum(placement.lead_std * np.abs(lead), height_bent), 0.0)

    for fault in process.faults:
        c = fault.component
        if fault.kind == "missing_pick":
            present[c] = False
        elif fault.kind == "slip":
            offset[c] += fault.values[:2]
            rotation[c] += fault.values[2]
        elif fault.kind in MISFEEDS:
            misfeed(fault.component, fault.kind)
        elif fault.kind == "wrong_reel":
            substitute[c] = len(substitutes)
            substitutes.append(assembly.packages[int(fault.values[0])])
        elif fault.kind == "bent_lead":
            lead_height[fault.joint] = fault.values[0]
    size = np.hypot(offset[:, 0], offset[:, 1])
    held = layout.pinned & (size > PIN_PLAY)
    offset[held] *= (PIN_PLAY / size[held])[:, None]
    rotation = np.where(layout.pinned, np.clip(rotation, -np.radians(1), np.radians(1)), rotation)
    used = nozzle[:NOZZLES] if parts else np.arange(1)
    return Placed(present, offset, rotation, reverse, orientation, substitute, tuple(substitutes), lead_height,
                  float(vacuum[used].mean()), float((0.02 + 10 * fall[nozzle]).sum()))


__all__ = ["MISFEEDS", "Placed", "can_lie", "place"]
