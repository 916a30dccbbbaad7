"""oee: how well a line ran, by the definitions: OEE, first-pass yield, DPMO indices, shares of the SEMI E10 states.

OEE = availability × performance × quality, with availability = run / planned time, performance = ideal cycle × count / run time,
quality = good / count. DPMO = 10⁶ × defects / opportunities; the four indices are those that IPC-7912A names for the finished
product and IPC-9261A for the process. Their overall manufacturing index is left out: no primary source gives its formula.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scenes.errors import SceneError
from scenes.line.model import Run, State, StationFlow

F64 = NDArray[np.float64]

STATES: tuple[State, ...] = tuple(State)
DOWN = (State.ENGINEERING, State.SCHEDULED_DOWN, State.UNSCHEDULED_DOWN, State.REPAIR)
"""States that take away from planned time. Starved and blocked do not: they lower performance."""


@dataclass(frozen=True)
class Oee:
    """Overall equipment effectiveness and its three factors, all [1]."""
    availability: float
    performance: float
    quality: float

    @property
    def value(self) -> float:
        return self.availability * self.performance * self.quality


def oee(planned: float, down: float, ideal_cycle: float, count: int, rejects: int) -> Oee:
    """From planned and down time [s], the ideal cycle [s], pieces made and rejected. Raises SceneError where that cannot be."""
    if not 0.0 <= down < planned:
        raise SceneError(f"oee: {down!r} s down of {planned!r} s planned; give 0 ≤ down < planned")
    if ideal_cycle <= 0.0 or not 0 <= rejects <= count or count == 0:
        raise SceneError(f"oee: {rejects} rejects of {count} pieces at an ideal {ideal_cycle!r} s; "
                         f"give a cycle > 0, at least one piece and no more rejects than pieces")
    run = planned - down
    return Oee(run / planned, ideal_cycle * count / run, (count - rejects) / count)


def ideal_cycle(station: StationFlow) -> float:
    """Seconds per unit of the line that a station needs: several places make it faster, a share makes it less often needed."""
    return max(station.cycle / station.slots, station.interval) * station.share


def run_oee(run: Run, good: ArrayLike, station: str = "") -> Oee:
    """OEE of a station over a run; without a name of the line's slowest, which sets what the line can do.

    Args:
        run: What the line did.
        good: Whether each released unit is good, shape (U,).
        station: Id.

    Planned time leaves NON_SCHEDULED out. Pieces are the units that the station finished.
    """
    flows = run.line.stations
    column = max(range(len(flows)), key=lambda k: ideal_cycle(flows[k]))
    if station:
        column = next((k for k, s in enumerate(flows) if s.station == station), -1)
        if column < 0:
            raise SceneError(f"oee: no station '{station}'; known: {', '.join(s.station for s in flows)}")
    seconds = dict(zip(STATES, state_seconds(run)[column].tolist(), strict=True))
    made = np.isfinite(run.finish[:, column])
    planned = run.duration - seconds[State.NON_SCHEDULED]
    down = sum(seconds[s] for s in DOWN)
    flow = flows[column]
    return oee(planned, down, max(flow.cycle / flow.slots, flow.interval), int(made.sum()),
               int((made & ~np.asarray(good, bool)).sum()))


def state_seconds(run: Run) -> F64:
    """Time of every station in every state [s], shape (S, len(STATES)); rows add up to the duration."""
    row = {s.station: k for k, s in enumerate(run.line.stations)}
    column = {str(int(state)): k for k, state in enumerate(STATES)}
    out = np.zeros((len(row), len(STATES)))
    now = [(0.0, column[str(int(State.STARVED))])] * len(row)
    for event in run.events:
        if event.kind == "state":
            k = row[event.station]
            since, state = now[k]
            out[k, state] += event.time - since
            now[k] = (event.time, column[event.code])
    for k, (since, state) in enumerate(now):
        out[k, state] += run.duration - since
    return out


def state_shares(run: Run) -> dict[str, dict[State, float]]:
    """Share of the run that every station spent in every state [1]; states that never came are left out."""
    shares = state_seconds(run) / run.duration
    return {s.station: {state: float(v) for state, v in zip(STATES, shares[k], strict=True) if v > 0}
            for k, s in enumerate(run.line.stations)}


def first_pass_yield(defects: ArrayLike) -> float:
    """Share of units without a defect. ``defects`` counts them per unit, shape (U,)."""
    counts = np.asarray(defects)
    if counts.size == 0:
        raise SceneError("yield: no unit was made; run the line for longer")
    return float((counts == 0).mean())


def dpmo(defects: int, opportunities: int) -> float:
    """Defects per million opportunities."""
    if opportunities <= 0:
        raise SceneError(f"dpmo: {opportunities} opportunities; give at least 1")
    return 1e6 * defects / opportunities


def expected_yield(per_million: float, opportunities: int) -> float:
    """First-pass yield that a DPMO means where defects are independent [1]."""
    return float((1.0 - per_million * 1e-6) ** opportunities)


INDEX: Mapping[str, str] = {
    "wrong_part": "component",
    "missing": "placement", "shift": "placement", "rotation": "placement", "billboard": "placement", "flipped": "placement",
    "polarity": "placement",
    "tombstone": "termination", "bridge": "termination", "insufficient": "termination", "excess": "termination",
    "cold_joint": "termination", "head_in_pillow": "termination", "bga_void": "termination", "lifted_lead": "termination",
    "solder_ball": "assembly", "residue": "assembly", "scratch": "assembly",
}
"""Which index a defect of the taxonomy counts for: what the part is, where it lies, how it is joined, the board as a whole."""


def dpmo_indices(defects: Mapping[str, int], units: int, components: int, terminations: int) -> dict[str, float]:
    """Component, placement, termination and assembly DPMO, and the DPMO index over all of them.

    Args:
        defects: How many of each defect of the taxonomy over all units.
        units: Assemblies made.
        components: Per assembly; each is one component and one placement opportunity.
        terminations: Per assembly; each assembly is one opportunity for the rest.

    Raises SceneError for a defect that no index counts.
    """
    opportunities = {"component": components, "placement": components, "termination": terminations, "assembly": 1}
    counts = dict.fromkeys(opportunities, 0)
    for name, count in defects.items():
        if name not in INDEX:
            raise SceneError(f"dpmo: unknown defect '{name}'; known: {', '.join(INDEX)}")
        counts[INDEX[name]] += count
    out = {name: dpmo(counts[name], units * per_unit) for name, per_unit in opportunities.items()}
    out["all"] = dpmo(sum(counts.values()), units * sum(opportunities.values()))
    return out


__all__ = ["DOWN", "INDEX", "STATES", "Oee", "dpmo", "dpmo_indices", "expected_yield", "first_pass_yield", "ideal_cycle", "oee",
           "run_oee", "state_seconds", "state_shares"]
