"""Materials: one table for every modality. Optical values for pictures, thermal ones for infrared, composition for X-ray.

``TABLE`` is fixed and ordered: meshes and joints store an index into it as uint8. Append only; never reorder.

Base colours are given as sRGB (as a colour-managed photograph of the part under diffuse light shows them) and turned
into linear RGB once. Metals carry their specular reflectance as base colour, as the metallic workflow has it.
"""
from __future__ import annotations

from dataclasses import dataclass

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Material:
    """One row of the table. SI units."""
    name: str
    base_color: Rgb                            # linear RGB, 0 to 1
    metallic: float                            # [1] 0 dielectric, 1 metal
    roughness: float                           # [1] perceptual; microfacet α = roughness²
    conductivity: float                        # [W/(m·K)]
    specific_heat: float                       # [J/(kg·K)]
    density: float                             # [kg/m³]
    emissivity: float                          # [1] 8 to 14 µm
    composition: tuple[tuple[str, float], ...]  # (element symbol, mass fraction); sums to 1
    source: str                                # where the numbers come from
    opacity: float = 1.0                       # [1] below 1: panes, which only machines have


def linear(srgb: Rgb) -> Rgb:
    """IEC 61966-2-1 decoding, per channel, 0 to 1."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in srgb)
    return r, g, b


_ATOMIC = {"H": 1.008, "B": 10.81, "C": 12.011, "N": 14.007, "O": 15.999, "Na": 22.990, "Mg": 24.305, "Al": 26.982,
           "Si": 28.085, "P": 30.974, "Cl": 35.45, "Ca": 40.078, "Ti": 47.867, "Cr": 51.996, "Mn": 54.938, "Fe": 55.845,
           "Co": 58.933, "Ni": 58.693, "Cu": 63.546, "Zn": 65.38, "Sr": 87.62, "Ag": 107.868, "Sn": 118.71, "Ba": 137.327,
           "Au": 196.967, "Br": 79.904, "Pb": 207.2, "S": 32.06, "Ga": 69.723, "In": 114.818}


def _compound(**atoms: float) -> dict[str, float]:
    """Mass fractions of a chemical formula, for example ``_compound(Al=2, O=3)``."""
    mass = {e: n * _ATOMIC[e] for e, n in atoms.items()}
    total = sum(mass.values())
    return {e: m / total for e, m in mass.items()}


def _blend(*parts: tuple[float, dict[str, float]]) -> dict[str, float]:
    """Mass-weighted mixture of compositions; weights are normalised."""
    total = sum(w for w, _ in parts)
    out: dict[str, float] = {}
    for weight, composition in parts:
        for element, fraction in composition.items():
            out[element] = out.get(element, 0.0) + weight / total * fraction
    return out


_SIO2, _AL2O3, _BATIO3 = _compound(Si=1, O=2), _compound(Al=2, O=3), _compound(Ba=1, Ti=1, O=3)
_EPOXY = _compound(C=21, H=24, O=4)
_GLASS = _blend((0.54, _SIO2), (0.145, _AL2O3), (0.195, _compound(Ca=1, O=1)), (0.07, _compound(B=2, O=3)),
                (0.05, _compound(Mg=1, O=1)))
_FR4 = _blend((0.6, _GLASS), (0.4, _EPOXY))
_MOULD = _blend((0.85, _SIO2), (0.15, _EPOXY))
_LCP = _blend((0.7, _compound(C=9, H=6, O=2)), (0.3, _GLASS))            # liquid-crystal polymer with 30 % glass
_SAC = {"Sn": 0.965, "Ag": 0.03, "Cu": 0.005}
_BRASS = {"Cu": 0.65, "Zn": 0.35}
_STEEL = {"Fe": 0.73, "Cr": 0.18, "Ni": 0.09}


def _row(name: str, srgb: Rgb, metallic: float, roughness: float, thermal: tuple[float, float, float, float],
         composition: dict[str, float], source: str) -> Material:
    """``thermal`` is conductivity, specific heat, density, emissivity."""
    return Material(name, linear(srgb), metallic, roughness, *thermal, tuple(composition.items()), source)


_PHOTO = "colour read off macro photographs of assembled boards; "
_BOOK = "handbook values (CRC, FLIR emissivity tables)"

TABLE: tuple[Material, ...] = (
    _row("fr4", (0.62, 0.56, 0.34), 0, 0.60, (0.30, 1100, 1850, 0.90), _FR4, "60 wt% E-glass in epoxy; " + _BOOK),
    _row("solder_mask", (0.02, 0.25, 0.10), 0, 0.18, (0.25, 1200, 1400, 0.93), _EPOXY, _PHOTO + _BOOK),
    _row("silkscreen", (0.90, 0.91, 0.88), 0, 0.55, (0.25, 1200, 1600, 0.92),
         _blend((0.7, _EPOXY), (0.3, _compound(Ti=1, O=2))), _PHOTO + _BOOK),
    _row("copper", (0.955, 0.638, 0.538), 1, 0.25, (398, 385, 8960, 0.05), {"Cu": 1.0}, "optical: measured n, k; " + _BOOK),
    _row("gold_enig", (1.0, 0.782, 0.344), 1, 0.28, (90, 440, 8900, 0.04), {"Ni": 0.92, "P": 0.07, "Au": 0.01},
         "optical: gold's n, k; bulk is the nickel under it; " + _BOOK),
    _row("tin", (0.85, 0.84, 0.81), 1, 0.55, (67, 228, 7310, 0.08), {"Sn": 1.0}, _BOOK),
    _row("solder_sac305", (0.83, 0.83, 0.81), 1, 0.16, (58, 230, 7380, 0.10), _SAC, "SAC305 data sheets; " + _BOOK),
    _row("ceramic_mlcc", (0.66, 0.53, 0.40), 0, 0.42, (2.9, 530, 5900, 0.90), _BATIO3, _PHOTO + "barium titanate"),
    _row("ceramic_mlcc_grey", (0.62, 0.56, 0.52), 0, 0.42, (2.9, 530, 5600, 0.90),
         _compound(Ca=1, Ti=1, O=3), _PHOTO + "class 1 dielectric, calcium titanate"),
    _row("alumina", (0.88, 0.87, 0.84), 0, 0.45, (25, 880, 3900, 0.90), _AL2O3, _PHOTO + _BOOK),
    _row("resistor_glass", (0.245, 0.225, 0.22), 0, 0.28, (1.1, 800, 3200, 0.93),
         _blend((0.7, _SIO2), (0.3, _compound(Pb=1, O=1))), _PHOTO + _BOOK),
    _row("ferrite", (0.19, 0.18, 0.18), 0, 0.50, (4, 750, 4900, 0.90), _compound(Fe=2, Ni=0.5, Zn=0.5, O=4), _PHOTO + _BOOK),
    _row("epoxy_black", (0.15, 0.145, 0.145), 0, 0.62, (0.9, 900, 1950, 0.93), _MOULD, "85 wt% silica in epoxy; " + _PHOTO),
    _row("plastic_white", (0.86, 0.85, 0.81), 0, 0.40, (0.25, 1200, 1600, 0.93), _LCP, _PHOTO + _BOOK),
    _row("plastic_black", (0.075, 0.075, 0.08), 0, 0.45, (0.25, 1200, 1600, 0.94), _LCP, _PHOTO + _BOOK),
    _row("plastic_beige", (0.80, 0.74, 0.60), 0, 0.45, (0.25, 1200, 1600, 0.93), _LCP, _PHOTO + _BOOK),
    _row("lead_frame_tin", (0.82, 0.81, 0.79), 1, 0.34, (260, 385, 8900, 0.10),
         {"Cu": 0.97, "Fe": 0.02, "Sn": 0.01}, "C194 copper alloy, matt tin plated; " + _BOOK),
    _row("nickel", (0.66, 0.61, 0.53), 1, 0.30, (90, 440, 8900, 0.06), {"Ni": 1.0}, "optical: measured n, k; " + _BOOK),
    _row("aluminium", (0.91, 0.92, 0.92), 1, 0.32, (237, 897, 2699, 0.09), {"Al": 1.0}, _BOOK),
    _row("steel", (0.70, 0.70, 0.69), 1, 0.30, (16, 500, 7900, 0.25), _STEEL, "AISI 304; " + _BOOK),
    _row("shield", (0.74, 0.73, 0.69), 1, 0.36, (33, 390, 8700, 0.15), {"Cu": 0.62, "Ni": 0.18, "Zn": 0.20},
         "nickel silver; " + _BOOK),
    _row("led_lens", (0.86, 0.86, 0.78), 0, 0.12, (0.2, 1200, 1200, 0.94), _EPOXY, _PHOTO + "clear epoxy over a white substrate"),
    _row("led_die", (0.75, 0.60, 0.20), 0, 0.30, (130, 330, 5300, 0.70), _compound(Ga=1, N=1), _PHOTO),
    _row("crystal_lid", (0.76, 0.74, 0.69), 1, 0.34, (17, 460, 8360, 0.15), {"Fe": 0.54, "Ni": 0.29, "Co": 0.17},
         "Kovar, nickel plated"),
    _row("pcb_module", (0.06, 0.10, 0.09), 0, 0.25, (0.3, 1100, 1850, 0.92), _FR4, "dark lacquer on FR4"),
    _row("brass_gold", (0.94, 0.76, 0.40), 1, 0.22, (120, 380, 8500, 0.05), _BRASS, "gold flash on brass pins; " + _BOOK),
    _row("rubber", (0.06, 0.06, 0.06), 0, 0.80, (0.2, 1500, 1150, 0.95), _compound(C=5, H=8), _BOOK),
    _row("flux", (0.80, 0.66, 0.36), 0, 0.15, (0.2, 1500, 1070, 0.92), _compound(C=20, H=30, O=2), "rosin (abietic acid)"),
    _row(
        "ceramic_package", (0.30, 0.27, 0.25), 0, 0.55, (17, 800, 3700, 0.90), _AL2O3, "dark alumina of crystals and resonators"
    ),
    _row(
        "plastic_sleeve",
        (0.10, 0.12, 0.20),
        0,
        0.35,
        (0.2, 1200, 1350, 0.94),
        _compound(C=10, H=8, O=4),
        "PET sleeve of radial capacitors",
    ),
    _row("substrate_bt", (0.05, 0.19, 0.10), 0, 0.30, (0.3, 1100, 1900, 0.92), _FR4, "BGA substrate with green lacquer"),
    _row("copper_wire", (0.72, 0.38, 0.22), 1, 0.30, (398, 385, 8960, 0.60), {"Cu": 1.0}, "enamelled copper wire"),
)

_INDEX = {material.name: position for position, material in enumerate(TABLE)}


def index(name: str) -> int:
    """Position of ``name`` in ``TABLE``. Raises KeyError for a name that is not there: names are ours, never a file's."""
    return _INDEX[name]


__all__ = ["TABLE", "Material", "index", "linear"]
