"""The infrared pass: band radiance of every pixel from temperatures and emissivities, and what each pixel shows.

Radiances add, so the samples of a pixel and the texels under it are averaged as radiance and turned into a temperature by
the camera afterwards. Surfaces are grey and diffuse emitters; what they do not emit they mirror, from a room at one
temperature or, where a steep metal face looks down, from the board beside it.
"""
from __future__ import annotations

from dataclasses import dataclass

import moderngl
import numpy as np
from numpy.typing import NDArray

from generators.render.gl.context import assign
from generators.render.gl.drawing import UNITS, Drawing, Load, matrix
from generators.render.gl.store import Kept
from generators.render.gl.targets import read
from generators.render.surfaces import FINISH
from scenes.geometry import Geometry
from scenes.heat import TemperatureField
from scenes.materials import index
from scenes.optics import Camera, Look

WIDTH = 256                                    # things in a row of the field texture
OXIDISED = 0.20                                # emissivity that solder gains when none of it has coalesced: 0.10 → 0.30
                                               # (domain reference 4.2: bright 0.05–0.15, oxidised 0.2–0.4)
OXIDISED_AT = 0.28                             # [1] further roughness α of such a joint (scenes/smt/reflow.py, ROUGHNESS)
_UNITS = {"planck": 12, "warm_board": 13, "fields": 14, "emissivities": 15}
_FLIP = np.diag([1.0, -1.0, 1.0, 1.0])         # image row 0 is the first row in memory


@dataclass
class _Targets:
    """Buffers of one picture size."""
    size: tuple[int, int]
    radiance: moderngl.Texture
    tag: moderngl.Texture
    depth: moderngl.Renderbuffer
    buffer: moderngl.Framebuffer

    def release(self) -> None:
        for item in (self.buffer, self.radiance, self.tag, self.depth):
            item.release()


class Radiant:
    """Draws radiance pictures with what a ``Drawing`` keeps uploaded."""

    def __init__(self, context: moderngl.Context, drawing: Drawing) -> None:
        self._gl, self._drawing = context, drawing
        self._target: _Targets | None = None
        self._emissivities: Kept[moderngl.Texture] = Kept(
            4, lambda t: self._texture(np.array([m.emissivity for m in t], np.float32)[None, :, None]), lambda v: v.release())

    def _texture(self, values: NDArray[np.floating]) -> moderngl.Texture:
        """(H, W, channels) float32, read texel by texel."""
        height, width, channels = values.shape
        texture = self._gl.texture((width, height), channels, np.ascontiguousarray(values, np.float32).tobytes(), dtype="f4")
        texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
        return texture

    def radiance(self, geometry: Geometry, camera: Camera, field: TemperatureField, look: Look,
                 planck: tuple[float, float, NDArray[np.float32]], room: float, side: int,
                 ) -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
        """Mean band radiance of every pixel, float32 (H, W) [W/(m² sr)], and the tags (part << 28 | instance) of its samples.

        Args:
            planck: First temperature [K], step [K], and the band radiance of a black body at each, (K,).
            room: Band radiance of what surrounds the unit, and of what lies past the board's edge.
            side: Samples per pixel and axis. Tags are (side · H, side · W): with 1, those of ``render``.
        """
        drawing = self._drawing
        load = drawing.aim(geometry, camera)
        target = self._sized(side * camera.width, side * camera.height)
        low, step, table = planck
        materials = geometry.materials
        rows, columns = field.board.shape
        board = np.interp(field.board, low + step * np.arange(len(table)), table)
        ends = np.column_stack([table, np.append(table[1:], table[-1])])
        made = {"planck": self._texture(ends[None]), "warm_board": self._texture(board[..., None]),
                "fields": self._texture(_packed(field))}
        made["warm_board"].filter = (moderngl.LINEAR, moderngl.LINEAR)
        made["warm_board"].repeat_x = made["warm_board"].repeat_y = False
        try:
            for name, texture in {**made, "emissivities": self._emissivities.get(materials)}.items():
                texture.use(_UNITS[name])
            telecentric = camera.model == "telecentric"
            uniforms: dict[str, object] = {
                **_UNITS, "clip": matrix(_FLIP @ camera.projection() @ camera.view()), "planck_map": (low, step),
                "warm_map": (field.origin[0], field.origin[1] + rows * field.cell, 1 / (columns * field.cell),
                             -1 / (rows * field.cell)),
                "room": room, "eye": (*camera.pose[:3, 2], 0.0) if telecentric else (*camera.pose[:3, 3], 1.0),
                "smoothest": look.solder_roughness**2, "dull": OXIDISED / OXIDISED_AT, "fields_width": WIDTH,
                "emits": tuple(materials[index(n)].emissivity for n in ("solder_mask", "silkscreen", "fr4", FINISH[look.finish])),
                "film_emissivity": materials[index("flux")].emissivity}
            target.buffer.use()
            target.buffer.clear(-room, depth=1.0)         # below zero: nothing is there, and the tag means nothing
            self._draw(load, geometry, uniforms)
            shape = (side * camera.height, side * camera.width)
            fine, tag = read(target.radiance, np.float32, shape), read(target.tag, np.uint32, shape)
        finally:
            for texture in made.values():
                texture.release()
        tag[fine < 0] = 0
        np.abs(fine, out=fine)
        if side == 1:
            return fine, tag
        out = fine[::side, ::side].copy()
        for k in range(1, side * side):
            out += fine[k // side::side, k % side::side]
        out *= np.float32(1 / side**2)
        return out, tag

    def _draw(self, load: Load, geometry: Geometry, uniforms: dict[str, object]) -> None:
        drawing = self._drawing
        drawing.solid()
        program = drawing.programs.get("radiant_vert", "radiant_part_frag")
        assign(program, **uniforms, **UNITS)
        for mesh, near, _ in load.meshes:
            if near:
                mesh.array(program).render(instances=near)
        if load.soup[0] and load.card.soup:
            program = drawing.programs.get("radiant_vert", "radiant_part_frag", soup=True)
            assign(program, **uniforms, **UNITS)
            load.card.soup.array(program).render(vertices=3 * load.soup[0])
        drawing.films(load, "radiant_board_frag", **uniforms)
        drawing.board(geometry.slab, "radiant_board_frag", **uniforms)

    def _sized(self, width: int, height: int) -> _Targets:
        size = (width, height)
        if self._target is None or self._target.size != size:
            self.release_target()
            radiance, tag = self._gl.texture(size, 1, dtype="f4"), self._gl.texture(size, 1, dtype="u4")
            depth = self._gl.depth_renderbuffer(size)
            self._target = _Targets(size, radiance, tag, depth, self._gl.framebuffer([radiance, tag], depth))
        return self._target

    def release_target(self) -> None:
        if self._target is not None:
            self._target.release()
            self._target = None

    def release(self) -> None:
        self.release_target()
        self._emissivities.clear()


def _packed(field: TemperatureField) -> NDArray[np.float32]:
    """The field's rows by id, three texels each, ``WIDTH`` things in a row of the texture; reach 0 where there is none."""
    count = int(field.ids.max(initial=0)) + 1
    table = np.zeros((-(-count // WIDTH) * WIDTH, 3, 4), np.float32)
    at = field.ids.astype(np.int64)
    table[at, 0, 0], table[at, 0, 1:] = field.mean, field.gradient
    table[at, 1, :3], table[at, 1, 3] = field.middle, field.rise
    table[at, 2, 0] = field.reach
    return table.reshape(-1, 3 * WIDTH, 4)


__all__ = ["Radiant"]
