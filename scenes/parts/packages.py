"""Packages: what every description shares: bulk densities, what is marked or polarised, and the last step to a Package."""
from __future__ import annotations

import math
import re

from scenes.board.model import Component
from scenes.parts.contacts import Contact, pitch
from scenes.parts.model import Package, Terminal
from scenes.parts.names import MM, Hint

# bulk density of a whole part by kind [kg/m³]: ceramic and metal by volume share, from data-sheet weights
DENSITY: dict[str, float] = {
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


def prefix(reference: str) -> str:
    match = re.match(r"[A-Za-z]+", reference)
    return match[0].upper() if match else ""


def finish(
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
    return Package(kind, hint.name, body, center, terminals, source, DENSITY[kind] * volume, polarised,  # type: ignore[arg-type]
                   kind in _MARKED and not small, hint.pitch or (pitch(items) if len(items) > 2 else 0.0),
                   dims={**hint.extra, **dims})


def two_pads(items: tuple[Contact, ...]) -> tuple[float, float, tuple[float, float]]:
    """Gap between two pads and overall length along the line that joins them, and its unit direction (first to second)."""
    a, b = items
    dx, dy = b.x - a.x, b.y - a.y
    span = math.hypot(dx, dy)
    ux, uy = (1.0, 0.0) if abs(dx) >= abs(dy) else (0.0, 1.0)
    along = [c.ex * ux + c.ey * uy for c in items]
    sign = 1.0 if dx * ux + dy * uy >= 0 else -1.0
    return span - sum(along) / 2, span + sum(along) / 2, (sign * ux, sign * uy)


def exposed_pad(a: Contact, bx: float, by: float) -> Terminal:
    return Terminal(a.number, "thermal", (a.x, a.y), (min(a.ex, 0.9 * bx), min(a.ey, 0.9 * by)), 0.02 * MM, 0.0)


__all__ = ["DENSITY", "exposed_pad", "finish", "prefix", "two_pads"]
