"""What is printed on packages: all marks of a unit in one picture, and thin plates over the bodies' tops that show them.

A mark says which way round a part lies. Without it a reversed part would be labelled and look like any other. Ink is laid over
the body's own colour, as the ``gl`` renderer does it: light ink on dark bodies, dark ink on light ones, matt ink on metal.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from generators.render import develop
from generators.render.atlas import pack
from scenes.geometry import Geometry, Mesh, PartKind
from scenes.optics import Look
from scenes.usd.contents import Piece

LIFT = 2e-6                                    # [m] of a plate over its body: too little to matter in any label
UP = 0.9                                       # of a normal: what is steeper is not printed on; as in part_vert.glsl
DARK = 0.25                                    # luminance under which ink is light; these three as in shade_frag.glsl
LIGHTER, DARKER, MATT = 0.42, 0.12, 0.3
RIM = 2                                        # [px] around a mark that carry the body's colour: half the gap of ``pack``


@dataclass(frozen=True, eq=False)
class Mark:
    """One printed mark, or the part of it that lies on one material."""
    instance: int                              # label id of its part
    piece: Piece                               # in the part's frame
    metallic: float                            # of what is printed on
    roughness: float


@dataclass(frozen=True, eq=False)
class Prints:
    """All marks of a unit."""
    picture: NDArray[np.uint8]                 # (H, W, 3) sRGB, row 0 on top
    marks: tuple[Mark, ...]


@dataclass(frozen=True, eq=False)
class _Plate:
    """Where a mesh can be printed on: what of its body looks up inside the mark's rectangle, of one material."""
    material: int
    points: NDArray[np.float32]                # (V, 3) [m]
    normals: NDArray[np.float32]               # (V, 3)
    faces: NDArray[np.int32]                   # (F, 3)
    at: NDArray[np.float64]                    # (V, 2) in the rectangle, (0, 0) lower left


def prints_of(geometry: Geometry, look: Look) -> Prints | None:
    """The marks of a unit; None where it has none."""
    tiles: dict[tuple[int, int, tuple[float, ...]], int] = {}
    found: list[tuple[int, int, _Plate, int]] = []
    for group in geometry.instances:
        plates = _plates(group.mesh)
        for instance, mark, tint in zip(group.instance.tolist(), group.marking.tolist(), group.tint, strict=True):
            for k, plate in enumerate(plates if mark >= 0 else ()):
                base = np.clip(np.asarray(geometry.materials[plate.material].base_color) * tint, 0, 1)
                tile = tiles.setdefault((mark, plate.material, tuple(np.round(base, 4).tolist())), len(tiles))
                found.append((instance, k, plate, tile))
    if not found:
        return None
    ink, places = pack([geometry.markings[mark] for mark, _, _ in tiles])
    linear = np.zeros((*ink.shape, 3), np.float32)
    size = np.array([ink.shape[1], ink.shape[0]] * 2)
    for (_, material, base), place in zip(tiles, places, strict=True):
        x, y, w, h = np.round(place * size).astype(int)
        here = np.s_[max(y - RIM, 0):y + h + RIM, max(x - RIM, 0):x + w + RIM]
        linear[here] = _inked(ink[here], np.asarray(base), geometry.materials[material].metallic, look.marking_contrast)
    marks = []
    for instance, k, plate, tile in found:
        row = geometry.materials[plate.material]
        st = (places[tile, :2] + plate.at * places[tile, 2:]).astype(np.float32)
        piece = Piece(f"mark_{k}", row.name, PartKind.BODY.name.lower(), plate.points, plate.normals, plate.faces, st)
        marks.append(Mark(instance, piece, float(row.metallic), float(row.roughness)))
    return Prints(np.ascontiguousarray(develop.encode(linear)[::-1]), tuple(marks))


def _inked(ink: NDArray[np.uint8], base: NDArray[np.float64], metallic: float, contrast: float) -> NDArray[np.float32]:
    """Base colours (h, w, 3), linear, of a body under ink coverage (h, w)."""
    share = (np.clip(ink.astype(np.float32) / 255 * contrast, 0, 1))[..., None]
    tone = base + LIGHTER if base @ (0.2126, 0.7152, 0.0722) < DARK else base * DARKER
    tone = tone * (1 - metallic) + base * MATT * metallic
    return np.asarray(base * (1 - share) + np.clip(tone, 0, 1) * share, np.float32)


@lru_cache(maxsize=4096)
def _plates(mesh: Mesh) -> tuple[_Plate, ...]:
    """What of a body looks up under its mark, by material."""
    if mesh.marking is None:
        return ()
    first = mesh.faces[:, 0]
    up = mesh.faces[(mesh.part[first] == PartKind.BODY) & (mesh.normals[first, 2] > UP)]
    corners = np.concatenate([mesh.vertices, mesh.normals], axis=1).astype(np.float64)
    x0, y0, x1, y1 = mesh.marking
    out = []
    for material in np.unique(mesh.material[up[:, 0]]).tolist():
        triangles = [t for face in corners[up[mesh.material[up[:, 0]] == material]] for t in _clipped(face, mesh.marking)]
        if triangles:
            rows, faces = np.unique(np.array(triangles).reshape(-1, 6), axis=0, return_inverse=True)
            normals = rows[:, 3:] / np.linalg.norm(rows[:, 3:], axis=1, keepdims=True)
            out.append(_Plate(material, (rows[:, :3] + LIFT * normals).astype(np.float32), normals.astype(np.float32),
                              faces.reshape(-1, 3).astype(np.int32), (rows[:, :2] - (x0, y0)) / (x1 - x0, y1 - y0)))
    return tuple(out)


def _clipped(triangle: NDArray[np.float64], box: tuple[float, float, float, float]) -> list[NDArray[np.float64]]:
    """The part of a triangle (3, 6: place and normal) inside a rectangle in x and y, as triangles (Sutherland and Hodgman)."""
    polygon = list(triangle)
    for axis, bound, sign in ((0, box[0], 1.0), (1, box[1], 1.0), (0, box[2], -1.0), (1, box[3], -1.0)):
        inside = [sign * (p[axis] - bound) for p in polygon]
        kept = []
        for k, here in enumerate(polygon):
            if inside[k - 1] * inside[k] < 0:
                share = inside[k - 1] / (inside[k - 1] - inside[k])
                kept.append(polygon[k - 1] + share * (here - polygon[k - 1]))
            if inside[k] >= 0:
                kept.append(here)
        polygon = kept
        if len(polygon) < 3:
            return []
    fans = [np.stack([polygon[0], polygon[k], polygon[k + 1]]) for k in range(1, len(polygon) - 1)]
    return [t for t in fans if np.linalg.norm(np.cross(t[1, :3] - t[0, :3], t[2, :3] - t[0, :3])) > 1e-15]


__all__ = ["Mark", "Prints", "prints_of"]
