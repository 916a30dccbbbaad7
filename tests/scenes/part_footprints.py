"""Footprints of every package kind, made from numbers: components as an importer would give them, side up, at an angle."""
from __future__ import annotations

import math

import shapely

from scenes.board.model import Board, Component, Drill, Pad

MM = 1e-3


def component(
    name: str, pads: list[tuple], *, reference: str = "U1", value: str = "PART", at=(10.0, 8.0), angle: float = 0.3
) -> Component:
    """``pads``: (number, x, y, width, height[, shape[, drill]]) in mm, footprint axes with y up."""
    c, s = math.cos(angle), math.sin(angle)
    made = []
    for number, x, y, w, h, *rest in pads:
        shape, drill = (*rest, "rect", 0.0)[:2] if rest else ("rect", 0.0)
        if len(rest) == 1:
            drill = 0.0
        px, py = (at[0] + c * x - s * y) * MM, (at[1] + s * x + c * y) * MM
        made.append(Pad(str(number), shape, px, py, (w * MM, h * MM), angle, "through" if drill else "smd", True, bool(drill),
                        drill=Drill(px, py, drill * MM, True) if drill else None))
    return Component(reference, value, name, at[0] * MM, at[1] * MM, angle, "front", tuple(made))


def two(name: str, reach: float, w: float, h: float, **kw) -> Component:
    return component(name, [(1, -reach, 0, w, h), (2, reach, 0, w, h)], **kw)


def rows(
    name: str, count: int, pitch: float, reach: float, w: float, h: float, exposed: tuple[float, float] | None = None, **kw
) -> Component:
    """Two rows along y, pin 1 at the upper left, counter-clockwise."""
    n = count // 2
    top = (n - 1) / 2 * pitch
    pads = [(i + 1, -reach, top - i * pitch, w, h) for i in range(n)] + [
        (n + i + 1, reach, -top + i * pitch, w, h) for i in range(n)
    ]
    return component(name, pads + ([(count + 1, 0, 0, *exposed)] if exposed else []), **kw)


def quad(name: str, count: int, pitch: float, reach: float, w: float, h: float, exposed: float = 0.0, **kw) -> Component:
    n = count // 4
    top = (n - 1) / 2 * pitch
    pads = []
    for i in range(n):
        d = top - i * pitch
        pads += [
            (i + 1, -reach, d, w, h),
            (n + i + 1, -d, -reach, h, w),
            (2 * n + i + 1, reach, -d, w, h),
            (3 * n + i + 1, d, reach, h, w),
        ]
    return component(name, pads + ([(count + 1, 0, 0, exposed, exposed)] if exposed else []), **kw)


def grid(name: str, nx: int, ny: int, pitch: float, d: float, **kw) -> Component:
    pads = [
        (f"{'ABCDEFGHJK'[j]}{i + 1}", (i - (nx - 1) / 2) * pitch, ((ny - 1) / 2 - j) * pitch, d, d, "circle")
        for j in range(ny)
        for i in range(nx)
    ]
    return component(name, pads, **kw)


# kind, body (length along package x, width, height) in mm or None for "do not check", terminals, component
CASES = [
    ("chip_resistor", (0.4, 0.2, 0.13), 2, two("R_01005_0402Metric", 0.2, 0.2, 0.2, reference="R1", value="10k")),
    ("chip_capacitor", (0.6, 0.3, 0.3), 2, two("C_0201_0603Metric", 0.32, 0.3, 0.35, reference="C1")),
    ("chip_resistor", (1.0, 0.5, 0.35), 2, two("R_0402_5MIL_DWS", 0.508, 0.5, 0.55, reference="R2", value="4k7")),
    ("chip_capacitor", (1.6, 0.8, 0.8), 2, two("C_0603_1608Metric", 0.775, 0.9, 0.95, reference="C2", value="100nF")),
    ("chip_inductor", (2.0, 1.6, 1.0), 2, two("L_2016_MM", 0.7, 0.9, 1.8, reference="L1", value="1.0uH")),
    ("chip_resistor", (6.3, 3.2, 0.6), 2, two("R_2512_6332Metric", 2.96, 1.2, 3.3, reference="R3", value="0.03R/1%")),
    ("chip_led", (1.6, 0.8, 0.65), 2, two("LED_0603_1608Metric", 0.79, 0.87, 0.95, reference="D1")),
    (
        "chip_led",
        (2.2, 2.0, 0.84),
        4,
        component(
            "WS2812B-2020",
            [(1, -0.85, 0.55, 0.8, 0.8), (2, -0.85, -0.55, 0.8, 0.8), (3, 0.85, -0.55, 0.8, 0.8), (4, 0.85, 0.55, 0.8, 0.8)],
        ),
    ),
    ("resistor_array", None, 8, rows("R_Array_Convex_4x0603", 8, 0.8, 0.9, 0.9, 0.5, reference="RN1", value="2.2k")),
    ("melf", (3.5, 1.4, 1.4), 2, two("D_MiniMELF", 1.75, 1.3, 1.7, reference="D2")),
    ("sod", (2.7, 1.6, 1.15), 2, two("D_SOD-123", 1.65, 0.9, 1.2, reference="D3", value="1N4148W")),
    ("sma", (4.3, 2.6, 2.2), 2, two("D_SMA", 2.0, 2.5, 1.8, reference="D4", value="SS34")),
    (
        "sot",
        (1.3, 2.92, 1.0),
        3,
        component("SOT-23", [(1, -0.94, 0.95, 1.47, 0.6), (2, -0.94, -0.95, 1.47, 0.6), (3, 0.94, 0, 1.47, 0.6)], reference="Q1"),
    ),
    (
        "sot",
        (1.6, 2.9, 1.1),
        5,
        component(
            "SOT-23-5",
            [
                (1, -1.14, 0.95, 1.32, 0.6),
                (2, -1.14, 0, 1.32, 0.6),
                (3, -1.14, -0.95, 1.32, 0.6),
                (4, 1.14, -0.95, 1.32, 0.6),
                (5, 1.14, 0.95, 1.32, 0.6),
            ],
        ),
    ),
    (
        "sot",
        (3.5, 6.5, 1.65),
        4,
        component(
            "SOT-223-3_TabPin2", [(1, -3.15, 2.3, 2, 1.5), (2, -3.15, 0, 2, 1.5), (3, -3.15, -2.3, 2, 1.5), (2, 3.15, 0, 2, 3.8)]
        ),
    ),
    ("soic", (3.9, 4.9, 1.65), 8, rows("SOIC-8_3.9x4.9mm_P1.27mm", 8, 1.27, 2.475, 1.95, 0.6)),
    ("tssop", (4.4, 5.0, 1.0), 14, rows("TSSOP-14_4.4x5mm_P0.65mm", 14, 0.65, 2.86, 1.47, 0.4)),
    ("qfp", (7.0, 7.0, 1.4), 48, quad("LQFP-48_7x7mm_P0.5mm", 48, 0.5, 4.16, 1.47, 0.3)),
    ("qfn", (7.0, 7.0, 0.85), 57, quad("QFN-56-1EP_7x7mm_P0.4mm_EP5.6x5.6mm", 56, 0.4, 3.44, 0.875, 0.2, 5.6)),
    ("dfn", (6.0, 5.0, 0.75), 9, rows("WSON-8-1EP_6x5mm_P1.27mm_EP3.4x4mm", 8, 1.27, 2.66, 0.775, 0.5, (3.4, 4.0))),
    ("bga", (6.0, 6.0, 0.9), 36, grid("BGA-36_6x6mm_Layout6x6_P0.8mm", 6, 6, 0.8, 0.4)),
    ("electrolytic_can", None, 2, two("CP_Elec_6.3x5.4", 2.7, 3.5, 1.6, reference="C3", value="100uF/16V")),
    (
        "electrolytic_radial",
        (6.3, 6.3, 11.0),
        2,
        component(
            "CPOL-RM2.5mm_6.3x11mm_PTH",
            [(1, -1.25, 0, 1.5, 1.5, "circle", 0.9), (2, 1.25, 0, 1.5, 1.5, "rect", 0.9)],
            reference="C4",
        ),
    ),
    ("inductor", None, 2, two("DBS135", 5.35, 3.0, 2.5, reference="L2", value="33uH")),
    (
        "crystal",
        (2.5, 2.0, 0.75),
        4,
        component(
            "Crystal_SMD_2520-4Pin_2.5x2.0mm",
            [(1, -0.875, -0.7, 1.15, 1), (2, 0.875, -0.7, 1.15, 1), (3, 0.875, 0.7, 1.15, 1), (4, -0.875, 0.7, 1.15, 1)],
            reference="Y1",
            value="12MHz",
        ),
    ),
    ("button", (3.0, 2.5, 1.6), 2, two("SW_SPST_B3U-1000P", 1.7, 0.9, 1.7, reference="SW1")),
    (
        "header",
        (2.54, 10.16, 2.54),
        4,
        component(
            "PinHeader_1x04_P2.54mm_Vertical", [(i, 0, -2.54 * i, 1.7, 1.7, "circle", 1.0) for i in range(4)], reference="J1"
        ),
    ),
    (
        "connector",
        None,
        5,
        component("USB-MICRO_X", [(i, -3.15, 0.65 * (i - 3), 1.65, 0.33) for i in range(1, 6)], reference="J2"),
    ),
    ("module", None, 20, rows("RF_MODULE_X", 20, 1.27, 8.0, 2.0, 0.9)),
]


def assembly_of(items: list[Component], thickness: float = 1.6e-3):
    """An assembly of these components on a plain board, spread along x where they would overlap."""
    from scenes.parts import describe
    from scenes.smt.assembly import assemble

    board = Board("fixture", shapely.box(0, 0, 0.4, 0.05), thickness, (), (), (), tuple(items), (), "fixture", "test")
    return assemble(board, "front", [describe(c) for c in items], 120e-6)


def healthy(assembly, **changes):
    """A unit on which everything is at its place with nominal solder."""
    import numpy as np

    from scenes.smt.state import Balls, Bridges, Residues, Scratches, UnitState, Voids

    c, j = len(assembly.components), len(assembly.joints)
    ball = np.array([k == "ball" for k in assembly.joints.kind], bool)
    standoff = np.full(c, 20e-6)
    for i in set(assembly.joints.component[ball].tolist()):
        rows_ = np.flatnonzero(ball & (assembly.joints.component == i))
        a, v = (
            assembly.joints.land_size[rows_].min() / 2,
            assembly.joints.nominal_volume[rows_].mean(),
        )
        h = np.roots([np.pi, 0, 6 * np.pi * a**2, -6 * v])
        standoff[i] = float(h[abs(h.imag) < 1e-9].real[0])
    state = dict(
        present=np.ones(c, bool), offset=np.zeros((c, 2)), rotation=np.zeros(c), lift=np.zeros(c), lift_axis=np.zeros(c),
        orientation=np.zeros(c, np.int32), standoff=standoff, substitute=np.full(c, -1, np.int32), substitutes=(),
        volume=assembly.joints.nominal_volume.copy(), contact_angle=np.full(j, np.radians(30)), wetted=np.ones(j, bool),
        land_wetted=np.ones(j, bool), gap=np.zeros(j), roughness=np.full(j, 0.12), paste_offset=np.zeros((j, 2)),
        bridges=Bridges(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0), np.zeros(0)),
        voids=Voids(np.zeros(0, np.int32), np.zeros((0, 3)), np.zeros(0)), balls=Balls(np.zeros((0, 2)), np.zeros(0)),
        residues=Residues(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, np.uint32)),
        scratches=Scratches(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), np.zeros(0), np.zeros(0)))
    return UnitState(**{**state, **changes})
