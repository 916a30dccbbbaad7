"""How the outside of machines looks: a table of its own, for nothing here is X-rayed, heated or judged.

Colours are sRGB as paint charts give them (RAL numbers where there is one), turned into linear RGB once. What lies under a paint
is a substance with handbook values (CRC, FLIR emissivity tables): densities weigh what moves, and a stage carries them all.
"""
from __future__ import annotations

from dataclasses import dataclass

from scenes.materials import Material, Rgb, linear


@dataclass(frozen=True)
class Substance:
    """What a look is made of."""
    conductivity: float                        # [W/(m·K)]
    specific_heat: float                       # [J/(kg·K)]
    density: float                             # [kg/m³]
    emissivity: float                          # [1] 8 to 14 µm
    composition: tuple[tuple[str, float], ...]  # (element, mass fraction)


_STEEL = Substance(50.0, 490.0, 7850.0, 0.92, (("Fe", 0.998), ("C", 0.002)))       # painted
_STAINLESS = Substance(16.0, 500.0, 7900.0, 0.25, (("Fe", 0.73), ("Cr", 0.18), ("Ni", 0.09)))
_ALUMINIUM = Substance(209.0, 900.0, 2700.0, 0.77, (("Al", 1.0),))                 # anodised
_LEAD = Substance(35.0, 129.0, 11340.0, 0.92, (("Pb", 1.0),))                      # painted
_BRASS = Substance(120.0, 380.0, 8500.0, 0.10, (("Cu", 0.65), ("Zn", 0.35)))
_RUBBER = Substance(0.2, 1500.0, 1200.0, 0.94, (("C", 0.882), ("H", 0.118)))
_PLASTIC = Substance(0.2, 1400.0, 1150.0, 0.94, (("C", 0.923), ("H", 0.077)))
_ACRYLIC = Substance(0.19, 1460.0, 1190.0, 0.94, (("C", 0.600), ("H", 0.080), ("O", 0.320)))
_GLASS = Substance(1.0, 840.0, 2500.0, 0.92, (("Si", 0.467), ("O", 0.533)))
_LEAD_GLASS = Substance(0.8, 450.0, 4360.0, 0.92, (("Pb", 0.511), ("Si", 0.210), ("O", 0.279)))
_LAMINATE = Substance(0.3, 1100.0, 1850.0, 0.90, (("Si", 0.28), ("O", 0.32), ("C", 0.35), ("H", 0.05)))
_PASTE = Substance(58.0, 230.0, 4200.0, 0.80, (("Sn", 0.965), ("Ag", 0.03), ("Cu", 0.005)))
_GERMANIUM = Substance(60.0, 320.0, 5320.0, 0.30, (("Ge", 1.0),))


@dataclass(frozen=True)
class Look:
    """A surface in the metallic workflow."""
    name: str
    base_color: Rgb                            # linear RGB
    metallic: float                            # [1]
    roughness: float                           # [1] perceptual
    opacity: float = 1.0                       # [1] below 1: glass
    emission: Rgb = (0.0, 0.0, 0.0)            # linear RGB, relative to a white diffuser at 1; for pictures
    substance: Substance = _STEEL
    source: str = "engineering default"

    def material(self) -> Material:
        """The same as a row of a stage's materials. Without its glow: a stage's light is its lamps'."""
        s = self.substance
        return Material(f"equipment_{self.name}", self.base_color, self.metallic, self.roughness, s.conductivity, s.specific_heat,
                        s.density, s.emissivity, s.composition, self.source, self.opacity)


def _look(name: str, srgb: Rgb, metallic: float, roughness: float, substance: Substance, *, opacity: float = 1.0,
          glow: float = 0.0, source: str = "engineering default") -> Look:
    color = linear(srgb)
    r, g, b = color
    return Look(name, color, metallic, roughness, opacity, (r * glow, g * glow, b * glow), substance, source)


LOOKS: dict[str, Look] = {look.name: look for look in (
    _look("paint_white", (0.925, 0.925, 0.91), 0, 0.38, _STEEL, source="RAL 9016, powder coat"),
    _look("paint_light", (0.80, 0.815, 0.82), 0, 0.42, _STEEL, source="RAL 7035, powder coat"),
    _look("paint_grey", (0.50, 0.53, 0.55), 0, 0.45, _STEEL, source="RAL 7040, powder coat"),
    _look("paint_dark", (0.20, 0.22, 0.235), 0, 0.45, _STEEL, source="RAL 7016, powder coat"),
    _look("paint_blue", (0.07, 0.29, 0.55), 0, 0.38, _STEEL, source="RAL 5005, powder coat"),
    _look("paint_teal", (0.02, 0.46, 0.49), 0, 0.38, _STEEL, source="RAL 5018, powder coat"),
    _look("paint_orange", (0.88, 0.36, 0.08), 0, 0.40, _STEEL, source="RAL 2008, powder coat"),
    _look("paint_red", (0.70, 0.08, 0.08), 0, 0.40, _STEEL, source="RAL 3020, powder coat"),
    _look("paint_yellow", (0.96, 0.76, 0.04), 0, 0.40, _STEEL, source="RAL 1003, ISO 3864 warning yellow"),
    _look("sign_black", (0.03, 0.03, 0.03), 0, 0.60, _PLASTIC, source="ISO 3864"),
    _look("interior", (0.58, 0.60, 0.61), 0, 0.55, _STEEL),
    _look("stainless", (0.74, 0.74, 0.73), 1, 0.36, _STAINLESS, source="AISI 304, brushed"),
    _look("aluminium", (0.86, 0.87, 0.88), 1, 0.38, _ALUMINIUM, source="anodised profile"),
    _look("rail", (0.78, 0.79, 0.80), 0.6, 0.42, _ALUMINIUM, source="anodised profile"),
    _look("lead", (0.36, 0.37, 0.40), 0.5, 0.55, _LEAD, source="lead sheet under paint"),
    _look("brass", (0.80, 0.66, 0.36), 1, 0.30, _BRASS),
    _look("rubber", (0.045, 0.045, 0.05), 0, 0.75, _RUBBER),
    _look("belt", (0.05, 0.19, 0.15), 0, 0.62, _RUBBER, source="green antistatic polyurethane belt"),
    _look("polyurethane", (0.80, 0.52, 0.12), 0, 0.45, _RUBBER, source="squeegee blade"),
    _look("plastic_black", (0.055, 0.055, 0.06), 0, 0.42, _PLASTIC),
    _look("plastic_white", (0.90, 0.90, 0.88), 0, 0.40, _PLASTIC),
    _look("reel_blue", (0.22, 0.45, 0.80), 0, 0.40, _PLASTIC, source="polystyrene reel, IEC 60286-3"),
    _look("reel_white", (0.88, 0.88, 0.86), 0, 0.40, _PLASTIC, source="polystyrene reel, IEC 60286-3"),
    _look("tape", (0.16, 0.15, 0.14), 0, 0.45, _PLASTIC, source="carrier tape, IEC 60286-3"),
    _look("magazine", (0.09, 0.10, 0.11), 0, 0.5, _PLASTIC, source="antistatic magazine"),
    _look("pcb", (0.04, 0.30, 0.14), 0, 0.30, _LAMINATE),
    _look("paste", (0.52, 0.53, 0.54), 0.2, 0.55, _PASTE, source="SAC305 paste, about half metal by volume"),
    _look("glass_clear", (0.80, 0.87, 0.88), 0, 0.04, _GLASS, opacity=0.10, source="safety glass"),
    _look("glass_smoke", (0.16, 0.18, 0.20), 0, 0.05, _ACRYLIC, opacity=0.26, source="tinted acrylic"),
    _look("glass_amber", (0.85, 0.42, 0.06), 0, 0.05, _ACRYLIC, opacity=0.45, source="amber acrylic, blocks 450 nm"),
    _look("glass_lead", (0.62, 0.58, 0.22), 0, 0.05, _LEAD_GLASS, opacity=0.55, source="lead glass, yellowish"),
    _look("lens", (0.05, 0.05, 0.12), 0, 0.06, _GLASS),
    _look("germanium", (0.30, 0.26, 0.27), 1, 0.12, _GERMANIUM, source="infrared optics"),
    _look("screen", (0.12, 0.30, 0.46), 0, 0.15, _GLASS, glow=1.3),
    _look("screen_line", (0.55, 0.85, 0.95), 0, 0.15, _GLASS, glow=1.1),
    _look("lamp_white", (0.98, 0.98, 0.96), 0, 0.3, _PLASTIC, glow=2.2),
    _look("lamp_blue", (0.20, 0.45, 0.98), 0, 0.3, _PLASTIC, glow=2.0),
    _look("signal_red", (0.80, 0.07, 0.05), 0, 0.22, _PLASTIC, glow=0.25, source="IEC 60073 red"),
    _look("signal_amber", (0.95, 0.62, 0.04), 0, 0.22, _PLASTIC, glow=0.25, source="IEC 60073 yellow"),
    _look("signal_green", (0.10, 0.80, 0.22), 0, 0.22, _PLASTIC, glow=1.6, source="IEC 60073 green, lit: it runs"),
)}

__all__ = ["LOOKS", "Look", "Substance"]
