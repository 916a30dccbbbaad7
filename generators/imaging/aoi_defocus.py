"""Defocus of the AOI camera: what is taller or lower than the depth of field is blurred, over what lies behind it."""
from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from generators.imaging.aoi_blur import gaussian

F32 = NDArray[np.float32]

_BLOCK = 128                                   # [px] side of the pieces in which defocus looks for tall parts
_ALIGN = 8                                     # [px] all pieces start on one grid, down to an eighth of the resolution
_MIXED = np.float32(1e-3)                      # how much a pixel of two layers says about the colour of one
_SHARP = 0.25                                  # [px] σ of the defocus at the end of the geometric depth of field


def defocus(light: F32, height: F32, focus: float, per_metre: float) -> None:
    """Blur what lies out of focus. In place.

    Heights fall into layers whose blur grows by √2; a layer spreads over what lies behind it, and what lies behind is continued
    under its edge. The first layer, whose blur is less than half a pixel, is blurred without looking for edges. Blocks near which
    all is inside the depth of field are not touched.

    Args:
        light: (3, H, W).
        height: (H, W) [m] above the board; where it is not finite nothing is: as far as the farthest thing.
        focus: height of best focus [m].
        per_metre: standard deviation of the defocus [px] per metre: NA / 2 / pixel size.
    """
    away = (height - np.float32(focus)) * np.float32(per_metre)
    nothing = ~np.isfinite(away)
    if nothing.all():
        return
    away[nothing] = away.min(initial=0, where=~nothing)
    layer = np.zeros(away.shape, np.int8)
    for sign in (1, -1):
        away *= sign
        outside = np.flatnonzero(away > _SHARP)
        layer.reshape(-1)[outside] = sign * np.searchsorted(_ENDS, away.reshape(-1)[outside])
    if not layer.any():
        return
    before = light.copy()
    reach = _ALIGN * math.ceil(4 * layer_sigma(int(np.abs(layer).max())) / _ALIGN)

    def around(low: int, high: int, size: int) -> tuple[int, int]:
        return max(low - reach, 0), min(high + reach, size)

    rows, columns = light.shape[1:]
    for top in range(0, rows, _BLOCK):
        for left in range(0, columns, _BLOCK):
            bottom, right = min(top + _BLOCK, rows), min(left + _BLOCK, columns)
            (y0, y1), (x0, x1) = around(top, bottom, rows), around(left, right, columns)
            blurred = layer[y0:y1, x0:x1] != 0
            if not blurred.any():
                continue
            # of the block, what such pixels reach
            v0, v1 = _span(blurred.any(axis=1), y0, reach, top, bottom)
            u0, u1 = _span(blurred.any(axis=0), x0, reach, left, right)
            (y0, y1), (x0, x1) = around(v0, v1, rows), around(u0, u1, columns)
            mixed = _layered(before[:, y0:y1, x0:x1], layer[y0:y1, x0:x1])
            light[:, v0:v1, u0:u1] = mixed[:, v0 - y0:v1 - y0, u0 - x0:u1 - x0]


def _span(found: NDArray[np.bool_], start: int, reach: int, low: int, high: int) -> tuple[int, int]:
    """First and last of what was found from ``start`` on, wider by ``reach``, aligned, inside [low, high)."""
    at = np.flatnonzero(found) + start
    return max(low, (int(at[0]) - reach) // _ALIGN * _ALIGN), max(low, min(high, int(at[-1]) + 1 + reach))


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
        near = gaussian(own, sigma) if number else np.where(own[3] == 1, own, gaussian(own, 1.0))
        if beyond > sigma:
            near = np.where(near[3] > _MIXED / 10, near, gaussian(own, beyond))
        known = near[3] > np.float32(1e-7)
        color = near[:3] / np.maximum(near[3], np.float32(1e-7))
        if number == numbers[0]:
            out = color
            continue
        color -= out
        color *= gaussian((layer >= number).astype(np.float32), sigma) * known
        out += color
    return out


__all__ = ["defocus", "layer_sigma"]
