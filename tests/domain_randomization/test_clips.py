"""Clips on the toy line: what a recipe may ask for, where the board is in each frame, what stays as it is."""
from __future__ import annotations

import hashlib
import json
import math

import numpy as np
import pytest
from scipy import integrate

from domain_randomization.clips import draw_lamps, moments
from domain_randomization.planning import plan
from domain_randomization.recipe import Clip, Recipe
from domain_randomization.sampling import Context, begin_sample, make_sample
from generators.dataset.rows import Row
from generators.dataset.schema import DatasetInfo, row
from generators.imaging.flicker import Flicker
from scenes.errors import RecipeError
from scenes.instruments.aoi import Motion
from scenes.optics import looking_down
from scenes.scene import Scene

STEADY = "camera: {offset_um: 0, roll_deg: 0, scale: 1, blur_px: 0, noise: 0}\n"
MOVING = "view: tiles, motion: {speed_mm_per_s: 30, direction_deg: 0, exposure_us: 1000}}"


@pytest.fixture
def scene(toy):
    """The toy line, its conveyor moving: 1 mm, 10 pixels, from frame to frame at 30 Hz."""
    text = (toy / "toy.scene.yaml").read_text()
    (toy / "moving.yaml").write_text(text.replace("view: tiles}", MOVING))
    return Scene.read(toy / "moving.yaml")


def context(scene, text):
    return Context(scene, Recipe.parse("scene: moving.yaml\nseed: 7\ncount: 4\n" + STEADY + text), "fake")


def stored(context, sample):
    return row(sample, DatasetInfo("toy", "ab" * 32, context.family.taxonomy, 4))


@pytest.mark.parametrize(("text", "message"), [
    ("clip: {frames: 1, rate_hz: 10}", "clip.frames: Input should be greater than or equal to 2"),
    ("clip: {frames: 9, rate_hz: 10, flicker: {uniform: [0, 2]}}", "clip.flicker: values from 0 to 2 can be drawn; allowed is 0"),
    ("clip: {frames: 9, rate_hz: 10, fps: 3}", "clip.fps: unknown key"),
    ("clip: {frames: 9, rate_hz: 10}\nmodalities: [xray]", "clip: is of the colour camera; add rgb to modalities"),
    ("clip: {frames: 9, rate_hz: 10}\nframes: {tiles: all}", "clip: shows one tile; set frames.tiles to 'cycle' or 'random'"),
])
def test_a_clip_that_cannot_be_is_refused(text, message):
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(f"scene: a\ncount: 3\n{text}")
    assert message in str(caught.value)


def test_a_clip_is_bounded_by_pixels_and_by_its_shutter(scene):
    with pytest.raises(RecipeError, match=r"clip.frames: 1200 frames of 600 × 600 are 432 megapixels a sample; no more than 100"):
        context(scene, "clip: {frames: 600, rate_hz: 10}\nframes: {width: 600, height: 600}\noutputs: {golden: true}\n")
    with pytest.raises(RecipeError, match="a frame every 500 µs, but the shutter is open for 1000 µs"):
        context(scene, "clip: {frames: 6, rate_hz: 2000}\n")


def test_still_recipes_are_what_they_were(scene, toy):
    """Digest, and so sample ids, from everything but the new section; the section is in the digest where there is one."""
    still = Recipe.parse("scene: a\ncount: 3\n")
    data = still.model_dump(mode="json", exclude={"scene", "count", "shard_size", "outputs", "execution"})
    del data["clip"], data["scenario"]
    text = json.dumps({"recipe": data, "scene": scene.digest()}, sort_keys=True)
    assert still.digest(scene) == hashlib.sha256(text.encode()).hexdigest()
    digests = {Recipe.parse(f"scene: a\ncount: 3\nclip: {{frames: {n}, rate_hz: {r}}}").digest(scene) for n, r in
               ((5, 10), (6, 10), (5, 11))}
    assert len(digests | {still.digest(scene)}) == 4
    frame = make_sample(context(scene, ""), 0).frames[0]
    assert set(frame.view) == {"model", "pixel_size", "distance", "width", "height", "pose", "tile"}


def test_the_middle_frame_is_the_still_picture_and_the_board_moves_on(scene):
    still, clip = (make_sample(context(scene, text), 1) for text in ("", "clip: {frames: 5, rate_hz: 30}\n"))
    assert len(clip.frames) == 5 and still.id != clip.id and still.conditions == {
        k: v for k, v in clip.conditions.items() if k != "clip"}
    assert np.array_equal(clip.frames[2].images["rgb"], still.frames[0].images["rgb"])
    assert np.array_equal(clip.frames[2].labels["instance"], still.frames[0].labels["instance"])
    pose = np.array([f.view["pose"] for f in clip.frames]).reshape(-1, 4, 4)
    assert np.diff(pose[:, :3, 3], axis=0) == pytest.approx(np.tile([-1e-3, 0, 0], (4, 1)))
    assert [f.view["clip"] for f in clip.frames] == [0, 1, 2, 3, 4]
    assert [f.view["time_s"] for f in clip.frames] == pytest.approx([k / 30 for k in range(5)])
    first, last = clip.frames[0].labels["instance"], clip.frames[4].labels["instance"]
    assert np.array_equal(first[:, :-40], last[:, 40:])                 # 4 mm of 100 µm, to the right: as the board moves


def test_a_track_follows_one_thing_through_the_frames(scene):
    line = context(scene, "clip: {frames: 7, rate_hz: 30}\n")
    made = make_sample(line, 1)
    held = Row(stored(line, made), "row")
    assert held.clips == {"top": (0, 1, 2, 3, 4, 5, 6)}
    tracks = held.tracks()
    assert len({t.ids for t in tracks}) == len(tracks) and len(tracks) > 2
    whole = 0
    for thing, path in tracks.items():
        assert [frame for frame, _ in path] == list(range(7))
        for frame, box in path:
            mask = np.isin(made.frames[frame].labels["instance"], thing.ids)
            assert (box is None) == (not mask.any())
        inside = [box for _, box in path if box is not None and box[0] > 0 and box[0] + box[2] < 96]
        whole += len(inside) - 1
        assert np.diff([box[0] for box in inside]).tolist() == [10] * (len(inside) - 1)
        assert len({box[1:] for box in inside}) <= 1
    assert whole > 3


def test_frames_made_while_they_are_stored_are_the_same(scene):
    both = context(scene, "clip: {frames: 4, rate_hz: 30, flicker: 0.2}\noutputs: {golden: true}\n")
    assert stored(both, begin_sample(both, 2)) == stored(both, make_sample(both, 2))
    lazy = begin_sample(both, 2)
    assert lazy.frames == () and len(lazy.whole().frames) == 8
    held = Row(stored(both, make_sample(both, 2)), "row")
    assert held.clips == {"top": (0, 1, 2, 3), "golden": (4, 5, 6, 7)} and held.tracks("golden")
    assert [f.view for f in held.frames[:4]] == [f.view for f in held.frames[4:]]


def test_noise_is_fresh_and_every_run_gives_the_same(scene):
    text = "clip: {frames: 4, rate_hz: 30, flicker: {uniform: [0.1, 0.4]}}\n"
    noisy = Recipe.parse("scene: m\nseed: 7\ncount: 4\ncamera: {noise: 0.02}\n" + text)
    line, again = (Context(scene, noisy, "fake") for _ in range(2))
    a, b = make_sample(line, 0), make_sample(again, 0)
    assert stored(line, a) == stored(again, b)
    one, two = (frame.images["rgb"].astype(float) for frame in a.frames[:2])
    assert np.std(one[:8] - two[:8]) > 3                                # board alone in the first rows: only noise differs
    longer = noisy.model_copy(update={"clip": noisy.clip.model_copy(update={"frames": 5})})
    assert make_sample(Context(scene, longer, "fake"), 0).conditions["clip"] == a.conditions["clip"]


def test_the_plan_counts_a_clips_frames(scene):
    made = context(scene, "clip: {frames: 12, rate_hz: 30}\noutputs: {golden: true}\n")
    counted = plan(scene, made.recipe, workers=0, context=made)
    assert [f.frames for f in counted.frames] == [24] and "24 rgb of 96 × 64 px" in counted.text()


def test_light_is_the_mean_over_the_exposure_around_each_frame():
    clip, motion = Clip(frames=9, rate_hz=23.0, flicker=0.35), Motion(0.02, 0.7, 3e-3)
    lamps = draw_lamps(clip, np.random.default_rng(4))
    assert lamps == Flicker(100.0, 0.35, lamps.phase) and lamps.phase != draw_lamps(clip, np.random.default_rng(5)).phase
    shots = moments(clip, motion, lamps, np.random.default_rng(1))
    for k, shot in enumerate(shots):
        mean, _ = integrate.quad(lambda t: 1 + 0.35 * math.cos(200 * math.pi * t + lamps.phase), k / 23 - 1.5e-3, k / 23 + 1.5e-3)
        assert shot.light == pytest.approx(mean / 3e-3, abs=1e-9) and shot.time == k / 23
        assert np.hypot(*shot.way) == pytest.approx(abs(k - 4) / 23 * 0.02)
    assert math.atan2(shots[8].way[1], shots[8].way[0]) == pytest.approx(0.7) and shots[4].way == (0.0, 0.0)
    assert len({s.seed for s in shots}) == 9


def test_the_camera_goes_the_other_way():
    """A point on the board moves with the board: by way / pixel size, whichever way the camera is turned."""
    shot = moments(Clip(frames=3, rate_hz=10), Motion(5e-3, 0.4, 1e-4), Flicker(), np.random.default_rng(0))[2]
    for roll in (0.0, 0.3, math.pi / 2):
        camera = looking_down("c", (1e-3, 2e-3), 10e-6, 200, 100, roll=roll)
        before, after = (c.project(np.array([[1.2e-3, 1.9e-3, 0.0]]))[0] for c in (camera, shot.taken_by(camera)))
        (x, y), c, s = shot.way, math.cos(roll), math.sin(roll)
        assert after - before == pytest.approx([(x * c + y * s) / 10e-6, -(y * c - x * s) / 10e-6])
