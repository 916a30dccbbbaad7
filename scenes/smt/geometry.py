"""geometry: from a UnitState to everything that it shows. The hot path of generation: array operations only.

What does not change between units (meshes, terminals as arrays, marks, tints) is worked out once per assembly and kept
as long as the assembly lives. Ids are those of ``scenes/smt/state.py``.
"""
from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from numpy.typing import NDArray

from scenes.geometry import Decal, Geometry, Instances, Mesh, PartKind, Slab, Soup, merge
from scenes.materials import Material, index
from scenes.optics import Look
from scenes.parts import marking, mesh
from scenes.parts.model import Package
from scenes.smt import joint_shapes as shapes
from scenes.smt.solder import Frame, Terminals, hollows, shown_roughness, solder, soup_of
from scenes.smt.state import BILLBOARD, FLIPPED, Assembly, UnitState

F64 = NDArray[np.float64]
Window = tuple[float, float, float, float]

FLUX_ROUGHNESS = 0.25                          # of a surface under a film


@dataclass(frozen=True, eq=False)
class _Fixed:
    """What an assembly's geometry needs from the assembly alone."""
    meshes: tuple[Mesh, ...]                   # (C,)
    bounds: F64                                # (C, 2, 3) of each mesh
    ball: F64                                  # (C,) [m] undeformed ball height below a BGA's underside, 0 elsewhere
    long_x: NDArray[np.bool_]                  # (C,) the part is at least as long along x as along y
    terminals: Terminals                       # (J,)


_FIXED: WeakKeyDictionary[Assembly, _Fixed] = WeakKeyDictionary()


def _fixed(assembly: Assembly) -> _Fixed:
    found = _FIXED.get(assembly)
    if found is None:
        meshes = tuple(mesh(p) for p in assembly.packages)
        found = _Fixed(meshes, np.array([_bounds(m) for m in meshes]).reshape(-1, 2, 3),
                       np.array([p.terminals[0].height if p.terminals and p.terminals[0].kind == "ball" else 0.0
                                 for p in assembly.packages]),
                       np.array([p.body[0] >= p.body[1] for p in assembly.packages], bool), Terminals.of(assembly))
        _FIXED[assembly] = found
    return found


def _bounds(item: Mesh) -> F64:
    v = item.vertices[item.part != PartKind.JOINT]
    return np.array([v.min(axis=0), v.max(axis=0)], np.float64)


# --- ids -------------------------------------------------------------------------------------------------------------

def bridge_ids(assembly: Assembly, state: UnitState) -> NDArray[np.uint32]:
    """Instance ids of the bridges, in state order."""
    return _ids(assembly, 0, len(state.bridges.first))


def ball_ids(assembly: Assembly, state: UnitState) -> NDArray[np.uint32]:
    """Instance ids of the loose balls, in state order."""
    return _ids(assembly, len(state.bridges.first), len(state.balls.diameter))


def residue_ids(assembly: Assembly, state: UnitState) -> NDArray[np.uint32]:
    """Instance ids of the residues, in state order."""
    return _ids(assembly, len(state.bridges.first) + len(state.balls.diameter), len(state.residues.angle))


def scratch_ids(assembly: Assembly, state: UnitState) -> NDArray[np.uint32]:
    """Instance ids of the scratches, in state order."""
    before = len(state.bridges.first) + len(state.balls.diameter) + len(state.residues.angle)
    return _ids(assembly, before, len(state.scratches.bend))


def _ids(assembly: Assembly, before: int, count: int) -> NDArray[np.uint32]:
    first = 2 + len(assembly.components) + len(assembly.joints) + before
    return np.arange(first, first + count, dtype=np.uint32)


# --- poses -----------------------------------------------------------------------------------------------------------

def component_pose(assembly: Assembly, state: UnitState) -> F64:
    """Package frame → board frame of every component, (C, 4, 4).

    Stand-off, then yaw, then tilt about the bottom edge of the end that stays down (so that nothing sinks into the board
    and the end remains on its solder), then the orientation: a billboard stands on its long side, a flipped part lies on
    its top. Parts that are absent have a pose too.
    """
    fixed = _fixed(assembly)
    bounds, long_x = fixed.bounds, fixed.long_x
    wrong = np.flatnonzero(state.substitute >= 0)
    if len(wrong):
        bounds, long_x = bounds.copy(), long_x.copy()
        for c in wrong:
            package = state.substitutes[state.substitute[c]]
            bounds[c], long_x[c] = _bounds(mesh(package)), package.body[0] >= package.body[1]
    count = len(assembly.components)
    yaw = assembly.angle + state.rotation
    pose = np.zeros((count, 4, 4))
    cos, sin = np.cos(yaw), np.sin(yaw)
    pose[:, 0, 0], pose[:, 0, 1], pose[:, 1, 0], pose[:, 1, 1] = cos, -sin, sin, cos
    pose[:, 2, 2] = pose[:, 3, 3] = 1
    pose[:, :2, 3] = assembly.position + state.offset
    pose[:, 2, 3] = state.standoff - fixed.ball
    for c in np.flatnonzero(state.lift != 0):
        pose[c] = pose[c] @ _tilt(bounds[c], float(state.lift[c]), float(state.lift_axis[c]))
    for c in np.flatnonzero(state.orientation != 0):
        pose[c] = pose[c] @ _turned_over(bounds[c], bool(long_x[c]), int(state.orientation[c]))
    return pose


def _tilt(bounds: F64, lift: float, toward: float) -> F64:
    """Rotation by ``lift`` about the bottom edge of the bounding box that lies farthest in direction ``toward``."""
    d = np.array([np.cos(toward), np.sin(toward)])
    edge = max(d @ [x, y] for x in bounds[:, 0] for y in bounds[:, 1])
    c, s = np.cos(lift), np.sin(lift)
    out = np.eye(4)
    out[:2, :2] += (c - 1) * np.outer(d, d)
    out[:2, 2] = s * d
    out[2, :2] = -s * d
    out[2, 2] = c
    out[:2, 3] = (1 - c) * edge * d
    out[2, 3] = s * edge
    return out


def _turned_over(bounds: F64, long_x: bool, orientation: int) -> F64:
    """A quarter turn (BILLBOARD) or half turn (FLIPPED) about the long axis, standing on the board again."""
    (x0, y0, z0), (x1, y1, z1) = bounds
    cx, cy, z0 = (x0 + x1) / 2, (y0 + y1) / 2, min(max(z0, 0.0), z1)
    h = z1 - z0
    out = np.eye(4)
    if orientation == FLIPPED:
        if long_x:
            out[1, 1], out[1, 3] = -1, 2 * cy
        else:
            out[0, 0], out[0, 3] = -1, 2 * cx
        out[2, 2], out[2, 3] = -1, z1
    elif orientation == BILLBOARD:
        if long_x:
            out[1, 1:] = 0, -1, cy + z0 + h / 2
            out[2, 1:] = 1, 0, -cy + (y1 - y0) / 2
        else:
            out[0] = 0, 0, 1, cx - z0 - h / 2
            out[2] = -1, 0, 0, cx + (x1 - x0) / 2
    return out


# --- build -----------------------------------------------------------------------------------------------------------

def build(assembly: Assembly, slab: Slab, state: UnitState, look: Look, *, window: Window | None = None) -> Geometry:
    """Everything that one unit shows.

    Args:
        assembly: The board side as it should be.
        slab: Its laminate and artwork, passed on.
        state: The unit.
        look: Colours and lot; changes no shape.
        window: (x0, y0, x1, y1) [m]: leave out what lies wholly outside. Ids do not change.

    Returns:
        Geometry with instance ids as documented in ``scenes/smt/state.py``.
    """
    fixed = _fixed(assembly)
    pose = component_pose(assembly, state)
    seen = state.present.copy()
    joints = np.ones(len(assembly.joints), bool)
    if window is not None:
        seen &= _inside(_boxes(fixed, state, pose), window)
        joints = _inside(_land_boxes(assembly), window)
    frame = Frame(assembly, state, pose, fixed.terminals)
    made = solder(frame, np.flatnonzero(joints), look.solder_roughness)
    instances, marks = _parts(assembly, state, look, pose, seen, made.lead_lift)
    soups = [made.soup, *_loose(assembly, state, look, window)]
    return Geometry(slab, instances, merge(soups), tuple(_decals(assembly, state, window)), marks, hollows(frame, joints),
                    assembly.materials)


def _inside(boxes: F64, window: Window) -> NDArray[np.bool_]:
    x0, y0, x1, y1 = window
    return (boxes[:, 0] <= x1) & (boxes[:, 2] >= x0) & (boxes[:, 1] <= y1) & (boxes[:, 3] >= y0)


def _boxes(fixed: _Fixed, state: UnitState, pose: F64) -> F64:
    """Bounding rectangles of the posed parts on the board, (C, 4), widened by half their height for oblique views."""
    corner = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    bounds = fixed.bounds
    wrong = np.flatnonzero(state.substitute >= 0)
    if len(wrong):
        bounds = bounds.copy()
        for c in wrong:
            bounds[c] = _bounds(mesh(state.substitutes[state.substitute[c]]))
    points = np.stack([bounds[:, corner[:, a], a] for a in range(3)], axis=-1)
    placed = np.einsum("cij,cpj->cpi", pose[:, :3, :3], points) + pose[:, None, :3, 3]
    margin = 0.5 * np.maximum(placed[..., 2].max(axis=1), 0)
    return np.column_stack([placed[..., 0].min(axis=1) - margin, placed[..., 1].min(axis=1) - margin,
                            placed[..., 0].max(axis=1) + margin, placed[..., 1].max(axis=1) + margin])


def _land_boxes(assembly: Assembly) -> F64:
    rows = assembly.joints
    reach = np.hypot(rows.land_size[:, 0], rows.land_size[:, 1])[:, None] / 2 + 0.3e-3
    return np.column_stack([rows.land_center - reach, rows.land_center + reach])


# --- parts -----------------------------------------------------------------------------------------------------------

def _parts(assembly: Assembly, state: UnitState, look: Look, pose: F64, seen: NDArray[np.bool_],
           lead_lift: dict[int, tuple[tuple[int, float], ...]]) -> tuple[tuple[Instances, ...], tuple[NDArray[np.uint8], ...]]:
    """Instances grouped by mesh, and the marks that they use."""
    fixed, tints = _fixed(assembly), _tints(assembly, look)
    printed = _marks(assembly, look)
    groups: dict[int, tuple[Mesh, list[int]]] = {}
    number: dict[int, int] = {}
    marks: list[NDArray[np.uint8]] = []
    mark = np.full(len(seen), -1, np.int32)
    for c in np.flatnonzero(seen).tolist():
        if state.substitute[c] >= 0:
            package = state.substitutes[state.substitute[c]]
            item, ink = (
                mesh(package),
                _mark(package.key, package, _other_value(assembly.components[c].value), "", look.marking_seed),
            )
        else:
            item = fixed.meshes[c] if c not in lead_lift else mesh(assembly.packages[c], lead_lift[c])
            ink = printed[c]
        if ink is not None:
            if id(ink) not in number:
                number[id(ink)] = len(marks)
                marks.append(ink)
            mark[c] = number[id(ink)]
        groups.setdefault(id(item), (item, []))[1].append(c)
    out = []
    for item, members in groups.values():
        rows = np.array(members)
        out.append(Instances(item, pose[rows], (rows + 2).astype(np.uint32), tints[rows], mark[rows]))
    return tuple(out), tuple(marks)


def _other_value(value: str) -> str:
    """What is printed on a wrong part: another value of the same make."""
    digits = "".join(str((int(ch) + 3) % 10) if ch.isdigit() else ch for ch in value)
    return digits if digits != value else value + "X"


_MARKS: WeakKeyDictionary[Assembly, dict[int, tuple[NDArray[np.uint8] | None, ...]]] = WeakKeyDictionary()
_TINTS: WeakKeyDictionary[Assembly, dict[tuple[int, float], NDArray[np.float32]]] = WeakKeyDictionary()
_KEPT = 32                                     # looks per assembly whose marks and tints are kept


def _marks(assembly: Assembly, look: Look) -> tuple[NDArray[np.uint8] | None, ...]:
    """Marks of all components for this lot, (C,)."""
    kept = _MARKS.setdefault(assembly, {})
    if look.marking_seed not in kept:
        while len(kept) >= _KEPT:
            kept.pop(next(iter(kept)))
        kept[look.marking_seed] = tuple(
            _mark(p.key, p, c.value, c.reference if p.kind == "box" else "", look.marking_seed)
            for p, c in zip(assembly.packages, assembly.components, strict=True))
    return kept[look.marking_seed]


class _Ink:
    """A mark's arguments, equal when the printed result is: by package key, not by object."""

    def __init__(self, key: str, package: Package, value: str, reference: str, seed: int) -> None:
        self.package, self.value, self.reference, self.seed = package, value, reference, seed
        self.identity = (key, value, reference, seed)

    def __hash__(self) -> int:
        return hash(self.identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Ink) and self.identity == other.identity


def _mark(key: str, package: Package, value: str, reference: str, seed: int) -> NDArray[np.uint8] | None:
    return _drawn(_Ink(key, package, value, reference, seed))


@lru_cache(maxsize=512)
def _drawn(ink: _Ink) -> NDArray[np.uint8] | None:
    return marking(ink.package, ink.value, ink.reference, ink.seed)


def _tints(assembly: Assembly, look: Look) -> NDArray[np.float32]:
    """Factor on each body's colour, (C, 3): one draw per kind and value (a reel), a small one per part."""
    kept = _TINTS.setdefault(assembly, {})
    key = (look.marking_seed, look.part_tint)
    if key not in kept:
        while len(kept) >= _KEPT:
            kept.pop(next(iter(kept)))
        rows = []
        for package, component in zip(assembly.packages, assembly.components, strict=True):
            reel = np.random.default_rng(
                [look.marking_seed & 0xFFFFFFFF, zlib.crc32(f"{package.kind}|{package.name}|{component.value}".encode())]
            )
            own = np.random.default_rng([look.marking_seed & 0xFFFFFFFF, zlib.crc32(component.reference.encode()), 1])
            shade = 1 + look.part_tint * (0.8 * reel.uniform(-1, 1) + 0.2 * own.uniform(-1, 1))
            hue = 1 + look.part_tint * 0.3 * reel.uniform(-1, 1, 3)
            rows.append(shade * hue * _dielectric(package, component.value, assembly.materials))
        kept[key] = np.clip(np.array(rows, np.float32).reshape(-1, 3), 0.2, 2.0)
    return kept[key]


def _dielectric(package: Package, value: str, materials: Sequence[Material]) -> F64:
    """Class 1 ceramic capacitors (picofarads) are greyer than the tan of class 2."""
    if package.kind == "chip_capacitor" and ("pF" in value or "COG" in value.upper() or "C0G" in value.upper()):
        tan, grey = (np.array(materials[index(n)].base_color) for n in ("ceramic_mlcc", "ceramic_mlcc_grey"))
        return np.asarray(grey / tan)
    return np.ones(3)


# --- loose solder, films, grooves ------------------------------------------------------------------------------------

def _loose(assembly: Assembly, state: UnitState, look: Look, window: Window | None) -> list[Soup]:
    """Bridges and loose balls."""
    out = []
    bridges, balls = state.bridges, state.balls
    if len(bridges.first):
        start, end = _facing(assembly, bridges.first, bridges.second)
        keep = _near(np.column_stack([np.minimum(start, end), np.maximum(start, end)]), window)
        if keep.any():
            bodies = shapes.necks(start[keep], end[keep], bridges.width[keep], bridges.height[keep])
            rough = np.maximum(state.roughness[bridges.first], state.roughness[bridges.second])[keep]
            shown = shown_roughness(rough, look.solder_roughness)
            out.append(soup_of(bodies, bridge_ids(assembly, state)[keep], PartKind.BRIDGE, shown))
    if len(balls.diameter):
        radius = balls.diameter / 2
        keep = _near(np.column_stack([balls.center - radius[:, None], balls.center + radius[:, None]]), window)
        if keep.any():
            center = np.column_stack([balls.center[keep], radius[keep] * 0.98])
            out.append(soup_of(shapes.spheres(center, radius[keep]), ball_ids(assembly, state)[keep], PartKind.BALL,
                               np.full(int(keep.sum()), look.solder_roughness)))
    return out


def _near(boxes: F64, window: Window | None) -> NDArray[np.bool_]:
    return np.ones(len(boxes), bool) if window is None else _inside(boxes, window)


def _facing(assembly: Assembly, first: NDArray[np.int32], second: NDArray[np.int32]) -> tuple[F64, F64]:
    """Where a bridge starts and ends: the points of two lands that face each other, a little inside both. (B, 2) each."""
    rows = assembly.joints

    def nearest(joint: NDArray[np.int32], to: F64) -> F64:
        c, s = np.cos(rows.land_angle[joint]), np.sin(rows.land_angle[joint])
        d = to - rows.land_center[joint]
        half = rows.land_size[joint] / 2
        inset = np.minimum(0.25 * rows.land_size[joint].min(axis=1), 0.15e-3)[:, None]
        local = np.column_stack([c * d[:, 0] + s * d[:, 1], -s * d[:, 0] + c * d[:, 1]])
        local = np.clip(local, -(half - inset), half - inset)
        return np.column_stack([c * local[:, 0] - s * local[:, 1], s * local[:, 0] + c * local[:, 1]]) + rows.land_center[joint]
    # between parallel leads a bridge sits at the toes, in front of the part, where most solder is
    axis = rows.land_center[second] - rows.land_center[first]
    toe = np.column_stack([np.cos(rows.land_angle[first]), np.sin(rows.land_angle[first])])
    beside = np.abs((axis * toe).sum(axis=1)) < 0.5 * np.hypot(axis[:, 0], axis[:, 1])
    start = nearest(first, rows.land_center[second] + np.where(beside, 0.22 * rows.land_size[first, 0], 0.0)[:, None] * toe)
    end = nearest(second, start)
    return nearest(first, end), end


def _decals(assembly: Assembly, state: UnitState, window: Window | None) -> list[Decal]:
    out = []
    flux = assembly.materials[index("flux")].base_color
    residues, scratches = state.residues, state.scratches
    for k, ident in enumerate(residue_ids(assembly, state)):
        reach = float(residues.radius[k].max()) * 1.4
        if not _near(np.concatenate([residues.center[k] - reach, residues.center[k] + reach])[None], window)[0]:
            continue
        outline = residue_outline(residues.center[k], residues.radius[k], float(residues.angle[k]), int(residues.shape_seed[k]))
        out.append(Decal(outline, int(ident), PartKind.RESIDUE, flux, float(residues.alpha[k]), FLUX_ROUGHNESS,
                         edge=0.25 * float(residues.radius[k].min())))
    for k, ident in enumerate(scratch_ids(assembly, state)):
        a, b = scratches.start[k], scratches.end[k]
        reach = abs(float(scratches.bend[k])) + float(scratches.width[k])
        if not _near(np.concatenate([np.minimum(a, b) - reach, np.maximum(a, b) + reach])[None], window)[0]:
            continue
        outline = scratch_outline(a, b, float(scratches.bend[k]), float(scratches.width[k]))
        deep = float(np.clip(scratches.depth[k] / 20e-6, 0.0, 1.0))
        fresh = tuple(0.35 + 0.35 * deep * c for c in (1.0, 0.95, 0.8))
        out.append(Decal(outline, int(ident), PartKind.SCRATCH, fresh, 0.35 + 0.5 * deep, 0.45,   # type: ignore[arg-type]
                         direction=float(np.arctan2(*(b - a)[::-1]))))
    return out


def residue_outline(center: F64, radius: F64, angle: float, seed: int) -> shapely.Polygon:
    """A wobbly ellipse: smooth harmonics of its own seed, area close to π·a·b."""
    rng = np.random.default_rng(seed)
    t = 2 * np.pi * np.arange(48) / 48
    wobble = 1 + sum(rng.normal(0, 0.16 / k) * np.cos(k * t + rng.uniform(0, 2 * np.pi)) for k in range(2, 7))
    wobble = np.clip(wobble, 0.6, 1.4)
    x, y = radius[0] * wobble * np.cos(t), radius[1] * wobble * np.sin(t)
    c, s = np.cos(angle), np.sin(angle)
    return shapely.Polygon(np.column_stack([c * x - s * y, s * x + c * y]) + center)


def scratch_outline(start: F64, end: F64, bend: float, width: float) -> shapely.Polygon:
    """A gently bent band of constant width, pointed at both ends."""
    t = np.linspace(0, 1, 13)
    along = end - start
    length = float(np.hypot(*along))
    across = np.array([-along[1], along[0]]) / max(length, 1e-12)
    line = start + t[:, None] * along + (4 * bend * t * (1 - t))[:, None] * across
    half = width / 2 * np.minimum(1, np.minimum(t, 1 - t) * 8 + 0.25)
    return shapely.Polygon(np.vstack([line + half[:, None] * across, (line - half[:, None] * across)[::-1]]))


__all__ = [
    "ball_ids",
    "bridge_ids",
    "build",
    "component_pose",
    "residue_ids",
    "residue_outline",
    "scratch_ids",
    "scratch_outline",
]
