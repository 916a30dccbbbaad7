"""Amodal masks from geometry alone, without a renderer: the pixels whose centre a thing's triangles cover. NumPy.

A thing's silhouette is the union of its projected triangles. All of them are turned to one side, so the winding number of
a pixel is the number of triangles over it: edges are walked row by row, each adds one where its triangle begins and takes
one where it ends, and a sum along the row counts. Shared edges meet at the same pixel for both triangles: no gaps.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generators.masks import Piece, cropped, pasted, rasterise
from generators.render.view import solid
from scenes.geometry import BOARD_ID, Geometry
from scenes.optics import Camera

F64 = NDArray[np.float64]


def silhouettes(geometry: Geometry, camera: Camera, ids: Sequence[int]) -> dict[int, Piece]:
    """Per id the pixels that it would cover with everything else taken away. Ids that cover none are left out.

    Args:
        camera: one whose lens does not distort.
    """
    out = {}
    for i in ids:
        pieces = [covered(camera.project(corners.reshape(-1, 3)).reshape(-1, 3, 2), camera.width, camera.height)
                  for corners in _bodies(geometry, i)]
        pieces += [rasterise(d.outline, camera) for d in geometry.decals if d.instance == i]
        found = [p for p in pieces if p is not None]
        if len(found) > 1:
            mask, within = pasted(found, (camera.height, camera.width))
            found = [] if within is None else [p for p in [cropped(mask)] if p is not None]
        if found and i == BOARD_ID:
            found = [p for p in [_undrilled(found[0], geometry, camera)] if p is not None]
        if found:
            out[int(i)] = found[0]
    return out


def _bodies(geometry: Geometry, i: int) -> list[F64]:
    """Triangles (T, 3, 3) [m] of everything solid with this id, board frame."""
    out = []
    if i == BOARD_ID:
        out.append(geometry.slab.mesh.vertices[geometry.slab.mesh.faces].astype(np.float64))
    for group in geometry.instances:
        for k in np.flatnonzero(group.instance == i):
            points = group.mesh.vertices.astype(np.float64) @ group.pose[k, :3, :3].T + group.pose[k, :3, 3]
            out.append(points[group.mesh.faces])
    soup = geometry.soup
    if len(soup.faces):
        mine = soup.faces[soup.instance[soup.faces[:, 0]] == i]
        if len(mine):
            out.append(soup.vertices[mine].astype(np.float64))
    return out


def _undrilled(piece: Piece, geometry: Geometry, camera: Camera) -> Piece | None:
    """The board without the holes that its artwork has, seen from above."""
    (x, y, _, _), inside = piece
    row, column = np.nonzero(inside)
    where = (row + y) * camera.width + column + x
    mask = np.zeros((camera.height, camera.width), np.bool_)
    mask.reshape(-1)[where] = solid(geometry.slab.coverage, camera, where, 0.0, 0.0)
    return cropped(mask)


def covered(triangles: F64, width: int, height: int) -> Piece | None:
    """The pixels whose centre lies in any of the triangles (T, 3, 2) [px]: a box in the image and its mask."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    double = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    triangles = np.where((double < 0)[:, None, None], triangles[:, ::-1], triangles)[double != 0]
    if not len(triangles):
        return None
    points = triangles.reshape(-1, 2)
    x0, y0 = np.maximum(np.ceil(points.min(axis=0) - 0.5), 0).astype(np.int64)
    x1, y1 = np.minimum(np.ceil(points.max(axis=0) - 0.5), (width, height)).astype(np.int64)
    if x1 <= x0 or y1 <= y0:
        return None
    start, end = points, np.roll(triangles, -1, axis=1).reshape(-1, 2)
    falls = start[:, 1] < end[:, 1]            # rows grow downwards: of a positive triangle these edges lie right
    top, bottom = np.where(falls[:, None], start, end), np.where(falls[:, None], end, start)
    first, last = (np.clip(np.ceil(p[:, 1] - 0.5), y0, y1).astype(np.int64) for p in (top, bottom))
    edge = np.repeat(np.arange(len(top)), last - first)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(last - first) - (last - first), last - first) + first[edge]
    slope = (bottom[edge, 0] - top[edge, 0]) / (bottom[edge, 1] - top[edge, 1])
    crossing = top[edge, 0] + (row + 0.5 - top[edge, 1]) * slope
    column = np.clip(np.ceil(crossing - 0.5), x0, x1).astype(np.int64)
    wide = int(x1 - x0) + 1
    change = np.bincount((row - y0) * wide + column - x0, np.where(falls[edge], -1.0, 1.0), minlength=wide * int(y1 - y0))
    inside = np.cumsum(change.reshape(-1, wide)[:, :-1], axis=1) > 0.5
    if not inside.any():
        return None
    tight = cropped(inside)
    assert tight is not None
    (x, y, w, h), mask = tight
    return (int(x0) + x, int(y0) + y, w, h), mask


__all__ = ["covered", "silhouettes"]
