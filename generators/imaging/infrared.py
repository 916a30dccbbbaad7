"""infrared: what an infrared camera makes of a unit's temperatures: apparent temperature in kelvin, and a picture of it.

The renderer gives radiance (``GlRenderer.radiance``: ε·L(T) + (1 − ε)·L(room), one sample a pixel, or as many as the camera
asks for). Here follow optics blur, what is left of the pixels' fixed pattern, temporal noise, and the conversion to the
temperature that the camera shows. Noise is added to the radiance, where a bolometer has it: in kelvin it is the NETD at 300 K
and less on hotter things.
"""
from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from generators.imaging.aoi_noise import POOL, normals
from generators.imaging.palette import INFERNO
from generators.imaging.planck import band_of
from generators.imaging.spread import BAND, WIDE, blurred, blurred_rows
from generators.render.protocol import Buffers
from scenes.errors import BackendUnavailable, InputError
from scenes.geometry import Geometry
from scenes.heat import TemperatureField
from scenes.instruments.infrared import InfraredCamera
from scenes.optics import Camera, Look

F32 = NDArray[np.float32]
REFERENCE = 300.0                              # [K] at which NETD and fixed pattern are given


@runtime_checkable
class RadiantRenderer(Protocol):
    """A renderer that draws heat radiation: ``gl``."""

    def radiance(self, geometry: Geometry, camera: Camera, field: TemperatureField, look: Look,
                 planck: tuple[float, float, F32], room: float, *, samples: int = 1) -> tuple[F32, Buffers]: ...


def see_labelled(renderer: object, geometry: Geometry, camera: Camera, field: TemperatureField, instrument: InfraredCamera,
                 look: Look, rng: np.random.Generator) -> tuple[F32, Buffers]:
    """One infrared frame: apparent temperature, float32 (H, W) [K], and its instance and part buffers.

    With one sample a pixel both come out of one geometry pass. Equal arguments give equal bytes on one renderer build.

    Raises:
        BackendUnavailable: this renderer draws no infrared.
    """
    if not isinstance(renderer, RadiantRenderer):
        raise BackendUnavailable(f"renderer '{getattr(renderer, 'name', renderer)}': draws no infrared; use 'gl'")
    band = band_of(instrument.band)
    radiance, buffers = renderer.radiance(geometry, camera, field, look, band.table, float(band.of(instrument.reflected)),
                                          samples=instrument.samples)
    return expose(radiance, instrument, rng), buffers


def expose(radiance: F32, instrument: InfraredCamera, rng: np.random.Generator) -> F32:
    """Band radiance on the object (H, W) → apparent temperature, float32 (H, W) [K]. In bands of rows.

    Temporal noise is cut from a fixed pool of normals. ``rng`` says where, also where the noise is 0: a quieter camera
    changes nothing else.
    """
    if radiance.ndim != 2:
        raise InputError(f"infrared: radiance of shape {radiance.shape}; give one band, (H, W)")
    height, width = radiance.shape
    band = band_of(instrument.band)
    slope, pool = band.slope(REFERENCE), normals()
    noise, pattern = np.float32(instrument.netd * slope), None
    if instrument.fixed_pattern > 0:
        pattern = _pattern(instrument.name, instrument.serial, height, width, instrument.fixed_pattern * slope)
    narrow = instrument.blur
    if narrow > WIDE:
        radiance, narrow = blurred(radiance, narrow), 0.0
    depth = max(1, min(BAND, POOL // (4 * width)))
    starts = rng.integers(POOL - depth * width, size=-(-height // depth))
    out = np.empty((height, width), np.float32)
    for start, top in zip(starts.tolist(), range(0, height, depth), strict=True):
        bottom = min(top + depth, height)
        signal = (pool[start:start + (bottom - top) * width] * noise).reshape(bottom - top, width)
        signal += blurred_rows(radiance, top, bottom, narrow)
        if pattern is not None:
            signal += pattern[top:bottom]
        if instrument.emissivity < 1.0:
            signal -= np.float32((1 - instrument.emissivity) * float(band.of(instrument.reflected)))
            signal /= np.float32(instrument.emissivity)
        out[top:bottom] = band.temperature(signal)
    return out


@lru_cache(maxsize=4)
def _pattern(name: str, serial: int, height: int, width: int, deviation: float) -> F32:
    """Offsets of one camera's pixels, the same in every frame: half of the variance per pixel, half per column."""
    rng = np.random.default_rng([serial, zlib.crc32(name.encode()), height, width])
    out = deviation * np.sqrt(0.5) * (rng.standard_normal((height, width)) + rng.standard_normal(width))
    out = out.astype(np.float32)
    out.setflags(write=False)
    return out


def display(kelvin: F32, span: tuple[float, float] | None = None) -> NDArray[np.uint8]:
    """A picture of the temperatures for people, sRGB uint8 (H, W, 3).

    ``span``: temperatures [K] of the palette's ends; None takes the picture's own 0.5 and 99.5 percentiles, at least 1 K apart.
    """
    low, high = span if span is not None else (float(v) for v in np.percentile(kelvin, (0.5, 99.5)))
    high = max(high, low + 1.0) if span is None else high
    if not high > low:
        raise InputError(f"display: range {low} to {high} K; the second must be larger")
    level = (kelvin - np.float32(low)) * np.float32(255 / (high - low)) + np.float32(0.5)
    return INFERNO[np.clip(level, 0, 255).astype(np.uint8)]


__all__ = ["REFERENCE", "RadiantRenderer", "display", "expose", "see_labelled"]
