"""The infrared camera of a station: an uncooled long-wave microbolometer, and the state in which it looks at the unit.

Defaults are the domain reference's (4.2): band 8–14 µm, noise 40 mK at 300 K, emissivity set to 1 as an operator who looks
at a whole board sets it. Bare metal then reads close to the room, whatever its temperature: the camera's own physics.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from scenes.heat import Cooling, Powered

ZERO_CELSIUS = 273.15                          # [K]


@dataclass(frozen=True)
class InfraredCamera:
    """An infrared camera. ``name`` to ``distance`` are those of ``scenes.scene.CameraSpec``, and mean the same."""
    name: str = "infrared"
    model: Literal["telecentric", "perspective"] = "telecentric"
    pixel_size: float = 150e-6                 # [m] on the object
    width: int = 640                           # [px]
    height: int = 480                          # [px]
    view: Literal["tiles", "board"] = "board"
    distance: float = 0.2                      # [m]
    band: tuple[float, float] = (8e-6, 14e-6)  # [m] flat response between, none outside
    netd: float = 0.04                         # [K] temporal noise on a black body of 300 K
    blur: float = 0.6                          # [px] standard deviation of optics and pixel together
    reflected: float = 298.15                  # [K] of the room, a black body around the unit
    emissivity: float = 1.0                    # [1] the camera's setting, not the unit's
    fixed_pattern: float = 0.02                # [K] at 300 K, what is left of the pixels' own offsets after correction
    serial: int = 0                            # which camera of its kind: chooses the fixed pattern
    samples: int = 1                           # per pixel and axis of the rendering: 2 halves the aliasing of fine metal
    display: tuple[float, float] | None = None   # [K] fixed range of the display picture; None: that of the picture itself
    mode: Powered | Cooling = field(default_factory=Powered)


class PoweredFile(BaseModel):
    """The unit runs, in its steady state."""
    model_config = ConfigDict(extra="forbid", frozen=True)
    air_c: float = Field(25.0, ge=-40, le=100)
    film_w_m2k: float = Field(10.0, ge=1, le=500, description="each face; 8 to 12 without a fan, radiation included")
    total_w: float | None = Field(None, gt=0, le=1000, description="of all parts together; without it a rule per part holds")
    supply_v: float = Field(3.3, gt=0, le=1000)
    fault_current_a: float = Field(2.0, ge=0, le=100, description="through solder that joins two nets")


class CoolingFile(BaseModel):
    """The unit comes out of the oven."""
    model_config = ConfigDict(extra="forbid", frozen=True)
    after_s: float = Field(20.0, ge=0, le=3600, description="since it left the cooling tunnel")
    air_c: float = Field(25.0, ge=-40, le=100)
    film_w_m2k: float = Field(10.0, ge=1, le=500)
    start_c: float = Field(245.0, ge=0, le=400, description="on leaving the hot zones")
    tunnel_s: float = Field(60.0, ge=0, le=600)
    tunnel_c: float = Field(95.0, ge=-40, le=300)
    tunnel_film_w_m2k: float = Field(55.0, ge=1, le=500)


class InfraredFile(BaseModel):
    """An infrared camera over the product: powered, or cooling after reflow."""
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = "infrared"
    model: Literal["telecentric", "perspective"] = "telecentric"
    pixel_um: float = Field(150.0, gt=0, le=2000, description="pixel size on the object")
    width: int = Field(640, ge=16, le=2048)
    height: int = Field(480, ge=16, le=2048)
    view: Literal["tiles", "board"] = Field("board", description="'board': one frame over all of it")
    distance_mm: float = Field(200.0, gt=1, le=5000)
    band_um: tuple[float, float] = (8.0, 14.0)
    netd_mk: float = Field(40.0, ge=0, le=1000, description="temporal noise at 300 K")
    blur_px: float = Field(0.6, ge=0, le=10)
    reflected_c: float = Field(25.0, ge=-40, le=200, description="temperature of the room that bare metal mirrors")
    emissivity: float = Field(1.0, gt=0.05, le=1.0, description="the camera's setting")
    fixed_pattern_mk: float = Field(20.0, ge=0, le=1000)
    serial: int = Field(0, ge=0, lt=1 << 31)
    samples: int = Field(1, ge=1, le=4, description="rendered per pixel and axis; 2 halves the aliasing of fine metal")
    display_c: tuple[float, float] | None = Field(None, description="fixed range of the display picture")
    powered: PoweredFile | None = None
    cooling: CoolingFile | None = None

    @model_validator(mode="after")
    def _sensible(self) -> InfraredFile:
        if self.powered is not None and self.cooling is not None:
            raise ValueError("powered and cooling exclude each other; keep one, and give the other to a second station")
        low, high = self.band_um
        if not 2 <= low < high <= 20:
            raise ValueError(f"band_um must rise and lie within 2 and 20 µm; got {low} to {high}")
        if self.display_c is not None and not -50 <= self.display_c[0] < self.display_c[1] <= 400:
            raise ValueError(f"display_c must rise and lie within −50 and 400 °C; got {self.display_c}")
        return self

    def instrument(self) -> InfraredCamera:
        """In SI units. Without ``powered`` or ``cooling`` the unit is powered."""
        (low, high), shown = self.band_um, self.display_c
        return InfraredCamera(
            self.name, self.model, self.pixel_um * 1e-6, self.width, self.height, self.view, self.distance_mm * 1e-3,
            (low * 1e-6, high * 1e-6), self.netd_mk * 1e-3, self.blur_px, self.reflected_c + ZERO_CELSIUS, self.emissivity,
            self.fixed_pattern_mk * 1e-3, self.serial, self.samples,
            None if shown is None else (shown[0] + ZERO_CELSIUS, shown[1] + ZERO_CELSIUS), self._mode())

    def _mode(self) -> Powered | Cooling:
        if self.cooling is not None:
            c = self.cooling
            return Cooling(c.after_s, c.air_c + ZERO_CELSIUS, c.film_w_m2k, c.start_c + ZERO_CELSIUS, c.tunnel_s,
                           c.tunnel_c + ZERO_CELSIUS, c.tunnel_film_w_m2k)
        p = self.powered or PoweredFile.model_validate({})
        return Powered(p.air_c + ZERO_CELSIUS, p.film_w_m2k, p.total_w, p.supply_v, p.fault_current_a)


__all__ = ["ZERO_CELSIUS", "CoolingFile", "InfraredCamera", "InfraredFile", "PoweredFile"]
