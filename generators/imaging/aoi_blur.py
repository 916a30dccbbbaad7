"""What makes an AOI picture unsharp: point spread, conveyor, defocus. Planes of linear light, float32 (rows, columns)."""
from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

SMALLEST = 0.05                                # [px] a point spread of less changes nothing that a byte can show
_WIDEST = 0.5                                  # [px²] variance of one pass of a three-tap kernel
_BLOCK = 128                                   # [px] side of the pieces in which defocus looks for tall parts
_HALVING = 1.5                                 # [px²] variance of going to half the resolution and back
_COARSE = 2.2                                  # [px²] from which on that is done
_MIXED = np.float32(1e-3)                      # how much a pixel of two layers says about the colour of one
_SHARP = 0.25                                  # [px] σ of the defocus at the end of the geometric depth of field


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
    at = np.unique(np.concatenate(cuts))
    at = at[np.abs(at) <= length / 2]
    middle, half = (at[1:] + at[:-1]) / 2, (at[1:] - at[:-1]) / 2
    wide, tall = (math.ceil(length / 2 * abs(step)) + 1 for step in (across, down))
    kernel = np.zeros((2 * tall + 1, 2 * wide + 1))
    for point in (-1 / math.sqrt(3), 1 / math.sqrt(3)):          # Gauss's two points are exact: the integrand is quadratic
        x, y = (middle + point * half) * across, (middle + point * half) * down
        left, top = np.floor(x).astype(int), np.floor(y).astype(int)
        for dx, wx in ((0, left + 1 - x), (1, x - left)):
            for dy, wy in ((0, top + 1 - y), (1, y - top)):
                np.add.at(kernel, (np.minimum(top + dy, tall) + tall, np.minimum(left + dx, wide) + wide), half / length * wx * wy)
    where = np.argwhere(kernel > 0)
    return where[:, ::-1] - (wide, tall), kernel[tuple(where.T)]


def smeared(light: F32, taps: Sequence[tuple[int, int, float]], reach: int) -> F32:
    """``light`` (…, rows + 2 reach, columns), averaged over the taps → (…, rows, columns); held at the left and right border."""
    rows, columns = light.shape[-2] - 2 * reach, light.shape[-1]
    aside = max(abs(right) for right, _, _ in taps)
    wide = np.pad(light, [(0, 0)] * (light.ndim - 1) + [(aside, aside)], mode="edge")
    out = np.zeros((*light.shape[:-2], rows, columns), np.float32)
    for right, down, weight in taps:
        out += wide[..., reach + down:reach + down + rows, aside + right:aside + right + columns] * np.float32(weight)
    return out


def defocus(light: F32, height: F32, focus: float, per_metre: float) -> None:
    """Blur what lies out of focus. In place.

    Heights fall into layers whose blur grows by √2; a layer spreads over what lies behind it, and what lies behind is continued
    under its edge. The first layer, whose blur is less than half a pixel, is blurred without looking for edges. Blocks near which
    all is inside the depth of field are not touched.

    Args:
        light: (3, H, W).
        height: (H, W) [m] above the board; where it is not finite nothing is, and nothing is blurred.
        focus: height of best focus [m].
        per_metre: standard deviation of the defocus [px] per metre: NA / 2 / pixel size.
    """
    away = (height - np.float32(focus)) * np.float32(per_metre)
    away[~np.isfinite(away)] = 0
    layer = np.searchsorted(_ENDS, np.abs(away)).astype(np.int8)
    if not layer.any():
        return
    np.negative(layer, out=layer, where=away < 0)
    rows, columns = layer.shape
    reach = 8 * math.ceil(0.5 * layer_sigma(int(np.abs(layer).max())))
    before = light.copy()
    for top in range(0, rows, _BLOCK):
        for left in range(0, columns, _BLOCK):
            bottom, right = min(top + _BLOCK, rows), min(left + _BLOCK, columns)
            y0, y1, x0, x1 = max(top - reach, 0), min(bottom + reach, rows), max(left - reach, 0), min(right + reach, columns)
            piece = layer[y0:y1, x0:x1]
            if not piece.any():
                continue
            here = np.s_[:, top - y0:bottom - y0, left - x0:right - x0]
            light[:, top:bottom, left:right] = _layered(before[:, y0:y1, x0:x1], piece)[here]


def layer_sigma(number: int) -> float:
    """[px] of a layer's defocus; the one in focus has none."""
    return _SHARP * math.sqrt(2) * 2 ** ((abs(number) - 1) / 2) if number else 0.0


# where layers end: the depth of field, then halfway between the blur of one layer and the next
_ENDS = np.array([_SHARP, *(math.sqrt(layer_sigma(n) * layer_sigma(n + 1)) for n in range(1, 40))], np.float32)


def _layered(light: F32, layer: NDArray[np.int8]) -> F32:
    """Light (3, h, w) composed from the farthest layer to the nearest.

    A layer covers its own pixels and those of all nearer layers, blurred by its own defocus: so no farther one shines through the
    seam between two layers of one slope. Where it is not seen its colour is that of its nearest pixels; so it is where it is seen
    beside a step in height, because such a pixel has the colours of both sides.
    """
    little = np.abs(layer) == 1
    if little.any():
        light = np.where(little, gaussian(light, layer_sigma(1)), light)
        layer = np.where(little, np.int8(0), layer)
    numbers = [n for n in range(int(layer.min()), int(layer.max()) + 1) if (layer == n).any()]
    if len(numbers) == 1:
        return gaussian(light, layer_sigma(numbers[0]))
    mixed = np.zeros(layer.shape, np.bool_)
    for here, there in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        jump = np.abs(layer[here] - layer[there]) > 1
        mixed[here] |= jump
        mixed[there] |= jump
    pure = np.where(mixed, _MIXED, np.float32(1))
    out = np.zeros_like(light)
    own = np.empty((4, *layer.shape), np.float32)                # a layer's colours, and where it is
    for number in numbers:
        sigma, beyond = layer_sigma(number), max(layer_sigma(n) for n in numbers if n >= number)
        np.equal(layer, number, out=own[3])
        own[3] *= pure
        np.multiply(light, own[3], out=own[:3])
        near = gaussian(own, sigma)
        if beyond > sigma:
            near = np.where(near[3] > np.float32(1e-2), near, gaussian(own, beyond))
        known = near[3] > np.float32(1e-7)
        color = near[:3] / np.maximum(near[3], np.float32(1e-7))
        if number == numbers[0]:
            out = color
            continue
        color -= out
        color *= gaussian((layer >= number).astype(np.float32), sigma) * known
        out += color
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


__all__ = ["SMALLEST", "defocus", "gaussian", "layer_sigma", "passes", "smear", "smeared", "spread", "spread_gain"]
