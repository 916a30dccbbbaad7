"""Cabinets that look at boards: SPI, AOI and infrared stations. A head with its camera hangs from a gantry above the product.

Sizes are engineering defaults in the range of current machines (inspection cabinets are 0.8 to 1.1 m long, 1.2 to 1.4 m deep and
1.4 to 1.7 m high); the head's height follows from the camera's authored distance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely

from scenes.equipment.furniture import (
    TUNNEL,
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
    window,
)
from scenes.equipment.model import TRANSPORT, Body, Joint, Machine, Port
from scenes.equipment.shapes import body, box, path, plate, ring, rod, tilted, turned
from scenes.parts.solids import Solid

FRONT, REAR = -0.56, 0.72  # [m] y of the walls


@dataclass(frozen=True)
class Optics:
    """What a station looks with: where its camera is and how wide it sees, both on the object."""

    distance: float = 0.2  # [m] product's top to the camera's origin
    field: tuple[float, float] = (0.03, 0.03)  # [m] along x and y
    model: str = "telecentric"


def ports(length: float, board: Board) -> tuple[Port, ...]:
    """In and out at both ends of a machine."""
    return (Port("in", (-length / 2, lane(board), TRANSPORT)), Port("out", (length / 2, lane(board), TRANSPORT)))


def cabinet(
    length: float,
    height: float,
    board: Board,
    *,
    accent: str,
    glass: str,
    wide: float = 0.72,
    front: float = FRONT,
    rear: float = REAR,
) -> list[Body]:
    """Housing, window, screen and tower of an inspection station, with its transport and the deck under it."""
    x0, x1 = -length / 2 + 0.01, length / 2 - 0.01
    w = wide * length / 2
    sides = tunnel(board)
    low, top = TRANSPORT - 0.07, TRANSPORT - 0.07 + TUNNEL + 0.05
    crown = height - 0.16
    bands = [
        Band(0.16, low, "paint_light"),
        Band(low, low + 0.05, sides=sides),
        Band(low + 0.05, top, front=((-w, w),), sides=sides),
        Band(top, crown, front=((-w, w),)),
        Band(crown, height),
    ]
    shell = housing(x0, x1, front, rear, bands) + plinth(x0, x1, front, rear)
    half = (x1 - x0) / 2 - 0.05
    shell += door("paint_light", -half, -0.005, 0.20, low - 0.03, front, handle="right")
    shell += door("paint_light", 0.005, half, 0.20, low - 0.03, front, handle="left", vents=3)
    shell += [stripe(accent, x0 + 0.05, x1 - 0.05, height - 0.11, height - 0.055, front)]
    shell += stop_button(x0 + 0.075, front, low + 0.01) + stop_button(x1 - 0.075, front, low + 0.01)
    shell.append(box("interior", (x0 + 0.03, front + 0.04, TRANSPORT - 0.20), (x1 - 0.03, rear - 0.03, TRANSPORT - 0.18)))
    shell.append(box("lamp_white", (-w, front + 0.06, height - 0.10), (w, front + 0.09, height - 0.085)))
    return [
        body("housing", "housing", shell),
        body("window", "window", window(glass, -w, w, low + 0.05, crown, front)),
        body("tower", "signal_tower", signal_tower(x0 + 0.12, rear - 0.25, height + 0.02)),
        body(
            "panel",
            "operator_panel",
            monitor(x1 - 0.24, front - 0.10, height - 0.04, width=0.36, arm=(x1 - 0.05, front + 0.06, height + 0.03))
            + keyboard(x1 - 0.32, front - 0.20, low - 0.03, front),
        ),
        *transport(-length / 2 + 0.004, length / 2 - 0.004, board),
    ]


def gantry(
    board: Board, length: float, z: float, head: list[Solid], *, rear: float = REAR, front: float = FRONT, label: str = "camera"
) -> list[Body]:
    """Two rails along y, a beam along x on them, and ``head`` on the beam; at rest it is above the product's middle."""
    y = lane(board)
    half = length / 2 - 0.06
    wide = max(float(np.abs(s.vertices[:, 0]).max()) for s in head)
    travel = max(length / 2 - 0.03 - max(wide, 0.07), 0.01)
    rails = [box("rail", (s * half - 0.02, front + 0.08, z - 0.05), (s * half + 0.02, rear - 0.06, z), 0.004) for s in (-1, 1)]
    rails += [
        box("stainless", (s * half - 0.008, front + 0.10, z), (s * half + 0.008, rear - 0.08, z + 0.012), 0.002) for s in (-1, 1)
    ]
    beam = [
        box("aluminium", (-half - 0.02, y + 0.085, z + 0.012), (half + 0.02, y + 0.165, z + 0.092), 0.006),
        box("stainless", (-half + 0.05, y + 0.075, z + 0.045), (half - 0.05, y + 0.085, z + 0.060), 0.002),
        box("plastic_black", (-half + 0.06, y + 0.10, z + 0.092), (half - 0.10, y + 0.15, z + 0.112), 0.004),
    ]
    beam += [box("paint_dark", (s * half - 0.035, y + 0.06, z + 0.012), (s * half + 0.035, y + 0.19, z + 0.035)) for s in (-1, 1)]
    carriage = [box("paint_dark", (-0.07, y + 0.045, z - 0.03), (0.07, y + 0.075, z + 0.10), 0.004)]
    spare = rear - 0.10 - (y + 0.19)
    return [
        body("gantry_rails", "frame", rails),
        body(
            "gantry_beam",
            "gantry",
            beam,
            origin=(0.0, y + 0.125, z),
            joint=Joint("prismatic", "y", front + 0.14 - (y + 0.06), max(spare, 0.01)),
        ),
        body(
            "head",
            label,
            carriage + head,
            origin=(0.0, y, z),
            joint=Joint("prismatic", "x", -travel, travel, "gantry_beam"),
        ),
    ]


def camera_head(
    board: Board, optics: Optics, *, ring_light: str = "lamp_white", glass: str = "lens"
) -> tuple[list[Solid], float]:
    """A camera looking down at the product with its light around the field, and the height of its top [m]."""
    y, top = lane(board), TRANSPORT + board.thickness
    eye = top + optics.distance
    diagonal = math.hypot(*optics.field)
    lens = min(max(0.5 * diagonal + 0.004, 0.022), 0.085) if optics.model == "telecentric" else 0.024
    at = (0.0, y)
    solids = [
        turned(
            "plastic_black",
            [
                (lens, 0),
                (lens + 0.006, 0.004),
                (lens + 0.006, 0.03),
                (lens * 0.85, 0.045),
                (max(lens * 0.5, 0.02), 0.12),
                (max(lens * 0.5, 0.02), 0.16),
            ],
            (*at, eye + 0.004),
            "z",
            32,
        ),
        turned(glass, [(lens - 0.002, 0), (lens - 0.002, 0.003)], (*at, eye + 0.001), "z", 32),
        box("paint_blue", (-0.034, y - 0.034, eye + 0.164), (0.034, y + 0.034, eye + 0.25), 0.004),
        box("rail", (-0.05, y + 0.034, eye + 0.05), (0.05, y + 0.05, eye + 0.26), 0.003),
        path(
            "plastic_black",
            [(0, y, eye + 0.25), (0, y + 0.01, eye + 0.28), (0.03, y + 0.05, eye + 0.29), (0.06, y + 0.11, eye + 0.25)],
            0.006,
            8,
        ),
    ]
    if ring_light:
        inner = max(0.5 * diagonal + 0.012, 0.035)
        low, high = top + 0.055, min(top + 0.055 + 0.07, eye - 0.01)
        shade = shapely.Point(at).buffer(inner + 0.055, quad_segs=10).difference(shapely.Point(at).buffer(inner, quad_segs=10))
        rim = ring(at, inner + 0.045, inner + 0.055)
        solids += [plate("paint_dark", shade, high, 0.012), plate("paint_dark", rim, low, high - low)]
        for k in range(3):  # tiers, the lowest farthest out
            solids.append(
                plate(
                    ring_light,
                    ring(at, inner + 0.030 - 0.013 * k, inner + 0.040 - 0.013 * k),
                    low + (0.012 + 0.018 * k) * (high - low) / 0.07,
                    0.010,
                )
            )
        solids += [
            rod("aluminium", (s * (inner + 0.03), y + 0.02, high + 0.01), "z", max(eye + 0.06 - high, 0.02), 0.005, 10)
            for s in (-1, 1)
        ]
        solids.append(box("aluminium", (-inner - 0.04, y + 0.005, eye + 0.06), (inner + 0.04, y + 0.045, eye + 0.07), 0.002))
    return solids, eye + 0.26


@lru_cache(maxsize=16)
def aoi(board: Board, optics: Optics) -> Machine:
    """Automatic optical inspection: window, camera column over the product, three-tier ring light."""
    length = max(1.0, board.length + 0.5)
    head, top = camera_head(board, optics)
    height = max(1.52, top + 0.20)
    bodies = cabinet(length, height, board, accent="paint_blue", glass="glass_clear")
    bodies += gantry(board, length, top - 0.12, head)
    return _machine("aoi", "AOI", length, height, board, bodies, (optics,))


@lru_cache(maxsize=16)
def spi(board: Board, optics: Optics) -> Machine:
    """Solder paste inspection: a camera between two structured-light projectors that lean inwards."""
    length = max(0.84, board.length + 0.4)
    head, top = camera_head(board, optics, ring_light="")
    y, eye = lane(board), TRANSPORT + board.thickness + optics.distance
    for s in (-1, 1):  # 30° is a usual angle of phase-shift projectors
        reach, lean = 0.17, math.radians(30)
        for part in (
            box("paint_grey", (s * reach - 0.035, y - 0.04, eye + 0.03), (s * reach + 0.035, y + 0.04, eye + 0.19), 0.006),
            rod("plastic_black", (s * reach, y, eye - 0.03), "z", 0.06, 0.026),
            rod("lamp_blue", (s * reach, y, eye - 0.032), "z", 0.004, 0.022),
        ):
            head.append(tilted(part, "y", s * lean, (s * reach, y, eye + 0.10)))
    head.append(box("rail", (-0.26, y + 0.034, eye + 0.12), (0.26, y + 0.046, eye + 0.17), 0.003))
    height = max(1.46, top + 0.18)
    bodies = cabinet(length, height, board, accent="paint_teal", glass="glass_smoke", wide=0.62)
    bodies += gantry(board, length, top - 0.12, head)
    return _machine("spi", "SPI", length, height, board, bodies, (optics,))


@lru_cache(maxsize=16)
def infrared(board: Board, optics: Optics) -> Machine:
    """Infrared station: a germanium lens over the powered board, spring pins that bring the power, an exhaust duct."""
    length = max(0.90, board.length + 0.45)
    head, top = camera_head(board, optics, ring_light="", glass="germanium")
    height = max(1.50, top + 0.20)
    y, x1 = lane(board), length / 2
    bodies = cabinet(length, height, board, accent="paint_orange", glass="glass_clear", wide=0.66)
    bodies += gantry(board, length, top - 0.12, head)
    hood = [
        turned("paint_dark", [(0.09, 0), (0.09, 0.05), (0.075, 0.06), (0.075, 0.16)], (-x1 + 0.25, 0.45, height + 0.018), "z", 24)
    ]
    supply = [
        box("paint_dark", (x1 - 0.30, 0.05, TRANSPORT - 0.17), (x1 - 0.08, 0.35, TRANSPORT - 0.05)),
        path(
            "paint_red",
            [
                (x1 - 0.30, 0.15, TRANSPORT - 0.10),
                (0.16, y + 0.10, TRANSPORT - 0.10),
                (0.5 * board.length + 0.02, y + 0.02, TRANSPORT - 0.06),
            ],
            0.005,
            8,
        ),
        path(
            "plastic_black",
            [
                (x1 - 0.30, 0.20, TRANSPORT - 0.10),
                (0.18, y + 0.14, TRANSPORT - 0.10),
                (0.5 * board.length + 0.03, y + 0.04, TRANSPORT - 0.06),
            ],
            0.005,
            8,
        ),
    ]
    bodies += [body("exhaust", "exhaust", hood), body("supply", "power_supply", supply)]
    return _machine("infrared", "Infrared", length, height, board, bodies, (optics,))


def _machine(
    kind: str, title: str, length: float, height: float, board: Board, bodies: list[Body], rest: tuple[object, ...]
) -> Machine:
    return Machine(
        kind,
        f"{kind} {board} {rest}",
        title,
        (length, REAR - FRONT, height),
        tuple(bodies),
        ports(length, board),
        (0.0, lane(board), TRANSPORT),
        "engineering default, in the range of inline inspection cabinets",
    )


__all__ = ["FRONT", "REAR", "Optics", "aoi", "cabinet", "camera_head", "gantry", "infrared", "ports", "spi"]
