"""What annotators give → the buffers that linetwin's renderers promise. NumPy alone; no Isaac Sim.

Layouts as NVIDIA's camera code and its shipped outputs have them: rows first, row 0 on top; ``rgb`` (H, W, 4) uint8,
``distance_to_image_plane`` (H, W) float32 with +inf behind everything, ``normals`` (H, W, 4) float32 in the world's frame,
``instance_id_segmentation`` (H, W) uint32 with ``idToLabels``: number → path of the mesh.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .errors import Refused

Array = np.ndarray[Any, Any]
NOTHING = ("BACKGROUND",)                      # what stands for no prim at all
UNLABELLED = "UNLABELLED"


def split(payload: Any, what: str) -> tuple[Array, dict[str, Any]]:
    """Array and info of a payload in either of its two forms. Refuses what is not there."""
    info: dict[str, Any] = {}
    if isinstance(payload, Mapping):
        info = dict(payload.get("info") or {k: v for k, v in payload.items() if k != "data"})
        payload = payload.get("data")
    if payload is None:
        raise Refused("capture", f"{what}: the annotator gave nothing")
    data = payload.numpy() if hasattr(payload, "numpy") else np.asarray(payload)
    return data, info


def colors(data: Array, shape: tuple[int, int]) -> Array:
    """RGBA → RGB, uint8 (H, W, 3)."""
    data = shaped(data, shape, 4, "rgb")
    if data.dtype != np.uint8:
        raise Refused("capture", f"rgb: {data.dtype} instead of uint8")
    return np.ascontiguousarray(data[..., :3])


def depths(data: Array, shape: tuple[int, int]) -> Array:
    """float32 (H, W) [m], +inf where nothing is."""
    out = np.array(shaped(data, shape, 0, "distance_to_image_plane"), np.float32)
    out[~(out > 0)] = np.inf                   # NaN and values behind the camera
    return out


def normals(data: Array, shape: tuple[int, int], camera: Array, nothing: Array) -> Array:
    """World frame → camera frame, float32 (H, W, 3), unit, 0 where nothing is.

    Args:
        camera: rotation (3, 3) that takes camera coordinates to world coordinates (columns: the camera's axes).
        nothing: bool (H, W).
    """
    world = shaped(data, shape, 4, "normals")[..., :3].astype(np.float32)
    out = world @ np.asarray(camera, np.float32)               # row vectors: nᵀR = (Rᵀn)ᵀ
    length = np.linalg.norm(out, axis=-1, keepdims=True)
    out = np.where(np.isfinite(length) & (length > 0), out / np.maximum(length, np.float32(1e-12)), np.float32(0))
    out[nothing] = 0
    return out.astype(np.float32)


def ids(data: Array, info: Mapping[str, Any], shape: tuple[int, int],
        known: Callable[[str], tuple[int, int] | None]) -> tuple[Array, Array]:
    """Instance uint32 (H, W) and part uint16 (H, W) of numbers that stand for meshes.

    Args:
        info: has ``idToLabels``, number (as int or text) → prim path.
        known: path → (label id, part), None for a prim that carries none.

    Raises:
        Refused: a pixel shows a number without a path, or a prim without a label id: it must not become background.
    """
    data = shaped(data, shape, 0, "instance_id_segmentation")
    paths = {int(number): path for number, path in (info.get("idToLabels") or {}).items()}
    numbers, index, counts = np.unique(data, return_inverse=True, return_counts=True)
    table = np.zeros((len(numbers), 2), np.uint32)
    for row, number, count in zip(table, numbers.tolist(), counts.tolist(), strict=True):
        path = paths.get(number, "BACKGROUND" if number == 0 else None)
        if path in NOTHING:
            continue
        if not isinstance(path, str) or path == UNLABELLED:
            raise Refused("mapping", f"number {number} ({count} px) stands for no prim ({path})")
        found = known(path)
        if found is None:
            raise Refused("mapping", f"{path} ({count} px) carries no label id")
        row[:] = found
    index = index.reshape(data.shape)
    return table[index, 0], table[index, 1].astype(np.uint16)


def black(rgb: Array, instance: Array) -> bool:
    """Whether a picture shows nothing although something stands before the camera."""
    return bool(instance.any()) and int(rgb.max(initial=0)) <= 1


def shaped(data: Array, shape: tuple[int, int], channels: int, what: str) -> Array:
    """``data`` as (H, W) or (H, W, channels). Refuses every other shape."""
    wanted = shape if channels == 0 else (*shape, channels)
    if channels == 0 and data.shape == (*shape, 1):
        data = data[..., 0]
    if data.shape != wanted:
        raise Refused("capture", f"{what}: an array of shape {data.shape} instead of {wanted}")
    return data


__all__ = ["black", "colors", "depths", "ids", "normals", "shaped", "split"]
