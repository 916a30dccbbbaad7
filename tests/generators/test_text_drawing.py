"""Assembly drawings: what a callout points at is what the truth says, and leaders keep out of the way."""
from __future__ import annotations

from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely

from generators.text.callouts import assign, covering, pin_one
from generators.text.drawing import AssemblyDrawing, assembly_drawing
from generators.text.sheet import Stroke, Words, fitted, picture, text_width
from scenes.board import read_board
from scenes.errors import SceneError
from scenes.parts import describe
from scenes.smt.assembly import assemble, placeable
from scenes.smt.state import Assembly


def assembly_of(path: Path, side: str = "front") -> Assembly:
    board = read_board(path).seen_from(side)
    return assemble(board, side, [describe(c) for c in placeable(board)], 120e-6)


@pytest.fixture(scope="module")
def inspector() -> Assembly:
    return assembly_of(Path(__file__).parents[2] / "examples/boards/inspector.kicad_pcb")


@pytest.fixture(scope="module")
def sheet(inspector) -> AssemblyDrawing:
    return assembly_drawing(inspector, np.random.default_rng(1), callouts=16)


def check(assembly: Assembly, drawing: AssemblyDrawing) -> None:
    """All that must hold on every board."""
    height, width = drawing.image.shape
    parts = {p.reference: p for p in drawing.parts}
    outlines = {r: shapely.Polygon(p.outline) for r, p in parts.items()}
    assert [p.reference for p in drawing.parts] == [c.reference for c in assembly.components]
    lines = []
    for callout in drawing.callouts:
        assert np.allclose(drawing.to_pixels(np.array(callout.target)), callout.target_px, atol=1e-6)
        assert callout.leader[-1] == callout.target_px
        point = shapely.Point(callout.target_px)
        if callout.kind == "fiducial":
            dot = next(f for f in assembly.board.fiducials if f.reference == callout.reference and
                       np.hypot(f.x - callout.target[0], f.y - callout.target[1]) < 1e-9)
            assert dot.side == "front"
        else:
            assert outlines[callout.reference].buffer(0.5).contains(point)
            assert callout.lines[0].startswith(callout.reference)
        x0, y0, x1, y1 = callout.box
        assert 50 <= x0 < x1 <= width - 50
        assert 50 <= y0 < y1 <= height - 50
        assert shapely.box(*callout.box).distance(shapely.Point(callout.leader[0])) < 10
        x, y = (round(v) for v in callout.target_px)
        assert drawing.image[y, x] < 40                                   # the dot is there
        lines.append(shapely.LineString(callout.leader))
    for a, b in combinations(drawing.callouts, 2):
        assert not shapely.box(*a.box).intersects(shapely.box(*b.box))
    assert sum(a.crosses(b) for a, b in combinations(lines, 2)) == 0
    ends = [shapely.Point(c.target_px) for c in drawing.callouts]
    assert sum(a.distance(p) < 20 < a.boundary.geoms[1].distance(p) for a in lines for p in ends) == 0   # no mistaking them
    for callout in drawing.callouts:
        assert not any(shapely.box(*callout.box).intersects(o) for o in outlines.values())
    covered = sum(line.intersection(o).length for c, line in zip(drawing.callouts, lines, strict=True)
                  for r, o in outlines.items() if r != c.reference)
    assert covered < 0.06 * sum(line.length for line in lines)


def test_callouts_point_at_what_they_name(inspector, sheet):
    assert len(sheet.callouts) == 16
    assert [c.number for c in sheet.callouts] == list(range(1, 17))
    assert {c.kind for c in sheet.callouts} >= {"part", "polarity", "hand", "hidden", "fiducial"}
    check(inspector, sheet)


def test_polarity_is_marked_at_the_first_terminal(inspector, sheet):
    """The mark lies nearer to terminal 1 than to any other end of the part: with it, not with our own drawing code."""
    marked = [p for p in sheet.parts if p.mark]
    assert len(marked) > 8
    for part in marked:
        i = [c.reference for c in inspector.components].index(part.reference)
        package = inspector.packages[i]
        assert package.polarised
        if len(package.terminals) == 2:
            rows = np.flatnonzero(inspector.joints.component == i)
            away = [float(np.hypot(*(sheet.to_pixels(inspector.joints.land_center[j]) - part.mark))) for j in rows]
            first = [inspector.joints.pad[j] for j in rows].index("1")
            assert min(away) == away[first]
        else:
            first = sheet.to_pixels(np.array(pin_one(inspector, i)))
            corners = np.array(part.outline)
            assert np.argmin(np.hypot(*(corners - part.mark).T)) == np.argmin(np.hypot(*(corners - first).T))


def test_frames_agree(inspector, sheet):
    """A board point's pixels: y turned, one scale, the outline's ink where its border is."""
    x0, y0, x1, y1 = inspector.board.outline.bounds
    (a, b) = sheet.to_pixels(np.array([[x0, y0], [x1, y1]]))
    assert a[0] < b[0] and a[1] > b[1]
    assert (b - a) == pytest.approx([sheet.scale * (x1 - x0), -sheet.scale * (y1 - y0)])
    row = round((a[1] + b[1]) / 2) + 17
    assert sheet.image[row, round(b[0]) - 1:round(b[0]) + 2].min() < 60
    for part, at in zip(sheet.parts, inspector.position, strict=True):
        assert np.hypot(*(np.array(part.position) - at)) < 5e-3


def test_every_designator_is_on_the_sheet(inspector, sheet):
    root = ElementTree.fromstring(sheet.svg)
    texts = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {c.reference for c in inspector.components} <= set(texts)
    assert {"40.00", "30.00", "FRONT", "inspector"} <= set(texts)         # the board is 40 × 30 mm
    assert sheet.image.dtype == np.uint8
    assert 0.85 < (sheet.image > 200).mean() < 0.99
    own = [shapely.box(*p.label) for p in sheet.parts]
    assert sum(a.intersects(b) for a, b in combinations(own, 2)) <= 2


def test_the_same_seed_gives_the_same_sheet(inspector, sheet):
    again = assembly_drawing(inspector, np.random.default_rng(1), callouts=16)
    assert np.array_equal(again.image, sheet.image)
    assert again.svg == sheet.svg
    assert again.callouts == sheet.callouts
    other = assembly_drawing(inspector, np.random.default_rng(2), callouts=16)
    assert [c.reference for c in other.callouts] != [c.reference for c in sheet.callouts]


def test_no_callouts_is_a_plain_drawing(inspector):
    drawing = assembly_drawing(inspector, np.random.default_rng(0), callouts=0, title="Board 7", width=2000, height=1400)
    assert drawing.callouts == ()
    assert drawing.image.shape == (1400, 2000)
    assert "Board 7" in drawing.svg


@pytest.mark.parametrize(("given", "message"), [({"callouts": 25}, "give 0 to 24"), ({"callouts": -1}, "give 0 to 24"),
                                                ({"width": 800}, "at least 2000")])
def test_impossible_sheets_are_refused(inspector, given, message):
    with pytest.raises(SceneError, match=message):
        assembly_drawing(inspector, np.random.default_rng(0), **given)


def test_leaders_take_the_shorter_way_round_parts():
    """Two targets, ports at the left: without a wall each takes the nearest; a wall before one sends it to the next."""
    targets = [(0.0, 0.0), (0.0, 100.0)]

    def paths(ports):
        return np.array([[shapely.LineString([p, t]) for p in ports] for t in targets])

    def taken(ports, walls, own):
        return assign(paths(ports), covering(paths(ports), walls, own)).tolist()

    assert taken([(-100.0, 0.0), (-100.0, 100.0)], [], [-1, -1]) == [0, 1]
    three, wall = [(-100.0, 0.0), (-100.0, 50.0), (-100.0, 100.0)], shapely.box(-60, -10, -40, 10)
    assert covering(paths(three), [wall], [-1, -1])[0, 0] == pytest.approx(20)
    assert taken(three, [wall], [-1, -1]) == [1, 2]
    assert taken(three, [wall], [0, -1]) == [0, 2]                       # its own part may be crossed


def test_text_is_cut_to_its_room():
    assert fitted("SHORT", 20, 1000) == "SHORT"
    cut = fitted("A VERY LONG VALUE", 20, 100)
    assert cut.endswith("..")
    assert text_width(cut, 20) <= 100


def test_turned_text_reads_upwards():
    """The picture of a turned word is that of the level one, turned by a quarter: same ink."""
    level = picture([Words((100, 100), "R12", 40)], 200, 200)
    turned = picture([Words((100, 100), "R12", 40, turned=True)], 200, 200)
    assert (255.0 - level).sum() == pytest.approx((255.0 - turned).sum(), rel=0.05)
    ys, xs = np.nonzero(turned < 128)
    assert np.ptp(ys) > 1.5 * np.ptp(xs)


def test_dashes_leave_gaps():
    solid = picture([Stroke(((10, 50), (190, 50)), 3)], 200, 100)
    dashed = picture([Stroke(((10, 50), (190, 50)), 3, dash=9)], 200, 100)
    assert (255.0 - dashed).sum() == pytest.approx(0.5 * (255.0 - solid).sum(), rel=0.1)


@pytest.mark.boards
@pytest.mark.parametrize(("name", "side"), [
    ("rp2040_stamp/rp2040_stamp.kicad_pcb", "front"), ("esp32_poe/rev_m1.kicad_pcb", "front"),
    ("esp32_poe/rev_m1.kicad_pcb", "back")])
def test_real_boards(boards, name, side):
    assembly = assembly_of(boards / name, side)
    for seed in (1, 2):
        check(assembly, assembly_drawing(assembly, np.random.default_rng(seed)))
