"""Twenty runs, each killed once at a random time, each resumed once: not one byte may differ, nothing is made twice.

SOAK_RUNS and SOAK_COUNT make it shorter or longer. The random times come from a seed that is printed.
"""
from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from toy_runs import digests, events, finish, kill, shards, start, wait_for

pytestmark = pytest.mark.soak
RUNS, COUNT = int(os.environ.get("SOAK_RUNS", "20")), int(os.environ.get("SOAK_COUNT", "300"))


@pytest.fixture
def recipe(toy) -> Path:
    path = toy / "long.yaml"
    text = (toy / "toy.yaml").read_text().replace("count: 24", f"count: {COUNT}").replace("shard_size: 4", "shard_size: 12")
    path.write_text(text.replace("count: 2,", "count: 20,"))
    return path


def remade_shards(out: Path) -> list[str]:
    """Files of the shards that the last run in this folder committed, in their order."""
    log = events(out)
    last = max(i for i, event in enumerate(log) if event["event"] == "begin")
    return [f"shard-{e['shard']:05d}.parquet" for e in log[last:] if e["event"] == "shard"]


def test_every_kill_at_a_random_time_ends_in_the_same_bytes(recipe, tmp_path):
    whole = tmp_path / "whole"
    assert finish(start(recipe, whole, 0), 600)[0] == 0
    expected, total = digests(whole), len(shards(whole))
    assert total >= min(20, COUNT // 12)
    for number in range(RUNS):
        luck, out = random.Random(number), tmp_path / f"run{number}"
        victim = luck.choice(["worker", "driver", "both"])
        process = start(recipe, out, 2, delay=0.04, driver_delay=0.06)
        wait_for(lambda out=out: bool(events(out, "begin")))
        time.sleep(luck.uniform(0.0, 25.0))
        workers = [e["pid"] for e in events(out, "worker")]
        if victim in ("worker", "both") and workers:
            kill(luck.choice(workers))
        if victim in ("driver", "both"):
            process.send_signal(signal.SIGKILL)
        finish(process, 600)
        there = shards(out)               # orphaned workers may still commit what they have in hand
        code, err = finish(start(recipe, out, 2 if number % 2 else 0, driver_delay=0.0), 600)
        assert code == 0, f"run {number} ({victim}): {err}"
        assert digests(out) == expected, f"run {number} ({victim})"
        missing, remade = events(out, "begin")[-1]["missing"], remade_shards(out)
        assert missing <= total - len(there), f"run {number} ({victim})"
        assert len(remade) == missing and not there & set(remade), f"run {number} ({victim})"


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_number_of_workers_changes_no_byte(recipe, tmp_path, workers):
    assert finish(start(recipe, tmp_path / "none", 0), 600)[0] == 0
    code, err = finish(start(recipe, tmp_path / "some", workers, driver_delay=0.2), 600)
    assert code == 0, err
    assert digests(tmp_path / "some") == digests(tmp_path / "none")
    assert len({e["pid"] for e in events(tmp_path / "some", "shard")}) >= workers
