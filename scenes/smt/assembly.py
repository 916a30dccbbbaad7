"""assemble: a board side and its packages become an Assembly: terminals on lands, apertures, nominal solder.

Frame: the board frame of the side that is up. The board given here is already turned, see ``Board.seen_from``.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from scenes.board.model import Board, Component, Pad
from scenes.errors import SceneError
from scenes.parts.model import Package
from scenes.smt.state import Assembly, Joints

METAL_FRACTION = 0.5                           # paste is about 50 vol% metal (domain reference 3.1)
FILLET_SLOPE = 0.7                             # height / radial extent of a through-hole fillet, about 35° (engineering default)
TOUCH = 10e-6                                  # [m] pads of one number closer than this are one land
STRAY_SHARE = 0.2                              # a paste shape whose middle is off the land still prints on it above this share


def transfer_efficiency(area_ratio: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Printed volume / aperture volume [1] for an area ratio [1]: 0.82 at 0.60, 0.92 at 0.66, 0.99 at 0.8."""
    efficiency: NDArray[np.float64] = 1 / (1 + np.exp(-(np.asarray(area_ratio, np.float64) - 0.50) / 0.066))
    return efficiency


def placeable(board: Board) -> tuple[Component, ...]:
    """The components that are placed on the side that is up, in board order: what ``assemble`` wants packages for."""
    return tuple(c for c in board.components if c.placed and c.side == "front")


def land_polygon(pad: Pad) -> BaseGeometry:
    """The pad's copper as a polygon in the board frame [m], also where the importer left ``outline`` empty."""
    if pad.outline is not None and not pad.outline.is_empty:
        return pad.outline
    w, h = pad.size
    if pad.shape in ("circle", "oval"):
        r = min(w, h) / 2
        core = shapely.LineString([(-(w / 2 - r), -(h / 2 - r)), (w / 2 - r, h / 2 - r)])
        shape: BaseGeometry = (core if core.length > 0 else shapely.Point(0, 0)).buffer(r)
    else:
        shape = shapely.box(-w / 2, -h / 2, w / 2, h / 2)
    return affinity.translate(affinity.rotate(shape, pad.angle, origin=(0, 0), use_radians=True), pad.x, pad.y)


def _candidates(component: Component, number: str) -> list[Pad]:
    """Pads of this number that a terminal on the front can be soldered to: open ones, where there are any."""
    pads = [p for p in component.pads if p.number == number and p.kind != "npth" and (p.front or p.kind == "through")]
    return [p for p in pads if p.mask] or pads


def _match(pads: list[Pad], at: NDArray[np.float64], kind: str) -> Pad:
    """The nearest of several pads that share a number; for an exposed pad the largest, not the vias in it."""
    if kind == "thermal":
        return max(pads, key=lambda p: (p.size[0] * p.size[1], -p.x, -p.y))
    if kind != "through" and any(p.kind != "through" for p in pads):
        pads = [p for p in pads if p.kind != "through"]
    return min(pads, key=lambda p: (round(np.hypot(p.x - at[0], p.y - at[1]) * 1e9), -p.size[0] * p.size[1], p.x, p.y))


def _land(pads: list[Pad], matched: Pad) -> BaseGeometry:
    """The copper around the matched pad: surface pads of one number that touch are one land, drawn in pieces."""
    own = land_polygon(matched)
    others = [land_polygon(p) for p in pads if p is not matched and p.kind == "smd"]
    if matched.kind != "smd" or not others:
        return own
    joined = shapely.union_all([shape.buffer(TOUCH / 2, join_style="mitre") for shape in [own, *others]])
    pieces = [g for g in shapely.get_parts(joined) if g.intersects(own)]
    return own if pieces[0].area < 1.05 * own.area else pieces[0].buffer(-TOUCH / 2, join_style="mitre")


def _apertures(board: Board, pads: list[Pad], lands: list[BaseGeometry], owner: NDArray[np.intp],
               thickness: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Stencil opening [m²] and area ratio [1] per joint, from the paste layer, or from the pads where there is none.

    An opening belongs to the land that its middle lies in. Several openings on one land (a windowed exposed pad) add up,
    walls too. Joints that share a land share its paste.
    """
    area, wall = np.zeros(len(lands)), np.zeros(len(lands))
    layer = board.layer("paste", "front")
    shapes = [s for s, dark in zip(layer.shapes, layer.dark, strict=True) if dark and not s.is_empty] if layer else []
    if shapes and lands:
        openings = np.array(shapes, dtype=object)
        size, rim = shapely.area(openings), shapely.length(openings)
        land_array = np.array(lands, dtype=object)
        tree = shapely.STRtree(shapely.centroid(openings))
        land, hit = tree.query(land_array, predicate="intersects")
        np.add.at(area, land, size[hit])
        np.add.at(wall, land, rim[hit] * thickness)
        bare = np.flatnonzero(area == 0)
        if len(bare):
            land, hit = shapely.STRtree(openings).query(land_array[bare], predicate="intersects")
            common = shapely.intersection(land_array[bare][land], openings[hit])
            share = shapely.area(common)
            keep = share > STRAY_SHARE * shapely.area(land_array[bare][land])
            np.add.at(area, bare[land[keep]], share[keep])
            np.add.at(wall, bare[land[keep]], shapely.length(common)[keep] * thickness)
    elif layer is None:
        printed = np.array([p.paste and p.front and p.kind == "smd" for p in pads], bool)
        area = np.where(printed, [s.area for s in lands], 0.0)
        wall = np.where(printed, [s.length * thickness for s in lands], 0.0)
    count = np.bincount(owner)[owner] if len(owner) else np.ones(0)
    ratio = np.divide(area, wall, out=np.zeros_like(area), where=wall > 0)
    return area / count, ratio


def _through_volume(pad: Pad, pin: tuple[float, float], thickness: float) -> float:
    """Solder of a filled plated hole [m³]: the barrel around the pin, and a straight conical fillet on each side."""
    if pad.drill is None:
        return 0.0
    hole = np.pi / 4 * pad.drill.diameter**2
    if pad.drill.length > pad.drill.diameter:
        hole += pad.drill.diameter * (pad.drill.length - pad.drill.diameter)
    r_pin = min(min(pin), pad.drill.diameter * 0.95) / 2
    r_land = max(min(pad.size) / 2, pad.drill.diameter / 2)
    height = FILLET_SLOPE * (r_land - r_pin)
    fillet = np.pi * height / 3 * (r_land**2 + r_land * r_pin + r_pin**2) - np.pi * r_pin**2 * height
    return float((hole - np.pi * r_pin**2) * thickness + 2 * fillet)


def assemble(board: Board, side: str, packages: Sequence[Package], stencil_thickness: float) -> Assembly:
    """Match every terminal to its land and work out what a healthy joint holds.

    Args:
        board: Turned so that the side to assemble is the front.
        side: That side's own name, "front" or "back", for the record.
        packages: One per component of ``placeable(board)``, same order.
        stencil_thickness: [m].

    Returns:
        Assembly. Joints are ordered by component, then by terminal. A terminal whose pad number the footprint lacks has
        no joint. ``land_size`` is the land's extent along and across the terminal's outward direction. ``nominal_volume``
        is ½ · aperture · thickness · transfer efficiency, plus the ball for a BGA; a plated hole holds barrel and fillets.

    Raises:
        SceneError: as many packages as placed components are needed.
    """
    components = placeable(board)
    if len(packages) != len(components):
        raise SceneError(f"{board.source}: {len(packages)} packages for {len(components)} placed components; "
                         "describe every component of placeable(board), in order")
    position = np.array([(c.x, c.y) for c in components], np.float64).reshape(-1, 2)
    angle = np.array([c.angle for c in components], np.float64)
    rows: list[tuple[int, int]] = []
    pads: list[Pad] = []
    lands: list[BaseGeometry] = []
    centers: list[NDArray[np.float64]] = []
    for c, (component, package) in enumerate(zip(components, packages, strict=True)):
        cos, sin = np.cos(component.angle), np.sin(component.angle)
        for t, terminal in enumerate(package.terminals):
            x, y = terminal.center
            at = np.array([component.x + cos * x - sin * y, component.y + sin * x + cos * y])
            found = _candidates(component, terminal.pad)
            if not found:
                continue
            rows.append((c, t))
            pads.append(_match(found, at, terminal.kind))
            lands.append(_land(found, pads[-1]))
            centers.append(at)
    index = np.array(rows, np.int32).reshape(-1, 2)
    terminals = [packages[c].terminals[t] for c, t in rows]
    direction = np.array([angle[c] + t.direction for (c, _), t in zip(rows, terminals, strict=True)], np.float64)
    land_center, land_size = np.zeros((len(rows), 2)), np.zeros((len(rows), 2))
    for j, land in enumerate(lands):
        u = np.array([np.cos(direction[j]), np.sin(direction[j])])
        points = shapely.get_coordinates(land) @ np.array([u, [-u[1], u[0]]]).T
        low, high = points.min(axis=0), points.max(axis=0)
        middle = (low + high) / 2
        land_center[j] = middle[0] * u + middle[1] * np.array([-u[1], u[0]])
        land_size[j] = high - low
    key = {(c, pads[j].number, lands[j].wkb): j for j, (c, _) in enumerate(rows)}
    owner = np.array([key[c, pads[j].number, lands[j].wkb] for j, (c, _) in enumerate(rows)], np.intp)
    area, ratio = _apertures(board, pads, lands, owner, stencil_thickness)
    volume = METAL_FRACTION * area * stencil_thickness * transfer_efficiency(ratio)
    for j, (terminal, pad) in enumerate(zip(terminals, pads, strict=True)):
        if terminal.kind == "ball":
            volume[j] += np.pi / 6 * terminal.height**3
        elif terminal.kind == "through":
            volume[j] += _through_volume(pad, terminal.size, board.thickness)
    joints = Joints(
        index[:, 0].copy(), index[:, 1].copy(), tuple(t.kind for t in terminals), tuple(t.pad for t in terminals),
        tuple(p.net for p in pads), land_center, land_size, direction, np.array(centers, np.float64).reshape(-1, 2),
        np.array([t.size for t in terminals], np.float64).reshape(-1, 2),
        np.array([t.height for t in terminals], np.float64), area, ratio, volume)
    return Assembly(board, side, components, tuple(packages), position, angle, joints, stencil_thickness,
                    sum(p.source == "box" for p in packages))


__all__ = ["METAL_FRACTION", "assemble", "land_polygon", "placeable", "transfer_efficiency"]
