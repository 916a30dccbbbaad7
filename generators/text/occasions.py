"""occasions: what there is to write about a run, who writes it, when at the earliest, and what that person can know by then.

A cause is part of an occasion only if a repair or a maintenance has ended before it is written. Probabilities and delays are
engineering defaults.
"""
from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from generators.text.entry import EntryKind
from generators.text.knowledge import DRIFTS, STOPS, Trouble, stop_of
from generators.text.people import SHIFTS, Role
from scenes.line.model import Drift, Event, Line, Run

SHIFT = 8 * 3600.0                             # [s]
DAY = 86400.0                                  # [s]
CALM = 12                                      # rounds and the like in a shift, at most; a binomial draw with CALM_SHARE
CALM_SHARE = 0.15
LOGGED = 0.3                                   # share of short stops that somebody writes down
LONG_STOP = 600.0                              # [s] from which a stop is nearly always written down
ORDER_STOP = 1800.0                            # [s] from which it gets a work order
AGAIN = 0.3                                    # a symptom that nobody has mended is told again, that often


@dataclass(frozen=True)
class Occasion:
    """Something to write. ``rule`` is the grammar's; facts are keys of ``knowledge.py``, empty where not known."""
    key: tuple[int, ...]                       # of its random stream
    known: float                               # [s] from when it can be written
    delay: float                               # [s] mean of the exponential wait after that
    at: float                                  # [s] when what it tells of began
    rule: str
    kind: EntryKind
    writer: Literal["machine"] | Role
    event: int = -1
    station: str = ""
    module: str = ""
    drift: str = ""
    drift_kind: str = ""
    symptom: str = ""
    cause: str = ""
    action: str = ""
    part: str = ""
    trouble: Trouble | None = None
    minutes: float = math.nan
    order: str = ""                            # which work order: the same key means the same number
    supply: str = ""
    operator: str = ""
    values: tuple[tuple[str, float], ...] = ()
    until: float = math.inf                    # [s] nobody writes it any more: the part has been mended


@dataclass(frozen=True)
class Repair:
    """A stop and its end. ``found`` is the event at which somebody opened the machine."""
    fault: int                                 # index in Run.events, −1 for planned maintenance
    found: int
    begin: float                               # [s] when it stopped, or when maintenance began
    done: float                                # [s] working again


Notable = list[tuple[int, Event]]


def repairs(run: Run) -> tuple[Repair, ...]:
    """Faults matched with the repairs that end them, and maintenance, in the order of their end. Unfinished ones are left out."""
    return _repairs(_notable(run), run.duration)


def _notable(run: Run) -> Notable:
    """Events with their index, changes of state aside: of these there are hundreds for one of the others."""
    return [(i, e) for i, e in enumerate(run.events) if e.kind != "state"]


def _repairs(notable: Notable, duration: float) -> tuple[Repair, ...]:
    open_: dict[tuple[str, str, str], list[tuple[int, float]]] = {}
    found = []
    for i, e in notable:
        key = (e.station, e.code, e.drift)
        if e.kind == "fault":
            open_.setdefault(key, []).append((i, e.time))
        elif e.kind == "repair":
            fault, begin = open_[key].pop(0) if open_.get(key) else (i, e.time)
            found.append(Repair(fault, i, begin, e.time + e.duration))
        elif e.kind == "maintenance" and e.drift:
            found.append(Repair(-1, i, e.time, e.time + e.duration))
    return tuple(sorted((r for r in found if r.done <= duration), key=lambda r: (r.done, r.found)))


def occasions(run: Run, base: int) -> list[Occasion]:
    """Everything that gets written, in no particular order. Streams come from ``base`` and what an occasion is about."""
    notable = _notable(run)
    ends = _repairs(notable, run.duration)
    mended: dict[str, list[Repair]] = {}
    for repair in ends:
        mended.setdefault(run.events[repair.found].drift, []).append(repair)
    out: list[Occasion] = []
    for i, event in notable:
        if event.kind == "cleaning" and not event.operator:               # the machine wiped by itself, every ten boards
            continue
        done = next((r.done for r in mended.get(event.drift, ()) if r.done >= event.time), math.inf) if event.drift else math.inf
        out += _of_event(run, i, event, done, np.random.default_rng([base, 2, i]))
    for repair in ends:
        out += _of_repair(run, repair, np.random.default_rng([base, 3, repair.found]))
    for d, drift in enumerate(run.line.drifts):
        if drift.kind in DRIFTS:
            out += _of_drift(run, d, drift, mended.get(drift.id, []), base)
    out += _of_shifts(run, ends, [e for e in notable if e[1].kind == "fault"], base)
    return out


def _drift(line: Line, identity: str) -> Drift | None:
    return next((d for d in line.drifts if d.id == identity), None)


def _symptom(trouble: Trouble, severity: float, rng: np.random.Generator) -> str:
    """One of the symptoms that a severity shows; the machine's own where it shows none yet."""
    shown = [s for s, least in trouble.symptoms.items() if least <= severity]
    return shown[int(rng.integers(len(shown)))] if shown else trouble.alarm


def _severity(run: Run, drift: Drift, time: float) -> float:
    """At the last look before a time [1]: a look at that very moment could already see the renewal."""
    at = max(int(np.searchsorted(run.times, time, side="left")) - 1, 0)
    return float(run.severity[at, run.line.drifts.index(drift)]) if len(run.times) else 0.0


def _of_event(run: Run, i: int, e: Event, done: float, rng: np.random.Generator) -> Iterator[Occasion]:
    """What is written when something begins: alarms, calls for help, refills. ``done``: when it is mended, inf for never."""
    drift = _drift(run.line, e.drift) if e.drift else None
    about = Occasion((4, i, 0), e.time, 0.0, e.time, e.kind, "alarm", "machine", i, e.station, until=done)
    if drift is not None:
        about = replace(about, module=drift.module, drift=drift.id, drift_kind=drift.kind)
    after = replace(about, key=(4, i, 1), known=e.time + e.duration, kind="note", writer="operator", minutes=e.duration / 60,
                    operator=e.operator)
    if e.kind in ("alarm", "fault"):
        trouble = DRIFTS[drift.kind] if drift is not None and drift.kind in DRIFTS else STOPS[stop_of(e.code)]
        about = replace(about, symptom=trouble.alarm, trouble=trouble)
        yield about
        told, ordered, own = rng.random(3)
        if drift is None:
            return
        seen = _symptom(trouble, _severity(run, drift, e.time), rng)
        if e.kind == "fault" and told < 0.8:
            yield replace(about, key=(4, i, 1), delay=300.0, rule="log_down", kind="shift_log", writer="operator", symptom=seen)
        if e.kind == "alarm":
            seen = trouble.alarm if own < 0.6 else seen
            if told < 0.6:
                yield replace(about, key=(4, i, 1), delay=900.0, rule="note_alarm", kind="note", writer="operator", symptom=seen)
            if ordered < 0.5:
                yield replace(about, key=(4, i, 2), delay=2400.0, rule="order_open", kind="work_order", writer="lead",
                              symptom=seen, order=f"{e.drift} {done}")
    elif e.kind == "material" and rng.random() < 0.2:
        yield replace(after, delay=600.0, rule="note_supply", supply=e.code)
    elif e.kind == "cleaning" and e.operator and rng.random() < 0.3:
        yield replace(after, delay=600.0, rule="note_clean")
    elif e.kind == "changeover" and e.station == run.line.stations[0].station:   # the event stands once for every station
        yield replace(after, delay=1200.0, rule="log_changeover", kind="shift_log", station="")


def _of_repair(run: Run, repair: Repair, rng: np.random.Generator) -> Iterator[Occasion]:
    """What is written when it is over: the cause is known now."""
    e = run.events[repair.found]
    drift = _drift(run.line, e.drift) if e.drift else None
    worn = drift is not None and drift.kind in DRIFTS
    trouble = DRIFTS[drift.kind] if drift is not None and worn else STOPS[stop_of(e.code)]
    seconds = repair.done - repair.begin
    logged, noted, ordered = rng.random(3)
    action = list(trouble.actions)[int(rng.integers(len(trouble.actions)))]
    parts = trouble.actions[action]
    part = parts[int(rng.integers(len(parts)))] if parts else ""
    about = Occasion((5, repair.found, 0), repair.done, 1500.0, repair.begin, "log_stop", "shift_log", "operator", repair.found,
                     e.station, symptom=trouble.alarm, action=action, part=part, trouble=trouble, minutes=seconds / 60,
                     operator=e.operator)
    order = replace(about, key=(5, repair.found, 2), delay=3600.0, rule="order_stop", kind="work_order", writer="technician",
                    order=f"#{repair.found}")
    if drift is None or not worn:
        if logged < (0.9 if seconds > LONG_STOP else LOGGED):
            yield about if noted < 0.7 else replace(about, kind="note")
        if seconds > ORDER_STOP and ordered < 0.8:
            yield order
        return
    seen = _symptom(trouble, _severity(run, drift, repair.begin), rng)
    about, order = (replace(o, module=drift.module, drift=drift.id, drift_kind=drift.kind, symptom=seen, cause=drift.kind)
                    for o in (about, order))
    if logged < 0.7:
        yield replace(about, rule="log_planned", writer="lead") if repair.fault < 0 else replace(about, rule="log_repaired")
    if noted < 0.5:
        yield replace(about, key=(5, repair.found, 1), delay=900.0, rule="note_done", kind="note", writer="technician")
    if ordered < 0.95:
        yield replace(order, rule="order_close", order=f"{e.drift} {repair.done}")


def _of_drift(run: Run, d: int, drift: Drift, mended: list[Repair], base: int) -> Iterator[Occasion]:
    """What people notice before anybody has opened the machine: a symptom some time after the severity has come to show it."""
    trouble, severity = DRIFTS[drift.kind], run.severity[:, d]
    renewed = np.flatnonzero(np.diff(severity) < -0.05) + 1
    for part, (first, last) in enumerate(zip([0, *renewed], [*renewed, len(severity)], strict=True)):
        rng = np.random.default_rng([base, 6, d, part])
        begin = run.times[first]
        stop = run.times[last] if last < len(severity) else run.duration
        stop = min([stop, *(r.begin for r in mended if begin < r.begin <= stop)])
        for n, (symptom, least) in enumerate(trouble.symptoms.items()):
            noticed, delay, again, later = rng.random(), rng.exponential(0.08), rng.random(), rng.exponential(DAY)
            at = first + np.flatnonzero(severity[first:last] >= least + delay)
            if noticed > 0.6 or not len(at):
                continue
            time = float(run.times[at[0]])
            for turn, moment in enumerate([time, time + later] if again < AGAIN else [time]):
                if moment < stop:
                    yield Occasion((6, d, part, n, turn), moment, 1200.0, at=moment, rule="note_seen",
                                   kind="note" if rng.random() < 0.7 else "shift_log", writer="operator", station=drift.station,
                                   module=drift.module, drift=drift.id, drift_kind=drift.kind, symptom=symptom, trouble=trouble,
                                   until=stop)


def _of_shifts(run: Run, ends: tuple[Repair, ...], stops: Notable, base: int) -> Iterator[Occasion]:
    """Handovers with the shift's counts, and rounds on which nothing was found."""
    left = gone(run)
    faults = [(e.time, e.station, i) for i, e in stops]
    done = {r.fault: r.done for r in ends}
    for k, (begin, end) in enumerate(shifts(run)):
        rng = np.random.default_rng([base, 7, k])
        inside = [f for f in faults if begin <= f[0] < end]
        down = sum(min(done.get(i, end), end) - t for t, _, i in inside) / 60
        units = int(((left >= begin) & (left < end)).sum())
        names = sorted({s for _, s, _ in inside})
        worst = max(names, key=lambda n: sum(s == n for _, s, _ in inside), default="")
        yield Occasion((7, k, 0), end, 300.0, at=begin, rule="handover_busy" if inside else "handover_quiet", kind="shift_log",
                       writer="lead", station=worst,
                       values=(("units", float(units)), ("stops", float(len(inside))), ("down", float(down))))
        for n in range(int(rng.binomial(CALM, CALM_SHARE))):
            time = float(rng.uniform(begin, end))
            station = run.line.stations[int(rng.integers(len(run.line.stations)))].station
            yield Occasion((7, k, n + 1), time, 0.0, at=time, rule="round", kind="shift_log" if rng.random() < 0.5 else "note",
                           writer="operator", station=station)


def gone(run: Run) -> NDArray[np.float64]:
    """When each unit left the line [s], (U,): its latest leave from a station behind which nothing has to come. NaN: inside."""
    stations = run.line.stations
    last: dict[str, bool] = {}                 # whether units can leave the line from there
    for s in reversed(stations):               # those that a station feeds come behind it
        last[s.station] = all(f.share < 1 and last[f.station] for f in stations if s.station in f.after)
    columns = [k for k, s in enumerate(stations) if last[s.station]]
    inside = (np.isfinite(run.arrive[:, columns]) & ~np.isfinite(run.leave[:, columns])).any(axis=1)
    latest: NDArray[np.float64] = np.where(inside, np.nan, np.fmax.reduce(run.leave[:, columns], axis=1))
    return latest


def shifts(run: Run) -> list[tuple[float, float]]:
    """Begin and end [s] of every shift that ended within the run: eight hours, or what is left of a planned day."""
    found, days = [], math.ceil(run.duration / DAY)
    for day in range(days):
        if day % 7 >= run.line.days_a_week:
            continue
        for k in range(SHIFTS):
            begin = day * DAY + k * SHIFT
            end = min(begin + SHIFT, day * DAY + run.line.hours_a_day * 3600)
            if begin < end <= run.duration:
                found.append((begin, end))
    return found


__all__ = ["DAY", "SHIFT", "Occasion", "Repair", "gone", "occasions", "repairs", "shifts"]
