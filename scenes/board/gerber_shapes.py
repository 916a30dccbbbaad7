"""Gerber and Excellon objects, as gerbonara reads them, become polygons. Millimetres, y up.

gerbonara parses; the geometry of what it parsed is turned into polygons here, every aperture once.
"""

from __future__ import annotations

import re
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from scenes.board.ink import Geometries, Ink
from scenes.board.kicad_curves import Points, arc_about, circle
from scenes.errors import AssetError, SceneError

MAX_BYTES = 200_000_000
# KiCad writes attributes as comments where X2 is switched off; without the prefix they are X2
_COMMENTED = re.compile(r"^G04 #@! (T[FAOD][^*]*)\*", re.MULTILINE)
_INCLUDE = re.compile(r"^\s*%?IF([^*%\n]+)", re.MULTILINE)
_SLOT = re.compile(r"^(X[-+\d.]+Y[-+\d.]+)G85(X[-+\d.]+Y[-+\d.]+)\s*$", re.MULTILINE)


def read_text(path: Path) -> str:
    """The file's text. Raises AssetError for a missing, unreadable or oversized file."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise AssetError(f"{path}: more than the {MAX_BYTES / 1e6:.0f} MB allowed; is this a Gerber file?")
        return path.read_bytes().decode("utf-8", errors="replace")
    except OSError as error:
        raise AssetError(f"{path}: cannot be read ({error.strerror or error}); give a folder of Gerber files") from None


def parse_gerber(text: str, path: Path) -> Any:
    """A gerbonara GerberFile. Raises SceneError for what gerbonara cannot read, and for a file that includes another one."""
    from gerbonara import GerberFile

    include = _INCLUDE.search(text)
    if include:
        raise SceneError(f"{path}: includes the file {include[1][:80]!r}, which is never read; plot the layer into one file")
    return _parsed(GerberFile.from_string, _COMMENTED.sub(r"%\1*%", text), path)


def parse_drill(text: str, path: Path) -> Any:
    """A gerbonara ExcellonFile. The old one-line slot ``X…Y…G85X…Y…`` is rewritten as a routed one, which gerbonara reads."""
    from gerbonara import ExcellonFile

    return _parsed(ExcellonFile.from_string, _SLOT.sub(r"G00\1\nM15\nG01\2\nM16\nG05", text), path)


def _parsed(read: Any, text: str, path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return read(text, filename=path)
        except (
            SyntaxError,
            ValueError,
            KeyError,
            IndexError,
            TypeError,
            AttributeError,
            ArithmeticError,
            RecursionError,
        ) as error:
            first = " ".join(str(error).split())[:160].replace(str(path), "").lstrip(": ")
            raise SceneError(
                f"{path}: cannot be read as {read.__self__.__name__}: {first or type(error).__name__}; plot the file again"
            ) from None


class Shapes:
    """Turns gerbonara objects into ink. Keeps one polygon per aperture."""

    def __init__(self) -> None:
        from gerbonara.utils import MM

        self.mm = MM
        self._flashes: dict[Any, shapely.Geometry] = {}

    def flash(self, aperture: Any) -> shapely.Geometry:
        """The polygon that an aperture stamps at the origin [mm]; empty where it has no area."""
        key = (type(aperture).__name__, aperture)
        if key not in self._flashes:
            shape: shapely.Geometry = shapely.Polygon()
            for primitive in aperture.flash(0, 0, self.mm, True):
                part = shapely.union_all(_primitive(primitive).geometries())
                shape = shapely.union(shape, part) if primitive.polarity_dark else shapely.difference(shape, part)
            self._flashes[key] = shape
        return self._flashes[key]

    def draw(self, item: Any, ink: Ink) -> None:
        """Put one object on a layer, whatever its polarity."""
        kind = type(item).__name__
        if kind == "Flash":
            shape = self.flash(item.aperture)
            x, y = item.converted(self.mm).x, item.converted(self.mm).y
            if not shape.is_empty:
                ink.ready += [shapely.transform(p, lambda points: points + np.array([x, y])) for p in shapely.get_parts(shape)]
            return
        if kind in ("Line", "Arc") and type(item.aperture).__name__ not in ("CircleAperture", "ExcellonTool"):
            self._sweep(item, ink)
            return
        for primitive in item.to_primitives(self.mm):
            _primitive(primitive, ink)

    def path(self, item: Any) -> Points:
        """Centre line of a drawn object, or a region's border, shape (N, 2) [mm]."""
        return np.concatenate([_path(p) for p in item.to_primitives(self.mm)])

    def _sweep(self, item: Any, ink: Ink) -> None:
        """A stroke with an aperture that is not round: the hull of its stamps along the way."""
        shape, line = self.flash(item.aperture), _path(next(iter(item.to_primitives(self.mm))))
        if shape.is_empty:
            return
        for a, b in pairwise(line):
            stamps = [shapely.transform(shape, lambda points, at=at: points + at) for at in (a, b)]
            ink.ready.append(shapely.convex_hull(shapely.union_all(stamps)))


def _path(primitive: Any) -> Points:
    kind = type(primitive).__name__
    if kind == "Line":
        return np.array([[primitive.x1, primitive.y1], [primitive.x2, primitive.y2]])
    if kind == "Arc":
        return _arc((primitive.x1, primitive.y1), (primitive.x2, primitive.y2), (primitive.cx, primitive.cy), primitive.clockwise)
    if kind == "Circle":
        ring = circle(np.array([primitive.x, primitive.y]), primitive.r)
        return np.concatenate([ring, ring[:1]])
    parts = [np.zeros((0, 2))]
    for start, end, (clockwise, centre) in primitive.segments:
        parts.append(np.array([start]) if clockwise is None else _arc(start, end, centre, clockwise)[:-1])
    ring = np.concatenate(parts)
    return np.concatenate([ring, ring[:1]])


def _arc(start: Any, end: Any, centre: Any, clockwise: bool) -> Points:
    a, b, c = (np.asarray(p, float) for p in (start, end, centre))
    first, last = (float(np.arctan2(*(p - c)[::-1])) for p in (a, b))
    sweep = (last - first) % (2 * np.pi)
    if np.allclose(a, b, atol=1e-6):
        sweep = 2 * np.pi
    points = arc_about(c, a, sweep - 2 * np.pi if clockwise and sweep < 2 * np.pi else -sweep if clockwise else sweep)
    points[-1] = b
    return points


def _primitive(primitive: Any, ink: Ink | None = None) -> Ink:
    """Put one graphic primitive on a layer."""
    ink = ink if ink is not None else Ink()
    kind = type(primitive).__name__
    if kind == "Circle":
        ink.disc(primitive.x, primitive.y, 2 * primitive.r)
    elif kind in ("Line", "Arc"):
        ink.line(_path(primitive), primitive.width)
    elif kind == "Rectangle":
        turn = np.array(
            [[np.cos(primitive.rotation), np.sin(primitive.rotation)], [-np.sin(primitive.rotation), np.cos(primitive.rotation)]]
        )
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [primitive.w / 2, primitive.h / 2]
        if primitive.w > 0 and primitive.h > 0:
            ink.fill(corners @ turn + [primitive.x, primitive.y])
    elif len(primitive.outline) >= 3:
        ink.fill(_path(primitive)[:-1])
    return ink


def layer_shapes(objects: Any, shapes: Shapes) -> tuple[Geometries, list[bool]]:
    """All objects of a file as polygons [mm] in drawing order, and whether each is dark."""
    parts: list[Geometries] = []
    dark: list[bool] = []
    ink, polarity = Ink(), True
    for item in [*objects, None]:
        if item is None or item.polarity_dark != polarity:
            run = ink.geometries()
            parts.append(run)
            dark += [polarity] * len(run)
            if item is None:
                break
            ink, polarity = Ink(), item.polarity_dark
        shapes.draw(item, ink)
    return np.concatenate(parts), dark


__all__ = ["Shapes", "layer_shapes", "parse_drill", "parse_gerber", "read_text"]
