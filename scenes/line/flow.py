"""flow: run lines. Units move, machines stop, parts wear, people come: one simpy clock, one ``Run`` per line.

    run = simulate_line(scene.production, 7 * 86400.0, np.random.default_rng(1))

A loader releases a unit every takt. Lots, shifts and the end of the planned week let the line run empty first, as a line with
an oven must. Everything random is drawn from streams named after the line, the station or the drift (``streams.py``).
"""
from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import simpy

from scenes.errors import SceneError
from scenes.line.buffers import ARRIVE, FINISH, LEAVE, START, Unit
from scenes.line.clock import Steps
from scenes.line.crew import Crew
from scenes.line.machine import SCHEDULED_DOWN, STARVED, UNSCHEDULED_DOWN, Machine, Stops
from scenes.line.model import Event, Line, Run, State, StationFlow
from scenes.line.routing import Plan, send
from scenes.line.streams import constant, draws, exponential, gamma, log_normal, stream
from scenes.line.wear import Wear

DAY, HOUR = 86400.0, 3600.0                    # [s]
LOOK = 60.0                                    # [s] between two looks at the drifts
REPAIR_VARIATION = 0.6                         # [1] coefficient of variation of repairs; engineering default
UNKNOWN_WIPE = 3                               # boards since a wipe where the line has none: what a healthy Printer has
LONGEST = 366 * DAY                            # [s]

WORDS = {"printer": ("jam", "paste"), "placement": ("feeder", "pick"), "reflow": ("conveyor", "jam"), "test": ("probe", "jam")}
"""Why a kind of station stops by chance (typical causes of the domain reference); of others the conveyor or the camera."""


def simulate_line(line: Line, duration: float, rng: np.random.Generator) -> Run:
    """Run one line with its own crew for ``duration`` [s], at most a year. Draws once from ``rng``, for a root seed."""
    return simulate_site((line,), duration, line.crew, rng)[0]


def simulate_site(lines: tuple[Line, ...], duration: float, crew: int, rng: np.random.Generator) -> tuple[Run, ...]:
    """Run lines side by side; they share ``crew`` people. Streams carry the line's path, so a line's draws are its own.

    Raises SceneError for a duration or a crew that cannot be, and for two lines with one path.
    """
    if not 0.0 < duration <= LONGEST:
        raise SceneError(f"duration: {duration!r} s; give more than 0 and at most a year, {LONGEST:.0f}")
    if crew < 1:
        raise SceneError(f"crew: {crew} people; give at least 1, or nothing is ever repaired")
    if len({line.path for line in lines}) < len(lines):
        raise SceneError("lines: two have the same path; every line of a site has its own")
    root, env = int(rng.integers(2**63)), simpy.Environment()
    people = Crew(env, crew)
    floors = [_Floor(env, line, people, root) for line in lines]
    env.run(until=duration)
    return tuple(floor.run(duration) for floor in floors)


class _Floor:
    """One line while it runs."""

    def __init__(self, env: simpy.Environment, line: Line, crew: Crew, root: int) -> None:
        self.env, self.line, self.crew, self.plan = env, line, crew, Plan(env)
        self.units: list[Unit] = []
        self.machines = tuple(_machine(self.plan, k, s, crew, root, line.path) for k, s in enumerate(line.stations))
        for machine, _ in zip(self.machines, line.stations, strict=True):
            machine.followers = tuple(m for m, s in zip(self.machines, line.stations, strict=True) if machine.name in s.after)
        self.first = tuple(m for m, s in zip(self.machines, line.stations, strict=True) if not s.after)
        self.times: list[float] = []
        by_name = {m.name: m for m in self.machines}
        self.wears = [(Wear(d, stream(root, line.path, "drift", d.id)), by_name[d.station]) for d in line.drifts]
        for wear, machine in self.wears:
            env.process(self._begin(wear, machine))
        env.process(self._look())
        env.process(self._load())

    # --- drifts -------------------------------------------------------------------------------------------------

    def _begin(self, wear: Wear, machine: Machine) -> Steps:
        if wear.drift.start > 0.0:
            yield self.env.timeout(wear.drift.start)
        wear.begin(machine.spent(wear))
        machine.watch(wear)

    def _look(self) -> Steps:
        while True:
            self.times.append(self.env.now)
            for wear, machine in self.wears:
                worked = wear.look(machine.spent(wear))
                if worked >= wear.alarm_at and not wear.alarmed:
                    wear.alarmed = True
                    self.plan.log.append(Event(self.env.now, machine.name, "alarm", wear.kind, wear.id))
                if worked >= wear.maintain_at and not wear.ordered:
                    wear.ordered = True
                    machine.maintain(wear)
            yield self.env.timeout(LOOK)

    # --- units in -----------------------------------------------------------------------------------------------

    def _load(self) -> Steps:
        env, line, plan, stations = self.env, self.line, self.plan, len(self.machines)
        lot = 0
        while True:
            off = _pause(line, env.now)
            if off > 0.0:
                yield from self._drain()
                yield from self._rest(_pause(line, env.now))
            if line.changeover is not None and lot >= line.changeover.units:
                yield from self._drain()
                yield from self._change(line.changeover.seconds)
                lot = 0
                continue                                                  # the shift may have ended meanwhile
            released = env.now
            unit = Unit(len(self.units), stations)
            blocked = send(plan, self.first, unit)
            if blocked is not None:
                yield blocked
            self.units.append(unit)
            plan.released += 1
            lot += 1
            if released + line.takt > env.now:
                yield env.timeout(released + line.takt - env.now)

    def _drain(self) -> Steps:
        """Wait until the line is empty."""
        if self.plan.left < self.plan.released:
            self.plan.empty = self.env.event()
            yield self.plan.empty

    def _rest(self, seconds: float) -> Steps:
        if seconds <= 0.0:
            return
        self._announce("end")
        yield from self._idle(int(State.NON_SCHEDULED), seconds)
        self._announce("start")

    def _announce(self, what: str) -> None:
        self.plan.log.append(Event(self.env.now, self.machines[0].name, "shift", what))

    def _change(self, seconds: float) -> Steps:
        who = yield from self.crew.call()
        for machine in self.machines:
            self.plan.log.append(Event(self.env.now, machine.name, "changeover", "lot", duration=seconds, operator=who))
        yield from self._idle(SCHEDULED_DOWN, seconds)
        self.crew.release(who)

    def _idle(self, state: int, seconds: float) -> Steps:
        for idle, wait in ((state, seconds), (STARVED, 0.0)):
            self.plan.idle = idle
            for machine in self.machines:
                machine.refresh()
            if wait:
                yield self.env.timeout(wait)

    # --- what it did --------------------------------------------------------------------------------------------

    def run(self, duration: float) -> Run:
        """The record, as arrays."""
        stations, looks = len(self.machines), len(self.times)
        table = np.array([u.times for u in self.units], dtype=np.float64).reshape(len(self.units), stations, 4)
        severity, remaining = np.zeros((looks, len(self.wears))), np.zeros((looks, len(self.wears)))
        for k, (wear, _) in enumerate(self.wears):
            severity[:, k], remaining[:, k] = wear.history()
        wipes = any(s.name == "wipe" for f in self.line.stations for s in f.supplies)
        since_wipe = np.array([u.since_wipe if wipes else UNKNOWN_WIPE for u in self.units], dtype=np.int32)
        names = tuple(m.name for m in self.machines)
        arrive, start, finish, leave = (np.ascontiguousarray(table[:, :, k]) for k in (ARRIVE, START, FINISH, LEAVE))
        return Run(self.line, duration, arrive, start, finish, leave, tuple(_events(self.plan.log, names)), np.array(self.times),
                   severity, remaining, since_wipe)


def _machine(plan: Plan, column: int, flow: StationFlow, crew: Crew, root: int, path: str) -> Machine:
    def named(cause: str) -> np.random.Generator:
        return stream(root, path, flow.station, cause)

    service: Iterator[float] = constant(flow.cycle)
    if flow.cycle_std > 0.0:
        service = draws(gamma(flow.cycle, flow.cycle_std), named("cycle"))
    stops = None
    if math.isfinite(flow.mtbf):
        words = WORDS.get(flow.kind, ("camera", "conveyor"))
        repair = draws(log_normal(flow.mttr, REPAIR_VARIATION), named("repair"), 64) if flow.mttr > 0.0 else constant(0.0)
        numbers = draws(lambda rng, n: rng.integers(0, len(words), n).astype(np.float64), named("word"), 64)
        stops = Stops(draws(exponential(flow.mtbf), named("stop"), 64), repair, (words[int(i)] for i in numbers))
    return Machine(plan, column, flow.station, service, buffer=flow.buffer, slots=flow.slots, interval=flow.interval,
                   share=flow.share, supplies=flow.supplies, stops=stops, crew=crew)


def _pause(line: Line, now: float) -> float:
    """Seconds from now until work is planned again; 0 while it is. Day 0 and every shift begin at 0 h."""
    day, hour = divmod(now, DAY)
    if day % 7 < line.days_a_week and hour < line.hours_a_day * HOUR:
        return 0.0
    ahead = int(day) + 1
    while ahead % 7 >= line.days_a_week:
        ahead += 1
    return ahead * DAY - now


def _events(log: list[Event | tuple[float, int, int]], names: tuple[str, ...]) -> list[Event]:
    """The log as events. A state that lasts no time, or that is the state before, is not told; a breakdown always is."""
    last: dict[int, int] = {}                                             # station: index of its last state in the log
    before = [0] * len(names)                                             # station: the state before that one
    drop: set[int] = set()
    for at, entry in enumerate(log):
        if isinstance(entry, Event):
            continue
        time, station, state = entry
        previous = last.get(station)
        if previous is not None:
            past: Any = log[previous]
            if past[0] == time and past[2] != UNSCHEDULED_DOWN:
                drop.add(previous)
            else:
                before[station] = past[2]
        if before[station] == state:
            drop.add(at)
        last[station] = at
    codes = {int(s): str(int(s)) for s in State}
    return [e if isinstance(e, Event) else Event(e[0], names[e[1]], "state", codes[e[2]])
            for at, e in enumerate(log) if at not in drop]


__all__ = ["DAY", "LOOK", "simulate_line", "simulate_site"]
