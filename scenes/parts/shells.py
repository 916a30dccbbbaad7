"""Shells: bodies that are not a moulded block: crystals, packaged LEDs, buttons, headers, connectors, modules.

Each builder returns solids in the package frame [m] and the rectangle that carries a mark.
"""
from __future__ import annotations

import math

import numpy as np

from scenes.geometry import PartKind
from scenes.parts.model import Package
from scenes.parts.solids import Solid, block, can, corners, lathe, loft, prism

Rect = tuple[float, float, float, float]
Built = tuple[list[Solid], Rect | None]


def _around(package: Package, share: float) -> Rect:
    (cx, cy), (bx, by, _) = package.center, package.body
    return cx - share * bx / 2, cy - share * by / 2, cx + share * bx / 2, cy + share * by / 2


def _pins(package: Package, top: float, below: float = 2.6e-3, material: str = "brass_gold", square: bool = True) -> list[Solid]:
    """Pins of the through terminals, from ``below`` the seating plane up to ``top`` [m]."""
    out = []
    for t in package.terminals:
        if t.kind != "through":
            continue
        r = t.size[0] / 2
        if square:
            out.append(
                prism(
                    corners(r, r, 0.0, t.center),
                    [-below, -below + 0.6 * r, top - 0.8 * r, top],
                    material,
                    PartKind.LEAD,
                    inset=[0.45 * r, 0, 0, 0.5 * r],
                )
            )
        else:
            out.append(lathe([(r, -below), (r, top)], 10, material, PartKind.LEAD, center=t.center))
    return out


def crystal(package: Package, contacts: list[Solid]) -> Built:
    """Ceramic base with a metal lid; through-hole crystals are a drawn can."""
    (cx, cy), (bx, by, h) = package.center, package.body
    if any(t.kind == "through" for t in package.terminals):
        cover = can(
            corners(bx / 2, by / 2, 0.45 * min(bx, by), package.center, steps=5),
            [0.1e-3, 0.7e-3, h - 0.4e-3, h],
            0.25e-3,
            "crystal_lid",
            inset=[0, 0, 0, 0.3e-3],
        )
        return [cover, *_pins(package, 0.3e-3, material="lead_frame_tin", square=False)], _around(package, 0.7)
    base = 0.62 * h
    solids = [
        block((bx, by, base - 0.01e-3), "ceramic_package", center=(cx, cy), z0=0.01e-3, cut=0.06 * min(bx, by)),
        block((bx * 0.955, by * 0.945, 0.1 * h), "brass_gold", center=(cx, cy), z0=base, cut=0.1 * min(bx, by)),
        can(
            corners(bx * 0.43, by * 0.415, 0.09 * min(bx, by), (cx, cy), steps=2),
            [base + 0.1 * h, 0.97 * h, h],
            0.08e-3,
            "crystal_lid",
            inset=[0, 0, 0.03e-3],
        ),
    ]
    return [*solids, *contacts], _around(package, 0.78)


def led(package: Package, contacts: list[Solid]) -> Built:
    """A white frame with a clear filling, and the chips under it."""
    (cx, cy), (bx, by, h) = package.center, package.body
    rim = 0.13 * min(bx, by)
    outer, inner = corners(bx / 2, by / 2, 0.04 * bx, (cx, cy)), corners(bx / 2 - rim, by / 2 - rim, 0.12 * bx, (cx, cy))
    floor = corners(bx / 2 - 1.6 * rim, by / 2 - 1.6 * rim, 0.12 * bx, (cx, cy))

    def ring(outline: np.ndarray, z: float) -> np.ndarray:
        return np.column_stack([outline, np.full(len(outline), z)])
    frame = loft([ring(outer, 0.01e-3), ring(outer, h), ring(inner, h), ring(floor, 0.5 * h)], "plastic_white")
    clear = loft(
        [ring(floor * 0.999 + np.array([cx, cy]) * 0.001, 0.52 * h), ring(inner * 0.995 + np.array([cx, cy]) * 0.005, 0.93 * h)],
        "led_lens",
    )
    solids = [frame, clear]
    if package.name in ("2020", "5050", "PLCC") and len(package.terminals) >= 4:
        s = 0.14 * min(bx, by)
        solids.append(block((2.4 * s, 1.5 * s, 10e-6), "epoxy_black", center=(cx + 1.1 * s, cy), z0=0.93 * h))
        solids += [
            block((0.6 * s, 0.6 * s, 10e-6), "led_die", center=(cx - 1.4 * s, cy + k * 1.1 * s), z0=0.93 * h) for k in (-1, 0, 1)
        ]
    else:
        solids.append(block((0.2 * bx, 0.2 * bx, 10e-6), "led_die", center=(cx, cy), z0=0.93 * h))
    return [*solids, *contacts], _around(package, 0.96)


def button(package: Package, tabs: list[Solid]) -> Built:
    """A tactile switch: plastic base, metal cover, round plunger."""
    (cx, cy), (bx, by, h) = package.center, package.body
    base = 0.35 * h
    cover = can(
        corners(bx * 0.485, by * 0.485, 0.06 * by, (cx, cy)), [base, 0.72 * h, 0.76 * h], 0.15e-3, "shield", inset=[0, 0, 0.05e-3]
    )
    solids = [block((bx, by, base), "plastic_black", center=(cx, cy), z0=0.02e-3), cover]
    r = 0.27 * min(bx, by)
    solids.append(lathe([(r * 1.25, 0.75 * h), (r * 1.25, 0.78 * h)], 28, "shield", center=(cx, cy)))
    solids.append(lathe([(r, 0.76 * h), (r, 0.96 * h), (r * 0.85, h)], 28, "rubber", center=(cx, cy)))
    return [*solids, *tabs, *_pins(package, base, material="lead_frame_tin")], None


def header(package: Package) -> Built:
    """A row or grid of square pins through a plastic strip; a socket where the body is tall."""
    (cx, cy), (bx, by, h) = package.center, package.body
    step = package.pitch or 2.54e-3
    socket = h > 4e-3
    solids = []
    nx, ny = max(1, round(bx / step)), max(1, round(by / step))
    for i in range(nx):
        for j in range(ny):
            at = (cx + (i - (nx - 1) / 2) * step, cy + (j - (ny - 1) / 2) * step)
            solids.append(
                block(
                    (step - 4e-6, step - 4e-6, h),
                    "plastic_black",
                    center=at,
                    z0=0.05e-3,
                    cut=0.18 * step if not socket else 0.0,
                    bevel=0.04 * step,
                )
            )
            if socket:
                solids.append(block((0.3 * step, 0.3 * step, 4e-6), "rubber", center=at, z0=h + 0.05e-3))
    return [*solids, *_pins(package, h * 0.5 if socket else h + 0.0058 * step / 2.54e-3)], None


def _mouth(package: Package) -> float:
    """Direction [rad] in which a connector is plugged in: away from its small contacts, in quarter turns."""
    signal = sorted(package.terminals, key=lambda t: t.size[0] * t.size[1])[: max(1, len(package.terminals) // 2)]
    dx = package.center[0] - float(np.mean([t.center[0] for t in signal]))
    dy = package.center[1] - float(np.mean([t.center[1] for t in signal]))
    if abs(dx) >= abs(dy):
        return 0.0 if dx >= 0 else math.pi
    return math.pi / 2 if dy >= 0 else -math.pi / 2


SHEET = 0.25e-3                                # [m] of a connector's metal shell


def _metal_shell(package: Package, material: str, wall: float, depth: float, tongue: bool) -> list[Solid]:
    """A folded sheet shell, open at its mating face, around a plastic body with a cavity of ``depth`` (share of the length) and
    walls of ``wall``, and a plastic tongue. Built along +x, then turned."""
    turn = _mouth(package)
    (bx, by, h), along = package.body, abs(math.cos(turn)) > 0.5
    length, width = (bx, by) if along else (by, bx)
    cut = 0.12 * h

    def ring(x: float, shrink: float) -> np.ndarray:
        section = corners(width / 2 - shrink, (h - 0.05e-3) / 2 - shrink, max(cut - shrink, 1e-5))
        return np.column_stack([np.full(len(section), x), section[:, 0], section[:, 1] + h / 2 + 0.025e-3])
    front = length / 2
    solids = [
        loft(
            [
                ring(-front, 0.02e-3),
                ring(-front + 0.05e-3, 0),
                ring(front, 0),
                ring(front, SHEET),
                ring(-front + SHEET, SHEET),
            ],
            material,
        )
    ]
    inside, floor = SHEET + 1e-6, front - depth * length
    if wall > SHEET:
        solids.append(loft([ring(-front + 1.1 * SHEET, inside), ring(front - 0.05e-3, inside), ring(front - 0.05e-3, wall),
                            ring(floor, wall)], "plastic_black"))
    else:
        solids.append(loft([ring(-front + 1.1 * SHEET, inside), ring(floor, inside)], "plastic_black"))
    if tongue:
        solids.append(block((0.55 * length, 0.6 * width, 0.2 * h), "plastic_black", center=(0.1 * length, 0), z0=0.45 * h))
    else:
        solids.append(block((0.5 * length, 0.1 * width, 0.1 * h), "plastic_black", center=(0.1 * length, 0), z0=0.2 * h))
    return [s.moved(turn=turn, at=(*package.center, 0)) for s in solids]


def _tub(package: Package, material: str, wall: float, floor: float) -> Solid:
    """An open box: outer walls, cavity from the top down to ``floor`` [m]."""
    (cx, cy), (bx, by, h) = package.center, package.body
    outer, inner = corners(bx / 2, by / 2, 0.0, (cx, cy)), corners(bx / 2 - wall, by / 2 - wall, 0.0, (cx, cy))
    rings = [np.column_stack([o, np.full(4, z)]) for o, z in ((outer, 0.1e-3), (outer, h), (inner, h), (inner, floor))]
    return loft(rings, material)


def connector(package: Package, tabs: list[Solid]) -> Built:
    """Known connectors by name; any other is an open plastic housing with pins."""
    (cx, cy), (bx, by, h) = package.center, package.body
    if package.name in ("micro USB", "USB-C"):
        return [*_metal_shell(package, "shield", 0.25e-3, 0.7, True), *tabs, *_pins(package, 0.3e-3, 1.2e-3, "shield")], None
    if package.name == "RJ45 jack":
        return [
            *_metal_shell(package, "shield", 0.9e-3, 0.6, False),
            *tabs,
            *_pins(package, 0.5e-3, 2.8e-3, "lead_frame_tin"),
        ], None
    if package.name == "micro SD":
        turn = _mouth(package)
        plate = block((bx, by, 0.25e-3), "steel", center=(cx, cy), z0=h - 0.25e-3, cut=0.4e-3)
        frame = block((bx * 0.97, by * 0.97, h - 0.3e-3), "plastic_black", center=(cx, cy), z0=0.05e-3)
        spring = [
            block((0.09 * bx, 0.3 * by, 0.02e-3), "shield", center=(cx + k * 0.22 * bx, cy - 0.1 * by * math.sin(turn)), z0=h)
            for k in (-1, 1)
        ]
        return [frame, plate, *spring, *tabs], None
    if package.name == "box header":
        wall = 0.9e-3
        step = package.pitch or 2.54e-3
        count = max(1, len(package.terminals) // 2)
        along_x = bx >= by
        solids: list[Solid] = [_tub(package, "plastic_black", wall, 2.2e-3)]
        for i in range(count):
            for s in (-0.5, 0.5):
                u, v = (i - (count - 1) / 2) * step, s * step
                at = (cx + u, cy + v) if along_x else (cx + v, cy + u)
                r = 0.32e-3
                solids.append(
                    prism(
                        corners(r, r, 0.0, at),
                        [2.0e-3, h - 1.4e-3, h - 1.0e-3],
                        "brass_gold",
                        PartKind.LEAD,
                        inset=[0, 0, 0.15e-3],
                    )
                )
        return [*solids, *tabs], None
    white = package.name == "wire connector"
    return [_tub(package, "plastic_white" if white else "plastic_black", min(0.8e-3, 0.15 * min(bx, by)), 0.35 * h), *tabs,
            *_pins(package, 0.75 * h, 2.4e-3)], None


def module(package: Package, contacts: list[Solid]) -> Built:
    """A small board under a shield; an antenna at its free end."""
    (cx, cy), (bx, by, h) = package.center, package.body
    board = 0.8e-3 if h > 1.5e-3 else 0.4 * h
    # its top lies 20 µm under the contacts' and the antenna's: in one plane it would be chance which of them is seen
    solids = [block((bx, by, board - 0.04e-3), "pcb_module", center=(cx, cy), z0=0.02e-3)]
    antenna = package.dims.get("antenna", 0.0)
    side = package.dims.get("free_side", 0.0) * 1e3
    dx, dy = math.cos(side), math.sin(side)
    margin = 1.0e-3 if min(bx, by) > 6e-3 else 0.05 * min(bx, by)
    sx, sy = bx - 2 * margin - antenna * abs(dx), by - 2 * margin - antenna * abs(dy)
    at = (cx - dx * antenna / 2, cy - dy * antenna / 2)
    solids.append(can(corners(sx / 2, sy / 2, 0.6e-3 if min(sx, sy) > 3e-3 else 0.1 * min(sx, sy), at, steps=2),
                      [board - 0.03e-3, h - 0.12e-3, h], min(0.2e-3, 0.2 * h), "shield", inset=[0, 0, 0.1e-3]))
    if antenna:
        solids += _meander((bx, by), package.center, side, antenna, board)
    return [*solids, *contacts], (at[0] - 0.42 * sx, at[1] - 0.42 * sy, at[0] + 0.42 * sx, at[1] + 0.42 * sy)


def _meander(size: tuple[float, float], center: tuple[float, float], side: float, depth: float, z: float) -> list[Solid]:
    """The printed antenna: a meander of gold-plated trace, 20 µm proud of the module's board. Drawn for side +x, then turned."""
    length, width = (size if abs(math.cos(side)) > 0.5 else size[::-1])
    w, turns = 0.5e-3, 7
    span = 0.86 * width
    x0, x1 = length / 2 - depth + 1.0e-3, length / 2 - 0.7e-3
    pieces = []
    for i in range(turns + 1):
        y = -span / 2 + i * span / turns
        pieces.append(block((x1 - x0, w, 20e-6), "brass_gold", center=((x0 + x1) / 2, y), z0=z - 0.02e-3))
        if i < turns:
            x = x1 - w / 2 if i % 2 == 0 else x0 + w / 2
            pieces.append(
                block((w, span / turns - w - 2e-6, 20e-6), "brass_gold", center=(x, y + span / turns / 2), z0=z - 0.02e-3)
            )
    return [p.moved(turn=side, at=(*center, 0)) for p in pieces]


def box(package: Package, tabs: list[Solid]) -> Built:
    """The counted fallback: a plain labelled box over the pads."""
    (cx, cy), (bx, by, h) = package.center, package.body
    body = block((bx, by, h - 0.02e-3), "plastic_black", center=(cx, cy), z0=0.02e-3, bevel=0.06 * min(bx, by, h))
    return [body, *tabs, *_pins(package, 0.5 * h, material="lead_frame_tin", square=False)], _around(package, 0.85)


__all__ = ["box", "button", "connector", "crystal", "header", "led", "module"]
