"""clock: the work clock of a machine. It runs while the machine is up and has something to work on, and stands still else.

Random stops and drifts by the second are counted on it, so nothing fails while it is starved, blocked or down: failures are
operation-dependent. Work in progress pauses while the machine is down and goes on where it was.
"""
from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

Steps = Generator[simpy.Event, Any, None]
TINY = 1e-6                                    # [s] a limit this close is reached


class WorkClock:
    """Seconds of work of one machine."""
    __slots__ = ("_down_since", "_env", "_since", "_up", "_watching", "_worked", "busy", "down", "lost")

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self.busy = self.down = 0                                         # units worked on; reasons to be down
        self.lost = 0.0                                                   # [s] down in all, without the stop that lasts
        self._worked = self._since = self._down_since = 0.0               # [s]
        self._up: simpy.Event | None = None                               # succeeds when the machine is up again
        self._watching: list[simpy.Event] = []                            # succeed when the clock runs

    def work(self) -> float:
        """Work done so far [s]."""
        return self._worked + (self._env.now - self._since if self.busy and not self.down else 0.0)

    def _tick(self) -> None:
        """Before ``busy`` or ``down`` changes."""
        now = self._env.now
        if self.busy and not self.down:
            self._worked += now - self._since
        self._since = now

    def begin(self) -> None:
        """Work on a unit begins, or will as soon as the machine is up."""
        self._tick()
        self.busy += 1
        if self._watching:
            self._wake()

    def end(self) -> None:
        """Work on a unit ends."""
        self._tick()
        self.busy -= 1

    def stop(self) -> bool:
        """Another reason to be down; True if it is the first."""
        self._tick()
        self.down += 1
        if self.down == 1:
            self._down_since, self._up = self._env.now, self._env.event()
        return self.down == 1

    def resume(self) -> bool:
        """A reason less; True if it was the last: the machine is up."""
        self._tick()
        self.down -= 1
        if self.down or self._up is None:
            return False
        self.lost += self._env.now - self._down_since
        self._up.succeed()
        self._up = None
        if self.busy:
            self._wake()
        return True

    def _wake(self) -> None:
        while self._watching:
            self._watching.pop().succeed()

    def down_time(self) -> float:
        """Down in all, up to now [s]."""
        return self.lost + (self._env.now - self._down_since if self.down else 0.0)

    def wait_up(self) -> Steps:
        """Wait until the machine is up."""
        while self._up is not None:
            yield self._up

    def catch_up(self, lost: float) -> Steps:
        """Now the work would have ended; go on for as long as the machine was down since ``lost`` [s of down time]."""
        planned = self._env.now
        while True:
            yield from self.wait_up()
            rest = planned + self.lost - lost - self._env.now
            if rest <= TINY:
                return
            yield self._env.timeout(rest)

    def until(self, limit: Callable[[], float]) -> Steps:
        """Wait for the clock to reach a limit [s of work], which may move on meanwhile."""
        while (rest := limit() - self.work()) > TINY:
            if self.busy and not self.down:
                yield self._env.timeout(rest)
            else:
                event = self._env.event()
                self._watching.append(event)
                yield event


__all__ = ["TINY", "Steps", "WorkClock"]
