"""Decals as triangles: each vertex knows how far inside the outline it lies, so that a film can fade out at its border."""
from __future__ import annotations

from collections.abc import Sequence

import mapbox_earcut
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from scenes.geometry import Decal, PartKind

FILM_DTYPE = np.dtype([("position", "<f4", 3), ("normal", "<f4", 3), ("film", "<f4", 4), ("relief", "<f4", 4), ("tag", "<u4")])

_HEIGHT = {PartKind.RESIDUE: 6e-6, PartKind.SCRATCH: -15e-6}   # [m] of a film's middle above its border, for its highlight


def _polygons(shape: BaseGeometry) -> list[shapely.Polygon]:
    parts = shapely.get_parts(shape)
    return [p for p in parts if isinstance(p, shapely.Polygon) and not p.is_empty and p.area > 0]


def triangulate(shape: BaseGeometry) -> NDArray[np.float64]:
    """Triangles (T, 3, 2) that tile a polygon with holes, counter-clockwise."""
    out = []
    for polygon in _polygons(shape):
        rings = [np.asarray(r.coords)[:-1, :2] for r in (polygon.exterior, *polygon.interiors)]
        points = np.concatenate(rings)
        ends = np.cumsum([len(r) for r in rings]).astype(np.uint32)
        index = mapbox_earcut.triangulate_float64(points, ends).reshape(-1, 3)
        triangles = points[index]
        a, b = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
        turned = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] < 0
        triangles[turned] = triangles[turned][:, ::-1]
        out.append(triangles)
    return np.concatenate(out) if out else np.zeros((0, 3, 2))


def _bands(decal: Decal) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The part of a film that is fully there, and its fading border: triangles (T, 3, 2) and (B, 3, 3), x, y and fade.

    The border is a strip between the outline and the outline moved inwards along its own normals, vertex by vertex.
    Where that folds over itself (a border wider than the film), there is none.
    """
    cores, strips = [], []
    for polygon in _polygons(decal.outline):
        if decal.edge <= 0 or len(polygon.interiors):
            cores.append(triangulate(polygon))
            continue
        dense = shapely.get_exterior_ring(shapely.segmentize(shapely.normalize(polygon), decal.edge))
        outer = np.asarray(dense.coords)[:-1, :2]
        if dense.is_ccw:
            outer = outer[::-1]
        along = np.roll(outer, -1, axis=0) - outer
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
        inwards = np.column_stack([along[:, 1], -along[:, 0]])
        corner = inwards + np.roll(inwards, 1, axis=0)
        corner /= np.maximum(0.5 * (corner**2).sum(axis=1, keepdims=True), 0.5)
        inner = outer + decal.edge * corner
        core = shapely.Polygon(inner)
        if not core.is_valid or core.area <= 0 or core.area > polygon.area:
            cores.append(triangulate(polygon))
            continue
        cores.append(triangulate(core))
        edge, deep = np.column_stack([outer, np.zeros(len(outer))]), np.column_stack([inner, np.ones(len(inner))])
        after, below = np.roll(edge, -1, axis=0), np.roll(deep, -1, axis=0)
        strips += [np.stack([edge, deep, after], axis=1), np.stack([after, deep, below], axis=1)]
    return (np.concatenate(cores) if cores else np.zeros((0, 3, 2)), np.concatenate(strips) if strips else np.zeros((0, 3, 3)))


def films(decals: Sequence[Decal]) -> NDArray[np.void]:
    """Vertices (3 per triangle, ``FILM_DTYPE``) of all decals, on z = 0, in order."""
    out = []
    for decal in decals:
        core, border = _bands(decal)
        points = np.concatenate([np.concatenate([core, np.ones((len(core), 3, 1))], axis=2), border]).reshape(-1, 3)
        rows = np.zeros(len(points), FILM_DTYPE)
        rows["position"][:, :2] = points[:, :2]
        rows["normal"] = (0, 0, 1)
        rows["film"] = (*decal.color, decal.alpha)
        rows["relief"][:, 0] = points[:, 2]
        rows["relief"][:, 1:] = (decal.roughness, _HEIGHT[decal.part], decal.direction + np.pi / 2)
        rows["tag"] = np.uint32(decal.instance) | np.uint32(int(decal.part) << 28)
        out.append(rows)
    return np.concatenate(out) if out else np.zeros(0, FILM_DTYPE)


__all__ = ["FILM_DTYPE", "films", "triangulate"]
