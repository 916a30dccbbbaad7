"""What the final meshes say about solder, and decals about the surface. SI units, board frame.

Volumes are signed tetrahedra of closed bodies, gaps are distances between bodies, necks are chords of cross-sections.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
import trimesh
from measured_parts import bodies
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from scenes.geometry import Geometry, PartKind, Soup
from scenes.smt.state import Assembly, UnitState

F64 = NDArray[np.float64]
NEAR = 50e-6                                   # [m] farther apart than this is not measured
SLICES = np.linspace(0.3, 0.7, 41)             # along a bridge: where its neck is looked for


@dataclass(frozen=True, eq=False)
class Body:
    """All triangles of one id."""
    vertices: F64                              # (V, 3)
    faces: NDArray[np.int64]                   # (F, 3)
    roughness: float
    part: PartKind

    @property
    def volume(self) -> float:
        """Signed tetrahedra [m³]; exact for closed bodies, also for several of them."""
        v = self.vertices - self.vertices.mean(axis=0)
        a, b, c = (v[self.faces[:, k]] for k in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)

    @property
    def closed(self) -> bool:
        """Every edge is met once in each direction."""
        edge = np.concatenate([self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]])
        key, back = edge[:, 0] * len(self.vertices) + edge[:, 1], edge[:, 1] * len(self.vertices) + edge[:, 0]
        return bool(np.array_equal(np.sort(key), np.sort(back)))

    @property
    def low(self) -> float:
        return float(self.vertices[:, 2].min())

    @property
    def top(self) -> float:
        return float(self.vertices[:, 2].max())

    def pieces(self) -> list[Body]:
        """Its connected bodies, lowest first."""
        label, _ = bodies(self.vertices, self.faces)
        out = []
        for k in np.unique(label[self.faces]):
            own = np.flatnonzero(label == k)
            renumber = np.full(len(label), -1)
            renumber[own] = np.arange(len(own))
            faces = renumber[self.faces]
            out.append(Body(self.vertices[own], faces[(faces >= 0).all(axis=1)], self.roughness, self.part))
        return sorted(out, key=lambda b: b.low)


def by_id(soup: Soup) -> dict[int, Body]:
    """The soup's bodies by instance id."""
    order = np.argsort(soup.instance, kind="stable")
    ids, first = np.unique(soup.instance[order], return_index=True)
    owner = soup.instance[soup.faces[:, 0]]
    face_order = np.argsort(owner, kind="stable")
    face_ids, face_first = np.unique(owner[face_order], return_index=True)
    assert np.array_equal(ids, face_ids) and (soup.instance[soup.faces] == owner[:, None]).all()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    out = {}
    for k, identity in enumerate(ids.tolist()):
        own = order[first[k]:first[k + 1] if k + 1 < len(ids) else None]
        faces = soup.faces[face_order[face_first[k]:face_first[k + 1] if k + 1 < len(ids) else None]].astype(np.int64)
        rough, kinds = soup.roughness[own], np.unique(soup.part[own])
        assert len(kinds) == 1 and np.ptp(rough) == 0
        out[identity] = Body(soup.vertices[own].astype(np.float64), rank[faces] - first[k], float(rough[0]),
                             PartKind(int(kinds[0])))
    return out


def touches_land(assembly: Assembly, joint: int, body: Body) -> bool:
    """Whether the body stands on the land: some of it at z ≈ 0 within the land's rectangle."""
    rows = assembly.joints
    foot = body.vertices[body.vertices[:, 2] < 1e-6][:, :2] - rows.land_center[joint]
    c, s = np.cos(rows.land_angle[joint]), np.sin(rows.land_angle[joint])
    local = np.abs(foot @ np.array([[c, -s], [s, c]]))
    return bool((local < rows.land_size[joint] / 2).all(axis=1).any())


def wets_land(assembly: Assembly, joint: int, body: Body) -> bool:
    """Whether the solder's foot reaches out to the land's edges: a drop on metal that it does not wet stays round and small."""
    foot = body.vertices[body.vertices[:, 2] < 1e-6][:, :2]
    c, s = np.cos(assembly.joints.land_angle[joint]), np.sin(assembly.joints.land_angle[joint])
    local = foot @ np.array([[c, -s], [s, c]])
    return bool(len(foot) > 0 and (np.ptp(local, axis=0) > 0.9 * assembly.joints.land_size[joint]).all())


def distance(one: Body, other: Body) -> float:
    """Between two closed bodies, by the vertices of each against the triangles of the other [m]; 0 where they meet."""
    if _meet(one, other):
        return 0.0
    return min(_to_triangles(one.vertices, other), _to_triangles(other.vertices, one))


def _to_triangles(points: F64, body: Body) -> float:
    corners = body.vertices[body.faces]
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    near = points[(np.maximum(low - points, points - high) < NEAR).all(axis=1)]
    if not len(near):
        return float("inf")
    nearest = trimesh.triangles.closest_point(np.tile(corners, (len(near), 1, 1)), np.repeat(near, len(corners), axis=0))
    return float(np.linalg.norm(nearest - np.repeat(near, len(corners), axis=0), axis=1).min())


@dataclass(frozen=True, eq=False)
class Neck:
    """A bridge: the joint at each end, −1 where it meets none, and the narrowest cross-section between the two [m]."""
    joints: tuple[int, int]
    width: float


def neck(assembly: Assembly, body: Body, lands: list[BaseGeometry], solder: dict[int, Body]) -> Neck:
    """Measure a bridge's body.

    Which joints it joins: at each end, those whose land it stands on and whose solder it runs into.
    """
    first = 2 + len(assembly.components)
    ends = _ends(body)
    joined = []
    for end in ends:
        under = [j for j, land in enumerate(lands) if first + j in solder and land.distance(shapely.Point(end)) < 1e-6]
        joined.append(next((j for j in under if _meet(body, solder[first + j])), -1))
    flat = body.vertices[:, :2]
    length = float(np.hypot(*(ends[1] - ends[0])))
    along = (ends[1] - ends[0]) / length
    across = np.array([-along[1], along[0]])
    s, w = (flat - ends[0]) @ along, (flat - ends[0]) @ across
    edge = np.concatenate([body.faces[:, [0, 1]], body.faces[:, [1, 2]], body.faces[:, [2, 0]]])
    a, b = edge[:, 0], edge[:, 1]
    level = np.abs(s[b] - s[a]) < 1e-12
    run = np.where(level, 1.0, s[b] - s[a])
    widths = []
    for t in SLICES * length:
        cut = (s[a] - t) * (s[b] - t) <= 0
        way = np.where(level, 0.0, (t - s[a]) / run)[cut]
        widths.append(np.ptp(np.concatenate([w[a][cut] + way * (w[b] - w[a])[cut], w[b][cut & level]])))
    return Neck((joined[0], joined[1]), float(min(widths)))


def _meet(one: Body, other: Body) -> bool:
    """Whether a vertex of one lies inside the other, or the other way round."""
    return bool((winding(one.vertices, other) > 0.5).any() or (winding(other.vertices, one) > 0.5).any())


def winding(points: F64, body: Body) -> F64:
    """How often a closed body encloses each point (n,): the sum of its triangles' solid angles over 4π."""
    a, b, c = (body.vertices[body.faces[:, k]][None] - points[:, None] for k in range(3))
    la, lb, lc = (np.linalg.norm(x, axis=2) for x in (a, b, c))
    top = np.einsum("nfi,nfi->nf", a, np.cross(b, c))
    bottom = la * lb * lc + (a * b).sum(2) * lc + (b * c).sum(2) * la + (c * a).sum(2) * lb
    result: F64 = np.arctan2(top, bottom).sum(axis=1) / (2 * np.pi)
    return result


def _ends(body: Body) -> F64:
    """The two tips of a bridge, (2, 2): the vertices where most triangles meet."""
    count = np.bincount(body.faces.ravel(), minlength=len(body.vertices))
    return body.vertices[np.sort(np.argsort(-count, kind="stable")[:2]), :2]


def ball_diameter(body: Body) -> float:
    """Of the sphere of the same volume [m]."""
    return float(np.cbrt(6 * body.volume / np.pi))


def extent(outline: BaseGeometry) -> float:
    """Greatest distance between two points [m]."""
    points = shapely.get_coordinates(outline.convex_hull)
    return float(np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)).max())


def groove(outline: BaseGeometry) -> tuple[float, float]:
    """Distance between the ends of a groove, and its width half-way [m]."""
    points = shapely.get_coordinates(outline.convex_hull)
    apart = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    a, b = (points[k] for k in np.unravel_index(apart.argmax(), apart.shape))
    long = np.array(b - a)
    across = np.array([-long[1], long[0]]) / np.hypot(*long)
    middle = (a + b) / 2
    line = shapely.LineString([middle - long_reach(outline) * across, middle + long_reach(outline) * across])
    return float(np.hypot(*long)), float(line.intersection(outline).length)


def long_reach(outline: BaseGeometry) -> float:
    x0, y0, x1, y1 = outline.bounds
    return float(np.hypot(x1 - x0, y1 - y0))


def void_share(state: UnitState, joint: int, radius: float, cells: int = 240) -> float:
    """Projected share of a ball's voids, the union of their discs counted on a grid [1]."""
    mine = np.flatnonzero(state.voids.joint == joint)
    at = (np.arange(cells) + 0.5) / cells * 2 * radius - radius
    x, y = np.meshgrid(at, at)
    covered = np.zeros(x.shape, bool)
    for k in mine:
        cx, cy, _ = state.voids.center[k]
        covered |= (x - cx)**2 + (y - cy)**2 < state.voids.radius[k]**2
    return float(covered.sum() * (2 * radius / cells)**2 / (np.pi * radius**2))


def lands_of(assembly: Assembly) -> list[BaseGeometry]:
    """Every joint's land as a rectangle."""
    rows, out = assembly.joints, []
    for j in range(len(rows)):
        c, s = np.cos(rows.land_angle[j]), np.sin(rows.land_angle[j])
        local = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * rows.land_size[j] / 2
        out.append(shapely.Polygon(local @ np.array([[c, s], [-s, c]]) + rows.land_center[j]))
    return out


def decals(geometry: Geometry, kind: PartKind) -> dict[int, BaseGeometry]:
    return {d.instance: d.outline for d in geometry.decals if d.part == kind}


__all__ = ["Body", "Neck", "ball_diameter", "by_id", "decals", "distance", "extent", "groove", "lands_of", "neck", "touches_land",
           "void_share", "wets_land"]
