"""The gate: passes a sound dataset, names what is wrong with an unsound one, and never changes it."""
from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import synthetic

from generators.dataset import Dataset, meta, shards
from generators.inspect import inspect_dataset
from generators.inspect.duplicates import Duplicates, thumbnail
from generators.inspect.show import quota_text, severity_text


def inspect(root, tmp_path, **options):
    with Dataset.read(root) as dataset:
        report = inspect_dataset(dataset, out=tmp_path / "report", **options)
    return report, {c.id: c for c in report.checks}


def digests(root):
    return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(root.rglob("*")) if p.is_file()}


def rewrite(root, shard, change):
    """Change rows of a shard as a bad writer would, keeping it a valid Parquet file with ours metadata."""
    path = shards.shard_path(root, shard)
    table = pq.read_table(path)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, table.schema), path, write_page_checksum=True)


def test_a_sound_dataset_passes_and_stays_as_it_was(finished, tmp_path):
    before = digests(finished)
    seen = []
    report, checks = inspect(finished, tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert report.passed and report.verdict == "passed", str(report)
    assert len(checks) == 21 and seen[-1] == (10, 10)
    assert report.figures["samples"].value == 10 and report.figures["of these hidden"].value == 10
    assert digests(finished) == before


def test_the_report_is_three_files_that_need_nothing_else(finished, tmp_path):
    inspect(finished, tmp_path)
    suite = ElementTree.parse(tmp_path / "report/junit.xml").getroot()
    assert suite.get("tests") == "21" and suite.get("failures") == "0" and len(suite.findall("testcase")) == 21

    class Links(HTMLParser):
        def __init__(self):
            super().__init__()
            self.found = []

        def handle_starttag(self, tag, attrs):
            self.found += [v for k, v in attrs if k in ("src", "href") and v]

    page = (tmp_path / "report/index.html").read_text()
    parser = Links()
    parser.feed(page)
    assert parser.found and all(link.startswith(("data:image/", "#")) for link in parser.found) and "@import" not in page
    first = page
    inspect(finished, tmp_path)
    assert (tmp_path / "report/index.html").read_text() == first             # the same dataset gives the same page


def fault(name):
    def change(rows):
        one = rows[0]["instances"][0]
        if name == "labels.area":
            one["visible_pixels"] += 1
        elif name == "labels.rle":
            one["rle"] = one["rle"] + "1"
        elif name == "labels.amodal":
            other = rows[1]["instances"][0]
            one["amodal_rle"], one["amodal_pixels"] = other["rle"], other["visible_pixels"]
        elif name == "labels.hidden":
            one["hidden"] = True
        elif name == "labels.category":
            one["category_id"] = 2
        elif name == "labels.severity":
            one["severity"] = float("nan")
        elif name == "labels.dense":
            one["ids"] = [6]
        elif name == "leaks.units":
            rows[0]["unit"] = rows[2]["unit"]
        elif name == "counts.ids":
            rows[0]["id"] = rows[1]["id"]
        elif name == "duplicates.exact":
            rows[0]["images"] = rows[1]["images"]
        elif name == "bytes.readable":
            image = rows[0]["images"][0]["image"]
            image["bytes"] = image["bytes"][:200]
        elif name == "counts.stats":
            rows[0]["split"] = "test"
    return change


@pytest.mark.parametrize("name", [
    "labels.area", "labels.rle", "labels.amodal", "labels.hidden", "labels.category", "labels.severity", "labels.dense",
    "leaks.units", "counts.ids", "duplicates.exact", "bytes.readable", "counts.stats"])
def test_each_fault_is_found_by_its_own_check(tmp_path, name):
    root = synthetic.write(tmp_path / "bad", 8)
    rewrite(root, 0, fault(name))
    report, checks = inspect(root, tmp_path)
    assert checks[name].passed is False and checks[name].examples, str(report)
    assert checks["bytes.digests"].passed is False                           # whoever rewrites a shard is noticed anyway
    assert not report.passed
    excused = {"bytes.digests", "counts.stats", "duplicates.near", "leaks.pictures", "leaks.units", "counts.ids", "labels.area",
               "labels.dense"}
    assert {i for i, c in checks.items() if c.passed is False} <= {name} | excused


def test_a_damaged_shard_fails_the_gate_and_the_rest_is_still_looked_at(tmp_path):
    root = synthetic.write(tmp_path / "bad", 8)
    path = root / "data/shard-00000.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    report, checks = inspect(root, tmp_path)
    assert checks["bytes.readable"].passed is False
    assert "shard-00000.parquet: damaged shard" in checks["bytes.readable"].examples[0]
    assert report.figures["samples"].value == 4


def test_quotas_are_counted_from_the_rows(tmp_path):
    root, info = tmp_path / "short", synthetic.info()
    meta.write_identity(root, info, {})
    shards.write_shard(root, 0, (synthetic.sample(i) for i in range(4)), info)
    levels = [next(x.severity for x in synthetic.sample(i).instances if x.defect == "shift") for i in range(4)]
    low = sorted(levels)[1]
    asked = [{"defect": "shift", "count": 3, "low": low, "high": 1.0}, {"defect": "shift", "count": 4, "low": low, "high": None},
             {"defect": "missing", "count": 1}]
    meta.write_summary(root, info, 4, asked=asked)
    assert [a["delivered"] for a in meta.read_stats(root)["asked"]] == [3, 3, 0]
    _, checks = inspect(root, tmp_path)
    assert checks["quotas"].passed is False
    assert len(checks["quotas"].examples) == 2 and "missing: 0 of 1" in checks["quotas"].examples


def test_what_was_not_looked_at_is_undecided(finished, tmp_path):
    report, checks = inspect(finished, tmp_path, limit=3)
    assert report.verdict == "inconclusive" and not report.passed and report.figures["samples"].value == 3
    assert {i for i, c in checks.items() if c.passed is None} == {"quotas", "counts.stats"}


def test_an_unfinished_dataset_can_be_looked_at(tmp_path):
    root, info = tmp_path / "half", synthetic.info()
    meta.write_identity(root, info, {})
    shards.write_shard(root, 1, (synthetic.sample(i) for i in range(4, 8)), info)
    report, checks = inspect(root, tmp_path)
    assert checks["bytes.complete"].passed is False and checks["labels.area"].passed and report.figures["samples"].value == 4


def test_noise_makes_a_near_duplicate_and_a_part_does_not():
    """σ = 2 on 1024² leaves 0.09 levels in a thumbnail; one 20 × 20 px part, 40 levels brighter, 0.29."""
    rng = np.random.default_rng(0)
    base = rng.integers(40, 200, (1024, 1024, 3)).astype(np.float64)

    def shot(picture):
        return (picture + rng.normal(0, 2, picture.shape)).clip(0, 255).round().astype(np.uint8)

    with_part = base.copy()
    with_part[322:342, 322:342] += 40
    found = Duplicates()
    for name, split, picture in (("a", "train", base), ("b", "test", base), ("c", "train", with_part)):
        found.add(name, split, "top", shot(picture))
    found.add("d", "train", "another view", shot(base))
    found.add("e", "train", "another view", (base * 0.98).astype(np.uint8))          # two per cent less light is another picture
    assert [(p.first, p.second, p.exact, p.crosses) for p in found.pairs()] == [("a", "b", False, True)]
    assert thumbnail(np.full((48, 64, 3), 7, np.uint8)) == pytest.approx(7.0)
    assert thumbnail(np.full((5, 90, 3), 7, np.uint8)) == pytest.approx(7.0)


def test_golden_frames_repeat_their_pair_on_purpose(tmp_path):
    def pair(i):
        made = synthetic.sample(i)
        golden = replace(made.frames[0], camera="golden")
        return replace(made, frames=(made.frames[0], golden))

    root, info = tmp_path / "pairs", synthetic.info()
    meta.write_identity(root, info, {})
    shards.write_shard(root, 0, (pair(i) for i in range(4)), info)
    meta.write_summary(root, info, 4)
    _, checks = inspect(root, tmp_path)
    assert checks["duplicates.exact"].passed and checks["duplicates.near"].passed


def test_numbers_as_people_say_them():
    values = ((62e-6, "m"), (np.pi / 6, "rad"), (0.25, "1"), (float("nan"), "m"))
    assert [severity_text(*v) for v in values] == ["62 µm", "30.0°", "25 %", ""]
    assert quota_text({"defect": "shift", "low": 0.5, "high": 0.75}) == "shift [0.5, 0.75]"
    assert quota_text({"defect": "missing"}) == "missing"
