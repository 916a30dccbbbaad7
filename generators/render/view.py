"""What a camera can see of the board: windows in the board plane, for culling and for height maps."""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scenes.geometry import Geometry, Instances
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


def cell(camera: Camera, factor: int, column: int, row: int) -> tuple[Camera, F64]:
    """One of factor × factor cells of the picture, ``factor`` times finer, with the projection that belongs to it."""
    zoom = np.diag([factor, factor, 1.0, 1.0])
    zoom[0, 3], zoom[1, 3] = factor - 1 - 2 * column, -(factor - 1 - 2 * row)
    return replace(camera, pixel_size=camera.pixel_size / factor), zoom @ camera.projection()


__all__ = ["Window", "cell", "height_of", "reach", "seen", "shifted", "window"]
