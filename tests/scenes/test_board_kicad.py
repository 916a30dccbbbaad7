"""KiCad import: real boards against the counts that others took, and small boards against closed forms."""
# ruff: noqa: E501 (board files and tables as text)

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import shapely
from kicad_snippets import EDGE, LAYERS, R1, area, board_text, read, read_text
from scipy.spatial import cKDTree

from scenes.board import Board, check, read_board
from scenes.board.kicad_curves import arc_through, bezier, circle
from scenes.errors import SceneError

REAL = {
    "rp2040_stamp/rp2040_stamp.kicad_pcb": {"footprints": 75, "front": 47, "back": 28, "pads": 324, "smd_pads": 244},
    "esp32_poe/rev_m1.kicad_pcb": {"footprints": 142, "pads": 601, "smd_pads": 522},
    "esp32_poe/rev_b1_kicad5.kicad_pcb": {"footprints": 123},
}


@pytest.fixture(scope="module")
def real(boards: Path) -> dict[str, Board]:
    return {name: read_board(boards / name) for name in REAL}


@pytest.mark.parametrize("name", REAL)
def test_real_boards_have_the_published_counts(real: dict[str, Board], name: str) -> None:
    board = real[name]
    assert {k: board.counts[k] for k in REAL[name]} == REAL[name]
    assert sum(len(c.pads) for c in board.components) == board.counts["pads"]
    assert board.notes == ()
    assert check(board) is board


def test_real_outlines(real: dict[str, Board]) -> None:
    """25 × 25 mm with one corner of radius 1.5 mm; 28 × 80 mm and 28 × 75 mm with a trapezoid cut out of the left edge."""
    corner = 1.5**2 * (1 - math.pi / 4)
    assert real["rp2040_stamp/rp2040_stamp.kicad_pcb"].outline.area * 1e6 == pytest.approx(25 * 25 - corner, abs=0.002)
    notch = 1.163 * ((17.496 - 6.32) + (16.353 - 7.463)) / 2
    assert real["esp32_poe/rev_m1.kicad_pcb"].outline.area * 1e6 == pytest.approx(28 * 80 - notch, rel=1e-9)
    assert real["esp32_poe/rev_b1_kicad5.kicad_pcb"].size == pytest.approx((28e-3, 75e-3))


def test_real_thickness_stack_and_colour(real: dict[str, Board]) -> None:
    stamp, poe = real["rp2040_stamp/rp2040_stamp.kicad_pcb"], real["esp32_poe/rev_m1.kicad_pcb"]
    assert (stamp.thickness, poe.thickness) == pytest.approx((1.0e-3, 1.6e-3))
    assert [s.name for s in stamp.stackup if s.kind == "copper"] == ["F.Cu", "In1.Cu", "In2.Cu", "B.Cu"]
    assert sum(s.thickness for s in stamp.stackup) == pytest.approx(1.0e-3)
    assert stamp.colors == {"mask": "Green"}
    assert [a.name for a in poe.layers if a.kind == "copper"] == ["F.Cu", "In1.Cu", "In2.Cu", "B.Cu"]


def test_real_fiducials_and_unplaced_parts(real: dict[str, Board]) -> None:
    poe = real["esp32_poe/rev_m1.kicad_pcb"]
    assert sorted((f.reference, f.side) for f in poe.fiducials) == [
        (f"FID{i}", "front" if i < 4 else "back") for i in range(1, 7)
    ]
    assert {f.diameter for f in poe.fiducials} == {1e-3}
    unplaced = {c.reference for c in poe.components if not c.placed}
    assert {"R44", "C21", "EXT1", "MH1", "FID1"} <= unplaced and not unplaced & {"U6", "R4", "LAN_CON1"}


@pytest.mark.parametrize("name", REAL)
def test_turning_twice_is_the_identity(real: dict[str, Board], name: str) -> None:
    board = real[name]
    again = board.seen_from("back").seen_from("back")
    for a, b in zip(board.components, again.components, strict=True):
        assert (a.reference, a.side) == (b.reference, b.side)
        assert (b.x, b.y) == pytest.approx((a.x, a.y), abs=1e-12) and math.isclose(math.cos(a.angle - b.angle), 1)
        for p, q in zip(a.pads, b.pads, strict=True):
            assert (q.x, q.y, q.front, q.back) == (pytest.approx(p.x, abs=1e-12), p.y, p.front, p.back)
    assert again.outline.equals_exact(board.outline, 1e-12)


@pytest.mark.parametrize("name", REAL)
def test_pads_lie_on_their_copper_and_follow_the_components_angle(real: dict[str, Board], name: str) -> None:
    """Every pad's outline is covered by its layers' copper; a back part seen from the back turns like a front one."""
    board = real[name]
    for side in ("front", "back"):
        copper = board.layer("copper", side)
        assert copper is not None
        tree = shapely.STRtree(copper.shapes)
        pads = [p for c in board.components for p in c.pads if (p.front if side == "front" else p.back)]
        hits = np.unique(tree.query([p.outline for p in pads], predicate="intersects")[0])
        assert len(hits) == len(pads) > 50
    # same package, different angle or side: pads in the part's own frame agree once the board is turned to the part
    frames: dict[str, list[np.ndarray]] = {}
    for part, turned in zip(board.components, board.seen_from("back").components, strict=True):
        seen = turned if part.side == "back" else part
        spots = np.array([(p.x - seen.x, p.y - seen.y) for p in seen.pads if p.front]).reshape(-1, 2)
        cos, sin = math.cos(-seen.angle), math.sin(-seen.angle)
        frames.setdefault(part.package, []).append(spots @ np.array([[cos, sin], [-sin, cos]]))
    compared = 0
    for package, spots in frames.items():
        for other in spots[1:]:
            if len(other) and other.shape == spots[0].shape and "Fiducial" not in package:
                assert cKDTree(spots[0]).query(other)[0].max() < 2e-6, package
                compared += 1
    assert compared > 10


def test_frame_origin_and_direction(tmp_path: Path) -> None:
    """KiCad (105, 105) on a board from (100, 100) to (120, 110) is 5 mm right of and 5 mm above the lower left corner."""
    board = read(tmp_path)
    assert board.size == pytest.approx((20e-3, 10e-3)) and board.outline.bounds[:2] == pytest.approx((0, 0))
    part = board.components[0]
    assert (part.reference, part.value, part.package, part.library, part.side, part.placed) == (
        "R1",
        "10k",
        "R_0603",
        "Lib",
        "front",
        True,
    )
    assert (part.x, part.y) == pytest.approx((5e-3, 5e-3))
    assert [(p.number, p.net) for p in part.pads] == [("1", "GND"), ("2", "VCC")]
    assert part.pads[0].x == pytest.approx(4.2e-3) and part.pads[1].x == pytest.approx(5.8e-3)
    assert area(board, "F.Cu") == pytest.approx(2 * 0.8 * 0.9) and area(board, "F.Paste") == pytest.approx(2 * 0.8 * 0.9)
    assert part.pads[0].paste_area * 1e6 == pytest.approx(0.72)


@pytest.mark.parametrize("angle", [0, 30, 90, 180, -45])
def test_angles_are_counter_clockwise_seen_from_the_front(tmp_path: Path, angle: float) -> None:
    """A pad at +x of a footprint turned by φ lies at (cos φ, sin φ) with y up; its absolute angle includes the footprint's."""
    part = f"""(footprint "P" (layer "F.Cu") (at 110 105 {angle}) (property "Reference" "U1" (at 0 0) (layer "F.Fab"))
      (pad "1" smd rect (at 2 0 {angle}) (size 1 0.5) (layers "F.Cu")))"""
    component = read(tmp_path, parts=part).components[0]
    pad = component.pads[0]
    phi = math.radians(angle)
    assert component.angle == pytest.approx(phi) and pad.angle == pytest.approx(phi)
    assert ((pad.x - component.x) * 1e3, (pad.y - component.y) * 1e3) == pytest.approx((2 * math.cos(phi), 2 * math.sin(phi)))
    long_axis = np.ptp(np.array(pad.outline.exterior.coords), axis=0) * 1e3
    expected = (abs(math.cos(phi)) + 0.5 * abs(math.sin(phi)), abs(math.sin(phi)) + 0.5 * abs(math.cos(phi)))
    assert long_axis == pytest.approx(expected)


def test_a_part_on_the_back_is_stored_mirrored(tmp_path: Path) -> None:
    """pcbnew writes a flipped footprint with y negated: pad 3, above on the front, is below before the board is turned."""

    def part(side: str, y: float) -> str:
        return f"""(footprint "SOT" (layer "{side}.Cu") (at 110 105 0) (property "Reference" "Q{side}" (at 0 0) (layer "{side}.Fab"))
          (pad "1" smd rect (at -1 {-y}) (size 0.5 0.5) (layers "{side}.Cu")) (pad "3" smd rect (at 0 {y}) (size 0.5 0.5) (layers "{side}.Cu")))"""

    board = read(tmp_path, parts=part("F", -1) + part("B", 1))
    front, back = board.components
    assert (front.pads[1].front, back.pads[1].front, back.pads[1].back) == (True, False, True)
    assert front.pads[1].y - front.y == pytest.approx(1e-3) and back.pads[1].y - back.y == pytest.approx(-1e-3)
    turned = next(c for c in board.seen_from("back").components if c.reference == "QB")
    assert turned.side == "front" and turned.x == pytest.approx(10e-3)
    # the file's angle 0 on the back is a part whose +x axis points left once the board is turned over; then it looks as on the front
    cos, sin = math.cos(turned.angle), math.sin(turned.angle)
    offset = np.array([turned.pads[1].x - turned.x, turned.pads[1].y - turned.y])
    assert offset @ np.array([[cos, -sin], [sin, cos]]) == pytest.approx([0, 1e-3], abs=1e-12)
    assert turned.pads[1].front


def test_graphics_of_every_kind(tmp_path: Path) -> None:
    """Areas of strokes and fills: line l·w + π w²/4, ring 2πr·w, disc π(r + w/2)², box with a border."""

    def gr(text: str, fill: str = "none") -> str:
        return text[:-1] + f' (stroke (width 0.2) (type solid)) (fill {fill}) (layer "F.SilkS"))'

    cap = math.pi * 0.1**2
    cases = [
        (gr("(gr_line (start 101 101) (end 104 105))"), 5 * 0.2 + cap),
        (gr("(gr_circle (center 105 105) (end 107 105))"), 2 * math.pi * 2 * 0.2),
        (gr("(gr_circle (center 105 105) (end 107 105))", "solid"), math.pi * 2.1**2),
        (gr("(gr_circle (center 105 105) (end 107 105))", "yes"), math.pi * 2.1**2),
        (gr("(gr_rect (start 101 101) (end 104 105))", "solid"), 12 + 14 * 0.1 + cap),
        (gr("(gr_rect (start 101 101) (end 104 105))"), 14 * 0.2 + cap - 4 * 0.1**2),
        (gr("(gr_arc (start 107 105) (mid 105 103) (end 103 105))"), math.pi * 2 * 0.2 + cap),
        (gr("(gr_poly (pts (xy 101 101) (xy 105 101) (xy 101 104)))", "solid"), 6 + 12 * 0.1 + cap),
        (gr("(gr_curve (pts (xy 101 101) (xy 102 101) (xy 103 101) (xy 104 101)))"), 3 * 0.2 + cap),
    ]
    for text, expected in cases:
        assert area(read(tmp_path, text), "F.SilkS") == pytest.approx(expected, rel=2e-3), text


def test_arcs_in_both_spellings_are_one_arc(tmp_path: Path) -> None:
    """KiCad 5 and 6's beginnings: ``start`` is the centre, ``end`` the first point, ``angle`` clockwise on the screen."""
    new = read(tmp_path, '(gr_arc (start 107 105) (mid 105 107) (end 103 105) (stroke (width 0.2)) (layer "F.SilkS"))')
    old = read(tmp_path, '(gr_arc (start 105 105) (end 107 105) (angle 180) (layer "F.SilkS") (width 0.2))')
    a, b = (x.layer("silk", "front").region() for x in (new, old))  # type: ignore[union-attr]
    assert a.symmetric_difference(b).area * 1e6 < 1e-4 and a.bounds[1] * 1e3 == pytest.approx(10 - 7.1, abs=1e-3)


def test_curves_keep_within_a_micrometre_of_the_truth() -> None:
    for radius in (0.05, 0.5, 3.0, 50.0):
        ring = circle(np.zeros(2), radius)
        middle = (ring + np.roll(ring, -1, axis=0)) / 2
        assert np.hypot(*ring.T) == pytest.approx(radius) and radius - np.hypot(*middle.T).min() <= 1.0e-3
    arc = arc_through(np.array([3.0, 0]), np.array([0, 3.0]), np.array([-3.0, 0]))
    assert np.hypot(*arc.T) == pytest.approx(3.0) and arc[:, 1].max() == pytest.approx(3.0, abs=1e-3)
    assert len(arc_through(np.array([0.0, 0]), np.array([1.0, 0]), np.array([2.0, 0]))) == 2
    # the classic Bézier quarter circle is 2.7e-4 off the circle
    k = 0.5522847498
    quarter = bezier(np.array([[1, 0], [1, k], [k, 1], [0, 1]]) * 10)
    assert np.abs(np.hypot(*quarter.T) - 10).max() < 10 * 2.8e-4


def test_tracks_arcs_and_vias(tmp_path: Path) -> None:
    items = [
        '(segment (start 101 101) (end 105 101) (width 0.25) (layer "F.Cu") (net 1))',
        '(arc (start 110 102) (mid 111 103) (end 112 102) (width 0.25) (layer "B.Cu") (net 1))',
        '(via (at 103 108) (size 0.6) (drill 0.3) (layers "F.Cu" "B.Cu") (net 1))',
    ]
    board = read(tmp_path, *items, parts=R1)
    via = [d for d in board.drills if d.via]
    assert [(d.x, d.y, d.diameter, d.plated) for d in via] == [
        (pytest.approx(3e-3), pytest.approx(2e-3), pytest.approx(0.3e-3), True)
    ]
    front = 4 * 0.25 + math.pi * 0.125**2 + math.pi * 0.3**2 + 2 * 0.72
    back = math.pi * 0.25 + math.pi * 0.125**2 + math.pi * 0.3**2
    assert (area(board, "F.Cu"), area(board, "B.Cu")) == (pytest.approx(front, rel=2e-3), pytest.approx(back, rel=2e-3))
    assert area(board, "F.Mask") == pytest.approx(1.44)  # vias are covered


@pytest.mark.parametrize(
    ("setup", "version", "opened"),
    [
        ("(pcbplotparams (viasonmask true))", 20221018, (1, 1)),
        ("(pcbplotparams (viasonmask false))", 20221018, (0, 0)),
        ("(tenting front)", 20241229, (0, 1)),
        ("(tenting none)", 20241229, (1, 1)),
        ("(tenting front back)", 20241229, (0, 0)),
        ("(tenting (front yes) (back no))", 20250907, (0, 1)),
    ],
)
def test_vias_under_mask(tmp_path: Path, setup: str, version: int, opened: tuple[int, int]) -> None:
    via = '(via (at 103 108) (size 0.6) (drill 0.3) (layers "F.Cu" "B.Cu") (net 1))'
    board = read(tmp_path, via, setup=setup, version=version)
    dot = math.pi * 0.3**2
    assert area(board, "F.Mask") == pytest.approx(1.44 + opened[0] * dot, rel=3e-3)
    assert area(board, "B.Mask") == pytest.approx(opened[1] * dot, rel=1e-2, abs=1e-9)


def test_blind_vias_keep_copper_and_are_reported(tmp_path: Path) -> None:
    layers = LAYERS.replace('(31 "B.Cu" signal)', '(1 "In1.Cu" signal) (2 "In2.Cu" signal) (31 "B.Cu" signal)')
    board = read(tmp_path, '(via blind (at 103 108) (size 0.6) (drill 0.3) (layers "F.Cu" "In1.Cu") (net 1))', layers=layers)
    assert area(board, "In1.Cu") == pytest.approx(math.pi * 0.09, rel=1e-2) and area(board, "B.Cu") == 0
    assert not board.drills and any("blind" in n for n in board.notes)


def test_zones_with_and_without_a_border(tmp_path: Path) -> None:
    def zone(extra: str) -> str:
        return f"""(zone (net 1) (net_name "GND") (layer "B.Cu") (min_thickness 0.2) {extra} (fill yes) (polygon (pts (xy 101 101) (xy 105 101) (xy 105 105)))
          (filled_polygon {'(layer "B.Cu")' if extra else ""} (pts (xy 101 101) (xy 105 101) (xy 105 104) (xy 101 104))))"""

    assert area(read(tmp_path, zone("(filled_areas_thickness no)")), "B.Cu") == pytest.approx(12)
    assert area(read(tmp_path, zone("")), "B.Cu") == pytest.approx(12 + 14 * 0.1 + math.pi * 0.01, rel=1e-3)
    empty = '(zone (net 1) (layer "B.Cu") (min_thickness 0.2) (polygon (pts (xy 101 101) (xy 105 101) (xy 105 105))))'
    assert any("not filled" in n for n in read(tmp_path, empty).notes)
    keepout = empty.replace("(min_thickness 0.2)", "(keepout (tracks not_allowed))")
    assert read(tmp_path, keepout).notes == ()


def test_a_zone_with_a_slit_keeps_its_hole(tmp_path: Path) -> None:
    """pcbnew joins holes to the border with a slit of no width: the ring touches itself and is no valid polygon."""
    ring = "(xy 101 101) (xy 109 101) (xy 109 109) (xy 101 109) (xy 101 105) (xy 103 105) (xy 103 107) (xy 107 107) (xy 107 103) (xy 103 103) (xy 103 105) (xy 101 105)"
    zone = f'(zone (net 1) (layer "B.Cu") (filled_areas_thickness no) (filled_polygon (layer "B.Cu") (pts {ring})))'
    board = read(tmp_path, zone)
    assert all(s.is_valid for s in board.layer("copper", "back").shapes)  # type: ignore[union-attr]
    assert area(board, "B.Cu") == pytest.approx(64 - 16)


def test_unknown_items_are_reported_once_per_kind(tmp_path: Path) -> None:
    board = read(tmp_path, "(hologram (at 1 2))", "(hologram)", parts=R1[:-1] + " (spell 3))")
    assert [n for n in board.notes if "not read" in n] == ["2 × (hologram …) not read", "1 × (spell …) not read"]


def test_bad_numbers_name_file_line_and_item(tmp_path: Path) -> None:
    text = board_text('(segment (start 1 x) (end 2 2) (width 0.1) (layer "F.Cu"))')
    line = text[: text.index("(start 1 x)")].count("\n") + 1
    with pytest.raises(SceneError, match=rf"board.kicad_pcb:{line}: cannot read \(start 1 x\)"):
        read_text(tmp_path, text)
    for broken in (
        "(pad)",
        '(pad "1" smd rect)',
        '(pad "1" smd rect (at))',
        '(pad "1" smd custom (at 0 0) (size 1 1) (layers "F.Cu") (primitives (gr_poly (pts (xy 1)))))',
        '(fp_line (start 0 0) (layer "F.SilkS"))',
        "(model)",
        '(fp_arc (start 0 0) (end 1 1) (layer "F.SilkS"))',
    ):
        with pytest.raises(SceneError, match="cannot read"):
            read(tmp_path, parts=R1[:-1] + broken + ")")


def test_no_footprint_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="no footprint found"):
        read(tmp_path, parts="")


def test_a_part_outside_the_outline_is_named(tmp_path: Path) -> None:
    away = R1.replace("(at 105 105 0)", "(at 150 105 0)")
    with pytest.raises(
        SceneError, match=r"board\.kicad_pcb: R1 \(R_0603\) lies outside the outline, at x 50\.000 mm, y 5\.000 mm"
    ):
        check(read(tmp_path, parts=away))
    check(read(tmp_path, parts=away.replace("(attr smd)", "(attr smd dnp)")))  # not placed: nobody minds
    check(read(tmp_path, parts=R1.replace("(at 105 105 0)", "(at 120 105 0)")))  # reaches over the edge


@pytest.mark.parametrize(
    ("attr", "value", "package", "placed"),
    [
        ("smd", "10k", "R_0603", True),
        ("through_hole", "HDR", "PinHeader", True),
        ("smd dnp", "10k", "R_0603", False),
        ("smd exclude_from_pos_files", "x", "Y", False),
        ("virtual", "x", "Y", False),
        ("board_only exclude_from_bom", "x", "Y", False),
        ("smd", "DNP", "R_0603", False),
        ("smd", "NA(10k/R0402)", "R_0603", False),
        ("smd", "NA/R0402", "R_0603", False),
        ("smd", "NC7SZ125", "SOT-23-5", True),
        ("smd", "NS", "R_0603", False),
        ("smd", "NPN", "SOT-23", True),
        ("smd", "x", "Fiducial_1mm", False),
        ("smd", "x", "TestPoint_Pad_D1.0mm", False),
    ],
)
def test_what_is_placed(tmp_path: Path, attr: str, value: str, package: str, placed: bool) -> None:
    part = R1.replace("(attr smd)", f"(attr {attr})").replace("10k", value).replace("Lib:R_0603", f"Lib:{package}")
    assert read(tmp_path, parts=part).components[0].placed is placed


def test_footprints_without_pads_give_artwork_only(tmp_path: Path) -> None:
    logo = """(footprint "Logo" (layer "F.Cu") (at 110 105) (property "Reference" "G1" (at 0 0) (layer "F.Fab"))
      (fp_poly (pts (xy 0 0) (xy 2 0) (xy 2 1) (xy 0 1)) (stroke (width 0) (type solid)) (fill solid) (layer "F.SilkS")))"""
    board = read(tmp_path, logo)
    assert [c.reference for c in board.components] == ["R1"] and board.counts["footprints"] == 2
    assert area(board, "F.SilkS") == pytest.approx(2)


def test_fiducials_by_property_or_name(tmp_path: Path) -> None:
    def dot(name: str, prop: str) -> str:
        return f"""(footprint "{name}" (layer "F.Cu") (at 110 105) (property "Reference" "M1" (at 0 0) (layer "F.Fab"))
          (pad "" smd circle (at 0 0) (size 1 1) (layers "F.Cu" "F.Mask") {prop} (solder_mask_margin 0.5)))"""

    for text in (dot("Dot", "(property pad_prop_fiducial_glob)"), dot("Fiducial_1mm_Mask2mm", "")):
        board = read(tmp_path, parts=text)
        (mark,) = board.fiducials
        assert (mark.x, mark.y, mark.diameter, mark.side) == (
            pytest.approx(10e-3),
            pytest.approx(5e-3),
            pytest.approx(1e-3),
            "front",
        )
        assert not board.components[0].placed and area(board, "F.Mask") == pytest.approx(math.pi, rel=2e-3)
    assert read(tmp_path, parts=dot("Dot", "")).fiducials == ()


def test_references_become_unique(tmp_path: Path) -> None:
    board = read(tmp_path, R1, R1)
    assert [c.reference for c in board.components] == ["R1", "R1#2", "R1#3"] and any(
        "share a reference" in n for n in board.notes
    )


def test_models_and_courtyard(tmp_path: Path) -> None:
    extra = """(fp_line (start -1 -1) (end 1 -1) (layer "F.CrtYd") (width 0.05)) (fp_line (start 1 -1) (end 1 1) (layer "F.CrtYd") (width 0.05))
      (fp_line (start 1 1) (end -1 1) (layer "F.CrtYd") (width 0.05)) (fp_line (start -1 1) (end -1 -1) (layer "F.CrtYd") (width 0.05))
      (model "${KICAD8_3DMODEL_DIR}/R.wrl" (offset (xyz 1 2 3)) (scale (xyz 1 1 2)) (rotate (xyz 0 0 90)))
      (model old.wrl (at (xyz 1 0 0)) (scale (xyz 1 1 1)) (rotate (xyz 0 0 0)))"""
    part = read(tmp_path, parts=R1[:-1] + extra + ")").components[0]
    assert (
        part.courtyard is not None
        and part.courtyard.area * 1e6 == pytest.approx(4)
        and part.courtyard.centroid.x == pytest.approx(5e-3)
    )
    new, old = part.models
    assert (
        new.path == "${KICAD8_3DMODEL_DIR}/R.wrl" and new.offset == pytest.approx((1e-3, 2e-3, 3e-3)) and new.scale == (1, 1, 2)
    )
    assert new.rotation == pytest.approx((0, 0, math.pi / 2)) and old.offset == pytest.approx((25.4e-3, 0, 0))


def test_kicad_5_file_is_translated(tmp_path: Path) -> None:
    """Unquoted atoms, ``module``, ``fp_text``, names of copper layers, old arcs, a net class."""
    text = """(kicad_pcb (version 20171130) (host pcbnew 5.1.0) (general (thickness 1.2) (modules 1))
      (page A4) (layers (0 Top signal) (31 Bottom signal) (36 B.SilkS user) (37 F.SilkS user) (38 B.Mask user) (39 F.Mask user) (44 Edge.Cuts user))
      (setup (pad_to_mask_clearance 0.1) (aux_axis_origin 0 0)) (net 0 "") (net 1 GND) (net_class Default "" (via_dia 0.8) (via_drill 0.4))
      (module Lib:R_0603 (layer Top) (tedit 5B6) (at 105 105 90) (attr smd)
        (fp_text reference R1 (at 0 0 90) (layer F.SilkS) hide (effects (font (size 1 1) (thickness 0.15))))
        (fp_text value 4.7k (at 0 0 90) (layer F.Fab) (effects (font (size 1 1) (thickness 0.15))))
        (fp_circle (center 0 0) (end 1 0) (layer F.SilkS) (width 0.1))
        (pad 1 smd rect (at -0.8 0 90) (size 0.8 0.9) (layers Top F.Mask) (net 1 GND)))
      (gr_line (start 100 100) (end 120 100) (angle 90) (layer Edge.Cuts) (width 0.1)) (gr_line (start 120 100) (end 120 110) (layer Edge.Cuts) (width 0.1))
      (gr_line (start 120 110) (end 101 110) (layer Edge.Cuts) (width 0.1)) (gr_line (start 100 109) (end 100 100) (layer Edge.Cuts) (width 0.1))
      (gr_arc (start 101 109) (end 101 110) (angle 90) (layer Edge.Cuts) (width 0.1))
      (via (at 110 105) (size 0.8) (layers Top Bottom) (net 1)))"""
    board = read_text(tmp_path, text)
    part = board.components[0]
    assert (board.format, board.thickness, part.value, part.reference) == ("kicad 20171130", pytest.approx(1.2e-3), "4.7k", "R1")
    assert board.outline.area * 1e6 == pytest.approx(200 - (1 - math.pi / 4), abs=1e-3)
    assert part.pads[0].front and part.pads[0].net == "GND" and part.pads[0].y == pytest.approx(4.2e-3)
    assert area(board, "F.Mask") == pytest.approx(1.0 * 1.1)  # KiCad 5 keeps corners sharp
    assert [d.diameter for d in board.drills] == [pytest.approx(0.4e-3)] and board.notes == ()
    assert board.layer("silk", "front").shapes and EDGE  # type: ignore[union-attr]


def test_text_is_drawn_and_hidden_text_is_not(tmp_path: Path) -> None:
    """The height of a capital is the font's size within one pen; mirrored text lies on the other side of its anchor."""
    text = '(gr_text "H" (at 110 105 {a}) (layer "{l}") (effects (font (size 2 2) (thickness 0.2)) (justify left{m})))'
    board = read(tmp_path, text.format(a=0, l="F.SilkS", m=""), text.format(a=0, l="B.SilkS", m=" mirror"))
    front, back = (board.layer("silk", s).region() for s in ("front", "back"))  # type: ignore[union-attr,arg-type]
    assert (front.bounds[3] - front.bounds[1]) * 1e3 == pytest.approx(2 + 0.2, abs=0.02)
    assert front.bounds[0] > 10e-3 and back.bounds[2] < 10e-3
    assert (front.bounds[0] - 10e-3) == pytest.approx(10e-3 - back.bounds[2], abs=1e-9)
    turned = read(tmp_path, text.format(a=90, l="F.SilkS", m="")).layer("silk", "front").region()  # type: ignore[union-attr]
    assert turned.bounds[1] > 5e-3 and (turned.bounds[2] - turned.bounds[0]) * 1e3 == pytest.approx(2.2, abs=0.02)
    for hidden in ("hide", "(hide yes)"):
        assert (
            read(tmp_path, f'(gr_text "H" (at 110 105) (layer "F.SilkS") (effects (font (size 2 2)) {hidden}))')
            .layer("silk", "front")
            .shapes
            == ()
        )  # type: ignore[union-attr]


def test_variables_knockout_and_outline_fonts(tmp_path: Path) -> None:
    user = '(fp_text user "{t}" (at 0 0) (layer "F.SilkS") (effects (font (size 1 1) (thickness 0.15))))'
    areas = [area(read(tmp_path, parts=R1[:-1] + user.format(t=t) + ")"), "F.SilkS") for t in ("${REFERENCE}", "%R", "R1")]
    assert areas[0] == areas[1] == areas[2] > 0
    plain = '(gr_text "X" (at 110 105) (layer "F.SilkS"{k}) (effects (font (size 2 2) (thickness 0.3))){c})'
    ink = area(read(tmp_path, plain.format(k="", c="")), "F.SilkS")
    board = read(tmp_path, plain.format(k=" knockout", c=""))
    plate = shapely.box(*board.layer("silk", "front").region().bounds).area * 1e6  # type: ignore[union-attr]
    assert area(board, "F.SilkS") == pytest.approx(plate - ink, rel=1e-3)
    cached = '(render_cache "X" 0 (polygon (pts (xy 110 105) (xy 112 105) (xy 112 106) (xy 110 106)) (pts (xy 110.5 105.2) (xy 111 105.2) (xy 111 105.6))))'
    assert area(read(tmp_path, plain.format(k="", c=cached)), "F.SilkS") == pytest.approx(2 - 0.1)
