"""Runs in this process: what is committed, resumed, refused, and what survives."""
from __future__ import annotations

import errno
import fcntl
import os

import pytest
from toy_runs import digests, events, finish, shards, start

from domain_randomization.execution import generate, run, worker_count
from domain_randomization.recipe import Recipe
from generators.dataset import Dataset
from generators.dataset import shards as shard_module
from scenes.errors import DatasetError, RecipeError, ResumeError, StorageError
from scenes.scene import Scene


@pytest.fixture
def line(toy):
    scene = Scene.read(toy / "toy.scene.yaml")
    text = (toy / "toy.yaml").read_text()

    def make(old: str = "", new: str = "") -> tuple[Scene, Recipe]:
        return scene, Recipe.parse(text.replace(old, new) if old else text + new)

    return make


def test_generate_gives_its_samples_and_a_complete_dataset(line, tmp_path):
    seen = []
    rows = list(generate(*line(), tmp_path / "out", workers=0, renderer="fake", progress=lambda *p: seen.append(p)))
    assert [r.index for r in rows] == list(range(24)) and len({r.id for r in rows}) == 24
    dataset = Dataset.read(tmp_path / "out")
    assert dataset.complete and len(dataset) == 24
    assert [(done, total) for done, total, _ in seen] == [(k, 24) for k in range(1, 25)]
    assert sum(i.defect == "missing" for r in rows for i in r.instances) >= 3
    asked = __import__("json").loads((tmp_path / "out" / "meta" / "stats.json").read_text())["asked"]
    assert [(a["defect"], a["level"], a["count"]) for a in asked] == [
        ("shift", "mild", 2), ("shift", "moderate", 2), ("shift", "gross", 2), ("missing", "any", 3)]
    assert all(a["delivered"] >= a["count"] for a in asked)


def test_nothing_is_done_twice(line, tmp_path):
    out = tmp_path / "out"
    assert run(*line(), out, workers=0, renderer="fake").made == 24
    before = digests(out)
    again = run(*line(), out, workers=0, renderer="fake")
    assert again.made == 0 and again.shards == 0 and digests(out) == before
    assert list(generate(*line(), out, workers=0, renderer="fake")) == []


def test_a_run_that_stops_in_a_shard_resumes_with_what_is_missing(line, tmp_path, monkeypatch):
    out, whole = tmp_path / "out", tmp_path / "whole"
    run(*line(), whole, workers=0, renderer="fake")
    rows = generate(*line(), out, workers=0, renderer="fake")
    for _ in range(9):
        next(rows)                             # into the third shard
    rows.close()
    assert shards(out) == {f"shard-{k:05d}.parquet" for k in range(3)}
    assert not list(out.rglob("*.pending"))
    left = run(*line(), out, workers=0, renderer="fake")
    assert left.made == 12 and digests(out) == digests(whole)
    begin = events(out, "begin")[-1]
    assert begin["found"] == 12 and begin["missing"] == 3


def test_raising_count_leaves_the_first_samples_as_they_are(line, tmp_path):
    out, whole = tmp_path / "out", tmp_path / "whole"
    first = {r.index: r.data for r in generate(*line("count: 24", "count: 26"), out, workers=0, renderer="fake")}
    kept = {k: v for k, v in digests(out).items() if k.startswith("data/") and k != "data/shard-00006.parquet"}
    more = run(*line("count: 24", "count: 33"), out, workers=0, renderer="fake")
    assert more.made == 9                      # the short shard of 2 again, and 7 new ones
    assert kept.items() <= digests(out).items()
    assert all(repr(Dataset.read(out)[i].data) == repr(first[i]) for i in first)         # NaN is not equal to itself
    run(*line("count: 24", "count: 33"), whole, workers=0, renderer="fake")
    assert digests(out) == digests(whole)
    with pytest.raises(ResumeError, match="raise the count"):
        run(*line(), out, workers=0, renderer="fake")
    assert digests(out) == digests(whole)


@pytest.mark.parametrize(("old", "new", "says"), [
    ("seed: 7", "seed: 8", "was made from recipe"),
    ("shard_size: 4", "shard_size: 5", "shard_size"),
    ("", "outputs: {golden: true}\n", "outputs.golden False, this recipe has True"),
    ("", "outputs: {labels: [instance]}\n", "outputs.labels"),
])
def test_a_folder_made_from_something_else_is_refused_and_left_alone(line, tmp_path, old, new, says):
    out = tmp_path / "out"
    run(*line("count: 24", "count: 18"), out, workers=0, renderer="fake")
    before = digests(out)
    with pytest.raises(ResumeError, match=says) as caught:
        run(*line(old, new), out, workers=0, renderer="fake")
    assert digests(out) == before
    if old == "seed: 7":                       # both digests are printed
        for recipe in (line()[1], line(old, new)[1]):
            assert recipe.digest(line()[0]) in str(caught.value)


def test_a_folder_that_is_not_ours_is_refused(line, tmp_path):
    (tmp_path / "holiday.jpg").write_text("x")
    with pytest.raises(DatasetError, match=r"holds other files \(holiday.jpg"):
        run(*line(), tmp_path, workers=0, renderer="fake")


def test_another_renderer_build_is_refused(line, tmp_path, monkeypatch, plugins):
    import fake_line

    out = tmp_path / "out"
    rows = generate(*line(), out, workers=0, renderer="fake")
    next(rows)
    rows.close()
    monkeypatch.setattr(fake_line.Painter, "build", "numpy rectangles 2")
    with pytest.raises(ResumeError, match=r"numpy rectangles 1.*numpy rectangles 2"):
        run(*line(), out, workers=0, renderer="fake")


def test_a_damaged_shard_is_named_and_nothing_else_is_lost(line, tmp_path):
    out = tmp_path / "out"
    run(*line("count: 24", "count: 20"), out, workers=0, renderer="fake")
    path = out / "data" / "shard-00002.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    before = shards(out)
    with pytest.raises(DatasetError, match=r"shard-00002.parquet: damaged shard .* delete it and run generate again"):
        run(*line(), out, workers=0, renderer="fake")
    assert shards(out) == before
    path.unlink()
    assert run(*line(), out, workers=0, renderer="fake").made == 8
    run(*line(), tmp_path / "whole", workers=0, renderer="fake")
    assert digests(out) == digests(tmp_path / "whole")


def test_two_runs_on_one_folder_are_refused(line, tmp_path):
    out = tmp_path / "out"
    (out / "log").mkdir(parents=True)
    with open(out / "log" / "lock", "w") as lock:
        lock.write("4711 on somewhere")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match="another run is writing here \\(process 4711 on somewhere"):
            run(*line(), out, workers=0, renderer="fake")
    assert run(*line(), out, workers=0, renderer="fake").made == 24


def test_a_full_disk_keeps_what_was_committed(line, tmp_path, monkeypatch):
    out, real, calls = tmp_path / "out", os.fsync, []

    def full(handle):
        if os.readlink(f"/proc/self/fd/{handle}").endswith(".pending") and "/data/" in os.readlink(f"/proc/self/fd/{handle}"):
            calls.append(handle)
            if len(calls) == 3:
                raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(shard_module.os, "fsync", full)
    with pytest.raises(StorageError, match="the disk is full; free some space and run the same command again"):
        run(*line(), out, workers=0, renderer="fake")
    assert shards(out) == {"shard-00000.parquet", "shard-00001.parquet"} and not list(out.rglob("*.pending"))
    assert run(*line(), out, workers=0, renderer="fake").made == 16


def test_a_read_only_target_is_told_before_anything_is_rendered(line, tmp_path, monkeypatch):
    """Root may write anywhere, so the refusal is made by hand."""
    from pathlib import Path

    real = Path.mkdir

    def refuse(self, *args, **kwargs):
        if "out" in self.parts:
            raise OSError(errno.EROFS, "Read-only file system")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageError, match="the file system is read-only; choose another target"):
        run(*line(), tmp_path / "out", workers=0, renderer="fake")


def test_a_file_size_limit_is_a_storage_error_with_exit_code_4(toy, tmp_path):
    """A real refusal by the kernel (EFBIG), in a process of its own."""
    import resource

    def limit():
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    code, err = finish(start(toy / "toy.yaml", tmp_path / "out", 0, preexec=limit))
    assert code == 4 and err.startswith("StorageError: ") and "what was committed stays" in err
    assert shards(tmp_path / "out") == set() and not list((tmp_path / "out").rglob("*.pending"))


def test_workers_come_from_the_call_then_the_recipe_then_the_cores(line):
    recipe = line()[1]
    assert worker_count(recipe, 3) == 3
    assert worker_count(recipe, None) == len(os.sched_getaffinity(0))
    assert worker_count(line("", "execution: {workers: 5}\n")[1], None) == 5
    with pytest.raises(RecipeError, match="-1 is negative"):
        worker_count(recipe, -1)
