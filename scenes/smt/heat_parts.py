"""heat_parts: what a package is to the heat: its capacity, its paths to the terminals and to the air, the power it turns.

Values without a source are engineering defaults. The thermal model of every package is one node (where power is turned
into heat) with one conductance per terminal and one through the gap under its body.
"""
from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from scenes.materials import TABLE, Material, index
from scenes.parts.model import Package, Terminal

AIR = 0.026                                    # [W/(m K)] conductivity of still air at 300 K (CRC)
DIE_ATTACH = 2.0e4                             # [W/(m² K)] exposed pad to die: 50 µm of adhesive at 1 W/(m K)
BALL_PATH = 1.5e-3                             # [W/K] of a BGA's substrate, per ball: 20 K/W for 36 balls (data sheets: 15 to 30)
LEAD_SHARE = 0.25                              # [1] of an all-metal path: most leads meet the die through wire and mould;
                                               # 60 K/W junction to leads in a SOT-23-5, 40 in an LQFP-32, as data sheets have it
MODULE_FOIL = 0.1e-3                           # [m] copper of a module's board, its layers together, per contact's width
LEAST_GAP = 50e-6                              # [m] of air under a body

# kind → bulk material, heat per footprint [W/m²], spread of the load. 1e3 W/m² is 1 mW per mm².
# "ic": 0.4 to 1 of it; "resistor": most carry next to nothing, a few up to four times; "": all the same.
_KINDS: dict[str, tuple[str, float, str]] = {
    "chip_resistor": ("alumina", 6e3, "resistor"), "resistor_array": ("alumina", 3e3, "resistor"), "melf": ("alumina", 4e3, ""),
    "chip_capacitor": ("ceramic_mlcc", 0.0, ""), "chip_inductor": ("ferrite", 2e3, "ic"), "chip_led": ("epoxy_black", 12e3, ""),
    "chip_diode": ("epoxy_black", 6e3, "ic"), "sod": ("epoxy_black", 10e3, "ic"), "sma": ("epoxy_black", 5e3, "ic"),
    "sot": ("epoxy_black", 30e3, "ic"), "soic": ("epoxy_black", 3e3, "ic"), "tssop": ("epoxy_black", 2e3, "ic"),
    "qfp": ("epoxy_black", 3e3, "ic"), "qfn": ("epoxy_black", 6e3, "ic"), "dfn": ("epoxy_black", 8e3, "ic"),
    "bga": ("epoxy_black", 6e3, "ic"), "electrolytic_can": ("aluminium", 0.2e3, ""),
    "electrolytic_radial": ("plastic_sleeve", 0.2e3, ""), "inductor": ("ferrite", 3e3, "ic"),
    "crystal": ("ceramic_package", 0.1e3, ""), "button": ("plastic_black", 0.0, ""), "header": ("plastic_black", 0.0, ""),
    "connector": ("plastic_black", 0.0, ""), "module": ("fr4", 1.2e3, "ic"), "box": ("epoxy_black", 1e3, "ic"),
}

# names of supply rails and of ground, as schematics write them
_GROUND = re.compile(r"^/?(?:[ADPS]?GND\w*|GND[A-Z]*|[AD]?VSS\w*|VEE|0V|EARTH)$", re.I)
_RAIL = re.compile(r"^/?(?:\+\w.*|\d+V\d*\w*|\d+\.\d+V\w*|V(?:CC|DD|BUS|IN|OUT|BAT|SYS|PP|AA|IO|REF|USB)\w*|[AD]V(?:CC|DD)\w*)$",
                   re.I)


@dataclass(frozen=True)
class PartHeat:
    """One package. Conductances [W/K]."""
    footprint: float                           # [m²] of the body
    exposed: float                             # [m²] top and sides
    capacity: float                            # [J/K]
    terminals: tuple[float, ...]               # node to each terminal
    under: float                               # [m² K/W] half the body's height in series with the air gap, per area
    half: float                                # from the middle to one end along a two-ended part
    power: float                               # [W] at full load, before the part's own share


@lru_cache(maxsize=4096)
def _part(key: str, package: _Known, materials: tuple[Material, ...]) -> PartHeat:
    p = package.package
    material, density, _ = _KINDS[p.kind]
    row = index(material)
    paint = dict(p.paint)
    bulk = materials[paint.get(row, paint.get(-1, row))]
    length, width, height = p.body
    footprint = length * width
    gap = max(p.dims.get("standoff", 0.0), LEAST_GAP)
    terminals = tuple(_path(p, t, bulk.conductivity, materials) for t in p.terminals)
    along = max(length, width)
    return PartHeat(footprint, footprint + 2 * height * (length + width), p.mass * bulk.specific_heat, terminals,
                    0.5 * height / bulk.conductivity + gap / AIR,
                    bulk.conductivity * min(length, width) * height / (0.5 * along), density * footprint)


class _Known:
    """A package that is equal to others of its key: ``lru_cache`` can hold it."""

    def __init__(self, package: Package) -> None:
        self.package = package

    def __hash__(self) -> int:
        return hash(self.package.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and other.package.key == self.package.key


def part_heat(package: Package, materials: tuple[Material, ...] = TABLE) -> PartHeat:
    """What this package is to the heat; equal packages are worked out once."""
    return _part(package.key, _Known(package), materials)


def _path(package: Package, terminal: Terminal, body: float, materials: Sequence[Material]) -> float:
    """Conductance from the node to one terminal [W/K]: metal and body in parallel over the way from the body's middle."""
    metal = materials[index("lead_frame_tin")].conductivity
    dx, dy = terminal.center[0] - package.center[0], terminal.center[1] - package.center[1]
    way = abs(dx * math.cos(terminal.direction) + dy * math.sin(terminal.direction))
    way = max(way, 0.5 * terminal.size[0], 0.1e-3)
    wide, height = terminal.size[1], package.body[2]
    if terminal.kind == "thermal":
        return DIE_ATTACH * terminal.size[0] * terminal.size[1]
    if terminal.kind == "ball":
        return BALL_PATH
    if terminal.kind == "through":
        side = min(terminal.size)
        return materials[index("brass_gold")].conductivity * side * side / max(0.5 * height, 1e-3)
    mould = body * wide * height / way
    if terminal.kind == "chip":
        return mould
    if package.kind == "module":
        return mould * 0.5 + materials[index("copper")].conductivity * wide * MODULE_FOIL / way
    return mould * 0.5 + LEAD_SHARE * metal * wide * package.dims.get("lead", 0.15e-3) / way


def load(package: Package, reference: str) -> float:
    """This part's own share of its kind's power [1]: fixed by its reference, as a design fixes it, not drawn per unit."""
    spread = _KINDS[package.kind][2]
    u = zlib.crc32(reference.encode()) / 0xFFFFFFFF
    if spread == "ic":
        return 0.4 + 0.6 * u
    if spread == "resistor":
        return 0.05 + 3.95 * u**4
    return 1.0


def is_ground(net: str) -> bool:
    return bool(_GROUND.match(net))


def is_rail(net: str) -> bool:
    """A net that supplies: named like a voltage, and not ground."""
    return bool(_RAIL.match(net)) and not is_ground(net)


def rails(nets: Sequence[str]) -> tuple[list[bool], list[bool]]:
    """Per net whether it is ground, and whether it is a supply rail."""
    return [is_ground(n) for n in nets], [is_rail(n) for n in nets]


__all__ = ["AIR", "PartHeat", "is_ground", "is_rail", "load", "part_heat", "rails"]
