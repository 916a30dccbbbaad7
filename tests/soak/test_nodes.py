"""A two-node Ray cluster that loses a node half-way."""
from __future__ import annotations

import threading
from pathlib import Path

import pytest
from toy_runs import digests, events, finish, shards, start, wait_for

from domain_randomization.execution import run
from domain_randomization.recipe import Recipe
from scenes.scene import Scene

pytestmark = pytest.mark.soak


@pytest.fixture
def cluster(plugins, monkeypatch):
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    import ray

    monkeypatch.setenv("FAKE_DELAY", "0.15")
    ray.shutdown()
    health = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
    made = cluster_utils.Cluster(initialize_head=True, head_node_args={
        "num_cpus": 2, "include_dashboard": False, "_system_config": health})
    yield made
    ray.shutdown()
    made.shutdown()


def test_a_node_that_is_lost_half_way_costs_nothing_but_time(cluster, toy, tmp_path):
    recipe_path: Path = toy / "many.yaml"
    recipe_path.write_text((toy / "toy.yaml").read_text().replace("count: 24", "count: 160"))
    out = tmp_path / "out"
    node = cluster.add_node(num_cpus=2)
    cluster.wait_for_nodes()

    def lose() -> None:
        wait_for(lambda: len(shards(out)) >= 8, 120)
        cluster.remove_node(node, allow_graceful=False)

    thread = threading.Thread(target=lose)
    thread.start()
    recipe = Recipe.read(recipe_path)
    summary = run(Scene.read(recipe.scene), recipe, out, workers=4, renderer="fake", address=cluster.address)
    thread.join()
    assert not list((out / "log").glob("probe-*"))      # every node was asked to write there, and nothing of it is left
    assert summary.deaths >= 1 and summary.made == 160
    code, err = finish(start(recipe_path, tmp_path / "whole", 0), 300)
    assert code == 0, err
    assert digests(out) == digests(tmp_path / "whole")
    assert sorted(e["shard"] for e in events(out, "shard")) == list(range(40))
