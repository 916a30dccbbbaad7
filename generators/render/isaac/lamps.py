"""A ``Lighting`` as UsdLux lamps over the place that a camera looks at, by the layout of ``scenes.usd``.

Rings move with the camera, as they do on a machine: a tier is the same light at every tile.
"""
from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from generators.render.isaac.messages import Lamp
from scenes.optics import Camera, Lighting
from scenes.usd.lamps import looking_along, segments


def lamps(lighting: Lighting, camera: Camera, bench: str, gain: float) -> dict[str, Lamp]:
    """Path → lamp. Exposure and white balance are in the lamps: the picture comes out as the station's camera would store it.

    Args:
        bench: path of the prim whose frame is the board frame.
        gain: of the renderer: the intensity at which a white diffuser under a dome of radiance 1 renders as 1.
    """
    balance = np.asarray(lighting.white_balance, float)
    out: dict[str, Lamp] = {}

    def add(name: str, kind: str, light: Sequence[float], strength: float, **more: object) -> None:
        color = np.asarray(light, float) * balance
        most = float(color.max())
        if most > 0:                           # colours up to 1, the rest in the intensity: some renderers clamp them
            path = f"{bench}/{name}"
            out[path] = Lamp.model_validate({"path": path, "kind": kind, "color": tuple((color / most).tolist()),
                                             "intensity": most * strength * gain * lighting.exposure, **more})

    add("Light_dome", "dome", lighting.dome, 1.0)
    for number, lamp in enumerate(lighting.directional):
        add(f"Light_directional_{number}", "distant", lamp.irradiance, math.pi, matrix=_flat(looking_along(lamp.direction)),
            shadows=lamp.shadows)
    middle = camera.pose[:3, 3] - camera.pose[:3, 2] * camera.distance
    for number, ring in enumerate(lighting.rings):
        radius, poses = segments(ring, middle.tolist())
        for k, pose in enumerate(poses):
            add(f"Light_ring_{number}/Lamp_{k:02d}", "disk", ring.radiance, 1.0, matrix=_flat(pose), radius=radius)
    return out


def _flat(matrix: np.ndarray) -> tuple[float, ...]:
    return tuple(np.asarray(matrix, float).ravel().tolist())


__all__ = ["lamps"]
