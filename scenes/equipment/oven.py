"""The reflow oven: a long low box, one rounded hood per zone, tunnels at both ends, exhaust stacks, a chain through everything.

Number and length of the zones are the process's; the rest is an engineering default in the range of current ovens (with ten
zones 4.5 to 6 m long, 1.3 to 1.5 m deep and 1.4 to 1.5 m high without its stacks).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import shapely
import shapely.affinity

from scenes.equipment.furniture import (
    FRONT_RAIL,
    Band,
    Board,
    door,
    housing,
    lane,
    monitor,
    plinth,
    signal_tower,
    stop_button,
    stripe,
    transport,
    tunnel,
)
from scenes.equipment.inspection import ports
from scenes.equipment.model import CONTINUOUS, TRANSPORT, Body, Joint, Machine
from scenes.equipment.shapes import body, box, path, plate, ring, rod, turned
from scenes.parts.solids import Solid

ENTRY, EXIT = 0.50, 0.60  # [m] tunnels before and after the zones


@lru_cache(maxsize=16)
def oven(board: Board, *, zones: int = 10, cooling: int = 2, zone_length: float = 0.35) -> Machine:
    """A convection oven of ``zones`` zones, the last ``cooling`` of which cool."""
    length, y = zones * zone_length + ENTRY + EXIT, lane(board)
    front, rear = -0.64, max(0.74, y + board.width / 2 + 0.45)
    deck, crown = 0.90, 1.40
    start, end = -length / 2 + ENTRY, length / 2 - EXIT
    sides = tunnel(board)
    base_bands = [
        Band(0.16, TRANSPORT - 0.07, "paint_light"),
        Band(TRANSPORT - 0.07, TRANSPORT + 0.04, "paint_light", sides=sides),
    ]
    shell = housing(start - 0.02, end + 0.02, front, rear, base_bands, radius=0.04, roof=None) + plinth(
        start - 0.02, end + 0.02, front, rear
    )
    hoods: list[Solid] = []
    bodies: list[Body] = []
    panels = max(1, round(zones / 2))
    for k in range(panels):
        a, b = start + (end - start) * k / panels, start + (end - start) * (k + 1) / panels
        shell += door("paint_light", a + 0.012, b - 0.012, 0.19, deck - 0.05, front, handle="middle", vents=3)
    shell.append(stripe("paint_dark", start + 0.02, end - 0.02, deck - 0.03, TRANSPORT + 0.02, front))
    for k in range(zones):
        a, b = start + k * zone_length, start + (k + 1) * zone_length
        cool = k >= zones - cooling
        hoods += _hood(a + 0.006, b - 0.006, front, rear, TRANSPORT + 0.045, crown, "paint_light" if cool else "paint_white")
        hoods += _plate_number(
            k + 1, (a + b) / 2, TRANSPORT + 0.13, front - 0.005, "paint_blue" if cool else _warm(k, zones - cooling)
        )
        hoods.append(
            path(
                "stainless",
                [
                    ((a + b) / 2 - 0.08, front + 0.002, TRANSPORT + 0.075),
                    ((a + b) / 2 - 0.08, front - 0.035, TRANSPORT + 0.075),
                    ((a + b) / 2 + 0.08, front - 0.035, TRANSPORT + 0.075),
                    ((a + b) / 2 + 0.08, front + 0.002, TRANSPORT + 0.075),
                ],
                0.007,
                8,
            )
        )
        motor = (((a + b) / 2), (front + rear) / 2)
        hoods += [
            turned(
                "paint_dark" if not cool else "paint_blue",
                [(0.075, 0), (0.075, 0.10), (0.06, 0.115)],
                (*motor, crown - 0.004),
                "z",
                24,
            ),
            plate("plastic_black", ring(motor, 0.02, 0.055, 6), crown + 0.110, 0.008),
        ]
        fan = [
            rod("stainless", (*motor, crown - 0.16), "z", 0.15, 0.012, 12),
            plate("stainless", _blades(motor), crown - 0.17, 0.03),
        ]
        bodies.append(
            body(
                f"blower_{k + 1}",
                "blower",
                fan,
                origin=(*motor, crown - 0.16),
                joint=Joint("revolute", "z", -CONTINUOUS, CONTINUOUS),
            )
        )
    for a, b, tail in ((-length / 2 + 0.01, start - 0.022, -1), (end + 0.022, length / 2 - 0.01, 1)):
        hoods += _tunnel(a, b, sides, tail)
        shell += [
            box(
                "paint_light",
                (a + 0.03 if tail < 0 else a, sides[0] - 0.04, 0.16),
                (b if tail < 0 else b - 0.03, sides[1] + 0.04, TRANSPORT - 0.075),
                0.01,
            ),
            *plinth(a, b, sides[0] - 0.04, sides[1] + 0.04),
        ]
    stacks: list[Solid] = []
    for x in (start + 0.35 * zone_length, end - cooling * zone_length - 0.3 * zone_length):
        stacks += [
            turned("stainless", [(0.10, 0), (0.10, 0.62)], (x, rear - 0.22, crown - 0.10), "z", 28),
            plate("stainless", ring((x, rear - 0.22), 0.099, 0.135), crown + 0.50, 0.012),
            plate("stainless", ring((x, rear - 0.22), 0.099, 0.125), crown + 0.04, 0.010),
            turned("rail", [(0.104, 0), (0.104, 0.16)], (x, rear - 0.22, crown + 0.52), "z", 28),
        ]
    shell += stop_button(start + 0.06, front, TRANSPORT + 0.005) + stop_button(end - 0.06, front, TRANSPORT + 0.005)
    mid = start + 0.62 * (end - start)
    bodies = [
        body("housing", "housing", shell),
        body("zones", "oven_zone", hoods),
        body("stacks", "exhaust", stacks),
        body("tower", "signal_tower", signal_tower(start + 0.12, rear - 0.55, crown + 0.03)),
        body(
            "panel", "operator_panel", monitor(mid, front - 0.18, crown - 0.02, width=0.46, arm=(mid, front + 0.20, crown + 0.03))
        ),
        *bodies,
        *transport(-length / 2 + 0.004, length / 2 - 0.004, board, depth=0.05),
    ]
    for k, x in enumerate(np.linspace(start + 0.1, end - 0.1, max(2, zones // 2))):
        rollers = [rod("stainless", (x, FRONT_RAIL - 0.02, TRANSPORT - 0.075), "y", board.width + 0.04, 0.015, 14)]
        bodies.append(
            body(
                f"return_roller_{k + 1}",
                "roller",
                rollers,
                origin=(float(x), y, TRANSPORT - 0.075),
                joint=Joint("revolute", "y", -CONTINUOUS, CONTINUOUS),
            )
        )
    return Machine(
        "reflow",
        f"reflow {board} {zones} {cooling} {zone_length}",
        "Reflow oven",
        (length, rear - front, crown),
        tuple(bodies),
        ports(length, board),
        (start + 0.5 * (end - start), y, TRANSPORT),
        "zones from the scene; housing an engineering default",
    )


def _hood(a: float, b: float, front: float, rear: float, low: float, high: float, look: str) -> list[Solid]:
    """One segment with a round shoulder front and back, flat on top, hollow below, and a rib along its middle."""
    r = 0.26
    arch = shapely.union_all(
        [shapely.Point(y, high - r).buffer(r, quad_segs=10) for y in (front + r, rear - r)]
        + [shapely.box(front, low, rear, high - r), shapely.box(front + r, low, rear - r, high)]
    )
    inner = arch.buffer(-0.03).union(shapely.box(front + 0.03, low - 1, rear - 0.03, low + 0.05))
    rib = arch.buffer(0.006).difference(arch).difference(shapely.box(front - 1, low - 1, rear + 1, low))
    return [
        plate(look, arch.difference(inner), a, b - a, "x"),
        plate("paint_grey", rib, a, 0.014, "x"),
        plate("paint_grey", rib, b - 0.014, 0.014, "x"),
    ]


def _tunnel(a: float, b: float, sides: tuple[float, float], tail: int) -> list[Solid]:
    """A low cover over the transport, open at its end, with a curtain."""
    y0, y1 = sides[0] - 0.05, sides[1] + 0.05
    low, high = TRANSPORT - 0.075, TRANSPORT + 0.16
    arch = shapely.Polygon([(y0, low), (y0, high - 0.06), (y0 + 0.06, high), (y1 - 0.06, high), (y1, high - 0.06), (y1, low)])
    hole = shapely.box(y0 + 0.03, low + 0.02, y1 - 0.03, TRANSPORT + 0.06)
    out = [plate("paint_white", arch.difference(hole), a, b - a, "x")]
    out.append(plate("paint_dark", arch.buffer(-0.02).difference(hole), b - 0.007 if tail > 0 else a - 0.003, 0.006, "x"))
    return out


def _warm(k: int, heating: int) -> str:
    """Preheat, soak, peak: the plate's colour."""
    return "paint_yellow" if k < 0.35 * heating else "paint_orange" if k < 0.7 * heating else "paint_red"


_SEGMENTS = {
    "0": "abcdef",
    "1": "bc",
    "2": "abged",
    "3": "abgcd",
    "4": "fgbc",
    "5": "afgcd",
    "6": "afgedc",
    "7": "abc",
    "8": "abcdefg",
    "9": "abcdfg",
}


def _plate_number(number: int, x: float, z: float, face: float, look: str) -> list[Solid]:
    """A small sign with the zone's number in seven-segment figures."""
    text = str(number)
    out = [box(look, (x - 0.05, face - 0.004, z), (x + 0.05, face + 0.006, z + 0.075), 0.002)]
    h, w, t = 0.022, 0.020, 0.006
    for i, figure in enumerate(text):
        left = x + (i - (len(text) - 1) / 2) * 0.034 - w / 2
        bottom = z + 0.0375 - h
        bars = {
            "a": (left, bottom + 2 * h, w, t),
            "d": (left, bottom, w, t),
            "g": (left, bottom + h, w, t),
            "f": (left, bottom + h, t, h + t),
            "b": (left + w - t, bottom + h, t, h + t),
            "e": (left, bottom, t, h + t),
            "c": (left + w - t, bottom, t, h + t),
        }
        strokes = shapely.union_all(
            [shapely.box(p, q - t / 2, p + dw, q - t / 2 + dh) for p, q, dw, dh in (bars[s] for s in _SEGMENTS[figure])]
        )
        out += [plate("sign_black", piece, face - 0.006, 0.003, "y") for piece in getattr(strokes, "geoms", [strokes])]
    return out


def _blades(center: tuple[float, float]) -> shapely.Polygon:
    x, y = center
    arms = [shapely.affinity.rotate(shapely.box(x - 0.008, y, x + 0.008, y + 0.09), 60 * k, origin=(x, y)) for k in range(6)]
    return shapely.union_all([shapely.Point(x, y).buffer(0.025, quad_segs=4), *arms])


__all__ = ["ENTRY", "EXIT", "oven"]
