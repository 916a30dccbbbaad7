"""What a UsdLux lamp of a stage gives, in a scene's terms."""
from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.usd.stations import number

F64 = NDArray[np.float64]


def emitted(prim: Any) -> F64:
    """Colour · intensity · 2^exposure, with its colour temperature where that is on, (3,)."""
    from pxr import UsdLux

    light = UsdLux.LightAPI(prim)
    color = np.array([number(c) for c in light.GetColorAttr().Get()])
    if light.GetEnableColorTemperatureAttr().Get():
        color = color * np.array(UsdLux.BlackbodyTemperatureAsRgb(light.GetColorTemperatureAttr().Get()))
    return np.asarray(color * number(light.GetIntensityAttr().Get()) * 2.0 ** number(light.GetExposureAttr().Get()))


def normalised(prim: Any) -> bool:
    """Whether a lamp's power is what it says, whatever its size; else its radiance is."""
    from pxr import UsdLux

    return bool(UsdLux.LightAPI(prim).GetNormalizeAttr().Get())


def collimated(prim: Any) -> F64:
    """Irradiance of a DistantLight E / π, relative to a white diffuser, (3,).

    Normalised, it says E; else a radiance L over the disk of its angle: E = L π sin²(angle / 2).
    """
    from pxr import UsdLux

    angle = math.radians(number(UsdLux.DistantLight(prim).GetAngleAttr().Get())) / 2
    size = math.pi * math.sin(min(angle, math.pi / 2)) ** 2
    return np.asarray(emitted(prim) * (1.0 if normalised(prim) or size == 0 else size) / math.pi)


__all__ = ["collimated", "emitted", "normalised"]
