"""One sample: its target is met and in the picture, its causes replay, its clock and tiles are where they should be."""
from __future__ import annotations

import json

import numpy as np
import pytest

from domain_randomization.recipe import Recipe
from domain_randomization.sampling import Context, check_quotas, make_sample, make_unit, replay
from domain_randomization.streams import stream
from domain_randomization.views import cameras, place_of, tile_of
from scenes.errors import RecipeError, SceneError
from scenes.family import Finding
from scenes.geometry import Geometry
from scenes.scene import CameraSpec, Scene


@pytest.fixture
def context(toy):
    return Context(Scene.read(toy / "toy.scene.yaml"), Recipe.read(toy / "toy.yaml"), "fake")


def with_(context: Context, text: str) -> Context:
    recipe = Recipe.parse("scene: toy.scene.yaml\nseed: 7\n" + text)
    return Context(context.scene, recipe, "fake", context.product)


def test_a_target_is_met_in_its_range_and_seen_in_the_picture(context):
    slots = 0
    for index in range(24):
        slot, sample = context.schedule.slot(index), make_sample(context, index)
        if slot is None:
            assert sample.conditions["target"] is None
            continue
        slots += 1
        cell, target = context.schedule.cells[slot.cell], sample.conditions["target"]
        seen = [i for i in sample.instances if i.defect == cell.defect and i.component == target["host"]]
        assert len(seen) == 1 and seen[0].amodal.any()
        if cell.defect == "shift":
            assert cell.low <= seen[0].severity <= cell.high and seen[0].severity_unit == "m"
    assert slots == 9


def test_a_sample_is_a_function_of_recipe_and_index(context, toy):
    again = Context(Scene.read(toy / "toy.scene.yaml"), Recipe.read(toy / "toy.yaml"), "fake")
    order = [5, 2, 19]
    first = {i: make_sample(context, i) for i in order}
    for i in sorted(order):
        other = make_sample(again, i)
        assert other.id == first[i].id and other.conditions == first[i].conditions
        assert np.array_equal(other.frames[0].images["rgb"], first[i].frames[0].images["rgb"])


def test_stored_conditions_are_json_and_replay_the_state(context):
    for index in (0, 1, 3, 4):
        conditions = json.loads(json.dumps(make_sample(context, index).conditions))
        unit, state = make_unit(context, index), replay(context, conditions)
        assert np.array_equal(state.offset, unit.state.offset) and np.array_equal(state.present, unit.state.present)
        assert conditions["signals"] == unit.state.signals


def test_the_clock_ticks_by_the_takt(context):
    times = [make_sample(context, i).time_ns for i in (0, 1, 10)]
    assert times[0] == 1767247200 * 10**9       # 2026-01-01 06:00:00 UTC
    assert times[1] - times[0] == 30 * 10**9 and times[2] - times[0] == 300 * 10**9


def test_free_running_samples_go_through_the_tiles_in_turn(context):
    free = [i for i in range(24) if context.schedule.slot(i) is None]
    assert [make_sample(context, i).conditions["tiles"]["rgb"] for i in free[:8]] == [[k % 6] for k in range(8)]


def test_all_tiles_of_one_unit_and_its_golden_twin(context):
    both = with_(context, "count: 4\nquotas: [{defect: missing, count: 1}]\nframes: {tiles: all}\noutputs: {golden: true}\n")
    sample = make_sample(both, 1)
    assert [f.camera for f in sample.frames] == ["top"] * 6 + ["golden"] * 6
    assert {i.defect for i in sample.instances if i.frame < 6} == {"", "missing"}
    assert {i.defect for i in sample.instances if i.frame >= 6} == {""}
    host = sample.conditions["target"]["host"]
    frame = next(i.frame for i in sample.instances if i.defect)
    pair = [sample.frames[frame], sample.frames[frame + 6]]
    assert pair[0].view == pair[1].view
    change = pair[0].images["rgb"].astype(int) - pair[1].images["rgb"]
    mask = next(i.amodal for i in sample.instances if i.frame == frame + 6 and i.component == host)
    assert np.abs(change[mask]).mean() > 5 * np.abs(change[~mask]).mean()        # same light: only the part differs …
    assert np.abs(change[~mask].mean()) < 0.1 and (change[~mask] != 0).mean() > 0.2          # … and the noise of an exposure each


def test_a_board_view_is_one_frame_with_its_margin(context):
    board = with_(context, "count: 4\nframes: {view: board, margin_mm: 2, pixel_um: 50}\n")
    sample = make_sample(board, 0)
    assert sample.frames[0].images["rgb"].shape == (round(16e-3 / 50e-6), round(28e-3 / 50e-6), 3)
    with pytest.raises(RecipeError, match=r"frames.pixel_um: a board view of .* use 3.1[0-9] µm or more"):
        with_(context, "count: 4\nframes: {view: board, pixel_um: 1}\n")


def test_a_target_that_never_comes_up_is_named(context, monkeypatch):
    monkeypatch.setattr(type(context.family), "condition", lambda self, product, process, target, rng: process)
    with pytest.raises(RecipeError, match=r"quota 'shift' mild \[5e-05, 0.0001\]: did not come up in 64 attempts at sample 1"):
        make_sample(context, 1)


def test_a_host_that_refuses_a_target_is_passed_over(context, monkeypatch):
    """A part may be too small for so gross a defect; the quota is met on another one, or named where none can."""
    real, asked = type(context.family).condition, []

    def picky(self, product, process, target, rng):
        asked.append(target.host)
        if target.host != "B5":
            raise RecipeError(f"shift: no part {target.host} can show it")
        return real(self, product, process, target, rng)

    monkeypatch.setattr(type(context.family), "condition", picky)
    unit = make_unit(context, 3)
    assert unit.hit.host == "B5" and len(set(asked[:12])) == min(len(asked), 12)         # every host once before any twice
    monkeypatch.setattr(type(context.family), "hosts", lambda self, product, defect: ("B1", "B2"))
    none = Context(context.scene, context.recipe, "fake", context.product)
    with pytest.raises(RecipeError, match=r"quota 'shift' mild .*: shift: no part B[12] can show it"):
        check_quotas(none)


def test_a_failed_attempt_is_followed_by_other_draws(context, monkeypatch):
    real, calls = type(context.family).condition, []

    def sometimes(self, product, process, target, rng):
        calls.append(target.host)
        return real(self, product, process, target, rng) if len(calls) > 3 else process

    monkeypatch.setattr(type(context.family), "condition", sometimes)
    sample = make_sample(context, 1)
    attempt = sample.conditions["attempt"]
    assert attempt == len(calls) - 1 >= 3 and len(set(calls)) > 1
    process = context.family.process_from_dict(sample.conditions["process"])
    expected = context.family.simulate(context.product, process, stream(7, 1, f"simulate/{attempt}"))
    assert np.array_equal(replay(context, sample.conditions).offset, expected.offset)


def test_a_scene_that_cannot_be_looked_at_is_refused(toy, context):
    text = (toy / "toy.scene.yaml").read_text()
    (toy / "dark.yaml").write_text(text[:text.index("    lighting")])
    with pytest.raises(SceneError, match="station 'aoi' has no lighting"):
        Context(Scene.read(toy / "dark.yaml"), context.recipe, "fake")
    (toy / "odd.yaml").write_text(text.replace("family: fake", "family: cheese"))
    with pytest.raises(SceneError, match=r"product.family: 'cheese' is not installed; known: .*fake"):
        Context(Scene.read(toy / "odd.yaml"), context.recipe, "fake")


SPEC = CameraSpec("top", "telecentric", 100e-6, 96, 64, "tiles", 0.2)


@pytest.mark.parametrize("overlap", [0.0, 0.1, 0.5])
def test_tiles_cover_the_product_with_their_overlap(overlap):
    box, frames = (0.0, -0.003, 0.0313, 0.0191), Recipe.parse(f"scene: a\ncount: 1\nframes: {{overlap: {overlap}}}").frames
    tiles = cameras(SPEC, frames, box)
    x, y = (sorted({round(float(c.pose[a, 3]), 12) for c in tiles}) for a in (0, 1))
    for centers, size, low, high in ((x, 9.6e-3, box[0], box[2]), (y, 6.4e-3, box[1], box[3])):
        assert centers[0] - size / 2 == pytest.approx(low) and centers[-1] + size / 2 == pytest.approx(high)
        assert max(np.diff(centers)) <= size * (1 - overlap) + 1e-12
        assert len(centers) == 1 or (len(centers) - 1) * size * (1 - overlap) + size >= high - low > (
            (len(centers) - 2) * size * (1 - overlap) + size)
    rng = np.random.default_rng(0)
    for point in rng.uniform(box[:2], box[2:], (50, 2)):
        px = tiles[tile_of(tuple(point), tiles)].project(np.array([[*point, 0.0]]))[0]
        assert 0 <= px[0] <= 96 and 0 <= px[1] <= 64


def test_a_finding_is_where_its_parts_are(context):
    unit = make_unit(context, 0)
    geometry = context.family.geometry(context.product, unit.state, None)
    expected = context.product.at[4] + unit.state.offset[4]
    assert place_of(Finding("brick", "", "B5", instances=(6,)), geometry) == pytest.approx(tuple(expected), abs=1e-9)
    everywhere = Geometry(geometry.slab)
    assert place_of(Finding("brick", "", ""), everywhere) == pytest.approx((12e-3, 6e-3))


def test_only_the_asked_labels_are_stored(context):
    sample = make_sample(context, 0)
    assert set(sample.frames[0].labels) == {"instance", "part", "depth", "normal"}
    less = with_(context, "count: 4\noutputs: {labels: [instance]}\n")
    assert set(make_sample(less, 0).frames[0].labels) == {"instance"}
