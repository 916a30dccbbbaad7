"""BasicWriter's layout, read back with numpy, json and Pillow alone; expected values come from the samples themselves."""
from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest
import replicated
from PIL import Image

from generators.dataset import Dataset
from scenes.errors import DatasetError, InputError, StorageError

# NVIDIA, isaacsim.sensors.camera 6.2 and the bounding_box_2d_tight page of omni.replicator.core
BOX = [("semanticId", "<u4"), ("x_min", "<i4"), ("y_min", "<i4"), ("x_max", "<i4"), ("y_max", "<i4"), ("occlusionRatio", "<f4")]


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    with Dataset.read(replicated.write(tmp_path_factory.mktemp("known") / "one")) as opened:
        yield opened


@pytest.fixture(scope="module")
def flat(known, tmp_path_factory):
    out = tmp_path_factory.mktemp("replicator") / "flat"
    return out, known.export("replicator", out)


def test_one_camera_is_flat_and_complete(flat):
    out, report = flat
    assert (report.samples, report.images, report.instances) == (6, 6, 24)
    assert report.left_out["hidden instances, as loose boxes only"] == 6
    assert report.left_out["hidden pixels of instances that are partly seen"] == 6 * 36
    annotators = [*(f"bounding_box_2d_{kind}{part}" for kind in ("loose", "tight") for part in ("", "_labels", "_prim_paths")),
                  "camera_params", "distance_to_image_plane", "instance_segmentation", "instance_segmentation_mapping",
                  "instance_segmentation_semantics_mapping", "rgb",
                  "semantic_segmentation", "semantic_segmentation_labels"]
    assert sorted({p.stem.rsplit("_", 1)[0] for p in out.iterdir() if p.suffix != ".csv"}) == annotators
    frames = sorted(p.stem.rsplit("_", 1)[1] for p in out.glob("rgb_*.png"))
    assert frames == [f"{k:04d}" for k in range(6)] and all(p.is_file() for p in out.iterdir())
    assert (out / "frames.csv").read_text().splitlines()[:2] == ["frame,sample,unit,split",
                                                                  f"0000,{replicated.sample(0).id},unit-0,train"]


def test_pictures_and_depth_are_the_samples(flat):
    out, _ = flat
    for k in range(6):
        made = replicated.sample(k).frames[0]
        rgba = np.asarray(Image.open(out / f"rgb_{k:04d}.png"))
        assert rgba.shape[2] == 4 and np.array_equal(rgba[..., :3], made.images["rgb"]) and (rgba[..., 3] == 255).all()
        depth = np.load(out / f"distance_to_image_plane_{k:04d}.npy", allow_pickle=False)
        assert depth.dtype == np.float32 and np.array_equal(depth, made.labels["depth"])


@pytest.mark.parametrize("kind", ["tight", "loose"])
def test_boxes_have_an_inclusive_maximum(flat, kind):
    out, _ = flat
    for k in range(6):
        boxes = np.load(out / f"bounding_box_2d_{kind}_{k:04d}.npy", allow_pickle=False)
        labels = json.loads((out / f"bounding_box_2d_{kind}_labels_{k:04d}.json").read_text())
        prims = json.loads((out / f"bounding_box_2d_{kind}_prim_paths_{k:04d}.json").read_text())
        made = [i for i in replicated.items(0, k) if kind == "loose" or not i.hidden]
        assert boxes.dtype == np.dtype(BOX) and len(boxes) == len(made) == len(prims) == len(set(prims))
        for box, item in zip(boxes, made, strict=True):
            rows, columns = np.nonzero(item.visible if kind == "tight" else item.amodal)
            assert (box["x_min"], box["y_min"], box["x_max"], box["y_max"]) == \
                (columns.min(), rows.min(), columns.max(), rows.max())
            assert labels[str(box["semanticId"])] == {"class": item.category}
            assert box["occlusionRatio"] == pytest.approx(1 - item.visible.sum() / item.amodal.sum())
    assert "/World/Site_1/Area/Line_1/aoi/Bench/Product/Parts/R2" in prims


def pixels(path, labels):
    """Colour of each label in a colourised segmentation → its mask."""
    picture = np.asarray(Image.open(path))
    return {key: (picture == np.array(eval(key), np.uint8)).all(axis=2) for key in labels}


def test_every_pixel_names_its_objects(flat):
    """A pixel of two findings has an id of its own with both classes; the masks follow from the ids, pixel for pixel."""
    out, report = flat
    for k in range(6):
        text = (out / f"instance_segmentation_semantics_mapping_{k:04d}.json").read_text()
        semantics, mapping = json.loads(text), json.loads((out / f"instance_segmentation_mapping_{k:04d}.json").read_text())
        assert set(semantics) == set(mapping) and mapping["(0, 0, 0, 0)"] == "BACKGROUND"
        assert mapping["(0, 0, 0, 255)"] == "UNLABELLED"
        masks = pixels(out / f"instance_segmentation_{k:04d}.png", semantics)
        assert sum(m.sum() for m in masks.values()) == 40 * 56
        classes = {s["class"] for s in semantics.values()}
        assert classes == {"BACKGROUND", "UNLABELLED", "shift", "tombstone", "shift,tombstone", "chip_resistor", "soic"}
        for number, item in enumerate(replicated.items(0, k)):
            held = [masks[key] for key, s in semantics.items() if str(number) in s.get("finding", "").split(",")]
            assert np.array_equal(np.any(held, axis=0) if held else np.zeros((40, 56), bool), item.visible)
        labels = json.loads((out / f"semantic_segmentation_labels_{k:04d}.json").read_text())
        for key, mask in pixels(out / f"semantic_segmentation_{k:04d}.png", labels).items():
            for name in ("shift", "tombstone", "chip_resistor", "soic"):
                shown = next(i.visible for i in replicated.items(0, k) if i.category == name)
                assert (mask & shown).any() == (name in labels[key]["class"].split(","))
    assert report.figures["pixels of several instances"] == 6 * 3 * 3
    assert semantics.keys() == json.loads((out / "instance_segmentation_mapping_0000.json").read_text()).keys()


@pytest.mark.parametrize("model", ["telecentric", "perspective"])
def test_camera_params_project_as_our_cameras_do(tmp_path, model):
    """Row vectors: p · view · projection / w; and fx = focal length / aperture · width, as NVIDIA's PoseWriter computes it."""
    with Dataset.read(replicated.write(tmp_path / "set", model=model)) as dataset:
        dataset.export("replicator", tmp_path / "out")
    params = json.loads((tmp_path / "out" / "camera_params_0003.json").read_text())
    assert params["renderProductResolution"] == [56, 40] and params["metersPerSceneUnit"] == 1.0
    view, projection = (np.array(params[k]).reshape(4, 4) for k in ("cameraViewTransform", "cameraProjection"))
    points = np.random.default_rng(0).uniform((0.009, 0.019, 0), (0.011, 0.021, 0.003), (20, 3))
    clip = np.column_stack([points, np.ones(20)]) @ view @ projection
    ndc = clip[:, :3] / clip[:, 3:]
    screen = np.column_stack([(ndc[:, 0] + 1) * 28, (1 - ndc[:, 1]) * 20])
    camera = replicated.camera(3, model=model)
    assert screen == pytest.approx(camera.project(points), abs=1e-9)
    near = np.array([0, 0, -params["cameraNearFar"][0], 1]) @ projection
    assert near[2] / near[3] == pytest.approx(1)                             # reversed depth: 1 at the near plane
    if model == "perspective":
        assert params["cameraModel"] == "pinhole"
        fx = params["cameraFocalLength"] / params["cameraAperture"][0] * 56
        assert fx == pytest.approx(camera.distance / camera.pixel_size)


def test_several_cameras_have_folders_of_their_own(tmp_path):
    with Dataset.read(replicated.write(tmp_path / "set", cameras=("top", "side view"))) as dataset:
        report = dataset.export("replicator", tmp_path / "out")
    assert report.images == 12 and report.figures["cameras"] == 2 and report.figures["frame numbers"] == 6
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["frames.csv", "side_view", "top"]
    assert (tmp_path / "out/side_view/bounding_box_2d_tight/bounding_box_2d_tight_labels_0005.json").is_file()


def test_the_bytes_are_the_same_each_time_and_splits_can_be_asked_for(known, flat, tmp_path):
    seen = []
    known.export("replicator", tmp_path / "again", progress=lambda done, of, note: seen.append((done, of)))
    assert replicated.tree(tmp_path / "again") == replicated.tree(flat[0]) and seen[-1] == (6, 6)
    report = known.export("replicator", tmp_path / "val", split="val")
    assert report.images == 2 and len(list((tmp_path / "val").glob("rgb_*.png"))) == 2
    assert [line.split(",")[3] for line in (tmp_path / "val/frames.csv").read_text().splitlines()[1:]] == ["val", "val"]


def test_refusals_leave_nothing_behind(known, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("mine")
    with pytest.raises(DatasetError, match="not empty; choose a new folder"):
        known.export("replicator", tmp_path / "mine")
    with pytest.raises(InputError, match="no split 'dev'"):
        known.export("replicator", tmp_path / "out", split="dev")
    from generators.exports import replicator

    monkeypatch.setattr(replicator, "_read_back", lambda *_: (_ for _ in ()).throw(DatasetError("half way")))
    with pytest.raises(DatasetError, match="half way"):
        known.export("replicator", tmp_path / "out")
    with pytest.raises(StorageError, match="a file is in the way"):
        known.export("replicator", tmp_path / "mine" / "a.txt" / "out")
    monkeypatch.setattr(Path, "write_bytes", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
    for name in ("replicator", "kitti"):
        with pytest.raises(StorageError, match="the disk is full; free some space"):
            known.export(name, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]
