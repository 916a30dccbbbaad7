"""Blurs of the AOI camera: point spread and conveyor. Planes of linear light, float32 (…, rows, columns)."""
from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

SMALLEST = 0.05                                # [px] a point spread of less changes nothing that a byte can show
_WIDEST = 0.5                                  # [px²] variance of one pass of a three-tap kernel
_HALVING = 1.5                                 # [px²] variance of going to half the resolution and back
_COARSE = 2.2                                  # [px²] from which on that is done


def passes(sigma: float) -> int:
    """How many three-tap passes make a Gaussian of ``sigma`` [px], and so how many rows more a band needs on either side."""
    return max(1, math.ceil(sigma * sigma / _WIDEST)) if sigma > SMALLEST else 0


def spread(light: F32, spare: F32, sigma: float, count: int) -> F32:
    """A Gaussian by ``count`` separable three-tap passes, whose variances add. Works inside its arguments.

    Args:
        light: (…, rows + 2 count, columns); held at the left and right border. Overwritten.
        spare: as large as ``light`` or larger. Overwritten.

    Returns:
        A view (…, rows, columns) of ``light``, too large by 1/``spread_gain(sigma, count)``: the caller has to scale anyway.
    """
    ratio = np.float32(_ratio(sigma, count)) if count else np.float32(0)
    for _ in range(count):
        rows = light.shape[-2] - 2
        tall = spare[..., :rows, :]
        np.add(light[..., :-2, :], light[..., 2:, :], out=tall)
        tall *= ratio
        tall += light[..., 1:-1, :]
        light = light[..., :rows, :]
        np.add(tall[..., :-2], tall[..., 2:], out=light[..., 1:-1])
        np.add(tall[..., 0], tall[..., 1], out=light[..., 0])
        np.add(tall[..., -1], tall[..., -2], out=light[..., -1])
        light *= ratio
        light += tall
    return light


def _ratio(sigma: float, count: int) -> float:
    """Side tap over middle tap."""
    side = sigma * sigma / count / 2
    return side / (1 - 2 * side)


def spread_gain(sigma: float, count: int) -> float:
    """What ``spread`` has to be multiplied with."""
    return float((1 + 2 * _ratio(sigma, count)) ** (-2 * count)) if count else 1.0


@lru_cache(maxsize=64)
def smear(travel: float, direction: float) -> tuple[tuple[int, int, float], ...]:
    """Box of length ``travel`` [px] along ``direction`` [rad, counter-clockwise from image right]: (right, down, weight) of taps.

    Light between pixel centres is linear, which blurs by itself: the line is made shorter by so much that the taps have the
    variance of the box, travel²/12, along the direction. They are centred: the picture is that of the middle of the exposure.
    """
    across, down = (0.0 if abs(v) < 1e-12 else v for v in (math.cos(direction), -math.sin(direction)))
    low, high = 0.0, travel
    for _ in range(40):
        length = (low + high) / 2
        place, weight = _line(length, across, down)
        if weight @ (place @ (across, down)) ** 2 < travel * travel / 12:
            low = length
        else:
            high = length
    return tuple((int(x), int(y), float(w)) for (x, y), w in zip(place, weight, strict=True) if w > 1e-6)


def _line(length: float, across: float, down: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places (N, 2) and weights (N,) of a line through the middle, of bilinear samples: exact, piece by piece between centres."""
    cuts = [np.array([-length / 2, length / 2])]
    for step in (across, down):
        if step:
            end = math.floor(length / 2 * abs(step))
            cuts.append(np.arange(-end, end + 1) / step)
    cut = np.unique(np.concatenate(cuts))
    cut = cut[np.abs(cut) <= length / 2]
    middle, half = (cut[1:] + cut[:-1]) / 2, (cut[1:] - cut[:-1]) / 2
    wide, tall = (math.ceil(length / 2 * abs(step)) + 1 for step in (across, down))
    kernel = np.zeros((2 * tall + 1, 2 * wide + 1))
    for point in (-1 / math.sqrt(3), 1 / math.sqrt(3)):          # Gauss's two points are exact: the integrand is quadratic
        x, y = (middle + point * half) * across, (middle + point * half) * down
        left, top = np.floor(x).astype(int), np.floor(y).astype(int)
        for dx, wx in ((0, left + 1 - x), (1, x - left)):
            for dy, wy in ((0, top + 1 - y), (1, y - top)):
                at = np.minimum(top + dy, tall) + tall, np.minimum(left + dx, wide) + wide
                np.add.at(kernel, at, half / length * wx * wy)
    where = np.argwhere(kernel > 0)
    return where[:, ::-1] - (wide, tall), kernel[tuple(where.T)]


def smeared(light: F32, taps: Sequence[tuple[int, int, float]], reach: int) -> F32:
    """``light`` (…, rows + 2 reach, columns), averaged over the taps → (…, rows, columns); held at left and right."""
    rows, columns = light.shape[-2] - 2 * reach, light.shape[-1]
    aside = max(abs(right) for right, _, _ in taps)
    wide = np.pad(light, [(0, 0)] * (light.ndim - 1) + [(aside, aside)], mode="edge")
    out = np.zeros((*light.shape[:-2], rows, columns), np.float32)
    for right, down, weight in taps:
        out += wide[..., reach + down:reach + down + rows, aside + right:aside + right + columns] * np.float32(weight)
    return out


def gaussian(light: F32, sigma: float) -> F32:
    """A Gaussian of ``sigma`` [px] on whole planes (…, h, w), held at the borders. A wide one is made at half the resolution."""
    variance = sigma * sigma
    if variance > _COARSE:
        height, width = light.shape[-2:]
        small = gaussian(_halved(_halved(light, -1), -2), math.sqrt((variance - _HALVING) / 4))
        return _doubled(_doubled(small, -2, height), -1, width)
    count = passes(sigma)
    if not count:
        return light
    tall = np.pad(light, [(0, 0)] * (light.ndim - 2) + [(count, count), (0, 0)], mode="edge")
    out = spread(tall, np.empty_like(tall), sigma, count)
    out *= np.float32(spread_gain(sigma, count))
    return out


def _halved(light: F32, axis: int) -> F32:
    """Every second sample of light under the kernel (1, 3, 3, 1)/8, at the middle of each pair."""
    light = np.moveaxis(light, axis, -2) if axis == -1 else light
    if light.shape[-2] % 2:
        light = np.concatenate([light, light[..., -1:, :]], axis=-2)
    even, odd = light[..., 0::2, :], light[..., 1::2, :]
    out = even + odd
    out *= np.float32(3)
    out[..., 1:, :] += odd[..., :-1, :]
    out[..., :1, :] += even[..., :1, :]
    out[..., :-1, :] += even[..., 1:, :]
    out[..., -1:, :] += odd[..., -1:, :]
    out *= np.float32(1 / 8)
    return np.moveaxis(out, -2, -1) if axis == -1 else out


def _doubled(light: F32, axis: int, size: int) -> F32:
    """The way back, linear between samples: kernel (1, 3, 3, 1)/4 on the fine grid."""
    light = np.moveaxis(light, axis, -2) if axis == -1 else light
    out = np.empty((*light.shape[:-2], 2 * light.shape[-2], light.shape[-1]), np.float32)
    own = light * np.float32(3 / 4)
    side = light * np.float32(1 / 4)
    out[..., 0::2, :] = own
    out[..., 1::2, :] = own
    out[..., 2::2, :] += side[..., :-1, :]
    out[..., :1, :] += side[..., :1, :]
    out[..., 1:-1:2, :] += side[..., 1:, :]
    out[..., -1:, :] += side[..., -1:, :]
    out = out[..., :size, :]
    return np.moveaxis(out, -2, -1) if axis == -1 else out


__all__ = ["SMALLEST", "gaussian", "passes", "smear", "smeared", "spread", "spread_gain"]
