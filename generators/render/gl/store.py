"""What lives on the graphics side between calls: meshes, artwork, and the last few geometries. Bounded, and released.

Everything is keyed by object identity. The store keeps a reference to the object, so that an identity cannot be reused
while it is here.
"""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import moderngl
import numpy as np
from numpy.typing import NDArray

from generators.render.atlas import pack
from generators.render.films import films
from generators.render.view import Window, height_of, reach, seen
from scenes.errors import InputError, InvariantError
from scenes.geometry import Coverage, Geometry, Mesh, Slab, Soup

ID_LIMIT = 1 << 22                             # a tag is 22 bits of instance, 6 of direction, 4 of part
ROW = np.dtype([("pose", "<f4", 12), ("instance", "<u4"), ("tint", "<f4", 3), ("mark", "<f4", 4)])
_VERTEX = np.dtype([("position", "<f4", 3), ("normal", "<f4", 3), ("surface", "u1", 2), ("pad", "u1", 2)])
_SOUP = np.dtype([("position", "<f4", 3), ("normal", "<f4", 3), ("surface", "u1", 2), ("pad", "u1", 2),
                  ("instance", "<u4"), ("roughness", "<f4")])
_ROW_FORMAT = ("4f 4f 4f 1u4 3f 4f/i", "in_row0", "in_row1", "in_row2", "in_instance", "in_tint", "in_mark")

T = TypeVar("T")


class Kept(Generic[T]):
    """The ``size`` most recently used values, by identity of their source; what falls out is released."""

    def __init__(self, size: int, make: Callable[[Any], T], release: Callable[[T], None]) -> None:
        self._size, self._make, self._release = size, make, release
        self._held: OrderedDict[int, tuple[Any, T]] = OrderedDict()

    def get(self, source: Any) -> T:
        key = id(source)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key][1]
        value = self._make(source)
        self._held[key] = (source, value)
        while len(self._held) > self._size:
            self._release(self._held.popitem(last=False)[1][1])
        return value

    def clear(self) -> None:
        while self._held:
            self._release(self._held.popitem()[1][1])


def wired(context: moderngl.Context, program: moderngl.Program, *content: tuple[Any, ...],
          index: moderngl.Buffer | None = None) -> moderngl.VertexArray:
    """A vertex array of those attributes that the program reads; others are skipped by their size."""
    lists = []
    for buffer, layout, *names in content:
        kinds, _, rate = layout.partition("/")
        kept, used = [], []
        pending = list(names)
        for kind in kinds.split():
            if "x" in kind:
                kept.append(kind)
                continue
            name = pending.pop(0)
            if name in program:
                kept.append(kind)
                used.append(name)
            else:
                kept.append(_skip(kind))
        if used:
            lists.append((buffer, " ".join(kept) + ("/" + rate if rate else ""), *used))
    return context.vertex_array(program, lists, index_buffer=index, index_element_size=4)


def _skip(kind: str) -> str:
    count = "".join(c for c in kind if c.isdigit() and kind.index(c) == 0) or "1"
    size = 1 if kind.endswith("u1") else 4
    return f"{int(count) * size}x"


@dataclass
class MeshOnCard:
    """One mesh, and a buffer for the poses of the frame at hand."""
    context: moderngl.Context
    mesh: Mesh
    vertices: moderngl.Buffer
    faces: moderngl.Buffer
    rows: moderngl.Buffer
    capacity: int
    arrays: dict[int, moderngl.VertexArray] = field(default_factory=dict)

    def load(self, rows: NDArray[np.void]) -> None:
        if len(rows) > self.capacity:
            self.drop_arrays()
            self.rows.release()
            self.capacity = 1 << int(np.ceil(np.log2(len(rows))))
            self.rows = self.context.buffer(reserve=self.capacity * ROW.itemsize, dynamic=True)
        self.rows.write(rows.tobytes())

    def array(self, program: moderngl.Program) -> moderngl.VertexArray:
        if program.glo not in self.arrays:
            self.arrays[program.glo] = wired(self.context, program,
                                             (self.vertices, "3f 3f 2u1 2x", "in_position", "in_normal", "in_surface"),
                                             (self.rows, *_ROW_FORMAT), index=self.faces)
        return self.arrays[program.glo]

    def drop_arrays(self) -> None:
        for array in self.arrays.values():
            array.release()
        self.arrays.clear()

    def release(self) -> None:
        self.drop_arrays()
        for buffer in (self.vertices, self.faces, self.rows):
            buffer.release()


def mesh_on_card(context: moderngl.Context, mesh: Mesh) -> MeshOnCard:
    data = np.zeros(len(mesh.vertices), _VERTEX)
    data["position"], data["normal"] = mesh.vertices, mesh.normals
    data["surface"][:, 0], data["surface"][:, 1] = mesh.material, mesh.part
    return MeshOnCard(context, mesh, context.buffer(data.tobytes()),
                      context.buffer(np.ascontiguousarray(mesh.faces, np.uint32).tobytes()),
                      context.buffer(reserve=ROW.itemsize, dynamic=True), 1)


@dataclass
class Group:
    """All instances of one mesh in one geometry."""
    mesh: Mesh
    rows: NDArray[np.void]
    centers: NDArray[np.float64]
    radius: float

    def visible(self, inner: Window, outer: Window) -> tuple[NDArray[np.void], int]:
        """Rows that reach into the outer window, those of the inner one first, and how many those are."""
        wide = seen(self.centers, self.radius, outer)
        if not wide.any():
            return self.rows[:0], 0
        near = seen(self.centers, self.radius, inner) & wide
        order = np.concatenate([np.flatnonzero(near), np.flatnonzero(wide & ~near)])
        return self.rows[order], int(near.sum())


@dataclass
class Loose:
    """Triangles of this unit alone: solder, or films."""
    context: moderngl.Context
    vertices: moderngl.Buffer
    layout: tuple[Any, ...]
    faces: NDArray[np.uint32]                  # (T, 3)
    centers: NDArray[np.float32]               # (T, 2) [m]
    radius: float
    index: moderngl.Buffer
    arrays: dict[int, moderngl.VertexArray] = field(default_factory=dict)

    def aim(self, inner: Window, outer: Window) -> tuple[int, int]:
        """Load the triangles that reach into the windows; returns how many of them are in the inner and in the outer one."""
        x, y = self.centers[:, 0], self.centers[:, 1]

        def within(area: Window) -> NDArray[np.bool_]:
            area = area.grown(self.radius)
            return (x > area.x0) & (x < area.x1) & (y > area.y0) & (y < area.y1)

        wide = within(outer)
        near = within(inner) & wide
        chosen = np.concatenate([self.faces[near], self.faces[wide & ~near]])
        self.load(chosen)
        return int(near.sum()), len(chosen)

    def load(self, faces: NDArray[np.uint32]) -> None:
        if len(faces):
            self.index.write(np.ascontiguousarray(faces).tobytes())

    def array(self, program: moderngl.Program) -> moderngl.VertexArray:
        if program.glo not in self.arrays:
            self.arrays[program.glo] = wired(self.context, program, (self.vertices, *self.layout), index=self.index)
        return self.arrays[program.glo]

    def release(self) -> None:
        for array in self.arrays.values():
            array.release()
        self.arrays.clear()
        self.vertices.release()
        self.index.release()


def loose(context: moderngl.Context, data: NDArray[np.void], faces: NDArray[np.uint32], layout: tuple[Any, ...]) -> Loose:
    a, b, c = (np.take(np.ascontiguousarray(data["position"][:, :2]), faces[:, k], axis=0) for k in range(3))
    middle = (a + b + c) / np.float32(3)
    radius = max((float(np.abs(corner - middle).max()) for corner in (a, b, c)), default=0.0) if len(faces) else 0.0
    return Loose(context, context.buffer(data.tobytes()), layout, faces, middle, radius,
                 context.buffer(reserve=faces.size * 4, dynamic=True))


def soup_on_card(context: moderngl.Context, soup: Soup) -> Loose:
    data = np.zeros(len(soup.vertices), _SOUP)
    data["position"], data["normal"] = soup.vertices, soup.normals
    data["surface"][:, 0], data["surface"][:, 1] = soup.material, soup.part
    data["instance"], data["roughness"] = soup.instance, soup.roughness
    return loose(context, data, np.ascontiguousarray(soup.faces, np.uint32),
                  ("3f 3f 2u1 2x 1u4 1f", "in_position", "in_normal", "in_surface", "in_instance", "in_roughness"))


@dataclass
class GeometryOnCard:
    """One unit: rows of its instances, its solder, films and marks."""
    source: Geometry
    groups: list[Group]
    soup: Loose | None
    film: Loose | None
    film_tags: NDArray[np.uint32]              # (V,) of the films' vertices
    marks: moderngl.Texture | None
    top: float                                 # [m] nothing is higher

    def release(self) -> None:
        for item in (self.soup, self.film, self.marks):
            if item is not None:
                item.release()


def geometry_on_card(context: moderngl.Context, geometry: Geometry) -> GeometryOnCard:
    """Upload one unit.

    Raises:
        InvariantError: an instance id needs more than 22 bits.
    """
    marks, places = None, np.zeros((0, 4), np.float32)
    if geometry.markings:
        atlas, places = pack(geometry.markings)
        marks = context.texture(atlas.shape[::-1], 1, atlas.tobytes(), alignment=1)
        marks.build_mipmaps(max_level=2)
        marks.filter = (moderngl.LINEAR_MIPMAP_NEAREST, moderngl.LINEAR)
    groups: dict[int, Group] = {}              # by mesh: one buffer of poses each
    highest = int(geometry.soup.instance.max()) if len(geometry.soup.instance) else 0
    for group in geometry.instances:
        if not len(group.pose) or not len(group.mesh.faces):
            continue
        rows = np.zeros(len(group.pose), ROW)
        rows["pose"] = group.pose[:, :3].reshape(-1, 12)
        rows["instance"], rows["tint"] = group.instance, group.tint
        if group.mesh.marking is not None and len(places):
            rows["mark"] = np.where(group.marking[:, None] >= 0, places[group.marking], 0)
        highest = max(highest, int(group.instance.max()))
        centers, radius = reach(group)
        known = groups.get(id(group.mesh))
        if known is not None:
            rows, centers = np.concatenate([known.rows, rows]), np.concatenate([known.centers, centers])
        groups[id(group.mesh)] = Group(group.mesh, rows, centers, radius)
    highest = max([highest, *(d.instance for d in geometry.decals)])
    if highest >= ID_LIMIT:
        raise InvariantError(f"geometry: instance id {highest} does not fit in 22 bits; number what can be seen from 1")
    soup = soup_on_card(context, geometry.soup) if len(geometry.soup.faces) else None
    rows = films(geometry.decals)
    film = None
    if len(rows):
        film = loose(context, rows, np.arange(len(rows), dtype=np.uint32).reshape(-1, 3),
                      ("3f 3f 4f 4f 1u4", "in_position", "in_normal", "in_film", "in_relief", "in_tag"))
    return GeometryOnCard(geometry, list(groups.values()), soup, film, rows["tag"], marks, height_of(geometry))


def artwork_on_card(context: moderngl.Context, coverage: Coverage) -> moderngl.Texture:
    """The artwork with its mipmaps. Raises InputError where it is larger than a texture can be."""
    height, width = coverage.texels.shape[:2]
    limit = int(context.info["GL_MAX_TEXTURE_SIZE"])
    if max(width, height) > limit:
        raise InputError(f"artwork: {width}×{height} texels; at most {limit} a side: use coarser texels")
    texture = context.texture((width, height), 4, np.ascontiguousarray(coverage.texels).tobytes())
    texture.build_mipmaps()
    texture.filter = (moderngl.LINEAR_MIPMAP_NEAREST, moderngl.LINEAR)     # two thirds of the time of the trilinear filter
    texture.repeat_x = texture.repeat_y = False
    return texture


class SlabOnCard:
    """The laminate's mesh."""

    def __init__(self, context: moderngl.Context, slab: Slab) -> None:
        self._context = context
        mesh = slab.mesh
        self._vertices = context.buffer(np.hstack([mesh.vertices, mesh.normals]).astype(np.float32).tobytes())
        self._faces = context.buffer(np.ascontiguousarray(mesh.faces, np.uint32).tobytes())
        self._arrays: dict[int, moderngl.VertexArray] = {}
        cover = slab.coverage
        height, width = cover.texels.shape[:2]
        # row 0 of the texture is at the largest y
        self.artwork_map = (cover.origin[0], cover.origin[1] + height * cover.texel_size,
                            1 / (width * cover.texel_size), -1 / (height * cover.texel_size))

    def array(self, program: moderngl.Program) -> moderngl.VertexArray:
        if program.glo not in self._arrays:
            self._arrays[program.glo] = wired(self._context, program, (self._vertices, "3f 3f", "in_position", "in_normal"),
                                              index=self._faces)
        return self._arrays[program.glo]

    def release(self) -> None:
        for array in self._arrays.values():
            array.release()
        self._vertices.release()
        self._faces.release()


__all__ = ["ID_LIMIT", "GeometryOnCard", "Group", "Kept", "Loose", "MeshOnCard", "SlabOnCard", "artwork_on_card",
           "geometry_on_card", "loose", "mesh_on_card", "wired"]
