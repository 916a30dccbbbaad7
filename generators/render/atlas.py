"""Markings of all parts in one texture."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError

_GAP = 4                                       # texels around each mark, so that mipmaps do not mix neighbours


def pack(markings: Sequence[NDArray[np.uint8]], limit: int = 16384) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Shelf-pack the marks, tallest first.

    Returns:
        The atlas (H, W) with row 0 at the bottom of every mark, and per mark its rectangle in texture coordinates,
        float32 (N, 4): u0, v0, width, height.

    Raises:
        InputError: the marks do not fit in a texture of ``limit`` texels a side.
    """
    area = sum((m.shape[0] + _GAP) * (m.shape[1] + _GAP) for m in markings)
    widest = max((m.shape[1] + _GAP for m in markings), default=1)
    width = 1 << max(int(np.ceil(np.log2(max(area**0.5 * 1.1, widest, 4)))), 2)
    places = np.zeros((len(markings), 4), np.int64)
    x = y = shelf = 0
    for i in sorted(range(len(markings)), key=lambda i: (-markings[i].shape[0], i)):
        h, w = markings[i].shape
        if x + w + _GAP > width:
            x, y, shelf = 0, y + shelf, 0
        places[i] = (x + _GAP // 2, y + _GAP // 2, w, h)
        x, shelf = x + w + _GAP, max(shelf, h + _GAP)
    height = max(y + shelf, 1)
    if max(width, height) > limit:
        raise InputError(f"markings: {len(markings)} marks need an atlas of {width}×{height} texels; at most {limit} a side")
    out = np.zeros((height, width), np.uint8)
    for mark, (px, py, w, h) in zip(markings, places, strict=True):
        out[py:py + h, px:px + w] = mark[::-1]
    return out, (places / np.array([width, height, width, height])).astype(np.float32)


__all__ = ["pack"]
