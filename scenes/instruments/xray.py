"""The X-ray machine of an AXI station: tube, geometry of the cone, flat-panel detector, as a scene says it.

Frame: the board frame of the side that is up. The source is on the camera's side of the board and the detector beyond the
board, so that a picture has the orientation of the colour picture. All sizes on the detector are given on the object:
divided by the magnification, at the height of the outer copper.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from scenes.optics import Camera

_BEHIND, _BEFORE = 0.08, 0.04                  # [m] of depth kept behind and before the focus plane: oblique fields, tall parts


@dataclass(frozen=True)
class XrayMachine:
    """An X-ray machine with a tungsten tube. The defaults are a common inline AXI (domain reference 4.1)."""
    name: str = "axi"
    tube_voltage: float = 130e3                # [V]
    anode_angle: float = math.radians(30.0)    # [rad]
    filters: tuple[tuple[str, float], ...] = (("Be", 0.5e-3), ("Al", 1e-3))   # element, thickness [m]; tube window first
    energy: float | None = None                # [eV] of every photon, instead of the tube's spectrum; for checks
    focal_spot: float = 5e-6                   # [m] diameter
    source_object: float = 0.08                # [m] source to the board's outer copper, along the view axis
    source_detector: float = 0.4               # [m]
    projection: Literal["cone", "parallel"] = "cone"
    tilt: float = 0.0                          # [rad] of the view axis against the board's normal
    azimuth: float = 0.0                       # [rad] of the direction that the source leans to, from x counter-clockwise
    scintillator: float = 500e-6               # [m] of CsI
    pixel_size: float = 20e-6                  # [m] on the object
    width: int = 1024                          # [px]
    height: int = 1024                         # [px]
    photons: float = 10_000.0                  # incident per pixel and picture, where nothing is in the beam
    scatter_ratio: float = 0.10                # [1] scatter to primary
    scatter_width: float = 3e-3                # [m] standard deviation, on the object
    blur: float = 0.5                          # [px] standard deviation of the scintillator's light
    electronic_noise: float = 5.0              # [photons] standard deviation, in open-beam photons
    bad_pixels: float = 2e-5                   # [1] share of pixels that are dead or stuck
    bad_pixel_seed: int = 0                    # which ones: a detector keeps its own
    open_level: float = 0.85                   # [1] of full scale, where nothing is in the beam
    bits: int = 16

    @property
    def magnification(self) -> float:
        """Source to detector over source to object [1]; 1 for parallel rays."""
        return self.source_detector / self.source_object if self.projection == "cone" else 1.0

    @property
    def unsharpness(self) -> float:
        """Geometric unsharpness U_g = f (M − 1) on the detector [m]."""
        return self.focal_spot * (self.magnification - 1)

    @property
    def spot_blur(self) -> float:
        """Standard deviation of the focal spot's shadow [px]: of a uniform disk of diameter U_g, on the object."""
        return self.unsharpness / self.magnification / 4 / self.pixel_size

    def camera(self, center: tuple[float, float], *, tilt: float | None = None, azimuth: float | None = None,
               pixel_size: float | None = None, width: int | None = None, height: int | None = None) -> Camera:
        """The camera that sees along the machine's rays: the source is its eye, its focus plane goes through ``center``.

        Args:
            center: Point of the outer copper that stays in the middle of the picture (board frame [m]).
            tilt, azimuth: Of this view [rad]; None is the machine's own. At tilt 0 the picture is oriented like the board.
            pixel_size, width, height: Of this view; None is the machine's own.
        """
        t, a = (own if given is None else given for own, given in ((self.tilt, tilt), (self.azimuth, azimuth)))
        ct, st, ca, sa = math.cos(t), math.sin(t), math.cos(a), math.sin(a)
        lean = np.array([[ct, 0, st], [0, 1, 0], [-st, 0, ct]])
        turn = np.array([[ca, -sa, 0], [sa, ca, 0], [0, 0, 1.0]])
        pose = np.eye(4)
        pose[:3, :3] = turn @ lean @ turn.T
        pose[:3, 3] = np.array([*center, 0.0]) + self.source_object * pose[:3, 2]
        return Camera(self.name, width or self.width, height or self.height, pixel_size or self.pixel_size, pose,
                      self.source_object, "perspective" if self.projection == "cone" else "telecentric",
                      max(0.25 * self.source_object, self.source_object - _BEFORE), self.source_object + _BEHIND)


class FilterFile(BaseModel):
    """One sheet in the beam."""
    model_config = ConfigDict(extra="forbid", frozen=True)
    element: Literal["Be", "Al", "Cu", "Sn", "Ag", "Mo"] = "Al"
    thickness_mm: float = Field(gt=0, le=20)


class XrayFile(BaseModel):
    """The X-ray machine of a station."""
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = "axi"
    tube_kv: float = Field(130.0, ge=30, le=225, description="peak voltage; tungsten target")
    anode_deg: float = Field(30.0, gt=5, le=45)
    filters: tuple[FilterFile, ...] = (FilterFile(element="Be", thickness_mm=0.5), FilterFile(element="Al", thickness_mm=1.0))
    energy_kev: float | None = Field(None, ge=5, le=200, description="one energy instead of the tube's spectrum, for checks")
    focal_spot_um: float = Field(5.0, gt=0, le=1000)
    source_object_mm: float = Field(80.0, ge=20, le=2000, description="source to board")
    source_detector_mm: float = Field(400.0, ge=20, le=5000)
    projection: Literal["cone", "parallel"] = "cone"
    tilt_deg: float = Field(0.0, ge=0, le=60, description="of the view axis; oblique views lie between 30 and 60")
    azimuth_deg: float = Field(0.0, ge=-360, le=360)
    scintillator_um: float = Field(500.0, gt=0, le=3000, description="CsI")
    pixel_um: float = Field(20.0, gt=0, le=1000, description="pixel size on the object")
    width: int = Field(1024, ge=16, le=8192)
    height: int = Field(1024, ge=16, le=8192)
    photons: float = Field(10_000.0, ge=50, le=1e7, description="incident per pixel in the open beam")
    scatter_ratio: float = Field(0.10, ge=0, le=2, description="scatter to primary")
    scatter_mm: float = Field(3.0, gt=0, le=100)
    blur_px: float = Field(0.5, ge=0, le=10)
    electronic_photons: float = Field(5.0, ge=0, le=1e4, description="electronic noise, in open-beam photons")
    bad_pixel_share: float = Field(2e-5, ge=0, le=0.01)
    bad_pixel_seed: int = Field(0, ge=0)
    open_level: float = Field(0.85, gt=0.05, le=1.0, description="share of full scale where nothing is in the beam")

    @model_validator(mode="after")
    def _beyond(self) -> XrayFile:
        if self.source_detector_mm < self.source_object_mm:
            raise ValueError("source_detector_mm is less than source_object_mm: the detector lies beyond the board")
        if self.energy_kev is not None and self.energy_kev > self.tube_kv:
            raise ValueError("energy_kev is above tube_kv: no photon carries more than the tube's voltage")
        return self

    def machine(self) -> XrayMachine:
        """In SI units."""
        return XrayMachine(
            self.name, self.tube_kv * 1e3, math.radians(self.anode_deg),
            tuple((f.element, f.thickness_mm * 1e-3) for f in self.filters),
            None if self.energy_kev is None else self.energy_kev * 1e3, self.focal_spot_um * 1e-6, self.source_object_mm * 1e-3,
            self.source_detector_mm * 1e-3, self.projection, math.radians(self.tilt_deg), math.radians(self.azimuth_deg),
            self.scintillator_um * 1e-6, self.pixel_um * 1e-6, self.width, self.height, self.photons, self.scatter_ratio,
            self.scatter_mm * 1e-3, self.blur_px, self.electronic_photons, self.bad_pixel_share, self.bad_pixel_seed,
            self.open_level)


__all__ = ["FilterFile", "XrayFile", "XrayMachine"]
