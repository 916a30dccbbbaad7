"""The whole line on one sheet: above, all of it; below, row by row from left to right, every station with its name."""
from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.render.hall import Eye, Hall, surfaces
from scenes.equipment import Look, Placed
from scenes.geometry import Geometry

WIDTH = 1500                                   # [px] of a sheet
ROW = 8.6                                      # [m] of line in one row at most; of 1500 pixels, 165 a metre
_YAW, _RISE = math.radians(10), math.radians(19)      # from where a row is seen: from the left, from above
_HIGH = math.radians(33)                       # the whole line is seen from higher up
INK, GREY, PAPER = (28, 34, 42), (96, 104, 114), (233, 236, 239)
_QUIET = ("conveyor",)                         # too many to name


def line_sheet(placed: Sequence[Placed], title: str, *, unit: Geometry | None = None,
               box: tuple[float, float, float, float] | None = None, thickness: float = 0.0016,
               width: int = WIDTH) -> NDArray[np.uint8]:
    """A picture of a line, sRGB (H, W, 3). Equal arguments give equal pixels.

    Args:
        placed: From ``scenes.equipment.line_layout``.
        title: Written above.
        unit, box, thickness: A unit of the product and its extent in the board frame; it lies on every machine. None: none.

    Raises:
        BackendUnavailable: without embreex.
    """
    products = [] if unit is None or box is None else products_on(placed, unit, box, thickness)
    hall = Hall(surfaces(placed, products))
    bands: list[Any] = [_header(placed, title, width)]
    start, end = _extent(placed)
    if end - start > ROW:
        bands.append(hall.picture(_eye(placed, width, _HIGH, 0.0, 2.4)))
    cut = rows(placed)
    span = max(float(np.subtract(*_extent(row)[::-1])) for row in cut)
    for row in cut:
        eye = _eye(row, width, _RISE, _YAW, 2.6, span)
        bands.append(_named(hall.picture(eye), eye, row))
    return np.concatenate([np.asarray(b) for b in bands])


def station_sheet(placed: Sequence[Placed], item: Placed, title: str, *, unit: Geometry | None = None,
                  box: tuple[float, float, float, float] | None = None, thickness: float = 0.0016,
                  width: int = 1280) -> NDArray[np.uint8]:
    """One machine with its neighbours' ends, larger. Arguments as of ``line_sheet``."""
    products = [] if unit is None or box is None else products_on(placed, unit, box, thickness)
    near = [p for p in placed if abs(p.pose[0, 3] - item.pose[0, 3]) < 0.5 * (p.machine.size[0] + item.machine.size[0]) + 1.2]
    hall = Hall(surfaces(near, products))
    eye = _eye([item], width, math.radians(22), math.radians(24), 1.9)
    return np.concatenate([_header([item], title, width), hall.picture(eye)])


def rows(placed: Sequence[Placed], longest: float = ROW) -> list[list[Placed]]:
    """The line cut between machines into as few rows as stay shorter than ``longest``, as even as they can be."""
    line = [p for p in placed if p.machine.ports]
    ends = np.cumsum([p.machine.size[0] for p in line])
    count = min(max(1, math.ceil(ends[-1] / longest - 0.1)), len(line))     # a machine is not cut
    best: dict[tuple[int, int], tuple[float, list[int]]] = {(0, 0): (0.0, [])}
    for k in range(1, count + 1):              # shortest possible longest row; a conveyor may begin one
        for last in range(k, len(line) + 1):
            found = []
            for first in range(k - 1, last):
                if (k - 1, first) in best:
                    length = float(ends[last - 1] - (ends[first - 1] if first else 0.0))
                    before, cuts = best[(k - 1, first)]
                    found.append((max(before, length), [*cuts, first]))
            if found:
                best[(k, last)] = min(found)
    cuts = [*best[(count, len(line))][1], len(line)]
    return [line[a:b] for a, b in pairwise(cuts)]


def products_on(placed: Sequence[Placed], unit: Geometry, box: tuple[float, float, float, float],
                thickness: float) -> list[Any]:
    """The unit on every machine but the loaders, as meshes by material for ``surfaces``."""
    meshes: list[tuple[int, Any, Any, Any]] = []
    looks: list[Look] = []
    for material in unit.materials:
        color = (0.03, 0.22, 0.09) if material.name == "fr4" else material.base_color      # the board's face is lacquered
        looks.append(Look(material.name, color, material.metallic, max(material.roughness, 0.2)))
    slab = unit.slab.mesh
    parts = [(np.eye(4), slab.vertices, slab.normals, slab.faces, slab.material)]
    for group in unit.instances:
        m = group.mesh
        parts += [(pose, m.vertices, m.normals, m.faces, m.material) for pose in group.pose]
    for pose, vertices, normals, faces, indices in parts:
        of_face = indices[faces[:, 0]]
        for index in np.unique(of_face):
            turn = pose[:3, :3].T
            meshes.append((int(index), vertices @ turn + pose[:3, 3], normals @ turn, faces[of_face == index]))
    out = []
    for item in placed:
        if not item.machine.ports or item.label in ("loader", "unloader"):
            continue
        pose = item.pose @ item.board_pose(box, thickness)
        for index, points, normals, faces in meshes:
            out.append((looks[index], (points @ pose[:3, :3].T + pose[:3, 3]).astype(np.float32),
                        (normals @ pose[:3, :3].T).astype(np.float32), faces))
    return out


def _extent(placed: Sequence[Placed]) -> tuple[float, float]:
    return (min(float(p.pose[0, 3]) - p.machine.size[0] / 2 for p in placed),
            max(float(p.pose[0, 3]) + p.machine.size[0] / 2 for p in placed))


def _corners(placed: Sequence[Placed]) -> NDArray[np.float64]:
    """Eight corners of every machine, line frame."""
    out = []
    for p in placed:
        low, high = p.machine.bounds()
        for x in (low[0], high[0]):
            for y in (low[1], high[1]):
                for z in (0.0, high[2]):
                    out.append((p.pose @ [x, y, z, 1.0])[:3])
    return np.array(out)


def _eye(placed: Sequence[Placed], width: int, rise: float, yaw: float, focal: float, span: float = 0.0) -> Eye:
    """A camera that sees all of them, from ``rise`` above and ``yaw`` to the left, and a picture as high as they need.

    ``span`` [m] is the length that fills the width, where several pictures are to have one scale; 0: their own.
    """
    corners = _corners(placed)
    target = (corners.min(axis=0) + corners.max(axis=0)) / 2
    away = np.array([-math.sin(yaw) * math.cos(rise), -math.cos(yaw) * math.cos(rise), math.sin(rise)])
    distance = max(span, float(np.ptp(corners[:, 0]))) * focal * math.cos(yaw) * 1.10
    for _ in range(8):
        eye = Eye(tuple((target + distance * away).tolist()), tuple(target.tolist()), focal, width, width)
        seen = eye.project(corners)
        off = (seen.min(axis=0) + seen.max(axis=0) - width) / 2
        right, up, _ = eye.basis()
        target = target + (right * off[0] - up * off[1]) * distance / (focal * width)
        if not span:
            distance *= float(np.ptp(seen[:, 0])) / (0.955 * width)
    height = int(math.ceil((float(np.ptp(seen[:, 1])) + 0.05 * width) / 2) * 2)
    down = -up * 0.010 * distance / focal      # a little more floor below, for names
    return Eye(tuple((target + distance * away + down).tolist()), tuple((target + down).tolist()), focal, width, height)


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _header(placed: Sequence[Placed], title: str, width: int) -> NDArray[np.uint8]:
    from PIL import Image, ImageDraw

    sheet = Image.new("RGB", (width, 64), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((28, 14), title, fill=INK, font=_font(30))
    start, end = _extent(placed)
    stations = sum(bool(p.station) for p in placed)
    note = f"{stations} stations, {end - start:.1f} m" if stations > 1 else f"{placed[0].machine.title}, {end - start:.2f} m long"
    draw.text((width - 28, 22), note, fill=GREY, font=_font(22), anchor="ra")
    return np.asarray(sheet)


def _named(picture: NDArray[np.uint8], eye: Eye, row: Sequence[Placed]) -> Any:
    """Each machine's name on the floor before it: the station's id, and what it is where the id does not say so."""
    from PIL import Image, ImageDraw

    sheet = Image.fromarray(picture)
    draw = ImageDraw.Draw(sheet)
    for item in row:
        if item.label in _QUIET or not item.machine.ports:
            continue
        low, _ = item.machine.bounds()
        spot = eye.project(np.array([(item.pose @ [0.0, float(low[1]) - 0.02, 0.0, 1.0])[:3]]))[0]
        x, y = float(spot[0]), min(float(spot[1]) + 10, picture.shape[0] - 50)
        name = item.station or item.path.rsplit("/", 1)[-1]
        draw.text((x, y), name, fill=INK, font=_font(24), anchor="ma", stroke_width=2, stroke_fill=(214, 217, 221))
        if item.machine.title.lower() != name.lower():
            draw.text((x, y + 27), item.machine.title, fill=(58, 66, 76), font=_font(18), anchor="ma")
    return np.asarray(sheet)


__all__ = ["ROW", "WIDTH", "line_sheet", "products_on", "rows", "station_sheet"]
