"""The front of a board as something to look at: its artwork as coverage texels, and the laminate as a closed mesh.

Both take a board that was already turned with :meth:`Board.seen_from`, and know only its front.
"""
from __future__ import annotations

import math

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from scenes.board.model import Board, Drill, Layer
from scenes.board.raster import rasterise
from scenes.errors import SceneError
from scenes.geometry import Coverage, Mesh, PartKind, Slab

MAX_TEXELS = 120_000_000                       # 480 MB as RGBA: what a worker of 800 MB can still hold
MAX_SIDE = 32_767                              # [texels] of the sort key in raster.py
MESHED_HOLE = 0.8e-3                           # [m] narrower holes are only in the coverage: via barrels are never seen into
TENTED_HOLE = 0.5e-3                           # [m] lacquer does not span wider holes
GRID = 1e-7                                    # [m] slab vertices are snapped to it: what float32 still tells apart at 0.5 m


def coverage(board: Board, texel_size: float) -> Coverage:
    """The front artwork of ``board`` as area coverage.

    Copper, silkscreen and laminate are 0 in every open hole; a via under lacquer only lacks its copper. Silkscreen is 0 in
    mask openings: fabs clip it there, because ink on a land spoils the joint.

    Args:
        board: Already seen from the side that is wanted.
        texel_size: Edge of a texel [m], typically 10 to 25 µm.

    Returns:
        Texels over the outline's bounding box, rounded up to whole texels at the top and the right.

    Raises:
        SceneError: the texel size is not positive, or so small that the texels would not fit into memory.
    """
    x0, y0, x1, y1 = board.outline.bounds
    if not texel_size > 0:
        raise SceneError(f"{board.source}: texel size {texel_size} m; give a positive length")
    # The guard keeps a side that is a whole number of texels at that number, in spite of binary fractions.
    width, height = (max(1, math.ceil(round(side / texel_size, 6))) for side in (x1 - x0, y1 - y0))
    if width * height > MAX_TEXELS or max(width, height) > MAX_SIDE:
        finest = max(math.sqrt((x1 - x0) * (y1 - y0) / MAX_TEXELS), max(x1 - x0, y1 - y0) / MAX_SIDE)
        raise SceneError(f"{board.source}: artwork of {width} × {height} texels of {texel_size * 1e6:g} µm does not fit; "
                         f"use a texel (pixel_um) of at least {math.ceil(finest * 1e6)} µm")
    texels = np.zeros((height, width, 4), np.uint8)

    def paint(layer: Layer | None) -> NDArray[np.uint8]:
        return layer_coverage(layer, (x0, y0), texel_size, height, width)

    def drilled(drills: list[Drill]) -> NDArray[np.uint8]:
        return rasterise([hole(d) for d in drills], (x0, y0), texel_size, height, width)

    tented = lacquered(board)
    solid = rasterise([board.outline], (x0, y0), texel_size, height, width)
    if not all(tented):
        solid = times(solid, drilled([d for d, closed in zip(board.drills, tented, strict=True) if not closed]))
    copper = np.minimum(paint(board.layer("copper", "front")), solid)
    if any(tented):
        copper = times(copper, drilled([d for d, closed in zip(board.drills, tented, strict=True) if closed]))
    texels[..., 3] = solid
    texels[..., 0] = copper
    texels[..., 1] = opening = paint(board.layer("mask", "front"))
    texels[..., 2] = np.minimum(times(paint(board.layer("silk", "front")), opening), solid)
    texels.setflags(write=False)
    return Coverage(texels, (x0, y0), texel_size)


def lacquered(board: Board) -> list[bool]:
    """Per drill, whether it is a via under the front's lacquer: a tented via looks like a dimple of lacquer without copper.

    That is so where the mask is drawn, has no opening over any part of the hole, and the hole is narrow enough for lacquer
    to span it.
    """
    mask = board.layer("mask", "front")
    if mask is None or not board.drills:
        return [False] * len(board.drills)
    shapes = np.asarray([s for s, dark in zip(mask.shapes, mask.dark, strict=True) if dark], dtype=object)
    touched = np.zeros(len(board.drills), bool)
    if len(shapes):
        pairs = shapely.STRtree(shapes).query(np.asarray([hole(d) for d in board.drills], dtype=object), predicate="intersects")
        touched[pairs[0]] = True
    return [(d.via or d.plated) and d.diameter < TENTED_HOLE and not open_
            for d, open_ in zip(board.drills, touched.tolist(), strict=True)]


def times(cover: NDArray[np.uint8], removed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``cover`` where nothing is ``removed``: the product of the two coverages, rounded."""
    if not removed.any():
        return cover
    out = cover.copy()
    at = np.flatnonzero(removed)
    product = cover.ravel()[at].astype(np.uint16) * (255 - removed.ravel()[at])
    out.ravel()[at] = (product + 127) // 255
    return out


def layer_coverage(layer: Layer | None, origin: tuple[float, float], texel_size: float, height: int,
                   width: int) -> NDArray[np.uint8]:
    """Coverage of one layer: runs of dark shapes are united, runs of clear ones cut out of what came before."""
    out = np.zeros((height, width), np.uint8)
    if layer is None:
        return out
    start = 0
    while start < len(layer.shapes):
        end = start
        while end < len(layer.shapes) and layer.dark[end] == layer.dark[start]:
            end += 1
        run = [s for s in layer.shapes[start:end] if not s.is_empty]
        if run:
            window, corner = _window(run, origin, texel_size, height, width)
            part = out[window]
            painted = rasterise(run, corner, texel_size, *part.shape)
            # Dark over what is there: 1 − (1 − a)(1 − b). Clear: a (1 − b).
            out[window] = 255 - times(255 - part, painted) if layer.dark[start] else times(part, painted)
        start = end
    return out


def _window(shapes: list[BaseGeometry], origin: tuple[float, float], texel_size: float,
            height: int, width: int) -> tuple[tuple[slice, slice], tuple[float, float]]:
    """Rows and columns that ``shapes`` can touch, and the lower left corner of that window [m]."""
    x0, y0, x1, y1 = shapely.total_bounds(np.asarray(shapes, dtype=object))
    left, right = (int(np.clip(math.floor((x - origin[0]) / texel_size) + i, 0, width)) for i, x in ((0, x0), (1, x1)))
    low, high = (int(np.clip(math.floor((y - origin[1]) / texel_size) + i, 0, height)) for i, y in ((0, y0), (1, y1)))
    return ((slice(height - high, height - low), slice(left, right)),
            (origin[0] + left * texel_size, origin[1] + low * texel_size))


def hole(drill: Drill) -> BaseGeometry:
    """The outline of one drilled hole or milled slot [m]."""
    half = max(drill.length - drill.diameter, 0.0) / 2
    if half == 0.0:
        return shapely.Point(drill.x, drill.y).buffer(drill.diameter / 2, quad_segs=16)
    dx, dy = half * math.cos(drill.angle), half * math.sin(drill.angle)
    line = shapely.LineString([(drill.x - dx, drill.y - dy), (drill.x + dx, drill.y + dy)])
    return line.buffer(drill.diameter / 2, quad_segs=16)


def slab(board: Board, coverage: Coverage) -> Slab:
    """The laminate of ``board`` with its cut-outs and its holes of at least 0.8 mm, as one closed mesh.

    Args:
        board: Already seen from the side that is up.
        coverage: Its artwork, from :func:`coverage`.

    Returns:
        A slab whose top lies at z = 0 and whose bottom lies at −thickness; copper and lacquer are on it, in the texels.

    Raises:
        SceneError: nothing of the outline is left after drilling.
    """
    from scenes.materials import index

    polygons = [p for p in shapely.get_parts(plan(board)) if p.geom_type == "Polygon" and p.area > 0]
    if not polygons:
        raise SceneError(f"{board.source}: the outline encloses no laminate; draw it as closed lines on Edge.Cuts")
    vertices, normals, faces = extrude(polygons, board.thickness)
    mesh = Mesh("slab", vertices, normals, faces, np.full(len(vertices), index("fr4"), np.uint8),
                np.full(len(vertices), PartKind.BOARD, np.uint8))
    copper = next((s.thickness for s in board.stackup if s.kind == "copper" and s.thickness > 0), 35e-6)
    return Slab(mesh, coverage, board.thickness, copper)


def plan(board: Board) -> BaseGeometry:
    """The outline without the holes of at least 0.8 mm."""
    holes = [hole(d) for d in board.drills if d.diameter >= MESHED_HOLE]
    area = shapely.difference(board.outline, shapely.union_all(holes)) if holes else board.outline
    return shapely.set_precision(area, GRID)


def extrude(polygons: list[shapely.Polygon], thickness: float,
            ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint32]]:
    """Closed prisms between z = −thickness and z = 0 over disjoint polygons.

    Returns vertices (V, 3) [m], normals (V, 3) and faces (F, 3), counter-clockwise from outside. Vertices are split between
    top, bottom and walls; merged by position, the mesh is watertight. GEOS' constrained Delaunay triangulation uses every
    vertex of the rings, which ear clipping does not: a skipped collinear vertex would leave a crack to the wall.
    """
    triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(np.asarray(polygons, dtype=object)))
    corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    clockwise = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) < (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    corners[clockwise] = corners[clockwise][:, ::-1]
    points, index = np.unique(corners.reshape(-1, 2), axis=0, return_inverse=True)
    top = index.reshape(-1, 3)
    count = len(points)
    # A wall stands on every directed edge that no other triangle shares; the laminate lies to its left.
    edges = np.concatenate([top[:, [0, 1]], top[:, [1, 2]], top[:, [2, 0]]])
    forward, backward = edges[:, 0] * count + edges[:, 1], edges[:, 1] * count + edges[:, 0]
    rim = edges[~np.isin(forward, backward)]
    start, end = points[rim[:, 0]], points[rim[:, 1]]
    along = end - start
    outwards = np.column_stack([along[:, 1], -along[:, 0], np.zeros(len(along))])
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    walls = np.stack([_at(start, -thickness), _at(end, -thickness), _at(end, 0.0), _at(start, 0.0)], axis=1)
    quad = 2 * count + 4 * np.arange(len(rim))[:, None] + [0, 1, 2, 3]
    vertices = np.concatenate([_at(points, 0.0), _at(points, -thickness), walls.reshape(-1, 3)])
    up = np.tile([0.0, 0.0, 1.0], (count, 1))
    normals = np.concatenate([up, -up, np.repeat(outwards, 4, axis=0)])
    faces = np.concatenate([top, top[:, ::-1] + count, quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])
    return vertices.astype(np.float32), normals.astype(np.float32), faces.astype(np.uint32)


def _at(points: NDArray[np.float64], z: float) -> NDArray[np.float64]:
    return np.column_stack([points, np.full(len(points), z)])


__all__ = ["GRID", "MESHED_HOLE", "coverage", "extrude", "hole", "lacquered", "layer_coverage", "plan", "slab", "times"]
