"""A board's outline from the loose strokes of its edge layer, whatever file they came from. Millimetres in, millimetres out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from scenes.errors import SceneError

Points = NDArray[np.float64]

TOLERANCE = 0.02  # [mm] ends that are this close meet
LARGEST_GAP = 0.5  # [mm] gaps up to this are closed and reported
MIN_AREA = 1.0  # [mm²] of a board


def _snap(lines: Sequence[Points], tolerance: float) -> list[Points]:
    """Lines whose ends within ``tolerance`` are moved to their common mean, in place of a gap."""
    ends = np.array([p for line in lines for p in (line[0], line[-1])])
    group = np.arange(len(ends))
    for a, b in sorted(cKDTree(ends).query_pairs(tolerance)):
        low, high = sorted((int(group[a]), int(group[b])))
        group[group == high] = low
    means = {int(g): ends[group == g].mean(axis=0) for g in np.unique(group)}
    out = []
    for index, line in enumerate(lines):
        copy = np.array(line, float)
        copy[0], copy[-1] = means[int(group[2 * index])], means[int(group[2 * index + 1])]
        if len(copy) > 2 or not np.array_equal(copy[0], copy[-1]):
            out.append(copy)
    return out


def _faces(lines: Sequence[Points]) -> tuple[list[shapely.Polygon], list[shapely.LineString]]:
    """Areas that the lines enclose, and the lines that enclose nothing."""
    noded = shapely.unary_union([shapely.LineString(p) for p in lines])
    faces, cuts, dangles, _ = shapely.polygonize_full([noded])
    loose = [*shapely.get_parts(dangles), *shapely.get_parts(cuts)]
    return list(shapely.get_parts(faces)), loose


def _material(faces: Sequence[shapely.Polygon]) -> shapely.Geometry:
    """Even-odd nesting: an outermost area is laminate, an area in its hole is a cut-out, one inside that is laminate again."""
    shells = [shapely.Polygon(f.exterior) for f in faces]
    tree = shapely.STRtree(shells)
    solid = []
    for index, face in enumerate(faces):
        inside = tree.query(shapely.point_on_surface(face), predicate="within")
        if sum(1 for other in inside if other != index) % 2 == 0:
            solid.append(face)
    return shapely.union_all(solid)


def board_outline(lines: Sequence[Points], where: str, locate: Callable[[Points], str]) -> tuple[shapely.Geometry, list[str]]:
    """The laminate with its cut-outs.

    Args:
        lines: Strokes of the edge layer, each of shape (N, 2) [mm]; closed ones repeat their first point.
        where: The file, for messages.
        locate: Puts a place into words in the file's own coordinates.

    Returns:
        A Polygon, or a MultiPolygon where the boards do not touch, in [mm], and notes on what was mended.

    Raises:
        SceneError: no edge, an edge with an open end, or an area below 1 mm².
    """
    lines = [np.asarray(p, float) for p in lines if len(p) >= 2]
    if not lines:
        raise SceneError(f"{where}: no outline; draw the board's edge on Edge.Cuts")
    notes: list[str] = []
    tolerance = TOLERANCE
    while True:
        faces, loose = _faces(_snap(lines, tolerance))
        ends = [np.array(d.coords) for d in loose if d.length > tolerance]
        if not ends:
            break
        if tolerance < LARGEST_GAP:
            tolerance = min(LARGEST_GAP, tolerance * 5)
            continue
        body = _material(faces) if faces else shapely.Polygon()
        hull = (
            shapely.buffer(shapely.Polygon(np.array(shapely.box(*body.bounds).exterior.coords)), LARGEST_GAP) if faces else body
        )
        outside = [e for e in ends if not hull.covers(shapely.LineString(e))]
        first = (outside or ends)[0]
        if outside or body.area < MIN_AREA:
            raise SceneError(
                f"{where}: the outline is open at {locate(first[0])}; close it on Edge.Cuts "
                f"(a gap of up to {LARGEST_GAP} mm is closed by itself)"
            )
        notes.append(f"{len(ends)} open lines on the edge layer inside the outline are ignored, the first at {locate(first[0])}")
        break
    if tolerance > TOLERANCE and not notes:
        notes.append(f"the outline had a gap of up to {tolerance:.2g} mm and was closed")
    outline = _material(faces)
    if not outline.area >= MIN_AREA:
        raise SceneError(
            f"{where}: the outline encloses {outline.area:.3g} mm²; draw the board's edge as a closed line on Edge.Cuts"
        )
    return shapely.orient_polygons(outline), notes


__all__ = ["LARGEST_GAP", "TOLERANCE", "board_outline"]
