"""line: a run of a line for people: what wore, what was measured, what came out and what happened, on one time axis."""
from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from generators.events.found import Found, defects_by_unit, read_found
from generators.events.outcomes import Call, judges
from generators.events.tables import read_run
from generators.inspect.line_checks import finished, run_checks
from generators.reports import Check, Picture, Section, Table
from generators.reports.timeline import Curve, Mark, Panel, timeline
from generators.text.entry import Entry
from generators.text.table import read_entries
from generators.traces.readings import hour_of
from scenes.line.drifts import KINDS
from scenes.line.model import Drift, Event, Run, Sensor, State
from scenes.line.oee import first_pass_yield, run_oee, state_shares
from scenes.line.quantities import touches

F64 = NDArray[np.float64]

WORN = 0.1                                     # [1] change of severity from which on a drift is drawn
DRAWN = 8                                      # drifts and channels at most
SLOT = 300.0                                   # [s] over which a drawn channel is averaged
ENTRIES = 24                                   # of the log
MARKS = ("alarm", "fault", "maintenance", "repair", "changeover")   # kinds of events that are drawn


def of_dataset(dataset: Path, seen: Mapping[int, Set[str]]) -> tuple[tuple[Check, ...], tuple[Section, ...]]:
    """Checks and sections of the run behind a dataset.

    Args:
        dataset: Its folder; the run is in ``meta/line``.
        seen: Defects that the samples show, by unit of the run.

    Raises:
        DatasetError: the run is damaged.
    """
    folder = dataset / "meta" / "line"
    run = read_run(folder)
    found, log = read_found(folder / "found.parquet", len(run.start)), read_entries(folder / "log.parquet")
    seed = int(yaml.safe_load((dataset / "meta" / "recipe.yaml").read_text(encoding="utf-8"))["seed"])
    return (*run_checks(run), _agrees(found, seen)), run_sections(run, found, log, seed)


def _agrees(found: Sequence[Found], seen: Mapping[int, Set[str]]) -> Check:
    """What a sample shows of a unit is what the run says that the unit has."""
    known: dict[int, set[str]] = {}
    for item in found:
        known.setdefault(item.unit, set()).add(item.defect)
    strange = [f"unit {unit}: {', '.join(sorted(names - known.get(unit, set())))}" for unit, names in sorted(seen.items())
               if names - known.get(unit, set())]
    message = f"the defects of {len(seen):,} units are those that the run gave them"
    if strange:
        message = f"{len(strange):,} units show a defect that the run did not give them; made by another version? generate again"
    return Check("line.outcome", not strange, message, examples=tuple(strange[:3]))


def run_sections(run: Run, found: Sequence[Found], log: Sequence[Entry], seed: int,
                 calls: Sequence[Call] | None = None) -> tuple[Section, ...]:
    """The same of a run in memory. ``seed``: of its channels; ``calls``: what inspection machines reported, where they did."""
    worst = _worst(run)
    marks = _marks(run, {run.line.drifts[d].id for d in worst})
    drawing = timeline(_panels(run, found, worst, seed), marks, duration=run.duration)
    text = (f"{run.line.path}: {len(run.start):,} units released in {run.duration / 3600:g} h. Severity of a drift is 0 for a "
            "new part and 1 for a failed one; sensors are averages over five minutes.")
    tables = [_figures(run, found), _drifts(run), _states(run)]
    if calls is not None:
        tables.append(_inspections(run, found, calls))
    return (Section("The line", text, tuple(tables),
                    (Picture(drawing, "Drifts, their sensors, what came out, and what happened", wide=True),)),
            Section("What was written", tables=(_log(log),)))


def _worst(run: Run) -> list[int]:
    """Drifts that went some way, the farthest first."""
    way = np.ptp(run.severity, axis=0) if len(run.severity) else np.zeros(len(run.line.drifts))
    order = sorted(np.flatnonzero(way >= WORN).tolist(), key=lambda d: -way[d])
    return order[:DRAWN]


def _panels(run: Run, found: Sequence[Found], worst: Sequence[int], seed: int) -> list[Panel]:
    drifts = run.line.drifts
    panels = []
    if worst:
        curves = [Curve(drifts[d].id, run.times, run.severity[:, d], step=True) for d in worst]
        panels.append(Panel("Severity of drifts", "1", curves, height=max(90, 15 * len(worst))))
    for sensor in _telling(run, [drifts[d] for d in worst]):
        times, values = _averages(run, sensor, seed)
        panels.append(Panel(sensor.channel, sensor.unit, [Curve(sensor.station, times, values)], height=70))
    hours = np.arange(max(int(run.duration // 3600), 1) + 1) * 3600.0      # whole ones
    out = finished(run)
    done = np.isfinite(out)
    made, _ = np.histogram(out[done], hours)
    bad, _ = np.histogram(out[done & (defects_by_unit(found, len(run.start)) > 0)], hours)
    share = np.divide(bad, made, out=np.full(len(made), np.nan), where=made > 0)
    for title, values in (("Units finished in an hour", made.astype(float)), ("Share of them with a defect", share)):
        panels.append(Panel(title, "1", [Curve("", hours, np.append(values, values[-1]), step=True)], height=66))
    return panels


def _telling(run: Run, drifts: Sequence[Drift]) -> list[Sensor]:
    """For each drift the first channel that it moves; each channel once."""
    chosen: dict[str, Sensor] = {}
    for drift in drifts:
        own = [s for s in run.line.sensors if touches(drift, s, run.line)]
        order = [t.replace("{module}", drift.module) for t in KINDS[drift.kind].touches]
        own.sort(key=lambda s: next((i for i, t in enumerate(order) if s.channel.endswith(t)), len(order)))
        for sensor in own[:1]:
            chosen.setdefault(sensor.channel, sensor)
    return list(chosen.values())[:DRAWN]


def _averages(run: Run, sensor: Sensor, seed: int) -> tuple[F64, F64]:
    """A channel averaged over slots of five minutes, NaN where every reading got lost."""
    sensor = replace(sensor, rate=min(sensor.rate, 0.2))       # a twelfth of the readings say the same
    times, means = [], []
    for hour in range(int(np.ceil(run.duration / 3600))):
        at, values = hour_of(run, sensor, hour, seed)
        for start in np.arange(0, 3600, SLOT) + hour * 3600.0:
            inside = values[(at >= start) & (at < start + SLOT) & (at < run.duration)]
            inside = inside[np.isfinite(inside)]
            times.append(start + SLOT / 2)
            means.append(float(inside.mean()) if len(inside) else np.nan)
    return np.array(times), np.array(means)


def _marks(run: Run, drawn: set[str]) -> list[Mark]:
    """Alarms and all that a drift caused; random stops would hide them."""
    return [Mark(e.time, e.kind, _words(e)) for e in run.events
            if e.kind in MARKS and (e.drift in drawn or e.kind == "changeover")]


def _words(event: Event) -> str:
    return f"{event.station}: {event.drift or event.code}"


def _figures(run: Run, found: Sequence[Found]) -> Table:
    defects = defects_by_unit(found, len(run.start))
    done = np.isfinite(finished(run))
    rows: list[tuple[str, str]] = [("units finished", f"{int(done.sum()):,}")]
    if done.any():
        whole = run_oee(run, defects == 0)
        rows += [("first-pass yield", f"{100 * first_pass_yield(defects[done]):.2f} %"),
                 ("OEE of the slowest station", f"{100 * whole.value:.1f} % = {100 * whole.availability:.1f} % availability × "
                  f"{100 * whole.performance:.1f} % performance × {100 * whole.quality:.1f} % quality")]
    kinds = Counter(f.defect for f in found)
    rows += [(f"defects: {name}", f"{count:,}") for name, count in kinds.most_common()]
    return Table(("figure", "value"), tuple(rows), "What came out")


def _drifts(run: Run) -> Table:
    rows = []
    for d, drift in enumerate(run.line.drifts):
        renewed = sum(e.drift == drift.id and e.kind in ("repair", "maintenance") for e in run.events)
        counts = KINDS[drift.kind].counts
        left = float(run.remaining[-1, d]) if len(run.remaining) else float("nan")
        rows.append((drift.id, KINDS[drift.kind].title, f"{run.severity[:, d].max(initial=0.0):.2f}", renewed,
                     f"{left:,.0f} cycles" if counts == "cycles" else f"{left / 3600:,.1f} h of work"))
    return Table(("drift", "what", "greatest severity", "renewed", "useful life left at the end"), tuple(rows), "What wore")


def _states(run: Run) -> Table:
    shares, shown = state_shares(run), [State.PRODUCTIVE, State.STARVED, State.BLOCKED, State.SCHEDULED_DOWN,
                                        State.UNSCHEDULED_DOWN, State.REPAIR, State.NON_SCHEDULED]
    rows = tuple((name, *(f"{100 * own.get(s, 0.0):.1f} %" for s in shown)) for name, own in shares.items())
    return Table(("station", *(s.name.lower().replace("_", " ") for s in shown)), rows, "What the stations did (SEMI E10)")


def _inspections(run: Run, found: Sequence[Found], calls: Sequence[Call]) -> Table:
    """Right and false calls per machine, and the defects that none of them reported."""
    column = {s.station: k for k, s in enumerate(run.line.stations)}
    by: dict[str, list[Call]] = {s.station: [] for s in judges(run.line)}
    for call in calls:
        by.setdefault(call.station, []).append(call)
    rows: list[tuple[str, ...]] = []
    for name, own in by.items():
        units = int(np.isfinite(run.start[:, column[name]]).sum())
        false = sum(not c.real for c in own)
        rows.append((name, f"{units:,}", f"{len(own) - false:,}", f"{false:,}", f"{1000 * false / max(units, 1):.1f}"))
    reported = {(c.unit, c.defect, c.component) for c in calls if c.real}
    missed = sum((f.unit, f.defect, f.component) not in reported for f in found)
    rows.append(("escaped them all", "", f"{missed:,} of {len(found):,}", "", ""))
    return Table(("machine", "units", "right calls", "false calls", "false calls in 1,000 units"), tuple(rows), "Inspection")


def _log(log: Sequence[Entry]) -> Table:
    """The entries that something happened behind, evenly over the run."""
    told = [e for e in log if e.drift] or list(log)
    some = [told[i] for i in np.linspace(0, len(told) - 1, min(ENTRIES, len(told))).astype(int).tolist()] if told else []
    rows = tuple((f"{e.time / 3600:.2f}", e.source, e.kind.replace("_", " "), e.text) for e in some)
    return Table(("hour", "who", "kind", "text"), rows, f"{len(some)} of {len(log):,} entries")


__all__ = ["of_dataset", "run_sections"]
