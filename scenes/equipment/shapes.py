"""Closed shapes that machines are built from, each a ``scenes.parts.solids.Solid`` whose material is the name of a look.

``body`` puts solids of equal look together, splits vertices at sharp edges and weighs what moves. Lengths in metres.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray

from scenes.equipment.looks import LOOKS
from scenes.equipment.model import Body, Joint, Point, Shape
from scenes.geometry import PartKind
from scenes.parts.solids import Solid, loft, signed_volume, split_normals

F64 = NDArray[np.float64]
_PART = PartKind.BODY                          # solids carry a part of a product's; a machine has none
_AXES = {"x": (1, 2, 0), "y": (2, 0, 1), "z": (0, 1, 2)}    # which machine axes (u, v, normal) become, right-handed


def oriented(solid: Solid, axis: str) -> Solid:
    """A solid built along z, turned so that its z points along ``axis`` (u, v, z go to y, z, x or to z, x, y)."""
    v = np.empty_like(solid.vertices)
    v[:, list(_AXES[axis])] = solid.vertices
    return Solid(v, solid.faces, solid.material, solid.part)


def at(solids: Iterable[Solid], x: float = 0.0, y: float = 0.0, z: float = 0.0) -> list[Solid]:
    """Solids shifted."""
    return [s.moved(at=(x, y, z)) for s in solids]


def tilted(solid: Solid, axis: str, angle: float, about: Point = (0.0, 0.0, 0.0)) -> Solid:
    """Turned by ``angle`` [rad] about an axis through ``about``."""
    c, s = np.cos(angle), np.sin(angle)
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    m = np.eye(3)
    m[i, i], m[i, j], m[j, i], m[j, j] = c, -s, s, c
    return Solid((solid.vertices - about) @ m.T + about, solid.faces, solid.material, solid.part)


def box(look: str, low: Point, high: Point, bevel: float = 0.003) -> Solid:
    """A box between two corners, all twelve edges chamfered by ``bevel``."""
    lo, hi = np.asarray(low, float), np.asarray(high, float)
    if not (hi > lo).all():
        raise ValueError(f"box {low} to {high}: has no volume; the corners are swapped")
    b = min(bevel, 0.3 * float((hi - lo).min()))
    places, faces = _chamfered()
    steps = np.stack([lo, lo + b, hi - b, hi])
    return Solid(np.column_stack([steps[places[:, k], k] for k in range(3)]), faces, look, _PART)


@lru_cache(maxsize=1)
def _chamfered() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of a chamfered box: where its 24 vertices lie per axis (0 low, 1 low + bevel, 2 high − bevel, 3 high), and faces."""
    def ring(z: int, d: int) -> F64:           # an octagon; ``d`` draws it in to a rectangle at top and bottom
        return np.array([[1, d, z], [2, d, z], [3 - d, 1, z], [3 - d, 2, z], [2, 3 - d, z], [1, 3 - d, z], [d, 2, z], [d, 1, z]],
                        float)
    solid = loft([ring(0, 1), ring(1, 0), ring(2, 0), ring(3, 1)], "")
    vertices, index = np.unique(solid.vertices, axis=0, return_inverse=True)
    faces = index.reshape(-1)[solid.faces]
    real = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return vertices.astype(np.int64), faces[real]


def rod(look: str, start: Point, axis: str, length: float, radius: float, sides: int = 20, chamfer: float = 0.0) -> Solid:
    """A round bar from ``start`` along +``axis``."""
    return turned(look, [(radius - chamfer, 0.0), (radius, chamfer), (radius, length - chamfer), (radius - chamfer, length)]
                  if chamfer else [(radius, 0.0), (radius, length)], start, axis, sides)


def turned(look: str, profile: Sequence[tuple[float, float]], start: Point, axis: str = "z", sides: int = 24) -> Solid:
    """A body of revolution about ``axis`` through ``start``: (radius, height) from one end to the other."""
    angle = 2 * np.pi * (np.arange(sides) + 0.5) / sides
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    rings = [np.column_stack([circle * radius, np.full(sides, height)]) for radius, height in profile]
    return oriented(loft(rings, look), axis).moved(at=start)


def plate(look: str, outline: shapely.Polygon, start: float, thickness: float, normal: str = "z") -> Solid:
    """A flat sheet with holes: the outline in the plane across ``normal``, from ``start`` on by ``thickness``.

    The outline's coordinates are (x, y) for normal z, (y, z) for x, and (x, z) for y: as an operator before it reads them.
    """
    outline = shapely.normalize(shapely.Polygon(outline))
    rings = [np.asarray(r.coords)[:-1] for r in (outline.exterior, *outline.interiors)]
    flat = np.concatenate(rings)
    # constrained Delaunay: it uses the outline's points alone and leaves no triangle without an area
    corners = shapely.get_coordinates(shapely.constrained_delaunay_triangles(outline)).reshape(-1, 4, 2)[:, :3]
    known, wanted = flat[:, 0] + 1j * flat[:, 1], corners[..., 0] + 1j * corners[..., 1]
    order = np.argsort(known)
    caps = order[np.searchsorted(known[order], wanted)]
    a, b, c = (flat[caps[:, k]] for k in range(3))
    turn = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    caps = np.where((turn < 0)[:, None], caps[:, ::-1], caps)
    n, sides = len(flat), []
    first = 0
    for ring in rings:                         # outer rings come clockwise from normalize, holes counter-clockwise
        k = first + np.arange(len(ring))
        following = first + (np.arange(len(ring)) + 1) % len(ring)
        sides += [np.column_stack([following, k, k + n]), np.column_stack([following, k + n, following + n])]
        first += len(ring)
    faces = np.concatenate([caps[:, ::-1], caps + n, *sides])
    u, v, w = np.tile(flat[:, 0], 2), np.tile(flat[:, 1], 2), np.repeat([start, start + thickness], n)
    points = {"z": (u, v, w), "x": (w, u, v), "y": (u, w, v)}[normal]
    vertices = np.column_stack(points)
    if signed_volume(vertices - vertices.mean(axis=0), faces) < 0:
        faces = faces[:, ::-1]
    return Solid(vertices, faces, look, _PART)


def rect(x0: float, y0: float, x1: float, y1: float, radius: float = 0.0, steps: int = 4) -> shapely.Polygon:
    """A rectangle with rounded corners."""
    if radius <= 0:
        return shapely.box(x0, y0, x1, y1)
    radius = min(radius, 0.499 * (x1 - x0), 0.499 * (y1 - y0))
    return shapely.box(x0 + radius, y0 + radius, x1 - radius, y1 - radius).buffer(radius, quad_segs=steps)


def ring(center: tuple[float, float], inner: float, outer: float, steps: int = 10) -> shapely.Polygon:
    """An annulus."""
    return shapely.Point(center).buffer(outer, quad_segs=steps).difference(shapely.Point(center).buffer(inner, quad_segs=steps))


def pane(look: str, frame: str, opening: tuple[float, float, float, float], face: float, normal: str = "y", *,
         border: float = 0.03, depth: float = 0.02, sign: int = -1, radius: float = 0.02) -> list[Solid]:
    """A window: a raised frame around an opening on a wall at ``face``, and glass in it. ``sign`` is the side one looks from."""
    x0, y0, x1, y1 = opening
    outer = rect(x0 - border, y0 - border, x1 + border, y1 + border, radius + border)
    rim = outer.difference(rect(x0, y0, x1, y1, radius))
    low = face - depth if sign < 0 else face
    return [plate(frame, rim, low, depth, normal),
            plate(look, rect(x0 - 0.2 * border, y0 - 0.2 * border, x1 + 0.2 * border, y1 + 0.2 * border, radius),
                  low + 0.3 * depth, 0.3 * depth, normal)]


def path(look: str, points: Sequence[Point], radius: float, sides: int = 10) -> Solid:
    """A round tube along a polyline: hoses, pipes, handles."""
    p = np.asarray(points, float)
    p = p[np.r_[True, np.linalg.norm(np.diff(p, axis=0), axis=1) > 1e-6]]
    tangent = np.gradient(p, axis=0)
    tangent[0], tangent[-1] = p[1] - p[0], p[-1] - p[-2]
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    up = np.array([0, 0, 1.0]) if abs(tangent[:, 2]).max() < 0.9 else np.array([0, 1.0, 0])
    if np.linalg.norm(np.cross(tangent, up), axis=1).min() < 0.2:
        up = np.array([1.0, 0, 0])
    side = np.cross(tangent, up)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    over = np.cross(side, tangent)
    angle = 2 * np.pi * np.arange(sides) / sides
    rings = p[:, None] + radius * (np.cos(angle)[None, :, None] * side[:, None] + np.sin(angle)[None, :, None] * over[:, None])
    return loft(rings, look)


def body(name: str, label: str, solids: Sequence[Solid], *, origin: Point = (0.0, 0.0, 0.0), joint: Joint | None = None) -> Body:
    """Solids in the machine frame → one rigid body whose own frame has its origin at ``origin``. Weighed where it moves."""
    shapes = []
    for look in sorted({s.material for s in solids}):
        parts = [s for s in solids if s.material == look]
        start = np.cumsum([0, *[len(s.vertices) for s in parts[:-1]]])
        # to a tenth of a micrometre: what is built alike elsewhere then has the same bytes, and a stage can share it
        points, normals, faces = split_normals(np.round(np.concatenate([s.vertices for s in parts]) - origin, 7),
                                               np.concatenate([s.faces + o for s, o in zip(parts, start, strict=True)]))
        shapes.append(Shape(look, points.astype(np.float32), np.round(normals, 6).astype(np.float32), faces.astype(np.uint32)))
    mass = 0.0
    if joint is not None:
        mass = sum(signed_volume(s.vertices - origin, s.faces) * LOOKS[s.material].substance.density for s in solids)
    return Body(name, label, origin, tuple(shapes), joint, round(mass, 6))


__all__ = ["at", "body", "box", "oriented", "pane", "path", "plate", "rect", "ring", "rod", "tilted", "turned"]
