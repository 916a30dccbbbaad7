"""The AOI camera: linear scene light in, recorded picture out. Lens, conveyor and a sensor by EMVA 1288.

Light of 1 gives ``Sensor.capacity`` photoelectrons. In this order: defocus, motion, point spread, vignetting and the pixels'
response (PRNU), photoelectrons with their shot noise, read-out and dark noise, the pixels' offsets (DSNU), full well, gain,
quantisation. The digital number that light 1 gives is stored as sRGB 255, the black level as 0, linearly in between, then
IEC 61966-2-1. White balance is none of the camera's: the lamps' gains have it already.

NumPy in bands of rows whose work stays in the processor's cache. The same arguments give the same bytes.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.imaging import aoi_blur as blur
from generators.imaging import aoi_noise as noise
from generators.imaging.aoi_defocus import defocus
from generators.render.develop import CODE, linear_to_srgb, unpack
from scenes.errors import InputError
from scenes.instruments.aoi import Lens, Motion, Sensor

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
Band = Callable[[slice, F32], None]            # writes linear light of some rows, (3, rows, W)

_BAND = 32                                     # rows at a time
_TRAVEL = 1024                                 # [px] of motion blur; a longer one is not a picture


def record(scene: U32 | F32, sensor: Sensor, lens: Lens, motion: Motion, pixel_size: float, seed: int,
           height: F32 | None = None) -> U8:
    """What the camera stores.

    Args:
        scene: light at the pixels' centres: codes as ``develop.packed`` makes them, uint32 (H, W), or linear light, float32
            (H, W, 3), which may be larger than 1.
        motion: in image axes: ``Motion.seen_from(camera.pose)``.
        pixel_size: [m] on the object.
        seed: of the temporal noise; the fixed pattern follows from ``sensor.serial``.
        height: [m] above the board, (H, W); ``camera.distance − depth`` for a camera that looks down. Without it all is in focus.

    Returns:
        sRGB uint8 (H, W, 3).

    Raises:
        InputError: a motion blur of more than 1024 pixels.
    """
    return _expose(scene, sensor, lens, motion, pixel_size, seed, height, _srgb(sensor))


def digital(scene: U32 | F32, sensor: Sensor, lens: Lens, motion: Motion, pixel_size: float, seed: int,
            height: F32 | None = None) -> U16:
    """The same before it is stored: digital numbers [DN], uint16 (H, W, 3)."""
    return _expose(scene, sensor, lens, motion, pixel_size, seed, height, _numbers(sensor))


@lru_cache(maxsize=16)
def _srgb(sensor: Sensor) -> U8:
    """sRGB byte per digital number, (limit + 1,)."""
    signal = (np.arange(sensor.limit + 1.0) - sensor.black_level) / (sensor.white - sensor.black_level)
    return np.round(linear_to_srgb(signal) * 255).astype(np.uint8)


def _numbers(sensor: Sensor) -> U16:
    """Digital numbers as they are, (limit + 1,)."""
    return np.arange(sensor.limit + 1, dtype=np.uint16)


def _light(scene: NDArray[Any], lens: Lens, pixel_size: float, height: F32 | None) -> Band:
    """Light as the lens images it at every height."""
    blurs = height is not None and lens.focus_height is not None and _out_of_focus(lens.focus_height, lens, pixel_size, height)
    if scene.ndim == 2 and not blurs:
        bits = np.empty(scene.shape, np.uint32)
        return lambda rows, out: _unpack(scene[rows], out, bits)
    light = np.stack([unpack(scene, c) if scene.ndim == 2 else scene[..., c] for c in range(3)]).astype(np.float32, copy=False)
    if height is not None and lens.focus_height is not None and blurs:
        defocus(light, height, lens.focus_height, lens.aperture / 2 / pixel_size)

    def band(rows: slice, out: F32) -> None:
        out[:] = light[:, rows]

    return band


def _unpack(code: U32, out: F32, bits: U32) -> None:
    """All three colours at once: ``develop.unpack`` into (3, rows, W). ``bits`` is room to work in."""
    bits = bits[:len(code)]
    for channel, (shift, limit) in enumerate(CODE):
        np.right_shift(code, np.uint32(shift), out=bits)
        bits &= np.uint32(limit)
        np.copyto(out[channel], bits.view(np.int32), casting="unsafe")       # from signed numbers this is one instruction
        out[channel] *= np.float32(1 / limit)
    out *= out


def _out_of_focus(focus: float, lens: Lens, pixel_size: float, height: F32) -> bool:
    """Whether anything lies outside the depth of field."""
    half = lens.depth_of_field(pixel_size) / 2
    return float(height.max(initial=-np.inf, where=np.isfinite(height))) > focus + half \
        or float(height.min(initial=np.inf, where=np.isfinite(height))) < focus - half


def _vignetting(rows: slice, shape: tuple[int, int], lens: Lens) -> F32:
    """Relative illumination of some rows of a picture (H, W), (rows, W)."""
    half = math.hypot(*shape) / 2
    down, across = ((((np.arange(n) + 0.5 - n / 2) / half) ** 2).astype(np.float32) for n in shape)
    r2 = down[rows, None] + across
    a, b, c = (np.float32(v) for v in lens.falloff)
    out = 1 + r2 * (a + r2 * (b + r2 * c))
    if lens.field_angle > 0:
        out /= (1 + r2 * np.float32(math.tan(lens.field_angle) ** 2)) ** 2
    return np.asarray(out, np.float32)


def _expose(scene: U32 | F32, sensor: Sensor, lens: Lens, motion: Motion, pixel_size: float, seed: int, height_map: F32 | None,
            table: NDArray[Any]) -> NDArray[Any]:
    """Light to digital numbers, and through ``table`` (limit + 1,) to what is stored."""
    height, width = scene.shape[:2]
    light = _light(scene, lens, pixel_size, height_map)
    out = np.empty((height, width, 3), table.dtype)
    sigma = lens.sharpness / pixel_size
    count = blur.passes(sigma)
    travel = motion.travel / pixel_size
    if travel > _TRAVEL:
        raise InputError(f"motion: a blur of {travel:.0f} pixels; no more than {_TRAVEL} can be made: shorten the exposure")
    taps = blur.smear(travel, motion.direction) if travel > blur.SMALLEST else ()
    reach = max((abs(down) for _, down, _ in taps), default=0)
    edge = count + reach

    bare = sensor.dark_variance(motion.exposure)
    scale = np.float32(sensor.capacity * blur.spread_gain(sigma, count))
    offset = sensor.black_level + sensor.gain * sensor.dark_current * motion.exposure + 0.5
    pool = noise.normals()
    depth = max(1, min(_BAND, noise.POOL // (12 * width)))
    bands = -(-height // depth)
    fresh, fixed = (noise.starts(s, bands, 3 * depth * width) for s in (seed, sensor.serial))
    work, spare = (np.empty((3, depth + 2 * edge, width), np.float32) for _ in range(2))
    room = np.empty((2, 3 * depth * width), np.float32)
    index = np.empty((3, depth, width), np.intp)
    stored = np.empty((3, depth, width), out.dtype)
    pattern = np.empty((2, depth, width), np.float32)
    for number, top in enumerate(range(0, height, depth)):
        bottom = min(top + depth, height)
        rows, size = bottom - top, (bottom - top) * width
        response, level = pattern[:, :rows]
        start = fixed[number, 0]
        np.multiply(pool[start:start + size].reshape(rows, width), np.float32(sensor.prnu * scale), out=response)
        response += scale
        if lens.darkens:
            response *= _vignetting(np.s_[top:bottom], (height, width), lens)
        start = noise.other(fixed[number, 1])
        np.multiply(pool[start:start + size].reshape(rows, width), np.float32(sensor.dsnu * sensor.gain), out=level)
        level += np.float32(offset)

        first, last = max(top - edge, 0), min(bottom + edge, height)
        above, below = first - (top - edge), bottom + edge - last
        plane = work[:, :rows + 2 * edge]
        light(np.s_[first:last], plane[:, above:above + last - first])
        plane[:, :above] = plane[:, above:above + 1]
        plane[:, plane.shape[1] - below:] = plane[:, plane.shape[1] - below - 1:plane.shape[1] - below]
        if taps:
            plane = blur.smeared(plane, taps, reach)
        charge, swing = (part[:3 * size].reshape(3, rows, width) for part in room)
        np.multiply(blur.spread(plane, spare, sigma, count), response, out=charge)
        _add_noise(charge, swing, pool, int(fresh[number, 0]), bare)
        np.minimum(charge, np.float32(sensor.full_well), out=charge)
        charge *= np.float32(sensor.gain)
        charge += level
        np.copyto(index[:, :rows], charge, casting="unsafe")
        np.take(table, index[:, :rows], out=stored[:, :rows], mode="clip")             # the converter's own limits
        for channel in range(3):
            out[top:bottom, :, channel] = stored[channel, :rows]
    return out


def _add_noise(charge: F32, swing: F32, pool: F32, start: int, bare: float) -> None:
    """Turn mean electrons (3, rows, W) into electrons with shot noise and dark noise of variance ``bare`` [e⁻²]. In place.

    ``swing`` is room to work in, as large as ``charge``; both are contiguous.
    """
    np.add(charge, np.float32(bare), out=swing)
    np.sqrt(swing, out=swing)
    swing *= pool[start:start + charge.size].reshape(charge.shape)
    if charge.min() < noise.FEW:
        mean = charge.reshape(-1)
        few = np.flatnonzero(mean < noise.FEW)
        counts = noise.few_photons(mean[few], few, start)
        again = noise.other(start)
        read = pool[again:again + mean.size][few]
        read *= np.float32(math.sqrt(bare))
        charge += swing
        mean[few] = counts + read
    else:
        charge += swing


__all__ = ["digital", "record"]
