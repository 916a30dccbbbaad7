"""simulate: assembly + process + random stream → UnitState."""
from __future__ import annotations

import numpy as np

from scenes.smt.assembly import METAL_FRACTION, transfer_efficiency
from scenes.smt.layout import layout as layout_of
from scenes.smt.oven import reflow_profile
from scenes.smt.placement import place
from scenes.smt.printing import print_paste
from scenes.smt.process import Process
from scenes.smt.reflow import (
    ANGLE,
    ANGLE_STD,
    CENTRING,
    ROUGHNESS,
    ROUGHNESS_STD,
    WET_SHARE,
    bridged,
    centred,
    coldness,
    lift_angle,
    lifted,
    melt,
    pillow_gap,
    shares,
    standoffs,
    voided,
)
from scenes.smt.state import BILLBOARD, Assembly, UnitState
from scenes.smt.surface import handled


def simulate(assembly: Assembly, process: Process, rng: np.random.Generator) -> UnitState:
    """Make one unit.

    Each stage has its own stream (``rng.spawn``, fixed order) with a number of draws that depends on the assembly alone:
    adding a fault or a drift changes what it causes and nothing else. Replaying the stored process with an equal ``rng``
    gives a state with the same ``digest``.
    """
    print_rng, place_rng, reflow_rng, void_rng, surface_rng = rng.spawn(5)
    layout, rows = layout_of(assembly), assembly.joints
    thermal = reflow_profile(process.oven)
    printed = print_paste(assembly, layout, process, print_rng)
    placed = place(assembly, layout, process, place_rng)

    uneven, angle_z, rough_z, fill = reflow_rng.standard_normal((4, len(rows)))
    warp = reflow_rng.standard_normal(len(placed.present))
    strength = CENTRING[0] + (CENTRING[1] - CENTRING[0]) * reflow_rng.random(len(placed.present))
    joints = melt(assembly, layout, process, thermal, uneven)
    molten = joints.peak > 217.0

    volume = printed.volume + np.where(layout.ball, np.pi / 6 * rows.term_height**3, 0.0)
    volume = np.where(layout.through, np.maximum(rows.nominal_volume * (1 + 0.03 * fill), 0), volume)

    # surface tension pulls parts onto their lands, as far as they still overlap and the solder is liquid
    c = rows.component
    share = shares(assembly, layout, slice(None), placed.offset[c], placed.rotation[c])
    weight = (layout.printed & molten).astype(np.float64)
    mean = np.bincount(c, share * weight, len(strength)) / np.maximum(np.bincount(c, layout.printed, len(strength)), 1)
    strength = np.where(layout.soldered & ~layout.pinned, strength, 0.0)
    offset, rotation = centred(strength, placed.offset, placed.rotation, mean)
    share = shares(assembly, layout, slice(None), offset[c], rotation[c])

    # tombstones: the end that wets first pulls the other one up
    lift, lift_axis = np.zeros(len(strength)), np.zeros(len(strength))
    a, b = layout.ends.T
    delay = (joints.lag[b] - joints.lag[a]) / max(thermal.melting, 0.2)   # b colder: it wets later, a stays down
    tilt = np.where(placed.present[layout.two] & (placed.substitute[layout.two] < 0) & molten[a] & molten[b],
                    lift_angle(layout.ratio, delay), 0.0)
    up = np.flatnonzero(tilt)
    stays, open_end = np.where(delay > 0, a, b)[up], np.where(delay > 0, b, a)[up]
    lift[layout.two[up]] = tilt[up]
    lift_axis[layout.two[up]] = [assembly.packages[k].terminals[rows.terminal[j]].direction
                                 for k, j in zip(layout.two[up], stays, strict=True)]

    there = placed.present[c]
    gap = lifted(assembly, layout, placed, volume)
    pillow = pillow_gap(assembly, layout, process, printed.volume, warp)
    gap = np.where(there, np.maximum(gap, pillow), 0.0)
    gap[open_end] = np.sin(tilt[up]) * layout.size[layout.two[up], 0]
    solder = volume > 0
    wetted = there & solder & (gap == 0) & molten & ((share > WET_SHARE) | layout.through)
    cold = np.where(solder & ~layout.through, coldness(joints.peak, joints.above), 0.0)
    extra = np.divide(printed.volume, rows.nominal_volume, out=np.ones(len(rows)), where=layout.printed & ~layout.ball) - 1
    contact = ANGLE[0] + ANGLE_STD * np.clip(angle_z, -3, 3) + np.radians(60) * np.maximum(extra, 0)
    contact = np.minimum(contact + (ANGLE[1] - ANGLE[0]) * cold, np.radians(130))
    roughness = ROUGHNESS[0] + ROUGHNESS_STD * np.clip(rough_z, -3, 3)
    roughness = roughness + (ROUGHNESS[1] - ROUGHNESS[0]) * cold
    standoff = standoffs(assembly, layout, volume)
    voids = voided(assembly, layout, process, thermal.soak, standoff, molten, void_rng)
    surface = handled(assembly, process, thermal, surface_rng)

    # half turns in the pocket, about the middle of the terminals
    turned = np.where(placed.reversed, np.pi, 0.0)
    offset = offset + np.where(placed.reversed[:, None], 2 * layout.centroid, 0.0)
    rotation = rotation + turned
    offset[~placed.present], rotation[~placed.present] = 0.0, 0.0
    orientation = np.where(placed.present, placed.orientation, 0).astype(np.int32)
    lift[orientation == BILLBOARD] = 0.0
    expected = METAL_FRACTION * rows.aperture_area * assembly.stencil_thickness * transfer_efficiency(rows.aperture_ratio)
    relative = np.divide(printed.volume, expected, out=np.ones(len(rows)), where=layout.printed)[layout.printed]
    residual = placed.offset[placed.present]
    signals = {
        "spi.volume_mean": float(relative.mean()) if len(relative) else 1.0,
        "spi.volume_min": float(relative.min()) if len(relative) else 1.0,
        "spi.offset": float(np.hypot(*printed.offset.T).mean()) if len(rows) else 0.0,
        "printer.force": process.printer.force * (1 + 0.3 * process.printer.clog),
        "printer.since_wipe": float(process.printer.since_wipe),
        "placement.residual_rms": float(np.sqrt((residual**2).sum(axis=1).mean())) if len(residual) else 0.0,
        "placement.vacuum": placed.vacuum,
        "placement.retries": placed.retries,
        "reflow.soak": thermal.soak, "reflow.above_liquidus": thermal.above, "reflow.peak": thermal.peak,
        "reflow.ramp": thermal.ramp, "reflow.belt_speed": process.oven.speed / 60,
        **{f"reflow.zone{i}": z for i, z in enumerate(process.oven.zones, 1)},
    }
    return UnitState(
        placed.present, offset, rotation, lift, lift_axis, orientation, standoff,
        np.where(placed.present, placed.substitute, -1).astype(np.int32), placed.substitutes,
        volume, contact, wetted, solder & molten, gap, roughness, printed.offset, bridged(assembly, layout, printed), voids,
        surface.balls, surface.residues, surface.scratches, signals)


__all__ = ["simulate"]
