"""Housings: parts over pins and flat tabs: headers, connectors, buttons, castellated modules."""
from __future__ import annotations

import math
from dataclasses import replace

from scenes.board.model import Component
from scenes.parts.contacts import Contact, extent, levels, outward, pitch, split_thermal
from scenes.parts.model import JointKind, Package, Terminal
from scenes.parts.names import MM, Hint
from scenes.parts.packages import exposed_pad, finish


def pins(component: Component, items: tuple[Contact, ...], hint: Hint, center: tuple[float, float], source: str) -> Package:
    """A body over pins in plated holes; surface pads beside them become tabs."""
    box = extent(items)
    terminals = []
    for a in items:
        if a.kind == "through":
            pin = max(0.3 * MM, 0.72 * (a.drill or 0.5 * min(a.ex, a.ey)))
            terminals.append(Terminal(a.number, "through", (a.x, a.y), (pin, pin), 0.0, 0.0))
        else:
            terminals.append(_tab(a, box.center))
    return finish(hint, hint.body, center, tuple(terminals), source, component, items)


def _tab(a: Contact, middle: tuple[float, float]) -> Terminal:
    """A flat lead over a surface pad, pointing away from the middle along the pad's long axis."""
    if a.ex > 1.15 * a.ey:
        d = 0.0 if a.x >= middle[0] else math.pi
    elif a.ey > 1.15 * a.ex:
        d = math.pi / 2 if a.y >= middle[1] else -math.pi / 2
    else:
        dx, dy = a.x - middle[0], a.y - middle[1]
        d = (0.0 if dx >= 0 else math.pi) if abs(dx) >= abs(dy) else (math.pi / 2 if dy >= 0 else -math.pi / 2)
    c, s = abs(round(math.cos(d))), abs(round(math.sin(d)))
    long, wide = (a.ex, a.ey) if c else (a.ey, a.ex)
    kind: JointKind = "tab"
    shift = -0.1 * long
    return Terminal(a.number, kind, (a.x + shift * round(math.cos(d)), a.y + shift * round(math.sin(d))),
                    (0.7 * long, 0.72 * wide if s or c else wide), 0.2 * MM, d)


def generic(component: Component, items: tuple[Contact, ...], hint: Hint, source: str) -> Package | None:
    box = extent(items)
    w, h = box.size
    center = box.center
    bx, by, height = hint.body
    court = component.courtyard
    angle = component.angle
    if hint.kind == "header":
        along_x = w >= h
        step = hint.pitch or pitch(items) or 2.54 * MM
        count = max(levels([a.x for a in items]), 1), max(levels([a.y for a in items]), 1)
        bx, by = count[0] * step, count[1] * step
        height = 8.5 * MM if "SOCKET" in component.package.upper() else 2.54 * MM * min(1.0, step / (2.54 * MM))
        bx, by = (bx, max(by, step)) if along_x else (max(bx, step), by)
        return pins(component, items, replace(hint, body=(bx, by, height), pitch=step), center, source)
    if hint.kind == "button":
        return _button(component, items, hint, source)
    if hint.kind == "module":
        return _module(component, items, hint)
    if not bx and court is not None:
        c, s = math.cos(angle), math.sin(angle)
        points = [(c * (x - component.x) + s * (y - component.y), -s * (x - component.x) + c * (y - component.y))
                  for x, y in court.convex_hull.exterior.coords]
        x0, x1 = min(p[0] for p in points), max(p[0] for p in points)
        y0, y1 = min(p[1] for p in points), max(p[1] for p in points)
        bx, by, center = 0.92 * (x1 - x0), 0.92 * (y1 - y0), ((x0 + x1) / 2, (y0 + y1) / 2)
    if not bx:
        bx, by = max(w, 1 * MM), max(h, 1 * MM)
        if hint.name == "wire connector":
            bx, by = max(bx + 2 * MM, 5.8 * MM), max(by, 4.5 * MM)
            bx, by = (bx, by) if w >= h else (max(w, 4.5 * MM), max(h + 2 * MM, 5.8 * MM))
    elif hint.name in ("micro USB", "USB-C", "RJ45 jack", "micro SD", "box header"):
        center, (bx, by) = _placed_shell(items, hint, (bx, by))
    return pins(component, items, replace(hint, body=(bx, by, height or 0.5 * min(bx, by))), center, source)


def _placed_shell(
    items: tuple[Contact, ...], hint: Hint, size: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where a known connector's shell lies over its pads, and its size along package x and y.

    The signal contacts are in one row at the rear; the mating face points the other way.
    """
    box = extent(items)
    cx, cy = box.center
    depth, wide = size
    if hint.name == "micro SD":                                           # the shell spans its own solder tabs
        return (cx, cy), (0.94 * box.size[0], box.size[1] - 0.5 * MM)
    if hint.name == "box header":
        return (cx, cy), ((depth, wide) if levels([a.x for a in items]) >= levels([a.y for a in items]) else (wide, depth))
    small = sorted(items, key=lambda a: a.area)[: max(3, len(items) // 2)]
    row = extent(tuple(small))
    along_y = row.size[1] >= row.size[0]
    if along_y:
        sign = 1.0 if row.center[0] < cx or abs(row.center[0] - cx) < 0.2 * MM else -1.0
        rear = row.center[0] - sign * (0.0 if hint.name != "RJ45 jack" else 3.2 * MM)
        return (rear + sign * depth / 2, cy), (depth, wide)
    sign = 1.0 if row.center[1] < cy or abs(row.center[1] - cy) < 0.2 * MM else -1.0
    rear = row.center[1] - sign * (0.0 if hint.name != "RJ45 jack" else 3.2 * MM)
    return (cx, rear + sign * depth / 2), (wide, depth)


def _button(component: Component, items: tuple[Contact, ...], hint: Hint, source: str) -> Package:
    box = extent(items)
    bx, by, height = hint.body
    if not bx:
        side = min(box.size) if len(items) > 2 else 0.7 * max(box.size)
        bx = by = max(side, 2.0 * MM)
    elif box.size[1] > box.size[0]:
        bx, by = by, bx
    cx, cy = box.center
    terminals = []
    for a in items:
        if a.kind == "through":
            terminals.append(Terminal(a.number, "through", (a.x, a.y), (0.7 * MM, 0.3 * MM), 0.0, 0.0))
            continue
        d = (0.0 if a.x > cx else math.pi) if box.size[0] >= box.size[1] else (math.pi / 2 if a.y > cy else -math.pi / 2)
        c, s = round(math.cos(d)), round(math.sin(d))
        edge = bx / 2 if c else by / 2
        long, wide = (a.ex, a.ey) if c else (a.ey, a.ex)
        centre_along = abs(a.x - cx) if c else abs(a.y - cy)
        tip = min(max(edge + 0.35 * MM, centre_along), centre_along + 0.35 * long)
        foot = max(0.3 * MM, tip - (centre_along - long / 2) - 0.02 * MM)
        mid = tip - foot / 2
        terminals.append(
            Terminal(a.number, "tab", (cx + c * mid if c else a.x, cy + s * mid if s else a.y), (foot, 0.85 * wide), 0.2 * MM, d)
        )
    return finish(replace(hint, body=(bx, by, height)), (bx, by, height), (cx, cy), tuple(terminals), source, component, items)


# castellated modules with an antenna: width across the columns, length [m]
_MODULES = {"WROOM": (18.0 * MM, 25.5 * MM), "WROVER": (18.0 * MM, 31.4 * MM), "ESP-12": (16.0 * MM, 24.0 * MM)}


def _module(component: Component, items: tuple[Contact, ...], hint: Hint) -> Package:
    """A board with castellated edges and a shield. The antenna end sticks out where the rows leave it free."""
    around, exposed = split_thermal(items)
    box = extent(around)
    directions = outward(around, 4)
    bx, by, height = hint.body
    inset = 0.45
    sides = {round(math.degrees(d)) % 360 for d in directions}
    cx, cy = box.center
    mean = {d: sum((a.ex if d in (0, 180) else a.ey) for a in around) / len(around) for d in (0, 90, 180, 270)}
    x0, x1 = box.x0 + inset * mean[180], box.x1 - inset * mean[0]
    y0, y1 = box.y0 + inset * mean[270], box.y1 - inset * mean[90]
    antenna = 6.3 * MM if hint.name.startswith("ESP32") else 0.0
    free = [d for d in (0, 90, 180, 270) if d not in sides]
    known = next((v for k, v in _MODULES.items() if k in (component.value + component.package).upper()), None)
    if known and set(sides) >= {0, 180} and len(free) == 1:
        # two columns: the foot of the module is at the bottom row (or the last pads), the antenna at the free end
        x0, x1 = (x0 + x1 - known[0]) / 2, (x0 + x1 + known[0]) / 2
        row = [a.y for a, d in zip(around, directions, strict=True) if round(math.degrees(d)) % 360 == (free[0] + 180) % 360]
        foot = (sum(row) / len(row) if row else (box.y0 if free[0] == 90 else box.y1))
        y0, y1 = (foot - 0.5 * MM, foot - 0.5 * MM + known[1]) if free[0] == 90 else (foot + 0.5 * MM - known[1], foot + 0.5 * MM)
        around = tuple(a for a in around if y0 - 0.3 * MM < a.y < y1 + 0.3 * MM)
        directions = outward(around, 4)
    elif antenna and len(free) == 1:
        x0, x1, y0, y1 = {0: (x0, x1 + antenna, y0, y1), 180: (x0 - antenna, x1, y0, y1),
                          90: (x0, x1, y0, y1 + antenna), 270: (x0, x1, y0 - antenna, y1)}[free[0]]
    bx, by, cx, cy = x1 - x0, y1 - y0, (x0 + x1) / 2, (y0 + y1) / 2
    terminals = []
    for a, d in zip(around, directions, strict=True):
        c, s = round(math.cos(d)), round(math.sin(d))
        edge = (x1 if c > 0 else x0) if c else (y1 if s > 0 else y0)
        foot = 0.55 * (a.ex if c else a.ey)
        terminals.append(Terminal(a.number, "bottom", (edge - c * foot / 2 if c else a.x, edge - s * foot / 2 if s else a.y),
                                  (foot, 0.9 * (a.ey if c else a.ex)), 0.8 * MM, d))
    terminals += [exposed_pad(a, bx, by) for a in exposed]
    free_side = math.radians(free[0]) if antenna and len(free) == 1 else 0.0
    return finish(hint, (bx, by, height), (cx, cy), tuple(terminals), "name", component, around,
                   antenna=antenna if len(free) == 1 else 0.0, free_side=free_side * 1e-3)


__all__ = ["generic", "pins"]
