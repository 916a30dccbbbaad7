"""Package: what a component is made of, as numbers. Meshes are made from it, and the process works on it.

Package frame: the footprint's own axes (x right, y up), origin at the footprint's origin, z = 0 on the seating plane, [m].
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

JointKind = Literal["chip", "gullwing", "bottom", "thermal", "ball", "through", "tab"]
"""How a terminal is soldered.

chip      a metallised end (chip passive, MELF, LED, crystal): fillet on the end face and sides
gullwing  a formed lead (SOIC, QFP, SOT): toe, heel and side fillets
bottom    a contact under the body's edge (QFN, DFN, module castellation): thin joint, small toe fillet
thermal   an exposed pad under the body
ball      a BGA ball
through   a pin in a plated hole
tab       a flat lead or bracket (connector shell, electrolytic, DPAK tab)
"""

PackageKind = Literal[
    "chip_resistor", "chip_capacitor", "chip_inductor", "chip_led", "chip_diode", "resistor_array", "melf", "sod", "sma",
    "sot", "soic", "tssop", "qfp", "qfn", "dfn", "bga", "electrolytic_can", "electrolytic_radial", "inductor", "crystal",
    "button", "header", "connector", "module", "box",
]


@dataclass(frozen=True)
class Terminal:
    """One contact, in the package frame."""
    pad: str                                   # pad number on the footprint
    kind: JointKind
    center: tuple[float, float]                # [m] middle of the contact area at the seating plane
    size: tuple[float, float]                  # [m] contact length along ``direction``, and width across it
    height: float                              # [m] metal above the seating plane: chip end, foot thickness, ball diameter
    direction: float                           # [rad] outwards from the body, in the package frame


@dataclass(frozen=True)
class Package:
    """A package with its terminals. ``source`` says where the geometry comes from; "box" is a counted fallback."""
    kind: PackageKind
    name: str                                  # "0402", "QFN-56", …
    body: tuple[float, float, float]           # [m] length (along package x), width (y), height
    center: tuple[float, float]                # [m] middle of the body in the package frame
    terminals: tuple[Terminal, ...]
    source: Literal["name", "pads", "step", "box"]
    mass: float                                # [kg]
    polarised: bool = False                    # turning it by 180° matters
    marked: bool = False                       # carries a readable mark on its top
    pitch: float = 0.0                         # [m] where it has one
    model: str = ""                            # resolved path of a STEP model, where one is used
    dims: dict[str, float] = field(default_factory=dict)   # further lengths [m] that the mesh of this kind needs
    paint: tuple[tuple[int, int], ...] = ()    # material rows that its mesh has instead: (was, now); was −1 is all others

    @property
    def key(self) -> str:
        """Equal keys share one mesh."""
        numbers = [*self.body, *self.center, *(v for t in self.terminals for v in (*t.center, *t.size, t.height, t.direction)),
                   *self.dims.values()]
        paint = "".join(f"|{was}>{now}" for was, now in self.paint)
        return f"{self.kind}|{self.name}|{self.model}|" + ",".join(f"{n * 1e6:.0f}" for n in numbers) + paint


__all__ = ["JointKind", "Package", "PackageKind", "Terminal"]
