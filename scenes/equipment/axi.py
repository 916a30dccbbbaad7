"""The inline X-ray machine: a heavy cabinet with lead-lined doors and a lead-glass window, tube above the board, detector below.

Sizes are engineering defaults in the range of current inline machines (1.5 to 1.8 m long, 1.7 to 2.1 m deep, 1.6 to 1.9 m high).
Source and detector stand where the scene's X-ray machine has them: the source on the side that is up, the detector beyond.
"""

from __future__ import annotations

from functools import lru_cache

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
    radiation_sign,
    signal_tower,
    stop_button,
    stripe,
    transport,
    tunnel,
    window,
)
from scenes.equipment.inspection import ports
from scenes.equipment.model import TRANSPORT, Joint, Machine
from scenes.equipment.shapes import body, box, path, plate, rect, rod, turned
from scenes.parts.solids import Solid

PANEL = (0.43, 0.43)  # [m] a common flat-panel detector


@lru_cache(maxsize=16)
def axi(
    board: Board, *, source_object: float = 0.08, source_detector: float = 0.4, detector: tuple[float, float] = PANEL
) -> Machine:
    """An X-ray machine: source ``source_object`` above the product's top, detector ``source_detector`` below the source [m]."""
    length, y = max(1.62, board.length + 1.0, detector[0] + 0.9), lane(board)
    front, rear = -0.78, max(0.98, y + detector[1] / 2 + 0.45)
    source = TRANSPORT + board.thickness + source_object
    height = max(1.72, source + 0.62)
    low, top = TRANSPORT - 0.07, TRANSPORT + 0.09
    x0, x1, sides = -length / 2 + 0.09, length / 2 - 0.09, tunnel(board)
    w, sill, crown = 0.27, 1.06, 1.40
    bands = [Band(0.16, low), Band(low, top, sides=sides), Band(top, height)]
    shell = housing(x0, x1, front, rear, bands, radius=0.06) + plinth(x0, x1, front, rear)
    middle = (x0 + x1) / 2
    # two doors whose lead lining stands out as a thick grey sheet with bolts around it
    for a, b, side in ((x0 + 0.07, middle - 0.006, "right"), (middle + 0.006, x1 - 0.07, "left")):
        sheet = rect(a, sill - 0.14, b, height - 0.14, 0.03)
        shell.append(plate("lead", sheet, front - 0.035, 0.036, "y"))
        shell.append(plate("paint_light", sheet.buffer(-0.045), front - 0.042, 0.008, "y"))
        for x in (a + 0.022, b - 0.022):
            for k in range(6):
                z = sill - 0.09 + k * (height - sill - 0.10) / 5
                shell.append(
                    turned("stainless", [(0.009, 0), (0.009, 0.005), (0.005, 0.008)], (x, front - 0.035, z), "y", 8).moved(
                        at=(0, -0.008, 0)
                    )
                )
        x = b - 0.10 if side == "right" else a + 0.10
        shell.append(
            path(
                "paint_dark",
                [(x, front - 0.04, 1.12), (x, front - 0.10, 1.12), (x, front - 0.10, 1.34), (x, front - 0.04, 1.34)],
                0.013,
                10,
            )
        )
    shell += door("paint_light", x0 + 0.07, middle - 0.006, 0.20, sill - 0.18, front, handle="right", vents=3)
    shell += door("paint_light", middle + 0.006, x1 - 0.07, 0.20, sill - 0.18, front, handle="left")
    shell += radiation_sign(middle + 0.38, 1.24, 0.135, front - 0.042)
    shell += [stripe("paint_yellow", x0 + 0.06, x1 - 0.06, height - 0.105, height - 0.05, front)]
    for k in range(int((x1 - x0 - 0.16) / 0.12)):  # hazard marks on the band
        a = x0 + 0.10 + 0.12 * k
        mark = shapely.Polygon(
            [(a, height - 0.105), (a + 0.04, height - 0.105), (a + 0.075, height - 0.05), (a + 0.035, height - 0.05)]
        )
        shell.append(plate("sign_black", mark, front - 0.006, 0.003, "y"))
    shell += stop_button(x0 + 0.05, front, sill - 0.16) + stop_button(x1 - 0.05, front, sill - 0.16)
    for s, a, b in ((-1, -length / 2 + 0.01, x0), (1, x1, length / 2 - 0.01)):  # shielded tunnels with lead-rubber curtains
        ends = shapely.box(sides[0] - 0.05, low - 0.10, sides[1] + 0.05, top + 0.10).difference(
            shapely.box(sides[0], low, sides[1], top)
        )
        shell.append(plate("lead", ends, a, b - a, "x"))
        x = a + 0.012 if s < 0 else b - 0.016
        count = 9
        step = (sides[1] - sides[0]) / count
        shell += [
            box(
                "rubber",
                (x, sides[0] + k * step + 0.002, TRANSPORT + 0.016),
                (x + 0.004, sides[0] + (k + 1) * step - 0.002, top),
                0.0008,
            )
            for k in range(count)
        ]
    shell.append(box("interior", (x0 + 0.03, front + 0.04, 0.30), (x1 - 0.03, rear - 0.03, 0.32)))
    shell.append(box("paint_grey", (x0 + 0.12, rear - 0.42, height + 0.015), (x0 + 0.62, rear - 0.06, height + 0.26), 0.02))
    shell += [
        plate(
            "plastic_black",
            shapely.box(x0 + 0.15, height + 0.05 + 0.03 * k, x0 + 0.59, height + 0.062 + 0.03 * k),
            rear - 0.423,
            0.004,
            "y",
        )
        for k in range(6)
    ]
    shell += [
        box("paint_dark", (middle - 0.16, front + 0.06, height + 0.018), (middle + 0.16, front + 0.13, height + 0.13), 0.01),
        box(
            "signal_red", (middle - 0.145, front + 0.055, height + 0.033), (middle + 0.145, front + 0.062, height + 0.115), 0.002
        ),
    ]
    bodies = [
        body("housing", "housing", shell),
        body(
            "window",
            "window",
            window("glass_lead", middle - w - 0.24, middle - 0.24 + 0.16, sill + 0.08, crown - 0.12, front - 0.04),
        ),
        body("tower", "signal_tower", signal_tower(x1 - 0.14, rear - 0.30, height + 0.02)),
        body(
            "panel",
            "operator_panel",
            monitor(x1 - 0.13, front - 0.24, 1.36, width=0.40, arm=(x1 - 0.06, front - 0.05, 1.48))
            + keyboard(x1 - 0.34, front - 0.24, 0.88, front - 0.01),
        ),
    ]
    tube: list[Solid] = [
        turned("paint_dark", [(0.016, 0), (0.022, 0.006), (0.055, 0.03), (0.075, 0.06), (0.075, 0.22)], (0, y, source), "z", 32),
        turned("brass", [(0.011, 0), (0.011, 0.002)], (0, y, source - 0.002), "z", 24),
        turned("paint_yellow", [(0.0765, 0), (0.0765, 0.03)], (0, y, source + 0.12), "z", 32),
        turned("stainless", [(0.085, 0), (0.085, 0.02)], (0, y, source + 0.22), "z", 32),
        turned("paint_light", [(0.07, 0), (0.07, 0.13), (0.04, 0.15)], (0, y, source + 0.24), "z", 28),
        path(
            "plastic_black",
            [
                (0, y, source + 0.38),
                (0.02, y + 0.03, source + 0.44),
                (0.10, y + 0.20, source + 0.46),
                (0.16, rear - 0.15, source + 0.40),
            ],
            0.018,
            12,
        ),
    ]
    column = [
        box("rail", (-0.12, y + 0.10, source + 0.02), (0.12, y + 0.14, source + 0.40), 0.004),
        *[
            box("stainless", (s * 0.16 - 0.02, y + 0.14, source - 0.10), (s * 0.16 + 0.02, y + 0.18, height - 0.06), 0.003)
            for s in (-1, 1)
        ],
        box("paint_grey", (x0 + 0.06, y + 0.18, source - 0.02), (x1 - 0.06, y + 0.30, source + 0.12), 0.006),
    ]
    d = source - source_detector  # the detector's face
    panel = [
        box(
            "paint_dark",
            (-detector[0] / 2 - 0.03, y - detector[1] / 2 - 0.03, d - 0.05),
            (detector[0] / 2 + 0.03, y + detector[1] / 2 + 0.03, d - 0.004),
            0.006,
        ),
        box(
            "plastic_black", (-detector[0] / 2, y - detector[1] / 2, d - 0.006), (detector[0] / 2, y + detector[1] / 2, d), 0.001
        ),
        rod("stainless", (0, y, 0.32), "z", max(d - 0.05 - 0.32, 0.02), 0.04),
    ]
    spare = max(0.0, d - 0.05 - 0.34)
    bodies += [
        body("column", "frame", column),
        body(
            "tube",
            "xray_tube",
            tube,
            origin=(0.0, y, source),
            joint=Joint("prismatic", "z", -min(0.5 * source_object, 0.04), 0.10),
        ),
        body(
            "detector",
            "xray_detector",
            panel,
            origin=(0.0, y, d),
            joint=Joint("prismatic", "z", -min(spare, 0.2), min(0.05, max(0.0, TRANSPORT - 0.08 - d))),
        ),
        *transport(-length / 2 + 0.004, length / 2 - 0.004, board),
    ]
    return Machine(
        "axi",
        f"axi {board} {source_object} {source_detector} {detector}",
        "X-ray (AXI)",
        (length, rear - front, height),
        tuple(bodies),
        ports(length, board),
        (0.0, y, TRANSPORT),
        "engineering default; source and detector from the scene",
    )


__all__ = ["PANEL", "axi"]
