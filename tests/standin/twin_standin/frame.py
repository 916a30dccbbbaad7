"""One picture: rays through the middles of pixels, what they hit, and its colour.

Everything is moved to the camera first, in double precision, and what is outside its frustum is left out: single precision is
then good to some 10 nm at 0.2 m. As in RTX the picture's height follows from the horizontal aperture and the resolution.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray

from twin_standin import shade
from twin_standin.faults import fault
from twin_standin.scene import World, matrix

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
LAYERS = 4                                     # clear surfaces in front of each other that a ray goes through
SPREAD = ((0.0, 0.0), (0.386, 0.104), (-0.283, 0.283), (-0.104, -0.386))       # [px] places of the first four subframes
STEP = 2e-7                                    # [stage units] a ray goes on this far behind a surface that it passed


@dataclass(frozen=True, eq=False)
class Optics:
    """A UsdGeomCamera as numbers; frame: looks along −z, y is up."""
    to_world: F64                              # (4, 4), row vectors
    orthographic: bool
    half: tuple[float, float]                  # of the picture, in the plane one unit away (perspective) or as it is
    offset: tuple[float, float]                # of its middle, the same
    near: float
    far: float
    params: dict[str, Any]                     # as the camera_params annotator has them

    def rays(self, width: int, height: int, dx: float, dy: float) -> tuple[F32, F32]:
        """Origins and directions (H·W, 3) in the camera's frame; directions have z = −1."""
        x = ((np.arange(width) + 0.5 + dx) / width * 2 - 1) * self.half[0] + self.offset[0]
        y = (1 - (np.arange(height) + 0.5 + dy) / height * 2) * self.half[1] + self.offset[1]
        plane = np.stack(np.broadcast_arrays(x[None], y[:, None], -1.0), axis=-1).reshape(-1, 3)
        if self.orthographic:
            origin, direction = plane * (1, 1, 0) + (0, 0, -self.near), np.tile([0.0, 0.0, -1.0], (len(plane), 1))
        else:
            origin, direction = plane * self.near, plane
        return origin.astype(np.float32), direction.astype(np.float32)


def optics_of(camera: Any, resolution: tuple[int, int]) -> Optics:
    """Read a camera from the stage. Apertures are tenths of a stage unit, as the focal length is."""
    from pxr import Usd, UsdGeom

    width, height = resolution
    place = matrix(UsdGeom.XformCache(Usd.TimeCode.Default()).GetLocalToWorldTransform(camera.GetPrim()))
    place[:3, :3] /= np.linalg.norm(place[:3, :3], axis=1, keepdims=True)
    orthographic = camera.GetProjectionAttr().Get() == UsdGeom.Tokens.orthographic
    across, focal = float(camera.GetHorizontalApertureAttr().Get()), float(camera.GetFocalLengthAttr().Get())
    unit = 0.1 if orthographic else 1 / focal
    offsets = camera.GetHorizontalApertureOffsetAttr(), camera.GetVerticalApertureOffsetAttr()
    shift = [float(attribute.Get() or 0) * unit for attribute in offsets]
    half = across * unit / 2, across * unit / 2 * height / width
    near, far = (float(v) for v in camera.GetClippingRangeAttr().Get())
    projection = np.zeros((4, 4))              # row vectors
    projection[0, 0], projection[1, 1] = 1 / half[0], 1 / half[1]
    if orthographic:
        projection[2, 2], projection[3, 2], projection[3, 3] = -2 / (far - near), -(far + near) / (far - near), 1
    else:
        projection[2, 2], projection[3, 2], projection[2, 3] = -(far + near) / (far - near), -2 * far * near / (far - near), -1
    params = {"cameraModel": "pinhole", "cameraViewTransform": np.linalg.inv(place).ravel(),
              "cameraProjection": projection.ravel(),
              "cameraAperture": np.array([across, across * height / width], np.float32),
              "cameraApertureOffset": np.array(shift, np.float32) / unit, "cameraFocalLength": focal,
              "cameraFocusDistance": float(camera.GetFocusDistanceAttr().Get()),
              "cameraFStop": float(camera.GetFStopAttr().Get()),
              "cameraNearFar": np.array([near, far], np.float32), "cameraFisheyeParams": np.zeros(19, np.float32),
              "renderProductResolution": np.array([width, height], np.int32)}
    return Optics(place, orthographic, half, (shift[0], shift[1]), near, far, params)


@dataclass(frozen=True, eq=False)
class Frame:
    """What one step drew: arrays are flat, row 0 of the picture first. ``leaf`` is −1 where nothing is."""
    world: World
    optics: Optics
    shape: tuple[int, int]
    step: int
    leaf: NDArray[np.int32]
    z: F32                                     # [stage units] along the axis, +inf where nothing is
    distance: F32                              # from the camera's origin
    normal: F32                                # (N, 3) world frame
    rgba: NDArray[np.uint8]                    # (N, 4), white where no annotator wanted colour
    rays: Rays


class Rays:
    """The triangles that a camera can see, ready to be hit."""

    def __init__(self, world: World, optics: Optics) -> None:
        back = np.linalg.inv(optics.to_world)
        corners = world.corners @ back[:3, :3] + back[3, :3]
        depth = np.ones(corners.shape[:2]) if optics.orthographic else np.maximum(-corners[..., 2], 1e-12)
        inside = (-corners[..., 2] > optics.near * 0.999).any(1) & (-corners[..., 2] < optics.far * 1.001).any(1)
        for axis in (0, 1):
            reach, middle = optics.half[axis] * 1.02, optics.offset[axis]
            at = corners[..., axis] - middle * depth
            inside &= (at <= reach * depth).any(1) & (at >= -reach * depth).any(1)
        if not optics.orthographic:            # behind the camera the planes above say nothing
            inside |= (corners[..., 2] > -optics.near).any(1) & (corners[..., 2] < 0).any(1)
        self.rows = np.flatnonzero(inside)
        self.corners = corners[self.rows]
        self.world, self.optics = world, optics
        self._scene = EmbreeScene()
        if len(self.rows):
            self._mesh = TriangleMesh(self._scene, np.ascontiguousarray(self.corners, np.float32))

    def hit(self, origin: F32, direction: F32) -> tuple[NDArray[np.int64], F64, F64]:
        """Per ray: row of ``world`` or −1, weights (K, 3) of the corners, and the way along the direction to it."""
        if not len(self.rows):
            return np.full(len(origin), -1), np.zeros((len(origin), 3)), np.full(len(origin), np.inf)
        found = self._scene.run(origin, direction, output=1)
        face = found["primID"].astype(np.int64)
        u, v, way = (found[name].astype(np.float64) for name in ("u", "v", "tfar"))
        far = (-(origin[:, 2] + way * direction[:, 2]) > self.optics.far) | (face < 0)
        way[far] = np.inf
        return np.where(far, -1, self.rows[np.maximum(face, 0)]), np.column_stack([1 - u - v, u, v]), way


def draw(world: World, camera: Any, resolution: tuple[int, int], step: int, done: int, subframes: int, before: Frame | None,
         colored: bool) -> Frame:
    """Cast labels at the middles of pixels; colour there, and between meshes at up to four places, one per subframe."""
    width, height = resolution
    optics = optics_of(camera, resolution)
    rays = Rays(world, optics)
    origin, direction = optics.rays(width, height, 0, 0)
    face, weight, way = _labelled(rays, origin, direction)
    hit = face >= 0
    leaf = np.where(hit, world.leaf[face] if len(world.leaf) else -1, -1).astype(np.int32)
    point = origin + np.where(hit, way, 0)[:, None] * direction
    z = np.where(hit, -point[:, 2], np.inf).astype(np.float32)
    distance = np.where(hit, np.linalg.norm(point, axis=1), np.inf).astype(np.float32)
    normal = np.zeros((len(face), 3), np.float32)
    normal[hit] = facing(world, face[hit], weight[hit], direction[hit] @ optics.to_world[:3, :3])
    rgba = np.full((len(face), 4), 255, np.uint8)
    if colored:
        light = shade.Light(world, optics, point[hit].mean(0) if hit.any() else np.zeros(3))
        color = _color(rays, light, origin, direction)
        edges = np.flatnonzero(_edges(leaf.reshape(height, width)))
        places = SPREAD[1:max(1, min(subframes, len(SPREAD)))]
        for dx, dy in places:                  # a converged picture is smooth where surfaces meet; elsewhere one ray tells
            start, along = optics.rays(width, height, dx, dy)
            color[edges] += _color(rays, light, start[edges], along[edges])
        color[edges] /= len(places) + 1
        rgba[:, :3] = shade.developed(color)
    black, stale = fault("black"), fault("stale")
    if black is not None and done + subframes <= black:
        rgba[:, :3] = 0
    if stale is not None and subframes < 2 and before is not None and before.shape == (height, width):
        rgba = before.rgba
    return Frame(world, optics, (height, width), step, leaf, z, distance, normal, rgba, rays)


def _edges(leaf: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Pixels with another mesh beside them."""
    out = np.zeros(leaf.shape, bool)
    for axis in (0, 1):
        change = np.diff(leaf, axis=axis) != 0
        before, after = [slice(None)] * 2, [slice(None)] * 2
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        out[tuple(before)] |= change
        out[tuple(after)] |= change
    return out


def facing(world: World, face: NDArray[np.int64], weight: F64, along: F64) -> F32:
    """Shading normals in the world frame, turned towards the viewer."""
    normal = np.einsum("kc,kcd->kd", weight, world.normals[face])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    away = np.einsum("kd,kd->k", normal, along) > 0
    normal[away] *= -1
    return normal.astype(np.float32)


def _labelled(rays: Rays, origin: F32, direction: F32) -> tuple[NDArray[np.int64], F64, F64]:
    """The nearest surface that is not cut out; clear ones count."""
    face, weight, way = rays.hit(origin, direction)
    pending = np.flatnonzero(face >= 0)
    start, passed = origin.copy(), np.zeros(len(origin))
    for _ in range(LAYERS):
        if not len(pending):
            break
        opacity = shade.opacities(rays.world, face[pending], weight[pending])
        pending = pending[opacity <= 0]
        if not len(pending):
            break
        passed[pending] = way[pending] + STEP
        start[pending] = origin[pending] + passed[pending, None].astype(np.float32) * direction[pending]
        found, share, further = rays.hit(start[pending], direction[pending])
        face[pending], weight[pending], way[pending] = found, share, passed[pending] + further
        pending = pending[found >= 0]
    return face, weight, way


def _color(rays: Rays, light: shade.Light, origin: F32, direction: F32) -> F64:
    """Radiance (N, 3): clear surfaces over what is behind them."""
    color, left = np.zeros((len(origin), 3)), np.ones(len(origin))
    pending, start = np.arange(len(origin)), origin.copy()
    for layer in range(LAYERS):
        face, weight, way = rays.hit(start[pending], direction[pending])
        empty = face < 0
        color[pending[empty]] += left[pending[empty], None] * light.background
        pending, face, weight, way = pending[~empty], face[~empty], weight[~empty], way[~empty]
        if not len(pending):
            break
        along = direction[pending] @ rays.optics.to_world[:3, :3]
        normal = facing(rays.world, face, weight, along)
        opacity = shade.opacities(rays.world, face, weight)
        if layer == LAYERS - 1:
            opacity = np.ones_like(opacity)
        color[pending] += (left[pending] * opacity)[:, None] * light.reflected(rays.world, face, weight, normal, along)
        left[pending] *= 1 - opacity
        start[pending] += (way + STEP)[:, None].astype(np.float32) * direction[pending]
        pending = pending[opacity < 1]
    return color
