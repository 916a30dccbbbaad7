"""Footprints for drawn example boards: IPC-7351 nominal land patterns under the names of KiCad's libraries.

Lengths in mm, KiCad's axes (x right, y down), origin at the footprint's origin. A footprint is its pads, its courtyard
rectangle and its silkscreen; nothing here knows about boards.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Point = tuple[float, float]


@dataclass(frozen=True)
class Land:
    """One pad. ``kind`` is KiCad's: smd, thru_hole or np_thru_hole; ``paste`` False leaves the stencil closed."""

    number: str
    x: float
    y: float
    width: float
    height: float
    shape: str = "roundrect"  # roundrect, rect, circle, oval
    kind: str = "smd"
    drill: float = 0.0
    paste: bool = True
    mask: bool = True
    copper: bool = True
    mask_margin: float = 0.0


@dataclass(frozen=True)
class Footprint:
    library: str
    name: str
    description: str
    lands: tuple[Land, ...]
    courtyard: tuple[float, float, float, float]  # x0, y0, x1, y1
    lines: tuple[tuple[Point, Point], ...] = ()  # silkscreen
    dots: tuple[tuple[float, float, float], ...] = ()  # filled circles on the silkscreen: x, y, radius
    body: tuple[float, float, float, float] = (0, 0, 0, 0)  # on the fabrication layer
    attributes: str = "smd"
    model: str = ""
    round_courtyard: bool = field(default=False)


def _box(half_x: float, half_y: float) -> tuple[float, float, float, float]:
    return -half_x, -half_y, half_x, half_y


def _frame(half_x: float, half_y: float) -> tuple[tuple[Point, Point], ...]:
    """The two long sides of a chip's outline, between its lands."""
    return ((-half_x, -half_y), (half_x, -half_y)), ((-half_x, half_y), (half_x, half_y))


def _corners(half_x: float, half_y: float, arm: float, skip_first: bool = True) -> tuple[tuple[Point, Point], ...]:
    """Corner brackets of a square package; the one at pin 1 (upper left) has a mark of its own."""
    lines: list[tuple[Point, Point]] = []
    for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        corner = (sx * half_x, sy * half_y)
        if not (skip_first and (sx, sy) == (-1, -1)):
            lines.append(((corner[0] - sx * arm, corner[1]), corner))
        if not (skip_first and (sx, sy) == (-1, -1)):
            lines.append((corner, (corner[0], corner[1] - sy * arm)))
    return tuple(lines)


CHIP = {  # size: metric, then per kind (land offset, width, height), courtyard half sizes, silkscreen half length and height
    "0201": ("0603", {"R": (0.32, 0.46, 0.40), "C": (0.32, 0.46, 0.40)}, (0.70, 0.35), (0.0, 0.0)),
    "0402": ("1005", {"R": (0.51, 0.54, 0.64), "C": (0.48, 0.56, 0.62)}, (0.93, 0.47), (0.153, 0.38)),
    "0603": ("1608", {"R": (0.825, 0.80, 0.95), "C": (0.775, 0.90, 0.95)}, (1.48, 0.73), (0.237, 0.5225)),
    "0805": ("2012", {"R": (0.9125, 1.025, 1.40), "C": (0.95, 1.00, 1.45)}, (1.70, 0.98), (0.261, 0.735)),
    "1206": ("3216", {"R": (1.4625, 1.125, 1.75), "C": (1.475, 1.15, 1.80)}, (2.30, 1.15), (0.711, 0.91)),
}
BODY = {"0201": (0.3, 0.15), "0402": (0.5, 0.25), "0603": (0.8, 0.4), "0805": (1.0, 0.625), "1206": (1.6, 0.8)}


def chip(kind: str, size: str) -> Footprint:
    """A two-terminal chip: kind R or C, size in inch code."""
    metric, lands, court, silk = CHIP[size]
    x, w, h = lands[kind]
    name = f"{kind}_{size}_{metric}Metric"
    library = {"R": "Resistor_SMD", "C": "Capacitor_SMD"}[kind]
    return Footprint(
        library,
        name,
        {"R": "Resistor", "C": "Capacitor"}[kind] + f" SMD {size} ({metric} Metric)",
        (Land("1", -x, 0, w, h), Land("2", x, 0, w, h)),
        _box(*court),
        _frame(*silk) if silk[0] else (),
        body=_box(*BODY[size]),
        model=f"{library}.3dshapes/{name}",
    )


def two_terminal(
    library: str,
    name: str,
    description: str,
    x: float,
    w: float,
    h: float,
    court: Point,
    body: Point,
    *,
    band: bool = True,
    shape: str = "roundrect",
) -> Footprint:
    """A polarised part with its cathode or its plus at pad 1; ``band`` draws the U-shaped mark of a diode around it."""
    lines: tuple[tuple[Point, Point], ...] = ()
    cx, cy = court
    if band:
        left, top = -cx + 0.08, -cy + 0.08
        lines = (((x, top), (left, top)), ((left, top), (left, -top)), ((left, -top), (x, -top)))
    return Footprint(
        library,
        name,
        description,
        (Land("1", -x, 0, w, h, shape), Land("2", x, 0, w, h, shape)),
        _box(cx, cy),
        lines,
        body=_box(*body),
        model=f"{library}.3dshapes/{name}",
    )


def led_0603() -> Footprint:
    return two_terminal(
        "LED_SMD", "LED_0603_1608Metric", "LED SMD 0603 (1608 Metric)", 0.7875, 0.875, 0.95, (1.48, 0.73), (0.8, 0.4)
    )


def sod_123() -> Footprint:
    return two_terminal("Diode_SMD", "D_SOD-123", "SOD-123", 1.65, 0.9, 1.2, (2.35, 1.15), (1.4, 0.9))


def mini_melf() -> Footprint:
    return two_terminal("Diode_SMD", "D_MiniMELF", "Diode Mini-MELF (SOD-80)", 1.75, 1.3, 1.7, (2.65, 1.1), (1.75, 0.8))


def can_5x5() -> Footprint:
    """Aluminium electrolytic can; plus at pad 1, chamfered corners on that side."""
    s = 2.76
    lines = (
        ((-s + 1, -s), (s, -s)),
        ((s, -s), (s, -1.06)),
        ((s, 1.06), (s, s)),
        ((s, s), (-s + 1, s)),
        ((-s, -s + 1), (-s + 1, -s)),
        ((-s, s - 1), (-s + 1, s)),
        ((-s, -s + 1), (-s, -1.06)),
        ((-s, 1.06), (-s, s - 1)),
        ((-3.6, -1.9), (-3.0, -1.9)),
        ((-3.3, -2.2), (-3.3, -1.6)),
    )
    return Footprint(
        "Capacitor_SMD",
        "CP_Elec_5x5.3",
        "SMD electrolytic capacitor, 5.0x5.3mm",
        (Land("1", -2.2, 0, 3.0, 1.6), Land("2", 2.2, 0, 3.0, 1.6)),
        _box(3.95, 2.9),
        lines,
        body=_box(2.65, 2.65),
        model="Capacitor_SMD.3dshapes/CP_Elec_5x5.3",
    )


def inductor_4x4() -> Footprint:
    return Footprint(
        "Inductor_SMD",
        "L_Taiyo-Yuden_NR-40xx",
        "Inductor, 4.0x4.0mm, shielded",
        (Land("1", -1.4, 0, 1.5, 3.7), Land("2", 1.4, 0, 1.5, 3.7)),
        _box(2.25, 2.25),
        _frame(2.1, 2.11),
        body=_box(2.0, 2.0),
        model="Inductor_SMD.3dshapes/L_Taiyo-Yuden_NR-40xx",
    )


def dual(
    library: str,
    name: str,
    description: str,
    per_side: int,
    pitch: float,
    x: float,
    w: float,
    h: float,
    court: Point,
    body: Point,
) -> Footprint:
    """Leads on the left and right sides, numbered counter-clockwise from the upper left."""
    y = [(i - (per_side - 1) / 2) * pitch for i in range(per_side)]
    lands = [Land(str(i + 1), -x, y[i], w, h) for i in range(per_side)]
    lands += [Land(str(2 * per_side - i), x, y[i], w, h) for i in range(per_side)]
    bx, by = body[0], max(body[1], y[-1] + h / 2 + 0.12) + 0.11
    lines = (((-bx, -by), (bx, -by)), ((-bx, by), (bx, by)))
    dot = (-x - w / 2 + 0.1, y[0] - h / 2 - 0.32, 0.16)
    return Footprint(
        library, name, description, tuple(lands), _box(*court), lines, (dot,), _box(*body), model=f"{library}.3dshapes/{name}"
    )


def soic_8() -> Footprint:
    return dual(
        "Package_SO",
        "SOIC-8_3.9x4.9mm_P1.27mm",
        "SOIC, 8 Pin (JEDEC MS-012AA)",
        4,
        1.27,
        2.475,
        1.95,
        0.6,
        (3.7, 2.7),
        (1.95, 2.45),
    )


def tssop_14() -> Footprint:
    return dual(
        "Package_SO",
        "TSSOP-14_4.4x5mm_P0.65mm",
        "TSSOP, 14 Pin (JEDEC MO-153 Var AB-1)",
        7,
        0.65,
        2.8625,
        1.475,
        0.4,
        (3.85, 2.75),
        (2.2, 2.5),
    )


def sot_23() -> Footprint:
    lands = (Land("1", -0.9375, -0.95, 1.475, 0.6), Land("2", -0.9375, 0.95, 1.475, 0.6), Land("3", 0.9375, 0, 1.475, 0.6))
    return Footprint(
        "Package_TO_SOT_SMD",
        "SOT-23",
        "SOT, 3 Pin (JEDEC TO-236 Var AB)",
        lands,
        _box(1.92, 1.7),
        (
            ((-0.65, -1.56), (0.65, -1.56)),
            ((-0.65, 1.56), (0.65, 1.56)),
            ((0.65, -1.56), (0.65, -0.65)),
            ((0.65, 0.65), (0.65, 1.56)),
        ),
        ((-1.45, -1.46, 0.13),),
        _box(0.65, 1.45),
        model="Package_TO_SOT_SMD.3dshapes/SOT-23",
    )


def sot_23_5() -> Footprint:
    x, w, h = 1.1375, 1.325, 0.6
    lands = (
        Land("1", -x, -0.95, w, h),
        Land("2", -x, 0, w, h),
        Land("3", -x, 0.95, w, h),
        Land("4", x, 0.95, w, h),
        Land("5", x, -0.95, w, h),
    )
    return Footprint(
        "Package_TO_SOT_SMD",
        "SOT-23-5",
        "SOT, 5 Pin (JEDEC MO-178 Var AA)",
        lands,
        _box(2.05, 1.7),
        (((-0.8, -1.56), (0.8, -1.56)), ((-0.8, 1.56), (0.8, 1.56))),
        ((-1.62, -1.46, 0.13),),
        _box(0.8, 1.45),
        model="Package_TO_SOT_SMD.3dshapes/SOT-23-5",
    )


def quad(
    library: str,
    name: str,
    description: str,
    per_side: int,
    pitch: float,
    offset: float,
    length: float,
    width: float,
    court: float,
    body: float,
    pad: float = 0.0,
) -> Footprint:
    """Leads on four sides, counter-clockwise from the upper left; ``pad`` is an exposed pad with nine paste windows."""
    at = [(i - (per_side - 1) / 2) * pitch for i in range(per_side)]
    lands = [Land(str(1 + i), -offset, at[i], length, width) for i in range(per_side)]
    lands += [Land(str(1 + per_side + i), at[i], offset, width, length) for i in range(per_side)]
    lands += [Land(str(1 + 2 * per_side + i), offset, -at[i], length, width) for i in range(per_side)]
    lands += [Land(str(1 + 3 * per_side + i), -at[i], -offset, width, length) for i in range(per_side)]
    if pad:
        lands.append(Land(str(4 * per_side + 1), 0, 0, pad, pad, "rect", paste=False))
        step = pad / 3
        lands += [
            Land("", i * step, j * step, 0.8 * step, 0.8 * step, copper=False, mask=False) for i in (-1, 0, 1) for j in (-1, 0, 1)
        ]
    edge = body + 0.11
    arm = edge - at[-1] - width / 2 - 0.2
    dot = (-court + 0.18, at[0] - width / 2 - 0.38, 0.17)
    return Footprint(
        library,
        name,
        description,
        tuple(lands),
        _box(court, court),
        _corners(edge, edge, arm),
        (dot,),
        _box(body, body),
        model=f"{library}.3dshapes/{name}",
    )


def qfn_32() -> Footprint:
    return quad(
        "Package_DFN_QFN", "QFN-32-1EP_5x5mm_P0.5mm_EP3.45x3.45mm", "QFN, 32 Pin", 8, 0.5, 2.4375, 0.875, 0.25, 3.13, 2.5, 3.45
    )


def lqfp_32() -> Footprint:
    return quad(
        "Package_QFP", "LQFP-32_7x7mm_P0.8mm", "LQFP, 32 Pin (JEDEC MS-026 variation BBA)", 8, 0.8, 4.175, 1.5, 0.55, 5.15, 3.5
    )


def bga_36() -> Footprint:
    """6 × 6 balls at 0.8 mm; rows A to F from the top."""
    lands = tuple(
        Land("ABCDEF"[r] + str(c + 1), (c - 2.5) * 0.8, (r - 2.5) * 0.8, 0.4, 0.4, "circle") for r in range(6) for c in range(6)
    )
    name = "BGA-36_6.0x6.0mm_Layout6x6_P0.8mm_Ball0.5mm_Pad0.4mm_NSMD"
    return Footprint(
        "Package_BGA",
        name,
        "BGA-36, 6x6 raster, 6x6mm package, pitch 0.8mm",
        lands,
        _box(4.0, 4.0),
        _corners(3.11, 3.11, 1.0),
        ((-3.35, -3.35, 0.2),),
        _box(3.0, 3.0),
        model="Package_BGA.3dshapes/BGA-36_6.0x6.0mm_Layout6x6_P0.8mm",
    )


def crystal_3225() -> Footprint:
    lands = (
        Land("1", -1.1, 0.85, 1.4, 1.2),
        Land("2", 1.1, 0.85, 1.4, 1.2),
        Land("3", 1.1, -0.85, 1.4, 1.2),
        Land("4", -1.1, -0.85, 1.4, 1.2),
    )
    return Footprint(
        "Crystal",
        "Crystal_SMD_3225-4Pin_3.2x2.5mm",
        "SMD Crystal 3225, 4 pads",
        lands,
        _box(2.1, 1.7),
        (((-2.0, -1.65), (-2.0, 1.65)), ((-2.0, 1.65), (2.0, 1.65))),
        body=_box(1.6, 1.25),
        model="Crystal.3dshapes/Crystal_SMD_3225-4Pin_3.2x2.5mm",
    )


def array_4x0402() -> Footprint:
    rows = ((-0.75, 0.4), (-0.25, 0.3), (0.25, 0.3), (0.75, 0.4))
    lands = [Land(str(i + 1), -0.5, y, 0.5, h) for i, (y, h) in enumerate(rows)] + [
        Land(str(8 - i), 0.5, y, 0.5, h) for i, (y, h) in enumerate(rows)
    ]
    return Footprint(
        "Resistor_SMD",
        "R_Array_Convex_4x0402",
        "Chip Resistor Network, 4x0402",
        tuple(lands),
        _box(1.0, 1.25),
        _frame(0.25, 1.18),
        body=_box(0.5, 1.0),
        model="Resistor_SMD.3dshapes/R_Array_Convex_4x0402",
    )


def button() -> Footprint:
    lands = tuple(
        Land(n, x, y, 1.05, 0.65)
        for n, x, y in (("1", -2.075, -1.075), ("1", 2.075, -1.075), ("2", -2.075, 1.075), ("2", 2.075, 1.075))
    )
    return Footprint(
        "Button_Switch_SMD",
        "SW_SPST_PTS810",
        "Tactile switch, 4.2x3.2mm",
        lands,
        _box(2.85, 1.85),
        (*_frame(2.2, 1.7), ((-2.2, -0.58), (-2.2, 0.58)), ((2.2, -0.58), (2.2, 0.58))),
        body=_box(2.1, 1.6),
        model="Button_Switch_SMD.3dshapes/SW_SPST_PTS810",
    )


def header_4() -> Footprint:
    lands = tuple(
        Land(str(i + 1), 0, 2.54 * i, 1.7, 1.7, "rect" if i == 0 else "oval", "thru_hole", 1.0, False) for i in range(4)
    )
    lines = (
        ((-1.33, 1.27), (1.33, 1.27)),
        ((-1.33, 1.27), (-1.33, 8.95)),
        ((1.33, 1.27), (1.33, 8.95)),
        ((-1.33, 8.95), (1.33, 8.95)),
        ((-1.33, 0), (-1.33, -1.33)),
        ((-1.33, -1.33), (0, -1.33)),
    )
    return Footprint(
        "Connector_PinHeader_2.54mm",
        "PinHeader_1x04_P2.54mm_Vertical",
        "Through hole straight pin header, 1x04, 2.54mm pitch",
        lands,
        (-1.8, -1.8, 1.8, 9.4),
        lines,
        body=(-1.27, -1.27, 1.27, 8.89),
        attributes="through_hole",
        model="Connector_PinHeader_2.54mm.3dshapes/PinHeader_1x04_P2.54mm_Vertical",
    )


def jst_sh_4() -> Footprint:
    lands = [Land(str(i + 1), i - 1.5, -2.0, 0.6, 1.55) for i in range(4)] + [Land("MP", x, 1.875, 1.2, 1.8) for x in (-2.8, 2.8)]
    lines = (
        ((-3.11, 0.715), (-3.11, -1.785)),
        ((-3.11, -1.785), (-2.06, -1.785)),
        ((3.11, 0.715), (3.11, -1.785)),
        ((3.11, -1.785), (2.06, -1.785)),
        ((-1.94, 2.685), (1.94, 2.685)),
        ((-2.06, -1.785), (-2.06, -2.775)),
    )
    name = "JST_SH_SM04B-SRSS-TB_1x04-1MP_P1.00mm_Horizontal"
    return Footprint(
        "Connector_JST",
        name,
        "JST SH series connector, 4 circuits, side entry",
        tuple(lands),
        (-3.9, -3.28, 3.9, 3.28),
        lines,
        body=(-3.0, -1.675, 3.0, 2.575),
        model=f"Connector_JST.3dshapes/{name}",
    )


def fiducial() -> Footprint:
    return Footprint(
        "Fiducial",
        "Fiducial_1mm_Mask2mm",
        "Circular Fiducial, 1mm bare copper, 2mm soldermask opening",
        (Land("", 0, 0, 1.0, 1.0, "circle", paste=False, mask_margin=0.5),),
        _box(1.25, 1.25),
        attributes="smd exclude_from_pos_files exclude_from_bom",
        round_courtyard=True,
    )


def mounting_hole() -> Footprint:
    return Footprint(
        "MountingHole",
        "MountingHole_2.2mm_M2",
        "Mounting Hole 2.2mm, M2",
        (Land("", 0, 0, 2.2, 2.2, "circle", "np_thru_hole", 2.2, False),),
        _box(2.45, 2.45),
        attributes="exclude_from_pos_files exclude_from_bom",
        round_courtyard=True,
    )


def test_point() -> Footprint:
    return Footprint(
        "TestPoint",
        "TestPoint_Pad_D1.0mm",
        "SMD pad as test point, diameter 1.0mm",
        (Land("1", 0, 0, 1.0, 1.0, "circle", paste=False),),
        _box(1.0, 1.0),
        attributes="exclude_from_pos_files",
        round_courtyard=True,
    )
