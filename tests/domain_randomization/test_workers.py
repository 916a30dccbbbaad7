"""Ray workers: the same bytes as without, whoever is killed; a short form of tests/soak/test_kills.py."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from toy_runs import digests, events, finish, kill, shards, start, wait_for

from domain_randomization.execution import run
from domain_randomization.recipe import Recipe
from scenes.scene import Scene

pytest.importorskip("ray")


@pytest.fixture
def recipe(toy) -> Path:
    """60 samples in 20 shards."""
    path = toy / "many.yaml"
    path.write_text((toy / "toy.yaml").read_text().replace("count: 24", "count: 60").replace("shard_size: 4", "shard_size: 3"))
    return path


@pytest.fixture
def whole(recipe, tmp_path) -> dict[str, str]:
    """What an uninterrupted run in one process gives."""
    read = Recipe.read(recipe)
    run(Scene.read(read.scene), read, tmp_path / "whole", workers=0, renderer="fake")
    return digests(tmp_path / "whole")


def test_a_killed_worker_is_replaced_and_nobody_notices(recipe, tmp_path, whole):
    """One worker dies in a shard: its shard is made by another, and the bytes are those of a run without workers."""
    out = tmp_path / "out"
    process = start(recipe, out, 2, delay=0.25)
    wait_for(lambda: len(events(out, "worker")) == 2)
    kill(events(out, "worker")[0]["pid"])
    code, err = finish(process)
    assert code == 0, err
    assert digests(out) == whole
    assert len(events(out, "death")) == 1 and events(out, "end")[0]["deaths"] == 1
    assert sorted(e["shard"] for e in events(out, "shard")) == list(range(20))
    assert len({e["pid"] for e in events(out, "shard")}) >= 3      # this process at first, then the workers


def test_a_killed_driver_leaves_whole_shards_and_the_next_run_makes_the_rest(recipe, tmp_path, whole):
    out = tmp_path / "out"
    process = start(recipe, out, 2, delay=0.1)
    wait_for(lambda: len(events(out, "shard")) >= 4)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = len(shards(out))
    assert 4 <= there < 20
    code, err = finish(start(recipe, out, 0))
    assert code == 0, err
    assert digests(out) == whole
    begin = events(out, "begin")[-1]
    assert begin["missing"] == 20 - there and begin["found"] == 3 * there
    assert not list(out.rglob("*.pending"))


def test_an_interrupted_run_leaves_no_process_and_no_half_shard(recipe, tmp_path, whole):
    out = tmp_path / "out"
    process = start(recipe, out, 2, delay=0.25)
    wait_for(lambda: len(events(out, "worker")) == 2)
    pids = [e["pid"] for e in events(out, "worker")]
    process.send_signal(signal.SIGINT)
    code, _ = finish(process)
    assert code != 0
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 20)
    assert not list(out.rglob("*.pending")) and 0 < len(shards(out)) < 20
    code, err = finish(start(recipe, out, 0))
    assert code == 0 and digests(out) == whole, err


def test_workers_import_our_rooms_though_a_folder_has_the_same_name(toy, tmp_path):
    """The driver's working directory holds a ``scenes`` package of someone else's; recycling, too, is seen here."""
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "__init__.py").write_text("raise RuntimeError('somebody else is at home')\n")
    recipe = toy / "recycled.yaml"
    recipe.write_text((toy / "toy.yaml").read_text().replace("shard_size: 4", "shard_size: 1") + "execution: {recycle_shards: 2}\n")
    from toy_runs import DRIVER

    root = Path(__file__).resolve().parents[2]
    driver = f"import sys\nsys.path = [{str(root)!r}] + [p for p in sys.path if p not in ('', {str(tmp_path)!r})]\n" + DRIVER
    done = subprocess.run([sys.executable, "-c", driver, str(recipe), str(tmp_path / "out"), "1"], cwd=tmp_path, text=True,
                          env={**os.environ, "FAKE_DELAY": "0.6"}, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    makers = [e["pid"] for e in events(tmp_path / "out", "shard")]
    begun = events(tmp_path / "out", "begin")[0]["pid"]
    recycled = [makers.count(pid) for pid in dict.fromkeys(makers) if pid != begun]
    assert recycled and max(recycled) <= 2
