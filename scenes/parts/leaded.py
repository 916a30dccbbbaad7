"""Integrated circuits: formed leads on two or four sides, contacts under the edge, ball grids; and crystals."""
from __future__ import annotations

import math
import re
from dataclasses import replace

from scenes.board.model import Component
from scenes.parts.contacts import Contact, extent, levels, outward, pitch, rows_axis, split_thermal
from scenes.parts.housings import pins
from scenes.parts.model import Package, Terminal
from scenes.parts.names import MM, Hint
from scenes.parts.packages import exposed_pad, finish


def gullwing(component: Component, items: tuple[Contact, ...], hint: Hint, source: str) -> Package | None:
    around, exposed = split_thermal(items)
    tabbed = hint.name in ("SOT-223", "SOT-89", "TO-252", "TO-263")
    if tabbed:
        around, exposed = items, ()
    if len(around) < 2 or any(a.kind == "through" for a in around):
        return None
    four = hint.kind == "qfp" or (hint.kind not in ("sot", "soic", "tssop") and len(around) >= 12
                                  and levels([a.x for a in around]) > 3 and levels([a.y for a in around]) > 3)
    box = extent(around)
    directions = outward(around, 4 if four else 2)
    across = rows_axis(around) if not four else "x"
    length, width, height = hint.body
    lead, thick = hint.lead
    rows_x = [a for a, d in zip(around, directions, strict=True) if abs(math.cos(d)) > 0.5]
    step = hint.pitch or pitch(around)
    if four:
        overhang = 1.0 * MM
        bx = length or box.size[0] - 2 * overhang - 0.6 * MM
        by = width or box.size[1] - 2 * overhang - 0.6 * MM
        span_x, span_y = bx + 2 * overhang, by + 2 * overhang
    else:
        if not length:
            per_row = max(1, len(around) // 2)
            length = (per_row - 1) * step + min(step, 1.1 * MM)
        span = hint.span or (box.size[0] if across == "x" else box.size[1]) - 0.5 * MM
        bx, by = (width, length) if across == "x" else (length, width)
        span_x = span_y = span
    # a footprint that is narrower than the family's lead span means another variant of it: follow the pads
    limit_x, limit_y = (box.size[0] - 0.1 * MM, box.size[1] - 0.1 * MM)
    if rows_x and span_x > limit_x:
        bx, span_x = bx - (span_x - limit_x), limit_x
    if len(rows_x) < len(around) and span_y > limit_y:
        by, span_y = by - (span_y - limit_y), limit_y
    if min(bx, by) <= 0.2 * MM:
        return None
    foot, (cx, cy) = hint.foot or 0.6 * MM, box.center
    terminals: list[Terminal] = []
    for a, d in zip(around, directions, strict=True):
        c, s = round(math.cos(d)), round(math.sin(d))
        span = span_x if c else span_y
        across_pad = a.ey if c else a.ex
        wide = lead if lead else 0.6 * across_pad
        big = tabbed and across_pad > 2.2 * wide                        # the tab of a SOT-223 or DPAK
        terminals.append(Terminal(
            a.number, "tab" if big else "gullwing",
            (cx + c * (span - foot) / 2 if c else a.x, cy + s * (span - foot) / 2 if s else a.y),
            (foot, min(0.85 * across_pad, 6 * wide) if big else min(wide, 1.05 * across_pad)), thick or 0.15 * MM, d))
    terminals += [exposed_pad(a, bx, by) for a in exposed]
    return finish(hint, (bx, by, height or 1.0 * MM), (cx, cy), tuple(terminals), source, component, around,
                   span_x=span_x, span_y=span_y, lead=thick or 0.15 * MM, standoff=0.08 * MM)


def leadless(component: Component, items: tuple[Contact, ...], hint: Hint, source: str) -> Package | None:
    around, exposed = split_thermal(items)
    if len(around) < 2:
        return None
    box = extent(around)
    four = hint.kind == "qfn" and len(around) > 6 and levels([a.x for a in around]) > 2 and levels([a.y for a in around]) > 2
    directions = outward(around, 4 if four else 2)
    bx, by, height = hint.body
    if not bx:
        margin = 2 * 0.3 * MM
        bx, by = box.size[0] - margin, box.size[1] - margin
        if not four:
            per_row = max(1, len(around) // 2)
            row = (per_row + 0.2) * pitch(around)
            bx, by = (
                (bx, max(row, by if exposed else row)) if rows_axis(around) == "x" else (max(row, bx if exposed else row), by)
            )
    elif abs(bx - by) > 0.05 * MM and not four:
        # libraries write body sizes in either order: pads must not lie wholly outside
        across = box.size[0] if rows_axis(around) == "x" else box.size[1]
        along = by if rows_axis(around) == "x" else bx
        between = bx if rows_axis(around) == "x" else by
        if abs(along - across) < abs(between - across):
            bx, by = by, bx
    cx, cy = box.center
    terminals = []
    for a, d in zip(around, directions, strict=True):
        c, s = round(math.cos(d)), round(math.sin(d))
        across_pad, long_pad = (a.ey, a.ex) if c else (a.ex, a.ey)
        edge = bx / 2 if c else by / 2
        middle = (c * (a.x - cx)) if c else (s * (a.y - cy))
        inner = max(middle - long_pad / 2 + 0.05 * MM, 0.35 * edge)
        outer = edge
        if inner >= outer - 0.1 * MM:                                   # pad lies outside the body: follow the pad
            inner = outer - 0.4 * MM
        mid = (inner + outer) / 2
        terminals.append(Terminal(a.number, "bottom", (cx + c * mid if c else a.x, cy + s * mid if s else a.y),
                                  (outer - inner, 0.92 * across_pad), 0.2 * MM if height > 0.5 * MM else 0.12 * MM, d))
    terminals += [exposed_pad(a, bx, by) for a in exposed]
    return finish(hint, (bx, by, height), (cx, cy), tuple(terminals), source, component, around)


# ball diameter by pitch [mm], domain values for the usual classes
_BALLS = ((1.27, 0.75), (1.0, 0.50), (0.8, 0.46), (0.65, 0.35), (0.5, 0.30), (0.4, 0.25))


def bga(component: Component, items: tuple[Contact, ...], hint: Hint, source: str) -> Package | None:
    if len(items) < 4:
        return None
    box = extent(items)
    step = hint.pitch or pitch(items)
    ball = next((b for p, b in _BALLS if step >= p - 0.03), 0.55 * step / MM) * MM if step else 0.3 * MM
    ball = max(ball, 1.05 * min(a.ex for a in items))
    pad = min(min(a.ex for a in items), 0.9 * ball)                       # the package's own pads mirror the lands
    bx, by, height = hint.body
    if not bx:
        bx, by = box.size[0] + 0.6 * step, box.size[1] + 0.6 * step
    terminals = tuple(Terminal(a.number, "ball", (a.x, a.y), (pad, pad), ball, 0.0) for a in items)
    return finish(replace(hint, pitch=step), (bx, by, height), box.center, terminals, source, component, items, ball=ball)


def corner_bottom(component: Component, items: tuple[Contact, ...], hint: Hint, metal: float) -> Package:
    """A ceramic or plastic body with contacts under its edges (crystals, packaged LEDs)."""
    box = extent(items)
    bx, by, height = hint.body
    if not bx:
        bx, by = 0.82 * box.size[0], 0.82 * box.size[1]
    if (box.size[0] - box.size[1]) * (bx - by) < 0 and abs(bx - by) > 0.05 * MM:
        bx, by = by, bx
    cx, cy = box.center
    terminals = []
    for a, d in zip(items, outward(items, 2), strict=True):
        c, s = round(math.cos(d)), round(math.sin(d))
        edge = bx / 2 if c else by / 2
        long = min(0.35 * edge * 2, 0.8 * (a.ex if c else a.ey))
        wide = min(0.85 * (a.ey if c else a.ex), 0.42 * (by if c else bx) if len(items) > 2 else 0.9 * (by if c else bx))
        lateral = (a.y - cy) if c else (a.x - cx)
        half = (by if c else bx) / 2
        lateral = max(-half + wide / 2, min(half - wide / 2, lateral))
        mid = edge - long / 2
        terminals.append(Terminal(a.number, "bottom", (cx + (c * mid if c else lateral), cy + (s * mid if s else lateral)),
                                  (long, wide), metal * height, d))
    return finish(hint, (bx, by, height), (cx, cy), tuple(terminals), "name", component, items)


def crystal(component: Component, items: tuple[Contact, ...], hint: Hint) -> Package | None:
    if any(a.kind == "through" for a in items):
        box = extent(items)
        body = (11.0 * MM, 4.6 * MM, 13.5 * MM if "4H" not in component.package.upper() else 3.6 * MM)
        return pins(component, items, replace(hint, body=body), box.center, "name")
    bx, by, height = hint.body
    code = re.search(r"(?<!\d)(\d\d)(\d\d)(?!\d)", component.package)
    if not bx and code and 10 <= int(code[1]) <= 80:
        bx, by = int(code[1]) * 0.1 * MM, int(code[2]) * 0.1 * MM
    if len(items) not in (2, 4, 6):
        return None
    box = extent(items)
    if not bx:
        bx, by = 0.88 * box.size[0], 0.88 * box.size[1]
    if (box.size[0] - box.size[1]) * (bx - by) < 0:
        bx, by = by, bx
    return corner_bottom(component, items, replace(hint, body=(bx, by, height or min(0.8 * MM, 0.3 * max(bx, by)))), 0.4)


__all__ = ["bga", "corner_bottom", "crystal", "gullwing", "leadless"]
