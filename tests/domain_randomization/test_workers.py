"""Ray workers: the same bytes as without, whoever is killed; a short form of tests/soak/test_kills.py."""
from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest
from toy_runs import DRIVER, digests, events, finish, kill, shards, start, wait_for

from domain_randomization.execution import run
from domain_randomization.recipe import Recipe
from scenes.scene import Scene

pytest.importorskip("ray")


SHARDS = 24


@pytest.fixture
def recipe(toy) -> Path:
    """72 samples in 24 shards; a worker is replaced after every fifth."""
    path = toy / "many.yaml"
    text = (toy / "toy.yaml").read_text().replace("count: 24", "count: 72").replace("shard_size: 4", "shard_size: 3")
    path.write_text(text + "execution: {recycle_shards: 5}\n")
    return path


@pytest.fixture
def whole(recipe, tmp_path) -> dict[str, str]:
    """What an uninterrupted run in one process gives."""
    read = Recipe.read(recipe)
    run(Scene.read(read.scene), read, tmp_path / "whole", workers=0, renderer="fake")
    return digests(tmp_path / "whole")


def test_a_killed_worker_is_replaced_and_nobody_notices(recipe, tmp_path, whole):
    """The bytes are those of a run without workers. Beside it: workers are recycled, and they import our rooms although the
    working directory holds a ``scenes`` package of someone else's."""
    out, home = tmp_path / "out", tmp_path / "home"
    (home / "scenes").mkdir(parents=True)
    (home / "scenes" / "__init__.py").write_text("raise RuntimeError('somebody else lives here')\n")
    root = str(Path(__file__).resolve().parents[2])
    driver = f"import sys\nsys.path = [{root!r}] + [p for p in sys.path if p not in ('', {str(home)!r})]\n" + DRIVER
    process = start(recipe, out, 2, delay=0.1, driver_delay=0.7, cwd=home, driver=driver)
    wait_for(lambda: len(events(out, "worker")) == 2)
    kill(events(out, "worker")[0]["pid"])
    code, err = finish(process)
    assert code == 0, err
    assert digests(out) == whole
    assert len(events(out, "death")) == 1 and events(out, "end")[0]["deaths"] == 1
    made = events(out, "shard")
    assert sorted(e["shard"] for e in made) == list(range(SHARDS))
    begun = events(out, "begin")[0]["pid"]
    by_worker = Counter(e["pid"] for e in made if e["pid"] != begun)
    assert by_worker and max(by_worker.values()) <= 5


def test_killed_and_interrupted_drivers_leave_whole_shards_and_the_next_run_makes_the_rest(recipe, tmp_path, whole):
    out = tmp_path / "out"
    killed = start(recipe, out, 2, delay=2, driver_delay=2.5)   # 6 s a shard and more: nobody is done before the signal comes
    wait_for(lambda: len(events(out, "worker")) == 2 and shards(out))
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    there = shards(out)
    assert 0 < len(there) < SHARDS

    stopped = start(recipe, out, 2, delay=30, driver_delay=2.5)
    wait_for(lambda: len(events(out, "worker")) == 4)
    pids = [e["pid"] for e in events(out, "worker")]
    stopped.send_signal(signal.SIGINT)
    code, _ = finish(stopped)
    assert code != 0
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 20)     # those of the killed one are gone too
    assert not list(out.rglob("*.pending"))
    assert there <= shards(out) and len(shards(out)) < SHARDS

    code, err = finish(start(recipe, out, 0))
    assert code == 0, err
    assert digests(out) == whole
    every = [e["shard"] for e in events(out, "shard")]
    assert len(every) - len(set(every)) <= 2   # only what was committed while the killed driver could not write it down
    assert events(out, "begin")[0]["found"] == 0
