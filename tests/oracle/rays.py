"""An independent look at a unit: one embree ray through each pixel's centre. Shares nothing with a renderer but ``Geometry``."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
import trimesh
from numpy.typing import NDArray
from scipy import ndimage

from scenes.geometry import BOARD_ID, Coverage, Geometry
from scenes.optics import Camera

F64 = NDArray[np.float64]
START = 15e-3                                  # [m] above the board: rays start below it, embree computes in float32
CREASE = 0.3                                   # change of a unit normal's component that counts as an edge


@dataclass(frozen=True, eq=False)
class Seen:
    """What the rays met, images of the camera's shape."""
    instance: NDArray[np.int64]
    depth: F64                                 # [m] along the optical axis, inf where nothing is
    normal: F64                                # (H, W, 3) of the triangle, 0 where nothing is


def scene_mesh(geometry: Geometry) -> tuple[trimesh.Trimesh, NDArray[np.int64]]:
    """All triangles of a unit in the board frame, and the instance id of each."""
    vertices, faces, ids, start = [], [], [], 0

    def add(v: NDArray[np.floating], f: NDArray[np.integer], identity: NDArray[np.integer]) -> None:
        nonlocal start
        vertices.append(v.astype(np.float64))
        faces.append(f.astype(np.int64) + start)
        ids.append(identity.astype(np.int64))
        start += len(v)

    add(geometry.slab.mesh.vertices, geometry.slab.mesh.faces, np.full(len(geometry.slab.mesh.faces), BOARD_ID))
    for group in geometry.instances:
        for pose, identity in zip(group.pose, group.instance, strict=True):
            add(group.mesh.vertices @ pose[:3, :3].T + pose[:3, 3], group.mesh.faces, np.full(len(group.mesh.faces), identity))
    if len(geometry.soup.faces):
        add(geometry.soup.vertices, geometry.soup.faces, geometry.soup.instance[geometry.soup.faces[:, 0]])
    return trimesh.Trimesh(np.concatenate(vertices), np.concatenate(faces), process=False), np.concatenate(ids)


def cast(geometry: Geometry, camera: Camera) -> Seen:
    """Instance, depth and face normal at every pixel's centre."""
    from trimesh.ray.ray_pyembree import RayMeshIntersector

    mesh, ids = scene_mesh(geometry)
    x, y = np.meshgrid((np.arange(camera.width) + 0.5 - camera.width / 2) * camera.pixel_size,
                       -(np.arange(camera.height) + 0.5 - camera.height / 2) * camera.pixel_size)
    plane = np.stack([x, y, np.full_like(x, -camera.distance)], axis=-1).reshape(-1, 3)
    if camera.model == "telecentric":
        origin, along = plane * (1, 1, 0), np.broadcast_to((0.0, 0.0, -1.0), plane.shape)
    else:
        origin, along = np.zeros_like(plane), plane / np.linalg.norm(plane, axis=1, keepdims=True)
    origin = origin @ camera.pose[:3, :3].T + camera.pose[:3, 3]
    along = along @ camera.pose[:3, :3].T
    skip = np.where(along[:, 2] < -1e-6, (START - origin[:, 2]) / along[:, 2], 0.0)
    points, rays, triangles = RayMeshIntersector(mesh, scale_to_box=False).intersects_location(
        origin + np.maximum(skip, 0)[:, None] * along, along, multiple_hits=False)
    instance = np.zeros(len(plane), np.int64)
    depth, normal = np.full(len(plane), np.inf), np.zeros((len(plane), 3))
    depth[rays] = -((points - camera.pose[:3, 3]) @ camera.pose[:3, :3])[:, 2]
    instance[rays] = ids[triangles]
    normal[rays] = mesh.face_normals[triangles] @ camera.pose[:3, :3]
    top = (instance[rays] == BOARD_ID) & (points[:, 2] > -1e-6)
    on_top, place = rays[top], points[top]
    for decal in geometry.decals:
        instance[on_top[shapely.contains_xy(decal.outline, place[:, 0], place[:, 1])]] = decal.instance
    drilled = on_top[~_laminate(geometry.slab.coverage, place)]
    instance[drilled], depth[drilled], normal[drilled] = 0, np.inf, 0
    shape = camera.height, camera.width
    return Seen(instance.reshape(shape), depth.reshape(shape), normal.reshape(*shape, 3))


def _laminate(cover: Coverage, place: F64) -> NDArray[np.bool_]:
    """Whether the nearest texel is board, not a hole."""
    height, width = cover.texels.shape[:2]
    column = ((place[:, 0] - cover.origin[0]) / cover.texel_size).astype(int).clip(0, width - 1)
    row = (height - (place[:, 1] - cover.origin[1]) / cover.texel_size).astype(int).clip(0, height - 1)
    return np.asarray(cover.texels[row, column, 3] >= 128)


def one_thing(instance: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Pixels more than one pixel away from where another instance begins."""
    return np.asarray(ndimage.maximum_filter(instance, 3) == ndimage.minimum_filter(instance, 3))


def one_face(seen: Seen, step: float) -> NDArray[np.bool_]:
    """… and from a crease or a jump in depth of more than ``step`` [m] beyond what the faces' slope explains."""
    out = one_thing(seen.instance)
    for axis in range(3):
        out &= ndimage.maximum_filter(seen.normal[..., axis], 3) - ndimage.minimum_filter(seen.normal[..., axis], 3) < CREASE
    depth = np.where(np.isfinite(seen.depth), seen.depth, 0.0)
    jump = ndimage.maximum_filter(depth, 3) - ndimage.minimum_filter(depth, 3)
    slope = np.linalg.norm(seen.normal[..., :2], axis=-1) / np.maximum(np.abs(seen.normal[..., 2]), 0.05)
    return np.asarray(out & (jump < step * (1 + 3 * slope)))


@dataclass
class Agreement:
    """How many pixels were compared, and how many agree."""
    ids: int = 0
    ids_same: int = 0
    depths: int = 0
    depths_same: int = 0
    frames: int = 0
    worst_ids: float = 1.0
    worst_depths: float = 1.0

    def add(self, seen: Seen, instance: NDArray[np.integer], depth: NDArray[np.floating] | None, camera: Camera,
            tolerance: float) -> None:
        """Compare one frame. ``tolerance`` of depth [m]."""
        inside = one_thing(seen.instance)
        same = int((seen.instance == instance)[inside].sum())
        self.frames, self.ids, self.ids_same = self.frames + 1, self.ids + int(inside.sum()), self.ids_same + same
        self.worst_ids = min(self.worst_ids, same / max(int(inside.sum()), 1))
        if depth is not None:
            flat = one_face(seen, camera.pixel_size)
            nothing, none_seen = np.isinf(depth), np.isinf(seen.depth)
            off = np.abs(np.where(nothing, 0, depth) - np.where(none_seen, 0, seen.depth))
            close = (nothing == none_seen) & (off < tolerance)
            same = int(close[flat].sum())
            self.depths, self.depths_same = self.depths + int(flat.sum()), self.depths_same + same
            self.worst_depths = min(self.worst_depths, same / max(int(flat.sum()), 1))

    def text(self) -> str:
        return f"{self.frames} frames: ids {100 * self.ids_same / self.ids:.4f} % of {self.ids} px (worst frame " \
               f"{100 * self.worst_ids:.4f} %), depth {100 * self.depths_same / max(self.depths, 1):.4f} % of {self.depths} px " \
               f"(worst frame {100 * self.worst_depths:.4f} %)"


__all__ = ["Agreement", "Seen", "cast", "one_face", "one_thing", "scene_mesh"]
