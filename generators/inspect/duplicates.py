"""Pictures that say nothing new: byte for byte the same, or the same but for noise."""
from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 32                                      # thumbnails are SIDE × SIDE block means
NEAR = 0.25                                    # [8-bit levels] RMS over a thumbnail. Sensor noise of 2 levels at 1024² leaves
#                                                2 / 32 · √2 = 0.09; one part of 20 × 20 px 40 levels brighter makes 0.29
_BLOCK = 2048                                  # pictures compared at a time: bounds memory, changes no result


@dataclass(frozen=True)
class Pair:
    """Two pictures that look the same, by name."""
    first: str
    second: str
    exact: bool
    crosses: bool                              # they are in different splits


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Block means (SIDE · SIDE · 3,) of a uint8 (H, W, 3) picture, in 8-bit levels; an odd border is cut."""
    height, width = (max(n // SIDE, 1) for n in image.shape[:2])
    if min(image.shape[:2]) < SIDE:
        image = np.kron(image, np.ones((-(-SIDE // image.shape[0]), -(-SIDE // image.shape[1]), 1), np.uint8))
        height, width = (n // SIDE for n in image.shape[:2])
    cut = image[:SIDE * height, :SIDE * width]
    rows = np.add.reduce(cut.reshape(SIDE, height, -1), axis=1, dtype=np.uint32)
    blocks = np.add.reduce(rows.reshape(SIDE, SIDE, width, 3), axis=2, dtype=np.uint32)
    return (blocks.reshape(-1) / np.float32(height * width)).astype(np.float32)


class Duplicates:
    """Collects pictures and finds those that repeat. Only pictures of one view (camera, tile, size) are compared."""

    def __init__(self) -> None:
        self.count = 0
        self._views: dict[str, list[tuple[str, str, bytes, NDArray[np.float32]]]] = {}

    def add(self, name: str, split: str, view: str, image: NDArray[np.uint8]) -> None:
        self.count += 1
        digest = hashlib.sha256(np.ascontiguousarray(image).data).digest()
        self._views.setdefault(view, []).append((name, split, digest, thumbnail(image)))

    def pairs(self) -> Iterator[Pair]:
        """Every pair of pictures that look the same."""
        for _, items in sorted(self._views.items()):
            stack = np.stack([t for *_, t in items])
            squares = np.einsum("ij,ij->i", stack, stack, dtype=np.float64)
            limit = NEAR**2 * stack.shape[1]
            for start in range(0, len(items), _BLOCK):
                block = slice(start, start + _BLOCK)
                for other in range(0, start + 1, _BLOCK):
                    there = slice(other, other + _BLOCK)
                    # |a − b|² loses digits where pictures are bright and alike, so what looks near is measured again
                    distance = squares[block, None] + squares[None, there] - 2.0 * (stack[block] @ stack[there].T)
                    rough = distance < limit + 1e-5 * squares[block, None]
                    for i, j in zip(*np.nonzero(rough), strict=True):
                        a, b = other + int(j), start + int(i)
                        if a < b and np.square(stack[a].astype(np.float64) - stack[b]).sum() < limit:
                            yield Pair(items[a][0], items[b][0], items[a][2] == items[b][2], items[a][1] != items[b][1])


__all__ = ["NEAR", "Duplicates", "Pair", "thumbnail"]
