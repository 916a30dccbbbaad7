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

import numpy as np
from numpy.typing import NDArray

from scenes.family import Finding
from scenes.smt.layout import Layout, land_pattern, on_land, overhang
from scenes.smt.layout import layout as layout_of
from scenes.smt.profile import Profile
from scenes.smt.reflow import WET_SHARE, ball_radius
from scenes.smt.state import BILLBOARD, FLIPPED, Assembly, UnitState

F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

COUNTED_BALL = 50e-6                           # [m] smaller balls do not count towards the number per area
COUNT_AREA = 600e-6                            # [m²]
JUDGED = ("chip", "gullwing", "bottom", "tab") # joints whose solder is judged from above


def effective_pose(layout: Layout, state: UnitState) -> tuple[F64, F64, Bool]:
    """Offset (C, 2), rotation (C,) in (−π, π] with half turns undone, and which parts lie turned by more than 90°."""
    rotation = np.pi - (np.pi - state.rotation) % (2 * np.pi)
    turned = np.abs(rotation) > np.pi / 2
    undo = turned & layout.symmetric
    rotation = np.where(undo, rotation - np.copysign(np.pi, rotation), rotation)
    return state.offset - np.where(undo[:, None], 2 * layout.centroid, 0.0), rotation, turned


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
    radius = ball_radius(assembly, state.standoff)
    area = np.bincount(state.voids.joint, state.voids.radius**2, len(radius))
    share: F64 = np.divide(area, radius**2, out=np.zeros(len(radius)), where=radius > 0)
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
        self.touched = np.zeros(len(assembly.components), bool)

    def part(self, defect: str, c: int, rule: str, severity: float = np.nan, **measured: float) -> None:
        region = land_pattern(self.assembly, c) if defect == "missing" else None
        instances = () if defect == "missing" else (2 + c,)
        component = self.assembly.components[c]
        self.findings.append(Finding(defect, defect, component.reference, (), instances, region, severity, rule, measured))
        self.touched[c] = True

    def joint(self, defect: str, j: int, rule: str, severity: float, **measured: float) -> None:
        rows = self.assembly.joints
        c = int(rows.component[j])
        self.findings.append(Finding(defect, defect, self.assembly.components[c].reference, (rows.pad[j],),
                                     (2 + len(self.assembly.components) + j,), None, severity, rule, measured))
        self.touched[c] = True

    def loose(self, defect: str, identity: int, rule: str, severity: float, **measured: float) -> None:
        self.findings.append(Finding(defect, defect, "", (), (identity,), None, severity, rule, measured))


def findings(assembly: Assembly, state: UnitState, profile: Profile) -> tuple[Finding, ...]:
    """Every defect of a unit, in taxonomy order within parts, joints and loose things; then every part without one."""
    layout, found = layout_of(assembly), _Found(assembly)
    gross = _parts(assembly, layout, state, profile, found)
    _joints(assembly, layout, state, profile, gross, found)
    first = 2 + len(assembly.components) + len(assembly.joints)
    _bridges(assembly, state, profile, first, found)
    _loose(state, profile, first + len(state.bridges.width), found)
    good = tuple(Finding(assembly.packages[c].kind, "", assembly.components[c].reference, (), (2 + c,))
                 for c in np.flatnonzero(~found.touched).tolist())
    return (*found.findings, *good)


def inner_overhang(assembly: Assembly, joints: NDArray[np.intp] | slice, offset: F64, rotation: F64) -> F64:
    """How much farther terminals reach past their lands' inner ends than by design [m], shapes as ``layout.on_land``."""
    u, _, along, _ = on_land(assembly, joints, offset, rotation)
    u0, _, along0, _ = on_land(assembly, joints, np.zeros_like(offset), np.zeros_like(rotation))
    half = assembly.joints.land_size[joints, 0] / 2
    beyond: F64 = np.maximum(along - u - half, 0) - np.maximum(along0 - u0 - half, 0)
    return beyond


def _parts(assembly: Assembly, layout: Layout, state: UnitState, profile: Profile, found: _Found) -> Bool:
    """Findings on whole parts. Returns which parts lie so that their joints are not judged by themselves, (C,)."""
    rows, parts = assembly.joints, len(assembly.components)
    tombstone = state.present & (state.lift > profile.limit("tombstone_deg"))
    billboard = state.present & (state.orientation == BILLBOARD)
    wrong = state.present & (state.substitute >= 0)
    gross = ~state.present | tombstone | billboard | wrong
    offset, rotation, turned = effective_pose(layout, state)
    c = rows.component
    side_limit, end_limit = side_limits(assembly, layout, profile)

    def beyond(angle: F64) -> tuple[F64, F64, F64, Bool]:
        side, end, width, area = overhang(assembly, slice(None), offset[c], angle[c])
        side, end = np.maximum(side - layout.side, 0), np.maximum(end - layout.end, 0)
        left = np.isfinite(side_limit) & (area <= WET_SHARE * layout.overlap)
        if left.any():
            end = np.where(left, np.maximum(end, inner_overhang(assembly, slice(None), offset[c], angle[c])), end)
        least = profile.limit("chip_joint_width") * np.minimum(rows.term_size[:, 1], rows.land_size[:, 1])
        narrow = layout.chip & layout.printed & (width < least)
        return side, end, width, (side > side_limit) | (end > end_limit) | narrow | left

    side, end, width, bad = beyond(rotation)
    askew = ~gross & (np.abs(rotation) > profile.limit("rotation_deg"))
    over = np.bincount(c[bad], minlength=parts) > 0
    shifted = ~gross & over
    if (askew & over).any():
        still = np.bincount(c[beyond(np.zeros(parts))[3]], minlength=parts) > 0
        shifted &= ~askew | still
    for k in np.flatnonzero(~state.present).tolist():
        found.part("missing", k, "present")
    for k in np.flatnonzero(shifted).tolist():
        joints = slice(layout.start[k], layout.start[k + 1])
        judged = np.isfinite(side_limit[joints])
        a, b = float(side[joints][judged].max(initial=0)), float(end[joints][judged].max(initial=0))
        rule = ("end_overhang" if (end > end_limit)[joints].any() else
                "side_overhang" if (side > side_limit)[joints].any() else "joint_width")
        found.part("shift", k, rule, max(a, b), side_overhang=a, end_overhang=b, joint_width=float(width[joints][judged].min()))
    for k in np.flatnonzero(askew).tolist():
        found.part("rotation", k, "rotation", float(abs(rotation[k])), rotation=float(rotation[k]))
    for k in np.flatnonzero(tombstone).tolist():
        found.part("tombstone", k, "tombstone", float(state.lift[k]), lift=float(state.lift[k]))
    for k in np.flatnonzero(billboard).tolist():
        found.part("billboard", k, "orientation")
    for k in np.flatnonzero(state.present & (state.orientation == FLIPPED)).tolist():
        found.part("flipped", k, "orientation")
    for k in np.flatnonzero(state.present & turned & layout.polarised & ~wrong).tolist():
        found.part("polarity", k, "polarity", rotation=float(state.rotation[k]))
    for k in np.flatnonzero(wrong).tolist():
        found.part("wrong_part", k, "identity")
    return gross


def _joints(assembly: Assembly, layout: Layout, state: UnitState, profile: Profile, gross: Bool, found: _Found) -> None:
    """Findings on single joints."""
    rows = assembly.joints
    there, free = state.present[rows.component], ~gross[rows.component]
    judged = layout.printed & np.isin(np.array(rows.kind, dtype=object), JUDGED)
    share = np.divide(state.volume, rows.nominal_volume, out=np.ones(len(rows)), where=rows.nominal_volume > 0)
    lean = judged & free & (share < profile.limit("insufficient_volume"))
    fat = judged & there & state.wetted & (share > profile.limit("excess_volume"))
    touched = state.wetted | (free & ~state.land_wetted)
    cold = (judged | layout.ball & layout.printed) & there & touched & (state.roughness > profile.limit("cold_roughness"))
    pillow = layout.ball & free & (state.gap > profile.limit("pillow_gap_um"))
    share_void = void_share(assembly, state) if len(state.voids.radius) else np.zeros(len(rows))
    void = layout.ball & there & (share_void > profile.limit("void_share"))
    area = np.maximum(rows.land_size.prod(axis=1), 1e-12)
    high = state.gap + (state.volume - rows.nominal_volume) / area > 0
    lift = layout.gullwing & free & (state.gap > profile.limit("lifted_gap_um")) & high
    for j in np.flatnonzero(lean).tolist():
        found.joint("insufficient", j, "volume", float(share[j]), volume=float(state.volume[j]),
                    nominal=float(rows.nominal_volume[j]))
    for j in np.flatnonzero(fat).tolist():
        found.joint("excess", j, "volume", float(share[j]), volume=float(state.volume[j]),
                    nominal=float(rows.nominal_volume[j]))
    for j in np.flatnonzero(cold).tolist():
        found.joint("cold_joint", j, "roughness", float(state.roughness[j]), roughness=float(state.roughness[j]),
                    contact_angle=float(state.contact_angle[j]))
    for j in np.flatnonzero(pillow).tolist():
        found.joint("head_in_pillow", j, "gap", float(state.gap[j]), gap=float(state.gap[j]))
    for j in np.flatnonzero(void).tolist():
        radius = state.voids.radius[state.voids.joint == j]
        found.joint("bga_void", j, "projected_area", float(share_void[j]), share=float(share_void[j]),
                    void_volume=float(4 / 3 * np.pi * (radius**3).sum()))
    for j in np.flatnonzero(lift).tolist():
        found.joint("lifted_lead", j, "heel_gap", float(state.gap[j]), gap=float(state.gap[j]))


def _bridges(assembly: Assembly, state: UnitState, profile: Profile, first: int, found: _Found) -> None:
    """One finding per neck; both parts are touched by it."""
    rows, bridges = assembly.joints, state.bridges
    for i in np.flatnonzero(bridges.width > profile.limit("bridge_width_um")).tolist():
        a, b = int(bridges.first[i]), int(bridges.second[i])
        found.findings.append(Finding(
            "bridge", "bridge", assembly.components[rows.component[a]].reference, (rows.pad[a], rows.pad[b]), (first + i,), None,
            float(bridges.width[i]), "contact", {"width": float(bridges.width[i])}))
        found.touched[rows.component[a]] = found.touched[rows.component[b]] = True


def _loose(state: UnitState, profile: Profile, first: int, found: _Found) -> None:
    """Balls, residues and scratches. Ids follow in state order."""
    balls, diameter = state.balls, state.balls.diameter
    if len(diameter):
        apart = np.hypot(*(balls.center[:, None] - balls.center[None]).transpose(2, 0, 1))
        counted = diameter >= COUNTED_BALL
        near = ((apart < np.sqrt(COUNT_AREA / np.pi)) & counted[None]).sum(axis=1)
        many = counted & (near > profile.limit("ball_count"))
        large = diameter > profile.limit("ball_diameter_um")
        for i in np.flatnonzero(large | many).tolist():
            found.loose("solder_ball", first + i, "diameter" if large[i] else "count", float(diameter[i]),
                        diameter=float(diameter[i]), near=float(near[i]))
    first += len(diameter)
    residues = state.residues
    for i in np.flatnonzero(residues.alpha > profile.limit("residue_stain")).tolist():
        extent = residue_extent(residues.radius[i], float(residues.angle[i]), int(residues.shape_seed[i]))
        if extent > profile.limit("residue_extent_mm"):
            found.loose("residue", first + i, "extent", extent, extent=extent, stain=float(residues.alpha[i]),
                        thickness=float(residues.thickness[i]))
    first += len(residues.alpha)
    scratches = state.scratches
    length = np.hypot(*(scratches.end - scratches.start).T)
    deep = (length > profile.limit("scratch_length_mm")) & (scratches.width > profile.limit("scratch_width_um"))
    for i in np.flatnonzero(deep).tolist():
        found.loose("scratch", first + i, "length", float(length[i]), length=float(length[i]), width=float(scratches.width[i]),
                    depth=float(scratches.depth[i]))


__all__ = ["effective_pose", "findings", "residue_extent", "side_limits", "void_share"]
