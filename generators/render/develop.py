"""From samples to a picture: anti-aliasing where it is needed, point spread, read-out noise. NumPy, in bands of rows.

Everything is linear light. A renderer hands over either sRGB bytes or *codes*: one uint32 per pixel with the square roots
of red, green and blue in 11, 11 and 10 bits (steps below a third of an sRGB code everywhere).
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generators.imaging.aoi_noise import POOL, normals
from generators.imaging.spread import spread

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]

_ENCODE_STEPS = 1 << 14
_BAND = 32                                     # rows at a time: what is worked on stays in the processor's cache
CODE = ((21, 2047), (10, 2047), (0, 1023))    # per channel: shift and largest value of a code
_NEIGHBOURS = np.array([(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)])     # row, column


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
    scaled = linear * np.float32(_ENCODE_STEPS - 1)
    scaled += np.float32(0.5)
    np.maximum(scaled, np.float32(0), out=scaled)
    np.minimum(scaled, np.float32(_ENCODE_STEPS - 1), out=scaled)
    return np.take(_ENCODE, scaled.astype(np.uint16))


def unpack(code: U32, channel: int) -> F32:
    """One channel of codes, linear float32, same shape."""
    shift, limit = CODE[channel]
    out = ((code >> np.uint32(shift)) & np.uint32(limit)).astype(np.float32)
    out *= np.float32(1 / limit)
    out *= out
    return out


def packed(linear: F32) -> U32:
    """Codes (…) of linear colours (…, 3), clipped."""
    root = np.sqrt(np.clip(linear, 0.0, 1.0))
    out = np.zeros(linear.shape[:-1], np.uint32)
    for channel, (shift, limit) in enumerate(CODE):
        out |= (root[..., channel] * limit + 0.5).astype(np.uint32) << np.uint32(shift)
    return out


def edges(tag: U32, depth: F32, step: float) -> NDArray[np.bool_]:
    """Pixels that see another surface than one of their four neighbours, bool (H, W).

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


@dataclass(frozen=True)
class Extra:
    """One further sample in each of K pixels."""
    x: float                                   # [px] from the pixel's centre
    y: float                                   # [px] down
    tag: U32                                   # (K,) what it sees
    code: U32                                  # (K,) its colour
    lit: NDArray[np.bool_]                     # (K,) whether the colour is known


def resolve(code: U32, tag: U32, where: NDArray[np.intp], extras: Sequence[Extra]) -> None:
    """Give the pixels ``where`` the mean of their samples. In place.

    A sample whose colour is not known has that of the nearest pixel centre, at most one pixel away, that sees the same;
    where none does, that of its own pixel.

    Args:
        code: colours at the pixels' centres, (H, W).
        tag: what the pixels' centres see, (H, W).
        where: flat indices (K,).
        extras: the further samples.
    """
    height, width = code.shape
    flat_code, flat_tag = code.reshape(-1), tag.reshape(-1)
    own = flat_tag[where]
    row, column = np.divmod(where, width)
    total = [unpack(flat_code[where], c) for c in range(3)]
    for extra in extras:
        source = where.copy()
        left = np.flatnonzero((extra.tag != own) & ~extra.lit)
        order = np.argsort(((_NEIGHBOURS - (extra.y, extra.x)) ** 2).sum(axis=1), kind="stable")
        for down, right in _NEIGHBOURS[order]:
            r, c = row[left] + down, column[left] + right
            inside = (r >= 0) & (r < height) & (c >= 0) & (c < width)
            at = np.where(inside, r * width + c, where[left])
            hit = inside & (flat_tag[at] == extra.tag[left])
            source[left[hit]] = at[hit]
            left = left[~hit]
        taken = np.where(extra.lit, extra.code, flat_code[source])
        for channel, sum_ in enumerate(total):
            sum_ += unpack(taken, channel)
    flat_code[where] = packed(np.stack(total, axis=-1) / np.float32(len(extras) + 1))


def _noise_starts(seed: int, rows: int, width: int) -> NDArray[np.int64]:
    """Where in the pool each channel of each row's noise begins, (rows, 3)."""
    return np.random.Generator(np.random.SFC64(seed)).integers(POOL - width, size=(rows, 3))


def _develop(shape: tuple[int, int], band: Callable[[slice, int], F32], blur: float, noise: float, seed: int) -> U8:
    """``band(rows, channel)`` gives linear light of some rows; it is blurred, made noisy and encoded.

    The point spread is Gaussian, by repeated three-tap kernels (variance adds), edges held.
    """
    height, width = shape
    out = np.empty((height, width, 3), np.uint8)
    passes = max(1, int(np.ceil(blur * blur / 0.5))) if blur > 0.05 else 0
    pool = normals() if noise > 0 else np.zeros(0, np.float32)
    depth = min(_BAND, POOL // (4 * width) or 1)
    starts = _noise_starts(seed, -(-height // depth), depth * width)
    for number, top in enumerate(range(0, height, depth)):
        bottom = min(top + depth, height)
        first, last = max(top - passes, 0), min(bottom + passes, height)
        for channel in range(3):
            light = band(np.s_[first:last], channel)
            if passes:
                above, below = first - (top - passes), bottom + passes - last
                if above or below:
                    light = np.concatenate([light[:1].repeat(above, 0), light, light[-1:].repeat(below, 0)])
                for _ in range(passes):
                    light = spread(light, blur * blur / passes)
            if noise > 0:
                start = starts[number, channel]
                light = light + (pool[start:start + light.size] * np.float32(noise)).reshape(light.shape)
            out[top:bottom, :, channel] = encode(light)
    return out


def develop(code: U32, blur: float, noise: float, seed: int) -> U8:
    """A picture, sRGB uint8 (H, W, 3), from codes (H, W): point spread of standard deviation ``blur`` [px], then Gaussian
    read-out noise of standard deviation ``noise`` (linear, of full scale). Same seed, same bytes."""
    height, width = code.shape
    return _develop((height, width), lambda rows, channel: unpack(code[rows], channel), blur, noise, seed)


def finish(rgb: U8, blur: float, noise: float, seed: int) -> U8:
    """The same from sRGB bytes. Returns ``rgb`` itself where neither point spread nor noise is asked for."""
    if blur <= 0.05 and noise <= 0:
        return rgb
    height, width = rgb.shape[:2]
    return _develop((height, width), lambda rows, channel: decode(rgb[rows, :, channel]), blur, noise, seed)


__all__ = ["CODE", "Extra", "decode", "develop", "edges", "encode", "finish", "linear_to_srgb", "packed", "resolve",
           "srgb_to_linear", "unpack"]
