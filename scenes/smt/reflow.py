"""reflow: wet paste and loose parts become joints. Self-centring, tombstones, wetting, collapse, head-in-pillow, voids.

Functions of arrays, so that conditioning can invert the same physics that the simulation runs. Leading axes are free: (…, J)
is one unit's joints, or those of a block of units that share one process. Where units have different numbers of things
(bridges, voids) the block has one axis, (N, J), and what comes back is one value per unit.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scenes.smt.draws import normals, uniforms
from scenes.smt.layout import Layout, least_per_part, overhang, per_part
from scenes.smt.oven import LIQUIDUS, Thermal
from scenes.smt.placement import Placed
from scenes.smt.printing import Print
from scenes.smt.process import Process
from scenes.smt.state import Assembly, Bridges, Voids

F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

CENTRING = (0.6, 0.9)                          # [1] of an offset that surface tension removes while lands overlap (50–90 %)
FULL_PULL = 0.5                                # [1] overlap from which on it pulls with full strength
WET_SHARE = 0.02                               # [1] of the designed overlap that solder needs to find the termination
COLD_PEAK = (230.0, 15.0)                      # [°C] below which a joint does not coalesce; [K] to the worst
COLD_TIME = (40.0, 20.0)                       # [s] above liquidus, likewise
ROUGHNESS = (0.12, 0.40)                       # [1] healthy; not coalesced
ROUGHNESS_STD = 0.01
ANGLE = (np.radians(30), np.radians(110))      # [rad] wetting angle: healthy 20–40°; not coalesced up to 110°
ANGLE_STD = np.radians(3)
UPLIFT_START = 2.5                             # [s] of wetting-time difference that friction and paste tack take up
UPLIFT_FULL = 3.0                              # [s] more, and the far end pulls alone
UPLIFT_TRAVEL = 5.0                            # [s] more than needed, and the part stands upright
LIFT = (np.radians(30), np.radians(90))        # [rad] tombstones stand between these
STANDOFF = (5e-6, 30e-6, 60e-6)                # [m] least; greatest on chip ends and leads; greatest on flat contacts
COLLAPSE = 10e-6                               # [m] that a BGA sinks into its paste before the balls melt
PILLOW = (0.25, 1e-6, 20e-6)                   # [1] of the separation at peak that stays; [m] least and greatest gap
SLUMP_START = 1.2                              # [1] paste volume above which a deposit spreads beyond its land
RUPTURE = 1 / np.pi                            # a liquid neck longer than π times its width breaks (Rayleigh–Plateau)
NECK = (0.8, 0.95, 400e-6)                     # [1] of a bead that stays as neck; [1] of the facing length; [m] greatest
NECK_HEIGHT = 0.4                              # [1] of the width
VOID_MEDIAN = (0.02, 0.6)                      # [1] projected share at 70 s soak; log-normal spread
VOID_MOST = 0.42                               # [1] more does not fit as spheres side by side
VOIDS_PER_BALL = 4
VOID_LEAST = 0.05                              # [1] of the ball's diameter; smaller ones are not kept


@dataclass(frozen=True, eq=False)
class Melt:
    """What every joint goes through: (…, J) each."""
    lag: F64                                   # [K] behind the board at peak
    peak: F64                                  # [°C]
    above: F64                                 # [s] above 217 °C


def melt(assembly: Assembly, layout: Layout, process: Process, thermal: Thermal, normal: F64) -> Melt:
    """Temperatures of the joints. ``normal``: standard normals (…, J) for the unevenness between lands."""
    lag = layout.lag[assembly.joints.component] + process.oven.imbalance / np.sqrt(2) * normal
    for fault in process.of("uneven_heating"):
        lag[..., fault.joint] += fault.values[0]
    for fault in process.of("cold_spot"):
        where = fault.joint if fault.joint >= 0 else slice(*layout.start[fault.component:fault.component + 2])
        lag[..., where] += fault.values[0]
    return Melt(lag, thermal.peak - lag, thermal.time_above(LIQUIDUS + lag))


def coldness(peak: F64, above: F64) -> F64:
    """How far a joint is from coalescing [1]: 0 with peak ≥ 230 °C and ≥ 40 s above liquidus, 1 is not at all."""
    return np.clip(np.maximum((COLD_PEAK[0] - peak) / COLD_PEAK[1], (COLD_TIME[0] - above) / COLD_TIME[1]), 0, 1)


def centred(strength: F64, offset: F64, rotation: F64, share: F64) -> tuple[F64, F64]:
    """Pose after self-centring. ``share``: mean overlap left, relative to the design; without overlap nothing pulls."""
    left = 1 - strength * np.clip(share / FULL_PULL, 0, 1)
    return offset * left[..., None], rotation * left


def shares(assembly: Assembly, layout: Layout, joints: NDArray[np.intp] | slice, offset: F64, rotation: F64) -> F64:
    """Overlap of terminals with their lands relative to the design [1]; arguments as ``layout.overhang``."""
    _, _, _, area = overhang(assembly, joints, offset, rotation)
    design = layout.overlap[joints]
    return np.divide(area, design, out=np.zeros_like(area), where=design > 0)


def critical_delay(ratio: F64) -> F64:
    """Wetting-time difference [s] from which on a part with this moment ratio tips over; inf where weight wins."""
    return np.where(ratio > 1, UPLIFT_START + UPLIFT_FULL / np.maximum(ratio, 1e-9), np.inf)


def lift_angle(ratio: F64, delay: F64) -> F64:
    """Tilt of a two-ended part [rad], 0 where it stays down. ``delay``: wetting-time difference of its ends [s]."""
    with np.errstate(invalid="ignore"):
        more = (np.abs(delay) - critical_delay(ratio)) / UPLIFT_TRAVEL
    return np.where(more > 0, LIFT[0] + (LIFT[1] - LIFT[0]) * np.clip(more, 0, 1), 0.0)


def collapsed(volume: F64, radius: F64) -> F64:
    """Height [m] of a spherical segment of this volume between two equal discs: V = π·h·(6a² + h²)/6, solved exactly."""
    half, third = 3 * volume / np.pi, 2 * radius**2                       # h³ + 3·third·h − 2·half = 0
    root = np.sqrt(half**2 + third**3)
    height: F64 = np.cbrt(half + root) - np.cbrt(root - half)
    return height


def segment_radius(height: F64, radius: F64) -> F64:
    """Greatest radius [m] of that segment."""
    return np.hypot(radius, height / 2)


def ball_radius(assembly: Assembly, standoff: F64) -> F64:
    """Radius [m] of every joint's collapsed ball seen from above, (…, J). ``standoff``: (…, C) as in UnitState."""
    rows = assembly.joints
    return segment_radius(standoff[..., rows.component], rows.land_size.min(axis=1) / 2)


def standoffs(assembly: Assembly, layout: Layout, volume: F64) -> F64:
    """Seating plane above the lands [m], (…, C). ``volume``: (…, J). Zero where nothing is printed, and for parts on pins.

    Parts on paste float on a share of their solder, spread over the terminal: 35 % under chip ends and formed leads, 80 %
    under flat contacts; the thinner joint of a two-ended part, the mean of more. A BGA's seating plane is the underside of
    its substrate: it stands on balls collapsed to a spherical segment, all of their mean volume.
    """
    seats = _seats(assembly, layout)
    thickness = np.minimum(seats.share * volume / seats.area, 4 * STANDOFF[1])
    mean = per_part(assembly, np.where(seats.paste, thickness, 0.0)) / np.maximum(seats.count, 1)
    thinner = least_per_part(assembly, np.where(seats.paste, thickness, np.inf))
    out = np.clip(np.where(seats.count <= 2, np.minimum(thinner, seats.most), mean), STANDOFF[0], seats.most)
    out = np.where(layout.soldered & ~layout.pinned, out, 0.0)
    on = seats.balls > 0
    if on.any():
        average = per_part(assembly, np.where(seats.ball, volume, 0.0))[..., on] / seats.balls[on]
        out[..., on] = collapsed(average, seats.radius[on])
    return out


@dataclass(frozen=True, eq=False)
class _Seats:
    """What parts stand on, by design."""
    paste: Bool                                # (J,) printed, and no ball
    ball: Bool                                 # (J,) printed, and a ball
    share: F64                                 # (J,) [1] of the solder that lies under the terminal
    area: F64                                  # (J,) [m²] of the terminal
    count: NDArray[np.intp]                    # (C,) joints of paste
    most: F64                                  # (C,) [m] greatest stand-off
    balls: NDArray[np.intp]                    # (C,)
    radius: F64                                # (C,) [m] mean of its balls' lands


@lru_cache(maxsize=4)
def _seats(assembly: Assembly, layout: Layout) -> _Seats:
    rows, parts = assembly.joints, len(assembly.components)
    c, paste, ball = rows.component, layout.printed & ~layout.ball, layout.printed & layout.ball
    most = np.where(np.bincount(c[paste & layout.flat], minlength=parts) > 0, STANDOFF[2], STANDOFF[1])
    balls = np.bincount(c[ball], minlength=parts)
    radius = np.bincount(c[ball], rows.land_size.min(axis=1)[ball] / 2, parts) / np.maximum(balls, 1)
    return _Seats(paste, ball, np.where(layout.flat, 0.8, 0.35), np.maximum(rows.term_size.prod(axis=1), 1e-12),
                  np.bincount(c[paste], minlength=parts), most, balls, radius)


def lifted(assembly: Assembly, layout: Layout, placed: Placed, volume: F64) -> F64:
    """Gap [m] under formed leads that the molten solder on their land does not reach, (…, J), 0 where it does."""
    bump = volume / layout.land_area
    return np.where(layout.gullwing, np.maximum(placed.lead_height - bump, 0), 0.0)


def pillow_gap(assembly: Assembly, layout: Layout, process: Process, volume: F64, normal: F64) -> F64:
    """Gap [m] that stays between ball and paste where warpage kept them apart at peak, (…, J), 0 where they merged.

    Separation at peak = warpage · (distance from the middle / farthest)² − collapse − height of the molten paste.
    ``volume``: (…, J) solder of the paste alone. ``normal``: standard normals (…, C) for the warpage of each part.
    """
    if not layout.ball.any():
        return np.zeros_like(volume)
    rows = assembly.joints
    warpage = process.oven.warpage * np.abs(1 + 0.3 * normal)
    for fault in process.of("warpage"):
        warpage[..., fault.component] = fault.values[0]
    reach = COLLAPSE + volume / np.maximum(rows.aperture_area, 1e-12)
    apart = np.where(layout.ball & layout.printed, warpage[..., rows.component] * layout.edge_distance - reach, 0.0)
    return np.where(apart > 0, np.clip(PILLOW[0] * apart, PILLOW[1], PILLOW[2]), 0.0)


def neck_width(gap: F64, facing: F64, reach: F64, bead: F64) -> F64:
    """Width [m] of the solder neck between two lands, 0 where none stays.

    ``reach``: how far the two deposits spread towards each other [m]; they touch above the gap. ``bead``: smeared bead that
    already spans it. Surface tension thins a neck and breaks one that is longer than π times its width.
    """
    spread = np.where(reach > gap, 1.05 * RUPTURE * gap + 1.5 * (reach - gap), 0.0)
    width = np.minimum(np.minimum(np.maximum(spread, NECK[0] * bead), NECK[1] * facing), NECK[2])
    return np.where(width >= RUPTURE * gap, width, 0.0)


def bridged(assembly: Assembly, layout: Layout, printed: Print) -> tuple[Bridges, ...]:
    """Solder necks between neighbouring lands, for N printed boards."""
    rows, first, second = assembly.joints, layout.first, layout.second
    nominal = np.maximum(rows.nominal_volume - layout.ball_volume, 1e-18)
    slump = assembly.stencil_thickness * np.maximum(printed.volume / nominal - SLUMP_START, 0)
    x, y = printed.offset[..., 0], printed.offset[..., 1]
    shift = np.abs(x[:, first] * layout.axis[:, 0] + y[:, first] * layout.axis[:, 1])
    reach = slump[:, first] + slump[:, second] + printed.bleed + np.maximum(shift - 50e-6, 0)
    width = neck_width(layout.gap, layout.facing, reach, printed.bead)
    there = width > 0
    found = [Bridges(first[:0], second[:0], np.zeros(0), np.zeros(0))] * len(width)
    for n in np.flatnonzero(there.any(axis=1)).tolist():
        on = there[n]
        found[n] = Bridges(first[on], second[on], width[n, on], NECK_HEIGHT * width[n, on])
    return tuple(found)


def voided(assembly: Assembly, layout: Layout, process: Process, soak: float, standoff: F64, molten: Bool,
           rngs: Sequence[np.random.Generator]) -> tuple[Voids, ...]:
    """Spherical voids in the balls: one large and a few small ones around it, apart from each other seen from above.

    ``standoff``: (N, C). ``molten``: (N, J). Draws of each unit: 1 normal and 12 uniforms per ball.
    """
    balls = np.flatnonzero(layout.ball & layout.printed)
    if not len(balls):
        return (Voids(np.zeros(0, np.int32), np.zeros((0, 3)), np.zeros(0)),) * len(rngs)
    rows, units = assembly.joints, len(rngs)
    spread = normals(rngs, len(balls))
    u = uniforms(rngs, len(balls), 3, VOIDS_PER_BALL).reshape(-1, 3, VOIDS_PER_BALL)
    oven = process.oven
    median = VOID_MEDIAN[0] * (70 / max(soak, 20.0))**1.5 * (1 + 4 * oven.moisture)
    share = np.minimum(median * np.exp(VOID_MEDIAN[1] * spread), VOID_MOST)
    for fault in process.of("outgassing"):
        share[:, balls == fault.joint] = min(fault.values[0], VOID_MOST)
    share = share.ravel()                                                 # from here on one row per unit and ball
    height = standoff[:, rows.component[balls]].ravel()
    radius = segment_radius(height, np.tile(rows.land_size[balls].min(axis=1) / 2, units))
    least = 0.65 + np.clip(share - 0.25, 0, 0.2)                          # large shares only fit as one large void …
    main = share * (least + (0.9 - least) * u[:, 0, 0])
    main = np.minimum(main, (0.95 * height / 2 / radius)**2)              # … that is no higher than the ball
    part = np.column_stack([main, (share - main)[:, None] * _split(u[:, 0, 1:])])
    size = np.sqrt(part) * radius[:, None]
    turn = 2 * np.pi * u[:, 1, 0]
    room = np.maximum(np.minimum(0.97 * radius - size[:, 0] - 2 * size[:, 1:].max(axis=1, initial=0), 0.2 * radius), 0)
    x, y = np.empty_like(size), np.empty_like(size)
    x[:, 0], y[:, 0] = -room * np.cos(turn), -room * np.sin(turn)
    for k in range(1, VOIDS_PER_BALL):
        angle = turn + 0.9 * (k - 2)
        away = 1.02 * (size[:, 0] + size[:, k]) + 0.1 * u[:, 1, k] * np.maximum(radius - room - size[:, 0] - 2 * size[:, k], 0)
        x[:, k], y[:, k] = x[:, 0] + away * np.cos(angle), y[:, 0] + away * np.sin(angle)
    inside = np.hypot(x, y) + size < 0.99 * radius[:, None]
    keep = inside & (2 * size > VOID_LEAST * 2 * radius[:, None]) & molten[:, balls].reshape(-1, 1)
    z_room = np.sqrt(np.maximum((radius[:, None] * 0.98 - size)**2 - x**2 - y**2, 0))
    z = (2 * u[:, 2] - 1) * np.maximum(np.minimum(z_room, height[:, None] / 2 * 0.96 - size), 0)
    row, column = np.nonzero(keep)
    joint, found = np.tile(balls.astype(np.int32), units)[row], size[row, column]
    center = np.column_stack([x[row, column], y[row, column], z[row, column]])
    ends = np.cumsum(np.count_nonzero(keep.reshape(units, -1), axis=1)).tolist()
    return tuple(Voids(joint[a:b], center[a:b], found[a:b]) for a, b in pairwise([0, *ends]))


def _split(u: F64) -> F64:
    """Random positive parts that add up to 1 per row."""
    weight = 1 + 0.5 * u
    parts: F64 = weight / weight.sum(axis=1, keepdims=True)
    return parts


__all__ = ["Melt", "ball_radius", "bridged", "centred", "coldness", "collapsed", "critical_delay", "lift_angle", "lifted", "melt",
           "neck_width", "pillow_gap", "segment_radius", "shares", "standoffs", "voided"]
