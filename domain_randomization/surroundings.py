"""surroundings: what a line measured and wrote around one unit: slow channels before it was looked at, fast windows on its
way, the log of the last hours, and the true condition of everything that wears.

A reading belongs to the run, not to a sample: two samples that look at the same second see the same value.
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from domain_randomization.living import Living
from domain_randomization.scenario import HOUR, Scenario
from domain_randomization.story import Story
from generators.text.entry import Entry
from generators.traces.line_windows import windows
from generators.traces.readings import between
from scenes.line.drifts import KINDS


@dataclass(frozen=True, eq=False)
class Around:
    """What a sample of a living line holds beside its pictures."""
    time_ns: int                               # simulated clock, when the unit was looked at
    traces: tuple[Mapping[str, Any], ...]
    logs: tuple[Mapping[str, Any], ...]
    conditions: Mapping[str, Any]              # JSON-ready


def surroundings(story: Story, scenario: Scenario, unit: int, station: str, start_ns: int) -> Around:
    """Of one unit.

    Args:
        station: That looks at the unit; its moment ends the history.
        start_ns: Of the run, on the simulated clock.
    """
    living = story.living
    run, line = living.run, living.line
    now = float(run.finish[unit, living.column(station)])
    traces = [*_slow(living, now, scenario.history_s), *_fast(living, unit, now, scenario.window_s)]
    entries = [e for e in story.log if now - scenario.log_h * HOUR <= e.time <= now]
    logs = tuple({"time_ns": start_ns + round(e.time * 1e9), "source": e.source, "text": e.text} for e in entries)
    looked = max(int(np.searchsorted(run.times, now, side="right")) - 1, 0)
    drifts = [{"id": d.id, "kind": d.kind, "station": d.station, "module": d.module, "acts": KINDS[d.kind].acts,
               "severity": float(living.met[unit, k]), "remaining": _finite(float(run.remaining[looked, k])),
               "counts": KINDS[d.kind].counts} for k, d in enumerate(line.drifts)]
    passed = [{"station": s.station, "arrive_s": _finite(run.arrive[unit, k]), "start_s": _finite(run.start[unit, k]),
               "finish_s": _finite(run.finish[unit, k])} for k, s in enumerate(line.stations) if np.isfinite(run.start[unit, k])]
    conditions = {"unit": unit, "time_s": now, "drifts": drifts, "passed": passed, "instruments": dict(living.instruments(unit)),
                  "since_wipe": int(run.since_wipe[unit]), "path": line.path,
                  "log": [_truth(e) for e in entries]}
    return Around(start_ns + round(now * 1e9), tuple({**t, "start_ns": start_ns + int(t["start_ns"])} for t in traces), logs,
                  conditions)


def _slow(living: Living, now: float, seconds: float) -> list[Mapping[str, Any]]:
    """Every slow channel over the last seconds before ``now``, stamped by its own clock."""
    begin = max(now - seconds, 0.0)
    found: list[Mapping[str, Any]] = []
    if begin >= now:
        return []
    for sensor in living.line.sensors:
        times, values = between(living.run, sensor, begin, now, living.seed)
        if len(times):
            stamp = round((float(times[0]) + sensor.clock_offset) * 1e9)
            found.append({"channel": f"{living.line.path}/{sensor.channel}", "unit": sensor.unit, "sample_rate": sensor.rate,
                          "start_ns": stamp, "values": values})
    return found


def _fast(living: Living, unit: int, now: float, seconds: float) -> list[Mapping[str, Any]]:
    """Fast windows at every station that the unit had passed by ``now``; none of them reaches beyond."""
    if seconds <= 0:
        return []
    found: list[Mapping[str, Any]] = []
    for k, station in enumerate(living.line.stations):
        if living.run.finish[unit, k] <= now:              # false for NaN
            found += [{**t.row(), "channel": f"{living.line.path}/{t.channel}"}
                      for t in windows(living.run, unit, station.station, living.seed, seconds=seconds, until=now)]
    return found


def _truth(entry: Entry) -> dict[str, Any]:
    """What is behind an entry of ``logs``, in the same order: what its writer knew, what is really so, what the text says."""
    known = asdict(entry)
    for name in ("time", "source", "text", "values"):
        del known[name]
    return known | {"minutes": _finite(entry.minutes), "mentions": list(entry.mentions), "values": dict(entry.values),
                    "complete": entry.complete}


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


__all__ = ["Around", "surroundings"]
