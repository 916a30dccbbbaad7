"""What most machines have: a rounded housing with a tunnel for boards, feet, doors, screens, signal towers, signs, transport."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from scenes.equipment.model import CONTINUOUS, TRANSPORT, Body, Joint, Point
from scenes.equipment.shapes import body, box, oriented, pane, path, plate, rect, rod, turned
from scenes.parts.solids import Solid, prism

FRONT_RAIL = -0.20                             # [m] y of the fixed rail's inner side: lines share it, so boards pass straight
CLEARANCE = 0.0005                             # [m] between a board's edge and a rail
CONTACT = 0.004                                # [m] of a board's edge on a belt; boards keep 3 to 5 mm free for it
TUNNEL = 0.11                                  # [m] height of the openings that boards pass through
WIDEST = 0.46                                  # [m] between the rails at most
_WALL = 0.02


@dataclass(frozen=True)
class Board:
    """The box around the product: what rails are set to."""
    length: float = 0.16                       # [m] along x
    width: float = 0.10                        # [m] along y
    thickness: float = 0.0016                  # [m]


@dataclass(frozen=True)
class Band:
    """One storey of a housing, with the openings that it leaves in its plan."""
    low: float                                 # [m]
    high: float
    look: str = "paint_white"
    front: tuple[tuple[float, float], ...] = ()    # (x0, x1) of gaps in the front
    rear: tuple[tuple[float, float], ...] = ()
    sides: tuple[float, float] | None = None   # (y0, y1) of the gap in both ends


def lane(board: Board) -> float:
    """y of a board's middle between the rails [m]."""
    return FRONT_RAIL + board.width / 2


def tunnel(board: Board) -> tuple[float, float]:
    """(y0, y1) of the opening that lets boards and rails through [m]."""
    return FRONT_RAIL - 0.07, FRONT_RAIL + max(board.width, 0.30) + 0.09


def housing(x0: float, x1: float, y0: float, y1: float, bands: Sequence[Band], *, radius: float = 0.05,
            roof: str | None = "paint_white") -> list[Solid]:
    """A rounded shell out of storeys of one plan; closed above by a roof."""
    outer = rect(x0, y0, x1, y1, radius, 5)
    plan = outer.difference(rect(x0 + _WALL, y0 + _WALL, x1 - _WALL, y1 - _WALL, radius - _WALL, 5))
    out = []
    for band in bands:
        cut = [shapely.box(a, y0 - 1, b, y0 + radius + 0.01) for a, b in band.front]
        cut += [shapely.box(a, y1 - radius - 0.01, b, y1 + 1) for a, b in band.rear]
        if band.sides:
            cut.append(shapely.box(x0 - 1, band.sides[0], x1 + 1, band.sides[1]))
        left = plan.difference(shapely.union_all(cut)) if cut else plan
        for piece in getattr(left, "geoms", [left]):
            out.append(plate(band.look, piece, band.low, band.high - band.low))
    if roof is not None:
        top = bands[-1].high
        corner = _ring_of(outer)
        out.append(prism(corner, [top - _WALL, top + 0.008, top + 0.02], roof, inset=[0, 0, 0.012]))
    return out


def _ring_of(polygon: shapely.Polygon) -> NDArray[np.float64]:
    return np.asarray(shapely.geometry.polygon.orient(polygon).exterior.coords)[:-1]


def plinth(x0: float, x1: float, y0: float, y1: float, height: float = 0.16) -> list[Solid]:
    """Levelling feet and a dark base between them."""
    out = [box("paint_dark", (x0 + 0.03, y0 + 0.04, 0.07), (x1 - 0.03, y1 - 0.04, height), 0.01)]
    count = max(2, round((x1 - x0) / 1.2) + 1)
    for k in range(count):
        x = x0 + 0.10 + (x1 - x0 - 0.20) * k / (count - 1)
        for y in (y0 + 0.12, y1 - 0.12):
            out.append(turned("stainless", [(0.045, 0.0), (0.045, 0.012), (0.018, 0.022), (0.014, 0.075)], (x, y, 0.0), "z", 16))
    return out


def door(look: str, x0: float, x1: float, z0: float, z1: float, face: float, *, handle: str = "right", vents: int = 0,
         sign: int = -1) -> list[Solid]:
    """A raised panel on the front (sign −1) or rear wall with a pull handle and louvres."""
    depth = 0.012
    y0, y1 = (face - depth, face) if sign < 0 else (face, face + depth)
    sheet = rect(x0, z0, x1, z1, 0.012, 3)
    out = []
    slots = [rect(x0 + 0.08, z0 + 0.06 + 0.03 * k, x1 - 0.08, z0 + 0.072 + 0.03 * k, 0.005, 2) for k in range(vents)]
    if slots:
        sheet = sheet.difference(shapely.union_all(slots))
        out.append(box("plastic_black", (x0 + 0.06, min(y0, y1) + 0.006, z0 + 0.05),
                       (x1 - 0.06, max(y0, y1) - 0.002, z0 + 0.09 + 0.03 * vents), 0.001))
    out.append(plate(look, sheet, y0, depth, "y"))
    if handle:
        x = {"right": x1 - 0.05, "left": x0 + 0.05, "middle": (x0 + x1) / 2}[handle]
        zm = (z0 + z1) / 2
        tall = min(0.18, 0.5 * (z1 - z0))
        y = y0 if sign < 0 else y1
        if handle == "middle":
            ends = [(x - 0.10, y, z1 - 0.06), (x - 0.10, y + sign * 0.035, z1 - 0.06), (x + 0.10, y + sign * 0.035, z1 - 0.06),
                    (x + 0.10, y, z1 - 0.06)]
        else:
            ends = [(x, y, zm - tall / 2), (x, y + sign * 0.035, zm - tall / 2), (x, y + sign * 0.035, zm + tall / 2),
                    (x, y, zm + tall / 2)]
        out.append(path("paint_dark", ends, 0.008, 8))
    return out


def signal_tower(x: float, y: float, z: float) -> list[Solid]:
    """Red over amber over green on a pole; green is lit. Diameter 60 mm, as towers of 50 to 70 mm are."""
    out = [turned("plastic_black", [(0.04, 0), (0.04, 0.02), (0.016, 0.03)], (x, y, z)),
           rod("aluminium", (x, y, z + 0.02), "z", 0.20, 0.012)]
    z += 0.20
    out.append(turned("plastic_black", [(0.026, 0), (0.030, 0.008), (0.030, 0.02)], (x, y, z)))
    for k, look in enumerate(("signal_green", "signal_amber", "signal_red")):
        low = z + 0.02 + k * 0.064
        out += [rod(look, (x, y, low), "z", 0.060, 0.030), rod("plastic_black", (x, y, low + 0.060), "z", 0.004, 0.031)]
    out.append(turned("plastic_black", [(0.030, 0), (0.028, 0.014), (0.018, 0.02)], (x, y, z + 0.02 + 3 * 0.064)))
    return out


def monitor(x: float, y: float, z: float, *, width: float = 0.44, arm: Point | None = None) -> list[Solid]:
    """An operator's screen that faces the front, and the arm that holds it from ``arm``."""
    height = 0.60 * width
    x0, x1, z0, z1 = x - width / 2, x + width / 2, z, z + height
    out = [box("plastic_black", (x0, y, z0), (x1, y + 0.045, z1), 0.01),
           box("screen", (x0 + 0.018, y - 0.002, z0 + 0.024), (x1 - 0.018, y + 0.004, z1 - 0.018), 0.001)]
    w = width - 0.08                           # what a process screen shows at a glance: a bar, a field, a column of rows
    out.append(box("screen_line", (x0 + 0.04, y - 0.004, z1 - 0.05), (x0 + 0.04 + w, y, z1 - 0.035), 0.0005))
    out.append(box("pcb", (x0 + 0.04, y - 0.004, z0 + 0.05), (x0 + 0.04 + 0.55 * w, y, z1 - 0.07), 0.0005))
    for k in range(4):
        top = z1 - 0.075 - k * 0.034
        if top - 0.012 > z0 + 0.03:
            out.append(box("screen_line", (x0 + 0.04 + 0.62 * w, y - 0.004, top - 0.012),
                           (x0 + 0.04 + (0.95 - 0.08 * (k % 3)) * w, y, top), 0.0005))
    if arm is not None:
        out.append(path("paint_dark", [arm, (x, arm[1], arm[2]), (x, y + 0.06, z + height / 2), (x, y + 0.03, z + height / 2)],
                        0.018, 10))
    return out


def keyboard(x: float, y: float, z: float, wall: float) -> list[Solid]:
    """A tray before the housing with keys and a trackball."""
    out = [box("paint_dark", (x - 0.25, y, z), (x + 0.25, wall, z + 0.018), 0.006)]
    for row in range(4):
        for k in range(11):
            out.append(box("plastic_white" if (row + k) % 7 else "paint_grey",
                           (x - 0.22 + k * 0.028, y + 0.03 + row * 0.03, z + 0.018),
                           (x - 0.197 + k * 0.028, y + 0.055 + row * 0.03, z + 0.026), 0.002))
    out.append(turned("paint_red", [(0.022, 0), (0.022, 0.006), (0.012, 0.016)], (x + 0.17, y + 0.08, z + 0.018), "z", 16))
    return out


def stop_button(x: float, y: float, z: float) -> list[Solid]:
    """The emergency stop on the front: red mushroom on a yellow plate (ISO 13850)."""
    return [box("paint_yellow", (x - 0.035, y - 0.012, z - 0.035), (x + 0.035, y, z + 0.035), 0.004),
            oriented(turned("signal_red", [(0.012, 0), (0.012, 0.012), (0.022, 0.014), (0.020, 0.028), (0.010, 0.032)],
                            (0, 0, 0), "z", 16), "y").moved(turn=math.pi, at=(x, y - 0.01, z))]


def stripe(look: str, x0: float, x1: float, z0: float, z1: float, face: float) -> Solid:
    """A coloured band on the front."""
    return box(look, (x0, face - 0.004, z0), (x1, face, z1), 0.001)


def radiation_sign(x: float, z: float, size: float, face: float) -> list[Solid]:
    """The trefoil of ISO 361 in the triangle of ISO 7010 W003, as raised sheets on the front."""
    def triangle(s: float) -> shapely.Polygon:
        return shapely.Polygon([(x + s * math.sin(a), z + s * math.cos(a)) for a in (0, 2 * math.pi / 3, 4 * math.pi / 3)])

    out = [plate("sign_black", triangle(size).buffer(0.06 * size, quad_segs=3), face - 0.004, 0.004, "y"),
           plate("paint_yellow", triangle(size * 0.84).buffer(0.04 * size, quad_segs=3), face - 0.006, 0.002, "y")]
    r = size * 0.085                           # ISO 361: centre disc R, blades from 1.5 R to 5 R
    z -= 0.02 * size
    out.append(plate("sign_black", shapely.Point(x, z).buffer(r, quad_segs=5), face - 0.008, 0.002, "y"))
    for middle in (90, 210, 330):
        arc = [math.radians(middle - 30 + 10 * k) for k in range(7)]
        blade = [(x + 5 * r * math.cos(a), z - 5 * r * math.sin(a)) for a in arc]
        blade += [(x + 1.5 * r * math.cos(a), z - 1.5 * r * math.sin(a)) for a in reversed(arc)]
        out.append(plate("sign_black", shapely.Polygon(blade), face - 0.008, 0.002, "y"))
    return out


def window(look: str, x0: float, x1: float, z0: float, z1: float, face: float, frame: str = "paint_dark",
           border: float = 0.028) -> list[Solid]:
    """A front window over an opening of the housing."""
    return pane(look, frame, (x0, z0, x1, z1), face, "y", border=border, depth=0.022, sign=-1, radius=0.03)


def transport(x0: float, x1: float, board: Board, *, depth: float = 0.055, name: str = "") -> list[Body]:
    """Edge-belt transport from ``x0`` to ``x1``: a fixed front rail, a rear one set to the board's width, belts, pulleys, shaft.

    The belts' upper side is the transport height. The rear rail slides along y, pulleys and shaft turn about y.
    """
    front, rear = FRONT_RAIL - CLEARANCE, FRONT_RAIL + board.width + CLEARANCE
    radius, z = 0.012, TRANSPORT - 0.012
    bodies = []
    for rail, inner, sign in (("front", front, -1), ("rear", rear, 1)):
        outer = inner + sign * 0.018
        y0, y1 = min(inner, outer), max(inner, outer)
        profile = shapely.box(x0, TRANSPORT - depth, x1, TRANSPORT + 0.006)
        groove = shapely.box(x0 - 1, TRANSPORT - 0.65 * depth, x1 + 1, TRANSPORT - 0.50 * depth)
        solids = [plate("rail", profile.difference(groove).geoms[k], y0, y1 - y0, "y") for k in range(2)]
        solids.append(plate("paint_grey", groove.intersection(profile), y0 + 0.004, y1 - y0 - 0.008, "y"))
        belt = shapely.LineString([(x0 + radius + 0.002, z), (x1 - radius - 0.002, z)])
        loop = belt.buffer(radius, quad_segs=4).difference(belt.buffer(radius - 0.002, quad_segs=4))
        edge = (inner - CONTACT, inner - 0.0001) if sign > 0 else (inner + 0.0001, inner + CONTACT)
        solids.append(plate("belt", loop, edge[0], edge[1] - edge[0], "y"))
        joint = None if rail == "front" else Joint("prismatic", "y", min(0.05 - board.width, 0.0), max(WIDEST - board.width, 0.0))
        bodies.append(body(f"{name}rail_{rail}", "rail", solids, origin=(x0, inner, TRANSPORT), joint=joint))
        for k, x in enumerate((x0 + radius + 0.002, x1 - radius - 0.002)):
            wheel = rod("plastic_white", (x, edge[0], z), "y", edge[1] - edge[0], radius - 0.002, 14)
            turn = Joint("revolute", "y", -CONTINUOUS, CONTINUOUS, "" if rail == "front" else f"{name}rail_rear")
            bodies.append(body(f"{name}pulley_{rail}_{'in' if k == 0 else 'out'}", "pulley", [wheel],
                               origin=(x, (edge[0] + edge[1]) / 2, z), joint=turn))
    shaft = x1 - 0.06
    bodies.append(body(f"{name}shaft", "shaft", [rod("stainless", (shaft, front - 0.03, TRANSPORT - depth - 0.012), "y",
                                                     rear - front + 0.09, 0.008, 12)],
                       origin=(shaft, front, TRANSPORT - depth - 0.012), joint=Joint("revolute", "y", -CONTINUOUS, CONTINUOUS)))
    return bodies


__all__ = ["CLEARANCE", "CONTACT", "FRONT_RAIL", "TUNNEL", "WIDEST", "Band", "Board", "door", "housing", "keyboard",
           "lane", "monitor", "plinth", "radiation_sign", "signal_tower", "stop_button", "stripe", "transport", "tunnel",
           "window"]
