"""What bench makes of a run's log: rates that can be worked out by hand."""
from __future__ import annotations

import pytest

from linetwin.bench import steady_rate
from scenes.errors import BackendError


def shard(pid, time, seconds, rows=8):
    return {"event": "shard", "pid": pid, "time": time, "seconds": seconds, "rows": rows}


BEGIN = {"event": "begin", "pid": 1, "time": 0.0}


def test_start_up_and_the_last_shard_do_not_count():
    log = [BEGIN, shard(1, 5.0, 5.0), shard(1, 9.0, 4.0),                        # the driver, while Ray starts
           shard(2, 14.0, 4.0), shard(3, 15.0, 5.0),                            # cold
           shard(2, 16.0, 2.0), shard(3, 17.0, 2.0), shard(2, 18.0, 2.0), shard(3, 19.0, 2.0), shard(2, 23.0, 5.0)]
    # from 15 to 19: worker 3 commits 16 frames; worker 2 half a shard, a whole one, and a fifth of the last
    assert steady_rate(log) == pytest.approx((16 + 4 + 8 + 8 / 5) / 4)


def test_a_run_without_workers_counts_from_its_first_shard():
    assert steady_rate([BEGIN, shard(1, 5.0, 5.0), shard(1, 7.0, 2.0), shard(1, 9.0, 2.0)]) == pytest.approx(4.0)


def test_too_short_a_run_is_refused():
    with pytest.raises(BackendError, match="more --frames"):
        steady_rate([BEGIN, shard(1, 5.0, 5.0)])
