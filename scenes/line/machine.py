"""machine: one station at work: it takes units, works, fails, is repaired and kept, and hands units on or holds them.

A machine with one place is one simpy process that loops. One with several (an oven, parallel testers) admits units in one
process and serves each in its own. Failures are counted on its work clock (``clock.py``).
"""
from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import simpy

from scenes.line.buffers import FINISH, LEAVE, START, Buffer, Unit
from scenes.line.clock import TINY, Steps, WorkClock
from scenes.line.crew import Crew
from scenes.line.model import Event, EventKind, State, Supply
from scenes.line.routing import Plan, send

PRODUCTIVE, BLOCKED, STARVED = int(State.PRODUCTIVE), int(State.BLOCKED), int(State.STARVED)
SCHEDULED_DOWN, UNSCHEDULED_DOWN, REPAIR = int(State.SCHEDULED_DOWN), int(State.UNSCHEDULED_DOWN), int(State.REPAIR)


class Wearing(Protocol):
    """What a machine knows of a drift (``wear.Wear``)."""
    id: str
    kind: str
    by_cycles: bool
    repair: float

    def limit(self) -> float:
        """Work at which it fails."""

    def renew(self, work: float) -> None:
        """A new part goes in."""


@dataclass(frozen=True)
class Stops:
    """Random stops: work between two [s], length [s] and a word for each."""
    work: Iterator[float]
    repair: Iterator[float]
    word: Iterator[str]


class Machine:
    """One station. ``followers`` is set when all machines exist."""

    def __init__(self, plan: Plan, column: int, name: str, service: Iterator[float], *, buffer: float = math.inf,
                 slots: int = 1, interval: float = 0.0, share: float = 1.0, supplies: tuple[Supply, ...] = (),
                 stops: Stops | None = None, crew: Crew | None = None) -> None:
        self.plan, self.env, self.column, self.name, self.crew = plan, plan.env, column, name, crew
        self.service, self.slots, self.interval, self.share = service, slots, interval, share
        self.buffer = Buffer(plan.env, column, buffer)
        self.followers: tuple[Machine, ...] = ()
        self.wears: list[Wearing] = []
        self.cycles = 0                                                   # units finished
        self.current = -1                                                 # number of the last unit that went in
        self._supplies = {s: s.units for s in supplies}                   # supply: cycles at which it is used up
        self._wiped: int | None = 0 if any(s.name == "wipe" for s in supplies) else None
        self._seen = 0                                                    # units that the share was asked for
        self._chores: deque[Callable[[], Steps]] = deque()                # to be done at the next free moment
        self._next_count: float = math.inf                                # cycles at which something is due
        self.clock = WorkClock(plan.env)
        self._inside = 0                                                  # units inside, worked on or done
        self._freed: simpy.Event | None = None                            # succeeds when a unit has left the inside
        self._calm, self._last_entry = 0, -math.inf                       # state but for failures; [s] of the last entry
        self._attended = False                                            # somebody refills or maintains it
        self.recount()
        if stops is not None:
            self.env.process(self._random_stops(stops))
        self.env.process(self._one() if slots == 1 and interval == 0 else self._many())

    def recount(self) -> None:
        """Find the cycle at which the next supply runs out or the next part fails. What is due by now is a chore already."""
        counts = [*self._supplies.values(), *(w.limit() for w in self.wears if w.by_cycles)]
        self._next_count = min((at for at in counts if at > self.cycles), default=math.inf)

    # --- states -------------------------------------------------------------------------------------------------

    def _enter(self, state: int) -> None:
        if state != self._calm:
            self._calm = state
            if not self.clock.down:
                self.plan.log.append((self.env.now, self.column, state))

    def refresh(self) -> None:
        """The line's idle state has changed."""
        if not self._inside and not self._attended:
            self._enter(self.plan.idle)

    def _say(self, kind: EventKind, code: str, drift: str = "", duration: float = 0.0, operator: str = "") -> None:
        unit = self.current if self._inside else -1
        self.plan.log.append(Event(self.env.now, self.name, kind, code, drift, unit, duration, operator))

    # --- one place ----------------------------------------------------------------------------------------------

    def _one(self) -> Steps:
        env, buffer, clock, column = self.env, self.buffer, self.clock, self.column
        start, finish, leave = (4 * column + k for k in (START, FINISH, LEAVE))
        while True:
            while self._chores:
                yield from self._chores.popleft()()
            unit = buffer.take()
            if unit is None:
                self._enter(self.plan.idle)
                unit = yield buffer.wait()
                if unit is None:
                    continue
            self._begin(unit, start)
            self._inside = 1
            lost = clock.down_time()
            yield env.timeout(next(self.service))
            if clock.down or clock.lost != lost:
                yield from clock.catch_up(lost)
            self._end(unit, finish)
            blocked = send(self.plan, self.followers, unit)
            if blocked is not None:
                self._enter(BLOCKED)
                yield blocked
            unit.times[leave] = env.now
            self._inside = 0

    def _begin(self, unit: Unit, start: int) -> None:
        self.clock.begin()
        self.current = unit.number
        unit.times[start] = self.env.now
        if self._wiped is not None:
            unit.since_wipe = self.cycles - self._wiped
        self._enter(PRODUCTIVE)

    def _end(self, unit: Unit, finish: int) -> None:
        self.clock.end()
        self.cycles += 1
        unit.times[finish] = self.env.now
        if self.cycles >= self._next_count:
            self._count()

    # --- several places -----------------------------------------------------------------------------------------

    def _many(self) -> Steps:
        env, buffer = self.env, self.buffer
        before: simpy.Event | None = None
        while True:
            if self._chores:
                while self._inside:
                    yield self._free()
                yield from self._chores.popleft()()
                continue
            if self._inside >= self.slots:
                yield self._free()
                continue
            if self.clock.down:
                yield from self.clock.wait_up()
                continue
            gap = self._last_entry + self.interval - env.now
            if gap > TINY:
                yield env.timeout(gap)
                continue
            unit = buffer.take()
            if unit is None:
                if not self._inside:
                    self._enter(self.plan.idle)
                unit = yield buffer.wait()
                if unit is None:
                    continue
            self._inside += 1
            self._last_entry = env.now
            gone = env.event()
            env.process(self._serve(unit, before if self.interval else None, gone))
            before = gone

    def _serve(self, unit: Unit, before: simpy.Event | None, gone: simpy.Event) -> Steps:
        """One unit's stay. Where units enter at an interval it is a conveyor: nobody leaves before the one in front."""
        self._begin(unit, 4 * self.column + START)
        lost = self.clock.down_time()
        yield self.env.timeout(next(self.service))
        if self.clock.down or self.clock.lost != lost:
            yield from self.clock.catch_up(lost)
        if before is not None and not before.triggered:
            yield before
        self._end(unit, 4 * self.column + FINISH)
        blocked = send(self.plan, self.followers, unit)
        if blocked is not None:
            if not self.clock.busy:
                self._enter(BLOCKED)
            yield blocked
        unit.times[4 * self.column + LEAVE] = self.env.now
        self._inside -= 1
        gone.succeed()
        if not self.clock.busy:
            self._enter(BLOCKED if self._inside else self.plan.idle)
        if self._freed is not None:
            self._freed.succeed()
            self._freed = None

    def _free(self) -> simpy.Event:
        if self._freed is None:
            self._freed = self.env.event()
        return self._freed

    # --- onward -------------------------------------------------------------------------------------------------

    @property
    def onward(self) -> tuple[Machine, ...]:
        """Where units go from here."""
        return self.followers

    def picks(self) -> bool:
        """Whether it takes the next unit: every n-th of them by its share, evenly spread."""
        if self.share >= 1.0:
            return True
        self._seen += 1
        return math.floor(self._seen * self.share + 1e-9) > math.floor((self._seen - 1) * self.share + 1e-9)

    # --- stops --------------------------------------------------------------------------------------------------

    def _random_stops(self, stops: Stops) -> Steps:
        while True:
            limit = self.clock.work() + next(stops.work)
            yield from self.clock.until(lambda limit=limit: limit)        # type: ignore[misc]
            yield from self._fail(next(stops.word), next(stops.repair))

    def spent(self, wear: Wearing) -> float:
        """Work so far, in what this part counts: cycles or seconds."""
        return self.cycles if wear.by_cycles else self.clock.work()

    def watch(self, wear: Wearing) -> None:
        """From now on this part wears; it stops the machine where it fails."""
        self.wears.append(wear)
        self.recount()
        if not wear.by_cycles:
            self.env.process(self._wear_stops(wear))

    def _wear_stops(self, wear: Wearing) -> Steps:
        while True:
            yield from self.clock.until(wear.limit)
            yield from self._wear_out(wear)

    def _fail(self, code: str, seconds: float, wear: Wearing | None = None) -> Steps:
        """Down, somebody comes, repaired, up."""
        if self.clock.stop():
            self.plan.log.append((self.env.now, self.column, UNSCHEDULED_DOWN))
        drift = wear.id if wear else ""
        self._say("fault", code, drift)
        who = ""
        if self.crew is not None:
            who = yield from self.crew.call()
        self.plan.log.append((self.env.now, self.column, REPAIR))
        self._say("repair", code, drift, seconds, who)
        yield self.env.timeout(seconds)
        if self.crew is not None:
            self.crew.release(who)
        if wear is not None:
            self._renew(wear)
        if self.clock.resume():
            self.plan.log.append((self.env.now, self.column, self._calm))

    def _wear_out(self, wear: Wearing) -> Steps:
        yield from self._fail(wear.kind, wear.repair, wear)

    def _renew(self, wear: Wearing) -> None:
        wear.renew(self.spent(wear))
        if wear.kind == "stencil_clog" and self._wiped is not None:
            self._wiped = self.cycles
        self.recount()

    # --- chores -------------------------------------------------------------------------------------------------

    def _count(self) -> None:
        """Something is due after this cycle."""
        for supply, at in self._supplies.items():
            if self.cycles >= at:
                self._supplies[supply] = self.cycles + supply.units
                self._chores.append(partial(self._refill, supply))
        for wear in self.wears:
            if wear.by_cycles and self.cycles >= wear.limit():
                self._chores.append(partial(self._worn_out, wear))
        self.recount()

    def _worn_out(self, wear: Wearing) -> Steps:
        if self.cycles >= wear.limit():                                   # else maintenance came first
            yield from self._wear_out(wear)

    def maintain(self, wear: Wearing) -> None:
        """Renew a part at the next free moment."""
        self._chores.append(partial(self._maintain, wear, wear.limit()))
        self.buffer.wake()

    def _maintain(self, wear: Wearing, limit: float) -> Steps:
        if wear.limit() != limit:                                         # it failed and was renewed meanwhile
            return
        yield from self._attend("maintenance", wear.kind, wear.repair, wear.id)
        self._renew(wear)

    def _refill(self, supply: Supply) -> Steps:
        kind: EventKind = "cleaning" if supply.name == "wipe" else "material"
        yield from self._attend(kind, supply.name, supply.seconds, "", supply.crew)
        if supply.name == "wipe":
            self._wiped = self.cycles

    def _attend(self, kind: EventKind, code: str, seconds: float, drift: str = "", crew: bool = True) -> Steps:
        """Something planned at the idle machine. What it does by itself is part of production (an under-stencil wipe)."""
        who, self._attended = "", True
        self._enter(SCHEDULED_DOWN if crew else PRODUCTIVE)
        if crew and self.crew is not None:
            who = yield from self.crew.call()
        self._say(kind, code, drift, seconds, who)
        yield self.env.timeout(seconds)
        self._attended = False
        if who and self.crew is not None:
            self.crew.release(who)


__all__ = ["Machine", "Stops", "Wearing"]
