"""The line's own machines and buffers against queueing theory. The reference's heavy loads and fifty seeds are in tests/soak."""
from __future__ import annotations

import math

import numpy as np
import pytest
from line_known import CASES, constant, erlang_c, in_system

from scenes.line.queues import Stage, batch_means, littles_law, simulate_queue
from scenes.line.streams import exponential


@pytest.mark.parametrize("name", CASES)
def test_the_engine_meets_the_known_answer(name):
    found, error, known = CASES[name](1)
    assert 4 * error <= 0.02 * known                                      # the run is long enough to say so
    assert abs(found - known) <= 4 * error


def test_the_formulas_give_the_printed_values():
    assert erlang_c(2, 1.5) == pytest.approx(0.64286, abs=5e-6)
    assert erlang_c(3, 2.4) == pytest.approx(0.64719, abs=5e-6)
    assert in_system(1, 0.8) == pytest.approx(4.0)
    assert in_system(2, 1.5) == pytest.approx(1.5 + 1.92857, abs=5e-6)


@pytest.mark.parametrize("buffer", [math.inf, 2, 0])
def test_littles_law_is_exact_on_the_path(buffer):
    stages = [Stage(exponential(1.0)), Stage(exponential(1.1), 2, buffer, exponential(40.0), exponential(3.0)),
              Stage(exponential(0.9), buffer=buffer)]
    path = simulate_queue(stages, 3000, np.random.default_rng(2), exponential(1.5))
    assert path.leave.shape == (3000, 3) and np.isfinite(path.leave).all()          # begins and ends empty
    inside, flow = littles_law(path.arrive[:, 0], path.leave[:, -1])
    assert inside == pytest.approx(flow, rel=1e-9)


def test_a_unit_is_in_one_place_at_a_time_and_nobody_takes_another_place():
    """Blocking after service: it leaves a machine when it gets a place behind, never later, and places are never overfull."""
    stages = [Stage(exponential(1.0), buffer=1), Stage(exponential(1.0), buffer=2), Stage(exponential(1.2), buffer=0)]
    path = simulate_queue(stages, 2000, np.random.default_rng(3), exponential(1.1))
    assert (path.arrive <= path.start).all() and (path.start <= path.finish).all() and (path.finish <= path.leave).all()
    assert (path.leave[:, :-1] == path.arrive[:, 1:]).all()
    assert (path.leave > path.finish).any()                               # somebody was blocked
    for k, places in enumerate((1, 2, 0)):
        times = np.concatenate([path.arrive[:, k], path.start[:, k]])
        step = np.concatenate([np.ones(2000), -np.ones(2000)])
        order = np.lexsort((step, times))                                 # at the same time out before in
        assert np.cumsum(step[order]).max() <= places
        assert (path.start[1:, k] >= path.leave[:-1, k]).all()            # one unit in a machine


def test_a_deterministic_line_with_no_places_can_be_followed_by_hand():
    """Two stations, 1 s and 3 s, no place between: the first holds every unit until the second is free."""
    path = simulate_queue([Stage(constant(1.0), buffer=0), Stage(constant(3.0), buffer=0)], 4, np.random.default_rng(4))
    assert path.start.tolist() == [[0, 1], [1, 4], [4, 7], [7, 10]]
    assert path.finish.tolist() == [[1, 4], [2, 7], [5, 10], [8, 13]]
    assert path.leave.tolist() == [[1, 4], [4, 7], [7, 10], [10, 13]]


def test_a_stop_prolongs_the_work_by_the_repair():
    """10 s of work, a stop after every 4 s of work, 2 s each: units end after 10 + 2·2, then 10 + 2·3 more, …"""
    stage = Stage(constant(10.0), stops=constant(4.0), repair=constant(2.0))
    path = simulate_queue([stage], 3, np.random.default_rng(5))
    assert path.finish[:, 0] == pytest.approx([14.0, 30.0, 44.0])         # work 20 and 40 is reached with stops 5 and 10


def test_batch_means_see_autocorrelation():
    """First-order autoregression, φ = 0.9: the variance of the mean is (1 + φ) / (1 − φ) = 19 times the naive one."""
    noise = np.random.default_rng(6).standard_normal(200_000)
    values = np.empty_like(noise)
    values[0] = noise[0]
    for k in range(1, len(noise)):
        values[k] = 0.9 * values[k - 1] + noise[k]
    _, error = batch_means(values, skip=0.0)
    naive = values.std() / math.sqrt(len(values))
    assert error / naive == pytest.approx(math.sqrt(19), rel=0.3)         # 60 batches know their spread to about 9 %
