"""The stencil printer: a housing with a glass hood, a framed stencil under it, and a pair of squeegees on a carriage.

Sizes: the frame is the common 737 mm (29 in) one with 38 mm profile; the rest is an engineering default in the range of
current printers (1.2 to 1.5 m long, 1.4 to 1.7 m deep, 1.4 to 1.6 m high).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import shapely

from scenes.equipment.furniture import (
    Band,
    Board,
    door,
    housing,
    keyboard,
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
from scenes.equipment.model import TRANSPORT, Joint, Machine
from scenes.equipment.shapes import body, box, path, plate, rect, rod, tilted

FRAME = 0.737  # [m] outer side of the stencil frame
PROFILE = 0.038  # [m] its height
GAP = 0.022  # [m] board's top to the foil while no print is made
ATTACK = math.radians(60.0)  # of a squeegee's blade against the stencil


@lru_cache(maxsize=16)
def printer(board: Board) -> Machine:
    """A stencil printer whose table, squeegee carriage, squeegees and camera move."""
    frame = max(FRAME, board.length + 0.20, board.width + 0.20)
    length, y = max(1.36, frame + 0.50), lane(board)
    front, rear, low, deck, height = -0.66, max(0.86, y + frame / 2 + 0.25), TRANSPORT - 0.07, 0.93, 1.48
    x0, x1 = -length / 2 + 0.01, length / 2 - 0.01
    w, sides = length / 2 - 0.14, tunnel(board)
    bands = [
        Band(0.16, low, "paint_light"),
        Band(low, deck, sides=sides),
        Band(deck, TRANSPORT + 0.09, front=((-w, w),), sides=sides),
        Band(TRANSPORT + 0.09, height - 0.09, front=((-w, w),)),
        Band(height - 0.09, height),
    ]
    shell = housing(x0, x1, front, rear, bands, radius=0.09, roof=None) + plinth(x0, x1, front, rear)
    opening = shapely.box(-w, front + 0.11, w, 0.36)
    roof = rect(x0, front, x1, rear, 0.09, 5).difference(opening)
    shell.append(plate("paint_white", roof, height - 0.01, 0.03))
    half = length / 2 - 0.07
    shell += door("paint_light", -half, -0.005, 0.20, low - 0.03, front, handle="right")
    shell += door("paint_light", 0.005, half, 0.20, low - 0.03, front, handle="left", vents=4)
    shell += [stripe("paint_teal", x0 + 0.09, x1 - 0.09, height - 0.055, height - 0.015, front)]
    shell += stop_button(x0 + 0.12, front, deck - 0.02) + stop_button(x1 - 0.12, front, deck - 0.02)
    shell.append(box("interior", (x0 + 0.03, front + 0.04, TRANSPORT - 0.26), (x1 - 0.03, rear - 0.03, TRANSPORT - 0.24)))
    shell.append(box("lamp_white", (-w, front + 0.05, height - 0.08), (w, front + 0.08, height - 0.065)))

    rim = 0.035
    border = rect(-w - rim, deck - 0.005, w + rim, height - 0.075, 0.05).difference(
        rect(-w + rim, deck + 0.035, w - rim, height - 0.125, 0.04)
    )
    hood = [
        plate("paint_dark", border, front - 0.026, 0.026, "y"),
        plate("glass_clear", rect(-w + 0.02, deck + 0.02, w - 0.02, height - 0.11, 0.04), front - 0.017, 0.008, "y"),
        plate("glass_clear", shapely.box(-w - 0.01, front + 0.10, w + 0.01, 0.37), height + 0.0205, 0.008),
        path(
            "stainless",
            [
                (-0.22, front - 0.02, deck + 0.015),
                (-0.22, front - 0.06, deck + 0.015),
                (0.22, front - 0.06, deck + 0.015),
                (0.22, front - 0.02, deck + 0.015),
            ],
            0.010,
            10,
        ),
    ]

    foil = TRANSPORT + board.thickness + GAP
    o, i = frame / 2, frame / 2 - 0.038
    ring = rect(-o, y - o, o, y + o, 0.01).difference(shapely.box(-i, y - i, i, y + i))
    stencil = [
        plate("aluminium", ring, foil, PROFILE),
        plate(
            "stainless",
            shapely.box(-i - 0.01, y - i - 0.01, i + 0.01, y + i + 0.01).difference(_apertures(board, y)),
            foil,
            0.00012,
        ),
    ]
    rails = [
        box("rail", (s * (o + 0.025) - 0.025, front + 0.10, foil - 0.02), (s * (o + 0.025) + 0.025, rear - 0.06, foil), 0.003)
        for s in (-1, 1)
    ]
    rails += [
        box(
            "rail",
            (s * (o + 0.03) - 0.018, front + 0.10, foil + 0.13),
            (s * (o + 0.03) + 0.018, rear - 0.06, foil + 0.165),
            0.003,
        )
        for s in (-1, 1)
    ]

    at, beam = y - 0.06, foil + 0.165  # y and z of the carriage at rest
    stroke = min(0.26, board.width / 2 + 0.10)
    carriage = [
        box("rail", (-o - 0.05, at - 0.065, beam), (o + 0.05, at + 0.065, beam + 0.075), 0.008),
        box("paint_dark", (-o - 0.06, at - 0.085, beam - 0.004), (-o + 0.02, at + 0.085, beam + 0.10), 0.008),
        box("paint_dark", (o - 0.02, at - 0.085, beam - 0.004), (o + 0.06, at + 0.085, beam + 0.10), 0.008),
        box("paint_grey", (-0.10, at - 0.05, beam + 0.075), (0.10, at + 0.05, beam + 0.17), 0.01),
    ]
    blade = min(max(board.length + 0.06, 0.30), frame - 0.14) / 2  # [m] half; 300 mm is a usual short squeegee
    bodies = [
        body("housing", "housing", shell),
        body("hood", "window", hood),
        body("frame_rails", "frame", rails),
        body("tower", "signal_tower", signal_tower(x0 + 0.15, rear - 0.25, height + 0.02)),
        body(
            "panel",
            "operator_panel",
            monitor(x1 - 0.28, front - 0.10, height - 0.05, width=0.38, arm=(x1 - 0.06, front + 0.06, height + 0.03))
            + keyboard(x1 - 0.34, front - 0.20, low - 0.03, front),
        ),
        body("stencil", "stencil", stencil, origin=(0.0, y, foil), joint=Joint("prismatic", "y", -0.05, 0.30)),
        body(
            "carriage",
            "squeegee_carriage",
            carriage,
            origin=(0.0, at, beam),
            joint=Joint("prismatic", "y", 0.06 - stroke, 0.06 + stroke),
        ),
    ]
    for name, s in (("squeegee_front", -1), ("squeegee_rear", 1)):
        pivot = (0.0, at + s * 0.035, foil + 0.075)
        lift = 0.004 if s < 0 else 0.034  # the front one prints, the rear one waits
        solids = [
            tilted(
                box("stainless", (-blade, pivot[1] - 0.003, foil + 0.0005), (blade, pivot[1] + 0.003, foil + 0.05), 0.0005),
                "x",
                s * (math.pi / 2 - ATTACK),
                (0.0, pivot[1], foil),
            ),
            tilted(
                box(
                    "paint_blue",
                    (-blade - 0.01, pivot[1] - 0.012, foil + 0.045),
                    (blade + 0.01, pivot[1] + 0.012, foil + 0.085),
                    0.003,
                ),
                "x",
                s * (math.pi / 2 - ATTACK),
                (0.0, pivot[1], foil),
            ),
            box("paint_dark", (-0.05, at + s * 0.02 - 0.016, foil + 0.085), (0.05, at + s * 0.02 + 0.016, beam + 0.02), 0.004),
        ]
        solids = [piece.moved(at=(0, s * 0.012, lift)) for piece in solids]
        bodies.append(body(name, "squeegee", solids, origin=pivot, joint=Joint("prismatic", "z", -lift, 0.06 - lift, "carriage")))
    bodies.append(
        body("paste", "paste", [rod("paste", (-blade + 0.02, at - 0.005, foil + 0.010), "x", 2 * blade - 0.04, 0.0095, 14)])
    )

    between = max(board.width / 2 - 0.012, 0.2 * board.width)      # [m] half of what passes between the belts
    t = TRANSPORT - 0.045  # the table waits below the transport
    table = [
        box("stainless", (-0.20, y - between, t - 0.03), (0.20, y + between, t), 0.002),
        rod("stainless", (0.0, y, t - 0.13), "z", 0.10, 0.03),
    ]
    bodies.append(body("table", "lift_table", table, origin=(0.0, y, t), joint=Joint("prismatic", "z", 0.0, 0.045 + GAP)))
    camera = [
        box("paint_dark", (-0.05, rear - 0.26, TRANSPORT - 0.02 - 0.18), (0.05, rear - 0.16, TRANSPORT - 0.02 - 0.10), 0.004)
    ]
    bodies.append(
        body(
            "vision",
            "camera",
            camera,
            origin=(0.0, rear - 0.21, TRANSPORT - 0.16),
            joint=Joint("prismatic", "y", y - rear + 0.05, 0.0),
        )
    )
    bodies += transport(-length / 2 + 0.004, length / 2 - 0.004, board, depth=0.045)
    return Machine(
        "printer",
        f"printer {board}",
        "Stencil printer",
        (length, rear - front, height),
        tuple(bodies),
        ports(length, board),
        (0.0, y, TRANSPORT),
        "frame 737 mm; housing an engineering default",
    )


def _apertures(board: Board, y: float) -> shapely.Geometry:
    """A field of slots over the board, for the eye: the real apertures are the product's."""
    xs = np.linspace(-board.length / 2 + 0.012, board.length / 2 - 0.012, 12)
    ys = np.linspace(y - board.width / 2 + 0.012, y + board.width / 2 - 0.012, 8)
    return shapely.union_all([shapely.box(a - 0.002, b - 0.001, a + 0.002, b + 0.001) for a in xs for b in ys])


__all__ = ["FRAME", "printer"]
