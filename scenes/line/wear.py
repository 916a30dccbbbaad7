"""wear: a drift while its line runs: the life that it is on, the work that is spent, and what happened at which look."""
from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scenes.line import drifts
from scenes.line.model import Drift

F64 = NDArray[np.float64]


class Wear:
    """One drift. ``work`` is the machine's work clock [s] or its cycles, by kind. A new life starts with every renewal."""

    def __init__(self, drift: Drift, rng: np.random.Generator) -> None:
        self.drift, self._rng = drift, rng
        self.id, self.kind, self.repair = drift.id, drift.kind, drift.repair
        self.by_cycles = drifts.KINDS[drift.kind].counts == "cycles"
        self.alarmed = self.ordered = self.begun = False
        self.worked: list[float] = []                                     # at every look
        self.lives: list[tuple[int, drifts.Life]] = []                    # (look from which it is seen, life)
        self._new_life()
        self._base = 0.0                                                  # work at which the life began, or would have
        if drift.initial > 0.0:
            self._base = -float(drifts.worked_at(self.life, drift.initial))

    def _new_life(self) -> None:
        self.life = drifts.new_life(self.drift, self._rng)
        self.lives.append((len(self.worked), self.life))
        self.alarm_at = _reached(self.life, self.drift.alarm)
        self.maintain_at = _reached(self.life, self.drift.maintain)

    def begin(self, work: float) -> None:
        """From now on it wears; the initial severity is there already."""
        self._base += work
        self.begun = True

    def limit(self) -> float:
        """Work at which it fails."""
        return self._base + self.life.length if self.begun else math.inf

    def renew(self, work: float) -> None:
        """A new part goes in: another life, from severity 0."""
        self.alarmed = self.ordered = False
        self._new_life()
        self._base = work

    def look(self, work: float) -> float:
        """Note the work of this life so far, and return it."""
        worked = work - self._base if self.begun else -self._base
        self.worked.append(worked)
        return worked

    def history(self) -> tuple[F64, F64]:
        """Severity and useful life left at every look, both shape (T,)."""
        worked = np.array(self.worked)
        severity, remaining = np.zeros(len(worked)), np.zeros(len(worked))
        ends = [at for at, _ in self.lives[1:]] + [len(worked)]
        for (first, life), end in zip(self.lives, ends, strict=True):
            severity[first:end] = drifts.severity(life, worked[first:end])
            remaining[first:end] = drifts.remaining(life, worked[first:end])
        return severity, remaining


def _reached(life: drifts.Life, severity: float) -> float:
    return float(drifts.worked_at(life, severity)) if severity < 1.0 else math.inf


__all__ = ["Wear"]
