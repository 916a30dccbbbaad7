"""What the final meshes say about parts: where they stand, how they lie, where their metal is. SI units, board frame.

Apart from the acceptance rules: everything here is read from triangles and poses of a ``Geometry`` and from the design
(lands, nominal poses, packages). A foot is one connected body of lead or termination metal of a mesh.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from scenes.geometry import Geometry, Mesh, PartKind
from scenes.parts import marking, mesh
from scenes.parts.model import Package
from scenes.smt.state import Assembly

F64 = NDArray[np.float64]
SOLE = 0.5                                     # [1] of its thickness that a formed lead's foot may rise at the heel


@dataclass(frozen=True, eq=False)
class Feet:
    """The metal of one mesh in the package frame, one row per terminal of the package (T)."""
    corners: F64                               # (T, 4, 2) outline of the contact [m]
    low: F64                                   # (T,) lowest point [m]
    high: F64                                  # (T,) up to where the contact goes: a formed foot's thickness, else all of it [m]
    points: tuple[F64, ...]                    # T × (n, 3) vertices of each foot


@dataclass(frozen=True, eq=False)
class Part:
    """One part as it stands on the board."""
    mesh: Mesh
    pose: F64                                  # (4, 4)
    feet: Feet | None                          # None where the mesh is not the design's: its metal is another part's
    wrong: bool                                # not the part of the design: other size, other materials or other mark
    tilt: float                                # [rad] of the package's z axis against the board's normal, up or down, 0 … π/2
    on_side: bool                              # tilted about the line of its feet, so that no end is higher
    upside_down: bool
    rotation: float                            # [rad] against the design, in (−π, π]

    def metal(self) -> tuple[F64, NDArray[np.int64]]:
        """All leads and terminations in the board frame: vertices (n, 3) [m] and triangles (m, 3)."""
        pick = np.flatnonzero(self.mesh.part == PartKind.LEAD)
        renumber = np.full(len(self.mesh.part), -1)
        renumber[pick] = np.arange(len(pick))
        faces = renumber[self.mesh.faces.astype(np.int64)]
        points = self.mesh.vertices[pick].astype(np.float64) @ self.pose[:3, :3].T + self.pose[:3, 3]
        return np.asarray(points), faces[(faces >= 0).all(axis=1)]


def bodies(vertices: F64, faces: NDArray[np.integer]) -> tuple[NDArray[np.intp], int]:
    """Connected bodies of triangles whose vertices are split at creases: label per vertex, and how many (unused ones count)."""
    _, same = np.unique(np.round(vertices * 1e9).astype(np.int64), axis=0, return_inverse=True)
    same = same.reshape(-1)
    corner = same[faces]
    edge = np.concatenate([corner[:, [0, 1]], corner[:, [1, 2]]])
    size = int(same.max()) + 1
    count, label = connected_components(coo_matrix((np.ones(len(edge)), (edge[:, 0], edge[:, 1])), shape=(size, size)), False)
    return label[same], count


_FEET: dict[int, tuple[Mesh, Feet]] = {}


def feet_of(item: Mesh, package: Package) -> Feet:
    """The feet of a mesh, matched to the package's terminals by where they are. Kept per mesh."""
    if id(item) in _FEET:
        return _FEET[id(item)][1]
    pick = np.flatnonzero(item.part == PartKind.LEAD)
    renumber = np.full(len(item.part), -1)
    renumber[pick] = np.arange(len(pick))
    faces = renumber[item.faces.astype(np.int64)]
    faces = faces[(faces >= 0).all(axis=1)]
    points = item.vertices[pick].astype(np.float64)
    label, _ = bodies(points, faces)
    groups = [points[label == k] for k in np.unique(label[faces])]
    formed = any(t.kind == "gullwing" for t in package.terminals)
    thick = min(t.height for t in package.terminals)
    soles = [g[g[:, 2] - g[:, 2].min() <= SOLE * thick] if formed else g for g in groups]
    middles = np.array([(s[:, :2].min(axis=0) + s[:, :2].max(axis=0)) / 2 for s in soles])
    corners, low, high, chosen = [], [], [], []
    for terminal in package.terminals:
        k = int(np.argmin(np.hypot(*(middles - terminal.center).T)))
        u = np.array([np.cos(terminal.direction), np.sin(terminal.direction)])
        axes = np.array([u, [-u[1], u[0]]])
        if terminal.kind == "ball":            # the ball itself is solder; the design says how wide it is
            local = axes @ middles[k] + np.array([[-1, -1], [1, 1]]) * np.array(terminal.size) / 2
        else:
            local = soles[k][:, :2] @ axes.T
        (x0, y0), (x1, y1) = local.min(axis=0), local.max(axis=0)
        corners.append(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) @ axes)
        low.append(groups[k][:, 2].min())
        high.append(low[-1] + terminal.height if formed else groups[k][:, 2].max())
        chosen.append(groups[k])
    feet = Feet(np.array(corners).reshape(-1, 4, 2), np.array(low), np.array(high), tuple(chosen))
    _FEET[id(item)] = item, feet
    return feet


def parts(assembly: Assembly, geometry: Geometry, marking_seed: int) -> dict[int, Part]:
    """Every part that is there, by its index in the assembly."""
    out = {}
    for group in geometry.instances:
        for pose, identity, mark in zip(group.pose, group.instance, group.marking, strict=True):
            c = int(identity) - 2
            ink = geometry.markings[mark] if mark >= 0 else None
            out[c] = _part(assembly, c, group.mesh, pose, ink, marking_seed)
    return out


def _part(assembly: Assembly, c: int, item: Mesh, pose: F64, ink: NDArray[np.uint8] | None, seed: int) -> Part:
    package, component = assembly.packages[c], assembly.components[c]
    design = mesh(package)
    wrong = _look(item) != _look(design)
    if not wrong:
        expected = _mark(package, component.value, component.reference if package.kind == "box" else "", seed)
        wrong = (ink is None) != (expected is None) or (ink is not None and not np.array_equal(ink, expected))
    feet = None if wrong else feet_of(item, package)
    turn = pose[:3, :3]
    tilt = float(np.arccos(np.clip(abs(turn[2, 2]), 0, 1)))
    on_side = False
    if tilt > 0.25 * np.pi and feet is not None:
        middles = np.column_stack([feet.corners.mean(axis=1), feet.low])
        heights = middles @ turn[2]
        span = np.linalg.norm(middles[:, None] - middles[None], axis=2).max()
        on_side = bool(np.ptp(heights) < 0.3 * span * np.sin(tilt))
    size = np.ptp(design.vertices, axis=0)
    axis = turn[:2, 0] if size[0] >= size[1] else np.array([turn[1, 1], -turn[0, 1]])   # the one that lies flat when turned over
    yaw = np.arctan2(axis[1], axis[0]) - assembly.angle[c]
    upside_down = not on_side and turn[2, 2] < -1e-6
    return Part(item, pose, feet, bool(wrong), tilt, on_side, bool(upside_down), float(np.pi - (np.pi - yaw) % (2 * np.pi)))


_MARKS: dict[tuple[str, str, str, int], NDArray[np.uint8] | None] = {}


def _mark(package: Package, value: str, reference: str, seed: int) -> NDArray[np.uint8] | None:
    """The mark that the design's part carries, drawn once."""
    key = package.key, value, reference, seed
    if key not in _MARKS:
        _MARKS[key] = marking(package, value, reference, seed)
    return _MARKS[key]


def _look(item: Mesh) -> tuple[object, ...]:
    """What tells one part from another by its shape: extents of body and metal to 1 µm, but for heights of leads; materials."""
    out: list[object] = [tuple(np.unique(item.material).tolist())]
    for kind in (PartKind.BODY, PartKind.LEAD):
        v = item.vertices[item.part == kind]
        if len(v):
            v = v if kind == PartKind.BODY else v[:, :2]
            out += [int(kind), *np.round(np.concatenate([v.min(axis=0), v.max(axis=0)]) * 1e6).astype(int).tolist()]
    return tuple(out)


def clearance(part: Part, terminal: int, points: F64) -> float:
    """Between points and the box around a contact [m], 0 where one lies inside. ``points`` (n, 3), board frame."""
    assert part.feet is not None
    local = (points - part.pose[:3, 3]) @ part.pose[:3, :3]
    corner = part.feet.corners[terminal]
    u = (corner[1] - corner[0]) / np.linalg.norm(corner[1] - corner[0])
    flat = (local[:, :2] - corner.mean(axis=0)) @ np.array([[u[0], -u[1]], [u[1], u[0]]])
    half = np.array([np.linalg.norm(corner[1] - corner[0]), np.linalg.norm(corner[3] - corner[0])]) / 2
    low, high = part.feet.low[terminal], part.feet.high[terminal]
    away = np.column_stack([np.abs(flat) - half, low - local[:, 2], local[:, 2] - high])
    return float(np.linalg.norm(np.maximum(away, 0), axis=1).min())


# --- overhang --------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Overhang:
    """Feet against lands, beyond the design, per joint of one part (n). Negative: still inside [m]."""
    side: F64                                  # past the nearer side edge
    end: F64                                   # past the outer end
    inner: F64                                 # past the inner end
    on_land: F64                               # the lesser of the extents over the land, negative: how far off
    width_lost: F64                            # extent across over the land that the design has, less what is there


def half_turn(assembly: Assembly, joints: NDArray[np.intp], feet: Feet) -> tuple[F64, NDArray[np.intp]] | None:
    """Middle of the feet (package frame) and which foot takes which place after half a turn; None where it does not fit.

    It fits where every turned foot covers at least half of another one's place.
    """
    corners = feet.corners[assembly.joints.terminal[joints]]
    center = corners.mean(axis=1)
    middle = center.mean(axis=0)
    partner = cKDTree(center).query(2 * middle - center)[1]
    size = np.ptp(corners, axis=1)
    fits = (np.abs(2 * middle - center - center[partner]) < 0.5 * np.minimum(size, size[partner])).all()
    return (middle, partner) if fits and len(joints) else None


def standing(assembly: Assembly, joints: NDArray[np.intp], part: Part) -> dict[int, int]:
    """Which terminal stands on each joint's land: its own, or where the part lies turned by more than 90°, the one opposite."""
    assert part.feet is not None
    own = assembly.joints.terminal[joints]
    found = half_turn(assembly, joints, part.feet) if abs(part.rotation) > np.pi / 2 else None
    if found is None:
        return dict(zip(joints.tolist(), own.tolist(), strict=True))
    return {int(joints[k]): int(own[i]) for i, k in enumerate(found[1])}


def overhang(assembly: Assembly, joints: NDArray[np.intp], part: Part, *, turned_back: bool, rotated: bool) -> Overhang:
    """How far each foot hangs over its land beyond what the design gives.

    Args:
        joints: Those of this part.
        part: With feet of its own.
        turned_back: Every foot is compared with the land of the foot opposite, where it lies after half a turn.
        rotated: False undoes the rotation about the part's origin and keeps the shift.
    """
    rows = assembly.joints
    package_angle = float(assembly.angle[rows.component[joints[0]]])
    assert part.feet is not None
    corners = part.feet.corners[rows.terminal[joints]]
    order = np.arange(len(joints))
    rotation = part.rotation
    origin = part.pose[:2, 3]
    local = np.concatenate([corners, np.zeros((*corners.shape[:2], 1))], axis=2)
    there = (local @ part.pose[:3, :3].T)[..., :2] + origin
    if turned_back:
        found = half_turn(assembly, joints, part.feet)
        assert found is not None
        middle, order = found
        rotation = rotation - np.copysign(np.pi, rotation)
        origin = there.mean(axis=(0, 1)) - _turn(middle[None], package_angle + rotation)[0]
    if not rotated:
        there = _turn(there - origin, -rotation) + origin
    nominal = _turn(corners, package_angle) + assembly.position[rows.component[joints[0]]]
    side, end, inner, width, on_land = _against(assembly, joints[order], there)
    side0, end0, inner0, width0, _ = _against(assembly, joints, nominal)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))        # rows by land again
    return Overhang(side[back] - np.maximum(side0, 0), end[back] - np.maximum(end0, 0), inner[back] - np.maximum(inner0, 0),
                    on_land[back], width0 - width[back])


def _against(assembly: Assembly, joints: NDArray[np.intp], corners: F64) -> tuple[F64, F64, F64, F64, F64]:
    """Overhang at the side, outer and inner end, extent across over the land, and the lesser extent over it (signed), (n,)."""
    rows = assembly.joints
    angle, half = rows.land_angle[joints], rows.land_size[joints] / 2
    d = corners - rows.land_center[joints][:, None]
    u = d[..., 0] * np.cos(angle)[:, None] + d[..., 1] * np.sin(angle)[:, None]
    v = -d[..., 0] * np.sin(angle)[:, None] + d[..., 1] * np.cos(angle)[:, None]
    width = np.minimum(v.max(axis=1), half[:, 1]) - np.maximum(v.min(axis=1), -half[:, 1])
    depth = np.minimum(u.max(axis=1), half[:, 0]) - np.maximum(u.min(axis=1), -half[:, 0])
    return (np.abs(v).max(axis=1) - half[:, 1], u.max(axis=1) - half[:, 0], -u.min(axis=1) - half[:, 0], np.maximum(width, 0),
            np.minimum(width, depth))


def _turn(points: F64, angle: float) -> F64:
    c, s = np.cos(angle), np.sin(angle)
    return points @ np.array([[c, s], [-s, c]])


__all__ = ["Feet", "Overhang", "Part", "bodies", "clearance", "feet_of", "half_turn", "overhang", "parts", "standing"]
