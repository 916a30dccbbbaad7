"""The outline: loops, cut-outs, gaps. Areas from closed forms."""
# ruff: noqa: E501 (board files and tables as text)

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from kicad_snippets import R1, read

from scenes.board.outline import LARGEST_GAP, TOLERANCE, board_outline
from scenes.errors import SceneError


def outline(*lines: object) -> tuple[shapely.Geometry, list[str]]:
    return board_outline([np.array(p, float) for p in lines], "f", lambda p: f"{p[0]:.1f} {p[1]:.1f}")


def square(x: float, y: float, side: float) -> list[tuple[float, float]]:
    return [(x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y)]


def edges(ring: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    return [[a, b] for a, b in pairwise(ring)]


def test_holes_islands_and_several_boards() -> None:
    area, notes = outline(square(0, 0, 10), square(2, 2, 6), square(4, 4, 2), square(20, 0, 3))
    assert area.area == pytest.approx(100 - 36 + 4 + 9) and area.geom_type == "MultiPolygon" and notes == []


def test_a_line_through_the_board_splits_nothing() -> None:
    """A score line drawn on the edge layer from edge to edge: both halves are laminate."""
    assert outline(square(0, 0, 10), [(5, 0), (5, 10)])[0].area == pytest.approx(100)


@given(
    st.permutations(range(8)),
    st.lists(st.booleans(), min_size=8, max_size=8),
    st.lists(st.floats(-TOLERANCE / 4, TOLERANCE / 4, allow_subnormal=False), min_size=32, max_size=32),
)
@settings(max_examples=40, deadline=None)
def test_order_direction_and_small_gaps_do_not_matter(order: list[int], flips: list[bool], jitter: list[float]) -> None:
    lines = [*edges(square(0, 0, 10)), *edges(square(3, 3, 4))]
    moved = [np.array(p) + np.array(jitter[4 * i : 4 * i + 4]).reshape(2, 2) for i, p in enumerate(lines)]
    result, notes = outline(*[moved[i][::-1] if flips[i] else moved[i] for i in order])
    assert result.area == pytest.approx(84, abs=40 * TOLERANCE) and notes == [] and len(result.interiors) == 1


def test_a_gap_is_closed_and_reported_or_refused() -> None:
    ring = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]
    area, notes = outline(*edges(ring), [(0, 10), (0, 0.1)])
    assert area.area == pytest.approx(100, abs=1) and "gap" in notes[0]
    with pytest.raises(SceneError, match=r"f: the outline is open at (0\.0 \d+\.\d|10\.0 10\.0|0\.0 0\.0|10\.0 0\.0)"):
        outline(*edges(ring), [(0, 10), (0, 2 * LARGEST_GAP)])
    with pytest.raises(SceneError, match="no outline"):
        outline()
    with pytest.raises(SceneError, match="mm²"):
        outline(square(0, 0, 0.5))


def test_a_stray_line_inside_is_ignored_with_a_note() -> None:
    area, notes = outline(square(0, 0, 10), [(2, 2), (5, 5)])
    assert area.area == pytest.approx(100) and "open lines" in notes[0]


def test_arcs_lines_and_footprint_edges_make_one_board(tmp_path: Path) -> None:
    """A stadium with a round hole drawn on the board and a square one drawn in a footprint, partly turned."""
    edge = """(gr_line (start 102 100) (end 118 100) (layer "Edge.Cuts")) (gr_line (start 118 110) (end 102 110) (layer "Edge.Cuts"))
      (gr_arc (start 118 100) (mid 123 105) (end 118 110) (layer "Edge.Cuts")) (gr_arc (start 102 110) (mid 97 105) (end 102 100) (layer "Edge.Cuts"))
      (gr_circle (center 115 105) (end 117 105) (layer "Edge.Cuts"))"""
    slot = """(footprint "Slot" (layer "F.Cu") (at 107 107 45) (property "Reference" "H1" (at 0 0) (layer "F.Fab"))
      (fp_rect (start -1 -1) (end 1 1) (layer "Edge.Cuts")))"""
    board = read(tmp_path, slot, edge=edge, parts=R1)
    assert board.outline.area * 1e6 == pytest.approx(160 + 25 * math.pi - 4 * math.pi - 4, abs=0.03)
    assert board.size == pytest.approx((26e-3, 10e-3)) and len(board.outline.interiors) == 2
    hole = min((shapely.Polygon(r) for r in board.outline.interiors), key=lambda p: p.area)
    assert (hole.centroid.x * 1e3, hole.centroid.y * 1e3) == pytest.approx((10, 3), abs=1e-6)
    assert (hole.bounds[2] - hole.bounds[0]) * 1e3 == pytest.approx(2 * math.sqrt(2))


def test_an_open_outline_names_the_file_and_the_place(tmp_path: Path) -> None:
    edge = """(gr_line (start 100 100) (end 120 100) (layer "Edge.Cuts")) (gr_line (start 120 100) (end 120 110) (layer "Edge.Cuts"))
      (gr_line (start 120 110) (end 100 110) (layer "Edge.Cuts"))"""
    with pytest.raises(
        SceneError, match=r"board\.kicad_pcb: the outline is open at x 1[02]0\.000 mm, y 1[01]0\.000 mm; close it"
    ) as caught:
        read(tmp_path, edge=edge)
    assert "\n" not in str(caught.value)
