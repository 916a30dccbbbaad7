"""The passes of a frame.

1. sky, shadows   what lights every place (surroundings.py)
2. parts          surface and tag (instance, part, direction) of packages and solder, normal and depth, at pixel centres
3. light          colour where parts are: once per pixel, however small the triangles were
4. board          colour, tag, normal and depth of films and board, where no part hides them
5. edges          surface and tag of parts and films again at three more places in those pixels where surfaces meet; samples
                  on parts are lit as a list, others take the colour of a neighbour that sees the same (develop.resolve)
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import moderngl
import numpy as np
from numpy.typing import NDArray

from generators.imaging.recording import bent, ideal, recorded
from generators.masks import Piece, cropped, pasted
from generators.render import develop
from generators.render import lighting as light
from generators.render.gl.context import assign
from generators.render.gl.drawing import MAX_LAMPS, UNITS, Drawing, Load, matrix
from generators.render.gl.paths import Paths
from generators.render.gl.silhouettes import silhouettes
from generators.render.gl.store import ID_LIMIT
from generators.render.gl.surroundings import Surroundings
from generators.render.gl.targets import Pictures, Targets, metres, read
from generators.render.protocol import Buffers
from generators.render.surfaces import look_colors
from generators.render.view import cell, shifted, solid
from scenes.geometry import BOARD_ID, Geometry, PartKind, Slab
from scenes.optics import Camera, Lighting, Look

SPREAD = ((0.386, 0.104), (-0.283, 0.283), (-0.104, -0.386))   # [px] further samples around the pixel's centre
_SURFACE = 0xCFFFFFFF                          # a tag without the bits that tell a pad from the board: the artwork is filtered
_BELOW = np.uint32(15 << 28)                   # the tag of a sample under the board's top (part_frag.glsl)
_LIT = np.uint32(1 << 15 | sum(1 << kind for kind in PartKind if kind not in (   # parts of a tag that part_frag draws
    PartKind.BACKGROUND, PartKind.BOARD, PartKind.PAD, PartKind.RESIDUE, PartKind.SCRATCH)))
_BOARD = np.uint32(BOARD_ID | PartKind.BOARD << 28 | 27 << 22)     # the tag of the board's top (facet.glsl: level is bin 3, 3)
_BEHIND = 0.999999                             # window depth behind all parts and before an empty pixel
_FLIP = np.diag([1.0, -1.0, 1.0, 1.0])         # image row 0 is the first row in memory: nothing is turned over after reading


class Frame:
    """Owns the buffers and draws."""

    def __init__(self, context: moderngl.Context) -> None:
        self._gl = context
        self.drawing = Drawing(context)
        self._surroundings = Surroundings(self.drawing)
        self._target = Pictures(context)
        self._paths: Paths | None = None

    def render(self, geometry: Geometry, camera: Camera, lighting: Lighting, look: Look, outputs: frozenset[str],
               noise_seed: int, antialias: bool) -> Buffers:
        drawn, bend = ideal(camera), bent(camera)
        load = self.drawing.aim(geometry, drawn)
        target = self._target.get(drawn.width, drawn.height)
        shape = (drawn.height, drawn.width)
        clip = _FLIP @ drawn.projection() @ drawn.view()
        rgb_wanted, normal_wanted = "rgb" in outputs, "normal" in outputs
        turn = matrix(drawn.pose[:3, :3].T)
        if rgb_wanted:
            uniforms = self._surroundings.prepare(load, drawn, lighting, look)
            self._paint(load, geometry.slab, target, clip, lighting, look, uniforms, turn, normal_wanted)
        else:
            self._outline(load, geometry.slab, target, clip, turn, normal_wanted)
        tag = read(target.tag, np.uint32, shape)
        smooth, focused = rgb_wanted and antialias, camera.lens is not None and camera.lens.focus_height is not None
        raw = read(target.depth, np.float32, shape) if smooth or "depth" in outputs or (rgb_wanted and focused) else None
        depth = metres(raw, drawn) if raw is not None and ("depth" in outputs or (rgb_wanted and focused)) else None
        normal = read(target.normal, np.float32, (*shape, 3)) if normal_wanted else None
        if normal is not None:
            normal[tag == 0] = 0               # the buffer is not cleared: that costs more than this
        code = None
        if rgb_wanted:
            code = read(target.color, np.uint32, shape)
            code[tag == 0] = develop.packed(self._background(lighting, look))
            if raw is not None and smooth:
                self._smooth(code, tag, raw, load, geometry.slab, drawn, len(lighting.directional), look, uniforms, target)
        buffers = Buffers(rgb=None, depth=depth, normal=normal,
                          instance=tag & np.uint32(ID_LIMIT - 1) if "instance" in outputs else None,
                          part=(tag >> np.uint32(28)).astype(np.uint16) if "part" in outputs else None)
        if bend is not None:
            buffers, code = bend.buffers(buffers), bend.light(code) if code is not None else None
        if code is not None:
            buffers = replace(buffers, rgb=recorded(code, camera, lighting, noise_seed, buffers.depth if focused else None))
        return buffers if "depth" in outputs else replace(buffers, depth=None)

    def _paint(self, load: Load, slab: Slab, target: Targets, clip: NDArray[np.float64], lighting: Lighting, look: Look,
               uniforms: dict[str, object], turn: NDArray[np.float32], normal: bool = False) -> None:
        """Passes 2 to 4. Parts come first, so that the board under them is never shaded."""
        drawing, lamps = self.drawing, len(lighting.directional)
        here: dict[str, object] = {"clip": matrix(clip), "to_camera": turn}
        target.tagged.clear(depth=1.0)
        (target.surfaces_normal if normal else target.surfaces).use()
        drawing.solid()
        drawing.parts(load, "part_frag", False, **here, solder_roughness=look.solder_roughness)

        # a triangle behind all parts, drawn where it is *farther* than what is there: the empty pixels are not run
        program = drawing.programs.get("screen_vert", "shade_frag", lamps=lamps)
        assign(program, **uniforms, unproject=self._unproject(clip, target), screen_depth=_BEHIND, **UNITS)
        target.surface.use(UNITS["surface"])
        target.lit.use()
        self._gl.enable_only(moderngl.DEPTH_TEST)
        self._gl.depth_func = ">"
        drawing.screen(program)
        self._gl.depth_func = "<"
        drawing.solid()

        (target.painted_normal if normal else target.painted).use()
        here |= {**uniforms, **look_colors(look), "mask_roughness": look.mask_roughness, "step_height": slab.copper_thickness,
                 "finish_roughness": look.finish_roughness}
        drawing.films(load, "board_frag", lamps, **here)
        drawing.board(slab, "board_frag", lamps, **here)

    def _outline(self, load: Load, slab: Slab, target: Targets, clip: NDArray[np.float64], turn: NDArray[np.float32],
                 normal: bool) -> None:
        """Tags, depth and normals without colour."""
        target.tagged.clear(depth=1.0)
        (target.tagged_normal if normal else target.tagged).use()
        self.drawing.solid()
        self._tags(load, slab, clip, to_camera=turn)

    def _tags(self, load: Load, slab: Slab, clip: NDArray[np.float64], **uniforms: object) -> None:
        here = {"clip": matrix(clip), **uniforms}
        self.drawing.parts(load, "tag_frag", False, **here)
        self.drawing.films(load, "tag_frag", **here)
        self.drawing.board(slab, "slab_tag_frag", **here)

    def _background(self, lighting: Lighting, look: Look) -> NDArray[np.float32]:
        """What is past the board, lit like a level diffuser, (3,)."""
        color = develop.srgb_to_linear(look.background) * light.level_diffuser(lighting)
        return np.asarray(color * lighting.exposure * np.asarray(lighting.white_balance, float), np.float32)

    def _smooth(self, code: NDArray[np.uint32], tag: NDArray[np.uint32], raw: NDArray[np.float32], load: Load, slab: Slab,
                camera: Camera, lamps: int, look: Look, uniforms: dict[str, object], target: Targets) -> None:
        """Replace pixels where surfaces meet by the mean of four samples."""
        seen = tag & np.uint32(_SURFACE)
        mixed = develop.edges(seen, raw, 2 * camera.pixel_size / (camera.far - camera.near))
        where = np.flatnonzero(mixed)
        if not len(where):
            return
        drawing, width = self.drawing, camera.width
        rows = -(-len(where) // width)
        index = np.zeros(rows * width, np.uint32)
        index[:len(where)] = where
        area = (0, 0, width, rows)
        target.listed.write(index, viewport=area)
        target.depth.write(mixed.astype(np.float32))           # all other pixels are nearer than anything: not drawn
        view = camera.view()
        extras = []
        full = np.empty(mixed.shape, np.uint32)
        for number, (x, y) in enumerate(SPREAD):
            # each round draws into a nearer slice of the depth range: earlier rounds never hide it, the mask always does
            near = np.eye(4)
            near[2, 2], near[2, 3] = 0.3, 0.65 - 0.62 * number
            clip = near @ _FLIP @ shifted(camera, x, y) @ view
            target.unmasked.clear()
            drawing.solid()
            target.surfaces.use()
            drawing.parts(load, "part_frag", False, True, clip=matrix(clip), solder_roughness=look.solder_roughness)
            target.tagged.use()
            drawing.films(load, "tag_frag", clip=matrix(clip))
            target.tag.read_into(full, alignment=1)
            found = full.reshape(-1)[where]
            open_ = np.flatnonzero((found == 0) | (found == _BELOW))
            open_ = open_[solid(slab.coverage, camera, where[open_], x, y)]
            found[open_] = _BOARD

            # the listed pixels side by side in a corner of the colour buffer, which has been read by now
            program = drawing.programs.get("screen_vert", "shade_frag", lamps=lamps, listed=True)
            assign(program, **uniforms, unproject=self._unproject(clip, target), **UNITS)
            target.surface.use(UNITS["surface"])
            target.listed.use(UNITS["listed"])
            target.bare.viewport = area
            target.bare.use()
            self._gl.enable_only(moderngl.NOTHING)
            drawing.screen(program)
            color = np.frombuffer(target.bare.read(area, components=1, dtype="u4", alignment=1), np.uint32)[:len(where)]
            lit = (_LIT >> (found >> np.uint32(28)) & np.uint32(1)).astype(bool)
            extras.append(develop.Extra(x, y, found & np.uint32(_SURFACE), color, lit))
        develop.resolve(code, seen, where, extras)

    @staticmethod
    def _unproject(clip: NDArray[np.float64], target: Targets) -> NDArray[np.float32]:
        """Window (pixels, depth 0 … 1) → board."""
        width, height = target.color.size
        window = np.diag([2 / width, 2 / height, 2.0, 1.0])
        window[:3, 3] = -1
        return matrix(np.asarray(np.linalg.inv(clip) @ window, float))

    def reference(self, geometry: Geometry, camera: Camera, lighting: Lighting, look: Look, factor: int) -> NDArray[np.uint8]:
        load = self.drawing.aim(geometry, camera)
        uniforms = self._surroundings.prepare(load, camera, lighting, look)
        target = self._target.get(camera.width, camera.height)
        out = np.zeros((camera.height, camera.width, 3), np.uint8)
        step_y, step_x = camera.height // factor, camera.width // factor
        shape = (camera.height, camera.width)
        background = develop.packed(self._background(lighting, look))
        turn = matrix(camera.pose[:3, :3].T)
        for row in range(factor):
            for column in range(factor):
                _, projection = cell(camera, factor, column, row)
                self._paint(load, geometry.slab, target, _FLIP @ projection @ camera.view(), lighting, look, uniforms, turn)
                code = read(target.color, np.uint32, shape)
                code[read(target.tag, np.uint32, shape) == 0] = background
                for channel in range(3):
                    mean = develop.unpack(code, channel).reshape(step_y, factor, step_x, factor).mean(axis=(1, 3))
                    out[row * step_y:(row + 1) * step_y, column * step_x:(column + 1) * step_x, channel] = develop.encode(mean)
        return out

    def silhouettes(self, geometry: Geometry, camera: Camera, ids: Sequence[int]) -> dict[int, Piece]:
        drawn, bend = ideal(camera), bent(camera)
        clip = matrix(_FLIP @ drawn.projection() @ drawn.view())
        target = self._target.get(drawn.width, drawn.height)

        def draw(members: NDArray[np.uint32], out: NDArray[np.uint32]) -> None:
            target.tagged.use()
            target.tagged.clear(depth=1.0)
            self.drawing.chosen(geometry, clip, members, ID_LIMIT - 1)
            target.tag.read_into(out, alignment=1)

        found = silhouettes(draw, self.drawing.card(geometry), drawn, ids)
        if bend is None:
            return found
        shown = bend.masks({key: pasted([piece], (drawn.height, drawn.width))[0] for key, piece in found.items()})
        return {key: piece for key, mask in shown.items() if (piece := cropped(mask)) is not None}

    def paths(self, geometry: Geometry, camera: Camera, coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
        """Path lengths, (H, W, 4) [m]. See ``paths.py``."""
        if self._paths is None:
            self._paths = Paths(self.drawing)
        return self._paths.render(geometry, camera, coefficients)

    def release(self) -> None:
        if self._paths is not None:
            self._paths.release()
        self.drawing.release()
        self._target.release()


__all__ = ["MAX_LAMPS", "Frame"]
