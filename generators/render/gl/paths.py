"""Path lengths for X-ray pictures: how far each ray runs inside each kind of matter, by additive signed depth.

Every fragment of a closed body adds its depth where the ray leaves, and takes it off where the ray enters; what is left is
the way inside, whatever is in front of what. Depths are along the view axis; times each pixel's own secant, in the shader,
they are lengths along the ray, so a cone beam has its true path lengths. Four lengths are summed at once: per material four
coefficients say how much of each basis a metre is.

1. board    one triangle over the picture: laminate as a box, all copper layers as sheets
2. holes    what the board lacks of its box, taken off; drilled holes as cylinders that leave their plating
3. bodies   packages and solder
4. voids    chords of the bubbles, taken off

Bodies are assumed to be closed, and not to lie inside each other (docs/adr/0050 says how far that holds).
"""
from __future__ import annotations

from dataclasses import dataclass, field

import moderngl
import numpy as np
from numpy.typing import NDArray

from generators.render.gl.context import assign
from generators.render.gl.drawing import UNITS, Drawing, matrix
from generators.render.gl.store import Kept, Loose, loose, wired
from generators.render.view import Window, window
from scenes.errors import InputError
from scenes.geometry import Buried, Geometry, Slab, Voids
from scenes.materials import index
from scenes.optics import Camera

F32 = NDArray[np.float32]
Part = tuple[int, int, int, int]               # of a picture: x, y, width, height [px]

LAYERS_MOST = 32                               # copper layers below the front: eight textures
BELOW = 4e-3                                   # [m] pins reach this far out of the board's back
_FLIP = np.diag([1.0, -1.0, 1.0, 1.0])         # image row 0 is the first row in memory, as in frame.py
_SEGMENTS = 20                                 # of a hole
_HOLE = np.dtype([("center", "<f4", 2), ("radius", "<f4"), ("half", "<f4", 2), ("amount", "<f4", 4)])
_VOID = np.dtype([("center", "<f4", 3), ("radius", "<f4")])
_COARSE = 1.5                                  # [texels] larger pixels take mipmaps
_COEFFICIENTS, _BURIED = 16, 17                # first texture units that no other pass has (drawing.UNITS ends before)


@dataclass
class _Below:
    """What is kept of a slab: its layers below the front."""
    textures: list[moderngl.Texture]           # RGBA: layers 0 to 3, 4 to 7, …
    cutouts: Loose | None
    map: tuple[float, float, float, float]
    layers: NDArray[np.float32]                # (L, 2) height, thickness [m]

    def release(self) -> None:
        if self.cutouts is not None:
            self.cutouts.release()
        for texture in self.textures:
            texture.release()


@dataclass
class _Rows:
    """A small closed mesh and a buffer for as many rows as a picture needs."""
    context: moderngl.Context
    vertices: moderngl.Buffer
    faces: moderngl.Buffer
    layout: tuple[str, ...]
    rows: moderngl.Buffer
    arrays: dict[int, moderngl.VertexArray] = field(default_factory=dict)

    @staticmethod
    def of(context: moderngl.Context, vertices: NDArray[np.float64], faces: NDArray[np.int64], *layout: str) -> _Rows:
        return _Rows(context, context.buffer(vertices.astype("<f4").tobytes()), context.buffer(faces.astype("<u4").tobytes()),
                     layout, context.buffer(reserve=64, dynamic=True))

    def draw(self, program: moderngl.Program, rows: NDArray[np.void]) -> None:
        data = rows.tobytes()
        if len(data) > self.rows.size:
            self.drop()
            self.rows.release()
            self.rows = self.context.buffer(reserve=1 << (len(data) - 1).bit_length(), dynamic=True)
        self.rows.write(data)
        if program.glo not in self.arrays:
            self.arrays[program.glo] = wired(self.context, program, (self.vertices, "3f", "in_position"),
                                             (self.rows, *self.layout), index=self.faces)
        self.arrays[program.glo].render(instances=len(rows))

    def drop(self) -> None:
        for array in self.arrays.values():
            array.release()
        self.arrays.clear()

    def release(self) -> None:
        self.drop()
        for buffer in (self.vertices, self.faces, self.rows):
            buffer.release()


class Paths:
    """Draws path lengths. Shares what was uploaded for pictures of the same geometry."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing, self._gl = drawing, drawing.gl
        self._below: Kept[_Below] = Kept(4, lambda b: _below(self._gl, b), lambda v: v.release())
        self._table: Kept[moderngl.Texture] = Kept(2, lambda t: self._gl.texture((len(t), 1), 4, dtype="f4"),
                                                   lambda v: v.release())
        self._holes = _Rows.of(self._gl, *_cylinder(_SEGMENTS), "2f 1f 2f 4f/i", "in_center", "in_radius", "in_half", "in_amount")
        self._voids = _Rows.of(self._gl, *_cube(), "3f 1f/i", "in_center", "in_radius")
        self._smooth = [self._gl.sampler(repeat_x=True, repeat_y=True, filter=(low, moderngl.LINEAR))
                        for low in (moderngl.LINEAR, moderngl.LINEAR_MIPMAP_NEAREST)]
        self._target: tuple[moderngl.Texture, moderngl.Framebuffer] | None = None

    def render(self, geometry: Geometry, camera: Camera, coefficients: F32) -> F32:
        """Lengths of the basis along every ray, float32 (H, W, 4) [m]. See the module.

        Args:
            coefficients: (M, 4), metres of each basis per metre of each of the geometry's materials.

        Raises:
            InputError: coefficients of another shape; more copper layers than 32.
        """
        kinds = len(geometry.materials)
        if coefficients.shape != (kinds, 4):
            raise InputError(f"paths: coefficients of shape {coefficients.shape}; give ({kinds}, 4)")
        drawing, slab = self._drawing, geometry.slab
        amount = np.ascontiguousarray(coefficients, np.float32)
        copper, laminate, solder = (amount[index(n)] for n in ("copper", "fr4", "solder_sac305"))
        card = drawing.card(geometry)
        seen = window(camera, -slab.thickness - BELOW, max(card.top, 0.0))
        clip = matrix(_FLIP @ camera.projection() @ camera.view())
        back = camera.pose[:3, 2]
        eye = (*camera.pose[:3, 3], 1.0) if camera.model == "perspective" else (*back, 0.0)
        depth = (*-back, float(back @ camera.pose[:3, 3]) - camera.distance)
        across = camera.pixel_size / camera.distance if camera.model == "perspective" else 0.0
        ray = {"clip": clip, "depth": depth, "slope": (across, across * camera.width / 2, across * camera.height / 2)}
        table = self._table.get(geometry.materials)
        table.write(amount.tobytes())
        table.filter = (moderngl.NEAREST, moderngl.NEAREST)
        table.use(_COEFFICIENTS)
        target = self._picture(camera)
        target.use()

        self._gl.enable_only(moderngl.NOTHING)
        below = self._below.get(slab.buried) if slab.buried is not None else None
        self._board(target, slab, below, camera, eye, copper - laminate, laminate)
        self._gl.enable_only(moderngl.BLEND)
        self._gl.blend_func = moderngl.ONE, moderngl.ONE
        program = drawing.programs.get("path_slab_vert", "path_frag")
        assign(program, **ray, laminate=tuple(-laminate if below else laminate))
        if below is None:
            drawing.laminate(slab).array(program).render()
        elif below.cutouts is not None and (count := below.cutouts.aim(seen, seen)[0]):
            below.cutouts.array(program).render(vertices=3 * count)
        if slab.buried is not None and len(slab.buried.holes):
            rows = _hole_rows(slab.buried, copper, laminate)
            reach = rows["radius"] + np.hypot(rows["half"][:, 0], rows["half"][:, 1])
            rows = rows[_within(rows["center"], reach, seen)]
            if len(rows):
                program = drawing.programs.get("path_hole_vert", "path_frag")
                assign(program, **ray, thickness=slab.thickness)
                self._holes.draw(program, rows)

        program = drawing.programs.get("path_vert", "path_frag")
        assign(program, **ray, coefficients=_COEFFICIENTS)
        for group in card.groups:
            rows, count = group.visible(seen, seen)
            if count:
                mesh = drawing.mesh(group.mesh)
                mesh.load(rows)
                assign(program, extent=2 * group.radius)
                mesh.array(program).render(instances=count)
        count = card.soup.aim(seen, seen)[0] if card.soup else 0
        if count and card.soup:
            program = drawing.programs.get("path_vert", "path_frag", soup=True)
            assign(program, **ray, coefficients=_COEFFICIENTS, extent=1e3)
            card.soup.array(program).render(vertices=3 * count)
        if geometry.voids is not None:
            rows = _void_rows(geometry.voids)
            rows = rows[_within(rows["center"], rows["radius"], seen)]
            if len(rows):
                program = drawing.programs.get("path_void_vert", "path_void_frag")
                assign(program, clip=clip, eye=eye, solder=tuple(solder))
                self._gl.enable_only(moderngl.BLEND | moderngl.CULL_FACE)
                self._voids.draw(program, rows)
        out = np.empty((camera.height, camera.width, 4), np.float32)
        target.read_into(out, components=4, dtype="f4", alignment=1)
        drawing.solid()
        return out

    def _board(self, target: moderngl.Framebuffer, slab: Slab, below: _Below | None, camera: Camera, eye: tuple[float, ...],
               copper: F32, laminate: F32) -> None:
        """Every pixel once: this also clears the target. Only where a side of the box is near, anything asks for it."""
        half = np.array([camera.width, camera.height]) * camera.pixel_size / 2
        pose, buried = camera.pose, slab.buried
        corner = pose[:3, 3] - camera.distance * pose[:3, 2] - half[0] * pose[:3, 0] + half[1] * pose[:3, 1]
        units = [UNITS["artwork"]]
        self._drawing.artwork(slab).use(units[0])
        self._smooth[camera.pixel_size > _COARSE * slab.coverage.texel_size].use(units[0])
        uniforms: dict[str, object] = {
            "eye": eye, "corner": tuple(corner), "right": tuple(camera.pixel_size * pose[:3, 0]),
            "down": tuple(-camera.pixel_size * pose[:3, 1]), "copper": tuple(copper), "artwork": units[0],
            "artwork_map": self._drawing.laminate(slab).artwork_map, "front": slab.copper_thickness, "screen_depth": 0.5,
            "laminate": tuple(laminate), "thickness": slab.thickness, "box": buried.box if buried else (1.0, 1.0, 0.0, 0.0)}
        if below is not None and buried is not None:
            for unit, texture in enumerate(below.textures, _BURIED):
                texture.use(unit)
                self._smooth[camera.pixel_size > _COARSE * buried.texel_size].use(unit)
                units.append(unit)
            if below.textures:
                uniforms |= {"buried": units[1] if len(units) == 2 else tuple(units[1:]), "buried_map": below.map,
                             "layer": below.layers}
        # far from the board's rim every ray goes in through its top and out through its bottom
        middle = through(camera, buried.box, slab.thickness) if buried is not None else (0, 0, 0, 0)
        for within, parts in ((True, [middle]), (False, around(middle, camera.width, camera.height))):
            program = self._drawing.programs.get("screen_vert", "path_copper_frag", within=within,
                                                 layers=len(below.layers) if below else 0)
            assign(program, **uniforms)
            for part in parts:
                if part[2] > 0 and part[3] > 0:
                    target.scissor = part
                    target.use()
                    self._drawing.screen(program)
        target.scissor = 0, 0, camera.width, camera.height
        target.use()
        for unit in units:
            self._smooth[0].clear(unit)

    def _picture(self, camera: Camera) -> moderngl.Framebuffer:
        size = (camera.width, camera.height)
        if self._target is None or self._target[0].size != size:
            self._drop()
            texture = self._gl.texture(size, 4, dtype="f4")
            self._target = texture, self._gl.framebuffer([texture])
        return self._target[1]

    def _drop(self) -> None:
        if self._target is not None:
            self._target[1].release()
            self._target[0].release()
            self._target = None

    def release(self) -> None:
        self._below.clear()
        self._drop()
        self._table.clear()
        for rows in (self._holes, self._voids):
            rows.release()
        for sampler in self._smooth:
            sampler.release()


def through(camera: Camera, box: tuple[float, float, float, float], thickness: float) -> Part:
    """Pixels whose rays enter a box (x0, y0, x1, y1; top at z = 0) through its top and leave it through its bottom.

    An upright rectangle between the projected corners of both, a pixel smaller; empty where there is none, and where the
    camera is turned so far that its corners are not inside.
    """
    x0, y0, x1, y1 = box
    corners = np.array([(x, y, z) for z in (0.0, -thickness) for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))])
    at = camera.project(corners)
    middle = at.mean(axis=0)
    low = np.where(at < middle, at, -np.inf).max(axis=0)
    high = np.where(at > middle, at, np.inf).min(axis=0)
    left, above = (int(v) for v in np.clip(np.ceil(low) + 1, 0, (camera.width, camera.height)))
    right, below = (int(v) for v in np.clip(np.floor(high) - 1, 0, (camera.width, camera.height)))
    # a picture of the rectangle on a plane is convex: its corners speak for all of it
    place = np.array([(x, y) for x in (left, right) for y in (above, below)], float)
    ahead = np.column_stack([(place[:, 0] - camera.width / 2) * camera.pixel_size,
                             (camera.height / 2 - place[:, 1]) * camera.pixel_size, np.full(4, -camera.distance)])
    seen = ahead @ camera.pose[:3, :3].T + camera.pose[:3, 3]                  # in the focus plane
    along = seen - camera.pose[:3, 3] if camera.model == "perspective" else np.tile(-camera.pose[:3, 2], (4, 1))
    for z in (0.0, -thickness):
        x, y = (seen + along * ((z - seen[:, 2]) / along[:, 2])[:, None]).T[:2]
        if not ((x > x0) & (x < x1) & (y > y0) & (y < y1)).all():
            return 0, 0, 0, 0
    return left, above, max(right - left, 0), max(below - above, 0)


def around(part: Part, width: int, height: int) -> list[Part]:
    """What a picture has beside one part of it."""
    x, y, w, h = part
    return [(0, 0, width, y), (0, y, x, h), (x + w, y, width - x - w, h), (0, y + h, width, height - y - h)]


def _within(center: F32, radius: F32, area: Window) -> NDArray[np.bool_]:
    x, y = center[:, 0], center[:, 1]
    return np.asarray((x + radius > area.x0) & (x - radius < area.x1) & (y + radius > area.y0) & (y - radius < area.y1))


def _hole_rows(buried: Buried, copper: F32, laminate: F32) -> NDArray[np.void]:
    """Cylinders with what they change: a plated hole is a cylinder of copper for laminate with one of air in it."""
    holes = buried.holes
    plated = np.flatnonzero(holes[:, 5] > 0)
    out = np.zeros(len(holes) + len(plated), _HOLE)
    both = np.concatenate([holes, holes[plated]])
    out["center"], out["radius"], out["half"] = both[:, :2], both[:, 2], both[:, 3:5]
    # a hole that the mesh does not have takes laminate away
    out["amount"] = np.where(both[:, 6:] > 0, 0.0, -laminate)
    out["amount"][:len(holes)] -= np.where(holes[:, 5:6] > 0, copper - laminate, 0.0)
    # the plating's outer cylinder
    out["radius"][len(holes):] += holes[plated, 5]
    out["amount"][len(holes):] = copper - laminate
    return out


def _void_rows(voids: Voids) -> NDArray[np.void]:
    out = np.zeros(len(voids.radius), _VOID)
    out["center"], out["radius"] = voids.center, voids.radius
    return out


def _below(context: moderngl.Context, buried: Buried) -> _Below:
    """Upload the layers and cut-outs. Raises InputError where there are more layers than the shader takes."""
    count, height, width = buried.texels.shape
    if count > LAYERS_MOST:
        raise InputError(f"X-ray: {count} copper layers below the front; at most {LAYERS_MOST}")
    textures = []
    for first in range(0, count, 4):           # four in a texture: llvmpipe filters RGBA8 twice as fast as R8
        texels = np.zeros((height, width, 4), np.uint8)
        for channel, layer in enumerate(buried.texels[first:first + 4]):
            texels[..., channel] = layer
        texture = context.texture((width, height), 4, texels)
        texture.build_mipmaps()
        textures.append(texture)
    mesh, cutouts = buried.cutouts, None
    if len(mesh.faces):
        vertices = np.zeros(len(mesh.vertices), [("position", "<f4", 3)])
        vertices["position"] = mesh.vertices
        cutouts = loose(context, vertices, np.ascontiguousarray(mesh.faces, np.uint32), ("3f", "in_position"))
    size = buried.texel_size
    return _Below(textures, cutouts,
                  (buried.origin[0], buried.origin[1] + height * size, 1 / (width * size), -1 / (height * size)),
                  np.column_stack([buried.height, buried.thickness]).astype(np.float32))


def _cylinder(segments: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """A closed cylinder of a circle's area, z from −1 to 0; points at x = 0 are avoided, where a slot is cut."""
    angle = 2 * np.pi * (np.arange(segments) + 0.5) / segments
    scale = np.sqrt(2 * np.pi / segments / np.sin(2 * np.pi / segments))
    ring = scale * np.column_stack([np.cos(angle), np.sin(angle)])
    vertices = np.concatenate([np.column_stack([ring, np.zeros(segments)]), np.column_stack([ring, -np.ones(segments)])])
    k = np.arange(segments)
    nxt = (k + 1) % segments
    fan = np.arange(1, segments - 1)
    faces = np.concatenate([
        np.column_stack([k, k + segments, nxt + segments]), np.column_stack([k, nxt + segments, nxt]),
        np.column_stack([np.zeros_like(fan), fan, fan + 1]), segments + np.column_stack([np.zeros_like(fan), fan + 1, fan])])
    return vertices, faces


def _cube() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The cube [−1, 1]³, counter-clockwise from outside."""
    vertices = np.array([(x, y, z) for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)], float)
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    return vertices, np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])


__all__ = ["LAYERS_MOST", "Paths"]
