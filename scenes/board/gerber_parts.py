"""Components of a Gerber board: rows of the centroid table meet the pads that the copper files flash.

Where the files carry X2 pad attributes, a pad names its component. Where they do not, a pad is a flash of outer copper
under a mask opening, and goes to a part by geometry: two-terminal parts take the pair that is symmetric about them, what
is left goes to the nearest part.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from scenes.board.gerber_roles import Role
from scenes.board.gerber_shapes import Shapes
from scenes.board.model import Component, Drill, Fiducial, Layer, Pad, PadKind, PadShape
from scenes.board.tables import BomRow, Placement
from scenes.board.unplaced import is_unplaced
from scenes.errors import SceneError

SAME_SPOT = 5e-6  # [m] flashes this close on two layers are one pad
REACH = 25e-3  # [m] farthest pad of a part from its origin
PAIR_ERROR = 0.1e-3  # [m] how far a pair's middle may lie off its part's origin
_CHIP = re.compile(
    r"(^|[^0-9])(01005|0201|0402|0603|0805|1008|1206|1210|1806|1812|2010|2512)([^0-9]|$)|SOD|^D_S|MELF|DO-?21", re.I
)
_SHAPES: tuple[tuple[str, PadShape], ...] = (
    ("roundrect", "roundrect"),
    ("rotrect", "rect"),
    ("oval", "oval"),
    ("circ", "circle"),
)


@dataclass
class _Flash:
    """One pad of copper, both sides joined."""

    x: float
    y: float
    outline: shapely.Geometry
    shape: PadShape
    size: tuple[float, float]  # [m]; of a macro: of its bounding box
    turned: bool  # a macro, whose own axes are not known
    front: bool
    back: bool
    reference: str = ""
    number: str = ""
    net: str = ""
    function: str = ""
    drill: Drill | None = None


def make_components(
    placements: Sequence[Placement],
    bom: Mapping[str, BomRow],
    flashes: Sequence[tuple[Role, Any]],
    layers: Sequence[Layer],
    drills: Sequence[Drill],
    shapes: Shapes,
    origin: NDArray[np.float64],
    outline: shapely.Geometry,
    where: str,
) -> tuple[tuple[Component, ...], tuple[Fiducial, ...], tuple[Drill, ...], list[str]]:
    """Components with pads, fiducials, holes with vias told apart, and notes.

    Args:
        placements, bom: The tables; no placements, no components.
        flashes: Objects of the outer copper files.
        layers: All artwork, board frame.
        drills: All holes, board frame.
        origin: Lower left corner of the outline in the files' frame [mm].
        outline: Board frame [m].
        where: The centroid file, for messages.
    """
    pads = _pads(flashes, shapes, origin, _openings(layers), drills)
    used = {id(p.drill) for p in pads if p.drill is not None}
    drills = tuple(replace(d, via=d.plated and id(d) not in used) for d in drills)
    fiducials = [
        Fiducial(p.reference or f"FID{i + 1}", p.x, p.y, p.size[0], "front" if p.front else "back")
        for i, p in enumerate(p for p in pads if "fiducial" in p.function.lower())
    ]
    if not placements:
        return (), tuple(fiducials), drills, []
    rows, notes = _aligned(placements, pads, origin * 1e-3, outline.bounds, where)
    owners = _owners(rows, pads)
    paste = {a.side: np.array(a.shapes, dtype=object) for a in layers if a.kind == "paste"}
    components = []
    missing = 0
    for index, row in enumerate(rows):
        entry = bom.get(row.reference)
        missing += bool(bom) and entry is None
        value, package = (
            (entry.value if entry and entry.value else row.value),
            (entry.package if entry and entry.package else row.package),
        )
        marks = any(f.reference == row.reference for f in fiducials)
        placed = (entry.placed if entry else not bom) and not marks and not is_unplaced(value, package)
        own = [
            _pad(p, row.angle, paste, str(n + 1))
            for n, p in enumerate(p for p, owner in zip(pads, owners, strict=True) if owner == index)
        ]
        components.append(
            Component(
                row.reference,
                value,
                package,
                row.x,
                row.y,
                row.angle,
                row.side,
                tuple(own),
                placed,
                entry.library if entry else "",
                (),
                entry.description if entry else "",
            )
        )
    if missing:
        notes.append(f"{missing} parts of the centroid table are not in the bill of materials; they are not placed")
    loose = sum(owner < 0 for owner in owners)
    if loose:
        notes.append(f"{loose} pads belong to no part of the centroid table")
    bare = sum(not c.pads and c.placed for c in components)
    if bare:
        notes.append(f"{bare} placed parts have no pads in the copper files")
    return tuple(components), tuple(fiducials), drills, notes


def _openings(layers: Sequence[Layer]) -> dict[str, shapely.STRtree]:
    return {a.side: shapely.STRtree(a.shapes) for a in layers if a.kind == "mask"}


def _pads(
    flashes: Sequence[tuple[Role, Any]],
    shapes: Shapes,
    origin: NDArray[np.float64],
    openings: Mapping[str, shapely.STRtree],
    drills: Sequence[Drill],
) -> list[_Flash]:
    """Pads of outer copper, one for both sides of a through-hole, in the order of the files."""
    found: dict[tuple[int, int, str, str, int], _Flash] = {}
    for role, item in flashes:
        if not item.polarity_dark:
            continue
        attributes = item.attrs if isinstance(item.attrs, dict) else {}  # gerbonara 1.5 gives regions none
        kind, owner, function = type(item).__name__, attributes.get(".P", ()), _function(item)
        if function.startswith(("Via", "Conductor", "NonConductor")) or (kind != "Flash" and not owner):
            continue
        pad = _flash(item, shapes, origin)
        if pad is None or (not owner and not function and not _opened(pad, openings.get(role.side))):
            continue
        pad.front, pad.back = role.side == "front", role.side == "back"
        pad.reference, pad.number = (*owner, "", "")[:2]
        net = _unescape((*attributes.get(".N", ()), "")[0])
        pad.net, pad.function = "" if net == "N/C" else net, function  # the attribute's words for no net
        key = (
            round(pad.x / SAME_SPOT),
            round(pad.y / SAME_SPOT),
            pad.reference,
            pad.number,
            round(pad.outline.area / SAME_SPOT**2),
        )  # a land and the hole in its middle are two pads
        if key in found:
            known = found[key]
            known.front, known.back = known.front or pad.front, known.back or pad.back
        else:
            found[key] = pad
    pads = list(found.values())
    if drills:
        tree = cKDTree([(d.x, d.y) for d in drills])
        for pad in pads:
            if pad.front and pad.back:
                distance, index = tree.query((pad.x, pad.y))
                near = drills[int(index)]
                if distance < max(pad.size) / 2 and shapely.intersects_xy(pad.outline, near.x, near.y):
                    pad.drill = near
    # copper under an opening on both sides with a hole and no name is a via without mask as often as a pin
    return pads


def _unescape(text: str) -> str:
    return re.sub(r"\\u([0-9A-Fa-f]{4})", lambda m: chr(int(m[1], 16)), text)


def _function(item: Any) -> str:
    attributes = dict(getattr(getattr(item, "aperture", None), "attrs", ()) or ())
    return str((*attributes.get(".AperFunction", ()), "")[0])


def _flash(item: Any, shapes: Shapes, origin: NDArray[np.float64]) -> _Flash | None:
    if type(item).__name__ == "Flash":
        moved = item.converted(shapes.mm)
        at = np.array([moved.x, moved.y])
        outline = shapely.transform(shapes.flash(item.aperture), lambda points: (points + at - origin) * 1e-3)
    else:
        from scenes.board.ink import Ink

        ink = Ink()
        shapes.draw(item, ink)
        outline = shapely.transform(shapely.union_all(ink.geometries()), lambda points: (points - origin) * 1e-3)
        at = np.array([outline.centroid.x, outline.centroid.y]) * 1e3 + origin if not outline.is_empty else origin
    if outline.is_empty:
        return None
    x0, y0, x1, y1 = outline.bounds
    shape, turned = _shape(item)
    x, y = (at - origin) * 1e-3
    return _Flash(float(x), float(y), outline, shape, (x1 - x0, y1 - y0), turned, False, False)


def _shape(item: Any) -> tuple[PadShape, bool]:
    """Kind of an aperture, and whether it may be turned."""
    aperture = getattr(item, "aperture", None)
    plain: dict[str, PadShape] = {"CircleAperture": "circle", "RectangleAperture": "rect", "ObroundAperture": "oval"}
    name = type(aperture).__name__
    if name in plain:
        return plain[name], False
    macro = str(getattr(getattr(aperture, "macro", None), "name", "")).lower()
    return next((shape for word, shape in _SHAPES if word in macro), "polygon"), True


def _opened(pad: _Flash, tree: shapely.STRtree | None) -> bool:
    return tree is not None and len(tree.query(shapely.Point(pad.x, pad.y), predicate="intersects")) > 0


def _pad(pad: _Flash, angle: float, paste: Mapping[Any, NDArray[np.object_]], number: str) -> Pad:
    size, own_angle = pad.size, 0.0
    if pad.turned:  # measured along the part's own axes, which are nearly always the pad's
        cos, sin = math.cos(-angle), math.sin(-angle)
        x0, y0, x1, y1 = shapely.transform(pad.outline, lambda p: p @ np.array([[cos, sin], [-sin, cos]])).bounds
        size, own_angle = (x1 - x0, y1 - y0), angle
    area = 0.0
    for side, has in (("front", pad.front), ("back", pad.back)):
        if has and side in paste and len(paste[side]):
            near = paste[side][shapely.intersects(paste[side], pad.outline)]
            area += float(shapely.area(shapely.intersection(near, pad.outline)).sum())
    at_edge = pad.function.startswith(("Castellated", "Connector"))
    kind: PadKind = "through" if pad.drill is not None else "edge" if at_edge else "smd"
    return Pad(
        pad.number or number,
        pad.shape,
        pad.x,
        pad.y,
        size,
        own_angle,
        kind,
        pad.front,
        pad.back,
        pad.net,
        True,
        area > 0,
        pad.drill,
        pad.outline,
        area,
    )


def _aligned(
    placements: Sequence[Placement],
    pads: Sequence[_Flash],
    origin: NDArray[np.float64],
    bounds: Sequence[float],
    where: str,
) -> tuple[list[Placement], list[str]]:
    """The rows in the board's frame. Tables share the Gerber files' origin, or start at the board's corner or middle, and
    some programs negate x of the back. The reading that puts the parts onto their pads is taken.

    Raises:
        SceneError: no reading puts half of the parts onto the board.
    """
    xy = np.array([(p.x, p.y) for p in placements])
    back = np.array([p.side == "back" for p in placements])
    named: dict[str, list[tuple[float, float]]] = {}
    for pad in pads:
        named.setdefault(pad.reference, []).append((pad.x, pad.y))
    middles = np.array(
        [np.mean(named[p.reference], axis=0) if p.reference in named and p.reference else (np.nan, np.nan) for p in placements]
    )
    tree = cKDTree([(p.x, p.y) for p in pads]) if pads else None
    size = np.array([bounds[2] - bounds[0], bounds[3] - bounds[1]])
    shifts = {
        "the Gerber files' origin": -origin,
        "the board's lower left corner": np.zeros(2),
        "the board's middle": size / 2,
        "the board's upper left corner": np.array([0.0, size[1]]),
    }
    best: tuple[tuple[float, float], str, NDArray[np.float64]] | None = None
    for name, shift in shifts.items():
        for negated in (False, True) if back.any() else (False,):
            moved = np.where(back[:, None] & negated, xy * [-1.0, 1.0], xy) + shift
            inside = np.all((moved > -2e-3) & (moved < size + 2e-3), axis=1).mean()
            distance = np.linalg.norm(moved - middles, axis=1)
            if not np.isfinite(distance).any():
                distance = tree.query(moved)[0] if tree is not None else np.zeros(len(moved))
            score = (round(float(inside), 2), -round(float(np.nanmedian(distance)), 6))
            if best is None or score > best[0]:
                best = (score, name + (", x of the back negated" if negated else ""), moved)
    if best is None or best[0][0] < 0.5:
        outside = placements[0]
        raise SceneError(
            f"{where}: most parts lie outside the outline, the first row {outside.reference} at x {outside.x * 1e3:.3f} mm, "
            f"y {outside.y * 1e3:.3f} mm; export the table with the origin that the Gerber files have"
        )
    notes = [] if best[1] == "the Gerber files' origin" else [f"positions of the centroid table are counted from {best[1]}"]
    return [replace(p, x=float(x), y=float(y)) for p, (x, y) in zip(placements, best[2], strict=True)], notes


def _owners(rows: Sequence[Placement], pads: Sequence[_Flash]) -> list[int]:
    """Index of every pad's row, −1 for none."""
    by_name = {row.reference: i for i, row in enumerate(rows)}
    owners = [by_name.get(p.reference, -1) if p.reference else -1 for p in pads]
    free = [i for i, p in enumerate(pads) if not p.reference and not p.function.startswith(("Fiducial", "Test", "Washer"))]
    if not free:
        return owners
    fed = {o for o in owners if o >= 0}
    spots = np.array([(pads[i].x, pads[i].y) for i in free])
    tree, taken = cKDTree(spots), np.zeros(len(free), bool)
    for index, row in enumerate(rows):  # pairs that are symmetric about a two-terminal part
        if index in fed or not _CHIP.search(row.package):
            continue
        at = np.array([row.x, row.y])
        best, pair = REACH, None
        for k in tree.query_ball_point(at, 6e-3):
            if taken[k] or not _on_side(pads[free[k]], row):
                continue
            error, other = tree.query(2 * at - spots[k])
            if (
                error < PAIR_ERROR
                and other != k
                and not taken[other]
                and _on_side(pads[free[int(other)]], row)
                and float(np.linalg.norm(spots[k] - at)) < best
            ):
                best, pair = float(np.linalg.norm(spots[k] - at)), (k, int(other))
        if pair is not None:
            taken[list(pair)] = True
            fed.add(index)
            for k in pair:
                owners[free[k]] = index
    hungry = [i for i in range(len(rows)) if i not in fed]
    for k in np.flatnonzero(~taken) if hungry else []:
        able = [i for i in hungry if _on_side(pads[free[k]], rows[i])]
        if able:
            distance = np.linalg.norm(np.array([(rows[i].x, rows[i].y) for i in able]) - spots[k], axis=1)
            nearest = int(np.argmin(distance))
            if distance[nearest] < REACH:
                owners[free[k]] = able[nearest]
    return owners


def _on_side(pad: _Flash, row: Placement) -> bool:
    return pad.front if row.side == "front" else pad.back


__all__ = ["make_components"]
