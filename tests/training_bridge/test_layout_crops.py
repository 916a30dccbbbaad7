"""Where the model looks, what it sees there, and what that is called."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import PARTS, PIXEL, TAXONOMY, ToyDataset, draw

from scenes.errors import DatasetError
from scenes.optics import looking_down
from training_bridge import crops, layout

CLASSES = tuple(d.name for d in TAXONOMY.defects)


def _view(camera, **more):
    return {"model": camera.model, "pixel_size": camera.pixel_size, "distance": camera.distance, "width": camera.width,
            "height": camera.height, "pose": camera.pose.ravel().tolist(), **more}


@pytest.mark.parametrize("model", ["telecentric", "perspective"])
def test_homography_is_the_camera_on_the_board_plane(model):
    camera = looking_down("top", (0.01, 0.02), 20e-6, 640, 480, roll=0.3, model=model)
    points = np.random.default_rng(0).uniform(0, 0.03, (50, 2))
    expected = camera.project(np.column_stack([points, np.zeros(50)]))
    assert layout.apply(layout.homography(_view(camera)), points) == pytest.approx(expected, abs=1e-9)


def test_taught_boxes_are_the_drawn_parts(toy):
    """The median over jittered units comes back to the design within a pixel."""
    taught, r = layout.taught(toy.rows()), layout.REACH
    assert set(taught.components) == set(PARTS)
    for name, (cx, cy, w, h) in PARTS.items():
        mine = taught.core[[p == name for p in taught.parts]]
        low, high = mine[:, :2].min(axis=0), mine[:, 2:].max(axis=0)
        assert [*low, *high] == pytest.approx([cx - w / 2 - r, cy - h / 2 - r, cx + w / 2 + r, cy + h / 2 + r], abs=PIXEL)


def test_cores_cover_the_picture_once():
    """Cells tile the extent: every point lies in exactly one cell's core, and every core lies in its window."""
    made = layout.build({"U1": np.array([2e-3, 2e-3, 20e-3, 3e-3])}, np.array([0, 0, 40e-3, 30e-3]), 30e-6)
    points = np.random.default_rng(1).uniform([0, 0], [40e-3, 30e-3], (500, 2))
    inside = (points[:, None] >= made.core[None, :, :2]).all(axis=2) & (points[:, None] < made.core[None, :, 2:]).all(axis=2)
    cells = np.array([not p for p in made.parts])
    assert (inside[:, cells].sum(axis=1) == 1).all()
    half = made.side[:, None] / 2 + 1e-12
    assert (made.core[:, :2] >= made.center - half).all() and (made.core[:, 2:] <= made.center + half).all()
    assert sum(p == "U1" for p in made.parts) == 6               # 18.8 mm in pieces of at most 64·2·30 µm less two margins
    assert made.side.min() >= layout.CROP * 30e-6                # never magnified


def test_no_good_part_is_refused():
    with pytest.raises(DatasetError, match="no good part"):
        layout.taught([])


def _ramp(camera):
    """A picture whose red is the board's x and whose green its y, both in 0.1 mm; exact for a telecentric camera."""
    y, x = np.mgrid[0:camera.height, 0:camera.width] + 0.5
    board = layout.apply(np.linalg.inv(layout.homography(_view(camera))), np.column_stack([x.ravel(), y.ravel()]))
    values = np.column_stack([board * 1e4, np.zeros(len(board))]).reshape(camera.height, camera.width, 3)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("roll", [0.0, 0.02, np.pi / 2])
@pytest.mark.parametrize("side", [64, 100, 200])
def test_crops_are_upright_and_to_scale(roll, side):
    """A crop's pixel (i, j) shows the board point that the window's geometry says, whatever the camera's turn."""
    camera = looking_down("top", (10e-3, 10e-3), 30e-6, 600, 600, roll=roll)
    window = layout.Layout(("P",), ("P",), np.array([[9e-3, 11e-3]]), np.array([side * 30e-6]),
                           np.array([[8.5e-3, 10.5e-3, 9.5e-3, 11.5e-3]]), 30e-6)
    shown, seen = crops.extract(window, [crops.Picture(_ramp(camera), _view(camera))])
    assert seen.all() and shown.shape == (1, 3, 64, 64)
    steps = (np.arange(64) + 0.5) / 64 - 0.5
    x = (9e-3 + steps * side * 30e-6) * 1e4
    y = (11e-3 - steps * side * 30e-6) * 1e4
    assert np.abs(shown[0, 0] - x[None, :]).max() <= 1.2         # 0.1 mm is a grey level; rounding twice
    assert np.abs(shown[0, 1] - y[:, None]).max() <= 1.2


def test_windows_outside_the_picture_are_not_seen():
    camera = looking_down("top", (10e-3, 10e-3), 30e-6, 600, 600)
    window = layout.Layout(("A", "B"), ("A", "B"), np.array([[10e-3, 10e-3], [90e-3, 10e-3]]), np.full(2, 2e-3),
                           np.array([[9e-3, 9e-3, 11e-3, 11e-3], [89e-3, 9e-3, 91e-3, 11e-3]]), 30e-6)
    _, seen = crops.extract(window, [crops.Picture(_ramp(camera), _view(camera))])
    assert seen.tolist() == [True, False]


def test_truth_names_the_window_that_answers(toy):
    """A missing part labels its own window, never its neighbour's; a ball off the parts labels a cell."""
    taught = layout.taught(toy.rows())
    row = ToyDataset([draw(500, [("missing", "R7"), ("ball", ""), ("void", "R3")])])._rows[0]
    facts = crops.truth(taught, row, CLASSES)
    named = {taught.names[k]: CLASSES[facts.crop[k] - 1] for k in np.flatnonzero(facts.crop > 0)}
    assert named.pop("R7") == "missing"
    assert list(named.values()) == ["ball"] and next(iter(named)).startswith("cell:")
    assert {(d.defect, d.component, d.hidden) for d in facts.defects} == {
        ("missing", "R7", False), ("ball", "", False), ("void", "R3", True)}
    assert facts.bad and not facts.hidden_only
    assert facts.crop[taught.names.index("R3")] == crops.GOOD    # hidden: nothing to see, so nothing to learn there


def test_hidden_defects_count_on_the_unit_only(toy):
    taught = layout.taught(toy.rows())
    facts = crops.truth(taught, ToyDataset([draw(501, [("void", "U1")])])._rows[0], CLASSES)
    assert facts.bad and facts.hidden_only and not (facts.crop > 0).any()


def test_golden_twins_are_never_looked_at(toy):
    """A frame of the unit with its defects undone would give the answer away."""
    sample = draw(502, [("missing", "R1")])
    both = replace(sample, frames=(*sample.frames, replace(draw(503, []).frames[0], camera="golden")))
    found = crops.pictures(ToyDataset([both])._rows[0])
    assert len(found) == 1
    assert np.array_equal(found[0].rgb, sample.frames[0].images["rgb"])
