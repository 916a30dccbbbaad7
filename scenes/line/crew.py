"""crew: the people who repair, maintain and refill. Who calls first is served first; one person does one job at a time."""
from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy


class Crew:
    """People, shared by the machines of one or more lines."""

    def __init__(self, env: simpy.Environment, people: int) -> None:
        self._free = simpy.Store(env)
        self._free.items.extend(f"operator {i}" for i in range(1, people + 1))

    def call(self) -> Generator[simpy.Event, Any, str]:
        """Wait for somebody; returns who it is."""
        who: str = yield self._free.get()
        return who

    def release(self, who: str) -> None:
        """Their job is done."""
        self._free.put(who)


__all__ = ["Crew"]
