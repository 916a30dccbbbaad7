"""Which cameras look at a unit: one over the whole product, or a grid of tiles. All in the board frame [m]."""
from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain_randomization.recipe import Frames
from scenes.errors import RecipeError
from scenes.family import Finding
from scenes.geometry import Geometry
from scenes.optics import Camera, looking_down
from scenes.scene import CameraSpec

SIDE_MAX = 8192                                # [px] of a frame; GL and encoders go no further
Box = tuple[float, float, float, float]


def cameras(spec: CameraSpec, frames: Frames, box: Box) -> tuple[Camera, ...]:
    """The nominal cameras over a product of extent ``box`` (x0, y0, x1, y1): one for a board view, else every tile.

    Tiles run in rows from the lower left; neighbours overlap by at least ``frames.overlap`` of a tile, and the outer
    ones end at the product's edge.

    Cameras that were edited in a stage are as they were edited; the recipe may still change their pixel size.

    Raises:
        RecipeError: a board view with more than 8192 pixels on a side; frames that do not go with edited cameras.
    """
    made = _nominal(spec, frames, box)
    if not spec.edits:
        return made
    from domain_randomization.edited_views import edited

    return edited(made, _nominal(spec, Frames(), box), spec, box)


def _nominal(spec: CameraSpec, frames: Frames, box: Box) -> tuple[Camera, ...]:
    """As the scene was authored."""
    pixel = pixel_size(spec, frames)
    view = spec.view if frames.view == "scene" else frames.view
    x0, y0, x1, y1 = box
    if view == "board":
        margin = frames.margin_mm * 1e-3
        width, height = (math.ceil(round((size + 2 * margin) / pixel, 6)) for size in (x1 - x0, y1 - y0))
        if max(width, height) > SIDE_MAX:
            raise RecipeError(f"frames.pixel_um: a board view of {width} × {height} pixels is larger than {SIDE_MAX}; "
                              f"use {pixel * 1e6 * max(width, height) / SIDE_MAX:.3g} µm or more, or view: tiles")
        return (_looking(spec, ((x0 + x1) / 2, (y0 + y1) / 2), pixel, width, height),)
    width, height = frames.width or spec.width, frames.height or spec.height
    centers = [(x, y) for y in _centers(y0, y1, height * pixel, frames.overlap)
               for x in _centers(x0, x1, width * pixel, frames.overlap)]
    return tuple(_looking(spec, c, pixel, width, height) for c in centers)


def _looking(spec: CameraSpec, center: tuple[float, float], pixel: float, width: int, height: int) -> Camera:
    camera = looking_down(spec.name, center, pixel, width, height, distance=spec.distance, model=spec.model)
    return replace(camera, sensor=spec.sensor, lens=spec.lens, motion=spec.motion)


def pixel_size(spec: CameraSpec, frames: Frames) -> float:
    """Nominal pixel size on the object [m]: the recipe's, or else the camera's own."""
    return spec.pixel_size if frames.pixel_um is None else frames.pixel_um * 1e-6


def _centers(low: float, high: float, size: float, overlap: float) -> list[float]:
    """Centres of the fewest tiles of ``size`` that cover [low, high] with the overlap, evenly spread."""
    if high - low <= size:
        return [(low + high) / 2]
    count = math.ceil(round((high - low - overlap * size) / (size * (1 - overlap)), 9))
    return np.linspace(low + size / 2, high - size / 2, count).tolist()


def tile_of(point: tuple[float, float], tiles: Iterable[Camera]) -> int:
    """The tile that shows ``point`` farthest from its edges."""
    def distance(camera: Camera) -> float:
        at = camera.pose[:3, 3] - camera.distance * camera.pose[:3, 2]     # what it looks at: a camera may be tilted in its stage
        dx, dy = abs(point[0] - at[0]), abs(point[1] - at[1])
        return max(dx / camera.width, dy / camera.height) * camera.pixel_size

    return int(np.argmin([round(distance(c), 12) for c in tiles]))


def place_of(finding: Finding, geometry: Geometry) -> tuple[float, float]:
    """Where a finding is: the middle of its extent."""
    x0, y0, x1, y1 = extent_of(finding, geometry)
    return (x0 + x1) / 2, (y0 + y1) / 2


def extent_of(finding: Finding, geometry: Geometry) -> Box:
    """The bounding box of a finding's region and of everything with its ids; of the whole board where it has neither."""
    points = []
    if finding.region is not None and not finding.region.is_empty:
        x0, y0, x1, y1 = finding.region.bounds
        points.append(np.array([[x0, y0], [x1, y1]]))
    ids = np.array(finding.instances, np.uint32)
    if len(ids):
        points += _shown(geometry, ids)
    if not points:
        x0, y0 = geometry.slab.mesh.vertices[:, :2].min(axis=0)
        x1, y1 = geometry.slab.mesh.vertices[:, :2].max(axis=0)
        points.append(np.array([[x0, y0], [x1, y1]]))
    every = np.concatenate(points)
    (x0, y0), (x1, y1) = every.min(axis=0).tolist(), every.max(axis=0).tolist()
    return x0, y0, x1, y1


def _shown(geometry: Geometry, ids: NDArray[np.uint32]) -> list[NDArray[np.float64]]:
    """Board points (N, 2) of everything that carries one of ``ids``, except the board itself."""
    points = []
    for group in geometry.instances:
        for k in np.flatnonzero(np.isin(group.instance, ids)):
            points.append((group.mesh.vertices @ group.pose[k, :3, :3].T + group.pose[k, :3, 3])[:, :2])
    mine = np.isin(geometry.soup.instance, ids)
    if mine.any():
        points.append(geometry.soup.vertices[mine, :2].astype(np.float64))
    for decal in geometry.decals:
        if decal.instance in ids:
            x0, y0, x1, y1 = decal.outline.bounds
            points.append(np.array([[x0, y0], [x1, y1]]))
    return points


__all__ = ["SIDE_MAX", "cameras", "extent_of", "pixel_size", "place_of", "tile_of"]
