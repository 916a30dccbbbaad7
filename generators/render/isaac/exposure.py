"""How bright is bright: the renderer's gain, found by looking at a grey card as one does at a real station.

RTX renders light through a film response whose scale depends on versions and settings. A card that reflects 18 % stands alone
under a dome; the dome's intensity is turned until the card renders as 18 % of full scale. Real lamps are then set by that gain.
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generators.render import develop
from scenes.errors import BackendError

GREY = 0.18                                    # reflectance of the card, linear
TOLERANCE = 0.04                               # relative; four codes of 255 at that grey
FIRST, STEPS = 1000.0, 10                      # intensity to start from: what Isaac Sim's own examples use for domes
SIZE = 64                                      # [px] of the picture
CAMERA, DOME = "/World/Camera", "/World/Dome"

STAGE = """#usda 1.0
(
    defaultPrim = "World"
    metersPerUnit = 1
    upAxis = "Z"
)
def Xform "World" {
    def Camera "Camera" {
        token projection = "perspective"
        float focalLength = 2
        float focusDistance = 0.2
        float horizontalAperture = 0.4
        float verticalAperture = 0.4
        float2 clippingRange = (0.1, 1)
        matrix4d xformOp:transform = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0.2, 1))
        uniform token[] xformOpOrder = ["xformOp:transform"]
    }
    def DomeLight "Dome" {
        float inputs:intensity = 1000
        color3f inputs:color = (1, 1, 1)
    }
    def Mesh "Card" (prepend apiSchemas = ["MaterialBindingAPI"]) {
        uniform token subdivisionScheme = "none"
        int[] faceVertexCounts = [3, 3]
        int[] faceVertexIndices = [0, 1, 2, 0, 2, 3]
        point3f[] points = [(-0.1, -0.1, 0), (0.1, -0.1, 0), (0.1, 0.1, 0), (-0.1, 0.1, 0)]
        normal3f[] normals = [(0, 0, 1), (0, 0, 1), (0, 0, 1), (0, 0, 1)] (interpolation = "vertex")
        float3[] extent = [(-0.1, -0.1, 0), (0.1, 0.1, 0)]
        rel material:binding = </World/Grey>
        custom token twin:part = "board"
        custom uint twin:instance = 1
    }
    def Material "Grey" {
        token outputs:surface.connect = </World/Grey/Surface.outputs:surface>
        def Shader "Surface" {
            uniform token info:id = "UsdPreviewSurface"
            color3f inputs:diffuseColor = (0.18, 0.18, 0.18)
            float inputs:roughness = 1
            float inputs:metallic = 0
            float inputs:ior = 1
            token outputs:surface
        }
    }
}
"""


def level(rgb: NDArray[np.uint8]) -> float:
    """Mean linear value of a picture's middle, [1] of full scale."""
    h, w = rgb.shape[:2]
    return float(develop.decode(rgb[h // 4:-h // 4, w // 4:-w // 4]).mean())


def next_intensity(intensity: float, seen: float) -> float | None:
    """The intensity to try next; None where the card looks as it should.

    Raises:
        BackendError: there is no telling.
    """
    if abs(seen / GREY - 1) <= TOLERANCE:
        return None
    if seen > 0.9:
        return intensity / 30
    if seen < 1e-3:
        return intensity * 30
    return intensity * GREY / seen


def refused(seen: float) -> BackendError:
    return BackendError(f"renderer 'isaac': a card of {GREY:.0%} grey renders as {seen:.1%} whatever its light; switch automatic "
                        "exposure off (LINETWIN_ISAAC_SETTINGS=/rtx/post/histogram/enabled=false)")


__all__ = ["CAMERA", "DOME", "FIRST", "GREY", "SIZE", "STAGE", "STEPS", "level", "next_intensity", "refused"]
