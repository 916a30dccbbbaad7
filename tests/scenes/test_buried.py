"""What lies below a board's front, against exact areas and volumes."""
from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from scenes.board.artwork import coverage, slab
from scenes.board.buried import PLATING, buried, levels
from scenes.board.model import Board, Drill, Layer, StackLayer

MM = 1e-3


def copper(name, side, number, *shapes) -> Layer:
    return Layer(name, "copper", side, tuple(shapes), (True,) * len(shapes), number)


STACK = (StackLayer("F.Cu", "copper", 35e-6), StackLayer("a", "dielectric", 0.2e-3), StackLayer("In1.Cu", "copper", 18e-6),
         StackLayer("b", "dielectric", 1.1e-3), StackLayer("In2.Cu", "copper", 18e-6), StackLayer("c", "dielectric", 0.2e-3),
         StackLayer("B.Cu", "copper", 35e-6), StackLayer("B.Mask", "mask", 20e-6))


def make(stack=STACK, drills=(), layers=None, outline=None) -> Board:
    outline = shapely.box(0, 0, 10 * MM, 6 * MM) if outline is None else outline
    layers = layers if layers is not None else (
        copper("B.Cu", "back", 3, shapely.box(0, 0, 5 * MM, 6 * MM)), copper("F.Cu", "front", 0, outline),
        copper("In1.Cu", "inner", 1, outline), copper("In2.Cu", "inner", 2, shapely.box(2 * MM, 1 * MM, 4 * MM, 3 * MM)))
    return Board("t", outline, 1.606 * MM, stack, tuple(layers), tuple(drills), (), (), "t.kicad_pcb", "test")


def test_layers_from_the_front_to_the_back_with_their_areas():
    made = buried(make(), texels_most=60_000)
    assert made.texels.shape[0] == 3 and made.texel_size == pytest.approx(math.sqrt(60 * MM**2 / 60_000))
    area = made.texels.astype(float).sum(axis=(1, 2)) / 255 * made.texel_size**2
    assert area == pytest.approx(np.array([60, 4, 30]) * MM**2, rel=0.01)


def test_heights_follow_the_stack_up():
    middle, thick = levels(make(), [1, 2, 3])
    assert thick == pytest.approx([18e-6, 18e-6, 35e-6])
    assert middle == pytest.approx([-0.244 * MM, -1.362 * MM, -1.5885 * MM])


def test_without_a_stack_up_layers_are_evenly_spaced():
    middle, thick = levels(make(stack=()), [1, 2, 3])
    assert thick == pytest.approx([18e-6, 18e-6, 35e-6])
    assert middle[-1] == pytest.approx(-1.606 * MM + 17.5e-6)              # the back's copper ends at the back
    assert middle[0] == pytest.approx(-(1.606 * MM - 18e-6) / 3 - 9e-6)


def test_turned_over_the_front_is_the_last_layer():
    made = buried(make().seen_from("back"))
    area = made.texels.astype(float).sum(axis=(1, 2)) / 255 * made.texel_size**2
    assert area == pytest.approx(np.array([4, 60, 60]) * MM**2, rel=0.01)


def test_holes_take_the_copper_away_and_keep_their_plating():
    drills = (Drill(2 * MM, 2 * MM, 0.3 * MM, True, via=True), Drill(8 * MM, 3 * MM, 2 * MM, False),
              Drill(5 * MM, 5 * MM, 0.4 * MM, True, length=1.0 * MM, angle=math.pi / 2))
    made = buried(make(drills=drills), texels_most=600_000)
    lost = 60 * MM**2 - float(made.texels[0].astype(float).sum()) / 255 * made.texel_size**2
    assert lost == pytest.approx(math.pi * 0.15**2 * MM**2 + math.pi * MM**2 + (math.pi * 0.2**2 + 0.6 * 0.4) * MM**2, rel=0.01)
    assert made.holes[0] == pytest.approx([2 * MM, 2 * MM, 0.15 * MM, 0, 0, PLATING, 0])
    assert made.holes[1] == pytest.approx([8 * MM, 3 * MM, 1 * MM, 0, 0, 0, 1])
    assert made.holes[2] == pytest.approx([5 * MM, 5 * MM, 0.2 * MM, 0, 0.3 * MM, PLATING, 0], abs=1e-12)


def test_holes_at_one_place_are_one_hole():
    made = buried(make(drills=(Drill(2 * MM, 2 * MM, 0.3 * MM, True), Drill(2 * MM, 2 * MM, 0.5 * MM, True, via=True))))
    assert made.holes[:, 2] == pytest.approx([0.25 * MM])


def volume(mesh) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(float) for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def test_cut_outs_and_slab_fill_the_box():
    outline = shapely.box(0, 0, 10 * MM, 6 * MM).difference(shapely.box(9 * MM, 0, 10 * MM, 2 * MM))
    board = make(drills=(Drill(3 * MM, 3 * MM, 3 * MM, False), Drill(6 * MM, 3 * MM, 0.3 * MM, True)), outline=outline)
    cut = buried(board).cutouts
    assert volume(cut) == pytest.approx((math.pi * 1.5**2 * 0.9984 + 2) * 1.606 * MM**3, rel=1e-3)      # a circle of 64 corners
    whole = slab(board, coverage(board, 50e-6)).mesh
    assert volume(whole) + volume(cut) == pytest.approx(60 * 1.606 * MM**3, rel=1e-5)


def test_a_board_of_one_layer_has_nothing_below():
    made = buried(make(layers=(copper("F.Cu", "front", 0, shapely.box(0, 0, 1, 1)),)))
    assert made.texels.shape[0] == 0 and len(made.height) == 0


def test_memory_is_bounded_whatever_the_board(boards):
    from scenes.board import read_board

    made = buried(read_board(boards / "esp32_poe" / "rev_m1.kicad_pcb"))
    count, height, width = made.texels.shape
    assert count == 3 and height * width <= 2_510_000                       # 8 MB here, 13 MB with the renderer's mipmaps
    assert made.texels[0].mean() > 20                                       # an inner plane
