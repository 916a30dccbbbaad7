"""What a Replicator writer is given: our buffers in the ``renderProduct`` layout of ``omni.replicator.core``.

With it any Replicator ``Writer`` can be fed from the default renderer, on a machine without an RTX GPU. Layout and types as
in Isaac Sim 6.2: the box types are those of files that Replicator wrote, the camera's keys those that NVIDIA's ``PoseWriter``
reads. Matrices are Replicator's, for row vectors: ``p_camera = p_world @ cameraViewTransform``; ours are for column vectors.

Two choices are ours, because NVIDIA's files show neither: an orthographic camera's projection, and that an instance without a
single visible pixel keeps its 3-D box, with occlusionRatio 1, as long as it would be seen alone.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.imports.camera import camera_params as described
from generators.masks import Piece, box
from generators.render.protocol import Buffers
from scenes.geometry import BOARD_ID, Geometry
from scenes.optics import Camera

BOX_3D = np.dtype([("semanticId", "<u4"), ("x_min", "<f4"), ("y_min", "<f4"), ("z_min", "<f4"), ("x_max", "<f4"),
                   ("y_max", "<f4"), ("z_max", "<f4"), ("transform", "<f4", (4, 4)), ("occlusionRatio", "<f4")])
BOX_2D = np.dtype([("semanticId", "<u4"), ("x_min", "<i4"), ("y_min", "<i4"), ("x_max", "<i4"), ("y_max", "<i4"),
                   ("occlusionRatio", "<f4")])
BACKGROUND, UNLABELLED, FIRST = 0, 1, 2        # ids that Replicator keeps for itself, and the first that is free
_RESERVED = {BACKGROUND: {"class": "BACKGROUND"}, UNLABELLED: {"class": "UNLABELLED"}}


@dataclass(frozen=True)
class Prim:
    """Where an instance stands on the stage, and its labels by taxonomy."""
    path: str
    labels: Mapping[str, str]                  # {"class": "component", "reference": "U3"}


def camera_params(camera: Camera, place: NDArray[np.float64] | None = None) -> dict[str, Any]:
    """The annotator ``camera_params``, as arrays where Replicator gives arrays. See ``generators.imports.camera``.

    Args:
        camera: Its lens errors are left out: Replicator's pinhole has none.
        place: Board frame → world, (4, 4); None is the identity.
    """
    values = described(camera if place is None else replace(camera, pose=place @ camera.pose))
    return {key: np.array(value) if isinstance(value, list) else value for key, value in values.items()}


def bounding_box_3d(geometry: Geometry, prims: Mapping[int, Prim], occlusion: Mapping[int, float],
                    place: NDArray[np.float64] | None = None) -> dict[str, Any]:
    """The annotator ``bounding_box_3d``: boxes in each prim's own frame, with its transform to the world.

    Args:
        geometry: One unit. Films have no height and get no box.
        prims: By label id; ids without one are left out.
        occlusion: By label id, 0 all visible … 1 hidden; ids without one are left out.
        place: Board frame → world, (4, 4); None is the identity.
    """
    world = np.eye(4) if place is None else place
    found: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}     # id → bounds (2, 3), local → board (4, 4)
    found[BOARD_ID] = _bounds(geometry.slab.mesh.vertices), np.eye(4)
    for group in geometry.instances:
        bounds = _bounds(group.mesh.vertices)
        for pose, instance in zip(group.pose, group.instance, strict=True):
            found[int(instance)] = bounds, np.asarray(pose, float)
    for instance in np.unique(geometry.soup.instance):
        found[int(instance)] = _bounds(geometry.soup.vertices[geometry.soup.instance == instance]), np.eye(4)
    ids = [i for i in sorted(found) if i in prims and i in occlusion]
    semantic = _semantic_ids(prims)
    data = np.zeros(len(ids), BOX_3D)
    for row, i in zip(data, ids, strict=True):
        bounds, pose = found[i]
        for axis, name in enumerate("xyz"):
            row[f"{name}_min"], row[f"{name}_max"] = bounds[:, axis]
        row["semanticId"], row["transform"], row["occlusionRatio"] = semantic[i], (world @ pose).T, occlusion[i]
    return _boxes(data, ids, prims, semantic)


def bounding_box_2d(instance: NDArray[np.uint32], prims: Mapping[int, Prim], occlusion: Mapping[int, float]) -> dict[str, Any]:
    """The annotator ``bounding_box_2d_tight``: pixels, largest ones included, of what is visible."""
    ids = [int(i) for i in np.unique(instance) if int(i) in prims]
    semantic = _semantic_ids(prims)
    data = np.zeros(len(ids), BOX_2D)
    for row, i in zip(data, ids, strict=True):
        tight = box(instance == i)
        assert tight is not None               # the id is in the image
        x, y, w, h = tight
        row["semanticId"], row["occlusionRatio"] = semantic[i], occlusion.get(i, 0.0)
        row["x_min"], row["y_min"], row["x_max"], row["y_max"] = x, y, x + w - 1, y + h - 1
    return _boxes(data, ids, prims, semantic)


def occlusion_ratios(instance: NDArray[np.uint32], silhouettes: Mapping[int, Piece]) -> dict[int, float]:
    """By label id: 1 − visible pixels / pixels that it would cover alone (``Renderer.silhouettes``)."""
    ids, seen = np.unique(instance, return_counts=True)
    visible = dict(zip(ids.tolist(), seen.tolist(), strict=True))
    return {i: max(0.0, 1.0 - visible.get(i, 0) / int(mask.sum())) for i, (_, mask) in silhouettes.items()}


def render_product(buffers: Buffers, geometry: Geometry, camera: Camera, prims: Mapping[int, Prim],
                   silhouettes: Mapping[int, Piece], place: NDArray[np.float64] | None = None) -> dict[str, dict[str, Any]]:
    """Everything that one camera gives, by annotator. ``{"renderProducts": {name: this}}`` is what ``Writer.write`` takes.

    Args:
        buffers: With ``rgb``, ``depth`` and ``instance``.
        geometry, camera: What was rendered.
        prims: By label id.
        silhouettes: Amodal masks by label id, of ``Renderer.silhouettes``.
        place: Board frame → world, (4, 4); None is the identity.
    """
    assert buffers.rgb is not None and buffers.depth is not None and buffers.instance is not None
    occlusion = occlusion_ratios(buffers.instance, silhouettes)
    semantic = _semantic_ids(prims)
    classes = np.full(int(buffers.instance.max()) + 1, UNLABELLED, np.uint32)
    classes[0] = BACKGROUND
    for i, identifier in semantic.items():
        if i < len(classes):
            classes[i] = identifier
    boxes = bounding_box_3d(geometry, prims, occlusion, place)
    tight = bounding_box_2d(buffers.instance, prims, occlusion)
    opaque = np.full((*buffers.rgb.shape[:2], 1), 255, np.uint8)
    shown = [int(i) for i in np.unique(buffers.instance) if int(i) in prims]
    names = {BACKGROUND: "BACKGROUND", UNLABELLED: "UNLABELLED"}
    return {
        "rgb": {"data": np.concatenate([buffers.rgb, opaque], axis=2)},
        "distance_to_image_plane": {"data": buffers.depth},
        "instance_id_segmentation_fast": {"data": np.where(buffers.instance > 0, buffers.instance + np.uint32(1), np.uint32(0)),
                                          "idToLabels": names | {i + 1: prims[i].path for i in shown}},
        "semantic_segmentation": {"data": classes[buffers.instance],
                                  "idToLabels": _RESERVED | _labels(semantic, prims, shown)},
        "bounding_box_2d_tight_fast": tight, "bounding_box_3d_fast": boxes, "camera_params": camera_params(camera, place)}


def _bounds(vertices: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.stack([vertices.min(0), vertices.max(0)]).astype(float)


def _semantic_ids(prims: Mapping[int, Prim]) -> dict[int, int]:
    """One id per set of labels, from 2 on in the order of the label ids."""
    known: dict[tuple[tuple[str, str], ...], int] = {}
    return {i: known.setdefault(tuple(sorted(prims[i].labels.items())), FIRST + len(known)) for i in sorted(prims)}


def _labels(semantic: Mapping[int, int], prims: Mapping[int, Prim], ids: list[int]) -> dict[int, dict[str, str]]:
    return {semantic[i]: dict(prims[i].labels) for i in ids}


def _boxes(data: NDArray[Any], ids: list[int], prims: Mapping[int, Prim], semantic: Mapping[int, int]) -> dict[str, Any]:
    return {"data": data, "idToLabels": _labels(semantic, prims, ids),
            "bboxIds": np.array(ids, np.uint32), "primPaths": [prims[i].path for i in ids]}


__all__ = ["BOX_2D", "BOX_3D", "Prim", "bounding_box_2d", "bounding_box_3d", "camera_params", "occlusion_ratios",
           "render_product"]
