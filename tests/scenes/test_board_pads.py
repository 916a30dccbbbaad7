"""Pads: copper, mask and paste of every shape against closed forms."""
# ruff: noqa: E501 (board files and tables as text)

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kicad_snippets import area, read

from scenes.board.kicad_pads import PadForm, pad_outline
from scenes.board.model import Board, Pad


def one(tmp_path: Path, pad: str, footprint: str = "", **options: object) -> tuple[Board, Pad]:
    part = (
        f"""(footprint "P" (layer "F.Cu") (at 110 105) {footprint} (property "Reference" "U1" (at 0 0) (layer "F.Fab")) {pad})"""
    )
    board = read(tmp_path, parts=part, **options)
    return board, board.components[0].pads[0]


LAY = '(layers "F.Cu" "F.Paste" "F.Mask")'


@pytest.mark.parametrize(
    ("pad", "shape", "expected"),
    [
        (f'(pad "1" smd rect (at 0 0) (size 2 1) {LAY})', "rect", 2.0),
        (f'(pad "1" smd circle (at 0 0) (size 2 2) {LAY})', "circle", math.pi),
        (f'(pad "1" smd oval (at 0 0) (size 2 1) {LAY})', "oval", 1 + math.pi / 4),
        (f'(pad "1" smd oval (at 0 0) (size 1 2) {LAY})', "oval", 1 + math.pi / 4),
        (f'(pad "1" smd roundrect (at 0 0) (size 2 1) {LAY} (roundrect_rratio 0.25))', "roundrect", 2 - (4 - math.pi) * 0.25**2),
        (f'(pad "1" smd roundrect (at 0 0) (size 2 1) {LAY} (roundrect_rratio 0.5))', "roundrect", 1 + math.pi / 4),
        (f'(pad "1" smd trapezoid (at 0 0) (size 2 1) (rect_delta 0 0.4) {LAY})', "trapezoid", 2.0),
        (
            f'(pad "1" smd roundrect (at 0 0) (size 2 1) {LAY} (roundrect_rratio 0) (chamfer_ratio 0.2) (chamfer top_left bottom_right))',
            "polygon",
            2 - 0.2**2,
        ),
        (
            f'(pad "1" smd custom (at 0 0) (size 1 1) {LAY} (options (clearance outline) (anchor rect)) (primitives (gr_poly (pts (xy 0 0) (xy 3 0) (xy 3 0.5) (xy 0 0.5)) (width 0) (fill yes))))',
            "polygon",
            1 + 2.5 * 0.5,
        ),
        (
            f'(pad "1" smd custom (at 0 0) (size 1 1) {LAY} (options (anchor circle)) (primitives (gr_line (start 0 0) (end 3 0) (width 1))))',
            "polygon",
            3 + math.pi / 4,
        ),
    ],
)
def test_copper_paste_and_mask_areas(tmp_path: Path, pad: str, shape: str, expected: float) -> None:
    board, read_back = one(tmp_path, pad)
    assert read_back.shape == shape and read_back.kind == "smd" and read_back.front and not read_back.back
    for layer in ("F.Cu", "F.Paste", "F.Mask"):
        assert area(board, layer) == pytest.approx(expected, rel=3e-3), layer
    assert read_back.outline.area * 1e6 == pytest.approx(expected, rel=3e-3)
    assert read_back.paste_area * 1e6 == pytest.approx(expected, rel=3e-3)


def test_trapezoid_and_chamfer_lean_the_right_way(tmp_path: Path) -> None:
    """KiCad: rect_delta's second number widens the upper edge on the screen … by as much as it narrows the lower one."""
    _, pad = one(tmp_path, f'(pad "1" smd trapezoid (at 0 0) (size 2 1) (rect_delta 0 0.4) {LAY})')
    corners = sorted((round((x - pad.x) * 1e3, 3), round((y - pad.y) * 1e3, 3)) for x, y in pad.outline.exterior.coords[:-1])
    assert corners == [(-1.2, -0.5), (-0.8, 0.5), (0.8, 0.5), (1.2, -0.5)]
    _, cut = one(
        tmp_path, f'(pad "1" smd roundrect (at 0 0) (size 2 1) {LAY} (roundrect_rratio 0) (chamfer_ratio 0.2) (chamfer top_left))'
    )
    points = {(round((x - cut.x) * 1e3, 3), round((y - cut.y) * 1e3, 3)) for x, y in cut.outline.exterior.coords}
    assert (-1.0, 0.5) not in points and {(1.0, 0.5), (1.0, -0.5), (-1.0, -0.5)} <= points  # top is up, y is up


@pytest.mark.parametrize(
    ("pad_extra", "footprint", "setup", "mask", "paste"),
    [
        ("", "", "(pad_to_mask_clearance 0.1)", 0.1, 0.0),
        ("", "(solder_mask_margin 0.2)", "(pad_to_mask_clearance 0.1)", 0.2, 0.0),
        ("(solder_mask_margin 0.05)", "(solder_mask_margin 0.2)", "(pad_to_mask_clearance 0.1)", 0.05, 0.0),
        ("", "", "(pad_to_paste_clearance -0.1)", 0.0, -0.1),
        ("(solder_paste_margin -0.05)", "(solder_paste_margin -0.2)", "", 0.0, -0.05),
    ],
)
def test_margins_pad_before_footprint_before_board(
    tmp_path: Path, pad_extra: str, footprint: str, setup: str, mask: float, paste: float
) -> None:
    board, _ = one(tmp_path, f'(pad "1" smd rect (at 0 0) (size 2 1) {LAY} {pad_extra})', footprint, setup=setup)
    assert area(board, "F.Mask") == pytest.approx(2 + 6 * mask + math.pi * mask**2, rel=2e-3)
    assert area(board, "F.Paste") == pytest.approx((2 + 2 * paste) * (1 + 2 * paste), rel=1e-6)


def test_paste_ratio_is_per_axis(tmp_path: Path) -> None:
    """−10 % of each side's length on both ends: 2 × 1 becomes 1.6 × 0.8."""
    board, pad = one(tmp_path, f'(pad "1" smd rect (at 0 0) (size 2 1) {LAY} (solder_paste_margin_ratio -0.1))')
    assert area(board, "F.Paste") == pytest.approx(1.6 * 0.8) and pad.paste_area * 1e6 == pytest.approx(1.28)


def test_apertures_without_copper(tmp_path: Path) -> None:
    """A thermal land with two windows: the windows print, the land knows how much of it; they ignore the margins."""
    pads = """(pad "9" smd rect (at 0 0) (size 4 4) (layers "F.Cu" "F.Mask")) (pad "" smd rect (at -1 0) (size 1.5 3) (layers "F.Paste"))
      (pad "" smd rect (at 1 0) (size 1.5 3) (layers "F.Paste"))"""
    board, land = one(tmp_path, pads, "(solder_paste_margin -0.1)")
    windows = board.components[0].pads[1:]
    assert area(board, "F.Paste") == pytest.approx(9) and area(board, "F.Cu") == pytest.approx(16)
    assert land.paste and land.paste_area * 1e6 == pytest.approx(9)
    assert all(not w.front and not w.back and w.paste and not w.mask for w in windows) and board.counts["smd_pads"] == 3


def test_holes_slots_and_offsets(tmp_path: Path) -> None:
    board, pad = one(
        tmp_path, '(pad "1" thru_hole oval (at 0 0 90) (size 2 1) (drill oval 1.2 0.6 (offset 0.5 0)) (layers "*.Cu" "*.Mask"))'
    )
    (hole,) = board.drills
    assert (hole.diameter, hole.length, hole.plated) == (pytest.approx(0.6e-3), pytest.approx(1.2e-3), True)
    assert hole.angle == pytest.approx(math.pi / 2) and (hole.x, hole.y) == pytest.approx((10e-3, 5e-3))
    assert (pad.kind, pad.front, pad.back, pad.drill) == ("through", True, True, hole)
    assert (pad.x, pad.y) == pytest.approx((10e-3, 5.5e-3))  # the shape moves along the pad's own x, which points up
    _, tall = one(tmp_path, '(pad "1" thru_hole oval (at 0 0) (size 1 2) (drill oval 0.6 1.2) (layers "*.Cu" "*.Mask"))')
    assert (
        tall.drill is not None and tall.drill.angle == pytest.approx(math.pi / 2) and tall.drill.length == pytest.approx(1.2e-3)
    )


def test_unplated_holes_have_no_copper(tmp_path: Path) -> None:
    board, pad = one(tmp_path, '(pad "" np_thru_hole circle (at 0 0) (size 2 2) (drill 2) (layers "*.Cu" "*.Mask"))')
    assert pad.kind == "npth" and not pad.front and not pad.back and not board.drills[0].plated and not board.components[0].placed
    assert area(board, "F.Cu") == 0 and area(board, "F.Mask") == pytest.approx(math.pi, rel=2e-3)
    ringed, pad = one(tmp_path, '(pad "" np_thru_hole circle (at 0 0) (size 3 3) (drill 2) (layers "*.Cu" "*.Mask"))')
    assert pad.front and area(ringed, "F.Cu") == pytest.approx(math.pi * 2.25, rel=2e-3)


def test_castellations_and_edge_fingers(tmp_path: Path) -> None:
    _, half = one(
        tmp_path,
        '(pad "1" thru_hole circle (at 0 0) (size 1 1) (drill 0.6) (property pad_prop_castellated) (layers "*.Cu" "*.Mask"))',
    )
    _, finger = one(tmp_path, '(pad "1" connect rect (at 0 0) (size 1 4) (layers "F.Cu" "F.Mask"))')
    assert half.kind == finger.kind == "edge" and half.drill is not None and not finger.paste


def test_pad_stacks_of_kicad_9(tmp_path: Path) -> None:
    pad = """(pad "1" thru_hole circle (at 0 0) (size 2 2) (drill 0.8) (layers "*.Cu" "*.Mask")
      (padstack (mode front_inner_back) (layer "Inner" (shape circle) (size 1.2 1.2)) (layer "B.Cu" (shape rect) (size 3 1))))"""
    layers = """(layers (0 "F.Cu" signal) (4 "In1.Cu" signal) (6 "In2.Cu" signal) (2 "B.Cu" signal) (1 "F.Mask" user) (3 "B.Mask" user) (25 "Edge.Cuts" user))"""
    board, _ = one(tmp_path, pad, layers=layers, version=20241229)
    assert [round(area(board, n), 2) for n in ("F.Cu", "In1.Cu", "In2.Cu", "B.Cu")] == pytest.approx(
        [math.pi, math.pi * 0.36, math.pi * 0.36, 3], abs=0.01
    )
    assert area(board, "B.Mask") == pytest.approx(3)


def test_thin_webs_of_mask_are_opened(tmp_path: Path) -> None:
    pads = '(pad "1" smd rect (at 0 0) (size 1 1) (layers "F.Mask" "F.Cu")) (pad "2" smd rect (at 1.1 0) (size 1 1) (layers "F.Mask" "F.Cu"))'
    assert area(one(tmp_path, pads, setup="(solder_mask_min_width 0)")[0], "F.Mask") == pytest.approx(2)
    assert area(one(tmp_path, pads, setup="(solder_mask_min_width 0.2)")[0], "F.Mask") == pytest.approx(2.1, rel=1e-3)


@settings(deadline=None)
@given(
    st.sampled_from(["circle", "rect", "oval", "roundrect"]),
    st.floats(0.05, 10, allow_subnormal=False),
    st.floats(0.05, 10, allow_subnormal=False),
    st.floats(0, 0.5, allow_subnormal=False),
    st.floats(-0.02, 0.3, allow_subnormal=False),
)
def test_grown_outlines_have_the_grown_size(shape: str, width: float, height: float, ratio: float, grow: float) -> None:
    """Whatever the shape, the bounding box of a grown pad is its size plus the margin on every side, within the chord error."""
    height = width if shape == "circle" else height
    ring = pad_outline(PadForm(shape, (width, height), ratio=ratio), (grow, grow))
    assert ring is not None
    extent = ring.max(axis=0) - ring.min(axis=0)
    assert extent == pytest.approx((width + 2 * grow, height + 2 * grow), abs=1e-9)
