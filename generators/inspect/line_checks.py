"""line_checks: what must hold of every run, whatever the line: its clock, its buffers, its units, Little's law."""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generators.reports import Check, Figure
from generators.text.occasions import gone
from scenes.line.model import Run

F64 = NDArray[np.float64]
EXACT = 1e-6                                   # [s] over which two clocks are the same


def run_checks(run: Run) -> tuple[Check, ...]:
    """Checks of a run, for its report and for the gate of a dataset that was made from it."""
    return (_order(run), _places(run), _little(run), _drifts(run), _events(run))


def _order(run: Run) -> Check:
    """Every visit: arrive ≤ start ≤ finish ≤ leave, and nobody arrives where he has not been let go to."""
    times = np.stack([run.arrive, run.start, run.finish, run.leave])
    with np.errstate(invalid="ignore"):
        wrong = np.argwhere((np.diff(times, axis=0) < -EXACT).any(axis=0))
    examples = tuple(f"unit {u} at {run.line.stations[s].station}" for u, s in wrong[:3].tolist())
    visits = int(np.isfinite(run.arrive).sum())
    message = f"{visits:,} visits: arrival, start, finish and leave in this order"
    if len(wrong):
        message = f"{len(wrong)} visits are out of order; the simulation contradicts itself, please report it"
    return Check("line.clock", not len(wrong), message, examples=examples)


def _places(run: Run) -> Check:
    """No station ever holds more units than it has slots, no buffer more than it has places."""
    bad, most = [], 0.0
    for k, flow in enumerate(run.line.stations):
        inside = _most(run.start[:, k], run.leave[:, k])
        waiting = _most(run.arrive[:, k], run.start[:, k])
        most = max(most, waiting / max(flow.buffer, 1))
        if inside > flow.slots or waiting > flow.buffer:
            bad.append(f"{flow.station}: {inside} units in {flow.slots} slots, {waiting} waiting in {flow.buffer} places")
    message = f"slots and buffers hold; the fullest buffer was {100 * most:.0f} % full"
    if bad:
        message = "a station held more than it can; the simulation contradicts itself, please report it"
    return Check("line.places", not bad, message, examples=tuple(bad[:3]))


def _most(begin: F64, end: F64) -> int:
    """Most intervals that overlap; one that ends when another begins does not overlap it. NaN ends never."""
    there = np.isfinite(begin)
    begin, end = begin[there], np.where(np.isfinite(end[there]), end[there], np.inf)
    longer = end > begin                       # who passes straight through takes no place
    at = np.concatenate([begin[longer], end[longer]])
    step = np.concatenate([np.ones(longer.sum(), int), -np.ones(longer.sum(), int)])
    order = np.lexsort((step, at))
    return int(np.cumsum(step[order]).max(initial=0))


def _little(run: Run) -> Check:
    """L = λ W on the path itself, over units that have left: the integral of their number is the sum of their stays."""
    first, last = _ends(run)
    done = np.isfinite(last)
    if not done.any():
        return Check("line.little", None, "no unit has left the line; run it for longer")
    at = np.concatenate([first[done], last[done]])
    step = np.concatenate([np.ones(done.sum()), -np.ones(done.sum())])
    order = np.argsort(at, kind="stable")
    area = float((np.cumsum(step[order])[:-1] * np.diff(at[order])).sum())
    stay = float((last[done] - first[done]).sum())
    span = float(at.max() - at.min())
    error = abs(area - stay) / stay
    return Check("line.little", error < 1e-9, f"L = λ W on the path within {error:.1e}",
                 {"units in the line": Figure(area / span), "stay": Figure(stay / int(done.sum()), "s")})


def _ends(run: Run) -> tuple[F64, F64]:
    """When each unit came and when it left for good, (U,); NaN for units still inside."""
    return np.fmin.reduce(run.arrive, axis=1), finished(run)


def finished(run: Run) -> F64:
    """When each unit left the line [s], (U,); NaN for units still inside it: as its people count it."""
    return gone(run)


def _drifts(run: Run) -> Check:
    """Severity stays in 0 … 1 and falls only where something was renewed."""
    renewed: dict[str, list[float]] = {}
    for event in run.events:
        if event.drift and event.kind in ("repair", "maintenance"):
            renewed.setdefault(event.drift, []).append(event.time)
    bad = []
    for d, drift in enumerate(run.line.drifts):
        values = run.severity[:, d]
        if len(values) and not (values.min() >= 0 and values.max() <= 1):
            bad.append(f"{drift.id}: severity leaves 0 … 1")
        falls = int((np.diff(values) < -1e-9).sum())
        if falls > len(renewed.get(drift.id, ())):
            bad.append(f"{drift.id}: better {falls} times, renewed {len(renewed.get(drift.id, ()))} times")
    return Check("line.wear", not bad, f"{len(run.line.drifts)} drifts only grow until they are renewed" if not bad
                 else "something got better by itself; please report it", examples=tuple(bad[:3]))


def _events(run: Run) -> Check:
    """In the order of time, at stations that there are."""
    names = {s.station for s in run.line.stations}
    times = np.array([e.time for e in run.events])
    strange = [e.station for e in run.events if e.station not in names]
    ordered = bool((np.diff(times) >= 0).all()) if len(times) else True
    return Check("line.events", ordered and not strange, f"{len(times):,} events in the order of time" if ordered and not strange
                 else "events are out of order or at unknown stations; please report it", examples=tuple(strange[:3]))


__all__ = ["finished", "run_checks"]
