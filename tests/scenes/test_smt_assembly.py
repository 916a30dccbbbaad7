"""Terminals on lands, apertures and nominal volumes against the reference's tables."""
from dataclasses import replace

import numpy as np
import pytest
import shapely
from smt_fixture import CHIPS, MM, bga, board_of, chip, component, example, qfn, soic

from scenes.board.model import Board, Component, Drill, Layer, Pad
from scenes.errors import SceneError
from scenes.parts.model import Package, Terminal
from scenes.smt.assembly import assemble, land_polygon, placeable, transfer_efficiency
from scenes.smt.layout import layout


@pytest.mark.parametrize(("ratio", "efficiency"), [(0.60, 0.82), (0.66, 0.92), (0.80, 0.99), (0.50, 0.50)])
def test_transfer_efficiency_at_the_reference_points(ratio, efficiency):
    assert float(transfer_efficiency(ratio)) == pytest.approx(efficiency, abs=0.005)


@pytest.mark.parametrize(("opening", "thickness", "ratio", "paste"), [
    ((0.20, 0.20), 0.08, 0.63, 0.0032), ((0.30, 0.30), 0.10, 0.75, 0.009), ((0.50, 0.50), 0.12, 1.04, 0.030),
    ((0.80, 0.80), 0.12, 1.67, 0.077), ((1.2, 1.0), 0.12, 2.27, 0.144), ((0.25, 1.5), 0.12, 0.89, 0.045),
    ((0.20, 1.2), 0.10, 0.86, 0.024)])
def test_area_ratio_and_volume_table(opening, thickness, ratio, paste):
    """Domain reference 2.1.3; solder is half the paste times the transfer efficiency."""
    package, pads = chip("0402")
    board, packages = board_of([("R1", (package, [(n, x, y, *opening) for n, x, y, *_ in pads]), 10, 10, 0.3)])
    joints = assemble(board, "front", packages, thickness * MM).joints
    assert joints.aperture_ratio == pytest.approx([ratio] * 2, abs=0.006)
    volume = joints.aperture_area * thickness * MM
    assert volume * 1e9 == pytest.approx([paste] * 2, rel=0.02)
    te = 1 / (1 + np.exp(-(joints.aperture_ratio - 0.5) / 0.066))
    assert joints.nominal_volume == pytest.approx(0.5 * volume * te, rel=1e-12)


@pytest.mark.parametrize(("diameter", "thickness", "ratio"), [
    (0.5, 0.12, 1.04), (0.4, 0.12, 0.83), (0.275, 0.10, 0.69), (0.25, 0.10, 0.62)])
def test_round_openings_have_the_ratio_of_a_square(diameter, thickness, ratio):
    package, pads = bga(2)
    rounds = [(n, x, y, diameter, diameter, 0.0, "circle") for n, x, y, *_ in pads]
    board, packages = board_of([("U1", (package, rounds), 10, 10, 0.0)])
    joints = assemble(board, "front", packages, thickness * MM).joints
    assert joints.aperture_ratio == pytest.approx([ratio] * 4, abs=0.008)
    ball = np.pi / 6 * (0.46 * MM)**3
    assert (joints.nominal_volume > ball).all()


def test_lands_are_seen_from_the_terminal_whatever_the_angle():
    for angle in (0.0, 0.4, np.pi / 2, 3.0):
        board, packages = board_of([("R1", chip("0603"), 12, 9, angle), ("U1", qfn(), 30, 20, angle)])
        a = assemble(board, "front", packages, 0.12 * MM)
        assert len(a.joints) == 2 + 17
        assert a.joints.land_size[:2] == pytest.approx(np.full((2, 2), (0.8 * MM, 0.9 * MM)))
        assert a.joints.land_size[2:18] == pytest.approx(np.full((16, 2), (0.8 * MM, 0.28 * MM)), rel=1e-6)
        outward = np.column_stack([np.cos(a.joints.land_angle), np.sin(a.joints.land_angle)])
        centre = a.position[a.joints.component]
        reach = ((a.joints.land_center - centre) * outward).sum(axis=1)
        assert (reach[:18] > 0).all()
        assert layout(a).side.max() == 0 and layout(a).end.max() < 1e-9


def test_nearest_of_several_pads_with_one_number():
    package, pads = chip("1206")
    doubled = [*pads, ("1", 5.0, 0.0, 1.0, 1.0)]
    board, packages = board_of([("R1", (package, doubled), 20, 20, 0.0)])
    a = assemble(board, "front", packages, 0.12 * MM)
    assert a.joints.land_center[0] == pytest.approx([(20 + pads[0][1]) * MM, 20 * MM])


def test_an_exposed_pad_is_its_copper_not_its_vias_and_adds_its_windows():
    package, pads = qfn()
    made = component("U1", package, pads, 20, 20, 0.0)
    hole = Drill(20 * MM, 20 * MM, 0.2 * MM, True)
    via = Pad("17", "circle", 20 * MM, 20 * MM, (0.4 * MM, 0.4 * MM), 0.0, "through", True, True, drill=hole)
    made = replace(made, pads=(*made.pads, via))
    windows = tuple(shapely.box(x, y, x + 0.8 * MM, y + 0.8 * MM) for x in (19.1 * MM, 20.1 * MM) for y in (19.1 * MM, 20.1 * MM))
    others = tuple(land_polygon(p) for p in made.pads if p.number != "17")
    paste = Layer("F.Paste", "paste", "front", (*others, *windows), (True,) * (len(others) + 4))
    board = Board("t", shapely.box(0, 0, 40 * MM, 40 * MM), 1.6 * MM, (), (paste,), (), (made,), (), "t", "t")
    joints = assemble(board, "front", [package], 0.12 * MM).joints
    thermal = joints.kind.index("thermal")
    assert joints.land_size[thermal] == pytest.approx([2.1 * MM, 2.1 * MM])
    assert joints.aperture_area[thermal] == pytest.approx(4 * 0.64e-6)
    assert joints.aperture_ratio[thermal] == pytest.approx(0.8 / (4 * 0.12), rel=1e-6)


def test_an_exposed_pad_drawn_in_touching_pieces_is_one_land():
    package, pads = qfn()
    tiles = [("17", -0.7 + 0.7 * i, -0.7 + 0.7 * k, 0.7, 0.7) for i in range(3) for k in range(3)]
    board, packages = board_of([("U1", (package, [p for p in pads if p[0] != "17"] + tiles), 20, 20, 0.2)])
    joints = assemble(board, "front", packages, 0.12 * MM).joints
    thermal = joints.kind.index("thermal")
    turned = abs(np.cos(0.2)) + abs(np.sin(0.2))
    assert joints.land_size[thermal][0] in (pytest.approx(2.1 * MM, rel=1e-3), pytest.approx(2.1 * MM * turned, rel=1e-3))
    assert joints.aperture_area[thermal] == pytest.approx(9 * 0.49e-6, rel=1e-6)


def test_a_filled_hole_holds_barrel_and_fillets():
    pin = Package("header", "1x1", (2.5 * MM, 2.5 * MM, 8 * MM), (0.0, 0.0),
                  (Terminal("1", "through", (0.0, 0.0), (0.64 * MM, 0.64 * MM), 3 * MM, 0.0),), "name", 1e-4)
    pad = Pad("1", "circle", 10 * MM, 10 * MM, (1.7 * MM, 1.7 * MM), 0.0, "through", True, True, paste=False,
              drill=Drill(10 * MM, 10 * MM, 1.0 * MM, True))
    part = Component("J1", "", "1x1", 10 * MM, 10 * MM, 0.0, "front", (pad,))
    board = Board("t", shapely.box(0, 0, 20 * MM, 20 * MM), 1.6 * MM, (), (), (), (part,), (), "t", "t")
    a = assemble(board, "front", [pin], 0.12 * MM)
    barrel = np.pi / 4 * (1.0**2 - 0.64**2) * 1.6
    assert a.joints.aperture_area[0] == 0
    assert barrel < a.joints.nominal_volume[0] * 1e9 < barrel + 2.0
    assert layout(a).pinned[0] and not layout(a).soldered[0]


def test_packages_and_parts_must_match():
    board, packages = board_of([("R1", chip("0402"), 10, 10, 0.0)])
    with pytest.raises(SceneError, match="2 packages for 1 placed"):
        assemble(board, "front", packages * 2, 0.12 * MM)
    assert len(placeable(board)) == 1


def test_neighbours_are_the_close_lands_of_different_nets():
    board, packages = board_of([("U1", soic(8), 20, 20, 0.7), ("R1", chip("0402"), 5, 5, 0.0)])
    pairs = layout(assemble(board, "front", packages, 0.12 * MM))
    assert len(pairs.gap) == 0                                            # SOIC: 0.67 mm apart; a chip's own ends are no pair
    board, packages = board_of([("U1", qfn(), 20, 20, 0.7)])
    pairs = layout(assemble(board, "front", packages, 0.12 * MM))
    side = np.isclose(pairs.gap, 0.22 * MM, rtol=1e-6)
    assert side.sum() == 12 and np.allclose(pairs.facing[side], 0.8 * MM)
    assert np.allclose(np.hypot(*pairs.axis.T), 1)


def test_the_example_is_what_its_text_says():
    a = example()
    assert len(a.components) == 44 and len(a.joints) == 2 * 40 + 8 + 14 + 17 + 36
    assert (np.diff(a.joints.component) >= 0).all()
    assert set(CHIPS) <= {p.name for p in a.packages}
