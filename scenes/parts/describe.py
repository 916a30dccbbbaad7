"""Describe: from a footprint to a package with true dimensions and terminals.

The name decides where it can, the pads' pattern where it must; what neither explains becomes a labelled box
(``source`` "box"), which callers count. Terminals always come from the pads that are really there, so a joint can be
found for each of them; their size is the package's own, clipped to what the name says.

A BGA's seating plane is where its undeformed balls end, so a collapsed one has a negative stand-off. The balls are joints,
not part of the package's mesh, whose substrate floats one ball diameter above the seating plane. ``body`` is without balls.
"""
from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scenes.board.model import Component
from scenes.parts.contacts import Contact, contacts, extent, levels, outward, pitch, rows_axis, split_thermal
from scenes.parts.model import JointKind, Package, PackageKind, Terminal
from scenes.parts.names import CHIPS, MM, Hint, chip_codes, recognise

# bulk density of a whole part by kind [kg/m³]: ceramic and metal by volume share, from data-sheet weights
_DENSITY: dict[str, float] = {
    "chip_resistor": 3600, "chip_capacitor": 5500, "chip_inductor": 4600, "chip_led": 1900, "chip_diode": 2600,
    "resistor_array": 3600, "melf": 3300, "sod": 2700, "sma": 2900, "sot": 2600, "soic": 2300, "tssop": 2300, "qfp": 2300,
    "qfn": 2600, "dfn": 2600, "bga": 2200, "electrolytic_can": 1700, "electrolytic_radial": 1700, "inductor": 4200,
    "crystal": 3200, "button": 1900, "header": 1500, "connector": 1300, "module": 1900, "box": 1800,
}
_MARKED = {"chip_resistor", "resistor_array", "sod", "sma", "sot", "soic", "tssop", "qfp", "qfn", "dfn", "bga",
           "electrolytic_can", "electrolytic_radial", "inductor", "crystal", "module"}
_POLARISED = {"chip_led", "chip_diode", "sod", "sma", "sot", "soic", "tssop", "qfp", "qfn", "dfn", "bga", "electrolytic_can",
              "electrolytic_radial", "module", "connector"}
_TWO_PIN_POLARISED = {"chip_led", "chip_diode", "sod", "sma", "electrolytic_can", "electrolytic_radial", "connector"}

_CHIP_NAME = re.compile(r"^(R|C|L|D|F|LED|FB|FUSE|RES|CAP|IND|TVS|CHIP|VAR|THERMISTOR|NTC|CP)?[_-]?(?=\d|SMD|CHIP)", re.I)


def describe(component: Component, *, models: Sequence[Path] = ()) -> Package:
    """The package of a component whose side is the front.

    Args:
        component: From a board already seen from the component's side.
        models: Folders in which a STEP model that the board names may be looked for. Used only for parts whose body
            neither name nor pads describe well (connectors, modules, boxes); chips and ICs are parametric.

    Returns:
        A package; ``source`` "box" where it is a labelled box.
    """
    items = contacts(component)
    if not items:
        return _finish(Hint("box", component.package[:24]), (1e-3, 1e-3, 0.5e-3), (0.0, 0.0), (), "box", component, ())
    hint = recognise(component.package)
    package = _chip(component, items, hint) or _tantalum(component, items) or (_by_hint(component, items, hint) if hint else None)
    package = package or _by_pads(component, items)
    if models and package.kind in ("connector", "module", "box", "header", "button", "inductor"):
        package = _with_model(package, component, models)
    return package


def _prefix(reference: str) -> str:
    match = re.match(r"[A-Za-z]+", reference)
    return match[0].upper() if match else ""


def _finish(
    hint: Hint,
    body: tuple[float, float, float],
    center: tuple[float, float],
    terminals: tuple[Terminal, ...],
    source: str,
    component: Component,
    items: tuple[Contact, ...],
    **dims: float,
) -> Package:
    volume = (
        body[0] * body[1] * body[2] * (math.pi / 4 if hint.kind in ("melf", "electrolytic_can", "electrolytic_radial") else 1)
    )
    kind = hint.kind
    polarised = kind in _POLARISED and (len(terminals) != 2 or kind in _TWO_PIN_POLARISED)
    if kind == "crystal":
        polarised = len(terminals) > 2
    small = kind == "chip_resistor" and max(body[:2]) < 1.3 * MM
    return Package(kind, hint.name, body, center, terminals, source, _DENSITY[kind] * volume, polarised,  # type: ignore[arg-type]
                   kind in _MARKED and not small, hint.pitch or (pitch(items) if len(items) > 2 else 0.0),
                   dims={**hint.extra, **dims})


# --- chips -------------------------------------------------------------------------------------------------------------

_CHIP_KIND: dict[str, PackageKind] = {
    "R": "chip_resistor", "RES": "chip_resistor", "F": "chip_resistor", "FUSE": "chip_resistor", "NTC": "chip_resistor",
    "C": "chip_capacitor", "CAP": "chip_capacitor", "L": "chip_inductor", "FB": "chip_inductor", "IND": "chip_inductor",
    "LED": "chip_led", "D": "chip_diode", "TVS": "chip_diode", "VAR": "chip_diode", "THERMISTOR": "chip_resistor",
    "CP": "chip_capacitor", "FERRITE": "chip_inductor",
}


def _two(items: tuple[Contact, ...]) -> tuple[float, float, tuple[float, float]]:
    """Gap between two pads and overall length along the line that joins them, and its unit direction (first to second)."""
    a, b = items
    dx, dy = b.x - a.x, b.y - a.y
    span = math.hypot(dx, dy)
    ux, uy = (1.0, 0.0) if abs(dx) >= abs(dy) else (0.0, 1.0)
    along = [c.ex * ux + c.ey * uy for c in items]
    sign = 1.0 if dx * ux + dy * uy >= 0 else -1.0
    return span - sum(along) / 2, span + sum(along) / 2, (sign * ux, sign * uy)


def _chip(component: Component, items: tuple[Contact, ...], hint: Hint | None) -> Package | None:
    if len(items) != 2 or any(a.kind == "through" for a in items):
        return None
    name, prefix = component.package, _prefix(component.reference)
    gap, overall, _ = _two(items)
    if overall <= 0 or gap <= 0:
        return None
    match = _CHIP_NAME.match(name)
    word = (match[1] or "").upper() if match else ""
    kind = _CHIP_KIND.get(word) or (_CHIP_KIND.get(prefix) if match else None)
    if hint and hint.kind not in ("inductor", "melf") and not (match and chip_codes(name)):
        return None
    if hint and hint.kind in ("melf", "crystal", "electrolytic_can", "button", "sod", "sma", "connector"):
        return None
    middle = (gap + overall) / 2
    codes = [c for c in chip_codes(name) if gap * 0.6 < CHIPS[c][0] * MM < overall * 1.25] if kind else []
    if codes:
        code = min(codes, key=lambda c: abs(CHIPS[c][0] * MM - middle))
        length, width, low, high, term = (v * MM for v in CHIPS[code])
        return _ends(component, items, kind or "box", code, (length, width, low, high), term, "name")
    inductor = re.match(r"L[_-]?(\d\d)(\d\d)", name, re.I)
    if inductor and kind == "chip_inductor":
        length, width = int(inductor[1]) * 0.1 * MM, int(inductor[2]) * 0.1 * MM
        if gap * 0.6 < length < overall * 1.25 and width > 0.2 * length:
            height = 0.5 * length
            return _ends(
                component, items, kind, f"{inductor[1]}{inductor[2]}M", (length, width, height, height), 0.28 * length, "name"
            )
    kind = kind or _CHIP_KIND.get(prefix)
    if hint or kind is None:
        return None
    code = min(CHIPS, key=lambda c: abs(CHIPS[c][0] * MM - middle) + abs(CHIPS[c][1] * MM - min(items[0].ex, items[0].ey)) * 0.2)
    if abs(CHIPS[code][0] * MM - middle) > 0.3 * middle:
        return None
    length, width, low, high, term = (v * MM for v in CHIPS[code])
    return _ends(component, items, kind, code, (length, width, low, high), term, "pads")


def _ends(component: Component, items: tuple[Contact, ...], kind: PackageKind, code: str,
          size: tuple[float, float, float, float], term: float, source: str) -> Package:
    """A two-terminal part with metallised ends, centred between its pads."""
    length, width, low, high = size
    a, b = items
    _, _, (ux, uy) = _two(items)
    center = (a.x + b.x) / 2, (a.y + b.y) / 2
    height = {"chip_resistor": low, "chip_capacitor": high, "chip_inductor": high, "chip_led": min(0.65 * MM, high),
              "chip_diode": min(low * 1.3, 0.9 * width)}[kind]
    if kind == "chip_inductor" and source == "name" and code.endswith("M"):
        height = high
    metal = {"chip_led": 0.45 * height}.get(kind, height)
    terminals = tuple(
        Terminal(c.number, "chip", (center[0] + s * ux * (length - term) / 2, center[1] + s * uy * (length - term) / 2),
                 (term, width), metal, math.atan2(s * uy + 0.0, s * ux))
        for s, c in ((-1.0, a), (1.0, b)))
    body = (length, width, height) if abs(ux) > 0.5 else (width, length, height)
    return _finish(Hint(kind, code), body, center, terminals, source, component, items, termination=term)


def _tantalum(component: Component, items: tuple[Contact, ...]) -> Package | None:
    """Moulded tantalum capacitors, EIA 3216-18 and kin: shaped like an SMA diode."""
    match = re.search(r"EIA-(\d\d)(\d\d)-(\d\d)", component.package)
    if not match or len(items) != 2:
        return None
    length, width, height = (int(match[i]) * 0.1 * MM for i in (1, 2, 3))
    hint = Hint("sma", f"EIA-{match[1]}{match[2]}", (length * 0.96, width, height), length, 0.25 * length,
                (0.7 * width, 0.12 * MM), extra={"tantalum": 1e-6})
    return _diode(component, items, hint, "name")


# --- by name ---------------------------------------------------------------------------------------------------------

def _by_hint(component: Component, items: tuple[Contact, ...], hint: Hint) -> Package | None:
    kind = hint.kind
    if kind in ("sod", "sma"):
        return _diode(component, items, hint, "name") if len(items) == 2 else None
    if kind == "melf":
        if len(items) != 2:
            return None
        length, diameter, _ = hint.body
        package = _ends(
            component, items, "chip_diode", hint.name, (length, diameter, diameter, diameter), 0.12 * length + 0.1 * MM, "name"
        )
        return replace(
            package,
            kind="melf",
            body=(*package.body[:2], diameter),
            mass=_DENSITY["melf"] * length * diameter**2 * 0.785,
            terminals=tuple(replace(t, height=diameter, size=(t.size[0], diameter)) for t in package.terminals),
        )
    if kind in ("sot", "soic", "tssop", "qfp"):
        return _gullwing(component, items, hint, "name")
    if kind in ("qfn", "dfn"):
        return _leadless(component, items, hint, "name")
    if kind == "bga":
        return _bga(component, items, hint, "name")
    if kind == "chip_led":
        return _corner_bottom(component, items, hint, 0.35)
    if kind == "crystal":
        return _crystal(component, items, hint)
    if kind == "resistor_array":
        return _array(component, items, hint)
    if kind in ("electrolytic_can", "electrolytic_radial"):
        return _electrolytic(component, items, hint)
    if kind == "inductor":
        return _inductor(component, items, hint)
    return _generic(component, items, hint, "name")


def _diode(component: Component, items: tuple[Contact, ...], hint: Hint, source: str) -> Package:
    length, width, height = hint.body
    a, b = items
    _, _, (ux, uy) = _two(items)
    center = (a.x + b.x) / 2, (a.y + b.y) / 2
    foot, (lead, thick) = hint.foot, hint.lead
    terminals = tuple(
        Terminal(c.number, "gullwing" if hint.kind == "sod" else "tab",
                 (center[0] + s * ux * (hint.span - foot) / 2, center[1] + s * uy * (hint.span - foot) / 2),
                 (foot, lead), thick if hint.kind == "sod" else 0.35 * height, math.atan2(s * uy + 0.0, s * ux))
        for s, c in ((-1.0, a), (1.0, b)))
    body = (length, width, height) if abs(ux) > 0.5 else (width, length, height)
    return _finish(hint, body, center, terminals, source, component, items, span=hint.span, lead=thick)


def _gullwing(component: Component, items: tuple[Contact, ...], hint: Hint, source: str) -> Package | None:
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
    terminals += [_exposed(a, bx, by) for a in exposed]
    return _finish(hint, (bx, by, height or 1.0 * MM), (cx, cy), tuple(terminals), source, component, around,
                   span_x=span_x, span_y=span_y, lead=thick or 0.15 * MM, standoff=0.08 * MM)


def _exposed(a: Contact, bx: float, by: float) -> Terminal:
    return Terminal(a.number, "thermal", (a.x, a.y), (min(a.ex, 0.9 * bx), min(a.ey, 0.9 * by)), 0.02 * MM, 0.0)


def _leadless(component: Component, items: tuple[Contact, ...], hint: Hint, source: str) -> Package | None:
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
    terminals += [_exposed(a, bx, by) for a in exposed]
    return _finish(hint, (bx, by, height), (cx, cy), tuple(terminals), source, component, around)


# ball diameter by pitch [mm], domain values for the usual classes
_BALLS = ((1.27, 0.75), (1.0, 0.50), (0.8, 0.46), (0.65, 0.35), (0.5, 0.30), (0.4, 0.25))


def _bga(component: Component, items: tuple[Contact, ...], hint: Hint, source: str) -> Package | None:
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
    return _finish(replace(hint, pitch=step), (bx, by, height), box.center, terminals, source, component, items, ball=ball)


def _corner_bottom(component: Component, items: tuple[Contact, ...], hint: Hint, metal: float) -> Package:
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
    return _finish(hint, (bx, by, height), (cx, cy), tuple(terminals), "name", component, items)


def _crystal(component: Component, items: tuple[Contact, ...], hint: Hint) -> Package | None:
    if any(a.kind == "through" for a in items):
        box = extent(items)
        body = (11.0 * MM, 4.6 * MM, 13.5 * MM if "4H" not in component.package.upper() else 3.6 * MM)
        return _pins(component, items, replace(hint, body=body), box.center, "name")
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
    return _corner_bottom(component, items, replace(hint, body=(bx, by, height or min(0.8 * MM, 0.3 * max(bx, by)))), 0.4)


def _array(component: Component, items: tuple[Contact, ...], hint: Hint) -> Package | None:
    if len(items) < 4 or len(items) % 2:
        return None
    box = extent(items)
    across = rows_axis(items)
    rows = [a.x if across == "x" else a.y for a in items]
    along = [a.y if across == "x" else a.x for a in items]
    deep = [a.ex if across == "x" else a.ey for a in items]
    spacing = max(rows) - min(rows)
    width = min(1.6 * MM, spacing) if spacing < 1.9 * MM else spacing
    width = max(width, spacing - sum(deep) / len(deep) * 0.2)
    length = max(along) - min(along) + min(0.6 * MM, 0.8 * pitch(items))
    cx, cy = box.center
    terminals = []
    for a, d in zip(items, outward(items, 2), strict=True):
        c, s = round(math.cos(d)), round(math.sin(d))
        term = 0.3 * MM if width > 1.2 * MM else 0.2 * MM
        mid = (width - term) / 2
        terminals.append(Terminal(a.number, "chip", (cx + c * mid if c else a.x, cy + s * mid if s else a.y),
                                  (term, min(0.9 * (a.ey if c else a.ex), 0.4 * MM)), hint.body[2], d))
    body = (width, length, hint.body[2]) if across == "x" else (length, width, hint.body[2])
    return _finish(hint, body, (cx, cy), tuple(terminals), "name", component, items, termination=0.3 * MM)


def _electrolytic(component: Component, items: tuple[Contact, ...], hint: Hint) -> Package | None:
    if len(items) != 2:
        return None
    numbers = [float(v) for v in re.findall(r"(?:_|D|x|^)(\d+(?:\.\d+)?)(?=x|mm|_|$)", component.package)]
    match = re.search(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)\s*(?:mm)?", component.package)
    diameter, height = (float(match[1]), float(match[2])) if match else (numbers[0] if numbers else 0.0, 0.0)
    diameter, height = diameter * MM, height * MM
    box = extent(items)
    gap, overall, (ux, uy) = _two(items)
    center = box.center
    if hint.kind == "electrolytic_radial":
        diameter = diameter or 2.4 * math.hypot(items[0].x - items[1].x, items[0].y - items[1].y)
        body = (diameter, diameter, height or 1.7 * diameter)
        return _pins(component, items, replace(hint, body=body), center, "name")
    diameter = diameter or 0.75 * overall
    base = diameter + 0.3 * MM
    foot = min(0.3 * diameter, 0.8 * (overall - gap) / 2)
    terminals = tuple(
        Terminal(
            c.number,
            "tab",
            (center[0] + s * ux * (base / 2 + 0.3 * MM - foot / 2), center[1] + s * uy * (base / 2 + 0.3 * MM - foot / 2)),
            (foot, min(0.65 * MM if diameter < 7 * MM else 0.9 * MM, 0.9 * (c.ey if abs(ux) > 0.5 else c.ex))),
            0.2 * MM,
            math.atan2(s * uy + 0.0, s * ux),
        )
        for s, c in ((-1.0, items[0]), (1.0, items[1]))
    )
    return _finish(hint, (base, base, height or 0.86 * diameter), center, terminals, "name", component, items, diameter=diameter)


def _inductor(component: Component, items: tuple[Contact, ...], hint: Hint) -> Package | None:
    if len(items) != 2:
        return _generic(component, items, hint, "pads")
    gap, overall, (ux, uy) = _two(items)
    length = hint.body[0] or overall - 0.3 * MM
    width = hint.body[1] or 0.74 * length
    height = hint.body[2] or min(0.45 * length, 6 * MM)
    if any(a.kind == "through" for a in items):
        return _pins(component, items, replace(hint, body=(length, width, height)), extent(items).center, "name")
    center = extent(items).center
    term = min(0.22 * length, 0.9 * (overall - gap) / 2)
    wide = min(width * 0.7, 0.95 * (items[0].ey if abs(ux) > 0.5 else items[0].ex))
    terminals = tuple(
        Terminal(
            c.number,
            "tab",
            (center[0] + s * ux * (length - term) / 2, center[1] + s * uy * (length - term) / 2),
            (term, wide),
            min(0.5 * MM, 0.2 * height),
            math.atan2(s * uy + 0.0, s * ux),
        )
        for s, c in ((-1.0, items[0]), (1.0, items[1]))
    )
    body = (length, width, height) if abs(ux) > 0.5 else (width, length, height)
    drum = {"drum": 1e-6} if re.search(r"DBS|SDR|CDRH|SRR|PD\d|DRUM", component.package, re.I) else {}
    return _finish(hint, body, center, terminals, "name", component, items, termination=term, **drum)


# --- through-hole, connectors, modules ------------------------------------------------------------------------------

def _pins(component: Component, items: tuple[Contact, ...], hint: Hint, center: tuple[float, float], source: str) -> Package:
    """A body over pins in plated holes; surface pads beside them become tabs."""
    box = extent(items)
    terminals = []
    for a in items:
        if a.kind == "through":
            pin = max(0.3 * MM, 0.72 * (a.drill or 0.5 * min(a.ex, a.ey)))
            terminals.append(Terminal(a.number, "through", (a.x, a.y), (pin, pin), 0.0, 0.0))
        else:
            terminals.append(_tab(a, box.center))
    return _finish(hint, hint.body, center, tuple(terminals), source, component, items)


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


def _generic(component: Component, items: tuple[Contact, ...], hint: Hint, source: str) -> Package | None:
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
        return _pins(component, items, replace(hint, body=(bx, by, height), pitch=step), center, source)
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
    return _pins(component, items, replace(hint, body=(bx, by, height or 0.5 * min(bx, by))), center, source)


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
    return _finish(replace(hint, body=(bx, by, height)), (bx, by, height), (cx, cy), tuple(terminals), source, component, items)


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
    terminals += [_exposed(a, bx, by) for a in exposed]
    free_side = math.radians(free[0]) if antenna and len(free) == 1 else 0.0
    return _finish(hint, (bx, by, height), (cx, cy), tuple(terminals), "name", component, around,
                   antenna=antenna if len(free) == 1 else 0.0, free_side=free_side * 1e-3)


# --- by pads ---------------------------------------------------------------------------------------------------------

def _by_pads(component: Component, items: tuple[Contact, ...]) -> Package:
    """What the pattern of pads says when the name says nothing."""
    count, box = len(items), extent(items)
    around, exposed = split_thermal(items)
    if (
        all(a.kind == "through" for a in items)
        and count >= 2
        and (levels([a.x for a in items]) <= 2 or levels([a.y for a in items]) <= 2)
    ):
        package = _generic(component, items, Hint("header", "header"), "pads")
        if package:
            return package
    if count >= 9 and all(a.round for a in items) and levels([a.x for a in items]) >= 3 and levels([a.y for a in items]) >= 3:
        package = _bga(component, items, Hint("bga", f"BGA-{count}", (0, 0, 0.9 * MM)), "pads")
        if package:
            return package
    if len(around) >= 6 and all(a.kind == "smd" for a in around):
        step, long = pitch(around), sorted(max(a.ex, a.ey) for a in around)[len(around) // 2]
        nx, ny = levels([a.x for a in around]), levels([a.y for a in around])
        two_rows = min(nx, ny) == 2
        if two_rows and long >= 1.2 * MM and len(around) % 2 == 0:
            width = (box.size[0] if rows_axis(around) == "x" else box.size[1]) - 2 * long - 0.2 * MM
            if width > 0.8 * MM:
                span = width + 2 * long * 0.8
                hint = Hint("soic" if step > 1.0 * MM else "tssop", f"SO-{len(around)}", (0, width, 1.2 * MM), span, 0.45 * long,
                            (0.4 * step, 0.17 * MM), step)
                return _gullwing(component, items, hint, "pads") or _box(component, items)
        if len(around) >= 12 and not two_rows and long >= 1.2 * MM:
            return _gullwing(component, items, Hint("qfp", f"QFP-{len(around)}", (0, 0, 1.2 * MM), foot=0.6 * MM,
                                                    lead=(0.45 * step, 0.13 * MM), pitch=step), "pads") or _box(component, items)
        if exposed or not two_rows:
            return _leadless(
                component, items, Hint("dfn" if two_rows else "qfn", f"QFN-{len(around)}", (0, 0, 0.85 * MM), pitch=step), "pads"
            ) or _box(component, items)
    return _box(component, items)


def _box(component: Component, items: tuple[Contact, ...]) -> Package:
    box = extent(items)
    hint = Hint("box", component.package[:24])
    w, h = max(0.9 * box.size[0], 0.5 * MM), max(0.9 * box.size[1], 0.5 * MM)
    return _pins(component, items, replace(hint, body=(w, h, max(0.3 * MM, 0.35 * min(w, h)))), box.center, "box")


def _with_model(package: Package, component: Component, models: Sequence[Path]) -> Package:
    """``package`` with the STEP model that the board names, where one of ``models`` holds it."""
    from scenes.cad import find_model
    from scenes.parts.step import usable

    for item in component.models:
        path = find_model(item.path, models, place=f"footprint {component.reference}")
        if path is None:
            continue
        numbers = dict(zip(("mox", "moy", "moz", "mrx", "mry", "mrz", "msx", "msy", "msz"),
                           (*item.offset, *item.rotation, *item.scale), strict=True))
        found = replace(package, model=str(path), source="step", dims={**package.dims, **numbers})
        if usable(found):
            return found
    return package


__all__ = ["describe"]
