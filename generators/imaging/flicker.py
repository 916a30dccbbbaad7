"""Lamps on mains power flicker with twice its frequency; an exposure sees the mean over its own time."""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Flicker:
    """A lamp whose light is 1 + ``depth`` cos(2π ``frequency`` t + ``phase``) times its mean."""
    frequency: float = 100.0                   # [Hz] of the light: twice that of the mains
    depth: float = 0.0                         # [1] 0 steady (a current-controlled LED) … 1 dark once in every period
    phase: float = 0.0                         # [rad] at t = 0

    def factor(self, time: float, exposure: float) -> float:
        """Mean light over [``time``, ``time`` + ``exposure``] [s], relative to the lamp's mean.

        (1/T) ∫ 1 + d cos(2πft + φ) dt = 1 + d sinc(fT) cos(2πf(t + T/2) + φ), sinc x = sin(πx)/(πx). Whole periods show no
        flicker.
        """
        return 1 + self.depth * float(np.sinc(self.frequency * exposure)) \
            * math.cos(2 * math.pi * self.frequency * (time + exposure / 2) + self.phase)


__all__ = ["Flicker"]
