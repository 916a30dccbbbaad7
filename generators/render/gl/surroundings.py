"""What lights and shades a frame: the lamps' table, open sky around every place, shadow maps. Bound, and as uniforms."""
from __future__ import annotations

import moderngl
import numpy as np
from numpy.typing import NDArray

from generators.render import lighting as light
from generators.render.gl.context import assign
from generators.render.gl.drawing import UNITS, Drawing, Load, matrix
from scenes.optics import Camera, Lighting, Look


class Surroundings:
    """Owns the maps that shading reads."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing, self._gl = drawing, drawing.gl
        self._maps: dict[tuple[str, int, int], tuple[moderngl.Framebuffer, moderngl.Texture]] = {}
        self._environment = self._gl.texture((light.COLUMNS, light.ROUGHNESS_ROWS + 1), 3, dtype="f4")
        self._environment.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self._environment.repeat_x = self._environment.repeat_y = False

    def prepare(self, load: Load, camera: Camera, lighting: Lighting, look: Look) -> dict[str, object]:
        """Prepare everything that the shading needs; returns its uniforms."""
        table = light.environment(lighting)
        self._environment.write(table.tobytes())
        self._environment.use(UNITS["environment"])
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
        uniforms["gain"] = tuple(lighting.exposure * np.asarray(lighting.white_balance, float))
        uniforms["mark_contrast"] = look.marking_contrast
        return uniforms

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
        self._drawing.solid()
        target.use()
        target.clear()
        self._drawing.parts(load, "height_frag", True, clip=matrix(clip))
        self._gl.front_face = "cw"
        heights.build_mipmaps()
        heights.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
        out, sky = self._map("sky", side // 2, side // 2)
        sky.filter = (moderngl.LINEAR, moderngl.LINEAR)
        out.use()
        program = self._drawing.programs.get("screen_vert", "occlusion_frag")
        assign(program, texel=max(wide, high) / side, **UNITS)
        heights.use(UNITS["heights"])
        self._gl.enable_only(moderngl.NOTHING)
        self._drawing.screen(program)
        sky.use(UNITS["occlusion"])
        return area.x0, area.y0, 1 / wide, 1 / high

    def _shadows(self, load: Load, lighting: Lighting, side: int) -> list[NDArray[np.float64]]:
        """One map per lamp; returns board → clip space of each lamp."""
        clips = []
        area, top = load.outer, load.card.top
        corners = np.array([(x, y, z, 1.0) for x in (area.x0, area.x1) for y in (area.y0, area.y1) for z in (-1e-3, top)])
        self._drawing.solid()
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
                self._drawing.parts(load, "height_frag", True, clip=matrix(clip))
                self._gl.polygon_offset = (0.0, 0.0)
                self._gl.front_face = "cw"
            depth.use(UNITS[f"shadow_{number}"])
        return clips


__all__ = ["Surroundings"]
