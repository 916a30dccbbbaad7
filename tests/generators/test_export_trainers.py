"""kitti, webdataset and changenet, each read back the way its trainer does."""
from __future__ import annotations

import csv
import errno
import json
import tarfile
from dataclasses import replace

import numpy as np
import pytest
import replicated
import synthetic
from PIL import Image

from generators.dataset import Dataset, meta, shards
from generators.exports import changenet, kitti
from generators.masks import rle_decode
from scenes.errors import DatasetError, InputError, StorageError


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    with Dataset.read(replicated.write(tmp_path_factory.mktemp("known") / "one")) as opened:
        yield opened


@pytest.fixture(scope="module")
def paired(tmp_path_factory):
    with Dataset.read(replicated.write(tmp_path_factory.mktemp("known") / "two", golden=True)) as opened:
        yield opened


# ----------------------------------------------------------------------------------------------------------------- kitti

UNUSED = ("height", "width", "length", "x", "y", "z", "rotation_y")
KITTI = (("type", str), ("truncated", float), ("occluded", int), ("alpha", float), ("left", float), ("top", float),
         ("right", float), ("bottom", float), *((name, float) for name in UNUSED))


def read_kitti(path):
    """One line per object; the fields and their order are those of the KITTI devkit's readme, without the score of results."""
    found = []
    for line in path.read_text().splitlines():
        values = line.split(" ")
        assert len(values) == len(KITTI) == 15
        found.append({name: kind(value) for (name, kind), value in zip(KITTI, values, strict=True)})
    return found


def test_kitti_boxes_are_the_masks_edges(known, tmp_path):
    report = known.export("kitti", tmp_path / "kitti")
    assert (report.samples, report.images, report.instances, report.left_out["hidden"]) == (6, 6, 24, 6)
    assert report.figures["boxes at the picture's border"] == 6              # U1 reaches the right edge
    assert (tmp_path / "kitti/classes.txt").read_text().split() == ["shift", "tombstone", "void", "chip_resistor", "soic"]
    for k in range(6):
        sample = replicated.sample(k)
        folder = tmp_path / "kitti" / sample.split
        assert np.array_equal(np.asarray(Image.open(folder / "images" / f"{sample.id}-0.png")), sample.frames[0].images["rgb"])
        read, made = read_kitti(folder / "labels" / f"{sample.id}-0.txt"), [i for i in sample.instances if not i.hidden]
        assert [o["type"] for o in read] == [i.category for i in made]
        for item, label in zip(made, read, strict=True):
            rows, columns = np.nonzero(item.visible)
            assert (label["left"], label["top"]) == (columns.min(), rows.min())
            assert (label["right"] - label["left"], label["bottom"] - label["top"]) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
            assert label["right"] <= 56 and label["bottom"] <= 40
            share = item.visible.sum() / item.amodal.sum()
            assert label["occluded"] == (0 if share >= 0.95 else 1 if share >= 0.5 else 2)
            assert all(label[name] == 0 for name in ("truncated", "alpha", *UNUSED))


def test_kitti_options_and_class_names(known, tmp_path):
    report = known.export("kitti", tmp_path / "a", masks="amodal", defects_only=True, split="val")
    assert report.instances == 2 * 3 and report.left_out["parts without a defect"] == 2 * 2
    plain = kitti.class_names(["Cold Joint", "über/void", "0402"])
    assert list(plain.values()) == ["cold_joint", "ber_void", "0402"]
    with pytest.raises(DatasetError, match="'a b' and 'a,b' are both 'a_b' in KITTI; rename"):
        kitti.class_names(["a b", "a,b"])
    with pytest.raises(InputError, match="masks 'both'"):
        known.export("kitti", tmp_path / "b", masks="both")
    known.export("kitti", tmp_path / "c")
    known.export("kitti", tmp_path / "d")
    assert replicated.tree(tmp_path / "c") == replicated.tree(tmp_path / "d")


# ------------------------------------------------------------------------------------------------------------ webdataset

def test_webdataset_reads_every_sample(known, tmp_path):
    wds = pytest.importorskip("webdataset")
    report = known.export("webdataset", tmp_path / "wds", shard_count=2)
    assert sorted(p.name for p in (tmp_path / "wds").iterdir()) == [
        "test-000000.tar", "train-000000.tar", "train-000001.tar", "val-000000.tar"]
    assert (report.images, report.instances, report.figures["shards"]) == (6, 30, 4)
    for split in ("train", "val", "test"):
        made = [s for s in map(replicated.sample, range(6)) if s.split == split]
        urls = sorted(str(p) for p in (tmp_path / "wds").glob(f"{split}-*.tar"))
        read = list(wds.WebDataset(urls, shardshuffle=False, empty_check=False).decode("rgb8"))
        assert [r["__key__"] for r in read] == [f"{s.id}-0" for s in made]
        for row, sample in zip(read, made, strict=True):
            assert np.array_equal(row["png"], sample.frames[0].images["rgb"])
            assert np.array_equal(row["depth.npy"], sample.frames[0].labels["depth"])
            assert (row["json"]["sample"], row["json"]["unit"], row["json"]["split"]) == (sample.id, sample.unit, split)
            assert [i["category"] for i in row["json"]["instances"]] == [i.category for i in sample.instances]
            for label, item in zip(row["json"]["instances"], sample.instances, strict=True):
                mask = rle_decode({"size": [40, 56], "counts": label["rle"]})
                assert np.array_equal(mask, item.visible) and label["area"] == item.visible.sum()
                assert np.array_equal(rle_decode({"size": [40, 56], "counts": label["amodal_rle"]}), item.amodal)
                assert (label["bbox"] is None) == item.hidden and label["severity"] == (0.4 if item.defect == "shift" else None)


def test_webdataset_instance_pictures_and_headers(known, tmp_path):
    known.export("webdataset", tmp_path / "a", depth=False)
    known.export("webdataset", tmp_path / "b", depth=False)
    assert replicated.tree(tmp_path / "a") == replicated.tree(tmp_path / "b")
    with tarfile.open(tmp_path / "a" / "train-000000.tar") as tar:
        members = tar.getmembers()
        assert [m.name.split(".", 1)[1] for m in members[:3]] == ["instance.png", "json", "png"]
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {(0, 0, 0, "", "", 0o644)}
        ids = np.asarray(Image.open(tar.extractfile(members[0])))
    expected = np.zeros((40, 56), int)
    for k, item in enumerate(replicated.sample(0).instances, 1):
        expected[item.visible] = k
    assert np.array_equal(ids, expected)


def test_webdataset_names_the_shard_that_could_not_be_written(known, tmp_path, monkeypatch):
    add, calls = tarfile.TarFile.addfile, []

    def full(self, *arguments):
        calls.append(arguments)
        if len(calls) > 4:                                                   # three files a sample: in the second shard
            raise OSError(errno.ENOSPC, "full")
        return add(self, *arguments)

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(StorageError, match=r"train-000001\.tar: "):
        known.export("webdataset", tmp_path / "wds", split="train", depth=False, shard_count=1)
    assert not list(tmp_path.iterdir())


def test_webdataset_shards_end_at_their_size(tmp_path):
    with Dataset.read(synthetic.write(tmp_path / "set", 40, shard_size=40)) as dataset:
        report = dataset.export("webdataset", tmp_path / "wds", split="train", shard_mb=1)
        assert report.figures["shards"] == 1 and report.images == 20
        with pytest.raises(InputError, match="at least 1"):
            dataset.export("webdataset", tmp_path / "no", shard_mb=0)


# ------------------------------------------------------------------------------------------------------------- changenet

class OpticalInspection:
    """What TAO's loader does: <root>/<input_path>/<object_name> + image_ext, 0 for PASS and 1 for anything else."""

    def __init__(self, root, split):
        with open(root / "labels" / f"{split}.csv", newline="") as file:
            rows = csv.DictReader(file)
            assert rows.fieldnames == ["input_path", "golden_path", "label", "object_name"]
            self.rows = [(np.asarray(Image.open(root / r["input_path"] / f"{r['object_name']}.png").convert("RGB")),
                          np.asarray(Image.open(root / r["golden_path"] / f"{r['object_name']}.png").convert("RGB")),
                          int(r["label"] != "PASS"), r["label"], r["object_name"]) for r in rows]


def test_changenet_crops_are_windows_of_both_pictures(paired, tmp_path):
    report = paired.export("changenet", tmp_path / "cn", smallest=8)
    assert report.samples == 6 and report.figures["pairs of crops"] == 12 and report.figures["of these defective"] == 6
    assert report.left_out["hidden defects: their components are in no pair"] == 6            # the void under U1
    assert report.left_out["further defects of a component"] == 6                             # R1 is shifted and stands up
    total = 0
    for split in ("train", "val", "test"):
        samples = [s for s in (replicated.sample(i, golden=True) for i in range(6)) if s.split == split]
        pairs = OpticalInspection(tmp_path / "cn" / "classify", split).rows
        total += len(pairs)
        assert [(label, name) for *_, label, name in pairs] == [("shift", "R1"), ("PASS", "R2")] * len(samples)
        for k, (seen, golden, bad, _, name) in enumerate(pairs):
            sample = samples[k // 2]
            boxes = [i.amodal for i in sample.instances if i.component == name]
            rows, columns = np.nonzero(np.any(boxes, axis=0))
            assert seen.shape == golden.shape == (*[max(8, round(1.5 * max(np.ptp(rows) + 1, np.ptp(columns) + 1)))] * 2, 3)
            first, second = (f.images["rgb"] for f in sample.frames)
            places = [(y, x) for y in range(40 - seen.shape[0] + 1) for x in range(56 - seen.shape[1] + 1)
                      if np.array_equal(first[y:y + seen.shape[0], x:x + seen.shape[1]], seen)]
            assert len(places) == 1
            y, x = places[0]
            assert np.array_equal(second[y:y + seen.shape[0], x:x + seen.shape[1]], golden)
            assert y <= rows.min() and rows.max() < y + seen.shape[0] and x <= columns.min() and columns.max() < x + seen.shape[1]
            assert bad == (name == "R1")
    assert total == 12


def test_changenet_segmentation_folders(paired, tmp_path):
    paired.export("changenet", tmp_path / "cn", tasks=("segment",))
    root = tmp_path / "cn" / "segment"
    assert [p.name for p in (tmp_path / "cn").iterdir()] == ["segment"]
    for split in ("train", "val", "test"):
        samples = {f"{s.id}-0.png": s for s in (replicated.sample(i, golden=True) for i in range(6)) if s.split == split}
        names = np.loadtxt(root / "list" / f"{split}.txt", dtype=str, ndmin=1).tolist()     # as TAO's cn_dataset.py reads it
        assert names == list(samples)
        for name, sample in samples.items():
            a, b, label = (np.asarray(Image.open(root / folder / name)) for folder in ("A", "B", "label"))
            assert np.array_equal(a, sample.frames[0].images["rgb"]) and np.array_equal(b, sample.frames[1].images["rgb"])
            shown = np.any([i.visible for i in sample.instances if i.defect and i.frame == 0], axis=0)
            assert label.dtype == np.uint8 and np.array_equal(label // 255, shown)             # label_transform: norm


def test_changenet_leaves_out_what_a_neighbour_spoils(tmp_path):
    """A good part whose window shows a neighbour's defect would teach that a difference means PASS."""
    made = replicated.info()
    near = replicated.block(10, 22, 6, 8)

    def sample(index):
        whole = replicated.sample(index, golden=True)
        moved = [replace(i, visible=near, amodal=near) if i.component == "R2" and i.frame == 0 else i for i in whole.instances]
        return replace(whole, instances=tuple(moved))

    meta.write_identity(tmp_path / "set", made, {})
    shards.write_shard(tmp_path / "set", 0, (sample(i) for i in range(2)), made)
    meta.write_summary(tmp_path / "set", made, 2)
    with Dataset.read(tmp_path / "set") as dataset:
        report = dataset.export("changenet", tmp_path / "cn", tasks=("classify",), smallest=4, margin=1.0)
    assert report.left_out["good components beside whom a defect shows"] == 2 and report.figures["pairs of crops"] == 2


def test_changenet_says_what_it_needs(known, paired, tmp_path):
    with pytest.raises(DatasetError, match=r"holds no golden frames; say 'outputs: \{golden: true\}' in the recipe"):
        known.export("changenet", tmp_path / "a")
    with pytest.raises(InputError, match="tasks measure; of classify, segment"):
        paired.export("changenet", tmp_path / "b", tasks=("measure",))
    paired.export("changenet", tmp_path / "c")
    paired.export("changenet", tmp_path / "d")
    assert replicated.tree(tmp_path / "c") == replicated.tree(tmp_path / "d")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c", "d"]


def test_a_window_is_square_and_inside():
    assert changenet.window([(10, 10, 4, 8)], (100, 100), 0.25, 4) == (6, 8, 12, 12)
    assert changenet.window([(0, 95, 4, 4)], (100, 100), 0.0, 10) == (0, 90, 10, 10)
    assert changenet.window([(0, 0, 50, 10), (60, 30, 10, 10)], (80, 40), 0.0, 4) == (0, 0, 70, 40)


def test_json_of_a_sample_is_json(known, tmp_path):
    """NaN severities become null: JSON has no NaN."""
    known.export("webdataset", tmp_path / "wds", split="test")
    with tarfile.open(tmp_path / "wds" / "test-000000.tar") as tar:
        text = next(tar.extractfile(m).read() for m in tar if m.name.endswith(".json"))
    assert json.loads(text, parse_constant=pytest.fail)["defective"] is True
