"""routing: where a unit goes when a machine lets it go, and what the machines of one line share."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import simpy

from scenes.line.buffers import Buffer, Unit
from scenes.line.model import Event, State


@dataclass
class Plan:
    """What the machines of one line share."""
    env: simpy.Environment
    log: list[Event | tuple[float, int, int]] = field(default_factory=list)   # events, and states as (time, station, code)
    idle: int = int(State.STARVED)             # what a machine without work is: starved, or not meant to work
    released: int = 0
    left: int = 0
    empty: simpy.Event | None = None           # succeeds when the last unit leaves

    def leave(self) -> None:
        """A unit leaves the line."""
        self.left += 1
        if self.empty is not None and self.left == self.released:
            self.empty.succeed()
            self.empty = None


class Stop(Protocol):
    """A place where units stop: what ``machine.Machine`` shows to those before it."""
    buffer: Buffer
    share: float

    @property
    def onward(self) -> Sequence[Stop]:
        """Where units go from there."""

    def picks(self) -> bool:
        """Whether it takes the next unit."""


def send(plan: Plan, followers: Sequence[Stop], unit: Unit) -> simpy.Event | None:
    """Hand a unit on. Returns None where it is gone, else the event of its going: the way is blocked.

    Of several followers the one with the shortest queue takes it; what a station with a share lets by goes on to its followers.
    """
    if len(followers) == 1 and followers[0].share >= 1.0:
        buffer = followers[0].buffer
        if buffer.accepts():
            buffer.put(unit)
            return None
        ways = [buffer]
    elif not followers:
        plan.leave()
        return None
    else:
        ways = _ways(followers)
        if not ways:
            plan.leave()
            return None
        open_ways = [b for b in ways if b.accepts()]
        if open_ways:
            min(open_ways, key=Buffer.load).put(unit)                     # the first of equals
            return None
    event = plan.env.event()
    for buffer in ways:
        buffer.offer(event, unit)
    return event


def _ways(followers: Sequence[Stop]) -> list[Buffer]:
    ways: list[Buffer] = []
    for stop in followers:
        for buffer in [stop.buffer] if stop.picks() else _ways(stop.onward):
            if buffer not in ways:
                ways.append(buffer)
    return ways


__all__ = ["Plan", "Stop", "send"]
