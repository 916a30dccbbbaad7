"""Draws the example board: python examples/boards/draw_inspector.py [inspector.kicad_pcb]

A fictitious sensor node of 40 × 30 mm that exists to be inspected: buck converter, microcontroller (QFN), memory (BGA),
converter (QFP), sensor (SOIC), expander (TSSOP), chips from 0201 to 1206 and parts of every common family. Tracks are found
by a maze router, planes are poured with thermal reliefs. The result is committed as ``inspector.kicad_pcb``; running this
again writes the same bytes (about two minutes).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import footprints as fp
import shapely
import writer
from router import BACK, FRONT, VIA, Grid, Router, Task
from shapely import affinity
from shapely.geometry.base import BaseGeometry
from writer import Part

WIDTH, HEIGHT, RADIUS, THICKNESS = 40.0, 30.0, 1.5, 1.6
TEXT = 0.7
SIGNAL, POWER = 0, 1  # kinds of track
WIDTHS = (0.15, 0.25)
POWER_NETS = ("VIN", "VBUS", "SW", "3V3")
POUR, GAP, BRIDGE, MINIMUM = 0.2, 0.2, 0.25, 0.15


@dataclass
class Routed:
    """Tracks (net, layer, start, end, width) and vias (net, x, y)."""

    tracks: list[tuple[str, int, tuple[float, float], tuple[float, float], float]] = field(default_factory=list)
    vias: list[tuple[str, float, float]] = field(default_factory=list)


def pins(**nets: str) -> dict[str, str]:
    """``p1="GND"`` → {"1": "GND"}."""
    return {name.removeprefix("p"): net for name, net in nets.items()}


def two(first: str, second: str) -> dict[str, str]:
    return {"1": first, "2": second}


def parts() -> list[Part]:
    chip = fp.chip
    qfn = (
        dict.fromkeys(("8", "32", "33"), "GND")
        | dict.fromkeys(("1", "16", "31"), "3V3")
        | {
            "2": "NRST",
            "3": "VSENSE",
            "4": "LED1",
            "5": "Q1G",
            "6": "SENSE0",
            "7": "SENSE1",
            "10": "OSC_IN",
            "11": "OSC_OUT",
            "12": "AD_CS",
            "13": "AD_CLK",
            "14": "AD_MISO",
            "15": "AD_MOSI",
            "17": "MEM_CS",
            "18": "MEM_CLK",
            "19": "MEM_D0",
            "20": "MEM_D1",
            "21": "MEM_D2",
            "22": "MEM_D3",
            "23": "MEM_D4",
            "24": "MEM_D5",
            "25": "OUT0",
            "26": "OUT1",
            "27": "OUT2",
            "28": "OUT3",
            "29": "SDA",
            "30": "SCL",
        }
    )
    bga = (
        dict.fromkeys(("B3", "C3", "C4", "E5", "B5", "F4"), "GND")
        | dict.fromkeys(("D3", "D4", "E3", "A4"), "3V3")
        | {
            "A1": "MEM_D5",
            "B1": "MEM_D4",
            "C1": "MEM_D3",
            "C2": "MEM_D2",
            "D1": "MEM_D1",
            "D2": "MEM_D0",
            "E1": "MEM_CLK",
            "F1": "MEM_CS",
            "C6": "ZQ",
            "F3": "DRDY",
            "D6": "AUX0",
            "E6": "AUX1",
        }
    )
    qfp = (
        dict.fromkeys(("6", "9", "21", "27"), "GND")
        | dict.fromkeys(("5", "12", "20", "28"), "3V3")
        | {
            "1": "AIN0",
            "2": "AIN1",
            "3": "AIN2",
            "4": "AIN3",
            "7": "VREF",
            "17": "SHUNT_P",
            "18": "SHUNT_N",
            "26": "DRDY",
            "32": "AD_CS",
            "31": "AD_CLK",
            "30": "AD_MISO",
            "29": "AD_MOSI",
        }
    )
    front = [
        Part("U1", "LT32F031", fp.qfn_32(), 18.5, 15.0, nets=qfn),
        Part("U2", "LT8M36", fp.bga_36(), 28.0, 14.0, nets=bga),
        Part("U3", "LT2569", fp.sot_23_5(), 8.2, 8.2, nets=pins(p1="EN", p2="GND", p3="SW", p4="VBUS", p5="FB")),
        Part(
            "U4",
            "LT75A",
            fp.soic_8(),
            21.5,
            5.2,
            nets=pins(p1="GND", p2="GND", p3="GND", p4="GND", p5="SDA", p6="SCL", p7="ALERT", p8="3V3"),
        ),
        Part(
            "U5",
            "LT9534",
            fp.tssop_14(),
            30.6,
            4.6,
            90,
            nets=pins(
                p1="3V3", p2="PO0", p3="PO1", p4="PO2", p5="PO3", p6="GND", p7="ALERT", p8="GND", p9="TP1", p10="TP2", p14="3V3"
            ),
        ),
        Part("U6", "LT1248", fp.lqfp_32(), 29.3, 24.2, nets=qfp),
        Part("J1", "POWER", fp.header_4(), 7.0, 2.3, 90, nets=pins(p1="VIN", p2="GND", p3="SDA", p4="SCL")),
        Part("J2", "QWIIC", fp.jst_sh_4(), 3.6, 15.0, 270, nets=pins(p1="GND", p2="3V3", p3="SDA", p4="SCL", pMP="GND")),
        Part("L1", "2u2", fp.inductor_4x4(), 13.3, 8.2, nets=two("SW", "3V3")),
        Part("Y1", "16MHz", fp.crystal_3225(), 17.6, 20.05, nets=pins(p1="OSC_IN", p2="GND", p3="OSC_OUT", p4="GND")),
        Part("Q1", "LT2302", fp.sot_23(), 14.85, 23.9, nets=pins(p1="Q1G", p2="GND", p3="LED2K")),
        Part("SW1", "RESET", fp.button(), 9.3, 27.9, nets=two("NRST", "GND")),
        Part("D1", "GREEN", fp.led_0603(), 15.2, 28.35, nets=two("GND", "LED1A")),
        Part("D2", "RED", fp.led_0603(), 19.2, 28.35, nets=two("LED2K", "LED2A")),
        Part("D3", "ZMM6V2", fp.mini_melf(), 3.3, 9.35, nets=two("VBUS", "GND")),
        Part("D4", "B5819W", fp.sod_123(), 3.2, 6.4, nets=two("VBUS", "VIN")),
        Part(
            "RN1",
            "4x100",
            fp.array_4x0402(),
            21.9,
            24.2,
            nets={"1": "SENSE0", "2": "SENSE1", "3": "SENSE2", "4": "SENSE3", "8": "AIN0", "7": "AIN1", "6": "AIN2", "5": "AIN3"},
        ),
        Part("C1", "47u", fp.can_5x5(), 8.9, 22.6, nets=two("VBUS", "GND")),
        Part("C2", "10u", chip("C", "1206"), 9.4, 11.9, nets=two("VBUS", "GND")),
        Part("C3", "22u", chip("C", "0805"), 13.6, 11.85, nets=two("GND", "3V3")),
        Part("C4", "22u", chip("C", "0805"), 13.6, 13.95, nets=two("GND", "3V3")),
        Part("C5", "1u", chip("C", "0603"), 9.3, 14.4, nets=two("VBUS", "GND")),
        Part("C6", "100n", chip("C", "0402"), 22.75, 10.6, 90, nets=two("3V3", "GND")),
        Part("C7", "100n", chip("C", "0402"), 22.75, 18.3, 90, nets=two("3V3", "GND")),
        Part("C8", "100n", chip("C", "0402"), 13.2, 18.4, nets=two("NRST", "GND")),
        Part("C9", "100n", chip("C", "0402"), 13.6, 15.7, nets=two("GND", "3V3")),
        Part("C10", "12p", chip("C", "0402"), 14.6, 19.95, 90, nets=two("GND", "OSC_IN")),
        Part("C11", "12p", chip("C", "0402"), 20.7, 19.95, 90, nets=two("OSC_OUT", "GND")),
        Part("C12", "1u", chip("C", "0402"), 17.4, 10.9, nets=two("3V3", "GND")),
        Part("C13", "10n", chip("C", "0201"), 16.0, 10.8, 90, nets=two("3V3", "GND")),
        Part("C14", "4u7", chip("C", "0603"), 24.9, 9.15, nets=two("3V3", "GND")),
        Part("C15", "100n", chip("C", "0402"), 33.0, 11.6, 90, nets=two("GND", "3V3")),
        Part("C16", "1u", chip("C", "0603"), 33.1, 17.05, 90, nets=two("GND", "3V3")),
        Part("C17", "10u", chip("C", "0805"), 35.5, 12.5, 90, nets=two("GND", "3V3")),
        Part("C18", "1u", chip("C", "0603"), 38.0, 17.5, 90, nets=two("GND", "VREF")),
        Part("C19", "100n", chip("C", "0402"), 26.9, 18.52, nets=two("GND", "3V3")),
        Part("C20", "100n", chip("C", "0402"), 31.4, 18.52, nets=two("GND", "3V3")),
        Part("C21", "10n", chip("C", "0201"), 23.6, 21.4, 90, nets=two("VREF", "GND")),
        Part("C22", "10n", chip("C", "0201"), 23.6, 27.2, 90, nets=two("GND", "VREF")),
        Part("R1", "450k", chip("R", "0402"), 7.4, 5.35, nets=two("FB", "3V3")),
        Part("R2", "100k", chip("R", "0402"), 9.7, 5.35, nets=two("FB", "GND")),
        Part("R3", "100k", chip("R", "0402"), 12.0, 5.05, nets=two("EN", "VBUS")),
        Part("R4", "1k", chip("R", "0603"), 15.2, 26.35, nets=two("LED1", "LED1A")),
        Part("R5", "1k", chip("R", "0603"), 19.2, 26.35, nets=two("3V3", "LED2A")),
        Part("R6", "10k", chip("R", "0402"), 18.7, 22.7, nets=two("3V3", "SENSE2")),
        Part("R7", "10k", chip("R", "0402"), 18.7, 23.85, nets=two("GND", "SENSE2")),
        Part("R8", "10k", chip("R", "0402"), 18.7, 25.0, nets=two("3V3", "SENSE3")),
        Part("R9", "4k7", chip("R", "0402"), 17.3, 9.5, nets=two("3V3", "SDA")),
        Part("R10", "4k7", chip("R", "0402"), 20.0, 9.5, nets=two("3V3", "SCL")),
        Part("R11", "240", chip("R", "0603"), 33.1, 14.05, 90, nets=two("GND", "ZQ")),
        Part("R12", "R10", chip("R", "1206"), 38.0, 13.0, 90, nets=two("SHUNT_P", "SHUNT_N")),
        Part("R13", "0R", chip("R", "0805"), 35.5, 16.5, 90, nets=two("VREF", "3V3")),
        Part("R14", "33", chip("R", "0201"), 28.0, 9.2, 90, nets=two("OUT0", "PO0")),
        Part("R15", "33", chip("R", "0201"), 29.0, 9.2, 90, nets=two("OUT1", "PO1")),
        Part("R16", "33", chip("R", "0201"), 30.0, 9.2, 90, nets=two("OUT2", "PO2")),
        Part("R17", "33", chip("R", "0201"), 31.0, 9.2, 90, nets=two("OUT3", "PO3")),
        Part("R18", "10k", chip("R", "0402"), 26.3, 6.2, 90, nets=two("ALERT", "3V3")),
        Part("R19", "100k", chip("R", "0603"), 9.3, 16.2, nets=two("VBUS", "VSENSE")),
        Part("R20", "33k", chip("R", "0805"), 9.6, 18.3, nets=two("GND", "VSENSE")),
        Part("R21", "10k", chip("R", "0402"), 13.4, 17.05, nets=two("3V3", "NRST")),
    ]
    back = [
        Part(f"C{30 + i}", "100n", chip("C", "0402"), x, y, a, True, two("3V3", "GND"))
        for i, (x, y, a) in enumerate(
            ((15.0, 12.5, 0), (22.0, 12.0, 90), (25.0, 21.5, 0), (33.5, 21.5, 0), (33.4, 10.4, 90), (22.3, 20.6, 0))
        )
    ]
    back += [
        Part("C36", "22u", chip("C", "0805"), 6.5, 11.0, 0, True, two("VBUS", "GND")),
        Part("D5", "SMF6V5", fp.sod_123(), 6.5, 7.5, 0, True, two("VIN", "GND")),
        Part("D6", "BLUE", fp.led_0603(), 12.5, 26.5, 0, True, two("GND", "LED6A")),
        Part("R30", "2k2", chip("R", "0603"), 16.5, 26.5, 0, True, two("LED6A", "3V3")),
        Part("Q2", "BAT54", fp.sot_23(), 36.6, 21.0, 0, True, {"1": "SHUNT_P", "2": "GND", "3": "SHUNT_N"}),
    ]
    marks = [
        Part(f"FID{i + 1}", "Fiducial", fp.fiducial(), x, y) for i, (x, y) in enumerate(((37.8, 7.2), (2.2, 22.4), (37.7, 22.6)))
    ]
    marks += [
        Part(f"H{i + 1}", "M2", fp.mounting_hole(), x, y)
        for i, (x, y) in enumerate(((2.5, 2.5), (37.5, 2.5), (2.5, 27.5), (37.5, 27.5)))
    ]
    marks += [
        Part("TP1", "TP", fp.test_point(), 34.6, 7.4, nets={"1": "TP1"}),
        Part("TP2", "TP", fp.test_point(), 34.6, 5.0, nets={"1": "TP2"}),
        Part("TP3", "3V3", fp.test_point(), 37.6, 9.5, nets={"1": "3V3"}),
    ]
    return front + back + marks


def land_shape(part: Part, land: fp.Land) -> BaseGeometry:
    """Copper of one land in board coordinates."""
    if land.shape == "circle":
        shape = shapely.Point(0, 0).buffer(land.width / 2, quad_segs=16)
    elif land.shape in ("roundrect", "oval"):
        r = min(land.width, land.height) * (0.25 if land.shape == "roundrect" else 0.4999)
        shape = shapely.box(r - land.width / 2, r - land.height / 2, land.width / 2 - r, land.height / 2 - r).buffer(
            r, quad_segs=8
        )
    else:
        shape = shapely.box(-land.width / 2, -land.height / 2, land.width / 2, land.height / 2)
    return affinity.translate(affinity.rotate(shape, -part.angle, origin=(0, 0)), *part.place(land.x, land.y))


def courtyard(part: Part) -> BaseGeometry:
    x0, y0, x1, y1 = part.footprint.courtyard
    if part.footprint.round_courtyard:
        return shapely.Point(part.x, part.y).buffer(x1)
    return shapely.Polygon([part.place(x, y) for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))])


def route(placed: list[Part]) -> tuple[Routed, list[list[BaseGeometry]]]:
    """Tracks and vias for all nets, and the ground planes of front and back. Raises SystemExit with the nets that stay open."""
    grid = Grid(WIDTH, HEIGHT, 0.1, WIDTHS, 0.5)
    pads: dict[str, list[tuple[tuple[int, ...], BaseGeometry]]] = {}
    routed = Routed()
    for part in placed:
        for i, land in enumerate(part.footprint.lands):
            if not land.copper:
                continue
            layers = (FRONT, BACK) if land.kind != "smd" else ((BACK,) if part.back else (FRONT,))
            net = part.nets.get(land.number, "") or f"~{part.reference}.{land.number}.{i}"
            shape, thermal = land_shape(part, land), net == "GND" and land.number == "33"
            margin = land.mask_margin + (0.15 if land.kind == "np_thru_hole" else 0.0)
            grid.add_pad(net, layers, shape.buffer(margin) if margin else shape, via_allowed=thermal)
            if thermal:
                vias = [(part.x + dx, part.y + dy) for dx in (-1.1, 0, 1.1) for dy in (-1.1, 0, 1.1)]
                routed.vias += [("GND", x, y) for x, y in vias]
                for x, y in vias:
                    grid.add_pad("GND", (FRONT, BACK), shapely.Point(x, y).buffer(VIA[0] / 2))
            elif net[0] != "~":
                pads.setdefault(net, []).append((layers, shape))
    tasks = [Task(f"GND {i}", "GND", SIGNAL, [pad], drop=True) for i, pad in enumerate(pads.pop("GND")) if len(pad[0]) == 1]
    for net in sorted(pads, key=lambda n: (n in POWER_NETS, _extent(pads[n]), n)):
        if len(pads[net]) > 1:
            tasks.append(Task(net, net, POWER if net in POWER_NETS else SIGNAL, pads[net]))
    router, fixed = Router(grid), routed.vias
    for _ in range(5):
        left = router.run(tasks, 1500)
        if left:
            raise SystemExit(f"not routed: {left}")
        routed = Routed(
            [(t.net, layer, a, b, WIDTHS[t.kind]) for t in router.tasks for layer, a, b in t.tracks],
            fixed + [(t.net, x, y) for t in router.tasks for x, y in t.vias],
        )
        planes = [pour(placed, routed, FRONT), pour(placed, routed, BACK)]
        island = stitch(placed, routed, planes)
        if island is None:
            return routed, planes
        # A piece of ground between tracks, with no room for a via to the rest: it gets a track like any other net.
        tasks = [Task(f"GND join {len(router.tasks)}", "GND", SIGNAL, [((FRONT, BACK), s) for s in island])]
    raise SystemExit("ground stays in pieces")


def _extent(pads: list[tuple[tuple[int, ...], BaseGeometry]]) -> float:
    x0, y0, x1, y1 = shapely.total_bounds([s for _, s in pads])
    return float(x1 - x0 + y1 - y0)


def pour(placed: list[Part], routed: Routed, layer: int) -> list[BaseGeometry]:
    """The GND plane of one layer: clear of other nets, tied to its own pads by four bridges."""
    plane = outline().buffer(-0.3)
    away, spokes, anchors = [], [], []
    for part in placed:
        for land in part.footprint.lands:
            through = land.kind != "smd"
            if not land.copper or not (through or part.back == (layer == BACK)):
                continue
            shape = land_shape(part, land)
            if part.nets.get(land.number) != "GND":
                away.append(
                    shape.buffer(
                        max(POUR, land.mask_margin, 0.35 if land.kind == "np_thru_hole" else 0),
                        join_style="mitre" if land.shape == "rect" else "round",
                    )
                )
            elif land.number == "33":
                anchors.append(shape)
            else:
                x, y = part.place(land.x, land.y)
                reach = max(land.width, land.height) / 2 + GAP + 0.1
                cross = shapely.union(
                    shapely.box(x - reach, y - BRIDGE / 2, x + reach, y + BRIDGE / 2),
                    shapely.box(x - BRIDGE / 2, y - reach, x + BRIDGE / 2, y + reach),
                )
                away.append(shape.buffer(GAP))
                spokes.append((shape, cross))
    for net, on, a, b, width in routed.tracks:
        if on == layer and net != "GND":
            away.append(shapely.LineString([a, b]).buffer(width / 2 + POUR, quad_segs=4))
    for net, x, y in routed.vias:
        disc = shapely.Point(x, y).buffer(VIA[0] / 2, quad_segs=8)
        if net == "GND":
            anchors.append(disc)
        else:
            away.append(disc.buffer(POUR, quad_segs=8))
    foreign = shapely.union_all([a for a in away])
    solid = plane.difference(foreign)
    if spokes:
        # A bridge may not come near a foreign net: keep it inside what is free of all but the pad's own gap.
        own = shapely.union_all([s.buffer(GAP) for s, _ in spokes])
        others = shapely.union_all([a for a in away if not any(a.equals(s.buffer(GAP)) for s, _ in spokes)])
        solid = shapely.union_all([solid, shapely.union_all([c for _, c in spokes]).intersection(own).difference(others)])
        anchors += [s for s, _ in spokes]
    solid = solid.buffer(-MINIMUM / 2).buffer(MINIMUM / 2, quad_segs=4).simplify(0.004)
    held = shapely.union_all(anchors)
    return [p for p in shapely.get_parts(solid) if p.intersects(held) and p.area > 0.2]


def stitch(placed: list[Part], routed: Routed, planes: list[list[BaseGeometry]]) -> tuple[BaseGeometry, BaseGeometry] | None:
    """Add vias until all pieces of ground are one net; or return a joint of a piece that no via can reach and one of the rest."""
    lands = [(land_shape(p, land), p, land) for p in placed for land in p.footprint.lands if land.copper]
    ground = {
        layer: [
            s for s, p, land in lands if p.nets.get(land.number) == "GND" and (land.kind != "smd" or p.back == (layer == BACK))
        ]
        for layer in (FRONT, BACK)
    }
    tracks = {
        layer: [shapely.LineString([a, b]).buffer(w / 2) for net, on, a, b, w in routed.tracks if net == "GND" and on == layer]
        for layer in (FRONT, BACK)
    }
    pieces = [
        (layer, piece)
        for layer in (FRONT, BACK)
        for piece in shapely.get_parts(shapely.union_all([*planes[layer], *ground[layer], *tracks[layer]]))
    ]
    joints = [shapely.Point(x, y).buffer(VIA[0] / 2) for net, x, y in routed.vias if net == "GND"]
    joints += [s for s, p, land in lands if land.kind == "thru_hole" and p.nets.get(land.number) == "GND"]
    free = outline().difference(
        shapely.union_all([shapely.Point(x, y).buffer(0.55) for _, x, y in routed.vias] + [s.buffer(0.3) for s, _, _ in lands])
    )
    group = list(range(len(pieces)))

    def join(shape: BaseGeometry) -> None:
        touched = {group[i] for i, (_, piece) in enumerate(pieces) if piece.intersects(shape)}
        for i in range(len(group)):
            if group[i] in touched:
                group[i] = min(touched)

    for shape in joints:
        join(shape)
    while len(set(group)) > 1:
        found = None
        for i, (on, a) in enumerate(pieces):
            for j, (other, b) in enumerate(pieces):
                if on == FRONT and other == BACK and group[i] != group[j]:
                    room = shapely.intersection_all([a.buffer(-0.23), b.buffer(-0.23), free])
                    if not room.is_empty and (found is None or room.area > found.area):
                        found = room
        if found is None:
            main = group[max(range(len(pieces)), key=lambda i: pieces[i][1].area)]
            rest = shapely.union_all([p for i, (_, p) in enumerate(pieces) if group[i] == main])
            lost = next(j for j in joints if not j.intersects(rest))
            return lost, min((j for j in joints if j.intersects(rest)), key=lambda j: (j.distance(lost), j.bounds))
        spot = shapely.maximum_inscribed_circle(max(shapely.get_parts(found), key=lambda g: g.area)).coords[0]
        routed.vias.append(("GND", round(spot[0], 2), round(spot[1], 2)))
        join(shapely.Point(spot).buffer(VIA[0] / 2))
    return None


def outline() -> BaseGeometry:
    return shapely.box(RADIUS, RADIUS, WIDTH - RADIUS, HEIGHT - RADIUS).buffer(RADIUS, quad_segs=16)


def keyhole(polygon: BaseGeometry) -> list[list[tuple[float, float]]]:
    """A polygon with holes as simple rings, as KiCad stores fills: cut into slabs at the middle of every hole."""
    if not polygon.interiors:
        return [[(x, y) for x, y in polygon.exterior.coords[:-1]]]
    x0, y0, x1, y1 = polygon.bounds
    middle = sorted({round(shapely.Polygon(r).centroid.x, 3) for r in polygon.interiors})
    cut = middle[len(middle) // 2]
    rings: list[list[tuple[float, float]]] = []
    for side in (shapely.box(x0 - 1, y0 - 1, cut, y1 + 1), shapely.box(cut, y0 - 1, x1 + 1, y1 + 1)):
        for piece in shapely.get_parts(polygon.intersection(side)):
            if piece.geom_type == "Polygon" and piece.area > 1e-4:
                rings += keyhole(piece)
    return rings


def label(placed: list[Part], routed: Routed) -> list[Part]:
    """References on the silkscreen where there is room: clear of lands, bodies and each other; else only on the Fab layer."""
    out: list[Part] = []
    taken: dict[bool, list[BaseGeometry]] = {False: [shapely.box(34.2, 19.6, 39.9, 20.8)], True: [shapely.box(8, 3.5, 32, 5.5)]}
    for part in placed:
        lands = [land_shape(part, land).buffer(0.12 + land.mask_margin) for land in part.footprint.lands if land.copper]
        body = (
            shapely.Polygon([part.place(x, y) for x, y in _rectangle(part.footprint.body)])
            if part.footprint.body[2] > 0
            else None
        )
        for back in (False, True):
            if back == part.back or part.footprint.attributes == "through_hole" or part.reference.startswith("H"):
                taken[back] += lands + ([body.buffer(0.1)] if body is not None and back == part.back else [])
    for part in placed:
        if part.reference[0] == "H" or part.reference.startswith("FID"):
            out.append(part)
            continue
        x0, y0, x1, y1 = courtyard(part).bounds
        width, height = TEXT * 0.95 * len(part.reference), TEXT * 1.15
        spots = [
            (part.x, y0 - height / 2, 0.0),
            (part.x, y1 + height / 2, 0.0),
            (x0 - height / 2, part.y, 90.0),
            (x1 + height / 2, part.y, 90.0),
            (x0 - width / 2, part.y, 0.0),
            (x1 + width / 2, part.y, 0.0),
            (x0 + width / 2, y0 - height / 2, 0.0),
            (x1 - width / 2, y0 - height / 2, 0.0),
            (x0 + width / 2, y1 + height / 2, 0.0),
            (x1 - width / 2, y1 + height / 2, 0.0),
        ]
        text = None
        for x, y, turn in spots:
            w, h = (width, height) if turn == 0 else (height, width)
            box = shapely.box(x - w / 2, y - h / 2, x + w / 2, y + h / 2)
            if outline().buffer(-0.2).contains(box) and not any(box.intersects(t) for t in taken[part.back]):
                text = (round(x, 2), round(y, 2), turn)
                taken[part.back].append(box)
                break
        out.append(replace(part, text=text))
    return out


def _rectangle(bounds: tuple[float, float, float, float]) -> list[tuple[float, float]]:
    x0, y0, x1, y1 = bounds
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def draw() -> str:
    """The board as the text of a KiCad file. Raises SystemExit where courtyards overlap or a net stays open."""
    placed = parts()
    for back in (False, True):
        yards = [(p.reference, courtyard(p)) for p in placed if p.back == back or p.reference[0] == "H" or p.reference == "J1"]
        clash = [(a, b) for i, (a, s) in enumerate(yards) for b, t in yards[i + 1 :] if s.intersection(t).area > 1e-9]
        if clash:
            raise SystemExit(f"courtyards overlap: {clash}")
    routed, planes = route(placed)
    placed = label(placed, routed)
    nets = ["", "GND", *sorted({n for p in placed for n in p.nets.values()} - {"GND"})]
    lines = writer.header("linetwin inspector", nets, THICKNESS)
    for part in placed:
        lines += writer.footprint(part, nets, TEXT)
    w, h, r = WIDTH, HEIGHT, RADIUS
    d = r * (1 - 0.5**0.5)
    lines += writer.edge(
        [
            ("line", (r, 0), (w - r, 0), None),
            ("arc", (w - r, 0), (w, r), (w - d, d)),
            ("line", (w, r), (w, h - r), None),
            ("arc", (w, h - r), (w - r, h), (w - d, h - d)),
            ("line", (w - r, h), (r, h), None),
            ("arc", (r, h), (0, h - r), (d, h - d)),
            ("line", (0, h - r), (0, r), None),
            ("arc", (0, r), (r, 0), (d, d)),
        ]
    )
    lines += writer.board_text("INSPECTOR", 37.1, 20.2, 0.65, "F.SilkS")
    lines += writer.board_text("linetwin inspector rev A", 20, 4.5, 1.2, "B.SilkS")
    for i, (net, layer, a, b, width) in enumerate(routed.tracks):
        lines.append(writer.segment(i, nets.index(net), layer, a, b, width))
    for i, (net, x, y) in enumerate(routed.vias):
        lines.append(writer.via(i, nets.index(net), x, y, VIA))
    border = [(0.3, 0.3), (w - 0.3, 0.3), (w - 0.3, h - 0.3), (0.3, h - 0.3)]
    for layer, name in ((FRONT, "F.Cu"), (BACK, "B.Cu")):
        rings = [ring for polygon in planes[layer] for ring in keyhole(polygon)]
        lines += writer.zone(nets.index("GND"), "GND", name, border, rings)
    return "\n".join([*lines, ")"]) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("inspector.kicad_pcb")
    target.write_text(draw(), encoding="utf-8")
