"""Cameras, lamps and the look of a surface, as authored in a scene. No pixels are made here.

Frame: the board frame of the side that is up. A camera's own frame is OpenUSD's: it looks along −z, y is up.
"""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scenes.instruments.aoi import Lens, Motion, Sensor

Rgb = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole or an object-side telecentric camera.

    ``pose`` takes camera coordinates to board coordinates, (4, 4) [m]. ``pixel_size`` is the size of a pixel *in the
    focus plane* [m], which lies ``distance`` in front of the camera. Image row 0 is up (+y of the camera).
    """
    name: str
    width: int                                 # [px]
    height: int                                # [px]
    pixel_size: float                          # [m] on the object
    pose: NDArray[np.float64]
    distance: float = 0.2                      # [m] camera origin to focus plane
    model: Literal["telecentric", "perspective"] = "telecentric"
    near: float = 0.15                         # [m] along −z
    far: float = 0.25
    sensor: Sensor | None = None               # what records the light; None is ``Sensor()`` of scenes/instruments/aoi.py
    lens: Lens | None = None                   # what it does besides projecting; None is ``Lens()``
    motion: Motion | None = None               # of the board while the shutter is open; None: it stands still

    def view(self) -> NDArray[np.float64]:
        """Board → camera, (4, 4)."""
        return np.asarray(np.linalg.inv(self.pose), np.float64)

    def projection(self) -> NDArray[np.float64]:
        """Camera → clip space by OpenGL's convention, (4, 4): x, y in [−1, 1] over the image, z from near −1 to far 1."""
        half_w, half_h = self.width * self.pixel_size / 2, self.height * self.pixel_size / 2
        n, f = self.near, self.far
        if self.model == "telecentric":
            return np.array([[1 / half_w, 0, 0, 0], [0, 1 / half_h, 0, 0],
                             [0, 0, -2 / (f - n), -(f + n) / (f - n)], [0, 0, 0, 1.0]])
        return np.array([[self.distance / half_w, 0, 0, 0], [0, self.distance / half_h, 0, 0],
                         [0, 0, -(f + n) / (f - n), -2 * f * n / (f - n)], [0, 0, -1.0, 0]])

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Board points (N, 3) [m] → pixel coordinates (N, 2): x right, y down, (0, 0) the outer corner of the first pixel."""
        clip = np.column_stack([points, np.ones(len(points))]) @ (self.projection() @ self.view()).T
        ndc = clip[:, :2] / clip[:, 3:]
        return np.column_stack([(ndc[:, 0] + 1) * self.width / 2, (1 - ndc[:, 1]) * self.height / 2])


def looking_down(name: str, center: tuple[float, float], pixel_size: float, width: int, height: int, *,
                 distance: float = 0.2, model: Literal["telecentric", "perspective"] = "telecentric",
                 roll: float = 0.0) -> Camera:
    """A camera straight above ``center`` (board frame [m]), turned by ``roll`` [rad] counter-clockwise about the view axis."""
    c, s = np.cos(roll), np.sin(roll)
    pose = np.array([[c, -s, 0, center[0]], [s, c, 0, center[1]], [0, 0, 1, distance], [0, 0, 0, 1.0]])
    return Camera(name, width, height, pixel_size, pose, distance, model, max(distance - 0.05, distance * 0.5), distance + 0.02)


@dataclass(frozen=True)
class Ring:
    """One tier of a ring light: it fills the zenith angles from ``zenith_min`` to ``zenith_max`` [rad], all azimuths."""
    zenith_min: float
    zenith_max: float
    radiance: Rgb                              # linear, relative


@dataclass(frozen=True)
class Directional:
    """A collimated lamp. ``direction`` points from the board to the lamp, unit, board frame."""
    direction: tuple[float, float, float]
    irradiance: Rgb                            # linear, relative
    shadows: bool = True


@dataclass(frozen=True)
class Lighting:
    """All lamps of a station. Radiances are relative to a white diffuser that renders as 1 at ``exposure`` 1."""
    rings: tuple[Ring, ...] = ()
    dome: Rgb = (0.0, 0.0, 0.0)                # uniform radiance of the whole upper hemisphere
    directional: tuple[Directional, ...] = ()
    exposure: float = 1.0                      # linear gain before sRGB encoding
    white_balance: Rgb = (1.0, 1.0, 1.0)       # per-channel gain
    noise: float = 0.0                         # standard deviation of the read-out [1] of full scale, linear
    blur: float = 0.0                          # standard deviation of the point spread [px]

    def scaled(self, gain: float) -> Lighting:
        return replace(self, exposure=self.exposure * gain)


@dataclass(frozen=True)
class Look:
    """What may vary in a product's surfaces without changing what it is. Colours are sRGB, 0 to 1, in diffuse light."""
    mask: Rgb = (0.04, 0.25, 0.17)             # lacquer over laminate
    mask_over_copper: Rgb = (0.04, 0.44, 0.23)
    silk: Rgb = (0.90, 0.91, 0.88)
    laminate: Rgb = (0.62, 0.56, 0.34)
    finish: Literal["enig", "hasl", "osp", "tin"] = "enig"
    finish_tint: Rgb = (1.0, 1.0, 1.0)         # factor on the finish's reflectance
    mask_roughness: float = 0.18
    finish_roughness: float = 0.28
    solder_roughness: float = 0.16             # perceptual (α = its square), of a healthy joint; a colder one adds its state's α
    part_tint: float = 0.12                    # spread of the body colours between parts of one kind, relative
    marking_seed: int = 0                      # which lot codes, dates and fonts are printed
    marking_contrast: float = 1.0
    background: Rgb = (0.03, 0.03, 0.03)       # what is seen past the board's edge
    extra: dict[str, float] = field(default_factory=dict)


__all__ = ["Camera", "Directional", "Lighting", "Look", "Rgb", "Ring", "looking_down"]
