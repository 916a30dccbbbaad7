"""The passes of a frame.

1. heights   a height map of the window, from above, at half resolution; from it the share of open sky at every place
2. shadows   one depth map per lamp that casts shadows
3. picture   colour, tag (instance and part), normal and depth, one sample at the pixel's centre
4. edges     colour again at three more places in those pixels where surfaces meet: all others are masked by a near depth
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import moderngl
import numpy as np
from numpy.typing import NDArray

from generators.render import develop
from generators.render import lighting as light
from generators.render.gl.context import Programs, assign
from generators.render.gl.silhouettes import silhouettes
from generators.render.gl.store import (
    ID_LIMIT,
    GeometryOnCard,
    Kept,
    MeshOnCard,
    SlabOnCard,
    artwork_on_card,
    geometry_on_card,
    mesh_on_card,
)
from generators.render.gl.targets import Pictures, Targets, metres, read
from generators.render.protocol import Buffers
from generators.render.surfaces import look_colors, material_table
from generators.render.view import Window, cell, shifted, window
from scenes.geometry import BOARD_ID, Geometry, Slab
from scenes.optics import Camera, Lighting, Look

SPREAD = ((0.386, 0.104), (-0.283, 0.283), (-0.104, -0.386))   # [px] further samples around the pixel's centre
MAX_LAMPS = 4
SHADOW_REACH = 2e-3                            # [m] parts this far outside the picture still darken it
_UNITS = {"environment": 0, "occlusion": 1, "materials": 2, "markings": 3, "artwork": 4, "heights": 5,
          **{f"shadow_{i}": 6 + i for i in range(MAX_LAMPS)}}


def matrix(m: NDArray[np.float64]) -> NDArray[np.float32]:
    """Row-major → what a uniform takes."""
    return np.ascontiguousarray(m.T, np.float32)


_SURFACE = np.uint32(0xCFFFFFFF)               # a tag without the bits that tell a pad from the board: the artwork is filtered
_FLIP = np.diag([1.0, -1.0, 1.0, 1.0])         # image row 0 is the first row in memory: nothing is turned over after reading


@dataclass(frozen=True)
class Load:
    """What a frame draws: per mesh the count in the picture and in the wider window, triangles of solder likewise."""
    card: GeometryOnCard
    meshes: list[tuple[MeshOnCard, int, int]]
    soup: tuple[int, int]
    film: tuple[int, int]
    outer: Window


class Frame:
    """Owns the buffers and draws."""

    def __init__(self, context: moderngl.Context) -> None:
        self._gl = context
        self._programs = Programs(context)
        self._geometries: Kept[GeometryOnCard] = Kept(2, lambda g: geometry_on_card(context, g), lambda v: v.release())
        self._meshes: Kept[MeshOnCard] = Kept(1024, lambda m: mesh_on_card(context, m), lambda v: v.release())
        self._slabs: Kept[SlabOnCard] = Kept(4, lambda s: SlabOnCard(context, s), lambda v: v.release())
        self._artworks: Kept[moderngl.Texture] = Kept(2, lambda c: artwork_on_card(context, c), lambda v: v.release())
        self._target = Pictures(context)
        self._maps: dict[tuple[str, int, int], tuple[moderngl.Framebuffer, moderngl.Texture]] = {}
        table = material_table()
        self._materials = context.texture((2, len(table)), 4, table.tobytes(), dtype="f4")
        self._environment = context.texture((light.COLUMNS, light.ROUGHNESS_ROWS + 1), 3, dtype="f4")
        self._environment.filter = (moderngl.LINEAR, moderngl.LINEAR)
        for texture in (self._environment, self._materials):
            texture.repeat_x = texture.repeat_y = False
        self._blank = context.texture((1, 1), 1, b"\0")
        self._screen: dict[int, moderngl.VertexArray] = {}
        context.front_face = "cw"              # because of _FLIP
        context.cull_face = "back"

    # -- what to draw ---------------------------------------------------------------------------------------------------

    def _aim(self, geometry: Geometry, camera: Camera) -> Load:
        card = self._geometries.get(geometry)
        inner = window(camera, -geometry.slab.thickness, max(card.top, 0.0))
        cover = geometry.slab.coverage
        height, width = cover.texels.shape[:2]
        board = Window(cover.origin[0], cover.origin[1], cover.origin[0] + width * cover.texel_size,
                       cover.origin[1] + height * cover.texel_size).grown(2 * SHADOW_REACH)
        outer = inner.grown(SHADOW_REACH).clipped(board)
        meshes = []
        for group in card.groups:
            rows, near = group.visible(inner, outer)
            if len(rows):
                mesh = self._meshes.get(group.mesh)
                mesh.load(rows)
                meshes.append((mesh, near, len(rows)))
        soup = card.soup.aim(inner, outer) if card.soup else (0, 0)
        film = card.film.aim(inner, outer) if card.film else (0, 0)
        return Load(card, meshes, soup, film, outer)

    def _draw_parts(self, load: Load, fragment: str, wide: bool, lamps: int = 0, **uniforms: object) -> None:
        parts = self._programs.get("part_vert", fragment, lamps=lamps)
        assign(parts, **uniforms, **_UNITS)
        for mesh, near, all_ in load.meshes:
            count = all_ if wide else near
            if count:
                box = mesh.mesh.marking or (0.0, 0.0, 1.0, 1.0)
                assign(parts, mark_box=(box[0], box[1], 1 / (box[2] - box[0]), 1 / (box[3] - box[1])))
                mesh.array(parts).render(instances=count)
        count = load.soup[wide]
        if count and load.card.soup:
            soup = self._programs.get("part_vert", fragment, lamps=lamps, soup=True)
            assign(soup, **uniforms, **_UNITS)
            load.card.soup.array(soup).render(vertices=3 * count)

    # -- passes ---------------------------------------------------------------------------------------------------------

    def _map(self, kind: str, width: int, height: int) -> tuple[moderngl.Framebuffer, moderngl.Texture]:
        key = (kind, width, height)
        if key not in self._maps:
            if kind.startswith("shadow"):
                texture = self._gl.depth_texture((width, height))
                texture.compare_func = "<="
                texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
                made = self._gl.framebuffer(depth_attachment=texture), texture
            else:
                texture = self._gl.texture((width, height), 1, dtype="f4" if kind == "heights" else "f1")
                depth = self._gl.depth_renderbuffer((width, height)) if kind == "heights" else None
                made = self._gl.framebuffer([texture], depth), texture
            texture.repeat_x = texture.repeat_y = False
            self._maps[key] = made
        return self._maps[key]

    def _sky(self, load: Load, side: int) -> tuple[float, float, float, float]:
        """Heights and open sky over the outer window; returns the map to texture coordinates."""
        area = load.outer
        wide, high = max(area.x1 - area.x0, 1e-6), max(area.y1 - area.y0, 1e-6)
        top, low = load.card.top + 1e-3, -2e-3
        clip = np.array([[2 / wide, 0, 0, -(area.x0 + area.x1) / wide], [0, 2 / high, 0, -(area.y0 + area.y1) / high],
                         [0, 0, -2 / (top - low), (top + low) / (top - low)], [0, 0, 0, 1.0]])
        target, heights = self._map("heights", side, side)
        self._gl.front_face = "ccw"
        self._gl.enable_only(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        target.use()
        target.clear()
        self._draw_parts(load, "height_frag", True, clip=matrix(clip))
        self._gl.front_face = "cw"
        heights.build_mipmaps()
        heights.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
        out, sky = self._map("sky", side // 2, side // 2)
        sky.filter = (moderngl.LINEAR, moderngl.LINEAR)
        out.use()
        program = self._programs.get("screen_vert", "occlusion_frag")
        assign(program, texel=max(wide, high) / side, **_UNITS)
        heights.use(_UNITS["heights"])
        self._full(program)
        sky.use(_UNITS["occlusion"])
        return area.x0, area.y0, 1 / wide, 1 / high

    def _full(self, program: moderngl.Program) -> None:
        self._gl.enable_only(moderngl.NOTHING)
        if program.glo not in self._screen:
            self._screen[program.glo] = self._gl.vertex_array(program, [])
        self._screen[program.glo].render(vertices=3)
        self._gl.enable_only(moderngl.DEPTH_TEST | moderngl.CULL_FACE)

    def _shadows(self, load: Load, lighting: Lighting, side: int) -> list[NDArray[np.float64]]:
        """One map per lamp; returns board → clip space of each lamp."""
        clips = []
        area, top = load.outer, load.card.top
        corners = np.array([(x, y, z, 1.0) for x in (area.x0, area.x1) for y in (area.y0, area.y1) for z in (-1e-3, top)])
        for number, lamp in enumerate(lighting.directional):
            back = np.asarray(lamp.direction) / np.linalg.norm(lamp.direction)
            right = np.cross((0.0, 1.0, 0.0) if abs(back[1]) < 0.9 else (1.0, 0.0, 0.0), back)
            right /= np.linalg.norm(right)
            turn = np.eye(4)
            turn[:3, :3] = right, np.cross(back, right), back
            seen = corners @ turn.T
            low, high = seen[:, :3].min(axis=0), seen[:, :3].max(axis=0)
            scale, middle = 2 / np.maximum(high - low, 1e-6), (low + high) / 2
            fit = np.diag([scale[0], scale[1], -scale[2], 1.0])
            fit[:3, 3] = -fit.diagonal()[:3] * middle
            clip = fit @ turn
            clips.append(clip)
            target, depth = self._map(f"shadow_{number}", side, side)
            target.use()
            target.clear(depth=1.0)
            if lamp.shadows:
                self._gl.front_face = "ccw"
                self._gl.polygon_offset = (1.5, 4.0)
                self._draw_parts(load, "height_frag", True, clip=matrix(clip))
                self._gl.polygon_offset = (0.0, 0.0)
                self._gl.front_face = "cw"
            depth.use(_UNITS[f"shadow_{number}"])
        return clips

    def _light(self, load: Load, camera: Camera, lighting: Lighting, look: Look) -> dict[str, object]:
        """Prepare everything that the shading needs; returns the uniforms of the picture."""
        table = light.environment(lighting)
        self._environment.write(table.tobytes())
        self._environment.use(_UNITS["environment"])
        self._materials.use(_UNITS["materials"])
        (load.card.marks or self._blank).use(_UNITS["markings"])
        side = 512 if max(camera.width, camera.height) <= 1536 else 1024
        uniforms: dict[str, object] = {"occlusion_map": self._sky(load, side), "diffuse_cubic": light.diffuse_cubic(table)}
        lamps = lighting.directional
        if lamps:
            clips = self._shadows(load, lighting, 2 * side)
            uniforms["lamp_clip"] = np.concatenate([matrix(c).ravel() for c in clips])
            uniforms["lamp_direction"] = np.array([np.asarray(a.direction) / np.linalg.norm(a.direction)
                                                  for a in lamps], np.float32)
            uniforms["lamp_irradiance"] = np.array([a.irradiance for a in lamps], np.float32)
        back = camera.pose[:3, 2]
        uniforms["eye"] = (*camera.pose[:3, 3], 1.0) if camera.model == "perspective" else (*back, 0.0)
        uniforms["to_camera"] = matrix(camera.pose[:3, :3].T)
        uniforms["gain"] = tuple(lighting.exposure * np.asarray(lighting.white_balance, float))
        uniforms["mark_contrast"] = look.marking_contrast
        uniforms["solder_roughness"] = look.solder_roughness
        return uniforms

    def _paint(self, load: Load, slab: Slab, clip: NDArray[np.float64], lamps: int, look: Look,
               uniforms: dict[str, object]) -> None:
        """Parts first, so that the board under them is never shaded."""
        here = dict(uniforms, clip=matrix(clip))
        self._gl.enable_only(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        self._draw_parts(load, "part_frag", False, lamps, **here)
        card = self._slabs.get(slab)
        self._artworks.get(slab.coverage).use(_UNITS["artwork"])
        here |= {**look_colors(look), "mask_roughness": look.mask_roughness, "finish_roughness": look.finish_roughness,
                 "step_height": slab.copper_thickness, "artwork_map": card.artwork_map}
        if load.film[0] and load.card.film:
            self._gl.polygon_offset = (0.0, -32.0)     # about 0.1 µm: enough to win over the same plane
            program = self._programs.get("board_vert", "board_frag", lamps=lamps, film=True)
            assign(program, **here, **_UNITS)
            load.card.film.array(program).render(vertices=3 * load.film[0])
            self._gl.polygon_offset = (0.0, 0.0)
        program = self._programs.get("board_vert", "board_frag", lamps=lamps)
        assign(program, **here, **_UNITS)
        card.array(program).render()

    # -- pictures -------------------------------------------------------------------------------------------------------

    def render(self, geometry: Geometry, camera: Camera, lighting: Lighting, look: Look, outputs: frozenset[str],
               noise_seed: int, antialias: bool) -> Buffers:
        load = self._aim(geometry, camera)
        uniforms = self._light(load, camera, lighting, look)
        target = self._target.get(camera.width, camera.height)
        view = camera.view()
        shape = (camera.height, camera.width)
        background = self._background(lighting, look)
        target.tagged.clear(depth=1.0)
        target.tinted.clear(*background)
        (target.whole if "normal" in outputs else target.plain).use()
        self._paint(load, geometry.slab, _FLIP @ camera.projection() @ view, len(lighting.directional), look, uniforms)

        rgb_wanted = "rgb" in outputs
        smooth = rgb_wanted and antialias
        tag = read(target.tag, np.uint32, shape) if outputs & {"instance", "part", "normal"} or smooth else None
        raw = read(target.depth, np.float32, shape) if "depth" in outputs or smooth else None
        normal = read(target.normal, np.float32, (*shape, 3)) if "normal" in outputs else None
        if normal is not None and tag is not None:
            normal[tag == 0] = 0               # the buffer is not cleared: that costs more than this
        rgb = None
        if rgb_wanted:
            rgb = np.empty((*shape, 3), np.uint8)
            target.tinted.read_into(rgb, components=3, alignment=1)
            if smooth and tag is not None and raw is not None:
                self._smooth(rgb, tag, raw, load, geometry.slab, camera, view, lighting, look, uniforms, target, background)
            rgb = develop.finish(rgb, lighting.blur, lighting.noise, noise_seed)
        return Buffers(rgb=rgb, depth=metres(raw, camera) if "depth" in outputs and raw is not None else None,
                       normal=normal if "normal" in outputs else None,
                       instance=tag & np.uint32(ID_LIMIT - 1) if "instance" in outputs and tag is not None else None,
                       part=(tag >> np.uint32(28)).astype(np.uint16) if "part" in outputs and tag is not None else None)

    def _background(self, lighting: Lighting, look: Look) -> tuple[float, float, float, float]:
        """What is past the board, lit like a level diffuser."""
        color = develop.srgb_to_linear(look.background) * light.level_diffuser(lighting)
        r, g, b = color * lighting.exposure * np.asarray(lighting.white_balance, float)
        return float(r), float(g), float(b), 1.0

    def _smooth(self, rgb: NDArray[np.uint8], tag: NDArray[np.uint32], raw: NDArray[np.float32], load: Load, slab: Slab,
                camera: Camera, view: NDArray[np.float64], lighting: Lighting, look: Look, uniforms: dict[str, object],
                target: Targets, background: tuple[float, float, float, float]) -> None:
        """Replace pixels where surfaces meet by the mean of four samples."""
        mixed = develop.edges(tag & _SURFACE, raw, 2 * camera.pixel_size / (camera.far - camera.near))
        where = np.flatnonzero(mixed)
        if not len(where):
            return
        target.depth.write(mixed.astype(np.float32))
        samples = []
        full = np.empty((*mixed.shape, 3), np.uint8)
        for number, (x, y) in enumerate(SPREAD):
            # each round draws into a nearer slice of the depth range: earlier rounds never hide it, the mask always does
            near = np.eye(4)
            near[2, 2], near[2, 3] = 0.3, 0.65 - 0.62 * number
            target.tinted.clear(*background)
            target.shaded.use()
            self._paint(load, slab, near @ _FLIP @ shifted(camera, x, y) @ view, len(lighting.directional), look, uniforms)
            target.tinted.read_into(full, components=3, alignment=1)
            samples.append(full.reshape(-1, 3)[where])
        develop.resolve(rgb, where, samples)

    def reference(self, geometry: Geometry, camera: Camera, lighting: Lighting, look: Look, factor: int) -> NDArray[np.uint8]:
        load = self._aim(geometry, camera)
        uniforms = self._light(load, camera, lighting, look)
        target = self._target.get(camera.width, camera.height)
        out = np.zeros((camera.height, camera.width, 3), np.uint8)
        step_y, step_x = camera.height // factor, camera.width // factor
        full = np.empty((camera.height, camera.width, 3), np.uint8)
        for row in range(factor):
            for column in range(factor):
                _, projection = cell(camera, factor, column, row)
                target.shaded.clear(depth=1.0)
                target.tinted.clear(*self._background(lighting, look))
                target.shaded.use()
                self._paint(load, geometry.slab, _FLIP @ projection @ camera.view(), len(lighting.directional), look, uniforms)
                target.tinted.read_into(full, components=3, alignment=1)
                mean = develop.decode(full).reshape(step_y, factor, step_x, factor, 3).mean(axis=(1, 3))
                out[row * step_y:(row + 1) * step_y, column * step_x:(column + 1) * step_x] = develop.encode(mean)
        return out

    def silhouettes(self, geometry: Geometry, camera: Camera, ids: Sequence[int]) -> dict[int, NDArray[np.bool_]]:
        clip = matrix(_FLIP @ camera.projection() @ camera.view())
        return silhouettes(self, self._geometries.get(geometry), camera, clip, ids)

    def tag_only(self, card: GeometryOnCard, camera: Camera, clip: NDArray[np.float32], ids: NDArray[np.uint32],
                 out: NDArray[np.uint32]) -> None:
        """Draw the tags of the things ``ids`` and nothing else into ``out``."""
        target = self._target.get(camera.width, camera.height)
        self._gl.enable_only(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        target.tagged.use()
        target.tagged.clear(depth=1.0)
        program = self._programs.get("part_vert", "tag_frag")
        self._materials.use(_UNITS["materials"])
        assign(program, clip=clip, **_UNITS)
        for group in card.groups:
            rows = group.rows[np.isin(group.rows["instance"], ids)]
            if len(rows):
                mesh = self._meshes.get(group.mesh)
                mesh.load(rows)
                mesh.array(program).render(instances=len(rows))
        soup = card.source.soup
        if card.soup:
            faces = card.soup.faces[np.isin(soup.instance[card.soup.faces[:, 0]], ids)]
            if len(faces):
                program = self._programs.get("part_vert", "tag_frag", soup=True)
                assign(program, clip=clip, **_UNITS)
                card.soup.load(faces)
                card.soup.array(program).render(vertices=3 * len(faces))
        if card.film:
            faces = card.film.faces[np.isin(card.film_tags[::3] & np.uint32(ID_LIMIT - 1), ids)]
            if len(faces):
                program = self._programs.get("board_vert", "tag_frag", film=True)
                assign(program, clip=clip, **_UNITS)
                card.film.load(faces)
                card.film.array(program).render(vertices=3 * len(faces))
        if BOARD_ID in ids:
            slab = self._slabs.get(card.source.slab)
            self._artworks.get(card.source.slab.coverage).use(_UNITS["artwork"])
            program = self._programs.get("board_vert", "slab_tag_frag")
            assign(program, clip=clip, artwork_map=slab.artwork_map, **_UNITS)
            slab.array(program).render()
        target.tag.read_into(out, alignment=1)

    def release(self) -> None:
        for kept in (self._geometries, self._meshes, self._slabs, self._artworks):
            kept.clear()
        self._target.release()


__all__ = ["MAX_LAMPS", "Frame"]
