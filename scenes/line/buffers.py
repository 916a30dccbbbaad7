"""buffers: places between two machines, down to none: a unit then goes from hand to hand."""
from __future__ import annotations

import math
from collections import deque

import simpy

ARRIVE, START, FINISH, LEAVE = 0, 1, 2, 3
"""Columns of a unit's times at one station."""


class Unit:
    """One board on its way.

    ``times[4 s + k]`` is when event k (ARRIVE …) happened at station s [s]; NaN: it did not. ``since_wipe`` is 0 until printed.
    """
    __slots__ = ("number", "since_wipe", "times")

    def __init__(self, number: int, stations: int) -> None:
        self.number = number
        self.since_wipe = 0
        self.times = [math.nan] * (4 * stations)


class Buffer:
    """The places before one station, first in, first out. ``simpy.Store`` refuses capacity 0; this does not.

    A unit gets in while a place is free or while a machine waits for it. Otherwise it is offered: it stays where it is, and
    gets in when its turn comes. A unit may be offered to several buffers; the first with a place takes it.
    """
    __slots__ = ("_column", "_env", "_offers", "_queue", "_waiting", "capacity")

    def __init__(self, env: simpy.Environment, station: int, capacity: float) -> None:
        self._env, self._column, self.capacity = env, 4 * station + ARRIVE, capacity
        self._queue: deque[Unit] = deque()
        self._waiting: deque[simpy.Event] = deque()
        self._offers: deque[tuple[simpy.Event, Unit]] = deque()

    def load(self) -> int:
        """Units in it, less the machines that wait for one."""
        return len(self._queue) - len(self._waiting)

    def accepts(self) -> bool:
        """Whether ``put`` is allowed now."""
        return bool(self._waiting) or len(self._queue) < self.capacity

    def put(self, unit: Unit) -> None:
        """Let a unit in. Only where ``accepts``."""
        unit.times[self._column] = self._env.now
        if self._waiting:
            self._waiting.popleft().succeed(unit)
        else:
            self._queue.append(unit)

    def offer(self, event: simpy.Event, unit: Unit) -> None:
        """Queue for a place; the event succeeds on getting in."""
        self._offers.append((event, unit))

    def take(self) -> Unit | None:
        """The next unit, if there is one; the oldest offer moves up."""
        if self._queue:
            unit = self._queue.popleft()
            if self._offers:
                self._admit()
            return unit
        if self._offers and self._admit():                                # no place at all: straight out of the other's hands
            return self._queue.popleft()
        return None

    def wait(self) -> simpy.Event:
        """An event that succeeds with the next unit, or with None on ``wake``. Only after ``take`` found none."""
        event = self._env.event()
        self._waiting.append(event)
        return event

    def wake(self) -> None:
        """Call a waiting machine away from the buffer."""
        if self._waiting:
            self._waiting.popleft().succeed(None)

    def _admit(self) -> bool:
        while self._offers:
            event, unit = self._offers.popleft()
            if not event.triggered:                                       # else another buffer took it
                unit.times[self._column] = self._env.now
                self._queue.append(unit)
                event.succeed()
                return True
        return False


__all__ = ["ARRIVE", "FINISH", "LEAVE", "START", "Buffer", "Unit"]
