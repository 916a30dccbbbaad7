"""What must be changed in the worker's stage so that it shows another unit, look, lighting and camera: edits and their arrays.

``Shown`` remembers what the stage shows. Equal things are found by their content, so a unit that differs in one joint costs one
mesh. A part that is gone is hidden and comes back by being shown; a part that became another one gets a prim of its own.
"""
from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from generators.render.isaac.bench import Paths
from generators.render.isaac.messages import Edit, Group, Lamp, Lens, Paint, Picture, Pose, Remove, Shape, Show, Surface
from generators.render.isaac.prints import Prints
from scenes.materials import Material
from scenes.optics import Camera
from scenes.usd import Contents, prim_name
from scenes.usd.contents import Film, Package, Piece, Solid, Unit
from scenes.usd.names import ARTWORK, BOARD_TOP, FILM, LOOKS, unused
from scenes.usd.write_look import look_paths
from scenes.usd.write_unit import part_prims

Array = NDArray[np.generic]
BODY, PLAIN = "body", (1.0, 1.0, 1.0)


class Sheet:
    """Edits in order, and the arrays that their meshes are rows of."""

    def __init__(self) -> None:
        self.edits: list[Edit] = []
        self._rows: dict[str, list[Array]] = {"points": [], "normals": [], "st": [], "faces": []}
        self._vertices = self._faces = 0

    def add(self, edit: Edit) -> None:
        self.edits.append(edit)

    def mesh(self, path: str, piece: Piece, look: str, *, st: NDArray[np.float32] | None = None, instance: int | None = None,
             roughness: float | None = None, labels: dict[str, str] | None = None) -> None:
        """Define a mesh. Vertices without texture coordinates get zeros: all arrays have the same rows."""
        vertices = self._vertices, self._vertices + len(piece.points)
        faces = self._faces, self._faces + len(piece.faces)
        self._vertices, self._faces = vertices[1], faces[1]
        self._rows["points"].append(np.asarray(piece.points, np.float32))
        self._rows["normals"].append(np.asarray(piece.normals, np.float32))
        self._rows["st"].append(np.zeros((len(piece.points), 2), np.float32) if st is None else np.asarray(st, np.float32))
        self._rows["faces"].append(np.asarray(piece.faces, np.uint32))
        self.add(Shape(path=path, vertices=vertices, faces=faces, part=piece.part, material=look, instance=instance,
                       textured=st is not None, color=piece.color, opacity=piece.opacity, roughness=roughness,
                       labels={"part": piece.part} | (labels or {})))

    def arrays(self) -> dict[str, Array]:
        """Those that some mesh needs."""
        return {name: np.concatenate(rows) for name, rows in self._rows.items() if rows} if self._vertices else {}


@dataclass
class _Part:
    path: str
    pose: bytes
    visible: bool = True


@dataclass
class Shown:
    """What the stage shows now. Made of what was written; each ``to_…`` adds the edits that are needed and takes them as done."""
    paths: Paths
    looks: dict[str, str]                      # material → path of its prim
    reading: set[str]                          # materials whose roughness is the mesh's own
    top: Piece                                 # the board's top
    parts: dict[tuple[int, bytes], _Part] = field(default_factory=dict)    # by label id and shape
    solder: dict[int, bytes] = field(default_factory=dict)
    films: dict[int, bytes] = field(default_factory=dict)
    lamps: dict[str, Lamp] = field(default_factory=dict)
    lens: Lens | None = None
    names: set[str] = field(default_factory=set)               # of prims below Parts
    tints: dict[str, tuple[float, ...]] = field(default_factory=dict)      # path of a mesh → its colour
    prints: dict[str, bytes] = field(default_factory=dict)     # path of a mark → its shape and place in the picture

    @staticmethod
    def of(contents: Contents, paths: Paths) -> Shown:
        """What a stage shows as written."""
        unit = contents.unit
        top = next(p for p in unit.board if p.name == BOARD_TOP)
        reading = {p.material for s in unit.solder if s.roughness >= 0 for p in s.pieces} | ({FILM} if unit.films else set())
        out = Shown(paths, look_paths(contents) if unit.films else _without(look_paths(contents), FILM), reading, top)
        shapes, prims = _shapes(unit), part_prims([unit])
        out.names = set(prims.values())
        for part in unit.parts:
            path = f"{paths.product}/Parts/{prims[part.instance]}"
            out.parts[part.instance, shapes[part.package][0]] = _Part(path, part.pose.tobytes())
        out.solder = {s.instance: _digest(s) for s in unit.solder}
        out.films = {f.instance: _digest(f) for f in unit.films}
        return out

    def to_unit(self, unit: Unit, table: Sequence[Material], sheet: Sheet) -> None:
        """Show another unit of the same product."""
        self._to_parts(unit, table, sheet)
        wanted = {s.instance: s for s in unit.solder}
        for instance in sorted(set(self.solder) - set(wanted)):
            sheet.add(Remove(path=f"{self.paths.product}/Solder/id_{instance}"))
            del self.solder[instance]
        for instance, solid in wanted.items():
            digest = _digest(solid)
            if self.solder.get(instance) != digest:
                self._to_solid(solid, table, sheet)
                self.solder[instance] = digest
        films = {f.instance: f for f in unit.films}
        for instance in sorted(set(self.films) - set(films)):
            sheet.add(Remove(path=f"{self.paths.product}/Films/id_{instance}"))
            del self.films[instance]
        for instance, film in films.items():
            digest = _digest(film)
            if self.films.get(instance) != digest:
                look = self._look(FILM, table, sheet, own=True)
                sheet.mesh(f"{self.paths.product}/Films/id_{instance}", film.piece, look, instance=instance,
                           roughness=film.roughness, labels=dict(film.labels))
                self.films[instance] = digest

    def to_prints(self, prints: Prints, file: str, sheet: Sheet) -> None:
        """Print the marks of the parts that are shown, with the picture ``file`` that holds them all."""
        held = {key[0]: part.path for key, part in self.parts.items() if part.visible}
        looks = {}
        for metallic in sorted({mark.metallic for mark in prints.marks}):
            name = f"print {metallic:g}"
            if name in self.looks:
                sheet.add(Picture(path=f"{self.looks[name]}/Color", file=file))
            else:
                self.looks[name] = self._unused(name)
                sheet.add(Surface(path=self.looks[name], color=(0.5, 0.5, 0.5), metallic=metallic, roughness=0.5,
                                  reads=("roughness",), picture=file))
            looks[metallic] = self.looks[name]
        wanted = {f"{held[mark.instance]}/{mark.piece.name}": mark for mark in prints.marks}
        for path in sorted(set(self.prints) - set(wanted)):
            sheet.add(Remove(path=path))
            del self.prints[path]
        for path, mark in wanted.items():
            piece = mark.piece
            assert piece.st is not None
            sha = hashlib.sha256(repr((mark.metallic, mark.roughness)).encode())
            for array in (piece.points, piece.faces, piece.st):
                sha.update(np.ascontiguousarray(array).tobytes())
            if self.prints.get(path) != sha.digest():
                sheet.mesh(path, piece, looks[mark.metallic], st=piece.st, roughness=mark.roughness)
                self.prints[path] = sha.digest()

    def to_artwork(self, files: tuple[str, str], box: tuple[float, float, float, float], sheet: Sheet) -> None:
        """Lay other pictures (colour, surface) over the rectangle ``box`` (x0, y0, x1, y1) [m] of the board's top."""
        x0, y0, x1, y1 = box
        st = (self.top.points[:, :2].astype(np.float64) - (x0, y0)) / (x1 - x0, y1 - y0)
        sheet.mesh(f"{self.paths.product}/Board/{BOARD_TOP}", self.top, f"{LOOKS}/{ARTWORK}", st=st.astype(np.float32))
        for shader, file in zip(("Color", "Finish"), files, strict=True):
            sheet.add(Picture(path=f"{LOOKS}/{ARTWORK}/{shader}", file=file))

    def to_lamps(self, lamps: dict[str, Lamp], sheet: Sheet) -> None:
        """Light it otherwise."""
        for path in sorted(set(self.lamps) - set(lamps)):
            sheet.add(Remove(path=path))
        for path, lamp in lamps.items():
            if self.lamps.get(path) != lamp:
                sheet.add(lamp)
        self.lamps = dict(lamps)

    def to_camera(self, camera: Camera, sheet: Sheet) -> None:
        """Look from elsewhere."""
        lens = Lens(path=self.paths.camera, matrix=_flat(camera.pose), model=camera.model,
                    width_m=camera.width * camera.pixel_size, height_m=camera.height * camera.pixel_size,
                    distance=camera.distance, near=camera.near, far=camera.far)
        if lens != self.lens:
            sheet.add(lens)
            self.lens = lens

    def _to_parts(self, unit: Unit, table: Sequence[Material], sheet: Sheet) -> None:
        shapes = _shapes(unit)
        wanted = {(p.instance, shapes[p.package][0]): p for p in unit.parts}
        for key, held in self.parts.items():
            if held.visible and key not in wanted:
                sheet.add(Show(path=held.path, visible=False))
                held.visible = False
        for key, part in wanted.items():
            known = self.parts.get(key)
            if known is None:
                name = unused(prim_name(part.reference), self.names)
                self.names.add(name)
                known = self.parts[key] = _Part(f"{self.paths.product}/Parts/{name}", b"")
                sheet.add(Group(path=known.path, instance=part.instance, labels=dict(part.labels)))
                for piece in shapes[part.package][1].pieces:
                    sheet.mesh(f"{known.path}/{piece.name}", piece, self._look(piece.material, table, sheet))
            if not known.visible:
                sheet.add(Show(path=known.path, visible=True))
                known.visible = True
            if known.pose != part.pose.tobytes():
                sheet.add(Pose(path=known.path, matrix=_flat(part.pose)))
                known.pose = part.pose.tobytes()
            for piece in shapes[part.package][1].pieces:
                path = f"{known.path}/{piece.name}"
                if piece.part == BODY and (part.tint != PLAIN or path in self.tints):
                    row = next(m for m in table if m.name == piece.material)
                    color = tuple(float(np.clip(a * b, 0, 1)) for a, b in zip(row.base_color, part.tint, strict=True))
                    if self.tints.get(path) != color:
                        sheet.add(Paint(path=path, color=color, material=self._tinted(row, sheet)))     # type: ignore[arg-type]
                        self.tints[path] = color

    def _to_solid(self, solid: Solid, table: Sequence[Material], sheet: Sheet) -> None:
        path = f"{self.paths.product}/Solder/id_{solid.instance}"
        sheet.add(Group(path=path, instance=solid.instance, labels=dict(solid.labels)))
        own = solid.roughness >= 0
        for piece in solid.pieces:
            look = self._look(piece.material, table, sheet, own=own)
            sheet.mesh(f"{path}/{piece.name}", piece, look, roughness=solid.roughness if own else None)

    def _tinted(self, row: Material, sheet: Sheet) -> str:
        """Path of a material whose colour is the mesh's own."""
        name = f"{row.name} of a body"
        if name not in self.looks:
            self.looks[name] = self._unused(name)
            sheet.add(Surface(path=self.looks[name], color=row.base_color, metallic=row.metallic, roughness=row.roughness,
                              opacity=row.opacity, reads=("displayColor",)))
        return self.looks[name]

    def _unused(self, name: str) -> str:
        return f"{LOOKS}/{unused(prim_name(name), {path.rsplit('/', 1)[1] for path in self.looks.values()})}"

    def _look(self, material: str, table: Sequence[Material], sheet: Sheet, *, own: bool = False) -> str:
        """Path of a material's prim, defined where the stage lacks it or where it has to read the mesh's own values."""
        if material in self.looks and (not own or material in self.reading):
            return self.looks[material]
        if material not in self.looks:
            self.looks[material] = self._unused(material)
        if own:
            self.reading.add(material)
        path = self.looks[material]
        if material == FILM:
            sheet.add(Surface(path=path, color=(0.5, 0.5, 0.5), metallic=0.0, roughness=0.25,
                              reads=("displayColor", "displayOpacity", "roughness")))
        else:
            row = next(m for m in table if m.name == material)
            sheet.add(Surface(path=path, color=row.base_color, metallic=row.metallic, roughness=row.roughness,
                              opacity=row.opacity, reads=("roughness",) if material in self.reading else ()))
        return path


def _shapes(unit: Unit) -> dict[str, tuple[bytes, Package]]:
    """Package name → digest of its shape, and the package."""
    out = {}
    for package in unit.packages:
        sha = hashlib.sha256()
        for piece in package.pieces:
            _take(sha, piece)
        out[package.name] = sha.digest(), package
    return out


def _digest(item: Solid | Film) -> bytes:
    sha = hashlib.sha256(repr((sorted(item.labels.items()), item.roughness)).encode())
    for piece in item.pieces if isinstance(item, Solid) else (item.piece,):
        _take(sha, piece)
    return sha.digest()


def _take(sha: hashlib._Hash, piece: Piece) -> None:
    sha.update(repr((piece.name, piece.material, piece.part, piece.color, piece.opacity)).encode())
    for array in (piece.points, piece.normals, piece.faces):
        sha.update(np.ascontiguousarray(array).tobytes())


def _flat(matrix: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(np.asarray(matrix, np.float64).ravel().tolist())


def _without(paths: dict[str, str], name: str) -> dict[str, str]:
    return {k: v for k, v in paths.items() if k != name}


__all__ = ["Sheet", "Shown"]
