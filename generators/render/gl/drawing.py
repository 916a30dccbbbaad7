"""What a frame draws, and drawing it: packages, solder, films and the board, into whatever is bound."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import moderngl
import numpy as np
from numpy.typing import NDArray

from generators.render.gl.context import Programs, assign
from generators.render.gl.store import (
    GeometryOnCard,
    Kept,
    MeshOnCard,
    SlabOnCard,
    artwork_on_card,
    geometry_on_card,
    mesh_on_card,
)
from generators.render.surfaces import material_table
from generators.render.view import Window, window
from scenes.geometry import BOARD_ID, Geometry, Mesh, Slab
from scenes.materials import Material
from scenes.optics import Camera

MAX_LAMPS = 4
SHADOW_REACH = 2e-3                            # [m] parts this far outside the picture still darken it
UNITS = {"environment": 0, "occlusion": 1, "materials": 2, "markings": 3, "artwork": 4, "heights": 5,
         **{f"shadow_{i}": 6 + i for i in range(MAX_LAMPS)}, "surface": 6 + MAX_LAMPS, "listed": 7 + MAX_LAMPS}


def matrix(m: NDArray[np.float64]) -> NDArray[np.float32]:
    """Row-major → what a uniform takes."""
    return np.ascontiguousarray(m.T, np.float32)


def _table_on_card(context: moderngl.Context, table: Sequence[Material]) -> moderngl.Texture:
    values = material_table(table)
    texture = context.texture((2, len(values)), 4, values.tobytes(), dtype="f4")
    texture.repeat_x = texture.repeat_y = False
    return texture


@dataclass(frozen=True)
class Load:
    """What a frame draws: per mesh the count in the picture and in the wider window, triangles of solder likewise."""
    card: GeometryOnCard
    meshes: list[tuple[MeshOnCard, int, int]]
    soup: tuple[int, int]
    film: tuple[int, int]
    outer: Window


class Drawing:
    """Keeps what was uploaded and draws it."""

    def __init__(self, context: moderngl.Context) -> None:
        self.gl = context
        self.programs = Programs(context)
        self._geometries: Kept[GeometryOnCard] = Kept(2, lambda g: geometry_on_card(context, g), lambda v: v.release())
        self._meshes: Kept[MeshOnCard] = Kept(1024, lambda m: mesh_on_card(context, m), lambda v: v.release())
        self._slabs: Kept[SlabOnCard] = Kept(4, lambda s: SlabOnCard(context, s), lambda v: v.release())
        self._artworks: Kept[moderngl.Texture] = Kept(2, lambda c: artwork_on_card(context, c), lambda v: v.release())
        self._materials: Kept[moderngl.Texture] = Kept(4, lambda t: _table_on_card(context, t), lambda v: v.release())
        self._blank = context.texture((1, 1), 1, b"\0")
        self._screen: dict[int, moderngl.VertexArray] = {}
        context.front_face = "cw"              # pictures are drawn upside down, so that row 0 comes first in memory
        context.cull_face = "back"

    def card(self, geometry: Geometry) -> GeometryOnCard:
        """A unit's buffers."""
        return self._geometries.get(geometry)

    def mesh(self, mesh: Mesh) -> MeshOnCard:
        """A package's buffers."""
        return self._meshes.get(mesh)

    def laminate(self, slab: Slab) -> SlabOnCard:
        """The slab's buffers."""
        return self._slabs.get(slab)

    def artwork(self, slab: Slab) -> moderngl.Texture:
        """The front's artwork."""
        return self._artworks.get(slab.coverage)

    def aim(self, geometry: Geometry, camera: Camera) -> Load:
        """Find what the camera can see or be shaded by, and bind what all passes read."""
        card = self.card(geometry)
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
        self._materials.get(geometry.materials).use(UNITS["materials"])
        (card.marks or self._blank).use(UNITS["markings"])
        self._artworks.get(geometry.slab.coverage).use(UNITS["artwork"])
        return Load(card, meshes, soup, film, outer)

    def solid(self) -> None:
        """Depth test and culling: how everything but full-screen passes is drawn."""
        self.gl.enable_only(moderngl.DEPTH_TEST | moderngl.CULL_FACE)

    def parts(self, load: Load, fragment: str, wide: bool, mark_below: bool = False, /, **uniforms: object) -> None:
        """Packages and solder: those in the picture, or with ``wide`` all that can shade it.

        ``mark_below``: tag what is under the board's top as such."""
        program = self.programs.get("part_vert", fragment, mark_below=mark_below)
        assign(program, **uniforms, **UNITS)
        for mesh, near, all_ in load.meshes:
            count = all_ if wide else near
            if count:
                box = mesh.mesh.marking or (0.0, 0.0, 1.0, 1.0)
                assign(program, mark_box=(box[0], box[1], 1 / (box[2] - box[0]), 1 / (box[3] - box[1])))
                mesh.array(program).render(instances=count)
        count = load.soup[wide]
        if count and load.card.soup:
            soup = self.programs.get("part_vert", fragment, soup=True, mark_below=mark_below)
            assign(soup, **uniforms, **UNITS)
            load.card.soup.array(soup).render(vertices=3 * count)

    def films(self, load: Load, fragment: str, lamps: int = 0, /, **uniforms: object) -> None:
        """Residues and scratches, a hair nearer than the board that they lie on."""
        if load.film[0] and load.card.film:
            self.gl.polygon_offset = (0.0, -32.0)      # about 0.1 µm
            program = self.programs.get("board_vert", fragment, lamps=lamps, film=True)
            assign(program, **uniforms, artwork_map=self._slabs.get(load.card.source.slab).artwork_map, **UNITS)
            load.card.film.array(program).render(vertices=3 * load.film[0])
            self.gl.polygon_offset = (0.0, 0.0)

    def board(self, slab: Slab, fragment: str, lamps: int = 0, /, **uniforms: object) -> None:
        """The slab."""
        card = self._slabs.get(slab)
        program = self.programs.get("board_vert", fragment, lamps=lamps)
        assign(program, **uniforms, artwork_map=card.artwork_map, **UNITS)
        card.array(program).render()

    def screen(self, program: moderngl.Program) -> None:
        """Every pixel of the target once; what is enabled is the caller's."""
        if program.glo not in self._screen:
            self._screen[program.glo] = self.gl.vertex_array(program, [])
        self._screen[program.glo].render(vertices=3)

    def chosen(self, geometry: Geometry, clip: NDArray[np.float32], ids: NDArray[np.uint32], id_mask: int) -> None:
        """The tags of the things ``ids`` and of nothing else, wherever they are."""
        card = self.card(geometry)
        asked = np.zeros(int(ids.max(initial=0)) + 2, np.bool_)            # the last one stands for all higher ids
        asked[ids] = True
        last = np.uint32(len(asked) - 1)
        self.solid()
        self._materials.get(geometry.materials).use(UNITS["materials"])
        program = self.programs.get("part_vert", "id_frag")
        assign(program, clip=clip, **UNITS)
        for group in card.groups:
            rows = group.rows[asked[np.minimum(group.rows["instance"], last)]]
            if len(rows):
                mesh = self._meshes.get(group.mesh)
                mesh.load(rows)
                mesh.array(program).render(instances=len(rows))
        if card.soup:
            faces = card.soup.faces[asked[np.minimum(geometry.soup.instance, last)][card.soup.faces[:, 0]]]
            if len(faces):
                program = self.programs.get("part_vert", "id_frag", soup=True)
                assign(program, clip=clip, **UNITS)
                card.soup.load(faces)
                card.soup.array(program).render(vertices=3 * len(faces))
        if card.film:
            faces = card.film.faces[np.isin(card.film_tags[::3] & np.uint32(id_mask), ids)]
            if len(faces):
                program = self.programs.get("board_vert", "id_frag", film=True)
                assign(program, clip=clip, **UNITS)
                card.film.load(faces)
                card.film.array(program).render(vertices=3 * len(faces))
        if BOARD_ID in ids:
            self._artworks.get(geometry.slab.coverage).use(UNITS["artwork"])
            self.board(geometry.slab, "slab_tag_frag", clip=clip)

    def release(self) -> None:
        for kept in (self._geometries, self._meshes, self._slabs, self._artworks, self._materials):
            kept.clear()


__all__ = ["MAX_LAMPS", "UNITS", "Drawing", "Load", "matrix"]
