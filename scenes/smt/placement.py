"""placement: which parts lie where, and how, before the oven."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.parts.model import Package
from scenes.smt.draws import Streams, normals, uniforms
from scenes.smt.layout import CHIP_KINDS, Layout
from scenes.smt.oven import Oven
from scenes.smt.process import FEEDERS, NOZZLES, Process
from scenes.smt.state import BILLBOARD, FLIPPED, UPRIGHT, Assembly

F64 = NDArray[np.float64]

WORN_BIAS = 60e-6                              # [m] of a worn-out nozzle
WORN_STD = 30e-6                               # [m] "30 µm and more when worn"
WORN_ROTATION = 5.0                            # [1] factor on the rotation's spread
WORN_VACUUM = 25e3                             # [Pa] lost: −80 → −55 kPa
VACUUM_LIMIT = -48e3                           # [Pa] at which a part falls off every other time
VACUUM_SCALE = 2e3                             # [Pa] width of that limit
SUPPLY = (0.5e6, 0.45e6)                       # [Pa] gauge at the machine; an ejector gives its full vacuum from the second on
CATCH = 0.4                                    # [1] of a body's shorter side: picked farther off its middle, the seal leaks
HELD_BADLY = (0.6, 0.05, 0.02)                 # [1] of that, from where it may be lost or tip over; probabilities of both
CREST = 4.0                                    # [1] peak over RMS of the conveyor's acceleration
SLIDE = (150e-6, 1e-3)                         # [m] that a part slides per multiple of what holds it; [m] greatest
PIN_PLAY = 0.1e-3                              # [m] that a pin can move in its hole
MISFEEDS = ("flipped", "billboard", "polarity")


@dataclass(frozen=True, eq=False)
class Placed:
    """Parts on wet paste; leading axes as those of the streams.

    Offsets and rotations are against the nominal pose; half turns are kept apart.
    """
    present: NDArray[np.bool_]                 # (…, C)
    offset: F64                                # (…, C, 2) [m]
    rotation: F64                              # (…, C) [rad]
    reversed: NDArray[np.bool_]                # (…, C) turned by 180° in its pocket, about the terminals' middle
    orientation: NDArray[np.int32]             # (…, C)
    substitute: NDArray[np.int32]              # (…, C)
    substitutes: tuple[Package, ...]
    lead_height: F64                           # (…, J) [m] formed lead above the seating plane
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


def machine_of(parts: int, nozzles: int) -> NDArray[np.intp]:
    """Which placement machine places each part, (C,): eight parts in turn, one per nozzle."""
    found: NDArray[np.intp] = (np.arange(parts) % nozzles) // NOZZLES
    return found


def badly_held(layout: Layout, process: Process) -> tuple[F64, F64]:
    """Probability per part, (C,), that its feeder's pitch error puts it so far off the nozzle's middle that the pick fails; and
    that it is held badly. The error is normal; the camera takes out the offset of what is held."""
    pitch, parts = np.array(process.placement.pitch, np.float64), len(layout.count)
    if not pitch.any():
        return np.zeros(parts), np.zeros(parts)
    from scipy.special import erfc  # late: few units need it

    feeder = machine_of(parts, len(process.placement.wear)) * FEEDERS + layout.reel % FEEDERS
    sigma = np.append(pitch, np.zeros(max(feeder.max(initial=0) + 1 - len(pitch), 0)))[feeder]
    reach = CATCH * np.minimum(layout.size[:, 0], layout.size[:, 1])
    ratio = np.divide(reach, np.sqrt(2) * sigma, out=np.full(parts, np.inf), where=sigma > 0)
    return erfc(ratio), erfc(HELD_BADLY[0] * ratio)


def place(assembly: Assembly, layout: Layout, process: Process, rng: Streams) -> Placed:
    """Place one board, or one per stream (domain reference 3.2, 6.4).

    Normal errors per nozzle, lost picks, misfed parts, bent leads.

    Draws: fixed numbers of normals and uniforms per component and joint, whatever the settings.
    """
    placement, parts, rows = process.placement, len(assembly.components), assembly.joints
    normal, turn = normals(rng, parts, 2), normals(rng, parts)
    chance, lead, mishap = uniforms(rng, 3, parts), normals(rng, len(rows)), uniforms(rng, 2, len(rows))
    lost, misfed, which = chance[..., 0, :], chance[..., 1, :], chance[..., 2, :]
    bent, height = mishap[..., 0, :], mishap[..., 1, :]
    slid = normals(rng, parts, 2)

    wear = np.array(placement.wear, np.float64)
    for fault in process.of("worn_nozzle"):
        wear[int(fault.values[0]) % len(wear)] = fault.values[1]
    nozzle = np.arange(parts) % len(wear)
    worn = wear[nozzle]
    bias = np.column_stack([placement.bias_x, placement.bias_y])[nozzle % len(placement.bias_x)]
    bias = bias + WORN_BIAS * worn[:, None] * np.array([1.0, -0.5])
    spread = np.hypot(placement.std, WORN_STD * worn)
    offset = np.array([placement.offset_x, placement.offset_y]) + bias + spread[:, None] * normal
    rotation = placement.rotation + placement.rotation_std * (1 + (WORN_ROTATION - 1) * worn) * turn

    vacuum = placement.vacuum + WORN_VACUUM * wear
    for machine, loss in enumerate(placement.supply_loss[:len(wear) // NOZZLES]):
        vacuum[machine * NOZZLES:(machine + 1) * NOZZLES] *= min(max(SUPPLY[0] - loss, 0) / SUPPLY[1], 1)
    failed, badly = badly_held(layout, process)
    fall = 1 / (1 + np.exp(-(vacuum - VACUUM_LIMIT) / VACUUM_SCALE))
    present = lost >= 1 - (1 - placement.pick_failure) * (1 - 0.5 * fall[nozzle]) * (1 - HELD_BADLY[1] * badly)
    orientation, substitute = np.full(lost.shape, UPRIGHT, np.int32), np.full(lost.shape, -1, np.int32)
    reverse = np.zeros(lost.shape, bool)
    substitutes: list[Package] = []

    def misfeed(at: tuple[Any, ...], how: str) -> None:
        if how == "polarity":
            reverse[at] = True
        else:
            orientation[at] = FLIPPED if how == "flipped" else BILLBOARD

    for at in zip(*np.nonzero(misfed < placement.feeder_error + HELD_BADLY[2] * badly), strict=True):
        how = MISFEEDS[int(which[at] * len(MISFEEDS))]
        if can_lie(assembly, layout, int(at[-1]), how):
            misfeed(at, how)
    height_bent = np.where(bent < placement.damage, 100e-6 + 200e-6 * height, 0.0)
    lead_height = np.where(layout.gullwing, np.maximum(placement.lead_std * np.abs(lead), height_bent), 0.0)

    for fault in process.faults:
        c = fault.component
        if fault.kind == "missing_pick":
            present[..., c] = False
        elif fault.kind == "slip":
            offset[..., c, :] += fault.values[:2]
            rotation[..., c] += fault.values[2]
        elif fault.kind in MISFEEDS:
            misfeed((..., c), fault.kind)
        elif fault.kind == "wrong_reel":
            substitute[..., c] = len(substitutes)
            substitutes.append(assembly.packages[int(fault.values[0])])
        elif fault.kind == "bent_lead":
            lead_height[..., fault.joint] = fault.values[0]
    # on the way to the oven; what a healthy belt would move is glued or clipped, or the board could not be made
    shock = process.oven.shake / np.maximum(layout.tack / CREST, Oven.shake) - 1
    if (shock > 0).any():
        offset = offset + np.minimum(SLIDE[0] * np.maximum(shock, 0), SLIDE[1])[:, None] * slid
    size = np.hypot(offset[..., 0], offset[..., 1])
    held = layout.pinned & (size > PIN_PLAY)
    offset[held] *= (PIN_PLAY / size[held])[:, None]
    rotation = np.where(layout.pinned, np.clip(rotation, -np.radians(1), np.radians(1)), rotation)
    used = nozzle[:len(wear)] if parts else np.arange(1)
    return Placed(present, offset, rotation, reverse, orientation, substitute, tuple(substitutes), lead_height,
                  float(vacuum[used].mean()), float((0.02 + 10 * fall[nozzle] + failed).sum()))


__all__ = ["MISFEEDS", "Placed", "badly_held", "can_lie", "machine_of", "place"]
