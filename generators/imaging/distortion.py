"""Lens distortion, of the picture and of its labels alike.

A renderer draws an *ideal* picture with ``enlarged(camera, lens)``: same pixels, same middle, a margin more on every side.
``Warp`` says for every pixel of the picture that was asked for where it lies in the ideal one. Light is mixed from four pixels,
before the sensor adds its noise; labels, depths and normals are those of the nearest pixel, so that they stay what they are.
Masks that were drawn in the ideal picture, visible or amodal, go through the same map.

Formulas, signs and units: ``scenes.instruments.aoi.Lens``. Pixel coordinates as in ``Camera.project``: (0, 0) is the outer corner
of the first pixel.
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from generators.render.develop import packed, unpack
from generators.render.protocol import Buffers
from scenes.errors import SceneError
from scenes.instruments.aoi import FIELD_MAX, Lens
from scenes.optics import Camera

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
U32 = NDArray[np.uint32]
Any_ = TypeVar("Any_", bound=np.generic)

TOLERANCE = 1e-6                               # [px] of the inverse
_ROUNDS = 50
_BAND = 32                                     # rows at a time


def distort_points(points: F64, lens: Lens, width: int, height: int) -> F64:
    """Where ideal pixel coordinates (N, 2) are shown, (N, 2) [px]; the picture is ``width`` × ``height`` [px].

    Far outside the picture the polynomial would fold back into it. There points go on outwards along their ray instead.
    """
    middle, half = _frame(width, height)
    at = (np.asarray(points, float) - middle) / half
    inward = np.minimum(_valid(lens) / np.maximum(np.hypot(at[:, 0], at[:, 1]), 1e-12), 1.0)[:, None]
    return np.asarray(_bent(at * inward, lens) / inward * half + middle)


@lru_cache(maxsize=16)
def _valid(lens: Lens) -> float:
    """Ideal radius, in half diagonals, up to which the polynomial is used: a little past the shown corner, or where it turns."""
    r = np.linspace(0, 4, 2001)
    shown = r * (1 + r**2 * (lens.k1 + r**2 * lens.k2))
    past = (shown >= FIELD_MAX) | (np.gradient(shown, r) <= 0)
    return float(r[np.argmax(past)]) if past.any() else 4.0


def straighten_points(points: F64, lens: Lens, width: int, height: int) -> F64:
    """The inverse of ``distort_points`` to 1e-6 px, by Newton's method.

    Raises:
        SceneError: the lens folds the picture there.
    """
    middle, half = _frame(width, height)
    wanted = (np.asarray(points, float) - middle) / half
    at = wanted.copy()
    for _ in range(_ROUNDS):
        miss = _bent(at, lens) - wanted
        if not len(at) or np.abs(miss).max() * half < TOLERANCE / 10:
            return np.asarray(at * half + middle)
        xx, xy, yx, yy = _slopes(at, lens)
        area = xx * yy - xy * yx
        if (area < 1e-3).any():
            break
        at -= np.stack([yy * miss[:, 0] - xy * miss[:, 1], xx * miss[:, 1] - yx * miss[:, 0]], axis=1) / area[:, None]
    raise SceneError(f"lens: k1 {lens.k1:g}, k2 {lens.k2:g}, p1 {lens.p1:g}, p2 {lens.p2:g} fold the picture; use smaller "
                     "coefficients (r = 1 in the corner)")


def _frame(width: int, height: int) -> tuple[F64, float]:
    """The middle (2,) and half the diagonal [px]."""
    return np.array([width / 2, height / 2]), math.hypot(width, height) / 2


def _bent(at: F64, lens: Lens) -> F64:
    x, y = at[:, 0], at[:, 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (lens.k1 + r2 * lens.k2)
    return np.stack([x * radial + 2 * lens.p1 * x * y + lens.p2 * (r2 + 2 * x * x),
                     y * radial + lens.p1 * (r2 + 2 * y * y) + 2 * lens.p2 * x * y], axis=1)


def _slopes(at: F64, lens: Lens) -> tuple[F64, F64, F64, F64]:
    """∂x'/∂x, ∂x'/∂y, ∂y'/∂x, ∂y'/∂y of ``_bent``."""
    x, y = at[:, 0], at[:, 1]
    r2 = x * x + y * y
    radial, growth = 1 + r2 * (lens.k1 + r2 * lens.k2), 2 * lens.k1 + 4 * lens.k2 * r2
    across = x * y * growth + 2 * lens.p1 * x + 2 * lens.p2 * y
    return (radial + x * x * growth + 2 * lens.p1 * y + 6 * lens.p2 * x, across,
            across, radial + y * y * growth + 6 * lens.p1 * y + 2 * lens.p2 * x)


def margins(width: int, height: int, lens: Lens) -> tuple[int, int]:
    """How many pixels more the ideal picture needs at the left and right, and at the top and bottom.

    Raises:
        SceneError: the lens folds the picture, or bends it by more than its own size.
    """
    x, y = np.linspace(0, width, 65), np.linspace(0, height, 65)
    rim = np.concatenate([np.column_stack([x, np.full_like(x, side)]) for side in (0, height)]
                         + [np.column_stack([np.full_like(y, side), y]) for side in (0, width)])
    ideal = straighten_points(rim, lens, width, height)
    low, high = ideal.min(axis=0), ideal.max(axis=0) - (width, height)
    across, down = (math.ceil(max(-low[i], high[i], 0.0)) + 2 for i in (0, 1))
    if across > width or down > height:
        raise SceneError(f"lens: k1 {lens.k1:g}, k2 {lens.k2:g} need an ideal picture more than three times as large; "
                         "use smaller coefficients (r = 1 in the corner)")
    return across, down


def enlarged(camera: Camera, lens: Lens) -> Camera:
    """The camera of the ideal picture: pose, middle and pixel size are kept. ``camera`` itself where nothing is distorted."""
    if not lens.distorts:
        return camera
    across, down = margins(camera.width, camera.height, lens)
    return replace(camera, width=camera.width + 2 * across, height=camera.height + 2 * down)


@dataclass(frozen=True, eq=False)
class Warp:
    """For every pixel of the picture (H, W) its place in the ideal picture (H', W'). Make one with ``warp``."""
    shape: tuple[int, int]                     # H', W'
    corner: U32                                # (H, W) flat index of the upper left one of four ideal pixels
    right: F32                                 # (H, W) 0 … 1 towards the right one
    down: F32                                  # (H, W) 0 … 1 towards the lower one
    nearest: U32                               # (H, W) flat index of the ideal pixel that this pixel's centre is in

    def labels(self, ideal: NDArray[Any_]) -> NDArray[Any_]:
        """A buffer (H', W') or (H', W', C) as the lens shows it, by nearest pixels: (H, W) or (H, W, C)."""
        return np.take(ideal.reshape(-1, *ideal.shape[2:]), self.nearest, axis=0)

    def light(self, code: U32) -> U32:
        """Light codes (H', W') as the lens shows them, (H, W): linear light, bilinear."""
        flat, width = code.reshape(-1), self.shape[1]
        out = np.empty(self.corner.shape, np.uint32)
        for top in range(0, len(out), _BAND):
            rows = np.s_[top:top + _BAND]
            corner, right, down = self.corner[rows].astype(np.intp), self.right[rows], self.down[rows]
            near = [flat[corner + step] for step in (0, 1, width, width + 1)]
            colors = []
            for channel in range(3):
                a, b, c, d = (unpack(sample, channel) for sample in near)
                a += (b - a) * right
                c += (d - c) * right
                a += (c - a) * down
                colors.append(a)
            out[rows] = packed(np.stack(colors, axis=-1))
        return out

    def masks(self, ideal: Mapping[int, NDArray[np.bool_]]) -> dict[int, NDArray[np.bool_]]:
        """Masks (H', W') by id as the lens shows them."""
        return {key: self.labels(mask) for key, mask in ideal.items()}

    def buffers(self, ideal: Buffers) -> Buffers:
        """All label buffers of an ideal picture. Its rgb, if any, is left out: light goes through ``light`` before the sensor."""
        def seen(buffer: NDArray[Any_] | None) -> NDArray[Any_] | None:
            return None if buffer is None else self.labels(buffer)

        return Buffers(rgb=None, depth=seen(ideal.depth), normal=seen(ideal.normal), instance=seen(ideal.instance),
                       part=seen(ideal.part))


def warp(camera: Camera, lens: Lens) -> Warp:
    """The map from the ideal picture of ``enlarged(camera, lens)`` to that of ``camera``. Kept for the last sizes and lenses."""
    return _warp(camera.width, camera.height, replace(Lens(), k1=lens.k1, k2=lens.k2, p1=lens.p1, p2=lens.p2))


@lru_cache(maxsize=4)
def _warp(width: int, height: int, lens: Lens) -> Warp:
    across, down = margins(width, height, lens) if lens.distorts else (0, 0)
    wide, tall = width + 2 * across, height + 2 * down
    corner, nearest = (np.empty((height, width), np.uint32) for _ in range(2))
    right, low = (np.empty((height, width), np.float32) for _ in range(2))
    for top in range(0, height, _BAND):
        rows = np.s_[top:min(top + _BAND, height)]
        y, x = np.mgrid[rows, :width] + 0.5
        place = straighten_points(np.column_stack([x.ravel(), y.ravel()]), lens, width, height)
        place += (across, down)
        cell = np.clip(np.floor(place).astype(np.int64), 0, (wide - 1, tall - 1))
        nearest[rows] = (cell[:, 1] * wide + cell[:, 0]).reshape(-1, width)
        start = np.clip(np.floor(place - 0.5).astype(np.int64), 0, (max(wide - 2, 0), max(tall - 2, 0)))
        corner[rows] = (start[:, 1] * wide + start[:, 0]).reshape(-1, width)
        share = np.clip(place - 0.5 - start, 0.0, 1.0)
        right[rows], low[rows] = share[:, 0].reshape(-1, width), share[:, 1].reshape(-1, width)
    return Warp((tall, wide), corner, right, low, nearest)


__all__ = ["TOLERANCE", "Warp", "distort_points", "enlarged", "margins", "straighten_points", "warp"]
