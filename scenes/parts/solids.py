"""Solids: the few closed shapes that every package is built from, and the step from solids to a renderable mesh.

A solid is vertices and triangles with shared vertices, closed and oriented outwards. ``finish`` splits vertices where the
surface has an edge sharper than the crease angle, so that flats stay flat and bends stay round. Lengths in metres.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scenes.geometry import Mesh, PartKind
from scenes.materials import index

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

CREASE = np.cos(np.radians(38))                # flatter edges than this are smooth


@dataclass(frozen=True, eq=False)
class Solid:
    """One closed body. ``vertices`` (V, 3) [m], ``faces`` (F, 3) counter-clockwise from outside."""
    vertices: F64
    faces: I64
    material: str
    part: PartKind

    def moved(self, *, turn: float = 0.0, at: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Solid:
        """Turned about z by ``turn`` [rad], then shifted by ``at`` [m]."""
        c, s = np.cos(turn), np.sin(turn)
        v = self.vertices @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])
        return Solid(v + np.asarray(at), self.faces, self.material, self.part)


def signed_volume(vertices: F64, faces: I64) -> float:
    """Volume enclosed by a closed triangle mesh [m³]; negative where it is inside out."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def _solid(vertices: F64, faces: I64, material: str, part: PartKind) -> Solid:
    if signed_volume(vertices - vertices.mean(axis=0), faces) < 0:
        faces = faces[:, ::-1]
    return Solid(vertices, faces, material, part)


@lru_cache(maxsize=256)
def _tube_faces(rings: int, n: int) -> I64:
    """Faces of ``rings`` closed rings of ``n`` vertices, with fans over the first and the last."""
    k = np.arange(n)
    nxt = (k + 1) % n
    bands = []
    for r in range(rings - 1):
        a, b, c, d = r * n + k, r * n + nxt, (r + 1) * n + nxt, (r + 1) * n + k
        bands += [np.column_stack([a, b, c]), np.column_stack([a, c, d])]
    fan = np.arange(1, n - 1)
    bands.append(np.column_stack([np.zeros(n - 2, int), fan + 1, fan]))
    last = (rings - 1) * n
    bands.append(np.column_stack([np.full(n - 2, last), last + fan, last + fan + 1]))
    return np.concatenate(bands)


def loft(rings: Sequence[F64] | F64, material: str, part: PartKind = PartKind.BODY) -> Solid:
    """Skin over closed convex rings, each (n, 3), capped at both ends."""
    stack = np.asarray(rings, float)
    return _solid(stack.reshape(-1, 3), _tube_faces(len(stack), stack.shape[1]), material, part)


def corners(hx: float, hy: float, cut: float = 0.0, center: tuple[float, float] = (0.0, 0.0), steps: int = 1) -> F64:
    """Rectangle of half sizes ``hx``, ``hy`` with corners rounded by ``cut``, counter-clockwise, (4 (steps + 1), 2) or (4, 2)."""
    cx, cy = center
    if cut <= 0:
        return np.array([[hx, -hy], [hx, hy], [-hx, hy], [-hx, -hy]]) + center
    cut = min(cut, 0.98 * hx, 0.98 * hy)
    points = []
    for sx, sy, start in ((1, -1, -90), (1, 1, 0), (-1, 1, 90), (-1, -1, 180)):
        for i in range(steps + 1):
            a = np.radians(start + 90 * i / steps)
            points.append([cx + sx * (hx - cut) + cut * np.cos(a), cy + sy * (hy - cut) + cut * np.sin(a)])
    return np.array(points)


def prism(
    outline: F64, z: Sequence[float], material: str, part: PartKind = PartKind.BODY, *, inset: Sequence[float] = ()
) -> Solid:
    """A convex outline (n, 2) stacked at heights ``z``; ``inset`` shrinks each level towards the outline's middle [m]."""
    middle = (outline.min(axis=0) + outline.max(axis=0)) / 2
    half = np.maximum((outline.max(axis=0) - outline.min(axis=0)) / 2, 1e-12)
    rings = []
    for i, height in enumerate(z):
        shrink = 1 - (inset[i] if inset else 0.0) / half
        rings.append(np.column_stack([middle + (outline - middle) * shrink, np.full(len(outline), height)]))
    return loft(rings, material, part)


def block(
    size: tuple[float, float, float],
    material: str,
    part: PartKind = PartKind.BODY,
    *,
    center: tuple[float, float] = (0.0, 0.0),
    z0: float = 0.0,
    bevel: float = 0.0,
    cut: float = 0.0,
) -> Solid:
    """A box standing on ``z0`` with bevelled top and bottom edges and cut upright edges."""
    hx, hy, h = size[0] / 2, size[1] / 2, size[2]
    outline = corners(hx, hy, cut, center)
    if bevel <= 0:
        return prism(outline, [z0, z0 + h], material, part)
    return prism(outline, [z0, z0 + bevel, z0 + h - bevel, z0 + h], material, part, inset=[bevel, 0, 0, bevel])


def moulded(size: tuple[float, float, float], z0: float, parting: float, material: str = "epoxy_black", *,
            center: tuple[float, float] = (0.0, 0.0), draft: float = 0.10, bevel: float = 30e-6) -> Solid:
    """A moulded body: widest at the parting line (height above ``z0``), drafted up and down [m]."""
    hx, hy, h = size[0] / 2, size[1] / 2, size[2]
    top, low = draft * (h - parting), draft * parting
    outline = corners(hx, hy, min(40e-6, 0.1 * min(hx, hy)), center)
    return prism(
        outline,
        [z0, z0 + parting, z0 + h - bevel, z0 + h],
        material,
        inset=[low, 0, max(top - 0.3 * bevel, 0), top + 0.7 * bevel],
    )


def can(outline: F64, z: Sequence[float], wall: float, material: str, part: PartKind = PartKind.BODY, *,
        inset: Sequence[float] = ()) -> Solid:
    """A thin-walled cover, open below: ``prism`` on the outside, hollow to within ``wall`` of its sides and top [m]."""
    middle = (outline.min(axis=0) + outline.max(axis=0)) / 2
    half = np.maximum((outline.max(axis=0) - outline.min(axis=0)) / 2, 1e-12)

    def ring(shrink: float, height: float) -> F64:
        return np.column_stack([middle + (outline - middle) * (1 - shrink / half), np.full(len(outline), height)])
    insets = list(inset) or [0.0] * len(z)
    deep = max(insets) + wall
    rings = [ring(deep, max(z[-1] - wall, z[0] + 1e-6)), ring(deep, z[0]), *(ring(i, h) for i, h in zip(insets, z, strict=True))]
    return loft(rings, material, part)


def lathe(profile: Sequence[tuple[float, float]], n: int, material: str, part: PartKind = PartKind.BODY, *,
          center: tuple[float, float] = (0.0, 0.0), axis: str = "z") -> Solid:
    """A closed body of revolution: (radius, height) from one end to the other; flat ends. ``axis`` "z" or "x"."""
    angle = 2 * np.pi * (np.arange(n) + 0.5) / n
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    rings = []
    for radius, height in profile:
        xy = circle * radius
        if axis == "z":
            rings.append(np.column_stack([xy + center, np.full(n, height)]))
        else:
            rings.append(np.column_stack([np.full(n, height), xy + center]))
    return loft(rings, material, part)


def strip(outer: F64, inner: F64, width: float, material: str, part: PartKind = PartKind.LEAD) -> Solid:
    """Bent sheet metal: two polylines (n, 2) in the xz plane, ``outer`` and ``inner`` surface, extruded along y to ``width``."""
    n = len(outer)
    y = width / 2
    rings = []
    for i in range(n):
        (xa, za), (xb, zb) = outer[i], inner[i]
        rings.append([[xa, -y, za], [xa, y, za], [xb, y, zb], [xb, -y, zb]])
    return loft(np.array(rings), material, part)


def bent(path: F64, thickness: float, width: float, material: str = "lead_frame_tin", part: PartKind = PartKind.LEAD) -> Solid:
    """Sheet metal along a centre line (n, 2) in the xz plane."""
    tangent = np.gradient(path, axis=0)
    first, last = path[1] - path[0], path[-1] - path[-2]
    tangent[0], tangent[-1] = first, last
    unit = np.diff(path, axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    normal = np.column_stack([-unit[:, 1], unit[:, 0]])
    miter = np.vstack([normal[:1], normal[:-1] + normal[1:], normal[-1:]])
    scale = np.einsum("ij,ij->i", miter, np.vstack([normal, normal[-1:]]))
    miter /= scale[:, None]
    return strip(path + miter * thickness / 2, path - miter * thickness / 2, width, material, part)


def cup(outer: tuple[float, float], inner: tuple[float, float], x_mouth: float, x_floor: float, x_end: float, z: float,
        material: str, bevel: float, cut: float) -> Solid:
    """An end cap over a chip: a shell open towards ``x_mouth``, around a body of section ``inner``, centred at height ``z``.

    ``outer`` and ``inner`` are (width, height) of the cross-section [m].
    """
    def ring(x: float, size: tuple[float, float], shrink: float) -> F64:
        section = corners(size[0] / 2 - shrink, size[1] / 2 - shrink, max(cut - shrink, 2e-6))
        return np.column_stack([np.full(len(section), x), section[:, 0], section[:, 1] + z])
    sign = 1.0 if x_end > x_mouth else -1.0
    return loft([ring(x_floor, inner, 0), ring(x_mouth, inner, 0), ring(x_mouth, outer, 0), ring(x_end - sign * bevel, outer, 0),
                 ring(x_end, outer, bevel)], material, PartKind.LEAD)


def split_normals(vertices: F64, faces: I64) -> tuple[F64, F64, I64]:
    """Vertices split at creases: (vertices, normals, faces)."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    face_normal = np.cross(b - a, c - a)
    area = np.linalg.norm(face_normal, axis=1)
    unit = face_normal / np.maximum(area, 1e-300)[:, None]
    corner_vertex = faces.reshape(-1)
    corner_face = np.repeat(np.arange(len(faces)), 3)
    order = np.argsort(corner_vertex, kind="stable")
    vertex, face = corner_vertex[order], corner_face[order]
    start = np.flatnonzero(np.r_[True, vertex[1:] != vertex[:-1]])
    count = np.diff(np.r_[start, len(vertex)])
    # all pairs of corners on one vertex
    repeat = np.repeat(count, count)
    left = np.repeat(np.arange(len(vertex)), repeat)
    offset = np.arange(len(left)) - np.repeat(np.cumsum(np.r_[0, repeat[:-1]]), repeat)
    right = np.repeat(np.repeat(start, count), repeat) + offset
    near = np.einsum("ij,ij->i", unit[face[left]], unit[face[right]]) > CREASE
    normal = np.zeros((len(vertex), 3))
    np.add.at(normal, left[near], face_normal[face[right[near]]])
    length = np.linalg.norm(normal, axis=1)
    flat = length < 1e-300
    normal[flat], length[flat] = unit[face[flat]], 1.0
    normal /= np.maximum(length, 1e-300)[:, None]
    key = np.column_stack([vertex, np.round(normal * 2048).astype(np.int64)])
    _, first, inverse = np.unique(key, axis=0, return_index=True, return_inverse=True)
    new_faces = np.empty(len(corner_vertex), np.int64)
    new_faces[order] = inverse.reshape(-1)
    return vertices[vertex[first]], normal[first], new_faces.reshape(-1, 3)


def finish(name: str, solids: Sequence[Solid], *, turn: float = 0.0, at: tuple[float, float] = (0.0, 0.0),
           marking: tuple[float, float, float, float] | None = None) -> Mesh:
    """Solids in a canonical frame → one mesh in the package frame, turned by ``turn`` [rad] and moved to ``at`` [m]."""
    parts = [(s, *split_normals(s.vertices, s.faces)) for s in solids]
    start = np.cumsum([0, *[len(v) for _, v, _, _ in parts]])
    vertices = np.concatenate([v for _, v, _, _ in parts])
    normals = np.concatenate([n for _, _, n, _ in parts])
    faces = np.concatenate([f + o for (_, _, _, f), o in zip(parts, start[:-1], strict=True)])
    material = np.concatenate([np.full(len(v), index(s.material), np.uint8) for s, v, _, _ in parts])
    part = np.concatenate([np.full(len(v), int(s.part), np.uint8) for s, v, _, _ in parts])
    c, s = np.cos(turn), np.sin(turn)
    spin = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])
    vertices = vertices @ spin + (at[0], at[1], 0.0)
    if marking is not None:
        x0, y0, x1, y1 = marking
        box = np.array([[x0, y0, 0], [x1, y1, 0]]) @ spin + (at[0], at[1], 0.0)
        lo, hi = box.min(axis=0), box.max(axis=0)
        marking = (float(lo[0]), float(lo[1]), float(hi[0]), float(hi[1]))
    return Mesh(
        name, vertices.astype(np.float32), (normals @ spin).astype(np.float32), faces.astype(np.uint32), material, part, marking
    )


__all__ = ["Solid", "bent", "block", "can", "corners", "cup", "finish", "lathe", "loft", "moulded", "prism", "signed_volume",
           "split_normals", "strip"]
