"""From samples to a picture: anti-aliasing where it is needed, point spread, read-out noise. NumPy, whole frames.

Everything is linear light between an exact 256-entry decode and a 4096-entry sRGB encode.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

_ENCODE_STEPS = 4096


def srgb_to_linear(value: NDArray[np.float64] | Sequence[float]) -> NDArray[np.float64]:
    """IEC 61966-2-1 decoding, 0 to 1."""
    v = np.asarray(value, float)
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """IEC 61966-2-1 encoding; values are clipped to 0 … 1."""
    v = np.clip(value, 0.0, 1.0)
    return np.where(v <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055)


_DECODE: F32 = srgb_to_linear(np.arange(256) / 255).astype(np.float32)
_ENCODE: U8 = np.round(linear_to_srgb(np.arange(_ENCODE_STEPS) / (_ENCODE_STEPS - 1)) * 255).astype(np.uint8)


def decode(rgb: U8) -> F32:
    """sRGB bytes → linear float32, same shape."""
    return np.take(_DECODE, rgb)


def encode(linear: F32) -> U8:
    """Linear → sRGB bytes, clipped, within half a code of the exact curve above 1 %."""
    scaled = np.clip(linear, 0.0, 1.0) * np.float32(_ENCODE_STEPS - 1) + np.float32(0.5)
    return np.take(_ENCODE, scaled.astype(np.uint16))


def edges(tag: NDArray[np.uint32], depth: F32, step: float) -> NDArray[np.bool_]:
    """Pixels that see more than one surface, and their neighbours on the other side of the border, bool (H, W).

    Args:
        tag: a number per surface and coarse direction, (H, W).
        depth: any measure of distance, (H, W); a jump of more than ``step`` is an edge.
    """
    out = np.zeros(tag.shape, bool)
    for here, there in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        across = tag[here] != tag[there]
        jump = depth[here] - depth[there]
        across |= np.abs(jump, out=jump) > np.float32(step)
        out[here] |= across
        out[there] |= across
    return out


def resolve(rgb: U8, where: NDArray[np.intp], extra: Sequence[U8]) -> None:
    """Average, in linear light, the picture with further samples of the pixels ``where`` (flat indices). In place.

    ``extra`` holds the further samples of those pixels only, uint8 (K, 3) each.
    """
    flat = rgb.reshape(-1, 3)
    total = decode(flat[where])
    for sample in extra:
        total += decode(sample)
    flat[where] = encode(total / np.float32(len(extra) + 1))


def blurred(linear: F32, sigma: float) -> F32:
    """Gaussian point spread of standard deviation ``sigma`` [px] by repeated three-tap kernels (variance adds), edges held."""
    passes = max(1, int(np.ceil(sigma * sigma / 0.5)))
    side = np.float32(sigma * sigma / passes / 2)
    for _ in range(passes):
        for axis in (0, 1):
            padded = np.concatenate([np.take(linear, [0], axis), linear, np.take(linear, [-1], axis)], axis)
            before, after = (padded[:-2], padded[2:]) if axis == 0 else (padded[:, :-2], padded[:, 2:])
            linear = linear * (1 - 2 * side) + side * (before + after)
    return linear


def with_noise(rgb: U8, sigma: float, seed: int) -> U8:
    """Add Gaussian read-out noise of standard deviation ``sigma`` (linear, of full scale). Same seed, same bytes.

    One table look-up per value: 256 levels × 256 quantiles of the normal distribution.
    """
    from scipy.special import ndtri

    quantile = ndtri((np.arange(256) + 0.5) / 256) * sigma
    table = encode((_DECODE[:, None] + quantile[None, :]).astype(np.float32))
    draws = np.frombuffer(np.random.Generator(np.random.SFC64(seed)).bytes(rgb.size), np.uint8)
    index = rgb.reshape(-1).astype(np.uint16)
    index <<= 8
    index |= draws
    return np.take(table.reshape(-1), index).reshape(rgb.shape)


def finish(rgb: U8, blur: float, noise: float, seed: int) -> U8:
    """The camera's own part: point spread, then noise. Returns ``rgb`` itself where neither is asked for."""
    if blur > 0.05:
        rgb = encode(blurred(decode(rgb), blur))
    return with_noise(rgb, noise, seed) if noise > 0 else rgb


__all__ = ["blurred", "decode", "edges", "encode", "finish", "linear_to_srgb", "resolve", "srgb_to_linear", "with_noise"]
