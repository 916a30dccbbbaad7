"""simulate: assembly + process + random streams → UnitStates."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scenes.smt.draws import normals, uniforms
from scenes.smt.layout import Layout, per_part
from scenes.smt.layout import layout as layout_of
from scenes.smt.oven import Thermal, reflow_profile
from scenes.smt.placement import Placed, place
from scenes.smt.printing import Print, print_paste
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
    """Make one unit: ``simulate_units`` for a block of one."""
    return simulate_units(assembly, process, (rng,))[0]


def simulate_units(assembly: Assembly, process: Process, rngs: Sequence[np.random.Generator]) -> tuple[UnitState, ...]:
    """Make N units of one process, each from its own random stream: what ``simulate`` makes of them one by one, bit for bit.

    Each stage has its own stream (``rng.spawn``, fixed order) with a number of draws that depends on the assembly alone:
    adding a fault or a drift changes what it causes and nothing else. Replaying the stored process with an equal ``rng``
    gives a state with the same ``digest``. The arrays of a block's states are rows of common ones.

    Shapes below: N units, C components, J joints, T two-ended parts.
    """
    if not rngs:
        return ()
    print_rngs, place_rngs, reflow_rngs, void_rngs, surface_rngs = zip(*(rng.spawn(5) for rng in rngs), strict=True)
    layout, rows, parts = layout_of(assembly), assembly.joints, len(assembly.components)
    thermal = reflow_profile(process.oven)
    printed = print_paste(assembly, layout, process, print_rngs)
    placed = place(assembly, layout, process, place_rngs)

    drawn = normals(reflow_rngs, 4, len(rows))
    uneven, angle_z, rough_z, fill = (drawn[:, i] for i in range(4))
    warp = normals(reflow_rngs, parts)
    strength = CENTRING[0] + (CENTRING[1] - CENTRING[0]) * uniforms(reflow_rngs, parts)
    joints = melt(assembly, layout, process, thermal, uneven)
    molten = joints.peak > 217.0

    volume = printed.volume + layout.ball_volume
    volume = np.where(layout.through, np.maximum(rows.nominal_volume * (1 + 0.03 * fill), 0), volume)

    # surface tension pulls parts onto their lands, as far as they still overlap and the solder is liquid
    c = rows.component
    share = shares(assembly, layout, slice(None), placed.offset[:, c], placed.rotation[:, c])
    weight = (layout.printed & molten).astype(np.float64)
    mean = per_part(assembly, share * weight) / np.maximum(layout.deposits, 1)
    strength = np.where(layout.soldered & ~layout.pinned, strength, 0.0)
    offset, rotation = centred(strength, placed.offset, placed.rotation, mean)
    share = shares(assembly, layout, slice(None), offset[:, c], rotation[:, c])

    # tombstones: the end that wets first pulls the other one up
    lift, lift_axis = np.zeros(strength.shape), np.zeros(strength.shape)
    two, (a, b) = layout.two, layout.ends.T
    delay = (joints.lag[:, b] - joints.lag[:, a]) / max(thermal.melting, 0.2)   # b colder: it wets later, a stays down
    tilt = np.where(placed.present[:, two] & (placed.substitute[:, two] < 0) & molten[:, a] & molten[:, b],
                    lift_angle(layout.ratio, delay), 0.0)
    unit, up = np.nonzero(tilt)
    a_stays, tilt = (delay > 0)[unit, up], tilt[unit, up]
    stays, open_end = np.where(a_stays, a[up], b[up]), np.where(a_stays, b[up], a[up])
    lift[unit, two[up]] = tilt
    lift_axis[unit, two[up]] = [assembly.packages[k].terminals[rows.terminal[j]].direction
                                for k, j in zip(two[up], stays, strict=True)]

    there = placed.present[:, c]
    gap = lifted(assembly, layout, placed, volume)
    pillow = pillow_gap(assembly, layout, process, printed.volume, warp)
    gap = np.where(there, np.maximum(gap, pillow), 0.0)
    gap[unit, open_end] = np.sin(tilt) * layout.size[two[up], 0]
    solder = volume > 0
    wetted = there & solder & (gap == 0) & molten & ((share > WET_SHARE) | layout.through)
    cold = np.where(solder & ~layout.through, coldness(joints.peak, joints.above), 0.0)
    extra = np.divide(printed.volume, rows.nominal_volume, out=np.ones(volume.shape), where=layout.printed & ~layout.ball) - 1
    contact = ANGLE[0] + ANGLE_STD * np.clip(angle_z, -3, 3) + np.radians(60) * np.maximum(extra, 0)
    contact = np.minimum(contact + (ANGLE[1] - ANGLE[0]) * cold, np.radians(130))
    roughness = ROUGHNESS[0] + ROUGHNESS_STD * np.clip(rough_z, -3, 3)
    roughness = roughness + (ROUGHNESS[1] - ROUGHNESS[0]) * cold
    standoff = standoffs(assembly, layout, volume)
    voids = voided(assembly, layout, process, thermal.soak, standoff, molten, void_rngs)
    bridges = bridged(assembly, layout, printed)
    surfaces = handled(assembly, process, thermal, surface_rngs)

    # half turns in the pocket, about the middle of the terminals
    turned = np.where(placed.reversed, np.pi, 0.0)
    offset = offset + np.where(placed.reversed[..., None], 2 * layout.centroid, 0.0)
    rotation = rotation + turned
    offset[~placed.present], rotation[~placed.present] = 0.0, 0.0
    orientation = np.where(placed.present, placed.orientation, 0).astype(np.int32)
    lift[orientation == BILLBOARD] = 0.0
    substitute = np.where(placed.present, placed.substitute, -1).astype(np.int32)
    land_wetted = solder & molten
    signals = _signals(assembly, layout, process, thermal, printed, placed)
    return tuple(
        UnitState(placed.present[n], offset[n], rotation[n], lift[n], lift_axis[n], orientation[n], standoff[n],
                  substitute[n], placed.substitutes, volume[n], contact[n], wetted[n], land_wetted[n], gap[n], roughness[n],
                  printed.offset[n], bridges[n], voids[n], surface.balls, surface.residues, surface.scratches, signals[n])
        for n, surface in enumerate(surfaces))


def _signals(assembly: Assembly, layout: Layout, process: Process, thermal: Thermal, printed: Print,
             placed: Placed) -> list[dict[str, float]]:
    """What the machines measured on every unit: values that differ between units, then those of the process."""
    rows, units = assembly.joints, len(placed.present)
    on = np.flatnonzero(layout.printed)
    relative = np.take(printed.volume, on, axis=1) / layout.deposit[on]
    least = mean = np.ones(units)
    if len(on):
        mean, least = relative.mean(axis=1), relative.min(axis=1)
    shift = np.hypot(printed.offset[..., 0], printed.offset[..., 1]).mean(axis=1) if len(rows) else np.zeros(units)
    squared = placed.offset[..., 0]**2 + placed.offset[..., 1]**2
    residual = np.sqrt(squared.mean(axis=1)).tolist() if squared.shape[1] else [0.0] * units
    for n in np.flatnonzero(~placed.present.all(axis=1)).tolist():        # of the parts that are there
        own = squared[n, placed.present[n]]
        residual[n] = float(np.sqrt(own.mean())) if len(own) else 0.0
    printer = {"printer.force": process.printer.force * (1 + 0.3 * process.printer.clog),
               "printer.since_wipe": float(process.printer.since_wipe)}
    later = {
        "placement.vacuum": placed.vacuum,
        "placement.retries": placed.retries,
        "reflow.soak": thermal.soak, "reflow.above_liquidus": thermal.above, "reflow.peak": thermal.peak,
        "reflow.ramp": thermal.ramp, "reflow.belt_speed": process.oven.speed / 60,
        **{f"reflow.zone{i}": z for i, z in enumerate(process.oven.zones, 1)}}
    return [{"spi.volume_mean": mean_n, "spi.volume_min": least_n, "spi.offset": shift_n, **printer,
             "placement.residual_rms": residual_n, **later}
            for mean_n, least_n, shift_n, residual_n in zip(mean.tolist(), least.tolist(), shift.tolist(), residual, strict=True)]


__all__ = ["simulate", "simulate_units"]
