"""OEE, yields and DPMO by their definitions."""
from __future__ import annotations

import numpy as np
import pytest
from line_fixture import line, station

from scenes.errors import SceneError
from scenes.line.flow import simulate_line
from scenes.line.oee import INDEX, dpmo, dpmo_indices, expected_yield, first_pass_yield, oee, run_oee
from scenes.smt.taxonomy import TAXONOMY


def test_the_worked_example():
    """Seven hours planned, 47 min down, 19 271 pieces at an ideal second each, 423 rejects (domain reference 6.3)."""
    found = oee(420 * 60, 47 * 60, 1.0, 19_271, 423)
    assert (found.availability, found.performance, found.quality) == pytest.approx((0.8881, 0.8611, 0.9780), abs=1e-4)
    assert found.value == pytest.approx(0.7479, abs=1e-4)


def test_oee_of_a_run_that_can_be_counted_by_hand():
    """One hour at a takt of 10 s, the station needs 8 s: 450 would be possible, 360 come, every tenth is bad."""
    run = simulate_line(line(station("a", "printer", "", 8.0), station("b", "aoi", "a", 4.0)), 3600.0, np.random.default_rng(1))
    good = np.arange(len(run.arrive)) % 10 != 0
    found = run_oee(run, good)
    assert found.availability == 1.0 and found.quality == 0.9
    assert found.performance == pytest.approx(360 / 450)
    assert run_oee(run, good, "b").performance == pytest.approx(359 * 4 / 3600)      # the last is still at the first
    with pytest.raises(SceneError, match="known: a, b"):
        run_oee(run, good, "c")


@pytest.mark.parametrize(("per_million", "share"), [(50, 0.905), (100, 0.819), (500, 0.368), (1100, 0.111)])
def test_yield_of_two_thousand_opportunities(per_million, share):
    assert expected_yield(per_million, 2000) == pytest.approx(share, abs=5e-4)


def test_yield_and_dpmo():
    assert first_pass_yield([0, 0, 2, 0, 1]) == 0.6
    assert dpmo(3, 150_000) == 20.0
    found = dpmo_indices({"shift": 4, "missing": 1, "bridge": 6, "wrong_part": 1, "scratch": 2}, units=100, components=50,
                         terminations=200)
    assert found == pytest.approx({"component": 200.0, "placement": 1000.0, "termination": 300.0, "assembly": 20_000.0,
                                   "all": 14 / (100 * 301) * 1e6})


def test_every_defect_of_the_taxonomy_has_an_index():
    assert set(INDEX) == {d.name for d in TAXONOMY.defects}


@pytest.mark.parametrize("call", [lambda: oee(100.0, 100.0, 1.0, 5, 0), lambda: oee(100.0, 0.0, 1.0, 0, 0),
                                  lambda: oee(100.0, 0.0, 1.0, 5, 6), lambda: dpmo(1, 0), lambda: first_pass_yield([]),
                                  lambda: dpmo_indices({"shfit": 1}, 1, 1, 1)])
def test_what_cannot_be_is_refused(call):
    with pytest.raises(SceneError, match=";"):
        call()
