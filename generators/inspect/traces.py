"""traces: checks of what the sensors of a line recorded around each unit, and how it looks."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from generators.dataset.rows import Row
from generators.reports import Check, Figure, Picture, Section, Table
from generators.reports.timeline import Curve, Panel, timeline

LOST = 0.1                                     # [1] of the readings of one trace that may be missing
FAST = 100.0                                   # [Hz] from which on a trace is a window of a wave
SHOWN = 6                                      # traces of a kind
ENTRIES = 12                                   # of the log


@dataclass
class Traces:
    """What one pass over the rows collects of them."""
    count: int = 0
    readings: int = 0
    lost: int = 0
    entries: int = 0
    problems: list[str] = field(default_factory=list)
    example: Row | None = None                 # the first unit with a defect, else the first

    def add(self, row: Row) -> None:
        """Check the traces and log entries of one sample."""
        for trace in row.traces:
            values = np.asarray(trace["values"], np.float32)
            gone = int(np.isnan(values).sum())
            self.count, self.readings, self.lost = self.count + 1, self.readings + len(values), self.lost + gone
            what = f"{row.id}: {trace['channel']}"
            if not len(values) or not trace["sample_rate"] > 0 or not trace["unit"]:
                self.problems.append(f"{what}: has no reading, no rate or no unit")
            elif np.isinf(values).any() or gone > LOST * len(values) + 1:
                self.problems.append(f"{what}: {gone} of {len(values)} readings are missing, or one is infinite")
            elif trace["start_ns"] > row.time_ns + 3_600_000_000_000:
                self.problems.append(f"{what}: begins more than an hour after the unit was looked at")
        stamps = [entry["time_ns"] for entry in row.logs]
        self.entries += len(stamps)
        if stamps != sorted(stamps) or any(t > row.time_ns for t in stamps):
            self.problems.append(f"{row.id}: log entries out of order, or written after the unit was looked at")
        told = row.conditions.get("line", {}).get("log", [])
        if "line" in row.conditions and len(told) != len(stamps):
            self.problems.append(f"{row.id}: {len(stamps)} log entries with the truth about {len(told)}")
        if row.traces and (self.example is None or (not _defects(self.example) and _defects(row))):
            self.example = row

    def checks(self) -> tuple[Check, ...]:
        """Empty where no sample has traces."""
        if not self.count and not self.entries:
            return ()
        message = f"{self.count:,} traces and {self.entries:,} log entries have rates, units, an order, and few gaps"
        if self.problems:
            message = f"{len(self.problems):,} traces or logs are not usable; generate them again"
        share = Figure(self.lost / max(self.readings, 1), "ratio", n=self.readings)
        return (Check("traces", not self.problems, message, {"readings lost": share}, tuple(self.problems[:3])),)

    def sections(self) -> tuple[Section, ...]:
        """One unit as the line felt it: slow channels before it was looked at, fast windows on its way, the log."""
        if self.example is None:
            return ()
        row = self.example
        slow = [t for t in row.traces if t["sample_rate"] < FAST]
        fast = [t for t in row.traces if t["sample_rate"] >= FAST]
        pictures = []
        if slow:
            pictures.append(Picture(_drawn(_telling(slow), "min"), "Slow channels, before the unit was looked at", wide=True))
        if fast:
            pictures.append(Picture(_drawn(fast[:SHOWN], "ms"), "Fast windows, while it was in a station", wide=True))
        rows = tuple((e["source"], e["text"]) for e in row.logs[-ENTRIES:])
        found = ", ".join(sorted(_defects(row))) or "no defect in its frames"
        text = f"Unit {row.unit} ({found}): {len(slow)} slow and {len(fast)} fast channels, {len(row.logs)} log entries."
        tables = (Table(("who", "text"), rows, "The log before it"),) if rows else ()
        return (Section("One unit, as the line felt it", text, tables, tuple(pictures)),)


def _defects(row: Row) -> set[str]:
    return {i.defect for i in row.instances if i.defect}


def _telling(traces: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that move most for their own noise: the spread of their minutes over the scatter within one."""
    def score(trace: Mapping[str, Any]) -> float:
        values = np.asarray(trace["values"], np.float64)
        values = values[np.isfinite(values)]
        if len(values) < 120:
            return 0.0
        minutes = values[:len(values) // 60 * 60].reshape(-1, 60)
        return float(minutes.mean(axis=1).std() / (minutes.std(axis=1).mean() + 1e-12 + 1e-6 * abs(values.mean())))
    return sorted(traces, key=lambda t: -score(t))[:SHOWN]


def _drawn(traces: Sequence[Mapping[str, Any]], axis: str) -> str:
    panels, longest = [], 0.0
    for trace in traces:
        values = np.asarray(trace["values"], np.float64)
        times = np.arange(len(values)) / trace["sample_rate"]
        longest = max(longest, float(times[-1]))
        panels.append(Panel("/".join(trace["channel"].split("/")[-3:]), trace["unit"], [Curve("", times, values)], height=64))
    return timeline(panels, (), duration=longest, axis="min" if axis == "min" else "ms")


__all__ = ["Traces"]
