"""acceptance: from a state to findings, by geometry and the limits of a profile. Nothing here knows a cause.

What is measured, in the land frame (``layout``): a terminal is the rectangle ``term_size`` at its part's final pose, a
land the rectangle ``land_size``.

* side overhang: how far the terminal's farthest corner lies beyond the land's side edge;
* end overhang: the same past the land's outer end; past its inner end only for a terminal that has left its land (an open
  end is a shifted part, however the other end lies);
* joint width: the terminal's extent across, as far as it lies over the land.

All three are judged against the design: where a footprint's land is shorter than its terminal by design, that much is no
defect. Severity of a shift is the greatest side or end overhang of any terminal, less what the design gives.

A part that lies turned by more than 90° and fits that way (``Layout.symmetric``) is measured as if turned back by 180°
about the middle of its terminals: where its ends lie is one question, which end is which another.

Which rule comes first:

* a missing part has no other finding on its lands but bridges;
* a tombstone, a part on its side and a wrong part have no shift, rotation, insufficient, lifted or pillow finding: what
  their ends do follows from how the part lies. Excess and cold joints are still found where the solder touches them;
* rotation comes before shift: a rotated part is shifted too only if it would be with its rotation undone;
* a gap that nominal solder would have closed is insufficient solder, not a lifted lead: lifted is a lead whose foot
  stands higher than the nominal solder on its land, volume / land area.

Exposed pads and pins in holes are not judged: no rule on record can be seen from above. Fillet height is not judged by
itself: with wetted ends it follows from the volume, which is (a class 3 limit of stand-off + 25 % of the height would
reject a tenth of healthy tall chips on their usual lands).
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.family import Finding
from scenes.smt.layout import Layout, land_pattern, on_land, overhang
from scenes.smt.layout import layout as layout_of
from scenes.smt.profile import Profile, Rules
from scenes.smt.reflow import WET_SHARE, ball_radius
from scenes.smt.state import BILLBOARD, FLIPPED, Assembly, UnitState

F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

COUNTED_BALL = 50e-6                           # [m] smaller balls do not count towards the number per area
COUNT_AREA = 600e-6                            # [m²]
JUDGED = ("chip", "gullwing", "bottom", "tab") # joints whose solder is judged from above


def effective_pose(layout: Layout, state: UnitState | _Block) -> tuple[F64, F64, Bool]:
    """Offset (…, C, 2), rotation (…, C) in (−π, π] with half turns undone, and which parts lie turned by more than 90°."""
    rotation = np.pi - (np.pi - state.rotation) % (2 * np.pi)
    turned = np.abs(rotation) > np.pi / 2
    undo = turned & layout.symmetric
    rotation = np.where(undo, rotation - np.copysign(np.pi, rotation), rotation)
    return state.offset - np.where(undo[..., None], 2 * layout.centroid, 0.0), rotation, turned


def side_limits(assembly: Assembly, layout: Layout, profile: Profile) -> tuple[F64, F64]:
    """Greatest side and end overhang [m] of every joint beyond the design, (J,); inf where no rule applies."""
    rows = assembly.joints
    width, land = rows.term_size[:, 1], rows.land_size[:, 1]
    least = np.minimum(width, land)
    kind = np.array(rows.kind, dtype=object)
    side, end = np.full(len(rows), np.inf), np.full(len(rows), np.inf)
    flat, judged = (kind == "bottom") | (kind == "tab"), np.isin(kind, (*JUDGED, "ball"))
    side[layout.chip] = profile.limit("chip_side_overhang") * least[layout.chip]
    side[layout.gullwing] = np.minimum(profile.limit("gullwing_side_overhang") * width,
                                       profile.limit("gullwing_side_overhang_um"))[layout.gullwing]
    side[flat] = profile.limit("flat_side_overhang") * least[flat]
    side[layout.ball] = profile.limit("ball_side_overhang") * least[layout.ball]
    end[judged] = profile.limit("lead_end_overhang_um")
    end[layout.chip] = profile.limit("chip_end_overhang_um")
    side[~layout.printed], end[~layout.printed] = np.inf, np.inf
    return side, end


def void_share(assembly: Assembly, state: UnitState) -> F64:
    """Projected area of a ball's voids over the ball's own, (J,) [1]. Voids lie side by side seen from above."""
    return _void_shares(assembly, state.standoff[None], (state,))[0]


def _void_shares(assembly: Assembly, standoff: F64, states: Sequence[UnitState]) -> F64:
    """The same for N units, (N, J). ``standoff``: (N, C)."""
    units, joints = len(states), len(assembly.joints)
    if not any(len(state.voids.radius) for state in states):
        return np.zeros((units, joints))
    radius = ball_radius(assembly, standoff)
    joint = np.concatenate([state.voids.joint + n * joints for n, state in enumerate(states)])
    area = np.bincount(joint, np.concatenate([state.voids.radius for state in states])**2, units * joints)
    share: F64 = np.divide(area.reshape(units, joints), radius**2, out=np.zeros(radius.shape), where=radius > 0)
    return share


def residue_extent(radius: F64, angle: float, seed: int) -> float:
    """Greatest distance between two points of a film's outline as drawn [m]. ``radius`` (2,) semi-axes; it scales with them."""
    from scenes.smt.geometry import residue_outline  # late: it brings every mesh along

    points = np.array(residue_outline(np.zeros(2), radius, angle, seed).exterior.coords)
    return float(np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)).max())


class _Found:
    """Collects findings of one unit, and which parts are touched by one."""

    def __init__(self, assembly: Assembly) -> None:
        self.assembly = assembly
        self.findings: list[Finding] = []
        self.touched: set[int] = set()

    def part(self, defect: str, c: int, rule: str, severity: float = np.nan, **measured: float) -> None:
        region = land_pattern(self.assembly, c) if defect == "missing" else None
        instances = () if defect == "missing" else (2 + c,)
        component = self.assembly.components[c]
        self.findings.append(Finding(defect, defect, component.reference, (), instances, region, severity, rule, measured))
        self.touched.add(c)

    def joint(self, defect: str, j: int, rule: str, severity: float, **measured: float) -> None:
        rows = self.assembly.joints
        c = int(rows.component[j])
        self.findings.append(Finding(defect, defect, self.assembly.components[c].reference, (rows.pad[j],),
                                     (2 + len(self.assembly.components) + j,), None, severity, rule, measured))
        self.touched.add(c)

    def loose(self, defect: str, identity: int, rule: str, severity: float, **measured: float) -> None:
        self.findings.append(Finding(defect, defect, "", (), (identity,), None, severity, rule, measured))


@dataclass(frozen=True, eq=False)
class _Limits:
    """What a profile says about one assembly."""
    of: dict[str, float]                       # every rule's limit in SI units
    side: F64                                  # (J,) as ``side_limits``
    end: F64                                   # (J,)
    placed: Bool                               # (J,) its overhang is judged
    width: F64                                 # (J,) [m] least joint width; −inf where no rule applies
    judged: Bool                               # (J,) its solder is judged from above


@lru_cache(maxsize=8)
def _limits(assembly: Assembly, profile: Profile) -> _Limits:
    layout, rows = layout_of(assembly), assembly.joints
    side, end = side_limits(assembly, layout, profile)
    least = profile.limit("chip_joint_width") * np.minimum(rows.term_size[:, 1], rows.land_size[:, 1])
    return _Limits({name: profile.limit(name) for name in Rules.model_fields}, side, end, np.isfinite(side),
                   np.where(layout.chip & layout.printed, least, -np.inf),
                   layout.printed & np.isin(np.array(rows.kind, dtype=object), JUDGED))


@dataclass(frozen=True, eq=False)
class _Block:
    """N units of one assembly: their states, and those of their arrays that rules compare, stacked."""
    states: Sequence[UnitState]
    present: Bool                              # (N, C)
    offset: F64                                # (N, C, 2)
    rotation: F64                              # (N, C)
    lift: F64                                  # (N, C)
    orientation: NDArray[np.int32]             # (N, C)
    standoff: F64                              # (N, C)
    substitute: NDArray[np.int32]              # (N, C)
    volume: F64                                # (N, J)
    wetted: Bool                               # (N, J)
    land_wetted: Bool                          # (N, J)
    gap: F64                                   # (N, J)
    roughness: F64                             # (N, J)


def _block(states: Sequence[UnitState]) -> _Block:
    def stacked(name: str) -> NDArray[Any]:
        rows = [getattr(state, name) for state in states]
        return np.concatenate(rows).reshape(len(rows), *rows[0].shape)
    return _Block(states, *(stacked(field.name) for field in fields(_Block)[1:]))


def findings(assembly: Assembly, state: UnitState, profile: Profile) -> tuple[Finding, ...]:
    """Every defect of a unit, in taxonomy order within parts, joints and loose things; then every part without one."""
    (found,) = _judged(assembly, (state,), profile)
    good = tuple(Finding(assembly.packages[c].kind, "", component.reference, (), (2 + c,))
                 for c, component in enumerate(assembly.components) if c not in found.touched)
    return (*found.findings, *good)


def defects(assembly: Assembly, states: Sequence[UnitState], profile: Profile) -> tuple[tuple[Finding, ...], ...]:
    """What is wrong with each of N units: their ``findings`` without the parts that are as they should be."""
    return tuple(tuple(found.findings) for found in _judged(assembly, states, profile)) if states else ()


def _judged(assembly: Assembly, states: Sequence[UnitState], profile: Profile) -> list[_Found]:
    """All rules over a block of at least one unit."""
    layout, limits, block = layout_of(assembly), _limits(assembly, profile), _block(states)
    found = [_Found(assembly) for _ in states]
    gross = _parts(assembly, layout, block, limits, found)
    _joints(assembly, layout, block, limits, gross, found)
    first = 2 + len(assembly.components) + len(assembly.joints)
    for state, own in zip(states, found, strict=True):
        if len(state.bridges.width):
            _bridges(assembly, state, limits, first, own)
        _loose(state, limits, first + len(state.bridges.width), own)
    return found


def _fired(mask: Bool) -> list[list[int]]:
    """Where a rule fires, as [unit, part or joint], of (N, …)."""
    return np.argwhere(mask).tolist() if mask.any() else []


def inner_overhang(assembly: Assembly, joints: NDArray[np.intp] | slice, offset: F64, rotation: F64) -> F64:
    """How much farther terminals reach past their lands' inner ends than by design [m], shapes as ``layout.on_land``."""
    u, _, along, _ = on_land(assembly, joints, offset, rotation)
    u0, _, along0, _ = on_land(assembly, joints, np.zeros_like(offset), np.zeros_like(rotation))
    half = assembly.joints.land_size[joints, 0] / 2
    beyond: F64 = np.maximum(along - u - half, 0) - np.maximum(along0 - u0 - half, 0)
    return beyond


def _parts(assembly: Assembly, layout: Layout, block: _Block, limits: _Limits, found: list[_Found]) -> Bool:
    """Findings on whole parts. Returns which parts lie so that their joints are not judged by themselves, (N, C)."""
    of, parts = limits.of, len(assembly.components)
    tombstone = block.present & (block.lift > of["tombstone_deg"])
    billboard = block.present & (block.orientation == BILLBOARD)
    flipped = block.present & (block.orientation == FLIPPED)
    wrong = block.present & (block.substitute >= 0)
    gross = ~block.present | tombstone | billboard | wrong
    offset, rotation, turned = effective_pose(layout, block)
    c = assembly.joints.component

    def beyond(angle: F64) -> tuple[F64, F64, F64, Bool]:
        side, end, width, area = overhang(assembly, slice(None), offset[:, c], angle[:, c])
        side, end = np.maximum(side - layout.side, 0), np.maximum(end - layout.end, 0)
        left = limits.placed & (area <= WET_SHARE * layout.overlap)
        if left.any():
            end = np.where(left, np.maximum(end, inner_overhang(assembly, slice(None), offset[:, c], angle[:, c])), end)
        return side, end, width, (side > limits.side) | (end > limits.end) | (width < limits.width) | left

    side, end, width, bad = beyond(rotation)
    askew = ~gross & (np.abs(rotation) > of["rotation_deg"])
    over = _having(c, bad, parts)
    shifted = ~gross & over
    if (askew & over).any():
        shifted &= ~askew | _having(c, beyond(np.zeros(rotation.shape))[3], parts)
    for n, k in _fired(~block.present):
        found[n].part("missing", k, "present")
    for n, k in _fired(shifted):
        joints = slice(layout.start[k], layout.start[k + 1])
        judged = limits.placed[joints]
        a, b = float(side[n, joints][judged].max(initial=0)), float(end[n, joints][judged].max(initial=0))
        rule = ("end_overhang" if (end[n] > limits.end)[joints].any() else
                "side_overhang" if (side[n] > limits.side)[joints].any() else "joint_width")
        found[n].part("shift", k, rule, max(a, b), side_overhang=a, end_overhang=b,
                      joint_width=float(width[n, joints][judged].min()))
    for n, k in _fired(askew):
        found[n].part("rotation", k, "rotation", float(abs(rotation[n, k])), rotation=float(rotation[n, k]))
    for n, k in _fired(tombstone):
        found[n].part("tombstone", k, "tombstone", float(block.lift[n, k]), lift=float(block.lift[n, k]))
    for n, k in _fired(billboard):
        found[n].part("billboard", k, "orientation")
    for n, k in _fired(flipped):
        found[n].part("flipped", k, "orientation")
    for n, k in _fired(block.present & turned & layout.polarised & ~wrong):
        found[n].part("polarity", k, "polarity", rotation=float(block.rotation[n, k]))
    for n, k in _fired(wrong):
        found[n].part("wrong_part", k, "identity")
    return gross


def _having(component: NDArray[np.int32], joints: Bool, parts: int) -> Bool:
    """Parts with at least one of these joints, (N, C). ``joints``: (N, J)."""
    there = np.zeros((len(joints), parts), bool)
    unit, joint = np.nonzero(joints)
    there[unit, component[joint]] = True
    return there


def _joints(assembly: Assembly, layout: Layout, block: _Block, limits: _Limits, gross: Bool, found: list[_Found]) -> None:
    """Findings on single joints."""
    rows, of, judged = assembly.joints, limits.of, limits.judged
    there, free = block.present[:, rows.component], ~gross[:, rows.component]
    volume, nominal, gap, roughness = block.volume, rows.nominal_volume, block.gap, block.roughness
    share = np.divide(volume, nominal, out=np.ones(volume.shape), where=nominal > 0)
    lean = judged & free & (share < of["insufficient_volume"])
    fat = judged & there & block.wetted & (share > of["excess_volume"])
    touched = block.wetted | (free & ~block.land_wetted)
    cold = (judged | layout.ball & layout.printed) & there & touched & (roughness > of["cold_roughness"])
    pillow = layout.ball & free & (gap > of["pillow_gap_um"])
    share_void = _void_shares(assembly, block.standoff, block.states)
    void = layout.ball & there & (share_void > of["void_share"])
    high = gap + (volume - nominal) / layout.land_area > 0
    lift = layout.gullwing & free & (gap > of["lifted_gap_um"]) & high
    for n, j in _fired(lean):
        found[n].joint("insufficient", j, "volume", float(share[n, j]), volume=float(volume[n, j]), nominal=float(nominal[j]))
    for n, j in _fired(fat):
        found[n].joint("excess", j, "volume", float(share[n, j]), volume=float(volume[n, j]), nominal=float(nominal[j]))
    for n, j in _fired(cold):
        found[n].joint("cold_joint", j, "roughness", float(roughness[n, j]), roughness=float(roughness[n, j]),
                       contact_angle=float(block.states[n].contact_angle[j]))
    for n, j in _fired(pillow):
        found[n].joint("head_in_pillow", j, "gap", float(gap[n, j]), gap=float(gap[n, j]))
    for n, j in _fired(void):
        voids = block.states[n].voids
        radius = voids.radius[voids.joint == j]
        found[n].joint("bga_void", j, "projected_area", float(share_void[n, j]), share=float(share_void[n, j]),
                       void_volume=float(4 / 3 * np.pi * (radius**3).sum()))
    for n, j in _fired(lift):
        found[n].joint("lifted_lead", j, "heel_gap", float(gap[n, j]), gap=float(gap[n, j]))


def _bridges(assembly: Assembly, state: UnitState, limits: _Limits, first: int, found: _Found) -> None:
    """One finding per neck; both parts are touched by it."""
    rows, bridges = assembly.joints, state.bridges
    for i in np.flatnonzero(bridges.width > limits.of["bridge_width_um"]).tolist():
        a, b = int(bridges.first[i]), int(bridges.second[i])
        found.findings.append(Finding(
            "bridge", "bridge", assembly.components[rows.component[a]].reference, (rows.pad[a], rows.pad[b]), (first + i,), None,
            float(bridges.width[i]), "contact", {"width": float(bridges.width[i])}))
        found.touched.update((int(rows.component[a]), int(rows.component[b])))


def _loose(state: UnitState, limits: _Limits, first: int, found: _Found) -> None:
    """Balls, residues and scratches. Ids follow in state order."""
    of, balls, diameter = limits.of, state.balls, state.balls.diameter
    if len(diameter):
        apart = np.hypot(*(balls.center[:, None] - balls.center[None]).transpose(2, 0, 1))
        counted = diameter >= COUNTED_BALL
        near = ((apart < np.sqrt(COUNT_AREA / np.pi)) & counted[None]).sum(axis=1)
        many = counted & (near > of["ball_count"])
        large = diameter > of["ball_diameter_um"]
        for i in np.flatnonzero(large | many).tolist():
            found.loose("solder_ball", first + i, "diameter" if large[i] else "count", float(diameter[i]),
                        diameter=float(diameter[i]), near=float(near[i]))
    first += len(diameter)
    residues = state.residues
    for i in np.flatnonzero(residues.alpha > of["residue_stain"]).tolist() if len(residues.alpha) else ():
        extent = residue_extent(residues.radius[i], float(residues.angle[i]), int(residues.shape_seed[i]))
        if extent > of["residue_extent_mm"]:
            found.loose("residue", first + i, "extent", extent, extent=extent, stain=float(residues.alpha[i]),
                        thickness=float(residues.thickness[i]))
    first += len(residues.alpha)
    scratches = state.scratches
    if not len(scratches.width):
        return
    length = np.hypot(*(scratches.end - scratches.start).T)
    deep = (length > of["scratch_length_mm"]) & (scratches.width > of["scratch_width_um"])
    for i in np.flatnonzero(deep).tolist():
        found.loose("scratch", first + i, "length", float(length[i]), length=float(length[i]), width=float(scratches.width[i]),
                    depth=float(scratches.depth[i]))


__all__ = ["defects", "effective_pose", "findings", "residue_extent", "side_limits", "void_share"]
