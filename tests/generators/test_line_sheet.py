"""The picture of a line: every machine in it, names below, the same pixels every time, and the light of a simple case."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scenes.equipment import LOOKS, Board, Look, Placed, line_layout
from scenes.equipment.handling import conveyor
from scenes.equipment.inspection import Optics, aoi
from scenes.materials import TABLE
from scenes.scene import Scene

pytest.importorskip("embreex")

from generators.render.hall import Eye, Hall, Surfaces, surfaces
from generators.render.line_sheet import line_sheet, rows, station_sheet


@pytest.fixture(scope="module")
def line(examples):
    return line_layout(Scene.read(examples / "living_line.scene.yaml"), Board(0.16, 0.10, 0.0016))


def test_rows_hold_the_line_in_order_and_are_even(line):
    found = rows(line, 8.6)
    assert [p.path for row in found for p in row] == [p.path for p in line]
    lengths = [sum(p.machine.size[0] for p in row) for row in found]
    assert len(found) == 3 and max(lengths) < 9.5
    assert rows(line, 100.0) == [list(line)]
    assert rows(line[:4], 0.1) == [[p] for p in line[:4]]      # no more rows than machines, however long those are


def test_projection_is_that_of_a_pinhole():
    """A point at distance d, offset x to the right: f W x / d pixels from the middle."""
    eye = Eye((0.0, -10.0, 1.0), (0.0, 0.0, 1.0), 2.0, 400, 300)
    assert eye.project(np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 1.0], [0.0, 0.0, 2.0]])) == pytest.approx(
        np.array([[200, 150], [200 + 80, 150], [200, 150 - 80]]))
    ray = eye.rays(np.array([280.0], np.float32), np.array([150.0], np.float32))[0]
    assert ray == pytest.approx(np.array([1.0, 10.0, 0.0]) / np.sqrt(101), abs=1e-6)


def one_square(look: Look, height: float = 1.0) -> Surfaces:
    corners = np.array([[-1, -1, height], [1, -1, height], [1, 1, height], [-1, 1, height]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    up = np.broadcast_to(np.array([0, 0, 1], np.float32), (2, 3, 3))
    return Surfaces(corners[faces], up, np.zeros(2, np.int32), (look,))


def test_a_brighter_paint_is_a_brighter_picture():
    above = Eye((0.0, -0.5, 4.0), (0.0, 0.0, 1.0), 2.0, 64, 64)
    seen = [Hall(one_square(Look("paint", (c, c, c), 0.0, 0.9))).picture(above)[32, 32].astype(int) for c in (0.05, 0.2, 0.8)]
    assert (seen[0] < seen[1]).all() and (seen[1] < seen[2]).all()
    red = Hall(one_square(Look("paint", (0.7, 0.05, 0.05), 0.0, 0.9))).picture(above)[32, 32].astype(int)
    assert red[0] > 2 * red[1] and abs(red[1] - red[2]) < 12


def test_a_pane_shows_what_is_behind_it_and_dims_it():
    red, pane = Look("paint", (0.7, 0.05, 0.05), 0.0, 0.9), LOOKS["glass_smoke"]
    below, over = one_square(red), one_square(pane, 1.5)
    both = Surfaces(np.concatenate([below.corners, over.corners]), np.concatenate([below.normals, over.normals]),
                    np.array([0, 0, 1, 1], np.int32), (red, pane))
    eye = Eye((0.0, -0.5, 4.0), (0.0, 0.0, 1.0), 2.0, 64, 64)
    bare, covered = (Hall(s).picture(eye)[32, 32].astype(int) for s in (below, both))
    assert covered[0] < bare[0] and 2 * covered[0] > 3 * covered[1]


def test_what_stands_on_the_floor_shades_it():
    item = Placed("L/aoi", "aoi", aoi(Board(), Optics()), np.eye(4), "aoi")
    eye = Eye((0.0, -6.0, 3.0), (0.0, 0.0, 0.7), 2.0, 160, 160)
    picture = Hall(surfaces([item])).picture(eye).astype(int).sum(axis=2)
    shade, open_floor = eye.project(np.array([[0.75, 0.4, 0.0], [-1.4, -0.9, 0.0]])).astype(int)
    assert picture[shade[1], shade[0]] < 0.8 * picture[open_floor[1], open_floor[0]]      # the key light comes from the left


def test_equal_arguments_give_equal_pixels_and_the_picture_is_rich(line):
    first = line_sheet(line[:5], "a line", width=360)
    again = line_sheet(line[:5], "a line", width=360)
    assert np.array_equal(first, again)
    assert first.dtype == np.uint8 and first.shape[1] == 360
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 2000
    assert first.std() > 25
    r, g, b = (first[..., k].astype(int) for k in range(3))
    assert ((g > 180) & (r < 120) & (b < 160)).any()           # a green lamp is lit
    assert ((r > 150) & (g < 60) & (b < 60)).any()             # an emergency stop


def test_the_sheet_names_its_stations(line, monkeypatch):
    from PIL import ImageDraw

    said: list[str] = []
    draw = ImageDraw.ImageDraw.text

    def text(self, place, words, **more):
        said.append(words)
        return draw(self, place, words, **more)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)
    line_sheet(line, "living", width=240)
    assert {"living", "9 stations, 23.1 m"} <= set(said) or any(s.startswith("9 stations, ") for s in said)
    for station in [p.station for p in line if p.station]:
        assert station in said
    assert "Stencil printer" in said and "X-ray (AXI)" in said and not any(s.startswith("conveyor") for s in said)


def test_one_station_fills_its_sheet(line):
    item = next(p for p in line if p.station == "aoi")
    picture = station_sheet(line, item, "aoi", width=240)
    assert picture.shape[1] == 240 and picture.std() > 20


def test_a_unit_lies_on_the_conveyor(examples):
    """A bright green board drawn on a conveyor shows where the port's height puts it."""
    from scenes.geometry import Coverage, Geometry, Mesh, Slab

    board = Board(0.30, 0.20, 0.0016)
    item = Placed("L/conveyor", "", conveyor(1.0, board), np.eye(4), "conveyor")
    low, high = np.array([0, 0, -0.0016], np.float32), np.array([0.30, 0.20, 0], np.float32)
    corner = np.array([[low[0], low[1], 0], [high[0], low[1], 0], [high[0], high[1], 0], [low[0], high[1], 0]], np.float32)
    normal = np.broadcast_to(np.array([0, 0, 1], np.float32), (4, 3))
    mesh = Mesh("slab", corner, normal, np.array([[0, 1, 2], [0, 2, 3]], np.uint32), np.zeros(4, np.uint8), np.ones(4, np.uint8))
    slab = Slab(mesh, Coverage(np.zeros((1, 1, 4), np.uint8), (0.0, 0.0), 1.0), 0.0016)
    unit = Geometry(slab)
    from generators.render.line_sheet import products_on

    extra = products_on([item], unit, (0.0, 0.0, 0.30, 0.20), 0.0016)
    eye = Eye((0.0, -3.0, 3.0), (0.0, item.machine.stop[1], 0.95), 2.0, 200, 200)
    seen = Hall(surfaces([item], extra)).picture(eye)[100, 100].astype(int)
    assert seen[1] > 1.5 * seen[0] and seen[1] > 1.3 * seen[2]

    # a row that an edit added to the table, and its colour
    red = replace(TABLE[0], name="red", base_color=(0.7, 0.02, 0.02), metallic=0.0, roughness=0.9)
    painted = replace(mesh, material=np.full(4, len(TABLE), np.uint8))
    unit = Geometry(replace(slab, mesh=painted), materials=(*TABLE, red))
    extra = products_on([item], unit, (0.0, 0.0, 0.30, 0.20), 0.0016)
    seen = Hall(surfaces([item], extra)).picture(eye)[100, 100].astype(int)
    assert seen[0] > 1.5 * seen[1] and seen[0] > 1.5 * seen[2]
