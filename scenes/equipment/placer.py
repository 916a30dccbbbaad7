"""The placement machine: a long low housing with glass hoods, gantries with heads inside, feeder banks in front and behind.

Sizes: 8 mm tape feeders at a 14 mm pitch with 180 mm reels (IEC 60286-3); the housing is an engineering default in the range of
current machines (1.3 to 2 m long, 1.7 to 2.5 m deep with feeders, 1.4 to 1.6 m high).
"""

from __future__ import annotations

import math
from functools import lru_cache

import shapely

from scenes.equipment.furniture import (
    Band,
    Board,
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
from scenes.equipment.shapes import body, box, path, plate, rect, ring, rod, tilted, turned
from scenes.parts.solids import Solid

REEL, REEL_WIDTH = 0.178, 0.0114  # [m] 7 inch reel for 8 mm tape
PITCH = 0.028  # [m] between feeders drawn: every second place of a 14 mm bank
NOZZLES = 8  # spindles of one head


@lru_cache(maxsize=16)
def placer(board: Board, *, feeders: int = 0, nozzles: int = NOZZLES) -> Machine:
    """A placement machine with at least ``feeders`` places per bank, or as many as fit, and ``nozzles`` spindles on each head."""
    length, y = max(1.70, board.length + 1.0, feeders * PITCH + 0.52), lane(board)
    front, rear, height = -0.70, max(0.70, y + board.width / 2 + 0.55), 1.54
    low, sill, crown = TRANSPORT - 0.07, TRANSPORT + 0.03, height - 0.10
    x0, x1, w, sides = -length / 2 + 0.01, length / 2 - 0.01, length / 2 - 0.17, tunnel(board)
    places = max(feeders, int((2 * w - 0.14) / PITCH))
    gap = ((-w, w),)
    bands = [
        Band(0.16, 0.42, "paint_light"),
        Band(0.42, low, "paint_light", front=gap, rear=gap),
        Band(low, sill, front=gap, rear=gap, sides=sides),
        Band(sill, TRANSPORT + 0.09, front=gap, rear=gap, sides=sides),
        Band(TRANSPORT + 0.09, crown, front=gap, rear=gap),
        Band(crown, height),
    ]
    shell = housing(x0, x1, front, rear, bands, radius=0.07, roof=None) + plinth(x0, x1, front, rear)
    top = rect(x0, front, x1, rear, 0.07, 5).difference(
        shapely.union_all([shapely.box(-w, front + 0.14, -0.04, rear - 0.14), shapely.box(0.04, front + 0.14, w, rear - 0.14)])
    )
    shell += [
        plate("paint_white", top, height - 0.01, 0.03),
        stripe("paint_orange", x0 + 0.07, x1 - 0.07, height - 0.075, height - 0.03, front),
        box("interior", (x0 + 0.03, front + 0.26, TRANSPORT - 0.16), (x1 - 0.03, rear - 0.26, TRANSPORT - 0.14)),
        *[box("lamp_white", (-w, b - 0.02, height - 0.03), (w, b + 0.02, height - 0.012)) for b in (front + 0.10, rear - 0.10)],
    ]
    shell += stop_button(x0 + 0.09, front, sill) + stop_button(x1 - 0.09, front, sill)
    for x in (x0 + 0.085, x1 - 0.085):
        shell += [box("paint_light", (x - 0.05, front - 0.012, 0.22), (x + 0.05, front, 0.80), 0.008)]
    glass: list[Solid] = []
    for a, b in ((-w - 0.02, -0.012), (0.012, w + 0.02)):  # two hoods, side by side, above the feeders
        glass += _hood(a, b, sill + 0.035, crown + 0.01, front)
        glass.append(
            plate(
                "glass_clear", shapely.box(max(a, -w) - 0.01, front + 0.13, min(b, w) + 0.01, rear - 0.13), height + 0.0205, 0.006
            )
        )
    bodies = [
        body("housing", "housing", shell),
        body("hoods", "window", glass),
        body("tower", "signal_tower", signal_tower(x1 - 0.12, y, height + 0.02)),
        body(
            "panel",
            "operator_panel",
            monitor(x1 - 0.24, front - 0.10, height - 0.05, width=0.36, arm=(x1 - 0.05, front + 0.06, height + 0.03)),
        ),
        *_bank(places, front, -1, "front"),
        *_bank(places, rear, 1, "rear"),
        *_gantries(length, front, rear, y, board, nozzles),
        *transport(-length / 2 + 0.004, length / 2 - 0.004, board, depth=0.05),
    ]
    camera = [
        turned(
            "plastic_black",
            [(0.05, 0), (0.05, 0.03), (0.035, 0.035), (0.035, 0.05)],
            (s * 0.0 + 0.12, yy, TRANSPORT - 0.14),
            "z",
            24,
        )
        for s, yy in ((1, front + 0.34), (1, rear - 0.34))
    ]
    camera += [plate("lamp_blue", ring((0.12, yy), 0.022, 0.032), TRANSPORT - 0.09, 0.003) for yy in (front + 0.34, rear - 0.34)]
    bodies.append(body("component_cameras", "camera", camera))
    return Machine(
        "placement",
        f"placement {board} {feeders} {nozzles}",
        "Placer",
        (length, rear - front + 0.64, height),
        tuple(bodies),
        ports(length, board),
        (0.0, y, TRANSPORT),
        "engineering default; feeders and reels IEC 60286-3",
    )


def _hood(a: float, b: float, z0: float, z1: float, front: float) -> list[Solid]:
    """A sloping glass hood in a dark frame with a handle."""
    lean = math.radians(7)
    hinge = (0.0, front, z1)
    border = rect(a, z0, b, z1, 0.05).difference(rect(a + 0.05, z0 + 0.05, b - 0.05, z1 - 0.04, 0.04))
    parts = [
        plate("paint_dark", border, front - 0.030, 0.028, "y"),
        plate("glass_clear", rect(a + 0.03, z0 + 0.03, b - 0.03, z1 - 0.03, 0.04), front - 0.020, 0.008, "y"),
        path(
            "stainless",
            [
                ((a + b) / 2 - 0.14, front - 0.02, z0 + 0.025),
                ((a + b) / 2 - 0.14, front - 0.065, z0 + 0.025),
                ((a + b) / 2 + 0.14, front - 0.065, z0 + 0.025),
                ((a + b) / 2 + 0.14, front - 0.02, z0 + 0.025),
            ],
            0.009,
            10,
        ),
    ]
    return [tilted(p, "x", -lean, hinge) for p in parts]


def _bank(places: int, face: float, sign: int, side: str) -> list[Body]:
    """A feeder cart: table, feeders with their tapes, reels below on a shelf. Reels turn."""
    half = places * PITCH / 2
    y = face

    def yy(d: float) -> float:  # d metres outside the wall
        return y + sign * d

    def block(look: str, xa: float, da: float, za: float, xb: float, db: float, zb: float, bevel: float = 0.003) -> Solid:
        return box(look, (xa, min(yy(da), yy(db)), za), (xb, max(yy(da), yy(db)), zb), bevel)

    cart = [
        block("paint_dark", -half - 0.04, -0.16, TRANSPORT - 0.12, half + 0.04, 0.10, TRANSPORT - 0.085, 0.006),
        block("paint_grey", -half - 0.05, 0.02, 0.14, -half - 0.02, 0.33, TRANSPORT - 0.09, 0.006),
        block("paint_grey", half + 0.02, 0.02, 0.14, half + 0.05, 0.33, TRANSPORT - 0.09, 0.006),
        block("paint_grey", -half - 0.05, 0.02, 0.12, half + 0.05, 0.33, 0.16, 0.006),
        block("paint_dark", -half - 0.02, 0.0, 0.16, half + 0.02, 0.02, TRANSPORT - 0.12, 0.003),
    ]
    cart.append(
        path(
            "stainless",
            [
                (-half - 0.03, yy(0.32), 0.62),
                (-half - 0.03, yy(0.37), 0.64),
                (half + 0.03, yy(0.37), 0.64),
                (half + 0.03, yy(0.32), 0.62),
            ],
            0.012,
            10,
        )
    )
    for x in (-half - 0.02, half + 0.02):  # castors
        for d in (0.06, 0.28):
            cart.append(rod("rubber", (x - 0.015, yy(d), 0.05), "x", 0.03, 0.05, 18))
            cart.append(block("stainless", x - 0.02, d - 0.02, 0.06, x + 0.02, d + 0.02, 0.12))
    feeders: list[Solid] = []
    reels: list[Body] = []
    for k in range(places):
        x = -half + (k + 0.5) * PITCH
        outline = shapely.Polygon(
            [
                (yy(-0.20), TRANSPORT - 0.020),
                (yy(-0.20), TRANSPORT - 0.083),
                (yy(0.16), TRANSPORT - 0.083),
                (yy(0.25), TRANSPORT - 0.15),
                (yy(0.27), TRANSPORT - 0.13),
                (yy(0.20), TRANSPORT - 0.035),
                (yy(0.10), TRANSPORT - 0.018),
            ]
        )
        feeders.append(plate("aluminium" if k % 5 else "paint_light", outline, x - 0.0055, 0.011, "x"))
        feeders.append(
            block(
                "paint_blue" if k % 4 else "paint_orange",
                x - 0.006,
                0.10,
                TRANSPORT - 0.020,
                x + 0.006,
                0.19,
                TRANSPORT - 0.006,
                0.002,
            )
        )
        row = k % 2  # reels hang in two rows, staggered, as on a real cart
        center = (x - REEL_WIDTH / 2, yy(0.22 if row else 0.20), 0.70 if row else 0.48)
        reels.append(
            body(
                f"reel_{side}_{k}",
                "reel",
                _reel(center, "reel_white" if k % 3 == 0 else "reel_blue"),
                origin=center,
                joint=Joint("revolute", "x", -CONTINUOUS, CONTINUOUS),
            )
        )
        feeders.append(
            path(
                "tape",
                [
                    (x, yy(0.265), TRANSPORT - 0.14),
                    (x, yy(0.30), TRANSPORT - 0.22),
                    (x, center[1] + sign * 0.075, center[2] + 0.04),
                ],
                0.0035,
                4,
            )
        )
    return [body(f"cart_{side}", "feeder_cart", cart), body(f"feeders_{side}", "feeder", feeders), *reels]


def _reel(center: tuple[float, float, float], look: str) -> list[Solid]:
    """Two flanges with windows, a core of tape."""
    x, y, z = center
    flange = ring((y, z), 0.0065, REEL / 2, 7)
    holes = [shapely.Point(y + 0.055 * math.cos(a), z + 0.055 * math.sin(a)).buffer(0.016, quad_segs=3) for a in (0.5, 2.6, 4.7)]
    flange = flange.difference(shapely.union_all(holes))
    return [
        plate(look, flange, x, 0.0012, "x"),
        plate(look, flange, x + REEL_WIDTH - 0.0012, 0.0012, "x"),
        plate("tape", ring((y, z), 0.030, 0.074, 6), x + 0.0012, REEL_WIDTH - 0.0024, "x"),
    ]


def _gantries(length: float, front: float, rear: float, y: float, board: Board, nozzles: int) -> list[Body]:
    """Two beams along x that run on rails along y, each with a head of spindles: one picks from the front, one from the rear."""
    half, z = length / 2 - 0.10, TRANSPORT + 0.22
    rails = [box("rail", (s * half - 0.03, front + 0.10, z - 0.06), (s * half + 0.03, rear - 0.10, z), 0.004) for s in (-1, 1)]
    rails += [
        box("stainless", (s * half - 0.01, front + 0.12, z), (s * half + 0.01, rear - 0.12, z + 0.015), 0.002) for s in (-1, 1)
    ]
    bodies = [body("gantry_rails", "frame", rails)]
    middle = (front + rear) / 2
    for name, beam_y, head_x, sign in (("front", min(y - 0.12, front + 0.40), -0.34, -1), ("rear", y + 0.27, 0.30, 1)):
        beam = [
            box("aluminium", (-half - 0.02, beam_y - 0.06, z + 0.015), (half + 0.02, beam_y + 0.06, z + 0.125), 0.01),
            box("paint_dark", (-half - 0.045, beam_y - 0.11, z + 0.010), (-half + 0.045, beam_y + 0.11, z + 0.05), 0.006),
            box("paint_dark", (half - 0.045, beam_y - 0.11, z + 0.010), (half + 0.045, beam_y + 0.11, z + 0.05), 0.006),
            box(
                "stainless",
                (-half + 0.06, beam_y + sign * 0.063 - 0.004, z + 0.035),
                (half - 0.06, beam_y + sign * 0.063 + 0.004, z + 0.05),
                0.002,
            ),
            box(
                "stainless",
                (-half + 0.06, beam_y + sign * 0.063 - 0.004, z + 0.09),
                (half - 0.06, beam_y + sign * 0.063 + 0.004, z + 0.105),
                0.002,
            ),
        ]
        beam += [
            box(
                "plastic_black",
                (-half + 0.08 + 0.03 * k, beam_y - 0.03, z + 0.125),
                (-half + 0.106 + 0.03 * k, beam_y + 0.03, z + 0.155),
                0.004,
            )
            for k in range(int((length - 0.5) / 0.03 / 2))
        ]
        low = (front if sign < 0 else middle) + 0.22 - beam_y
        high = (middle if sign < 0 else rear) - 0.22 - beam_y
        bodies.append(
            body(
                f"gantry_{name}",
                "gantry",
                beam,
                origin=(0.0, beam_y, z),
                joint=Joint("prismatic", "y", min(low, -0.02), max(high, 0.02)),
            )
        )
        hy = beam_y + sign * 0.135
        head = [
            box("paint_white", (head_x - 0.11, hy - 0.055, z - 0.10), (head_x + 0.11, hy + 0.055, z + 0.16), 0.012),
            box(
                "paint_dark",
                (head_x - 0.09, min(hy, hy - sign * 0.065), z + 0.02),
                (head_x + 0.09, max(hy, hy - sign * 0.065), z + 0.12),
                0.004,
            ),
            box("paint_orange", (head_x - 0.105, hy - 0.057, z + 0.10), (head_x + 0.105, hy + 0.057, z + 0.125), 0.002),
            turned("plastic_black", [(0.026, 0), (0.026, 0.05)], (head_x + 0.14, hy, z - 0.12), "z", 18),
            box("paint_dark", (head_x + 0.105, hy - 0.03, z - 0.07), (head_x + 0.17, hy + 0.03, z + 0.02), 0.004),
        ]
        bodies.append(
            body(
                f"head_{name}",
                "placement_head",
                head,
                origin=(head_x, hy, z),
                joint=Joint("prismatic", "x", -half + 0.20 - head_x, half - 0.22 - head_x, f"gantry_{name}"),
            )
        )
        for k in range(nozzles):
            x = head_x - 0.085 + 0.17 * k / max(nozzles - 1, 1)
            spindle = [
                rod("stainless", (x, hy, z - 0.17), "z", 0.075, 0.007, 12),
                turned("plastic_black", [(0.0035, 0), (0.0045, 0.012), (0.009, 0.02), (0.009, 0.03)], (x, hy, z - 0.20), "z", 12),
            ]
            bodies.append(
                body(
                    f"nozzle_{name}_{k + 1}",
                    "nozzle",
                    spindle,
                    origin=(x, hy, z - 0.20),
                    joint=Joint("prismatic", "z", -(z - 0.20 - TRANSPORT - board.thickness), 0.02, f"head_{name}"),
                )
            )
    return bodies


__all__ = ["NOZZLES", "REEL", "placer"]
