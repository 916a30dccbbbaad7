"""condition: add a cause to a process that tends to produce a wanted defect, by inverting the process model.

Nothing is painted: the fault acts in its stage, and the acceptance rules decide whether the unit shows the defect. Whoever
asks simulates, looks at the findings and tries again with another stream where the target is not among them.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity

from scenes.errors import RecipeError
from scenes.family import Target
from scenes.smt.acceptance import JUDGED, inner_overhang, residue_extent, side_limits
from scenes.smt.layout import CHIP_KINDS, Layout, body_boxes, land_boxes, overhang
from scenes.smt.layout import layout as layout_of
from scenes.smt.oven import LIQUIDUS, reflow_profile
from scenes.smt.placement import can_lie
from scenes.smt.printing import expected_volume
from scenes.smt.process import Fault, Process
from scenes.smt.profile import Profile
from scenes.smt.reflow import (
    CENTRING,
    COLLAPSE,
    LIFT,
    NECK,
    PILLOW,
    ROUGHNESS,
    RUPTURE,
    SLUMP_START,
    UPLIFT_TRAVEL,
    WET_SHARE,
    centred,
    coldness,
    critical_delay,
    shares,
)
from scenes.smt.state import Assembly
from scenes.smt.surface import film_seed
from scenes.smt.taxonomy import DEFECTS

F64 = NDArray[np.float64]
Bounds = tuple[float, float]

LARGEST_ROTATED = 8e-3                         # [m] longer parts are not picked far askew without falling off
SLIP_STEPS = 48
SLIP_MOST = 2.0e-3                             # [m]
LARGEST_TURN = np.radians(80)
COLLISION = 0.02e-6                            # [m²] that two bodies may overlap seen from above
BY_NAME = {d.name: d for d in DEFECTS}


def hosts(assembly: Assembly, defect: str) -> tuple[int, ...]:
    """Components (indices) that can show a defect; (−1,) for the bare board; () where it cannot occur.

    Raises RecipeError for a defect that is not in the taxonomy.
    """
    if defect not in BY_NAME:
        near = get_close_matches(defect, BY_NAME, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(BY_NAME)}"
        raise RecipeError(f"{defect}: unknown defect; {hint}")
    layout, rows = layout_of(assembly), assembly.joints
    if defect in ("solder_ball", "residue", "scratch"):
        return (-1,)
    free = layout.soldered & ~layout.pinned
    judged = layout.printed & np.isin(np.array(rows.kind, dtype=object), JUDGED)
    if defect == "missing":
        chosen = free
    elif defect in ("shift", "rotation"):
        small = np.array([max(p.body[:2]) <= LARGEST_ROTATED for p in assembly.packages], bool)
        chosen = free & ~_having(layout, rows.component, layout.ball) & _having(layout, rows.component, judged) & small
    elif defect == "tombstone":
        chosen = np.zeros(len(free), bool)
        chosen[layout.two[layout.ratio > 1]] = True
    elif defect in ("billboard", "flipped", "polarity"):
        chosen = free & np.array([can_lie(assembly, layout, c, defect) for c in range(len(free))], bool)
    elif defect == "wrong_part":
        reels = _reels(assembly)
        chosen = free & np.array([bool(reels.get(c)) for c in range(len(free))], bool)
    elif defect == "bridge":
        chosen = _having(layout, rows.component, np.isin(np.arange(len(rows)), layout.first[_bridgeable(assembly)]))
    elif defect in ("insufficient", "excess", "cold_joint"):
        chosen = free & _having(layout, rows.component, judged)
    elif defect in ("head_in_pillow", "bga_void"):
        chosen = free & _having(layout, rows.component, layout.ball & layout.printed)
    else:
        ours = np.array([not p.model for p in assembly.packages], bool)    # leads of an imported model do not bend
        chosen = free & ours & _having(layout, rows.component, layout.gullwing & layout.printed)
    return tuple(np.flatnonzero(chosen).tolist())


def condition(assembly: Assembly, profile: Profile, process: Process, target: Target, rng: np.random.Generator) -> Process:
    """``process`` with one cause more. Raises RecipeError where no part can show the target at this severity."""
    possible = hosts(assembly, target.defect)
    if target.host:
        possible = tuple(c for c in possible if c >= 0 and assembly.components[c].reference == target.host)
    low, high = _bounds(target)
    if possible and low <= high:
        order = [possible[i] for i in rng.permutation(len(possible))]
        causes = CAUSES[target.defect]
        found = causes(_Case(assembly, layout_of(assembly), profile, process), order, (low, high), rng)
        if found:
            return process.with_faults(*found)
    level = f" with {BY_NAME[target.defect].severity} in {low:g} … {high:g} {BY_NAME[target.defect].severity_unit}"
    raise RecipeError(f"{target.defect}: no {f'part {target.host}' if target.host else 'part on this side'} can show it"
                      f"{level if BY_NAME[target.defect].severity else ''}; change the quota, the severity or the board")


def _bounds(target: Target) -> Bounds:
    """The severity that is asked for, within what the taxonomy's levels span."""
    levels = BY_NAME[target.defect].severity_levels
    if not levels:
        return 0.0, 0.0
    least, most = min(a for a, _ in levels), max(b for _, b in levels)
    return (target.low if np.isfinite(target.low) else least), (target.high if np.isfinite(target.high) else most)


def _aim(bounds: Bounds, rng: np.random.Generator, margin: float) -> float:
    """A severity inside the bounds, away from both by ``margin`` of their distance."""
    low, high = bounds
    return float(low + (high - low) * (margin + (1 - 2 * margin) * rng.random()))


class _Case:
    """What every inversion needs."""

    def __init__(self, assembly: Assembly, layout: Layout, profile: Profile, process: Process) -> None:
        self.assembly, self.layout, self.profile, self.process = assembly, layout, profile, process
        self.rows = assembly.joints
        self.judged = layout.printed & np.isin(np.array(self.rows.kind, dtype=object), JUDGED)

    def joints(self, c: int) -> NDArray[np.intp]:
        return np.arange(self.layout.start[c], self.layout.start[c + 1])


Causes = Callable[[_Case, list[int], Bounds, np.random.Generator], tuple[Fault, ...]]


def _having(layout: Layout, component: NDArray[np.int32], joints: NDArray[np.bool_]) -> NDArray[np.bool_]:
    there: NDArray[np.bool_] = np.bincount(component[joints], minlength=len(layout.count)) > 0
    return there


# --- placement ------------------------------------------------------------------------------------------------------

def _one(kind: str) -> Causes:
    def causes(case: _Case, order: list[int], bounds: Bounds, rng: np.random.Generator) -> tuple[Fault, ...]:
        return (Fault(kind, order[0]),)
    return causes


@lru_cache(maxsize=4)
def _reels(assembly: Assembly) -> dict[int, list[int]]:
    """Per two-ended chip, the parts whose reel could be loaded in its place: of like size, and to be told apart by eye."""
    layout = layout_of(assembly)
    first: dict[str, int] = {}
    for k in layout.two.tolist():
        if assembly.packages[k].kind in CHIP_KINDS:
            first.setdefault(assembly.packages[k].key, k)
    out = {}
    for c in layout.two.tolist():
        own, length = assembly.packages[c], layout.size[c, 0]
        out[c] = [k for key, k in first.items() if 0.45 < layout.size[k, 0] / length < 1.7 and (
            assembly.packages[k].kind != own.kind or abs(layout.size[k, 0] - length) > 0.15 * length)]
    return out


def _wrong_reel(case: _Case, order: list[int], bounds: Bounds, rng: np.random.Generator) -> tuple[Fault, ...]:
    reels = _reels(case.assembly)[order[0]]
    return (Fault("wrong_reel", order[0], values=(float(reels[int(rng.integers(len(reels)))]),)),)


def _collides(case: _Case, c: int, offset: F64, rotation: float) -> bool:
    """Whether a part that lies there would overlap another body."""
    bodies = body_boxes(case.assembly)
    own = affinity.rotate(bodies[c], rotation, origin=tuple(case.assembly.position[c]), use_radians=True)
    own = affinity.translate(own, *offset)
    others = np.delete(bodies, c)
    return bool(len(others) and shapely.area(shapely.intersection(others, own)).max() > COLLISION)


def _slips(case: _Case, c: int, bounds: Bounds, rng: np.random.Generator, turning: bool, strict: bool) -> Iterator[Fault]:
    """Slips of part c that end within the bounds, from random ways and sizes.

    A shift slides across or along the part's first joint; a rotation turns the part about its origin. Both are judged
    after self-centring, on the same functions that reflow runs: ``strict`` for weak and strong centring alike, else for
    the mean.
    """
    joints = case.joints(c)
    strength = np.array(CENTRING if strict else (sum(CENTRING) / 2,))[:, None]
    steps = np.linspace(0.02, 1, SLIP_STEPS)
    side_limit, end_limit = (limit[joints] for limit in side_limits(case.assembly, case.layout, case.profile))
    judged = np.isfinite(side_limit)
    base = case.rows.land_angle[joints[0]]
    ways = base + np.pi / 2 * np.array([1, 3, 0, 2])
    low, high = bounds[0] + 0.08 * (bounds[1] - bounds[0]), bounds[1] - 0.08 * (bounds[1] - bounds[0])

    def wide(value: F64, axis: int) -> F64:
        return np.repeat(np.expand_dims(value, axis), len(joints), axis=axis)

    for way in ways[rng.permutation(2)].tolist() + ways[2 + rng.permutation(2)].tolist()[:0 if turning else 2]:
        sign = 1.0 if way == ways[0] else -1.0
        rotation = np.broadcast_to(sign * LARGEST_TURN * steps * turning, (len(strength), SLIP_STEPS))
        slide = SLIP_MOST * steps[:, None] * np.array([np.cos(way), np.sin(way)]) * (not turning)
        offset = np.broadcast_to(slide, (*rotation.shape, 2))
        share = shares(case.assembly, case.layout, joints, wide(offset, 2), wide(rotation, 2)).mean(axis=-1)
        offset_after, rotation_after = centred(strength, offset, rotation, share)
        if turning:
            severity = np.abs(rotation_after)
            fired = np.asarray(severity > case.profile.limit("rotation_deg"))
        else:
            at = wide(offset_after, 2), wide(rotation_after, 2)
            side, end, _, area = overhang(case.assembly, joints, *at)
            side = np.maximum(side - case.layout.side[joints], 0)
            end = np.maximum(end - case.layout.end[joints], 0)
            left = judged & (area <= WET_SHARE * case.layout.overlap[joints])
            end = np.where(left, np.maximum(end, inner_overhang(case.assembly, joints, *at)), end)
            fired = np.asarray(((side > side_limit + 5e-6) | (end > end_limit + 5e-6) | left).any(axis=-1))
            severity = np.maximum(side, end)[..., judged].max(axis=-1)
        good = np.flatnonzero(((severity > low) & (severity < high) & fired).all(axis=0))
        for i in good[rng.permutation(len(good))][:4].tolist():
            if not _collides(case, c, offset_after[0, i], float(rotation_after[0, i])):
                yield Fault("slip", c, values=(float(offset[0, i, 0]), float(offset[0, i, 1]), float(rotation[0, i])))


def _slip(turning: bool) -> Causes:
    def causes(case: _Case, order: list[int], bounds: Bounds, rng: np.random.Generator) -> tuple[Fault, ...]:
        for strict in (True, False):
            for c in order:
                for fault in _slips(case, c, bounds, rng, turning, strict):
                    return (fault,)
        return ()
    return causes


def _bent_lead(case: _Case, order: list[int], bounds: Bounds, rng: np.random.Generator) -> tuple[Fault, ...]:
    c = order[0]
    leads = [j for j in case.joints(c).tolist() if case.layout.gullwing[j] and case.layout.printed[j]]
    j = leads[int(rng.integers(len(leads)))]
    bump = expected_volume(case.assembly, case.process)[j] / case.rows.land_size[j].prod()
    return (Fault("bent_lead", c, j, values=(float(bump) + _aim(bounds, rng, 0.25),)),)


# --- printing -------------------------------------------------------------------------------------------------------

@lru_cache(maxsize=4)
def _bridgeable(assembly: Assembly) -> NDArray[np.bool_]:
    """Pairs of lands that a neck can span without breaking; those under a body only where there are no others.

    Between lands side by side a neck lies at the toes; between lands that face each other, in the middle.
    """
    layout, rows = layout_of(assembly), assembly.joints
    can: NDArray[np.bool_] = RUPTURE * layout.gap < np.minimum(NECK[1] * layout.facing, NECK[2])
    toe = rows.land_center + 0.25 * rows.land_size[:, :1] * np.column_stack([np.cos(rows.land_angle), np.sin(rows.land_angle)])
    middle = shapely.points((toe[layout.first] + toe[layout.second]) / 2)
    hidden = layout.under[layout.first] | layout.under[layout.second]
    if len(middle):
        hidden[np.unique(shapely.STRtree(middle).query(body_boxes(assembly), predicate="intersects")[1])] = True
    seen = can & ~hidden
    return seen if seen.any() else can


def _smear(case: _Case, order: list[int], bounds: Bounds, rng: np.random.Generator) -> tuple[Fault, ...]:
    layout = case.layout
    least, most = RUPTURE * layout.gap, np.minimum(NECK[1] * layout.facing, NECK[2])
    low, high = np.maximum(bounds[0], least * 1.02), np.minimum(bounds[1], most)
    for c in order:
        pairs = np.flatnonzero((case.rows.component[layout.first] == c) & (low < high) & _bridgeable(case.assembly))
        if len(pairs):
            p = int(pairs[int(rng.integers(len(pairs)))])
            width = _aim((float(low[p]), float(high[p])), rng, 0.05)
            return (Fault("smear", c, int(layout.first[p]), int(layout.second[p]), (width / NECK[0],)),)
    return ()


def _joint_by_ratio(case: _Case, c: int, rng: np.random.Generator) -> int:
    """A judged joint of part c."""
    joints = [j for j in case.joints(c).tolist() if case.judged[j]]
    return joints[int(rng.integers(len(joints)))]


def _release_first(case: _Case, order: list[int]) -> list[int]:
    """Parts whose openings release well first (steady volumes), in the given random order otherwise."""
    def poor(c: int) -> bool:
        joints = case.joints(c)
        return bool((case.rows.aperture_ratio[joints][case.judged[joints]] < 0.75).any())
    return sorted(order, key=poor)


def _clog(case: _Case, order: list[int], bounds: Bounds, rng: np.random.Generator) -> tuple[Fault, ...]:
    c = _release_first(case, order)[0]
    j = _joint_by_ratio(case, c, rng)
    share = expected_volume(case.assembly, case.process)[j] / case.rows.nominal_volume[j]
    return (Fault("clogged_aperture", c, j, values=(float(_aim(bounds, rng, 0.42) / share),)),)


def _overprint(case: _Case, order: list[int], bounds: Bounds, rng: np.random.Generator) -> tuple[Fault, ...]:
    layout, aim = case.layout, _aim(bounds, rng, 0.42)
    closest = np.full(len(case.rows), np.inf)
    np.minimum.at(closest, layout.first, layout.gap)
    np.minimum.at(closest, layout.second, layout.gap)
    slump = case.assembly.stencil_thickness * max(aim - SLUMP_START, 0)
    ordered = _release_first(case, order)
    apart = [c for c in ordered if closest[case.joints(c)].min(initial=np.inf) > 1.3 * slump]
    c = (apart or ordered)[0]
    j = _joint_by_ratio(case, c, rng)
    share = expected_volume(case.assembly, case.process)[j] / case.rows.nominal_volume[j]
    return (Fault("overprint", c, j, values=(float(aim / share),)),)


# --- reflow ---------------------------------------------------------------------------------------------------------

def _uneven_heating(case: _Case, order: list[int], bounds: Bounds, rng: np.random.Generator) -> tuple[Fault, ...]:
    c, layout = order[0], case.layout
    t = int(np.flatnonzero(layout.two == c)[0])
    lift = min(_aim(bounds, rng, 0.35), LIFT[1])
    delay = float(critical_delay(layout.ratio[t])) + UPLIFT_TRAVEL * (lift - LIFT[0]) / (LIFT[1] - LIFT[0])
    melting = max(reflow_profile(case.process.oven).melting, 0.2)
    return (Fault("uneven_heating", c, int(layout.ends[t, rng.integers(2)]), values=(delay * melting,)),)


def _cold_spot(case: _Case, order: list[int], bounds: Bounds, rng: np.random.Generator) -> tuple[Fault, ...]:
    c = order[0]
    rough = _aim((bounds[0], min(bounds[1], ROUGHNESS[1])), rng, 0.3)
    wanted = (rough - ROUGHNESS[0]) / (ROUGHNESS[1] - ROUGHNESS[0])
    thermal, lag = reflow_profile(case.process.oven), np.linspace(0, 60, 241)
    total = lag + case.layout.lag[c]
    cold = coldness(thermal.peak - total, thermal.time_above(LIQUIDUS + total))
    lack = float(np.interp(wanted, cold[:int(cold.argmax()) + 1], lag[:int(cold.argmax()) + 1]))
    joint = -1 if case.layout.count[c] <= 3 else _joint_by_ratio(case, c, rng)
    return (Fault("cold_spot", c, joint, values=(lack,)),)


def _pillow(case: _Case, order: list[int], bounds: Bounds, rng: np.random.Generator) -> tuple[Fault, ...]:
    """Little paste on one outer ball, and a warpage that the others just stand; where that is not enough, more of it."""
    c, layout = order[0], case.layout
    joints = np.array([j for j in case.joints(c).tolist() if layout.ball[j] and layout.printed[j]])
    height = expected_volume(case.assembly, case.process)[joints] / case.rows.aperture_area[joints]
    reach = np.maximum(layout.edge_distance[joints], 0.05)
    apart = _aim(bounds, rng, 0.25) / PILLOW[0]
    others = float(((COLLAPSE + 0.6 * height) / reach).min())
    quiet = np.flatnonzero(others * reach - COLLAPSE - apart > 0.05 * height)
    i = int(rng.choice(quiet if len(quiet) else np.flatnonzero(reach > 0.95 * reach.max())))
    warpage = max(others, (apart + COLLAPSE + 0.05 * float(height[i])) / float(reach[i]))
    remaining = (warpage * float(reach[i]) - COLLAPSE - apart) / float(height[i])
    return (Fault("warpage", c, values=(warpage,)), Fault("clogged_aperture", c, int(joints[i]), values=(float(remaining),)))


def _outgassing(case: _Case, order: list[int], bounds: Bounds, rng: np.random.Generator) -> tuple[Fault, ...]:
    c = order[0]
    balls = [j for j in case.joints(c).tolist() if case.layout.ball[j] and case.layout.printed[j]]
    return (Fault("outgassing", c, balls[int(rng.integers(len(balls)))], values=(_aim(bounds, rng, 0.15),)),)


# --- handling -------------------------------------------------------------------------------------------------------

def _free_points(case: _Case, rng: np.random.Generator, size: float, lands: bool, count: int = 96) -> F64:
    """Points on the laminate, farther than ``size`` from bodies (and from ``lands``), as far as there are any; (n, 2)."""
    outline = case.assembly.board.outline
    x0, y0, x1, y1 = outline.bounds
    points = np.column_stack([rng.uniform(x0, x1, count), rng.uniform(y0, y1, count)])
    on = points[shapely.contains_xy(outline.buffer(-size), points)]
    taken = np.concatenate([body_boxes(case.assembly), land_boxes(case.assembly)] if lands else [body_boxes(case.assembly)])
    if len(taken) and len(on):
        _, near = shapely.STRtree(shapely.points(on)).query(taken, predicate="dwithin", distance=size)
        clear = np.delete(on, np.unique(near), axis=0)
        on = clear if len(clear) else on
    return on


def _splash(case: _Case, order: list[int], bounds: Bounds, rng: np.random.Generator) -> tuple[Fault, ...]:
    diameter = _aim(bounds, rng, 0.05)
    points = _free_points(case, rng, diameter, True)
    if not len(points):
        return ()
    if len(case.rows):                                                    # balls are found near joints
        lands = case.rows.land_center[case.layout.printed] if case.layout.printed.any() else case.rows.land_center
        nearest = np.array([np.hypot(*(lands - p).T).min() for p in points])
        points = points[np.argsort(nearest, kind="stable")][:8]
    x, y = points[int(rng.integers(len(points)))]
    return (Fault("splash", values=(float(x), float(y), diameter)),)


def _contamination(case: _Case, order: list[int], bounds: Bounds, rng: np.random.Generator) -> tuple[Fault, ...]:
    points = _free_points(case, rng, 0.3e-3, False)
    if not len(points):
        return ()
    x, y = (float(v) for v in points[0])
    flat, angle = float(rng.uniform(0.45, 0.95)), float(rng.uniform(0, np.pi))
    unit = residue_extent(np.array([1.0, flat]), angle, film_seed(x, y))  # the outline is wobbly: its size follows from its seed
    major = _aim(bounds, rng, 0.05) / unit
    thickness, stain = float(np.exp(rng.uniform(np.log(3e-6), np.log(40e-6)))), float(rng.uniform(0.25, 0.65))
    return (Fault("contamination", values=(x, y, major, flat * major, angle, thickness, stain)),)


def _handling_scratch(case: _Case, order: list[int], bounds: Bounds, rng: np.random.Generator) -> tuple[Fault, ...]:
    """The line, out of many random ones on the laminate, that runs least under bodies."""
    outline = case.assembly.board.outline
    x0, y0, x1, y1 = outline.bounds
    count = 96
    start = np.column_stack([rng.uniform(x0, x1, count), rng.uniform(y0, y1, count)])
    length = np.array([_aim(bounds, rng, 0.05) for _ in range(count)])
    turn = rng.uniform(0, 2 * np.pi, count)
    end = start + length[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    lines = shapely.linestrings(np.stack([start, end], axis=1))
    inside = np.flatnonzero(shapely.contains(outline.buffer(-0.3e-3), lines))
    if not len(inside):
        return ()
    bodies = shapely.union_all(body_boxes(case.assembly)) if len(case.assembly.components) else shapely.Polygon()
    hidden = shapely.length(shapely.intersection(lines[inside], bodies))
    i = int(inside[int(hidden.argmin())])
    return (Fault("handling_scratch", values=(*start[i].tolist(), *end[i].tolist(), float(rng.uniform(-0.06, 0.06) * length[i]),
                                              float(rng.uniform(40e-6, 140e-6)), float(rng.uniform(3e-6, 15e-6)))),)


CAUSES: dict[str, Causes] = {
    "missing": _one("missing_pick"), "shift": _slip(False), "rotation": _slip(True), "tombstone": _uneven_heating,
    "billboard": _one("billboard"), "flipped": _one("flipped"), "polarity": _one("polarity"), "wrong_part": _wrong_reel,
    "bridge": _smear, "insufficient": _clog, "excess": _overprint, "cold_joint": _cold_spot, "head_in_pillow": _pillow,
    "bga_void": _outgassing, "lifted_lead": _bent_lead, "solder_ball": _splash, "residue": _contamination,
    "scratch": _handling_scratch,
}
"""How each defect is caused."""

__all__ = ["condition", "hosts"]
