"""Exports, each read back by its consumer: pycocotools, datasets, an anomalib-style folder reader, a YOLO rasteriser."""
from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
import shapely
import synthetic
import yaml
from PIL import Image, ImageDraw

from generators.dataset import Dataset
from generators.exports import polygons
from generators.masks import rle_crop, rle_encode
from scenes.errors import DatasetError, InputError


def samples():
    return [synthetic.sample(i) for i in range(synthetic.COUNT)]


def visible(**where):
    return [x for s in samples() for x in s.instances if not x.hidden and (where.get("split") in (None, s.split))]


def test_coco_is_exact(dataset, tmp_path, capsys):
    coco_module = pytest.importorskip("pycocotools.coco")
    report = dataset.export("coco", tmp_path / "coco")
    assert (report.samples, report.images, report.instances) == (10, 10, len(visible())) and report.left_out["hidden"] == 10
    assert report.verified.startswith("pycocotools") and capsys.readouterr().out == ""
    for split in ("train", "val", "test"):
        coco = coco_module.COCO(str(tmp_path / "coco" / "annotations" / f"instances_{split}.json"))
        assert {c["id"]: c["name"] for c in coco.loadCats(coco.getCatIds())} == \
            {1: "shift", 2: "missing", 3: "void", 4: "chip_resistor", 5: "soic"}
        by_id = {s.id: s for s in samples() if s.split == split}
        assert len(coco.imgs) == len(by_id)
        for image in coco.imgs.values():
            sample = by_id.pop(image["sample_id"])
            picture = np.asarray(Image.open(tmp_path / "coco" / "images" / split / image["file_name"]))
            assert np.array_equal(picture, sample.frames[0].images["rgb"])
            assert picture.shape[:2] == (image["height"], image["width"])
            made = [x for x in sample.instances if not x.hidden]
            read = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
            assert len(made) == len(read)
            for a, b in zip(read, made, strict=True):
                assert np.array_equal(coco.annToMask(a).astype(bool), b.visible) and a["area"] == b.visible.sum()
                rows, columns = np.nonzero(b.visible)
                assert a["bbox"] == [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
                assert a["attributes"]["component"] == b.component


def test_coco_amodal_keeps_what_is_hidden(dataset, tmp_path):
    report = dataset.export("coco", tmp_path / "coco", masks="amodal", split="val", defects_only=True)
    defects = [x for s in samples() if s.split == "val" for x in s.instances if x.defect]
    assert report.instances == len(defects) and report.left_out["hidden"] == 0
    assert not (tmp_path / "coco" / "annotations" / "instances_train.json").exists()


def test_coco_with_more_masks_than_pycocotools_takes_at_once(tmp_path):
    """Its area() overflows a byte at 256 masks under numpy 2."""
    with Dataset.read(synthetic.write(tmp_path / "many", 140, shard_size=70)) as many:
        report = many.export("coco", tmp_path / "coco", split="train")
    assert report.instances > 255 and report.verified


def test_yolo_polygons_cover_their_masks(dataset, tmp_path):
    """Read back the way a trainer does: scale to pixels, draw the polygon, compare."""
    report = dataset.export("yolo", tmp_path / "yolo")
    data = yaml.safe_load((tmp_path / "yolo/data.yaml").read_text())
    assert data["names"] == {0: "shift", 1: "missing", 2: "void", 3: "chip_resistor", 4: "soic"} and data["val"] == "images/val"
    assert report.instances == len(visible()) and report.figures["IoU lowest"] > 0.9
    for sample in samples():
        made = [x for x in sample.instances if not x.hidden]
        lines = (tmp_path / "yolo/labels" / sample.split / f"{sample.id}-0.txt").read_text().splitlines()
        assert len(lines) == len(made) and (tmp_path / "yolo/images" / sample.split / f"{sample.id}-0.png").exists()
        for line, item in zip(lines, made, strict=True):
            first, *numbers = line.split()
            assert int(first) == synthetic.TAXONOMY.category_id(item.category) - 1
            points = np.array(numbers, float).reshape(-1, 2) * (64, 48)
            canvas = Image.new("1", (64 * 8, 48 * 8))
            ImageDraw.Draw(canvas).polygon([tuple(p * 8) for p in points], fill=1)
            drawn = np.asarray(canvas).reshape(48, 8, 64, 8).mean(axis=(1, 3)) > 0.5
            assert (drawn & item.visible).sum() / (drawn | item.visible).sum() > 0.85
    rows = (tmp_path / "yolo/fidelity.csv").read_text().splitlines()
    assert len(rows) == 1 + report.instances and rows[0] == "image,category,component,iou"


def test_yolo_says_what_it_loses_and_refuses_beyond_a_limit(dataset, tmp_path):
    with pytest.raises(DatasetError, match=r"less than 1\.1; lower the tolerance, or use coco"):
        dataset.export("yolo", tmp_path / "yolo", min_iou=1.1)


def test_a_hole_and_a_split_mask_as_one_polygon():
    """A ring of 20² − 10² pixels loses its hole: IoU 300/400. Two squares stay two: IoU 1."""
    ring = np.zeros((30, 40), bool)
    ring[5:25, 5:25] = True
    ring[10:20, 10:20] = False
    within, inside = rle_crop(rle_encode(ring))
    outline = polygons.chain(polygons.outlines(within, inside))
    assert polygons.fidelity(outline, within, inside, 40, 30) == pytest.approx(0.75)
    two = np.zeros((30, 40), bool)
    two[2:12, 3:9] = two[15:28, 20:36] = True
    within, inside = rle_crop(rle_encode(two))
    rings = polygons.outlines(within, inside)
    assert sorted(shapely.Polygon(r).area for r in rings) == [60, 208]
    assert polygons.fidelity(polygons.chain(rings), within, inside, 40, 30) == 1.0


class FolderReader:
    """What anomalib's MVTecAD reader does: globs splits, labels and masks by folder name, pairs masks by stem."""

    def __init__(self, root: Path) -> None:
        self.rows = []
        for path in sorted(root.rglob("*.png")):
            split, label, _ = path.relative_to(root).parts
            if split != "ground_truth":
                mask = root / "ground_truth" / label / f"{path.stem}_mask.png" if label != "good" else None
                self.rows.append((split, label, path, mask))
        assert all(mask is None or mask.is_file() for *_, mask in self.rows)
        assert all(label == "good" for split, label, *_ in self.rows if split == "train")


@pytest.fixture
def with_good(tmp_path):
    """A dataset where half the samples have no defect."""
    from dataclasses import replace

    from generators.dataset import meta, shards

    def sample(i):
        made = synthetic.sample(i)
        kept = tuple(x for x in made.instances if i % 2 == 0 or not x.defect)
        return replace(made, instances=kept, split=("train", "test", "test", "train")[i % 4])

    root, info = tmp_path / "half", synthetic.info()
    meta.write_identity(root, info, {})
    for shard in range(3):
        shards.write_shard(root, shard, (sample(i) for i in range(4 * shard, 4 * shard + 4)), info)
    meta.write_summary(root, info, 12)
    with Dataset.read(root) as opened:
        yield opened, [sample(i) for i in range(12)]


def test_mvtec_is_the_exact_layout(with_good, tmp_path):
    dataset, made = with_good
    report = dataset.export("mvtec", tmp_path / "mvtec")
    reader = FolderReader(tmp_path / "mvtec" / "toy")
    good = [s for s in made if not any(x.defect for x in s.instances)]
    bad = [s for s in made if any(x.defect and not x.hidden for x in s.instances) and s.split == "test"]
    count = {key: sum(r[:2] == key for r in reader.rows) for key in (("train", "good"), ("test", "good"), ("test", "shift"))}
    assert count == {("train", "good"): sum(s.split == "train" for s in good),
                     ("test", "good"): sum(s.split == "test" for s in good), ("test", "shift"): len(bad)}
    assert report.images == len(reader.rows) and report.left_out["defective frames of the train split"] == 3
    masks = [np.asarray(Image.open(m)) for *_, m in reader.rows if m is not None]
    for mask, sample in zip(masks, bad, strict=True):
        shown = np.any([x.visible for x in sample.instances if x.defect], axis=0)
        assert mask.dtype == np.uint8 and set(np.unique(mask)) == {0, 255} and np.array_equal(mask == 255, shown)
    config = yaml.safe_load((tmp_path / "mvtec/anomalib.yaml").read_text())["data"]["init_args"]
    folders = (config["normal_dir"], config["normal_test_dir"], *config["abnormal_dir"], *config["mask_dir"])
    assert all((tmp_path / "mvtec" / config["root"] / folder).is_dir() for folder in folders)


def test_hf_loads_without_a_script(dataset, tmp_path):
    datasets = pytest.importorskip("datasets")
    report = dataset.export("hf", tmp_path / "hf")
    assert report.verified.startswith("datasets") and report.instances == len(visible())
    loaded = datasets.load_dataset(str(tmp_path / "hf"), cache_dir=str(tmp_path / "cache"))
    assert {k: len(v) for k, v in loaded.items()} == {"train": 6, "validation": 2, "test": 2}
    names = loaded["test"].features["objects"]["category"].feature.names
    for row, sample in zip(loaded["test"], [s for s in samples() if s.split == "test"], strict=True):
        made = [x for x in sample.instances if not x.hidden]
        assert np.array_equal(np.asarray(row["image"]), sample.frames[0].images["rgb"])
        assert [names[c] for c in row["objects"]["category"]] == [x.category for x in made]
        assert row["objects"]["area"] == [x.visible.sum() for x in made] and row["defective"]
        for severity, item in zip(row["objects"]["severity"], made, strict=True):
            assert (severity is None) == math.isnan(item.severity)
    saved = io.BytesIO()
    loaded["test"].to_parquet(saved)                                         # and it goes on from there
    assert saved.tell() > 1000


def test_exports_never_overwrite_and_say_what_there_is(dataset, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    for name in ("coco", "yolo", "mvtec", "hf"):
        with pytest.raises(DatasetError, match="not empty; choose a new folder"):
            dataset.export(name, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(InputError, match="no format 'coc'; there are: changenet, coco, hf, kitti, mp4, mvtec, replicator, "
                                         "webdataset, yolo"):
        dataset.export("coc", tmp_path / "out")
    with pytest.raises(InputError, match="no split 'dev'"):
        dataset.export("mvtec", tmp_path / "a", split="dev")
    with pytest.raises(InputError, match="quality"):
        dataset.export("mvtec", tmp_path / "b", quality=3)
    with pytest.raises(InputError, match="masks 'both'"):
        dataset.export("coco", tmp_path / "c", masks="both")


def test_an_export_that_fails_leaves_nothing(dataset, tmp_path):
    with pytest.raises(DatasetError, match="a polygon keeps"):
        dataset.export("yolo", tmp_path / "out", min_iou=1.01)
    assert not list(tmp_path.iterdir())
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("kept")
    for name in ("coco", "yolo", "mvtec", "hf", "kitti", "webdataset"):
        with pytest.raises(DatasetError, match="is not empty"):
            dataset.export(name, tmp_path / "taken")
    assert [p.name for p in tmp_path.rglob("*")] == ["taken", "mine.txt"]
