"""Packages from footprints: kind, dimensions and terminals against outline standards, on made-up and on real boards."""
import math

import numpy as np
import pytest
from part_footprints import CASES, component, rows, two

from scenes.board import read_board
from scenes.parts import describe
from scenes.smt.assembly import placeable


@pytest.mark.parametrize("kind, body, count, part", CASES, ids=[c[3].package for c in CASES])
def test_kind_size_and_terminals(kind, body, count, part):
    package = describe(part)
    assert package.kind == kind and package.source == "name"
    if body:
        assert [v * 1e3 for v in package.body] == pytest.approx(body, abs=0.02)
    assert len(package.terminals) == count
    assert package.mass > 0


@pytest.mark.parametrize("part", [c[3] for c in CASES], ids=[c[3].package for c in CASES])
def test_every_terminal_lies_on_its_pad(part):
    c, s = math.cos(part.angle), math.sin(part.angle)
    for t in describe(part).terminals:
        x, y = part.x + c * t.center[0] - s * t.center[1], part.y + s * t.center[0] + c * t.center[1]
        pad = min((p for p in part.pads if p.number == t.pad), key=lambda p: math.hypot(p.x - x, p.y - y))
        dx, dy = x - pad.x, y - pad.y
        local = c * dx + s * dy, -s * dx + c * dy
        assert abs(local[0]) <= pad.size[0] / 2 + 1e-6 and abs(local[1]) <= pad.size[1] / 2 + 1e-6, (t, local)


def test_turning_the_part_changes_nothing():
    a, b = (describe(rows("SOIC-8_3.9x4.9mm_P1.27mm", 8, 1.27, 2.475, 1.95, 0.6, angle=angle)) for angle in (0.0, 2.1))
    assert a.key == b.key and a.body == pytest.approx(b.body)


def test_an_upright_chip_has_its_body_along_y():
    package = describe(component("C_0603_1608Metric", [(1, 0, 0.775, 0.95, 0.9), (2, 0, -0.775, 0.95, 0.9)], reference="C1"))
    assert [v * 1e3 for v in package.body] == pytest.approx([0.8, 1.6, 0.8])
    assert package.terminals[0].direction == pytest.approx(math.pi / 2)


def test_unknown_name_falls_back_to_pads_then_to_a_box():
    assert describe(two("VENDOR_X1", 0.775, 0.9, 0.95, reference="C9")).source == "pads"
    assert describe(rows("VENDOR_X2", 16, 1.27, 2.7, 1.9, 0.6)).source == "pads"
    box = describe(component("VENDOR_X3", [(1, 0, 0, 2, 2), (2, 3, 1, 1, 4), (3, -4, 2, 2, 1)], reference="X1"))
    assert box.kind == "box" and box.source == "box" and len(box.terminals) == 3


def test_a_part_without_pads_is_a_box_without_terminals():
    package = describe(component("R_0603_1608Metric", [], reference="R1"))
    assert package.source == "box" and package.terminals == ()


def test_lands_drawn_in_pieces_are_one():
    """An exposed pad made of touching tiles of one number, as on the RP2040 stamp, is one thermal terminal."""
    part = rows("WSON-8_6x5mm_P1.27mm", 8, 1.27, 2.66, 0.775, 0.5)
    tiles = component("x", [(9, 0.8 * i, 0.8 * j, 0.8, 0.8) for i in (-1, 0, 1) for j in (-1, 0, 1)]).pads
    package = describe(part.__class__(**{**part.__dict__, "pads": part.pads + tiles}))
    thermal = [t for t in package.terminals if t.kind == "thermal"]
    assert len(thermal) == 1 and thermal[0].size == pytest.approx((2.4e-3, 2.4e-3))


@pytest.mark.parametrize(
    "board, side",
    [
        ("rp2040_stamp/rp2040_stamp.kicad_pcb", "front"),
        ("esp32_poe/rev_m1.kicad_pcb", "front"),
        ("esp32_poe/rev_m1.kicad_pcb", "back"),
    ],
)
def test_nine_of_ten_real_parts_get_their_true_package(boards, board, side):
    parts = placeable(read_board(boards / board).seen_from(side))
    packages = [describe(c) for c in parts]
    assert len(packages) > 30
    assert np.mean([p.source in ("name", "step") for p in packages]) >= 0.9
    for c, p in zip(parts, packages, strict=True):                        # chips agree with the code in their footprint's name
        if "0402" in c.package and p.kind.startswith("chip"):
            assert sorted(p.body[:2]) == pytest.approx([0.5e-3, 1.0e-3])


def test_a_named_step_model_is_used_inside_declared_roots_only(boards):
    pytest.importorskip("cascadio")
    board = read_board(boards / "esp32_poe/rev_m1.kicad_pcb")
    header = next(c for c in board.components if c.reference == "UEXT1")
    package = describe(header, models=[boards / "esp32_poe"])
    assert package.source == "step" and describe(header).source == "name"
    assert [t.center for t in package.terminals] == [t.center for t in describe(header).terminals]
