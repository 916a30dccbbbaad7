"""What carries boards between machines and at the ends of a line: link conveyors and magazine loaders.

Sizes: transport height by IPC-SMEMA-9851; the magazine is the common 355 × 320 × 563 mm one with 10 mm pitch; the rest is an
engineering default.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import shapely

from scenes.equipment.furniture import FRONT_RAIL, Board, door, lane, plinth, signal_tower, stop_button, stripe, transport
from scenes.equipment.inspection import ports
from scenes.equipment.model import TRANSPORT, Joint, Machine, Port
from scenes.equipment.shapes import body, box, plate, rod, turned
from scenes.parts.solids import Solid

MAGAZINE = (0.355, 0.320, 0.563)  # [m] along x, y, z
PITCH = 0.010  # [m] between its slots


@lru_cache(maxsize=16)
def conveyor(length: float, board: Board) -> Machine:
    """A link conveyor: two rails with edge belts on legs, and a box with buttons."""
    front, rear = FRONT_RAIL - 0.06, FRONT_RAIL + max(board.width, 0.30) + 0.06
    x0, x1 = -length / 2 + 0.03, length / 2 - 0.03
    frame: list[Solid] = []
    legs = 2 if length < 1.3 else 3
    for k in range(legs):
        x = x0 + 0.05 + (x1 - x0 - 0.10) * k / (legs - 1)
        for y in (front, rear):
            frame += [
                box("aluminium", (x - 0.02, y - 0.02, 0.06), (x + 0.02, y + 0.02, TRANSPORT - 0.10), 0.003),
                turned("plastic_black", [(0.035, 0.0), (0.035, 0.012), (0.012, 0.025), (0.010, 0.065)], (x, y, 0.0), "z", 14),
            ]
        frame.append(box("aluminium", (x - 0.02, front + 0.02, 0.20), (x + 0.02, rear - 0.02, 0.24), 0.003))
    for y in (front, rear):
        frame.append(box("aluminium", (x0, y - 0.02, TRANSPORT - 0.14), (x1, y + 0.02, TRANSPORT - 0.10), 0.003))
        frame.append(box("aluminium", (x0 + 0.07, y - 0.018, 0.202), (x1 - 0.07, y + 0.018, 0.238), 0.003))
    for x in (x0 + 0.02, x1 - 0.02):  # the rails' bridge, with the spindle that sets the width
        frame.append(
            box("paint_grey", (x - 0.02, front - 0.02, TRANSPORT - 0.105), (x + 0.02, rear + 0.02, TRANSPORT - 0.075), 0.003)
        )
    frame.append(rod("stainless", ((x0 + x1) / 2, front - 0.03, TRANSPORT - 0.088), "y", rear - front + 0.05, 0.007, 12))
    frame.append(turned("plastic_black", [(0.03, 0), (0.03, 0.012)], ((x0 + x1) / 2, front - 0.045, TRANSPORT - 0.088), "y", 20))
    frame.append(
        box("paint_light", (x0 + 0.02, front - 0.03, TRANSPORT - 0.32), (x1 - 0.02, front - 0.015, TRANSPORT - 0.145), 0.004)
    )
    frame += [box("paint_dark", (x1 - 0.22, front - 0.075, TRANSPORT - 0.30), (x1 - 0.06, front - 0.03, TRANSPORT - 0.17), 0.008)]
    for k, look in enumerate(("signal_green", "signal_red", "signal_amber")):
        frame.append(turned(look, [(0.011, 0), (0.011, 0.01)], (x1 - 0.18 + 0.04 * k, front - 0.084, TRANSPORT - 0.22), "y", 14))
    bodies = [body("frame", "frame", frame), *transport(-length / 2 + 0.006, length / 2 - 0.006, board, depth=0.07)]
    return Machine(
        "conveyor",
        f"conveyor {length:.4f} {board}",
        "Conveyor",
        (length, rear - front, TRANSPORT),
        tuple(bodies),
        ports(length, board),
        (0.0, lane(board), TRANSPORT),
        "height IPC-SMEMA-9851; length from the station's buffer",
    )


@lru_cache(maxsize=16)
def loader(board: Board, *, unloads: bool = False) -> Machine:
    """A magazine loader (or unloader): a magazine on a lift behind a guard, a pusher, a short transport."""
    s = -1 if unloads else 1  # the transport is on the side of the line
    length, front, rear, height = 1.10, -0.56, 0.62, 1.62
    y, x0, x1 = lane(board), -length / 2 + 0.01, length / 2 - 0.01
    mx = -s * 0.16  # middle of the magazine along x
    posts: list[Solid] = []
    for x in (x0 + 0.03, x1 - 0.03):
        for yy in (front + 0.03, rear - 0.03):
            posts.append(box("paint_light", (x - 0.03, yy - 0.03, 0.16), (x + 0.03, yy + 0.03, height), 0.008))
    for z in (0.60, height - 0.05):
        posts += [
            box("paint_light", (x0 + 0.06, yy - 0.025, z), (x1 - 0.06, yy + 0.025, z + 0.05), 0.006)
            for yy in (front + 0.03, rear - 0.03)
        ]
        posts += [
            box("paint_light", (x - 0.025, front + 0.06, z), (x + 0.025, rear - 0.06, z + 0.05), 0.006)
            for x in (x0 + 0.03, x1 - 0.03)
        ]
    posts += plinth(x0, x1, front, rear) + door("paint_light", x0 + 0.07, x1 - 0.07, 0.18, 0.59, front + 0.02, handle="middle")
    posts += [
        box("paint_light", (x0, front, height), (x1, rear, height + 0.03), 0.012),
        stripe("paint_blue", x0 + 0.06, x1 - 0.06, height - 0.04, height - 0.01, front),
        box("paint_light", (x0 + 0.02, front + 0.06, 0.18), (x0 + 0.03, rear - 0.06, 0.59)),
        box("paint_light", (x1 - 0.03, front + 0.06, 0.18), (x1 - 0.02, rear - 0.06, 0.59)),
    ]
    posts += stop_button(x1 - 0.09, front, 0.70)
    glass = [plate("glass_clear", shapely.box(x0 + 0.06, 0.66, x1 - 0.06, height - 0.06), front + 0.026, 0.006, "y")]
    for x, open_side in ((x0 + 0.027, unloads), (x1 - 0.033, not unloads)):
        sheet = shapely.box(front + 0.06, 0.66, rear - 0.06, height - 0.06)
        if open_side:
            sheet = sheet.difference(
                shapely.box(FRONT_RAIL - 0.06, TRANSPORT - 0.09, FRONT_RAIL + max(board.width, 0.30) + 0.06, TRANSPORT + 0.06)
            )
        glass.append(plate("glass_clear", sheet, x, 0.006, "x"))
    shafts = [rod("stainless", (mx + dx, rear - 0.13, 0.20), "z", height - 0.30, 0.018, 16) for dx in (-0.13, 0.13)]
    shafts += [
        rod("brass", (mx, rear - 0.13, 0.20), "z", height - 0.30, 0.012, 16),
        box("paint_dark", (mx - 0.17, rear - 0.17, height - 0.10), (mx + 0.17, rear - 0.09, height - 0.07)),
    ]
    slot = 0.5 * MAGAZINE[2]
    low = TRANSPORT - slot  # the lift stands so that the middle slot is at the transport
    fork = [
        box("paint_orange", (mx - 0.19, rear - 0.20, low - 0.04), (mx + 0.19, rear - 0.10, low + 0.20), 0.006),
        box("paint_orange", (mx - 0.17, y - 0.13, low - 0.03), (mx - 0.10, rear - 0.11, low), 0.004),
        box("paint_orange", (mx + 0.10, y - 0.13, low - 0.03), (mx + 0.17, rear - 0.11, low), 0.004),
    ]
    pusher_x = mx - s * (MAGAZINE[0] / 2 + 0.04)
    away = [
        rod("stainless", (min(pusher_x, pusher_x - s * 0.14), y, TRANSPORT + 0.012), "x", 0.14, 0.006, 12),
        box(
            "plastic_black",
            (pusher_x - 0.006, y - 0.015, TRANSPORT + 0.002),
            (pusher_x + 0.006, y + 0.015, TRANSPORT + 0.026),
            0.002,
        ),
    ]
    cylinder = [
        box(
            "rail",
            (pusher_x - s * 0.06 - 0.10, y - 0.06, TRANSPORT + 0.04),
            (pusher_x - s * 0.06 + 0.06, y + 0.06, TRANSPORT + 0.075),
            0.004,
        ),
        box("paint_grey", (pusher_x - 0.05, y + 0.06, TRANSPORT - 0.20), (pusher_x + 0.0, y + 0.10, TRANSPORT + 0.075), 0.004),
    ]
    panel = [
        box("plastic_black", (x1 - 0.34, front - 0.035, 1.18), (x1 - 0.10, front, 1.36), 0.01),
        box("screen", (x1 - 0.325, front - 0.038, 1.195), (x1 - 0.115, front - 0.03, 1.345), 0.001),
    ]
    t0, t1 = sorted((mx + s * (MAGAZINE[0] / 2 + 0.015), s * (length / 2 - 0.006)))
    stop = ((t0 + t1) / 2, y, TRANSPORT)
    bodies = [
        body("housing", "housing", posts + shafts + cylinder),
        body("guard", "window", glass),
        body("panel", "operator_panel", panel),
        body("tower", "signal_tower", signal_tower(x0 + 0.10, rear - 0.15, height + 0.03)),
        body(
            "lift",
            "lift",
            [*fork, *magazine(mx, y, low, board)],
            origin=(mx, rear - 0.15, low),
            joint=Joint("prismatic", "z", -(low - 0.26), slot),
        ),
        body(
            "pusher",
            "pusher",
            away,
            origin=(pusher_x, y, TRANSPORT + 0.012),
            joint=Joint("prismatic", "x", min(0.0, s * MAGAZINE[0]), max(0.0, s * MAGAZINE[0])),
        ),
        *transport(t0, t1, board, depth=0.05),
    ]
    name, title = ("unloader", "Unloader") if unloads else ("loader", "Loader")
    both = ports(length, board)
    port: tuple[Port, ...] = (both[0],) if unloads else (both[1],)
    return Machine(
        name,
        f"{name} {board}",
        title,
        (length, rear - front, height),
        tuple(bodies),
        port,
        stop,
        "magazine 355 × 320 × 563 mm; housing an engineering default",
    )


def magazine(x: float, y: float, z: float, board: Board) -> list[Solid]:
    """Two end plates, two combed walls, boards in every second slot."""
    length, width, height = MAGAZINE
    inner = min(board.width, width - 0.04)
    out = [
        box("magazine", (x - length / 2, y - width / 2, z), (x + length / 2, y + width / 2, z + 0.016), 0.004),
        box("magazine", (x - length / 2, y - width / 2, z + height - 0.016), (x + length / 2, y + width / 2, z + height), 0.004),
    ]
    slots = shapely.box(x - length / 2 + 0.004, z + 0.016, x + length / 2 - 0.004, z + height - 0.016)
    slots = slots.difference(
        shapely.union_all(
            [
                shapely.box(x + a, z + 0.045, x + b, z + height - 0.045)
                for a, b in ((-0.145, -0.055), (-0.040, 0.040), (0.055, 0.145))
            ]
        )
    )
    for s in (-1, 1):  # combed walls with long windows, through which the boards' edges show
        wall = y + s * (inner / 2 + 0.004)
        out.append(plate("magazine", slots, min(wall, wall + s * 0.012), 0.012, "y"))
        out += [
            rod("aluminium", (x + dx, y + s * (width / 2 - 0.015), z + 0.016), "z", height - 0.032, 0.006, 10)
            for dx in (-length / 2 + 0.03, length / 2 - 0.03)
        ]
    count = int((height - 0.10) / (2 * PITCH))
    span = min(board.length, length - 0.02)
    for k, top in enumerate(np.arange(count) * 2 * PITCH + z + 0.05):
        if abs(top - TRANSPORT) > 0.008 and k % 7 != 3:
            out.append(
                box(
                    "pcb",
                    (x - span / 2, y - inner / 2 - 0.002, top),
                    (x + span / 2, y + inner / 2 + 0.002, top + board.thickness),
                    0.0002,
                )
            )
    return out


__all__ = ["MAGAZINE", "PITCH", "conveyor", "loader", "magazine"]
