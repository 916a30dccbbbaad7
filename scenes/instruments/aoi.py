"""The AOI camera as authored: sensor by EMVA 1288, lens, conveyor, colour rings. No pixels are made here.

Light is counted in units of scene light: 1 is what fills the sensor at the nominal exposure. Whoever changes the exposure time
changes motion blur and dark current; the lamps are set so that the picture stays as bright (``Lighting.exposure`` changes that).

Pixel coordinates of a lens: centred on the picture, x right, y *down*, as in every image here and in OpenCV. Lens fields are
normalised by half the picture's diagonal, so that r = 1 in the corner, whatever the camera model and the number of pixels.
"""
from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from scenes.optics import Lighting, Ring

AIRY_SIGMA = 0.21                              # σ of the Gaussian nearest to an Airy pattern, in λ/NA: 0.42 λN, N = 1/(2 NA)
AIRY_RADIUS = 0.61                             # first dark ring, in λ/NA
TRAVEL_MAX = 5e-3                              # [m] of the board during an exposure; more is not a picture
FIELD_MAX = 1.15                               # [1] the lens must be one-to-one up to here, a little past the corner


@dataclass(frozen=True)
class Sensor:
    """A linear camera by EMVA 1288. One monochrome pixel takes red, green and blue one after the other, as AOI heads with
    switched lamps do: no mosaic, one fixed pattern for all three colours, fresh temporal noise in each.

    The mean is µ_y = black level + K(µ_I t + η µ_p), the variance K²(σ_d² + µ_I t) + 1/12 + K(µ_y − µ_y.dark).
    Defaults: a 5 Mpx global-shutter CMOS with 3.45 µm pixels, from published EMVA 1288 sheets of that class, rounded.
    """
    quantum_efficiency: float = 0.65           # η [e⁻/photon]
    gain: float = 0.38                         # K [DN/e⁻]
    dark_noise: float = 2.3                    # σ_d [e⁻] temporal, no dark current
    full_well: float = 10500.0                 # [e⁻]
    bits: Literal[8, 10, 12] = 12
    prnu: float = 0.005                        # [1] spread of the pixels' response
    dsnu: float = 1.0                          # [e⁻] spread of the pixels' offset
    dark_current: float = 10.0                 # µ_I [e⁻/s] at the sensor's own temperature; doubles every 7 to 8 K
    black_level: float = 64.0                  # [DN] of a dark pixel
    serial: int = 0                            # which camera of its kind: chooses the fixed pattern

    @property
    def limit(self) -> int:
        """The largest digital number [DN]."""
        return (1 << self.bits) - 1

    @property
    def capacity(self) -> float:
        """Photoelectrons of scene light 1 [e⁻]: where the well or the converter is full, whichever comes first."""
        return min(self.full_well, (self.limit - self.black_level) / self.gain)

    @property
    def photons(self) -> float:
        """Photons per pixel of scene light 1."""
        return self.capacity / self.quantum_efficiency

    @property
    def white(self) -> float:
        """Mean digital number of scene light 1 without dark current [DN]."""
        return self.black_level + self.gain * self.capacity

    def dark_variance(self, exposure: float) -> float:
        """Temporal variance without light [e⁻²]: read-out and the shot noise of the dark current over ``exposure`` [s]."""
        return self.dark_noise**2 + self.dark_current * exposure

    def mean(self, photons: float, exposure: float = 0.0) -> float:
        """µ_y [DN] of ``photons`` per pixel, before anything is full."""
        return self.black_level + self.gain * (self.dark_current * exposure + self.quantum_efficiency * photons)

    def variance(self, photons: float, exposure: float = 0.0) -> float:
        """Temporal σ_y² [DN²], before anything is full."""
        shot = self.quantum_efficiency * photons
        return self.gain**2 * (self.dark_variance(exposure) + shot) + 1 / 12

    def noisier(self, noise: float) -> Sensor:
        """With further read-out noise of standard deviation ``noise``, of full scale: what ``Lighting.noise`` asks for."""
        return replace(self, dark_noise=math.hypot(self.dark_noise, noise * self.capacity)) if noise > 0 else self


@dataclass(frozen=True)
class Lens:
    """What the lens does besides projecting (``Camera.model``).

    Distortion is Brown's, as OpenCV has it but for the unit of length (see the module). An ideal point (x, y) is shown at
        x' = x(1 + k1 r² + k2 r⁴) + 2 p1 x y + p2 (r² + 2x²),   y' = y(1 + k1 r² + k2 r⁴) + p1 (r² + 2y²) + 2 p2 x y.
    k1 < 0 is a barrel: −0.02 draws the corner in by 2 % of the half diagonal. For OpenCV's k1, whose unit is the focal length f
    in pixels, multiply by (f / half diagonal)², k2 by its square; p1 and p2 by f / half diagonal.

    Vignetting is cos⁴ of the field angle, tan θ = r tan ``field_angle``, times 1 + a r² + b r⁴ + c r⁶ with ``falloff`` (a, b, c).

    Defaults: an object-side telecentric lens of 0.18×, closed to f/8, whose flat field has been corrected.
    """
    aperture: float = 0.012                    # [1] working numerical aperture on the object side
    wavelength: float = 550e-9                 # [m]
    focus_height: float | None = None          # [m] above the board, of best focus; None: everything is in focus
    aberration: float = 3e-6                   # [m] on the object, standard deviation of the point spread beyond diffraction
    field_angle: float = 0.0                   # [rad] in the corner; 0 for telecentric lenses
    falloff: tuple[float, float, float] = (0.0, 0.0, 0.0)
    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0

    @property
    def sharpness(self) -> float:
        """Standard deviation of the point spread in focus [m] on the object: diffraction and aberration."""
        return math.hypot(AIRY_SIGMA * self.wavelength / self.aperture, self.aberration)

    def depth_of_field(self, pixel_size: float) -> float:
        """Geometric depth of field [m]: over it the circle of confusion, 2 NA |dz|, is smaller than a pixel."""
        return pixel_size / self.aperture

    @property
    def distorts(self) -> bool:
        return any((self.k1, self.k2, self.p1, self.p2))

    @property
    def darkens(self) -> bool:
        return self.field_angle > 0 or any(self.falloff)

    def softer(self, sigma: float) -> Lens:
        """With a further point spread of standard deviation ``sigma`` [m] on the object: what ``Lighting.blur`` asks for."""
        return replace(self, aberration=math.hypot(self.aberration, sigma)) if sigma > 0 else self


@dataclass(frozen=True)
class Motion:
    """What the conveyor does while the shutter is open."""
    speed: float = 0.0                         # [m/s] of the board
    direction: float = 0.0                     # [rad] counter-clockwise from +x of the board frame
    exposure: float = 100e-6                   # [s]

    @property
    def travel(self) -> float:
        """Way of the board during the exposure [m]."""
        return self.speed * self.exposure

    def seen_from(self, pose: NDArray[np.float64]) -> Motion:
        """The same motion with its direction and speed in the image axes of a camera with ``pose`` (4, 4): x right, y up."""
        along = np.asarray(pose)[:3, :3].T @ (math.cos(self.direction), math.sin(self.direction), 0.0)
        return replace(self, speed=self.speed * math.hypot(along[0], along[1]), direction=math.atan2(along[1], along[0]))


def _tier(low: float, high: float, color: tuple[int, int, int]) -> Ring:
    """A tier of zenith angles [deg] that lights a level white diffuser with radiance 1 in its own colour."""
    a, b = math.radians(low), math.radians(high)
    level = 1 / (math.sin(b)**2 - math.sin(a)**2)
    return Ring(a, b, (level * color[0], level * color[1], level * color[2]))


# Red from above shows flat pads, green slopes, blue steep fillets (Capson & Eng 1988). A white diffuser is white under them.
COLOR_RINGS: tuple[Ring, Ring, Ring] = (_tier(10, 25, (1, 0, 0)), _tier(35, 50, (0, 1, 0)), _tier(60, 80, (0, 0, 1)))


def color_ring_light(exposure: float = 0.5) -> Lighting:
    """The three-tier colour light alone: no dome, no lamp from the side."""
    return Lighting(rings=COLOR_RINGS, exposure=exposure)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SensorFile(_File):
    """A sensor's EMVA 1288 sheet."""
    quantum_efficiency: float = Field(0.65, gt=0, le=1)
    gain_dn_per_e: float | None = Field(None, gt=0, le=100, description="overall system gain K; by default a full well "
                                                                       "uses all the bits")
    dark_noise_e: float = Field(2.3, ge=0, le=1000)
    full_well_e: float = Field(10500.0, ge=100, le=1e7)
    bits: Literal[8, 10, 12] = 12
    prnu_percent: float = Field(0.5, ge=0, le=10)
    dsnu_e: float = Field(1.0, ge=0, le=1000)
    dark_current_e_per_s: float = Field(10.0, ge=0, le=1e6, description="at the sensor's own temperature")
    black_level_dn: float | None = Field(None, ge=0, description="by default 1/64 of the range")
    serial: int = Field(0, ge=0, lt=1 << 31, description="chooses the fixed pattern")

    @model_validator(mode="after")
    def _room_above_black(self) -> SensorFile:
        if self.black_level_dn is not None and self.black_level_dn > (1 << self.bits) / 2:
            raise ValueError(f"black_level_dn {self.black_level_dn:g} leaves less than half of {self.bits} bits; lower it")
        return self

    def sensor(self) -> Sensor:
        black = float(1 << self.bits >> 6) if self.black_level_dn is None else self.black_level_dn
        gain = ((1 << self.bits) - 1 - black) / self.full_well_e if self.gain_dn_per_e is None else self.gain_dn_per_e
        return Sensor(self.quantum_efficiency, gain, self.dark_noise_e, self.full_well_e, self.bits,
                      self.prnu_percent / 100, self.dsnu_e, self.dark_current_e_per_s, black, self.serial)


class LensFile(_File):
    """A lens: its model (telecentric, perspective) stays with the camera."""
    aperture: float = Field(0.012, gt=1e-4, le=0.5, description="working numerical aperture on the object side")
    wavelength_nm: float = Field(550.0, ge=300, le=1100)
    focus_height_mm: float | None = Field(None, ge=-50, le=50, description="height of best focus above the board; without it "
                                          "everything is in focus (defocus costs some 0.1 s a megapixel with tall parts)")
    aberration_um: float = Field(3.0, ge=0, le=1000, description="standard deviation of the point spread beyond diffraction")
    field_angle_deg: float = Field(0.0, ge=0, le=60, description="in the corner, for cos⁴ vignetting; 0 when telecentric")
    falloff: tuple[float, float, float] = Field((0.0, 0.0, 0.0), description="1 + a r² + b r⁴ + c r⁶, r = 1 in the corner")
    k1: float = Field(0.0, ge=-0.5, le=0.5, description="radial distortion, r = 1 in the corner; below 0 is a barrel")
    k2: float = Field(0.0, ge=-0.5, le=0.5)
    p1: float = Field(0.0, ge=-0.1, le=0.1, description="tangential distortion")
    p2: float = Field(0.0, ge=-0.1, le=0.1)

    @model_validator(mode="after")
    def _one_to_one(self) -> LensFile:
        r2 = np.linspace(0, (FIELD_MAX + 0.5)**2, 200)
        reach = np.sqrt(r2) * (1 + self.k1 * r2 + self.k2 * r2**2)
        slope = 1 + 3 * self.k1 * r2 + 5 * self.k2 * r2**2 - 6 * math.hypot(self.p1, self.p2) * np.sqrt(r2)
        upto = int(np.argmax(reach >= FIELD_MAX)) if (reach >= FIELD_MAX).any() else len(r2)
        if (slope[:upto + 1] < 0.1).any():
            raise ValueError(f"k1 {self.k1:g}, k2 {self.k2:g}: this lens folds the picture before its corner; "
                             "use smaller coefficients (r = 1 in the corner)")
        field = np.linspace(0, 1, 101)**2
        a, b, c = self.falloff
        if (1 + a * field + b * field**2 + c * field**3).min() <= 0:
            raise ValueError("falloff: the corner would be black or negative; use smaller coefficients (r = 1 in the corner)")
        return self

    def lens(self) -> Lens:
        return Lens(self.aperture, self.wavelength_nm * 1e-9,
                    None if self.focus_height_mm is None else self.focus_height_mm * 1e-3, self.aberration_um * 1e-6,
                    math.radians(self.field_angle_deg), self.falloff, self.k1, self.k2, self.p1, self.p2)


class MotionFile(_File):
    """The conveyor while the shutter is open."""
    speed_mm_per_s: float = Field(0.0, ge=0, le=5000)
    direction_deg: float = Field(0.0, ge=-360, le=360, description="counter-clockwise from +x of the board frame")
    exposure_us: float = Field(100.0, gt=0, le=1e6)

    @model_validator(mode="after")
    def _blur_is_a_blur(self) -> MotionFile:
        if self.speed_mm_per_s * self.exposure_us * 1e-6 > TRAVEL_MAX * 1e3:
            raise ValueError(f"the board moves {self.speed_mm_per_s * self.exposure_us * 1e-6:.3g} mm while the shutter is open; "
                             f"no more than {TRAVEL_MAX * 1e3:g} mm: shorten the exposure")
        return self

    def motion(self) -> Motion:
        return Motion(self.speed_mm_per_s * 1e-3, math.radians(self.direction_deg), self.exposure_us * 1e-6)


__all__ = ["AIRY_RADIUS", "AIRY_SIGMA", "COLOR_RINGS", "FIELD_MAX", "TRAVEL_MAX", "Lens", "LensFile", "Motion", "MotionFile",
           "Sensor", "SensorFile", "color_ring_light"]
