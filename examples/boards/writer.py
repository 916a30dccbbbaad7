"""Writes a drawn board as a KiCad 8 file: lengths in mm, KiCad's axes.

UUIDs are derived from names, so that equal boards are equal files.
"""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass, field

from footprints import Footprint, Land

ORIGIN = (100.0, 80.0)  # of the board on the sheet


@dataclass(frozen=True)
class Part:
    reference: str
    value: str
    footprint: Footprint
    x: float
    y: float
    angle: float = 0.0  # [deg] counter-clockwise
    back: bool = False
    nets: dict[str, str] = field(default_factory=dict)
    text: tuple[float, float, float] | None = None  # reference: board position and angle

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Footprint coordinates → board coordinates. On the back, y of the footprint is mirrored, as KiCad stores it."""
        if self.back:
            y = -y
        a = math.radians(self.angle)
        return self.x + x * math.cos(a) + y * math.sin(a), self.y - x * math.sin(a) + y * math.cos(a)


def number(value: float) -> str:
    return f"{round(value, 4) + 0.0:.4f}".rstrip("0").rstrip(".")


def _id(*names: object) -> str:
    return f'(uuid "{uuid.uuid5(uuid.NAMESPACE_URL, "linetwin/" + "/".join(map(str, names)))}")'


def _at(x: float, y: float) -> str:
    return f"{number(x + ORIGIN[0])} {number(y + ORIGIN[1])}"


def header(title: str, nets: list[str], thickness: float) -> list[str]:
    names = ["F.Cu", "B.Cu"]
    layers = [
        (0, "F.Cu", "signal"),
        (31, "B.Cu", "signal"),
        (32, "B.Adhes", "user", "B.Adhesive"),
        (33, "F.Adhes", "user", "F.Adhesive"),
        (34, "B.Paste", "user"),
        (35, "F.Paste", "user"),
        (36, "B.SilkS", "user", "B.Silkscreen"),
        (37, "F.SilkS", "user", "F.Silkscreen"),
        (38, "B.Mask", "user"),
        (39, "F.Mask", "user"),
        (44, "Edge.Cuts", "user"),
        (45, "Margin", "user"),
        (46, "B.CrtYd", "user", "B.Courtyard"),
        (47, "F.CrtYd", "user", "F.Courtyard"),
        (48, "B.Fab", "user"),
        (49, "F.Fab", "user"),
    ]
    out = [
        "(kicad_pcb",
        "\t(version 20240108)",
        '\t(generator "pcbnew")',
        '\t(generator_version "8.0")',
        f"\t(general (thickness {number(thickness)}) (legacy_teardrops no))",
        '\t(paper "A4")',
        f'\t(title_block (title "{title}") (rev "A"))',
        "\t(layers",
    ]
    out += [f'\t\t({i[0]} "{i[1]}" {i[2]}' + (f' "{i[3]}"' if len(i) > 3 else "") + ")" for i in layers]
    core = thickness - 2 * 0.035 - 2 * 0.01
    out += [
        "\t)",
        "\t(setup",
        "\t\t(stackup",
        '\t\t\t(layer "F.SilkS" (type "Top Silk Screen") (color "White"))',
        '\t\t\t(layer "F.Paste" (type "Top Solder Paste"))',
        '\t\t\t(layer "F.Mask" (type "Top Solder Mask") (color "Green") (thickness 0.01))',
        f'\t\t\t(layer "{names[0]}" (type "copper") (thickness 0.035))',
        f'\t\t\t(layer "dielectric 1" (type "core") (thickness {number(core)}) (material "FR4") '
        "(epsilon_r 4.5) (loss_tangent 0.02))",
        f'\t\t\t(layer "{names[1]}" (type "copper") (thickness 0.035))',
        '\t\t\t(layer "B.Mask" (type "Bottom Solder Mask") (color "Green") (thickness 0.01))',
        '\t\t\t(layer "B.Paste" (type "Bottom Solder Paste"))',
        '\t\t\t(layer "B.SilkS" (type "Bottom Silk Screen") (color "White"))',
        '\t\t\t(copper_finish "ENIG") (dielectric_constraints no)',
        "\t\t)",
        "\t\t(pad_to_mask_clearance 0.05)",
        "\t)",
    ]
    return out + [f'\t(net {i} "{n}")' for i, n in enumerate(nets)]


def _text(
    kind: str, name: str, content: str, x: float, y: float, angle: float, layer: str, size: float, key: object, mirror: bool
) -> list[str]:
    justify = " (justify mirror)" if mirror else ""
    return [
        f'\t\t({kind} "{name}" "{content}" (at {number(x)} {number(y)} {number(angle)}) (layer "{layer}") {_id(key, name)}',
        f"\t\t\t(effects (font (size {number(size)} {number(size)}) (thickness {number(0.15 * size)})){justify}))",
    ]


def _pad(part: Part, land: Land, index: int, nets: list[str]) -> list[str]:
    side = "B" if part.back else "F"
    y = -land.y if part.back else land.y
    through = land.kind != "smd"
    layers = (
        ['"*.Cu"', '"*.Mask"']
        if through
        else [f'"{side}.{n}"' for n, on in (("Cu", land.copper), ("Paste", land.paste), ("Mask", land.mask)) if on]
    )
    out = [
        f'\t\t(pad "{land.number}" {land.kind} {land.shape} (at {number(land.x)} {number(y)} {number(part.angle)}) '
        f"(size {number(land.width)} {number(land.height)})"
    ]
    if land.drill:
        out.append(f"\t\t\t(drill {number(land.drill)})")
    out.append(f"\t\t\t(layers {' '.join(layers)})" + (" (remove_unused_layers no)" if land.kind == "thru_hole" else ""))
    if land.shape == "roundrect":
        out.append("\t\t\t(roundrect_rratio 0.25)")
    net = part.nets.get(land.number, "") if land.copper else ""
    if net:
        out.append(f'\t\t\t(net {nets.index(net)} "{net}")')
    if land.mask_margin:
        out.append(f"\t\t\t(solder_mask_margin {number(land.mask_margin)}) (clearance {number(land.mask_margin)})")
    return [*out, f"\t\t\t{_id(part.reference, 'pad', index)})"]


def footprint(part: Part, nets: list[str], text_size: float) -> list[str]:
    f, side = part.footprint, "B" if part.back else "F"
    flip = -1 if part.back else 1
    key = part.reference
    out = [
        f'\t(footprint "{f.library}:{f.name}" (layer "{side}.Cu") {_id(key)}',
        f"\t\t(at {_at(part.x, part.y)} {number(part.angle)})",
        f'\t\t(descr "{f.description}")',
    ]
    a = math.radians(part.angle)
    shown = part.text is not None
    tx, ty, turn = part.text if part.text else (part.x, part.y, part.angle)
    dx, dy = tx - part.x, ty - part.y
    local = (dx * math.cos(a) - dy * math.sin(a), dx * math.sin(a) + dy * math.cos(a))
    layer = f"{side}.SilkS" if shown else f"{side}.Fab"
    out += _text("property", "Reference", part.reference, *local, turn, layer, text_size, key, part.back)
    out += _text("property", "Value", part.value, 0, 0, part.angle, f"{side}.Fab", 0.5, key, part.back)
    out.append(f"\t\t(attr {f.attributes})")

    def line(start: tuple[float, float], end: tuple[float, float], layer: str, width: float, name: object) -> str:
        return (
            f"\t\t(fp_line (start {number(start[0])} {number(flip * start[1])}) (end {number(end[0])} {number(flip * end[1])}) "
            f'(stroke (width {number(width)}) (type solid)) (layer "{layer}") {_id(key, name)})'
        )

    out += [line(s, e, f"{side}.SilkS", 0.12, ("silk", i)) for i, (s, e) in enumerate(f.lines)]
    out += [
        f"\t\t(fp_circle (center {number(x)} {number(flip * y)}) (end {number(x + r)} {number(flip * y)}) "
        "(stroke (width 0) (type solid)) "
        f'(fill solid) (layer "{side}.SilkS") {_id(key, "dot", i)})'
        for i, (x, y, r) in enumerate(f.dots)
    ]
    x0, y0, x1, y1 = f.courtyard
    if f.round_courtyard:
        out.append(
            f"\t\t(fp_circle (center 0 0) (end {number(x1)} 0) (stroke (width 0.05) (type solid)) (fill none) "
            f'(layer "{side}.CrtYd") {_id(key, "courtyard")})'
        )
    else:
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        out += [line(corners[i], corners[(i + 1) % 4], f"{side}.CrtYd", 0.05, ("courtyard", i)) for i in range(4)]
    bx0, by0, bx1, by1 = f.body
    if bx1 > bx0:
        corners = [(bx0, by0), (bx1, by0), (bx1, by1), (bx0, by1)]
        out += [line(corners[i], corners[(i + 1) % 4], f"{side}.Fab", 0.1, ("fab", i)) for i in range(4)]
    for i, land in enumerate(f.lands):
        out += _pad(part, land, i, nets)
    if f.model:
        out.append(
            f'\t\t(model "${{KICAD8_3DMODEL_DIR}}/{f.model}.wrl" (offset (xyz 0 0 0)) (scale (xyz 1 1 1)) (rotate (xyz 0 0 0)))'
        )
    return [*out, "\t)"]


def edge(points: list[tuple[str, tuple[float, float], tuple[float, float], tuple[float, float] | None]]) -> list[str]:
    """Outline: ("line", start, end, None) or ("arc", start, end, mid)."""
    out = []
    for i, (kind, start, end, mid) in enumerate(points):
        through = f"(mid {_at(*mid)}) " if kind == "arc" and mid else ""
        out.append(
            f'\t(gr_{kind} (start {_at(*start)}) {through}(end {_at(*end)}) '
            f'(stroke (width 0.05) (type default)) (layer "Edge.Cuts") {_id("edge", i)})'
        )
    return out


def board_text(content: str, x: float, y: float, size: float, layer: str, angle: float = 0.0) -> list[str]:
    mirror = " (justify mirror)" if layer.startswith("B.") else ""
    return [
        f'\t(gr_text "{content}" (at {_at(x, y)} {number(angle)}) (layer "{layer}") {_id("text", content, layer)}',
        f"\t\t(effects (font (size {number(size)} {number(size)}) (thickness {number(0.15 * size)})){mirror}))",
    ]


def segment(index: int, net: int, layer: int, start: tuple[float, float], end: tuple[float, float], width: float) -> str:
    side = "FB"[layer]
    return (
        f"\t(segment (start {_at(*start)}) (end {_at(*end)}) (width {number(width)}) "
        f'(layer "{side}.Cu") (net {net}) {_id("track", index)})'
    )


def via(index: int, net: int, x: float, y: float, size: tuple[float, float]) -> str:
    return (
        f"\t(via (at {_at(x, y)}) (size {number(size[0])}) (drill {number(size[1])}) "
        f'(layers "F.Cu" "B.Cu") (net {net}) {_id("via", index)})'
    )


def zone(
    net: int, name: str, layer: str, border: list[tuple[float, float]], filled: list[list[tuple[float, float]]]
) -> list[str]:
    def points(ring: list[tuple[float, float]], indent: str) -> list[str]:
        rows = [" ".join(f"(xy {_at(*p)})" for p in ring[i : i + 6]) for i in range(0, len(ring), 6)]
        return [f"{indent}(pts", *[f"{indent}\t{r}" for r in rows], f"{indent})"]

    out = [
        f'\t(zone (net {net}) (net_name "{name}") (layer "{layer}") {_id("zone", layer)} (hatch edge 0.5)',
        "\t\t(connect_pads (clearance 0.2))",
        "\t\t(min_thickness 0.15) (filled_areas_thickness no)",
        "\t\t(fill yes (thermal_gap 0.2) (thermal_bridge_width 0.25))",
        "\t\t(polygon",
        *points(border, "\t\t\t"),
        "\t\t)",
    ]
    for ring in filled:
        out += [f'\t\t(filled_polygon (layer "{layer}")', *points(ring, "\t\t\t"), "\t\t)"]
    return [*out, "\t)"]
