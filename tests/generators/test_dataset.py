"""Shards, meta and reading: what is written comes back, the same bytes every time, and nothing is half there."""
from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import synthetic

from generators.dataset import Dataset, meta, schema, shards
from scenes.errors import DatasetError, InvariantError, ResumeError, StorageError


def tree(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for folder in ("data", "meta") for p in sorted((root / folder).rglob("*"))} \
        | {"README.md": (root / "README.md").read_bytes()}


def test_rows_come_back_as_they_were(dataset):
    assert len(dataset) == synthetic.COUNT and dataset.complete and [r.index for r in dataset] == list(range(synthetic.COUNT))
    for index in (7, 0, 9, -1):                                             # random access, out of order
        row, sample = dataset[index], synthetic.sample(index % synthetic.COUNT)
        assert (row.id, row.unit, row.split, row.time_ns) == (sample.id, sample.unit, sample.split, sample.time_ns)
        assert row.conditions == sample.conditions and row.modalities == ["rgb"]
        assert np.array_equal(row.rgb(), sample.frames[0].images["rgb"])
        for name in ("instance", "part", "depth"):
            assert row.label(name).tobytes() == sample.frames[0].labels[name].tobytes()
        assert row.label("normal") == pytest.approx(sample.frames[0].labels["normal"], abs=1e-6)
        assert len(row.instances) == len(sample.instances)
        for read, made in zip(row.instances, sample.instances, strict=True):
            assert np.array_equal(read.visible(), made.visible) and np.array_equal(read.amodal(), made.amodal)
            assert (read.category, read.defect, read.component, read.pads, read.ids, read.hidden, read.measured) == \
                (made.category, made.defect, made.component, made.pads, made.ids, made.hidden, made.measured)
            assert read.severity == made.severity or (np.isnan(read.severity) and np.isnan(made.severity))
            assert read.visible_pixels == made.visible.sum() and read.amodal_pixels == made.amodal.sum()
        assert list(row.traces[0]["values"]) == [0, 1, 2, 3] and row.logs[0]["text"] == "profile ok"
        assert row.frames[0].view["pixel_size"] == 2e-5
    with pytest.raises(IndexError):
        dataset[synthetic.COUNT]
    with pytest.raises(DatasetError, match=r"no label 'thermal'.*depth, instance"):
        dataset[0].label("thermal")
    with pytest.raises(DatasetError, match="no xray picture"):
        dataset[0].image("xray")


def test_columns_and_splits(dataset):
    assert dataset.splits == {"test": 2, "train": 6, "val": 2}
    rows = list(dataset.rows(("id", "unit"), split="val"))
    assert [r.unit for r in rows] == ["unit-00002", "unit-00006"] and "images" not in rows[0].data
    with pytest.raises(DatasetError, match="no column pixels; there are: id"):
        list(dataset.rows(("pixels",)))


def test_the_same_samples_give_the_same_bytes(tmp_path, finished):
    assert tree(synthetic.write(tmp_path / "again")) == tree(finished)


def test_more_samples_keep_the_first_ones(tmp_path, finished):
    """The short last shard is made again; full ones are not touched."""
    root = synthetic.write(tmp_path / "grown")
    before = {p.name: p.stat().st_mtime_ns for p in (root / "data").iterdir()}
    assert meta.missing(root, synthetic.info(), 14) == [2, 3]
    synthetic.write(root, 14)
    assert (root / "data/shard-00000.parquet").stat().st_mtime_ns == before["shard-00000.parquet"]
    assert tree(root) == tree(synthetic.write(tmp_path / "at once", 14))
    with Dataset.read(root) as grown, Dataset.read(finished) as first:
        columns = ("id", "images", "labels")
        assert [r.data for r in grown.rows(columns)][:10] == [r.data for r in first.rows(columns)]
    with pytest.raises(ResumeError, match=r"holds shard 3"):
        meta.missing(root, synthetic.info(), 10)


def test_a_row_group_ends_by_size_not_by_count(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "ROW_GROUP_BYTES", 15_000)
    path = shards.write_shard(tmp_path, 0, (synthetic.sample(i) for i in range(4)), synthetic.info())
    assert pq.ParquetFile(path).num_row_groups == 2


# ------------------------------------------------------------------------------------------------ killed, full, read-only

KILLED = """
import os, sys
sys.path[:0] = {path!r}
import synthetic
from generators.dataset import shards
real = getattr(os, {call!r})
setattr(os, {call!r}, lambda *a: os._exit(9))      # SIGKILL between the steps
shards.write_shard({root!r}, 1, (synthetic.sample(i) for i in range(4, 8)), synthetic.info())
"""


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_kill_before_the_rename_leaves_no_shard(tmp_path, finished, call):
    root = tmp_path / "killed"
    meta.write_identity(root, synthetic.info(), {})
    shards.write_shard(root, 0, (synthetic.sample(i) for i in range(4)), synthetic.info())
    code = KILLED.format(path=[str(Path(synthetic.__file__).parent), *sys.path], root=str(root), call=call)
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    left = [p.name for p in (root / "data").iterdir() if p.name.startswith(".")]
    assert len(left) == 1 and shards.committed(root) == {0} and meta.missing(root, synthetic.info(), 8) == [1]
    assert shards.remove_pending(root) == 1 and shards.remove_pending(root) == 0
    assert tree(synthetic.write(root)) == tree(finished)                     # and going on gives what was never interrupted


def refuse(code):
    def write(*_):
        raise OSError(code, os.strerror(code))
    return write


@pytest.mark.parametrize(("code", "words"), [
    (errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "permission"), (errno.EDQUOT, "quota"),
    (errno.EIO, "check the target")])
def test_a_target_that_refuses_is_one_line_and_loses_nothing(tmp_path, monkeypatch, code, words):
    shards.write_shard(tmp_path, 0, (synthetic.sample(i) for i in range(4)), synthetic.info())
    kept = (tmp_path / "data/shard-00000.parquet").read_bytes()
    monkeypatch.setattr(os, "fsync", refuse(code))
    with pytest.raises(StorageError, match=f"shard-00001.*{words}.*what was committed stays") as caught:
        shards.write_shard(tmp_path, 1, (synthetic.sample(i) for i in range(4, 8)), synthetic.info())
    assert "\n" not in str(caught.value) and caught.value.exit_code == 4
    with pytest.raises(StorageError, match=words):
        shards.write_file(tmp_path / "meta" / "info.json", "{}")
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["shard-00000.parquet"]
    assert (tmp_path / "data/shard-00000.parquet").read_bytes() == kept


def test_a_disk_that_fills_up_while_writing(tmp_path):
    """The kernel itself refuses more bytes, half way through a shard."""
    code = f"""
import resource, sys
sys.path[:0] = {[str(Path(synthetic.__file__).parent), *sys.path]!r}
import synthetic
from scenes.errors import StorageError
from generators.dataset import shards
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
try:
    shards.write_shard({str(tmp_path)!r}, 0, (synthetic.sample(i) for i in range(4)), synthetic.info())
except StorageError as error:
    print(error)
"""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "shard-00000.parquet: the file is larger" in done.stdout, done.stderr
    assert not list((tmp_path / "data").iterdir())


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(StorageError, match="data"):
        shards.write_shard(tmp_path, 0, [synthetic.sample(0)], synthetic.info())


# ------------------------------------------------------------------------------------------------ damaged, foreign

@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "flipped"])
def test_a_damaged_shard_is_named(tmp_path, damage):
    root = synthetic.write(tmp_path / "damaged")
    path = root / "data/shard-00001.parquet"
    data = bytearray(path.read_bytes())
    if damage == "flipped":
        data[len(data) // 3] ^= 0x40                                         # one bit inside a page
    path.write_bytes({"truncated": data[:len(data) // 2], "empty": b"", "text": b"PAR1 nonsense PAR1", "flipped": data}[damage])
    with pytest.raises(DatasetError, match=r"shard-00001\.parquet: damaged shard .*delete it and run generate again"):
        shards.check_shard(path, deep=True)
    with Dataset.read(root) as opened, pytest.raises(DatasetError, match=r"shard-00001\.parquet"):
        list(opened)
    if damage != "flipped":
        with pytest.raises(DatasetError, match=r"shard-00001\.parquet"):
            meta.missing(root, synthetic.info(), synthetic.COUNT)
    others = [p.read_bytes() for p in sorted((root / "data").glob("*.parquet")) if p != path]
    path.unlink()
    with pytest.raises(DatasetError, match=r"shard-00001\.parquet: missing"):
        Dataset.read(root)
    synthetic.write(root)                                                    # only what was deleted is made again
    assert [p.read_bytes() for p in sorted((root / "data").glob("*.parquet")) if p != path] == others
    assert shards.check_shard(path, synthetic.info(), rows=4, deep=True) == 4


def test_a_flipped_bit_is_noticed_or_changes_nothing(tmp_path):
    """CRC-32 covers every page's data; a flip in a page's header either breaks it or touches nothing that is read."""
    path = shards.write_shard(tmp_path, 0, [synthetic.sample(0)], synthetic.info())
    good, rows = path.read_bytes(), repr(pq.read_table(path).to_pylist())
    footer = int.from_bytes(good[-8:-4], "little")
    rng, noticed = np.random.default_rng(5), 0
    for at in rng.integers(4, len(good) - footer - 8, 60):
        bad = bytearray(good)
        bad[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(bad)
        try:
            shards.check_shard(path, deep=True)
        except DatasetError:
            noticed += 1
        else:
            assert repr(pq.read_table(path).to_pylist()) == rows
    assert noticed > 50


def test_strangers_are_refused(tmp_path, finished):
    root = synthetic.write(tmp_path / "mine")
    path = root / "data/shard-00000.parquet"
    with pytest.raises(DatasetError, match=r"made from recipe abab.*the dataset is cdcd"):
        shards.check_shard(path, synthetic.info(recipe_digest="cd" * 32))
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({}), path)
    with pytest.raises(DatasetError, match="not a shard of linetwin"):
        shards.check_shard(path)
    pq.write_table(table.drop_columns(["logs"]), path)
    with pytest.raises(DatasetError, match="columns"):
        shards.check_shard(path)
    with pytest.raises(DatasetError, match=r"info\.json: missing; give the folder of a dataset"):
        Dataset.read(tmp_path)


def test_another_recipe_or_another_folder_is_refused(tmp_path, finished):
    with pytest.raises(ResumeError, match=f"{'ab' * 32}.*{'cd' * 32}"):
        meta.write_identity(finished, synthetic.info(recipe_digest="cd" * 32), {})
    for change in ({"shard_size": 8}, {"renderer_build": "none 2"}, {"rgb": "jpeg"}):
        with pytest.raises(ResumeError, match=next(iter(change))):
            meta.check_resume(finished, synthetic.info(**change))
    (tmp_path / "README.md").write_text("somebody's project")
    with pytest.raises(DatasetError, match=r"README\.md.*choose a new or empty folder"):
        meta.write_identity(tmp_path, synthetic.info(), {})
    assert (tmp_path / "README.md").read_text() == "somebody's project"


@pytest.mark.parametrize(("name", "text", "words"), [
    ("info.json", "{", "cannot be read"), ("info.json", "[]", "not an object"),
    ("info.json", '{"schema_version": 99}', "schema version 99"), ("info.json", '{"schema_version": 1}', "Field required"),
    ("taxonomy.json", '{"categories": [{"id": 2}]}', "taxonomy")])
def test_broken_meta_is_one_line(tmp_path, finished, name, text, words):
    root = synthetic.write(tmp_path / "broken", 4)
    (root / "meta" / name).write_text(text)
    with pytest.raises(DatasetError, match=words) as caught:
        Dataset.read(root)
    assert name in str(caught.value) and "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------------ contradictions, meta

def test_contradictions_stop_a_sample_with_its_id():
    sample = synthetic.sample(0)
    first = sample.instances[0]
    outside = np.zeros_like(first.visible)
    outside[-1, -1] = True
    for change, words in (({"amodal": outside}, "outside the amodal"), ({"hidden": True}, "hidden"), ({"frame": 1}, "frame"),
                          ({"visible": np.zeros_like(outside), "amodal": np.zeros_like(outside), "hidden": True}, "no pixel")):
        broken = replace(sample, instances=(replace(first, **change),))
        with pytest.raises(InvariantError, match=f"{sample.id}.*{words}"):
            schema.row(broken, synthetic.info())
    with pytest.raises(InvariantError, match="JSON"):
        schema.row(replace(sample, conditions={"gap": float("nan")}), synthetic.info())
    with pytest.raises(InvariantError, match="split"):
        schema.row(replace(sample, split="dev"), synthetic.info())


def test_meta_says_what_is_there(finished):
    info = json.loads((finished / "meta/info.json").read_text())
    assert info["complete"] and info["samples"] == 10 and [s["rows"] for s in info["shards"]] == [4, 4, 2]
    assert info["shards"][1]["sha256"] == shards.file_digest(finished / "data/shard-00001.parquet")
    stats = json.loads((finished / "meta/stats.json").read_text())
    assert stats["splits"] == {name: {"samples": n, "units": n} for name, n in (("test", 2), ("train", 6), ("val", 2))}
    assert stats["categories"]["void"] == {"findings": 10, "hidden": 10, "instances": 10}
    assert sum(e["findings"] for e in stats["levels"] if e["defect"] == "shift") == 10
    assert [a["delivered"] for a in stats["asked"]] == [10, 10]
    assert sum(stats["coverage"]["lamp.flux"]["histogram"]) == 10 and "seed" not in stats["coverage"]
    taxonomy = meta.read_taxonomy(finished)
    assert taxonomy == synthetic.TAXONOMY and taxonomy.category_id("soic") == 5
    card = (finished / "README.md").read_text()
    assert "license: cc-by-4.0" in card and "| Void (`void`) | 10 | 10 | 10 | area [1] |" in card and "None" not in card


def test_a_card_with_an_empty_field_is_an_error(tmp_path):
    with pytest.raises(DatasetError, match="card: 'board' is empty"):
        synthetic.write(tmp_path, 4, board="")


def test_severity_levels():
    taxonomy = synthetic.TAXONOMY
    assert [schema.severity_level(taxonomy, "shift", s) for s in (0.1, 0.25, 0.6, 1.0, 1.1)] == [-1, 1, 2, 3, -1]
    assert schema.severity_level(taxonomy, "missing", float("nan")) == 0


def test_hugging_face_reads_shards_and_the_folder(finished, tmp_path):
    datasets = pytest.importorskip("datasets")
    for rows in (datasets.load_dataset("parquet", data_dir=str(finished / "data"), cache_dir=str(tmp_path))["train"],
                 datasets.load_dataset(str(finished), cache_dir=str(tmp_path))["full"]):
        assert len(rows) == 10 and rows[3]["id"] == synthetic.sample(3).id
        picture = rows[3]["images"][0]["image"]                              # decoded by datasets, not by us
        assert np.array_equal(np.asarray(picture), synthetic.sample(3).frames[0].images["rgb"])
        assert rows[3]["instances"][0]["category"] == "shift"
