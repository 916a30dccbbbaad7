"""What is recorded around a unit ends when the unit was looked at."""
from __future__ import annotations

import numpy as np
import pytest

from domain_randomization.living import Living
from domain_randomization.scenario import Scenario
from domain_randomization.story import Story
from domain_randomization.surroundings import surroundings
from scenes.line.model import Line, Run, Sensor, StationFlow


@pytest.mark.parametrize(("seconds", "begins"), [(2.0, 109.0), (20.0, 100.0), (60.0, 60.0)])
def test_no_reading_is_from_after_the_look(seconds, begins):
    """Work from 100 to 120 s: a window of a minute around its middle would end at 140 s."""
    line = Line("Site/Line", 20.0, (StationFlow("placement", "placement", "Site/Line/placement", (), 20.0),), (), (
        Sensor("placement/head/acceleration", "placement", "acceleration", "m/s2", rate=1.0, window_rate=1000.0),))
    start, finish = np.array([[100.0]]), np.array([[120.0]])
    run = Run(line, 3600.0, start, start, finish, finish, (), np.array([0.0]), np.zeros((1, 0)), np.zeros((1, 0)),
              np.zeros(1, np.int32))
    around = surroundings(Story(Living(run, 1), (), ()), Scenario(hours=1, history_s=30, window_s=seconds), 0, "placement", 0)
    slow, fast = around.traces
    assert (slow["start_ns"], len(slow["values"])) == (90 * 10**9, 31)     # once a second, both ends
    assert fast["start_ns"] == begins * 10**9 and len(fast["values"]) == seconds * 1000
    for trace in around.traces:
        last = trace["start_ns"] + (len(trace["values"]) - 1) / trace["sample_rate"] * 1e9
        assert last <= around.time_ns == 120 * 10**9
