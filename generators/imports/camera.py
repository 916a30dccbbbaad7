"""camera_params of Replicator, there and back.

Its matrices act on row vectors, world to camera; ours act on column vectors, camera to board. Its projection runs from 1 at
the near plane to 0 far away. Aperture and focal length are in tenths of a scene unit, as USD says. What a perspective camera
sees depends on their ratio alone, so ours gets a horizontal aperture of 20.955, USD's default, and the focal length that fits.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from generators.imports.files import finite
from scenes.errors import DatasetError
from scenes.optics import Camera

APERTURE = 20.955                              # USD's default horizontal aperture
PINHOLE = "pinhole"
ORTHOGRAPHIC = "orthographic"                  # our word: NVIDIA's for such cameras was not seen


def camera_params(camera: Camera) -> dict[str, Any]:
    """What Replicator's annotator says of a camera, in scene units of 1 m. Lens distortion has no place in it."""
    near, far = camera.near, camera.far
    half = camera.width * camera.pixel_size / 2, camera.height * camera.pixel_size / 2       # [m] in the focus plane
    if camera.model == "perspective":
        wide = APERTURE
        focal = wide * camera.distance / (2 * half[0])
        projection = np.array([[camera.distance / half[0], 0, 0, 0], [0, camera.distance / half[1], 0, 0], [0, 0, 0, -1],
                               [0, 0, near, 0]])
    else:
        wide = 20 * half[0]                    # tenths of a metre
        focal = 50.0                           # USD's default; without meaning here
        projection = np.array([[1 / half[0], 0, 0, 0], [0, 1 / half[1], 0, 0], [0, 0, 1 / (far - near), 0],
                               [0, 0, far / (far - near), 1]])
    return {
        "cameraAperture": [wide, wide * camera.height / camera.width], "cameraApertureOffset": [0.0, 0.0],
        "cameraFisheyeParams": [], "cameraFStop": 0.0, "cameraFocalLength": focal, "cameraFocusDistance": camera.distance,
        "cameraModel": PINHOLE if camera.model == "perspective" else ORTHOGRAPHIC, "cameraNearFar": [near, far],
        "cameraProjection": projection.ravel().tolist(), "cameraViewTransform": camera.view().T.ravel().tolist(),
        "metersPerSceneUnit": 1.0, "renderProductResolution": [camera.width, camera.height]}


def camera_view(params: Mapping[str, Any], where: str, size: tuple[int, int], frame: str) -> dict[str, Any]:
    """The view of a frame that a camera of ours can be made from, where its model is one that we have; and all that was said.

    Raises:
        DatasetError: the parameters are of a picture of another size, not numbers, or not finite in metres.
    """
    kept = finite(dict(params))
    found: dict[str, Any] = {"camera_params": kept}
    resolution = kept.get("renderProductResolution")
    if resolution is not None and resolution != list(size):
        raise DatasetError(f"{where}: frame {frame} is of {resolution} pixels, its picture is {size[0]} × {size[1]}; "
                           "they are of different runs")
    try:
        unit = float(kept.get("metersPerSceneUnit") or 1.0)
        view = np.array(kept["cameraViewTransform"], np.float64).reshape(4, 4)
        wide, focal = float(kept["cameraAperture"][0]), float(kept["cameraFocalLength"])
        orthographic = kept.get("cameraModel") == ORTHOGRAPHIC
        if kept.get("cameraModel") not in (PINHOLE, ORTHOGRAPHIC) or not (focal > 0 and wide > 0 and unit > 0):
            return found
        pose = np.linalg.inv(view.T)
        focus = float(kept.get("cameraFocusDistance") or 0.0)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, np.linalg.LinAlgError) as error:
        raise DatasetError(f"{where}: frame {frame}: not camera parameters of Replicator's ({type(error).__name__}: {error}); "
                           "write the frame again") from None
    with np.errstate(over="ignore", invalid="ignore"):
        pose[:3, 3] *= unit
    distance = focus * unit or 1.0
    pixel = wide / 10 * unit / size[0] if orthographic else wide * distance / (focal * size[0])
    if not (np.isfinite(pose).all() and 0 < distance < np.inf and 0 < pixel < np.inf):
        raise DatasetError(f"{where}: frame {frame}: its camera is not finite in metres (unit {unit:g} m, focus at "
                           f"{distance:g} m, pixels of {pixel:g} m); write the frame again")
    model = "telecentric" if orthographic else "perspective"
    return {**found, "model": model, "pose": pose.ravel().tolist(), "pixel_size": pixel, "distance": distance}


__all__ = ["camera_params", "camera_view"]
