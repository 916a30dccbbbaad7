"""One unit before three instruments: bytes, labels and gate, on the shipped board."""
from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from domain_randomization.execution import dataset_info, make_shard, run
from domain_randomization.recipe import Recipe
from domain_randomization.sampling import Context, make_sample
from generators.dataset import Dataset
from generators.dataset.shards import shard_path
from generators.inspect import inspect_dataset
from generators.registration import carried, homography
from scenes.errors import RecipeError, SceneError
from scenes.scene import Scene

RECIPE = """\
scene: {scene}
seed: 5
count: 6
shard_size: 3
modalities: [{modalities}]
defective_fraction: 0.67
quotas:
  - {{defect: missing, count: 1}}
  - {{defect: bridge, count: 1}}
  - {{defect: bga_void, count: 1}}
  - {{defect: tombstone, count: 1}}
frames: {{pixel_um: 60}}
"""


@pytest.fixture(scope="module")
def scene(examples, tmp_path_factory):
    text = (examples / "inspector.scene.yaml").read_text().replace("boards/", f"{examples}/boards/")
    path = tmp_path_factory.mktemp("scene") / "scene.yaml"
    path.write_text(text.replace("pixel_um: 20, width: 1024, height: 1024", "pixel_um: 40, width: 512, height: 512"))
    return path


def opened(scene, modalities="rgb, thermal, xray", product=None):
    return Context(Scene.read(scene), Recipe.parse(RECIPE.format(scene=scene, modalities=modalities)), "gl", product)


@pytest.fixture(scope="module")
def context(scene):
    with opened(scene) as made:
        yield made


@pytest.fixture(scope="module")
def dataset(context, tmp_path_factory):
    root = tmp_path_factory.mktemp("event")
    run(context.scene, context.recipe, root, workers=0)
    return root


def test_every_sample_has_one_frame_of_each_instrument(dataset):
    with Dataset.read(dataset) as data:
        for row in data:
            assert row.modalities == ["rgb", "thermal", "xray"]
            assert [f.station.rsplit("/", 1)[1] for f in row.frames] == ["aoi", "infrared", "axi"]
            kelvin, counts = row.image("thermal", 1), row.image("xray", 2)
            assert kelvin.dtype == np.float32 and 290 < kelvin.min() < kelvin.max() < 420
            assert counts.dtype == np.uint16 and counts.shape == (512, 512)
            assert not row.has_label("instance", 2) and row.has_label("instance", 1)


def test_shards_are_the_same_bytes_in_any_order_and_process(scene, context, dataset, tmp_path):
    with opened(scene, product=context.product) as other:
        info = dataset_info(other, other.renderer.build)
        for shard in (1, 0):
            make_shard(other, info, tmp_path, shard, lambda: None)
    for shard in (0, 1):
        assert shard_path(tmp_path, shard).read_bytes() == shard_path(dataset, shard).read_bytes()


def test_one_more_modality_changes_nothing_in_the_others(scene, context):
    with opened(scene, "rgb", context.product) as alone:
        for index in range(3):
            one, all_ = make_sample(alone, index), make_sample(context, index)
            np.testing.assert_array_equal(one.frames[0].images["rgb"], all_.frames[0].images["rgb"])
            assert one.conditions["process"] == all_.conditions["process"]


def test_a_defect_is_told_by_every_instrument_that_can_see_it(dataset):
    seen = {}
    with Dataset.read(dataset) as data:
        for row in data:
            for item in row.instances:
                if item.defect:
                    seen.setdefault(item.defect, {}).setdefault(item.frame, []).append(item.hidden)
    assert seen["bga_void"][0] == [True] and seen["bga_void"][2] == [False]
    for defect in ("missing", "tombstone", "bridge"):
        assert set(seen[defect]) == {0, 1, 2} and not any(seen[defect][0]) and not any(seen[defect][2])


def test_masks_of_one_part_lie_on_each_other_after_registration(dataset):
    """The visible mask of a flat part, carried from the colour frame to the infrared one, meets its mask there."""
    with Dataset.read(dataset) as data:
        row = data[0]
        colour, infrared = row.frames[0].looking(), row.frames[1].looking()
        matrix = homography(colour, infrared)
        checked = 0
        for item in row.instances:
            if item.frame == 0 and item.category == "bga":
                twin = next(i for i in row.instances if i.frame == 1 and i.component == item.component)
                x, y, w, h = item.box
                corners = carried(np.array([[x, y], [x + w, y + h]], float), matrix)
                tx, ty, tw, th = twin.box
                np.testing.assert_allclose(corners.ravel(), (tx, ty, tx + tw, ty + th), atol=1.5)
                checked += 1
        assert checked


def test_the_gate_passes_and_shows_the_instruments_side_by_side(dataset, tmp_path):
    with Dataset.read(dataset) as data:
        report = inspect_dataset(data, out=tmp_path)
    assert not [c.message for c in report.checks if c.status == "failed"]
    page = (tmp_path / "index.html").read_text()
    assert "One event, every instrument" in page and "infrared" in page and "X-ray" in page


def test_shards_say_the_unit_of_every_picture(dataset):
    images = pq.read_table(shard_path(dataset, 0)).column("images").to_pylist()[0]
    assert [(i["modality"], i["unit"], i["low"], i["high"]) for i in images] == [
        ("rgb", "sRGB", 0.0, 1.0), ("thermal", "K", 0.0, 655.35), ("xray", "counts", 0.0, 65535.0)]


def test_conditions_tell_each_instruments_pose_and_tile(context):
    conditions = json.loads(json.dumps(make_sample(context, 0).conditions))
    assert set(conditions["camera"]) == set(conditions["tiles"]) == {"rgb", "thermal", "xray"}


def test_a_modality_without_its_station_is_refused(scene, tmp_path, context):
    path = tmp_path / "scene.yaml"
    path.write_text(scene.read_text().split("  # Looked through")[0])
    with pytest.raises(SceneError, match=r"modality 'xray': no station has 'xray:'"):
        opened(path, "rgb, xray", context.product)


def test_a_modality_named_twice_is_refused(scene):
    with pytest.raises(RecipeError, match="name each one once"):
        Recipe.parse(RECIPE.format(scene=scene, modalities="rgb, rgb"))
