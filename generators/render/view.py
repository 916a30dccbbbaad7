"""What a camera can see of the board: windows in the board plane, for culling and for height maps; single rays."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scenes.geometry import Coverage, Geometry, Instances
from scenes.optics import Camera

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Window:
    """A rectangle in the board plane [m]; infinite where the camera looks along the board."""
    x0: float
    y0: float
    x1: float
    y1: float

    def grown(self, margin: float) -> Window:
        return Window(self.x0 - margin, self.y0 - margin, self.x1 + margin, self.y1 + margin)

    def clipped(self, other: Window) -> Window:
        return Window(max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1))


def window(camera: Camera, low: float, high: float) -> Window:
    """Bounds in x and y of everything between the heights ``low`` and ``high`` [m] that the camera can see."""
    half = np.array([camera.width, camera.height]) * camera.pixel_size / 2
    corners = np.array([(sx * half[0], sy * half[1], -camera.distance) for sx in (-1, 1) for sy in (-1, 1)])
    if camera.model == "telecentric":
        start, along = corners * (1, 1, 0), np.tile([0.0, 0.0, -1.0], (4, 1))
    else:
        start, along = np.zeros((4, 3)), corners / camera.distance
    rotation, origin = camera.pose[:3, :3], camera.pose[:3, 3]
    start, along = start @ rotation.T + origin, along @ rotation.T
    if np.any(along[:, 2] > -1e-3):
        return Window(-np.inf, -np.inf, np.inf, np.inf)
    hits = [start + ((height - start[:, 2]) / along[:, 2])[:, None] * along for height in (low, high)]
    points = np.concatenate(hits)[:, :2]
    return Window(*points.min(axis=0), *points.max(axis=0))


def reach(group: Instances) -> tuple[F64, float]:
    """Centres (N, 3) and radius [m] of spheres around the instances of one mesh."""
    if not len(group.mesh.vertices):
        return group.pose[:, :3, 3], 0.0
    low, high = group.mesh.vertices.min(axis=0), group.mesh.vertices.max(axis=0)
    middle = ((low + high) / 2).astype(np.float64)
    radius = float(np.linalg.norm(high - low)) / 2
    return group.pose[:, :3, :3] @ middle + group.pose[:, :3, 3], radius


def seen(centers: F64, radius: float, area: Window) -> NDArray[np.bool_]:
    """Which spheres may reach into the window, (N,)."""
    x, y = centers[:, 0], centers[:, 1]
    return (x + radius > area.x0) & (x - radius < area.x1) & (y + radius > area.y0) & (y - radius < area.y1)


def height_of(geometry: Geometry) -> float:
    """An upper bound of the tallest thing on the board [m]."""
    top = float(geometry.soup.vertices[:, 2].max()) if len(geometry.soup.vertices) else 0.0
    for group in geometry.instances:
        if len(group.pose):
            centers, radius = reach(group)
            top = max(top, float(centers[:, 2].max()) + radius)
    return top


def shifted(camera: Camera, x: float, y: float) -> F64:
    """The camera's projection with the sample moved by (x, y) [px] from the pixel's centre, image axes (y down)."""
    move = np.eye(4)
    move[0, 3], move[1, 3] = -2 * x / camera.width, 2 * y / camera.height
    return move @ camera.projection()


def solid(cover: Coverage, camera: Camera, where: NDArray[np.intp], x: float, y: float) -> NDArray[np.bool_]:
    """Whether the board's top has laminate where rays meet it that pass (x, y) [px] beside the middles of pixels.

    Args:
        cover: the artwork; its coverage is interpolated between texels.
        where: flat indices of the pixels, (K,).

    Returns:
        (K,). A hole's walls, a few pixels in a tilted picture, count as open.
    """
    row, column = np.divmod(where, camera.width)
    across, high = 2 * (column + 0.5 + x) / camera.width - 1, 1 - 2 * (row + 0.5 + y) / camera.height
    to_board = np.linalg.inv(camera.projection() @ camera.view())
    near, far = (np.outer(to_board[:, 0], across) + np.outer(to_board[:, 1], high) + (to_board[:, 3:] + depth * to_board[:, 2:3])
                 for depth in (-1, 1))
    near, far = near[:3] / near[3], far[:3] / far[3]
    share = near[2] / np.maximum(near[2] - far[2], 1e-12)      # past every board where the ray runs along it
    height, width = cover.texels.shape[:2]
    right, up = ((near[k] + share * (far[k] - near[k]) - cover.origin[k]) / cover.texel_size - 0.5 for k in (0, 1))
    left, down = np.floor(right), np.floor(up)
    right -= left                          # between the middles of four texels
    up -= down
    column, row = left.astype(np.int64), height - 1 - down.astype(np.int64)
    alpha = cover.texels.reshape(-1, 4)[:, 3]
    covered = np.zeros(len(where))
    for i, weight_x in ((0, 1 - right), (1, right)):
        for j, weight_y in ((0, 1 - up), (1, up)):
            inside = (column + i >= 0) & (column + i < width) & (row - j >= 0) & (row - j < height)
            covered += weight_x * weight_y * np.where(inside, alpha[np.where(inside, (row - j) * width + column + i, 0)], 0)
    return np.asarray(covered >= 127.5)


def cell(camera: Camera, factor: int, column: int, row: int) -> tuple[Camera, F64]:
    """One of factor × factor cells of the picture, ``factor`` times finer, with the projection that belongs to it."""
    zoom = np.diag([factor, factor, 1.0, 1.0])
    zoom[0, 3], zoom[1, 3] = factor - 1 - 2 * column, -(factor - 1 - 2 * row)
    return replace(camera, pixel_size=camera.pixel_size / factor), zoom @ camera.projection()


def outlines(ids: Sequence[int], geometry: Geometry) -> tuple[NDArray[np.int64], F64]:
    """Points between which each of these things lies: corners of boxes around parts, all of the solder, corners of films.

    Returns:
        owner (P,): place in ``ids``; point (P, 3) [m], board frame.
    """
    last = max(ids, default=0) + 1
    place = np.full(last + 1, -1, np.int64)                                # the last one stands for all that nobody asks for
    place[list(ids)] = np.arange(len(ids))
    groups = [g for g in geometry.instances if len(g.pose) and len(g.mesh.vertices)]
    instances, points = [geometry.soup.instance], [geometry.soup.vertices.astype(np.float64)]
    if groups:
        pose = np.concatenate([g.pose for g in groups])
        low, high = (np.repeat([end(g.mesh.vertices, axis=0) for g in groups], [len(g.pose) for g in groups], axis=0)
                     for end in (np.min, np.max))
        corner = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], np.float64)
        local = low[:, None] + corner * (high - low)[:, None]
        world = local @ pose[:, :3, :3].transpose(0, 2, 1) + pose[:, None, :3, 3]
        instances.append(np.repeat(np.concatenate([g.instance for g in groups]), 8))
        points.append(world.reshape(-1, 3))
    for decal in geometry.decals:
        x0, y0, x1, y1 = decal.outline.bounds
        instances.append(np.full(4, decal.instance, np.uint32))
        points.append(np.array([[x0, y0, 0], [x1, y0, 0], [x0, y1, 0], [x1, y1, 0]]))
    owner, point = place[np.minimum(np.concatenate(instances), last)], np.concatenate(points)
    return owner[owner >= 0], point[owner >= 0]


def spans(owner: NDArray[np.int64], pixel: F64, count: int) -> tuple[F64, F64]:
    """Least and greatest of the points (P, 2) of each owner, (count, 2) each; inf and -inf where it has none."""
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    order = np.argsort(owner, kind="stable")
    owner, sides = owner[order], np.ascontiguousarray(pixel[order].T)      # in rows, along which reduceat is faster
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    if len(first):
        low[owner[first]] = np.minimum.reduceat(sides, first, axis=1).T
        high[owner[first]] = np.maximum.reduceat(sides, first, axis=1).T
    return low, high


__all__ = ["Window", "cell", "height_of", "outlines", "reach", "seen", "shifted", "solid", "spans", "window"]
