"""Panels: copies, rails, tabs, serial codes."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely
from kicad_snippets import R1, area, read

from scenes.board import read_board
from scenes.board.panel import TAB, panelise
from scenes.errors import SceneError
from scenes.scene import Panel


def test_copies_rails_and_references(tmp_path: Path) -> None:
    board = read(tmp_path)
    panel = panelise(board, Panel(2, 3, 2e-3, 5e-3, "SN{:04d}"))
    assert panel.size == pytest.approx((3 * 20e-3 + 2 * 2e-3, 2 * 10e-3 + 2e-3 + 2 * 7e-3))
    assert [c.reference for c in panel.components] == [f"R1@{r}-{c}" for r in range(2) for c in range(3)]
    last = panel.components[-1]
    assert (last.x, last.y) == pytest.approx((5e-3 + 2 * 22e-3, 5e-3 + 7e-3 + 12e-3))
    assert last.pads[0].outline.centroid.x == pytest.approx(last.pads[0].x) and last.pads[0].x == pytest.approx(4.2e-3 + 44e-3)
    assert panel.serial == "SN0001 SN0002 SN0003 SN0004 SN0005 SN0006" and panel.counts["pads"] == 12
    assert panel.outline.geom_type == "Polygon" and panel.outline.is_valid
    bridges = 2 * 2 + 3 * 3  # between columns, and above and below every row
    laminate = 6 * 200 + 2 * 64 * 5 + bridges * 2 * min(TAB * 1e3, 10 / 4)
    assert panel.outline.area * 1e6 == pytest.approx(laminate)
    assert area(panel, "F.Paste") == pytest.approx(6 * area(board, "F.Paste"))
    assert panel.outline.bounds[:2] == pytest.approx((0, 0))


def test_fiducials_on_the_rails(tmp_path: Path) -> None:
    panel = panelise(read(tmp_path), Panel(1, 1, 2e-3, 5e-3, "{}"))
    marks = [f for f in panel.fiducials if f.side == "front"]
    assert len(marks) == 3 and len(panel.fiducials) == 6
    mask = panel.layer("mask", "front")
    assert mask is not None
    for mark in marks:
        assert mark.y < 5e-3 or mark.y > panel.size[1] - 5e-3
        assert mask.region().covers(shapely.Point(mark.x, mark.y).buffer(0.9e-3))


def test_without_gap_and_rails_boards_touch(tmp_path: Path) -> None:
    panel = panelise(read(tmp_path), Panel(2, 2, 0.0, 0.0, "A{}"))
    assert (
        panel.outline.area * 1e6 == pytest.approx(800) and panel.size == pytest.approx((40e-3, 20e-3)) and panel.fiducials == ()
    )


def test_codes_are_printed_on_both_sides_and_clear_of_everything(tmp_path: Path) -> None:
    board = read(tmp_path)
    panel = panelise(board, Panel(1, 2, 2e-3, 0.0, "SN{:02d}"))
    for side in ("front", "back"):
        silk, mask = panel.layer("silk", side), panel.layer("mask", side)  # type: ignore[arg-type]
        assert silk is not None and mask is not None
        first = [s for s in silk.shapes if s.bounds[2] < 20e-3]
        second = [s for s in silk.shapes if s.bounds[0] > 22e-3]
        assert first and second and len(first) + len(second) == len(silk.shapes)
        assert not silk.region().intersects(mask.region()) and shapely.box(0, 0, 42e-3, 10e-3).covers(silk.region())


def test_codes_go_to_the_rail_where_the_board_is_full(tmp_path: Path) -> None:
    full = read(
        tmp_path,
        '(gr_rect (start 100.3 100.3) (end 119.7 109.7) (stroke (width 0)) (fill solid) (layer "F.Mask"))',
        '(gr_rect (start 100.3 100.3) (end 119.7 109.7) (stroke (width 0)) (fill solid) (layer "B.Mask"))',
    )
    panel = panelise(full, Panel(2, 1, 2e-3, 5e-3, "SN{:04d}"))
    silk = panel.layer("silk", "front")
    assert silk is not None and silk.shapes and max(s.bounds[3] for s in silk.shapes) < 5e-3
    bare = panelise(full, Panel(2, 1, 2e-3, 0.0, "SN{:04d}"))
    assert bare.layer("silk", "front").shapes == () and any("no room" in n for n in bare.notes)  # type: ignore[union-attr]


@pytest.mark.parametrize("serial", ["SN", "{0.x}", "{:q}", "{} {}", "{name}"])
def test_bad_serial_patterns(tmp_path: Path, serial: str) -> None:
    with pytest.raises(SceneError, match=r"panel\.serial"):
        panelise(read(tmp_path), Panel(1, 2, 2e-3, 5e-3, serial))


def test_cut_outs_stay_open_under_the_tabs(tmp_path: Path) -> None:
    """A board with a hole in its middle, where the lines between neighbours' middles run."""
    hole = '(gr_circle (center 110 105) (end 112 105) (layer "Edge.Cuts"))'
    panel = panelise(read(tmp_path, hole, parts=R1), Panel(2, 2, 2e-3, 5e-3, "{}"))
    assert len(panel.outline.interiors) >= 4
    assert not panel.outline.contains(shapely.Point(10e-3, 7e-3 + 5e-3))


def test_real_panel(boards: Path) -> None:
    board = read_board(boards / "rp2040_stamp" / "rp2040_stamp.kicad_pcb")
    panel = panelise(board, Panel(2, 2, 2e-3, 5e-3, "SN{:04d}"))
    assert len(panel.components) == 4 * len(board.components) and len({c.reference for c in panel.components}) == len(
        panel.components
    )
    assert panel.counts["pads"] == 4 * 324
    turned = panel.seen_from("back")
    assert turned.size == pytest.approx(panel.size)
