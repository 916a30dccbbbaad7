"""The buffers that a picture is drawn into, and how they are read."""
from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from scenes.optics import Camera


@dataclass
class Targets:
    """Buffers of one picture size, and the sets of them that a pass writes."""
    color: moderngl.Texture                    # codes (generators/render/develop.py)
    surface: moderngl.Texture                  # what part_frag.glsl has found
    tag: moderngl.Texture
    normal: moderngl.Texture
    depth: moderngl.Texture
    listed: moderngl.Texture                   # pixels that are lit once more
    surfaces: moderngl.Framebuffer             # surface, tag, depth
    surfaces_normal: moderngl.Framebuffer
    painted: moderngl.Framebuffer              # colour, tag, depth
    painted_normal: moderngl.Framebuffer
    lit: moderngl.Framebuffer                  # colour; depth is only looked at
    tagged: moderngl.Framebuffer               # tag, depth
    tagged_normal: moderngl.Framebuffer
    unmasked: moderngl.Framebuffer             # tag alone, to clear it
    bare: moderngl.Framebuffer                 # colour alone

    @staticmethod
    def made(gl: moderngl.Context, size: tuple[int, int]) -> Targets:
        color, surface, tag = gl.texture(size, 1, dtype="u4"), gl.texture(size, 4, dtype="u4"), gl.texture(size, 1, dtype="u4")
        normal, depth = gl.texture(size, 3, dtype="f4"), gl.depth_texture(size)
        surface.filter = (moderngl.NEAREST, moderngl.NEAREST)
        lit = gl.framebuffer([color], depth)
        lit.depth_mask = False
        return Targets(color, surface, tag, normal, depth, gl.texture(size, 1, dtype="u4"), gl.framebuffer([surface, tag], depth),
                       gl.framebuffer([surface, tag, normal], depth), gl.framebuffer([color, tag], depth),
                       gl.framebuffer([color, tag, normal], depth), lit, gl.framebuffer([tag], depth),
                       gl.framebuffer([tag, normal], depth), gl.framebuffer([tag]), gl.framebuffer([color]))

    def release(self) -> None:
        made = [getattr(self, field.name) for field in fields(self)]
        for item in reversed(made):            # framebuffers before what they write to
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
            self._held[key] = Targets.made(self._context, key)
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
