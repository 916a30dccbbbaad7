"""The electrical test: an inline handler whose press brings the board down on a bed of spring probes.

Sizes are engineering defaults in the range of current inline handlers (0.9 to 1.2 m long, 1.1 to 1.4 m deep, 1.6 to 1.8 m high).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from scenes.equipment.furniture import Board, lane
from scenes.equipment.inspection import FRONT, REAR, Optics, cabinet, camera_head, gantry, ports
from scenes.equipment.model import TRANSPORT, Body, Joint, Machine
from scenes.equipment.shapes import body, box, path, rod, turned

STROKE = 0.05  # [m] of the press


@lru_cache(maxsize=16)
def tester(board: Board, optics: Optics | None = None) -> Machine:
    """An electrical test station; with ``optics`` an infrared camera looks through the press, which is a frame then."""
    length, y = max(1.06, board.length + 0.5), lane(board)
    height, top = 1.66, TRANSPORT + board.thickness
    head: list[Body] = []
    if optics is not None:
        solids, crown = camera_head(board, optics, ring_light="", glass="germanium")
        height = max(height, crown + 0.20)
        head = gantry(board, length, crown - 0.12, solids)
    bodies = cabinet(length, height, board, accent="paint_red", glass="glass_clear", wide=0.74)
    hx, hy, x1 = board.length / 2 + 0.05, board.width / 2 + 0.06, length / 2
    lower = [
        box("polyurethane", (-hx, y - hy, TRANSPORT - 0.115), (hx, y + hy, TRANSPORT - 0.085), 0.004),
        box("paint_dark", (-hx - 0.02, y - hy - 0.02, TRANSPORT - 0.16), (hx + 0.02, y + hy + 0.02, TRANSPORT - 0.115), 0.004),
    ]
    for a in np.linspace(-board.length / 2 + 0.012, board.length / 2 - 0.012, 9):
        for b in np.linspace(y - board.width / 2 + 0.012, y + board.width / 2 - 0.012, 6):
            lower.append(
                turned("brass", [(0.0011, 0), (0.0011, 0.028), (0.0003, 0.031)], (float(a), float(b), TRANSPORT - 0.087), "z", 6)
            )
    columns = [
        rod("stainless", (s * (hx + 0.05), y + t * (hy + 0.035), TRANSPORT - 0.16), "z", 0.46, 0.014, 16)
        for s in (-1, 1)
        for t in (-1, 1)
    ]
    rest = top + 0.075  # the press at rest, clear of the tallest parts
    frame = [
        box(
            "aluminium",
            (-hx - 0.08, y + t * hy - 0.03 if t > 0 else y - hy - 0.06, rest + 0.02),
            (hx + 0.08, y + hy + 0.06 if t > 0 else y - hy + 0.03, rest + 0.045),
            0.003,
        )
        for t in (-1, 1)
    ]
    frame += [
        box(
            "aluminium",
            (s * (hx + 0.05) - 0.03, y - hy + 0.03, rest + 0.02),
            (s * (hx + 0.05) + 0.03, y + hy - 0.03, rest + 0.045),
            0.003,
        )
        for s in (-1, 1)
    ]
    if optics is None:
        frame.append(box("polyurethane", (-hx, y - hy + 0.03, rest), (hx, y + hy - 0.03, rest + 0.019), 0.003))
        frame += [
            rod("plastic_black", (float(a), float(b), rest - 0.03), "z", 0.03, 0.003, 8)
            for a in np.linspace(-board.length / 2 + 0.015, board.length / 2 - 0.015, 5)
            for b in (y - board.width / 2 + 0.01, y + board.width / 2 - 0.01)
        ]
    press = [
        *frame,
        *[
            rod("plastic_black", (s * (hx + 0.05), y + t * (hy + 0.035), rest + 0.018), "z", 0.05, 0.022, 16)
            for s in (-1, 1)
            for t in (-1, 1)
        ],
    ]
    bridge = [
        box("paint_grey", (-hx - 0.09, y + 0.10 + hy, TRANSPORT + 0.28), (hx + 0.09, y + 0.15 + hy, TRANSPORT + 0.38), 0.006)
    ]
    if optics is None:
        bridge += [
            box(
                "paint_grey", (-hx - 0.09, y - hy - 0.06, TRANSPORT + 0.30), (hx + 0.09, y + hy + 0.15, TRANSPORT + 0.335), 0.006
            ),
            turned("paint_light", [(0.04, 0), (0.04, 0.16), (0.03, 0.17)], (0, y, TRANSPORT + 0.335), "z", 24),
            rod("stainless", (0, y, rest + 0.04), "z", TRANSPORT + 0.31 - rest - 0.04, 0.012, 16),
        ]
    rack = [box("paint_dark", (x1 - 0.26, 0.16, TRANSPORT - 0.17), (x1 - 0.06, 0.56, TRANSPORT + 0.30), 0.006)]
    rack += [
        box(
            "paint_grey",
            (x1 - 0.262, 0.18, TRANSPORT - 0.14 + 0.085 * k),
            (x1 - 0.258, 0.54, TRANSPORT - 0.07 + 0.085 * k),
            0.001,
        )
        for k in range(5)
    ]
    rack += [
        path(
            "plastic_black",
            [
                (x1 - 0.26, 0.2 + 0.03 * k, TRANSPORT - 0.10),
                (0.5 * length - 0.36, 0.1, TRANSPORT - 0.15),
                (hx + 0.02, y + 0.02 * k, TRANSPORT - 0.14),
            ],
            0.006,
            8,
        )
        for k in range(3)
    ]
    bodies += [
        body(
            "fixture",
            "test_fixture",
            lower,
            origin=(0.0, y, TRANSPORT - 0.16),
            joint=Joint("prismatic", "z", -0.01, STROKE + 0.01),
        ),
        body("columns", "frame", columns + bridge),
        body("press", "test_press", press, origin=(0.0, y, rest), joint=Joint("prismatic", "z", -STROKE, 0.02)),
        body("rack", "instruments", rack),
        *head,
    ]
    return Machine(
        "test",
        f"test {board} {optics}",
        "Electrical test",
        (length, REAR - FRONT, height),
        tuple(bodies),
        ports(length, board),
        (0.0, y, TRANSPORT),
        "engineering default",
    )


__all__ = ["STROKE", "tester"]
