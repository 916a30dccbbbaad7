"""Meshes as mesh checkers want them. What is seen stays the same; vertices change their number."""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components


def tidy(vertices: NDArray[np.float32], normals: NDArray[np.float32],
         faces: NDArray[np.integer]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Points, normals and faces of the same triangles: no vertex twice, unit normals, and no two fans on one vertex.

    Faces without area go. Where two fans of faces only touch, at a vertex with one normal, each gets a vertex; their normals
    differ in the last bit, so that the two do not count as one written twice.
    """
    faces = faces[has_area(vertices, faces)]
    if not len(faces):
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)
    normals = unit_length(vertices, normals, faces)
    used, local = np.unique(faces, return_inverse=True)
    rows = np.ascontiguousarray(np.hstack([vertices[used], normals[used]]).astype(np.float32) + np.float32(0))   # −0 is 0
    _, first, same = np.unique(rows.view(np.dtype((np.void, rows.itemsize * 6))).ravel(), return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")   # in their own order, not that of their bytes
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    rows, local = rows[first[order]], rank[same[local.ravel()]].reshape(-1, 3)
    fans = _fans(local)
    if fans.max() + 1 > len(rows):
        owner = np.empty(fans.max() + 1, np.int64)
        owner[fans.ravel()] = local.ravel()
        turn = np.zeros(len(owner), np.int64)  # 0 for the first fan at a vertex, 1 for the second, …
        by_owner = np.argsort(owner, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(owner[by_owner]) > 0])
        turn[by_owner] = np.arange(len(owner)) - np.repeat(starts, np.diff(np.r_[starts, len(owner)]))
        rows, local = rows[owner], fans
        for k in range(1, int(turn.max()) + 1):
            rows[turn >= k, 5] = np.nextafter(rows[turn >= k, 5], np.float32(2))
    return np.ascontiguousarray(rows[:, :3]), np.ascontiguousarray(rows[:, 3:]), local.astype(np.int32)


def _fans(faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of the fan that every corner of every face is in, (F, 3): corners at a vertex whose faces share an edge there."""
    corner = np.arange(faces.size).reshape(-1, 3)
    a, b = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    ca, cb = corner.ravel(), np.roll(corner, -1, axis=1).ravel()
    turned = a > b
    low, high = np.where(turned, b, a), np.where(turned, a, b)
    at_low, at_high = np.where(turned, cb, ca), np.where(turned, ca, cb)
    order = np.lexsort((high, low))
    low, high, at_low, at_high = (v[order] for v in (low, high, at_low, at_high))
    again = np.r_[False, (low[1:] == low[:-1]) & (high[1:] == high[:-1]), False]
    joined = np.flatnonzero(again[1:-1] & ~again[:-2] & ~again[2:])        # an edge of more than two faces joins none of them
    rows, columns = (np.concatenate([at_low[k], at_high[k]]) for k in (joined, joined + 1))
    graph = sparse.coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(faces.size, faces.size))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64).reshape(-1, 3)


def has_area(vertices: NDArray[np.float32], faces: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which triangles are more than a line or a point, (F,)."""
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    return np.asarray(np.abs(np.cross(b - a, c - a)).max(axis=1) > 0)


def unit_length(vertices: NDArray[np.float32], normals: NDArray[np.float32],
                faces: NDArray[np.integer]) -> NDArray[np.float32]:
    """Normals scaled to length 1; one that is 0 becomes that of a face which uses it."""
    long = np.linalg.norm(normals.astype(np.float64), axis=1, keepdims=True)
    out = (normals / np.where(long > 0, long, 1)).astype(np.float32)
    lost = np.isin(faces, np.flatnonzero(long[:, 0] == 0)).any(axis=1)
    if lost.any():
        a, b, c = (vertices[faces[lost, k]].astype(np.float64) for k in range(3))
        face = np.cross(b - a, c - a)
        face /= np.linalg.norm(face, axis=1, keepdims=True)
        for k in range(3):
            empty = long[faces[lost, k], 0] == 0
            out[faces[lost, k][empty]] = face[empty]
    return out


__all__ = ["has_area", "tidy", "unit_length"]
