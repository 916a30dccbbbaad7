"""The shipped board as a design: what is on it, that no nets are shorted, that every net is whole."""
from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import combinations

import pytest
import shapely

from scenes.board import read_board

MM = 1e-3
HEIGHT = 30.0


@pytest.fixture(scope="module")
def path(examples):
    return examples / "boards" / "inspector.kicad_pcb"


@pytest.fixture(scope="module")
def board(path):
    return read_board(path)


def test_it_is_a_small_board_with_every_common_family_on_it(board):
    assert board.size == pytest.approx((40 * MM, 30 * MM), abs=1e-6)
    assert board.outline.area == pytest.approx((1200 - (4 - 3.141592653589793) * 1.5 ** 2) * MM ** 2, rel=1e-4)
    front = [c for c in board.components if c.placed and c.side == "front"]
    assert 40 <= len(front) <= 60
    assert len({c.package for c in front}) >= 10
    assert sum(c.placed and c.side == "back" for c in board.components) == 11
    packages = " ".join(c.package for c in front)
    for name in ("QFN-32", "BGA-36", "SOT-23-5", "SOIC-8", "TSSOP-14", "LQFP-32", "R_0201", "C_0402", "C_0603", "C_0805",
                 "C_1206","MiniMELF", "SOD-123", "LED_0603", "CP_Elec", "Crystal", "L_Taiyo", "SW_SPST",
                 "PinHeader", "JST_SH", "R_Array"):
        assert name in packages, name
    assert len(board.fiducials) == 3
    assert board.notes == ()
    assert len(board.drills) > 50 and sum(not d.plated for d in board.drills) == 4


def test_courtyards_do_not_overlap(board):
    for side in ("front", "back"):
        yards = [(c.reference, c.courtyard) for c in board.components if c.side == side and c.courtyard is not None]
        assert len(yards) > 10
        assert [(a, b) for (a, s), (b, t) in combinations(yards, 2) if s.intersection(t).area > (1e-6) ** 2] == []


def test_the_bga_has_its_balls_at_0_8_mm_and_the_qfn_its_exposed_pad(board):
    parts = {c.reference: c for c in board.components}
    balls = parts["U2"].pads
    assert len(balls) == 36
    nearest = [min(((a.x - b.x) ** 2 + (a.y - b.y) ** 2) ** 0.5 for b in balls if b is not a) for a in balls]
    assert nearest == pytest.approx([0.8 * MM] * 36, abs=1e-8)
    exposed = next(p for p in parts["U1"].pads if p.number == "33")
    assert exposed.size == pytest.approx((3.45 * MM, 3.45 * MM)) and exposed.net == "GND"
    assert sum(1 for p in parts["U1"].pads if p.number) == 33


def test_polarised_parts_have_pin_one_at_the_cathode_or_plus(board):
    nets = {c.reference: {p.number: p.net for p in c.pads} for c in board.components}
    assert nets["D1"] == {"1": "GND", "2": "LED1A"}             # LED: the cathode is pad 1
    assert nets["C1"] == {"1": "VBUS", "2": "GND"}              # can: plus is pad 1
    assert nets["D4"] == {"1": "VBUS", "2": "VIN"}


def copper(path, board):
    """Per layer, (net, shapely shape in mm): pads from the importer, the rest read from the file's own text."""
    text = path.read_text()
    names = dict(re.findall(r'^\t\(net (\d+) "([^"]*)"\)', text, re.M))
    flip = lambda x, y: (float(x) - 100, HEIGHT - (float(y) - 80))  # noqa: E731
    shapes = {"F": [], "B": []}
    for x0, y0, x1, y1, width, layer, net in re.findall(
            r'\(segment \(start (\S+) (\S+)\) \(end (\S+) (\S+)\) \(width (\S+)\) \(layer "([FB]).Cu"\) \(net (\d+)\)', text):
        shapes[layer].append((names[net], shapely.LineString([flip(x0, y0), flip(x1, y1)]).buffer(float(width) / 2)))
    joins = []
    for x, y, size, net in re.findall(r'\(via \(at (\S+) (\S+)\) \(size (\S+)\) .*?\(net (\d+)\)', text):
        disc = shapely.Point(flip(x, y)).buffer(float(size) / 2)
        joins.append((names[net], disc))
    for net, body in re.findall(r'\(zone \(net (\d+)\)(.*?)\n\t\)', text, re.S):
        for layer, points in re.findall(r'\(filled_polygon \(layer "([FB]).Cu"\)\s+\(pts(.*?)\n\t\t\t\)', body, re.S):
            ring = shapely.Polygon([flip(x, y) for x, y in re.findall(r'\(xy (\S+) (\S+?)\)', points)])
            assert ring.is_valid
            shapes[layer].append((names[net], ring))
    for component in board.components:
        for pad in component.pads:
            shape = shapely.transform(pad.outline, lambda p: p / MM)
            net = pad.net or f"{component.reference}.{pad.number}.{pad.x}.{pad.y}"
            if pad.kind in ("through",):
                joins.append((net, shape))
            elif pad.kind == "smd" and (pad.front or pad.back):
                shapes["F" if pad.front else "B"].append((net, shape))
    for layer in shapes.values():
        layer.extend(joins)
    return shapes, joins


def test_no_two_nets_touch_and_every_net_is_one_piece(path, board):
    shapes, joins = copper(path, board)
    pieces = defaultdict(list)
    for name, layer in shapes.items():
        per_net = defaultdict(list)
        for net, shape in layer:
            per_net[net].append(shape)
        merged = [(net, shapely.union_all(s)) for net, s in sorted(per_net.items())]
        tree = shapely.STRtree([s for _, s in merged])
        left, right = tree.query([s for _, s in merged], predicate="dwithin", distance=0.099)
        assert [(name, merged[i][0], merged[j][0]) for i, j in zip(left, right, strict=True) if i < j] == []
        for net, shape in merged:
            pieces[net] += [(name, part) for part in shapely.get_parts(shape)]
    for net, parts in pieces.items():
        group = list(range(len(parts)))

        def root(i, group=group):
            while group[i] != i:
                i = group[i]
            return i

        for other, shape in joins:
            if other == net:
                touched = [root(i) for i, (_, p) in enumerate(parts) if p.intersects(shape)]
                for i in touched:
                    group[i] = min(touched)
        assert len({root(i) for i in range(len(parts))}) == 1, f"{net} is in pieces"
    assert sum(1 for net in pieces if "." not in net) >= 45


def test_package_counts_are_as_drawn(board):
    counts = Counter(c.package for c in board.components if c.placed and c.side == "front")
    assert counts["R_0402_1005Metric"] == 10 and counts["R_0201_0603Metric"] == 4 and counts["LED_0603_1608Metric"] == 2
