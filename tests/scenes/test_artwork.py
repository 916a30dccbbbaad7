"""Artwork against shapely's exact areas, and the slab against closed forms."""
from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
import trimesh

from scenes.board.artwork import MESHED_HOLE, coverage, hole, lacquered, slab
from scenes.board.model import Board, Drill, Layer
from scenes.board.raster import rasterise
from scenes.errors import SceneError

MM = 1e-3


def make(outline=None, layers=(), drills=(), **more) -> Board:
    outline = shapely.box(0, 0, 10 * MM, 6 * MM) if outline is None else outline
    return Board("t", outline, 1.6 * MM, (), tuple(layers), tuple(drills), (), (), "t.kicad_pcb", "test", **more)


def layer(kind, shapes, dark=None) -> Layer:
    return Layer(f"F.{kind}", kind, "front", tuple(shapes), tuple(dark or [True] * len(shapes)))


def area(texels, texel_size) -> float:
    return float(texels.sum(dtype=np.float64)) / 255 * texel_size ** 2


def tracks(rng, count=300):
    """Round-ended tracks that cross each other a lot, as on a board."""
    ends = rng.uniform([0.5 * MM, 0.5 * MM], [9.5 * MM, 5.5 * MM], (count, 2, 2))
    return [shapely.LineString(e).buffer(w) for e, w in zip(ends, rng.uniform(50e-6, 200e-6, count), strict=True)]


def test_the_area_of_crossing_tracks_is_that_of_their_union():
    shapes = tracks(np.random.default_rng(1), 60)
    exact = shapely.union_all(shapes).area
    for texel in (10e-6, 25e-6):
        got = area(rasterise(shapes, (0, 0), texel, round(6 * MM / texel), round(10 * MM / texel)), texel)
        assert got == pytest.approx(exact, rel=5e-4)


def test_every_texel_is_the_exact_intersection_area():
    rng = np.random.default_rng(2)
    shapes = [shapely.Polygon(rng.uniform(0, 12, (3, 2))) for _ in range(3)]
    shapes.append(shapely.Polygon([(2, 2), (9, 2), (9, 9), (2, 9)], [[(4, 4), (4, 7), (7, 7), (7, 4)]]))
    union = shapely.union_all(shapes)
    got = rasterise(shapes, (0, 0), 1.0, 12, 12) / 255
    exact = np.array([[union.intersection(shapely.box(x, 11 - r, x + 1, 12 - r)).area for x in range(12)] for r in range(12)])
    assert np.abs(got - exact).max() < 1 / 8                   # one sub-scanline at worst, where an edge is level
    assert abs((got - exact).mean()) < 2e-3


def test_upright_edges_are_exact_and_butting_or_doubled_shapes_leave_no_seam():
    half = rasterise([shapely.box(0.25, 0, 3.5, 4)], (0, 0), 1.0, 4, 5)
    assert half[0].tolist() == [191, 255, 255, 128, 0]         # 0.75 and 0.5 of 255
    left, right = shapely.box(0, 0, 2.3, 4), shapely.box(2.3, 0, 5, 4)
    assert (rasterise([left, right, right], (0, 0), 1.0, 4, 5) == 255).all()
    twice = rasterise([left, left], (0, 0), 1.0, 4, 5)
    assert np.array_equal(twice, rasterise([left], (0, 0), 1.0, 4, 5))


def test_row_0_is_the_top_and_ring_order_does_not_matter():
    corner = shapely.box(0, 3, 1, 4)
    got = rasterise([corner], (0, 0), 1.0, 4, 4)
    assert got[0, 0] == 255 and got.sum() == 255
    donut = shapely.Point(2, 2).buffer(1.8).difference(shapely.Point(2, 2).buffer(0.9))
    for sign in (1.0, -1.0):
        assert np.array_equal(rasterise([shapely.geometry.polygon.orient(donut, sign)], (0, 0), 0.1, 40, 40),
                              rasterise([donut], (0, 0), 0.1, 40, 40))


def test_shapes_outside_the_raster_are_clipped():
    got = rasterise([shapely.box(-5, -5, 20, 20)], (0, 0), 1.0, 3, 4)
    assert (got == 255).all()
    assert not rasterise([shapely.box(30, 0, 40, 3), shapely.Polygon()], (0, 0), 1.0, 3, 4).any()


def test_channels_holes_and_clipped_silkscreen():
    board = make(layers=[layer("copper", [shapely.box(1 * MM, 1 * MM, 5 * MM, 5 * MM)]),
                         layer("mask", [shapely.box(2 * MM, 2 * MM, 4 * MM, 4 * MM)]),
                         layer("silk", [shapely.box(0, 2 * MM, 10 * MM, 3 * MM)])],
                 drills=[Drill(3 * MM, 3 * MM, 1 * MM, True)])
    texel = 20e-6
    t = coverage(board, texel).texels
    drilled = hole(board.drills[0]).area
    assert t.shape == (300, 500, 4) and t.dtype == np.uint8
    assert area(t[..., 3], texel) == pytest.approx(60 * MM ** 2 - drilled, rel=1e-4)
    assert area(t[..., 0], texel) == pytest.approx(16 * MM ** 2 - drilled, rel=1e-4)
    assert area(t[..., 1], texel) == pytest.approx(4 * MM ** 2, rel=1e-6)
    assert area(t[..., 2], texel) == pytest.approx(8 * MM ** 2, rel=1e-4)      # 10 mm², less 2 mm in the opening
    assert not t[t[..., 1] == 255][:, 2].any()
    assert (t[..., 0] <= t[..., 3]).all() and (t[..., 2] <= t[..., 3]).all()


def test_a_via_under_lacquer_is_a_dimple_and_an_open_or_wide_one_is_a_hole():
    vias = [Drill(x * MM, 3 * MM, 0.3 * MM, True, via=True) for x in (2, 5)] + [Drill(8 * MM, 3 * MM, 0.6 * MM, True, via=True)]
    board = make(layers=[layer("copper", [shapely.box(0, 0, 10 * MM, 6 * MM)]),
                         layer("mask", [shapely.box(1 * MM, 2 * MM, 3 * MM, 4 * MM)])], drills=vias)
    texel = 20e-6
    t = coverage(board, texel).texels
    opened, tented, wide = (hole(d).area for d in vias)
    assert lacquered(board) == [False, True, False]
    assert area(t[..., 3], texel) == pytest.approx(60 * MM ** 2 - opened - wide, rel=1e-4)
    assert area(t[..., 0], texel) == pytest.approx(60 * MM ** 2 - opened - wide - tented, rel=1e-4)


def test_clear_shapes_erase_only_what_came_before():
    plane, gap, track = (shapely.box(*(v * MM for v in b)) for b in ((0, 0, 10, 6), (2, 2, 6, 4), (3, 2.5, 4, 3)))
    item = layer("copper", [plane, gap, track], [True, False, True])
    got = area(coverage(make(layers=[item]), 20e-6).texels[..., 0], 20e-6)
    assert got == pytest.approx(item.region().area, rel=1e-4)
    assert item.region().area == pytest.approx((60 - 8 + 0.5) * MM ** 2)


def test_an_outline_that_is_no_whole_number_of_texels_is_covered():
    c = coverage(make(shapely.box(3 * MM, 1 * MM, 5.005 * MM, 2.013 * MM)), 10e-6)
    assert c.texels.shape[:2] == (102, 201) and c.origin == (3 * MM, 1 * MM)
    assert area(c.texels[..., 3], 10e-6) == pytest.approx(2.005 * MM * 1.013 * MM, rel=1e-3)


def test_too_fine_a_texel_is_refused_with_the_finest_that_fits():
    with pytest.raises(SceneError, match=r"does not fit; use a texel .* at least"):
        coverage(make(shapely.box(0, 0, 0.3, 0.3)), 5e-6)
    with pytest.raises(SceneError, match="positive"):
        coverage(make(), 0.0)


def test_the_slab_is_closed_and_has_the_volume_of_its_plan():
    outline = shapely.box(0, 0, 40 * MM, 30 * MM).difference(shapely.box(10 * MM, 10 * MM, 12 * MM, 20 * MM))
    drills = [Drill(x * MM, 5 * MM, 1.0 * MM, True) for x in range(4, 36, 3)]
    drills += [Drill(20 * MM, 20 * MM, 1.0 * MM, False, length=3 * MM, angle=0.4), Drill(0, 15 * MM, 2 * MM, True),
               Drill(30 * MM, 25 * MM, MESHED_HOLE / 2, True, via=True)]
    board = make(outline, drills=drills)
    made = slab(board, coverage(board, 0.1 * MM))
    mesh = trimesh.Trimesh(made.mesh.vertices, made.mesh.faces)        # merges by position
    assert mesh.is_watertight and mesh.is_winding_consistent
    plan = outline.difference(shapely.union_all([hole(d) for d in drills[:-1]]))
    assert mesh.volume == pytest.approx(plan.area * 1.6 * MM, rel=1e-5)
    assert mesh.bounds[:, 2] == pytest.approx([-1.6 * MM, 0])
    # Given normals agree with the faces' own.
    own = np.cross(*(made.mesh.vertices[made.mesh.faces[:, i]] - made.mesh.vertices[made.mesh.faces[:, 0]] for i in (1, 2)))
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    assert (np.einsum("ij,ij->i", own, made.mesh.normals[made.mesh.faces[:, 0]]) > 0.99).all()


def test_a_panel_of_two_boards_is_one_slab_of_two_bodies():
    two = shapely.MultiPolygon([shapely.box(0, 0, 10 * MM, 10 * MM), shapely.box(12 * MM, 0, 20 * MM, 10 * MM)])
    board = make(two)
    mesh = trimesh.Trimesh(*[getattr(slab(board, coverage(board, 0.1 * MM)).mesh, n) for n in ("vertices", "faces")])
    assert mesh.is_watertight and mesh.body_count == 2


def test_drilling_everything_away_is_an_error():
    board = make(shapely.box(0, 0, 1 * MM, 1 * MM), drills=[Drill(0.5 * MM, 0.5 * MM, 5 * MM, False)])
    with pytest.raises(SceneError, match=r"Edge\.Cuts"):
        slab(board, coverage(board, 0.1 * MM))


def test_a_slot_has_the_area_of_a_stadium():
    d = Drill(0, 0, 1.0, True, length=3.0, angle=1.0)
    assert hole(d).area == pytest.approx(2.0 + math.pi / 4, rel=2e-3)
    assert hole(replace(d, length=0.5)).area == pytest.approx(math.pi / 4, rel=2e-3)
