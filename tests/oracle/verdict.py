"""From what was measured on the meshes to what ought to be found, and the comparison with what was found.

The limits are the numbers of the acceptance profile; the definitions are those that its documentation publishes. Nothing is
imported from the rules. Every claim has a margin: how far it lies beyond its limit in units of the measuring tolerance.
Beyond +1 it has to be found, below −1 it must not be, between the two the meshes cannot tell.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import nan

import measured_parts as on_parts
import measured_solder as on_solder
import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from scenes.family import Finding
from scenes.geometry import Geometry, PartKind
from scenes.optics import Look
from scenes.smt.profile import Profile
from scenes.smt.state import Assembly, UnitState

# measuring tolerances: what tessellation, rounded metal and float32 vertices leave open
LENGTH = 15e-6                                 # [m] outline of metal against the terminal's rectangle
ANGLE = 1e-3                                   # [rad]
VOLUME = 0.002                                 # [1] of the nominal volume
ROUGH = 1e-4                                   # [1]
GAP = 1.0e-6                                   # [m] lifted leads are kept to whole micrometres
PILLOW = 0.1e-6                                # [m]
NECK = 0.02                                    # [1] of the width
DIAMETER = 0.01                                # [1] of the diameter
OUTLINE = 1e-3                                 # [1] of the extent
VOID = 0.01                                    # [1] of the ball's area
# solder closer to metal than the first touches it, farther than the second it does not [m]; between, meshes cannot tell
UPRIGHT_CONTACT = 0.1e-6, 6e-6                 # a lead that stands clear does so by whole micrometres, and is a finding above 5
LEANING_CONTACT = 10e-6, 45e-6                 # rounded edges of a leaning part stand off the box that solder is fitted to
HEALTHY = 0.12                                 # α of a healthy joint [1]
COUNT_AREA = 600e-6                            # [m²] over which small balls are counted
COUNTED = 50e-6                                # [m]

Key = tuple[str, int]                          # defect, instance id (of a missing part: the id that it would have)
TOLERANCE = {"shift": LENGTH, "rotation": ANGLE, "tombstone": ANGLE, "insufficient": VOLUME, "excess": VOLUME,
             "cold_joint": ROUGH, "head_in_pillow": PILLOW, "lifted_lead": GAP, "bga_void": VOID}
RELATIVE = {"bridge": NECK, "solder_ball": DIAMETER, "residue": OUTLINE, "scratch": OUTLINE}
FROM_ABOVE = ("chip", "gullwing", "bottom", "tab")


@dataclass(frozen=True)
class Claim:
    """A defect by measurement. ``severity`` is NaN where it is all or nothing."""
    severity: float
    margin: float
    parts: tuple[int, ...] = ()                # further parts that are not as they should be


@dataclass(frozen=True)
class Disagreement:
    """One point on which meshes and rules differ."""
    what: str
    defect: str
    instance: int
    host: str
    measured: float
    found: float

    def __str__(self) -> str:
        return f"{self.what}: {self.defect} on {self.host or 'the board'} (id {self.instance}), measured {self.measured:.6g}, " \
               f"labelled {self.found:.6g}"


@dataclass
class Tally:
    """What was compared."""
    instances: int = 0
    good: int = 0
    open: int = 0                              # claims within the tolerance of their limit
    defects: dict[str, int] = field(default_factory=dict)
    worst: dict[str, float] = field(default_factory=dict)   # largest difference in severity, in units of its tolerance
    disagreements: list[Disagreement] = field(default_factory=list)

    def text(self) -> str:
        counts = ", ".join(f"{k} {n} (worst {self.worst.get(k, 0):.2f} tol)" for k, n in sorted(self.defects.items()))
        return f"{self.instances} instances, {self.good} of them good parts; {self.open} too close to a limit to tell; " \
               f"{len(self.disagreements)} disagreements; {counts}"


@lru_cache(maxsize=4)
def _lands(assembly: Assembly) -> list[BaseGeometry]:
    return on_solder.lands_of(assembly)


def claims(assembly: Assembly, geometry: Geometry, state: UnitState, profile: Profile, look: Look) -> dict[Key, Claim]:
    """Every defect that the meshes show or nearly show.

    ``state`` is read for one thing only: voids, which are inside balls and in no mesh.
    """
    parts = on_parts.parts(assembly, geometry, look.marking_seed)
    # what is drawn is perceptual: its square is the look's healthy one squared, plus what α is above a healthy joint's
    solder = {i: replace(b, roughness=HEALTHY + b.roughness**2 - look.solder_roughness**2)
              for i, b in on_solder.by_id(geometry.soup).items()}
    out: dict[Key, Claim] = {}
    for c in range(len(assembly.components)):
        joints = np.flatnonzero(assembly.joints.component == c)
        if c not in parts:
            out["missing", 2 + c] = Claim(np.nan, np.inf)
            continue
        gross = _part(assembly, c, joints, parts[c], profile, out)
        _joints(assembly, c, joints, parts[c], solder, profile, gross, out)
        if not gross:
            _voids(assembly, joints, solder, state, profile, out)
    _loose(assembly, geometry, solder, profile, out)
    return out


def _claim(out: dict[Key, Claim], key: Key, severity: float, margin: float) -> None:
    """Keep what is beyond its limit, or too near to it to tell."""
    if margin > -1:
        out[key] = Claim(severity, margin)


def _part(assembly: Assembly, c: int, joints: NDArray[np.intp], part: on_parts.Part, profile: Profile,
          out: dict[Key, Claim]) -> bool:
    """Findings on the whole part. Returns whether it lies so that its joints are not judged by themselves."""
    identity, package = 2 + c, assembly.packages[c]
    if part.wrong:
        out["wrong_part", identity] = Claim(np.nan, np.inf)
    if part.upside_down:
        out["flipped", identity] = Claim(np.nan, np.inf)
    if part.on_side:
        out["billboard", identity] = Claim(np.nan, np.inf)
    elif not part.upside_down:
        _claim(out, ("tombstone", identity), part.tilt, (part.tilt - profile.limit("tombstone_deg")) / ANGLE)
    turned = abs(part.rotation) > np.pi / 2
    tombstone = ("tombstone", identity) in out
    gross = part.wrong or part.on_side or tombstone
    fits = turned and part.feet is not None and on_parts.half_turn(assembly, joints, part.feet) is not None
    if package.polarised and fits:
        out["polarity", identity] = Claim(np.nan, np.inf)
    if gross or part.feet is None:
        return gross
    rotation = abs(part.rotation)
    if fits:
        rotation = np.pi - rotation
    margin = (rotation - profile.limit("rotation_deg")) / ANGLE
    _claim(out, ("rotation", identity), rotation, margin)
    shift = [_shift(assembly, joints, part, profile, fits, rotated=margin < 0)]
    if abs(margin) < 1:                        # nobody can tell whether it is rotated: neither can one whether it is shifted then
        other = _shift(assembly, joints, part, profile, fits, rotated=margin >= 0)
        shift = [Claim(shift[0].severity, 0.0)] if (other.margin > 0) != (shift[0].margin > 0) else shift
    if shift[0].margin > -1:                   # how severe: as it lies, rotation and all
        as_it_lies = _shift(assembly, joints, part, profile, fits, rotated=True).severity
        out["shift", identity] = Claim(as_it_lies, shift[0].margin)
    return gross


def _shift(assembly: Assembly, joints: NDArray[np.intp], part: on_parts.Part, profile: Profile, turned_back: bool,
           rotated: bool) -> Claim:
    """Greatest overhang beyond the design, and how far the worst foot is beyond what its kind allows."""
    rows = assembly.joints
    judged = joints[[rows.kind[j] in (*FROM_ABOVE, "ball") and rows.aperture_area[j] > 0 for j in joints]]
    if not len(judged):
        return Claim(0.0, -np.inf)
    over = on_parts.overhang(assembly, joints, part, turned_back=turned_back, rotated=rotated)
    keep = np.isin(joints, judged)
    kind = np.array(rows.kind, dtype=object)[judged]
    width, least = rows.term_size[judged, 1], np.minimum(rows.term_size[judged, 1], rows.land_size[judged, 1])
    side = np.zeros(len(judged))
    chip, lead, flat, ball = kind == "chip", kind == "gullwing", np.isin(kind, ("bottom", "tab")), kind == "ball"
    side[chip] = profile.limit("chip_side_overhang") * least[chip]
    side[lead] = np.minimum(profile.limit("gullwing_side_overhang") * width, profile.limit("gullwing_side_overhang_um"))[lead]
    side[flat] = profile.limit("flat_side_overhang") * least[flat]
    side[ball] = profile.limit("ball_side_overhang") * least[ball]
    end = np.where(chip, profile.limit("chip_end_overhang_um"), profile.limit("lead_end_overhang_um"))
    beyond = [over.side[keep] - side, over.end[keep] - end]
    lost = over.width_lost[keep] - (1 - profile.limit("chip_joint_width")) * least
    beyond.append(np.where(chip, lost, -np.inf))
    left = over.on_land[keep] < LENGTH         # off its land: then it hangs over the inner end, too
    beyond.append(-over.on_land[keep])
    severity = float(np.maximum(over.side[keep], np.where(left, np.maximum(over.end, over.inner)[keep], over.end[keep])).max())
    return Claim(max(severity, 0.0), float(np.max(beyond)) / LENGTH)


def _joints(assembly: Assembly, c: int, joints: NDArray[np.intp], part: on_parts.Part, solder: dict[int, on_solder.Body],
            profile: Profile, gross: bool, out: dict[Key, Claim]) -> None:
    rows = assembly.joints
    first = 2 + len(assembly.components)
    # where a part is away from its lands, its ends are not asked to meet their solder
    upright = not (gross or part.upside_down)
    placed = upright and not {("shift", 2 + c), ("rotation", 2 + c)} & out.keys()
    terminals = on_parts.standing(assembly, joints, part) if upright else {}
    # with this little of a terminal over its land, whether solder finds it cannot be told
    barely = np.zeros(len(joints), bool)
    if upright and len(joints):
        assert part.feet is not None
        fits = abs(part.rotation) > np.pi / 2 and on_parts.half_turn(assembly, joints, part.feet) is not None
        over = on_parts.overhang(assembly, joints, part, turned_back=fits, rotated=True)
        barely = np.abs(over.on_land) < 2 * LENGTH
    for k, j in enumerate(joints.tolist()):
        identity, kind = first + j, rows.kind[j]
        if rows.aperture_area[j] <= 0 or kind not in (*FROM_ABOVE, "ball"):
            continue
        body = solder.get(identity)
        share = body.volume / rows.nominal_volume[j] if body is not None else 0.0
        if kind != "ball" and not gross:
            _claim(out, ("insufficient", identity), share, (profile.limit("insufficient_volume") - share) / VOLUME)
        if body is None:
            continue
        pieces = body.pieces() if kind == "ball" else [body]
        apart = (on_parts.clearance(part, terminals[j], pieces[-1].vertices) if upright
                 else on_solder.distance(body, on_solder.Body(*part.metal(), 0.0, PartKind.LEAD)))
        close, clear = UPRIGHT_CONTACT if upright else LEANING_CONTACT
        meets = np.inf if apart <= close else -np.inf if apart > clear else 0.0
        if kind == "gullwing" and upright:     # a foot that rests on the crest by less than it is rounded to
            assert part.feet is not None
            foot = part.feet.points[terminals[j]] @ part.pose[:3, :3].T + part.pose[:3, 3]
            meets = 0.0 if abs(foot[:, 2].min() - body.top) < GAP else meets
        if barely[k]:
            meets = 0.0
        if ("insufficient", identity) in out:  # too little for even the layer below the terminal is drawn thinner than that
            meets = max(meets, 0.0)
        if kind != "ball":
            _claim(out, ("excess", identity), share, min(meets, (share - profile.limit("excess_volume")) / VOLUME))
        if len(pieces) > 1:
            meets = 0.0                        # a ball beside its paste: which of the two is dull cannot be told
        elif not gross and not on_solder.wets_land(assembly, j, body):
            meets = np.inf                     # a drop that has not even wetted its land
        rough = (body.roughness - profile.limit("cold_roughness")) / ROUGH
        _claim(out, ("cold_joint", identity), body.roughness, min(meets, rough))
        if gross:
            continue
        if len(pieces) > 1:
            _pillow(identity, pieces, profile, out)
        elif kind == "gullwing" and upright:
            _lifted(assembly, j, terminals[j], part, body, profile, out)
        said = any((defect, identity) in out for defect in ("insufficient", "cold_joint", "lifted_lead", "head_in_pillow"))
        if placed and not said and (meets < 0 or not on_solder.touches_land(assembly, j, body)):
            out["open", identity] = Claim(apart, np.inf)


def _lifted(assembly: Assembly, j: int, terminal: int, part: on_parts.Part, body: on_solder.Body, profile: Profile,
            out: dict[Key, Claim]) -> None:
    """A lead whose foot stands clear of its solder, and higher than nominal solder would reach."""
    rows = assembly.joints
    assert part.feet is not None
    foot = part.feet.points[terminal] @ part.pose[:3, :3].T + part.pose[:3, 3]
    height = float(foot[:, 2].min())
    gap = height - body.top
    reach = rows.nominal_volume[j] / rows.land_size[j].prod()
    _claim(out, ("lifted_lead", 2 + len(assembly.components) + j), gap,
           min((gap - profile.limit("lifted_gap_um")) / GAP, (height - reach) / (2 * GAP)))


def _pillow(identity: int, pieces: list[on_solder.Body], profile: Profile, out: dict[Key, Claim]) -> None:
    assert len(pieces) == 2, f"ball {identity} has {len(pieces)} pieces"
    gap = pieces[1].low - pieces[0].top
    _claim(out, ("head_in_pillow", identity), gap, (gap - profile.limit("pillow_gap_um")) / PILLOW)


def _voids(assembly: Assembly, joints: NDArray[np.intp], solder: dict[int, on_solder.Body], state: UnitState, profile: Profile,
           out: dict[Key, Claim]) -> None:
    """Voids against the sphere through the land's rim that is as high as the ball's mesh."""
    for j in np.unique(state.voids.joint[np.isin(state.voids.joint, joints)]).tolist():
        identity = 2 + len(assembly.components) + j
        radius = float(np.hypot(assembly.joints.land_size[j].min() / 2, solder[identity].top / 2))
        share = on_solder.void_share(state, j, radius)
        _claim(out, ("bga_void", identity), share, (share - profile.limit("void_share")) / VOID)


def _loose(assembly: Assembly, geometry: Geometry, solder: dict[int, on_solder.Body], profile: Profile,
           out: dict[Key, Claim]) -> None:
    rows = assembly.joints
    diameters: dict[int, float] = {}
    for identity, body in solder.items():
        if body.part == PartKind.BRIDGE:
            neck = on_solder.neck(assembly, body, _lands(assembly), solder)
            one, other = neck.joints
            if one >= 0 and other >= 0 and (not rows.net[one] or rows.net[one] != rows.net[other]):
                out["bridge", identity] = Claim(neck.width, (neck.width - profile.limit("bridge_width_um")) / (NECK * neck.width),
                                                (int(rows.component[one]), int(rows.component[other])))
        elif body.part == PartKind.BALL:
            diameters[identity] = on_solder.ball_diameter(body)
    for identity, diameter in diameters.items():
        middle = solder[identity].vertices.mean(axis=0)
        near = [d for other, d in diameters.items()
                if np.hypot(*(solder[other].vertices.mean(axis=0) - middle)[:2]) < np.sqrt(COUNT_AREA / np.pi)]
        large = (diameter - profile.limit("ball_diameter_um")) / (DIAMETER * diameter)
        many = [sum(d >= limit for d in near) > profile.limit("ball_count") and diameter >= limit
                for limit in (COUNTED * (1 - DIAMETER), COUNTED * (1 + DIAMETER))]
        crowd = np.inf if all(many) else 0.0 if any(many) else -np.inf
        _claim(out, ("solder_ball", identity), diameter, max(large, crowd))
    for decal in geometry.decals:
        if decal.part == PartKind.RESIDUE:
            extent = on_solder.extent(decal.outline)
            margin = min((extent - profile.limit("residue_extent_mm")) / (OUTLINE * extent),
                         (decal.alpha - profile.limit("residue_stain")) / 1e-6)
            _claim(out, ("residue", decal.instance), extent, margin)
        else:
            length, width = on_solder.groove(decal.outline)
            margin = min((length - profile.limit("scratch_length_mm")) / (OUTLINE * length),
                         (width - profile.limit("scratch_width_um")) / (0.02 * width))
            _claim(out, ("scratch", decal.instance), length, margin)


def compare(assembly: Assembly, found: Sequence[Finding], claimed: dict[Key, Claim], tally: Tally) -> None:
    """Count agreements and note disagreements, in category, in severity and in which parts are good."""
    hosts = {component.reference: 2 + c for c, component in enumerate(assembly.components)}
    first_joint = 2 + len(assembly.components)
    labelled = {}
    for f in found:
        tally.instances += 1
        identity = f.instances[0] if f.instances else hosts[f.host]
        if not f.defect:
            continue
        labelled[f.defect, identity] = f
        tally.defects[f.defect] = tally.defects.get(f.defect, 0) + 1
        claim = claimed.get((f.defect, identity))
        if claim is None:
            tally.disagreements.append(Disagreement("labelled, not measured", f.defect, identity, f.host, np.nan, f.severity))
            continue
        tally.open += claim.margin < 1
        if np.isnan(claim.severity) != np.isnan(f.severity):
            tally.disagreements.append(Disagreement("severity", f.defect, identity, f.host, claim.severity, f.severity))
        elif not np.isnan(claim.severity):
            tolerance = TOLERANCE.get(f.defect) or RELATIVE[f.defect] * f.severity
            off = abs(claim.severity - f.severity) / tolerance
            tally.worst[f.defect] = max(tally.worst.get(f.defect, 0.0), off)
            if off > 1:
                tally.disagreements.append(Disagreement("severity", f.defect, identity, f.host, claim.severity, f.severity))
    spoilt = set()
    for (defect, identity), claim in claimed.items():
        if (defect, identity) not in labelled:
            if claim.margin >= 1:
                tally.disagreements.append(Disagreement("measured, not labelled", defect, identity, _host(assembly, identity),
                                                        claim.severity, np.nan))
            else:
                tally.open += 1
                continue
        spoilt.update(claim.parts)
        if identity < first_joint:
            spoilt.add(identity - 2)
        elif identity < first_joint + len(assembly.joints):
            spoilt.add(int(assembly.joints.component[identity - first_joint]))
    good = {f.instances[0] - 2: f.category for f in found if not f.defect}
    for c, package in enumerate(assembly.packages):
        if (c in good) == (c in spoilt) or (c in good and good[c] != package.kind):
            tally.disagreements.append(Disagreement("good part", good.get(c, "none"), 2 + c, _host(assembly, 2 + c), nan, nan))
    tally.good += len(good)


def _host(assembly: Assembly, identity: int) -> str:
    parts = len(assembly.components)
    if identity < 2 + parts:
        return assembly.components[identity - 2].reference
    j = identity - 2 - parts
    if j < len(assembly.joints):
        return f"{assembly.components[assembly.joints.component[j]].reference}.{assembly.joints.pad[j]}"
    return ""


__all__ = ["Claim", "Disagreement", "Tally", "claims", "compare"]
