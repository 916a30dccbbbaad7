"""Chips and other parts with two ends, and arrays of them: dimensions by code, terminals at the ends."""
from __future__ import annotations

import math
import re
from dataclasses import replace

from scenes.board.model import Component
from scenes.parts.contacts import Contact, extent, outward, pitch, rows_axis
from scenes.parts.housings import generic, pins
from scenes.parts.model import Package, PackageKind, Terminal
from scenes.parts.names import CHIPS, MM, Hint, chip_codes
from scenes.parts.packages import finish, prefix, two_pads

_CHIP_NAME = re.compile(r"^(R|C|L|D|F|LED|FB|FUSE|RES|CAP|IND|TVS|CHIP|VAR|THERMISTOR|NTC|CP)?[_-]?(?=\d|SMD|CHIP)", re.I)


_CHIP_KIND: dict[str, PackageKind] = {
    "R": "chip_resistor", "RES": "chip_resistor", "F": "chip_resistor", "FUSE": "chip_resistor", "NTC": "chip_resistor",
    "C": "chip_capacitor", "CAP": "chip_capacitor", "L": "chip_inductor", "FB": "chip_inductor", "IND": "chip_inductor",
    "LED": "chip_led", "D": "chip_diode", "TVS": "chip_diode", "VAR": "chip_diode", "THERMISTOR": "chip_resistor",
    "CP": "chip_capacitor", "FERRITE": "chip_inductor",
}


def chip(component: Component, items: tuple[Contact, ...], hint: Hint | None) -> Package | None:
    if len(items) != 2 or any(a.kind == "through" for a in items):
        return None
    name, letters = component.package, prefix(component.reference)
    gap, overall, _ = two_pads(items)
    if overall <= 0 or gap <= 0:
        return None
    match = _CHIP_NAME.match(name)
    word = (match[1] or "").upper() if match else ""
    kind = _CHIP_KIND.get(word) or (_CHIP_KIND.get(letters) if match else None)
    if hint and hint.kind not in ("inductor", "melf") and not (match and chip_codes(name)):
        return None
    if hint and hint.kind in ("melf", "crystal", "electrolytic_can", "button", "sod", "sma", "connector"):
        return None
    middle = (gap + overall) / 2
    codes = [c for c in chip_codes(name) if gap * 0.6 < CHIPS[c][0] * MM < overall * 1.25] if kind else []
    if codes:
        code = min(codes, key=lambda c: abs(CHIPS[c][0] * MM - middle))
        length, width, low, high, term = (v * MM for v in CHIPS[code])
        return ends(component, items, kind or "box", code, (length, width, low, high), term, "name")
    inductor = re.match(r"L[_-]?(\d\d)(\d\d)", name, re.I)
    if inductor and kind == "chip_inductor":
        length, width = int(inductor[1]) * 0.1 * MM, int(inductor[2]) * 0.1 * MM
        if gap * 0.6 < length < overall * 1.25 and width > 0.2 * length:
            height = 0.5 * length
            return ends(
                component, items, kind, f"{inductor[1]}{inductor[2]}M", (length, width, height, height), 0.28 * length, "name"
            )
    kind = kind or _CHIP_KIND.get(letters)
    if hint or kind is None:
        return None
    code = min(CHIPS, key=lambda c: abs(CHIPS[c][0] * MM - middle) + abs(CHIPS[c][1] * MM - min(items[0].ex, items[0].ey)) * 0.2)
    if abs(CHIPS[code][0] * MM - middle) > 0.3 * middle:
        return None
    length, width, low, high, term = (v * MM for v in CHIPS[code])
    return ends(component, items, kind, code, (length, width, low, high), term, "pads")


def ends(component: Component, items: tuple[Contact, ...], kind: PackageKind, code: str,
          size: tuple[float, float, float, float], term: float, source: str) -> Package:
    """A two-terminal part with metallised ends, centred between its pads."""
    length, width, low, high = size
    a, b = items
    _, _, (ux, uy) = two_pads(items)
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
    return finish(Hint(kind, code), body, center, terminals, source, component, items, termination=term)


def tantalum(component: Component, items: tuple[Contact, ...]) -> Package | None:
    """Moulded tantalum capacitors, EIA 3216-18 and kin: shaped like an SMA diode."""
    match = re.search(r"EIA-(\d\d)(\d\d)-(\d\d)", component.package)
    if not match or len(items) != 2:
        return None
    length, width, height = (int(match[i]) * 0.1 * MM for i in (1, 2, 3))
    hint = Hint("sma", f"EIA-{match[1]}{match[2]}", (length * 0.96, width, height), length, 0.25 * length,
                (0.7 * width, 0.12 * MM), extra={"tantalum": 1e-6})
    return diode(component, items, hint, "name")


def diode(component: Component, items: tuple[Contact, ...], hint: Hint, source: str) -> Package:
    length, width, height = hint.body
    a, b = items
    _, _, (ux, uy) = two_pads(items)
    center = (a.x + b.x) / 2, (a.y + b.y) / 2
    foot, (lead, thick) = hint.foot, hint.lead
    terminals = tuple(
        Terminal(c.number, "gullwing" if hint.kind == "sod" else "tab",
                 (center[0] + s * ux * (hint.span - foot) / 2, center[1] + s * uy * (hint.span - foot) / 2),
                 (foot, lead), thick if hint.kind == "sod" else 0.35 * height, math.atan2(s * uy + 0.0, s * ux))
        for s, c in ((-1.0, a), (1.0, b)))
    body = (length, width, height) if abs(ux) > 0.5 else (width, length, height)
    return finish(hint, body, center, terminals, source, component, items, span=hint.span, lead=thick)


def array(component: Component, items: tuple[Contact, ...], hint: Hint) -> Package | None:
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
    return finish(hint, body, (cx, cy), tuple(terminals), "name", component, items, termination=0.3 * MM)


def electrolytic(component: Component, items: tuple[Contact, ...], hint: Hint) -> Package | None:
    if len(items) != 2:
        return None
    numbers = [float(v) for v in re.findall(r"(?:_|D|x|^)(\d+(?:\.\d+)?)(?=x|mm|_|$)", component.package)]
    match = re.search(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)\s*(?:mm)?", component.package)
    diameter, height = (float(match[1]), float(match[2])) if match else (numbers[0] if numbers else 0.0, 0.0)
    diameter, height = diameter * MM, height * MM
    box = extent(items)
    gap, overall, (ux, uy) = two_pads(items)
    center = box.center
    if hint.kind == "electrolytic_radial":
        diameter = diameter or 2.4 * math.hypot(items[0].x - items[1].x, items[0].y - items[1].y)
        body = (diameter, diameter, height or 1.7 * diameter)
        return pins(component, items, replace(hint, body=body), center, "name")
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
    return finish(hint, (base, base, height or 0.86 * diameter), center, terminals, "name", component, items, diameter=diameter)


def inductor(component: Component, items: tuple[Contact, ...], hint: Hint) -> Package | None:
    if len(items) != 2:
        return generic(component, items, hint, "pads")
    gap, overall, (ux, uy) = two_pads(items)
    length = hint.body[0] or overall - 0.3 * MM
    width = hint.body[1] or 0.74 * length
    height = hint.body[2] or min(0.45 * length, 6 * MM)
    if any(a.kind == "through" for a in items):
        return pins(component, items, replace(hint, body=(length, width, height)), extent(items).center, "name")
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
    return finish(hint, body, center, terminals, "name", component, items, termination=term, **drum)


__all__ = ["array", "chip", "diode", "electrolytic", "ends", "inductor", "tantalum"]
