"""A made-up board for tests of the process: chips of six sizes, LED, SOIC, QFN and BGA, without any file."""
from __future__ import annotations

from functools import lru_cache

import numpy as np
import shapely

from scenes.board.model import Board, Component, Layer, Pad
from scenes.parts.model import Package, Terminal
from scenes.smt.assembly import assemble, land_polygon
from scenes.smt.state import Assembly

MM = 1e-3
DENSITY = 4500.0                               # [kg/m³] of the reference's tombstone table

# body L × W × H and land (along × across) [mm], domain reference 2.1.3; the terminal is a quarter of the body
CHIPS = {
    "01005": (0.4, 0.2, 0.2, 0.2, 0.2), "0201": (0.6, 0.3, 0.3, 0.3, 0.3), "0402": (1.0, 0.5, 0.35, 0.5, 0.6),
    "0603": (1.6, 0.8, 0.45, 0.8, 0.9), "0805": (2.0, 1.25, 0.5, 1.0, 1.3), "1206": (3.2, 1.6, 0.6, 1.1, 1.8),
}


def chip(size: str, kind: str = "chip_resistor", *, height: float | None = None, polarised: bool = False, marked: bool = True):
    """(package, pads) of a chip, pads as (number, x, y, along, across) [mm]."""
    length, width, h, along, across = CHIPS[size]
    h = height or h
    foot = length / 4
    at = (length - foot) / 2
    terminals = tuple(Terminal(n, "chip", (s * at * MM, 0.0), (foot * MM, width * MM), h * MM, 0.0 if s > 0 else np.pi)
                      for n, s in (("1", -1), ("2", 1)))
    mass = DENSITY * length * width * h * 1e-9
    package = Package(kind, size, (length * MM, width * MM, h * MM), (0.0, 0.0), terminals, "name", mass, polarised, marked)
    reach = length / 2 + 0.15 - along / 2                                  # a toe of 0.15 mm
    return package, [("1", -reach, 0, along, across), ("2", reach, 0, along, across)]


def soic(leads: int = 8, pitch: float = 1.27):
    row = 2.7
    terminals, pads = [], []
    for i in range(leads):
        left = i < leads // 2
        k = i if left else leads - 1 - i
        y = (leads / 4 - 0.5 - k) * pitch
        x = -row if left else row
        outward = np.pi if left else 0.0
        terminals.append(Terminal(str(i + 1), "gullwing", (x * MM, y * MM), (0.6 * MM, 0.4 * MM), 0.2 * MM, outward))
        pads.append((str(i + 1), x, y, 1.5, 0.6))
    body = (3.9 * MM, (leads // 2) * pitch * MM, 1.5 * MM)
    return Package("soic", f"SOIC-{leads}", body, (0.0, 0.0), tuple(terminals), "name", 80e-6, True, True, pitch * MM), pads


def qfn(side: int = 4, pitch: float = 0.5):
    terminals, pads, n = [], [], 1
    half = 1.9
    for turn in range(4):
        angle = np.pi + turn * np.pi / 2
        for i in range(side):
            along = (i - (side - 1) / 2) * pitch
            u, v = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
            x, y = half * u + along * v
            at = (x - 0.1 * u[0]) * MM, (y - 0.1 * u[1]) * MM
            terminals.append(Terminal(str(n), "bottom", at, (0.4 * MM, 0.25 * MM), 0.2 * MM, angle))
            pads.append((str(n), x, y, 0.8, 0.28, angle))
            n += 1
    terminals.append(Terminal(str(n), "thermal", (0.0, 0.0), (2.0 * MM, 2.0 * MM), 0.0, 0.0))
    pads.append((str(n), 0, 0, 2.1, 2.1))
    body = (4 * MM, 4 * MM, 0.9 * MM)
    return Package("qfn", "QFN-16", body, (0.0, 0.0), tuple(terminals), "name", 40e-6, True, True, pitch * MM), pads


def bga(side: int = 6, pitch: float = 0.8, ball: float = 0.46, land: float = 0.4):
    terminals, pads = [], []
    for r in range(side):
        for c in range(side):
            x, y = (c - (side - 1) / 2) * pitch, ((side - 1) / 2 - r) * pitch
            name = f"{'ABCDEFGHJK'[r]}{c + 1}"
            terminals.append(Terminal(name, "ball", (x * MM, y * MM), (ball * MM, ball * MM), ball * MM, 0.0))
            pads.append((name, x, y, land, land, 0.0, "circle"))
    size = (side * pitch + 0.4) * MM
    body = (size, size, 1.2 * MM)
    return Package("bga", "BGA-36", body, (0.0, 0.0), tuple(terminals), "name", 60e-6, True, True, pitch * MM), pads


def component(reference: str, package: Package, pads, x: float, y: float, angle: float) -> Component:
    cos, sin = np.cos(angle), np.sin(angle)
    made = []
    for number, px, py, along, across, *rest in pads:
        turn = rest[0] if rest else 0.0
        shape = rest[1] if len(rest) > 1 else "rect"
        pad = Pad(number, shape, x * MM + (cos * px - sin * py) * MM, y * MM + (sin * px + cos * py) * MM,
                  (along * MM, across * MM), angle + turn, "smd", True, False, net=f"{reference}-{number}")
        made.append(pad)
    return Component(reference, "", package.name, x * MM, y * MM, angle, "front", tuple(made))


def board_of(parts, size=(60.0, 45.0)) -> tuple[Board, list[Package]]:
    """``parts``: (reference, (package, pads), x, y, angle). Paste openings are the pads."""
    components = [component(r, p, pads, x, y, a) for r, (p, pads), x, y, a in parts]
    shapes = tuple(land_polygon(pad) for c in components for pad in c.pads)
    paste = Layer("F.Paste", "paste", "front", shapes, (True,) * len(shapes))
    outline = shapely.box(0, 0, size[0] * MM, size[1] * MM)
    board = Board("test", outline, 1.6 * MM, (), (paste,), (), tuple(components), (), "test", "none")
    return board, [p for _, (p, _), *_ in parts]


@lru_cache(maxsize=1)
def example() -> Assembly:
    """About fifty parts and two hundred joints."""
    parts = []
    sizes = ["0201", "0402", "0603", "0805", "1206", "01005"]
    for i in range(36):
        size = sizes[i % 6]
        kind = "chip_resistor" if i % 2 == 0 else "chip_capacitor"
        made = chip(size, kind, height=CHIPS[size][1] if kind == "chip_capacitor" else None, marked=kind == "chip_resistor")
        parts.append((f"{'R' if i % 2 == 0 else 'C'}{i + 1}", made, 5 + 5.5 * (i % 9), 5 + 4.5 * (i // 9), (i % 4) * np.pi / 2))
    for i in range(4):
        parts.append((f"D{i + 1}", chip("0603", "chip_led", polarised=True), 5 + 6 * i, 25, np.pi / 4 * i))
    parts += [("U1", soic(8), 12, 35, 0.0), ("U2", soic(14), 24, 35, np.pi / 2), ("U3", qfn(), 36, 35, 0.3),
              ("U4", bga(), 48, 35, 0.0)]
    board, packages = board_of(parts)
    return assemble(board, "front", packages, 0.12 * MM)


def dense() -> Assembly:
    """150 parts and about 600 joints, for timing by hand."""
    parts = []
    for i in range(134):
        parts.append((f"R{i}", chip(("0402", "0603", "0805")[i % 3]), 4 + 4 * (i % 20), 4 + 4 * (i // 20), 0.0))
    for i in range(8):
        parts.append((f"U{i}", soic(14), 8 + 10 * i, 40, np.pi / 2))
    for i in range(4):
        parts.append((f"Q{i}", qfn(6), 8 + 10 * i, 52, 0.0))
    for i in range(4):
        parts.append((f"B{i}", bga(8), 50 + 9 * i, 52, 0.0))
    board, packages = board_of(parts, (90.0, 60.0))
    return assemble(board, "front", packages, 0.12 * MM)
