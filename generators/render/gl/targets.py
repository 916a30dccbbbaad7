"""The buffers that a picture is drawn into, and how they are read."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from generators.render.gl.context import SRGB8_ALPHA8
from scenes.optics import Camera


@dataclass
class Targets:
    """Buffers of one picture size."""
    color: moderngl.Texture
    tag: moderngl.Texture
    normal: moderngl.Texture
    depth: moderngl.Texture
    whole: moderngl.Framebuffer
    plain: moderngl.Framebuffer                # all but the normal
    shaded: moderngl.Framebuffer               # colour and depth
    tinted: moderngl.Framebuffer               # colour alone, to clear it
    tagged: moderngl.Framebuffer               # tag and depth

    def release(self) -> None:
        for item in (self.whole, self.plain, self.shaded, self.tinted, self.tagged,
                     self.color, self.tag, self.normal, self.depth):
            item.release()


class Pictures:
    """The buffers of the last two picture sizes."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._held: dict[tuple[int, int], Targets] = {}

    def get(self, width: int, height: int) -> Targets:
        key = (width, height)
        if key not in self._held:
            if len(self._held) == 2:
                self._held.pop(next(iter(self._held))).release()
            gl = self._context
            color = gl.texture(key, 4, internal_format=SRGB8_ALPHA8)
            tag, normal, depth = gl.texture(key, 1, dtype="u4"), gl.texture(key, 3, dtype="f4"), gl.depth_texture(key)
            self._held[key] = Targets(color, tag, normal, depth, gl.framebuffer([color, tag, normal], depth),
                                      gl.framebuffer([color, tag], depth), gl.framebuffer([color], depth),
                                      gl.framebuffer([color]), gl.framebuffer([tag], depth))
        return self._held[key]

    def release(self) -> None:
        while self._held:
            self._held.popitem()[1].release()


def read(texture: moderngl.Texture, dtype: type, shape: tuple[int, ...]) -> NDArray[Any]:
    """A whole texture as an array, row 0 first."""
    out: NDArray[Any] = np.empty(shape, dtype)
    texture.read_into(out, alignment=1)
    return out


def metres(raw: NDArray[np.float32], camera: Camera) -> NDArray[np.float32]:
    """Window depth 0 … 1 → distance along the optical axis [m], +inf where nothing is. In a new array."""
    n, f = camera.near, camera.far
    empty = raw >= 1.0
    if camera.model == "telecentric":
        out = raw * np.float32(f - n)
        out += np.float32(n)
    else:
        out = np.float32(n * f) / (np.float32(f) - raw * np.float32(f - n))
    out[empty] = np.inf
    return out


__all__ = ["Pictures", "Targets", "metres", "read"]
