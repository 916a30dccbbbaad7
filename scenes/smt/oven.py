"""oven: the reflow oven as one lumped node in a row of zones, solved exactly.

The board is one node with time constant τ = ρ·c·t / (2h); the gas temperature is constant over each zone, so within a
zone T(t) = Tz + (T0 − Tz)·exp(−t/τ) and every crossing time is a logarithm (domain reference 3.4).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LIQUIDUS = 217.0                               # [°C] solidus of SAC305, where the reference counts time above liquidus
SOAK = (150.0, 200.0)                          # [°C]
DENSITY, HEAT, THICKNESS = 1850.0, 1100.0, 1.6e-3   # FR4 [kg/m³], [J/(kg K)], [m]


@dataclass(frozen=True)
class Oven:
    """Reflow settings. The recipe is tuned for the product, so ``thermal_mass`` is relative to the board it was tuned on."""
    zones: tuple[float, ...] = (110.0, 140.0, 160.0, 175.0, 190.0, 225.0, 248.0, 252.0, 130.0, 60.0)   # [°C] gas
    zone_length: float = 0.35                  # [m]
    speed: float = 0.70                        # [m/min] belt
    convection: float = 55.0                   # [W/(m² K)] h, 40–80
    thermal_mass: float = 1.0                  # [1] of 1.6 mm FR4
    ambient: float = 25.0                      # [°C]
    imbalance: float = 0.3                     # [K] standard deviation of the difference between one land and the next
    warpage: float = 20e-6                     # [m] lift of a BGA's corner balls at peak; healthy well below the paste's height
    moisture: float = 0.0                      # [1] 0 dry … 1: volatile flux and damp parts; more voids and balls


@dataclass(frozen=True)
class Thermal:
    """What a board goes through. ``start`` and ``zone`` and ``tau`` describe the exact curve."""
    soak: float                                # [s] between 150 and 200 °C before the peak
    above: float                               # [s] above 217 °C in total
    peak: float                                # [°C]
    ramp: float                                # [K/s] greatest rise
    cooling: float                             # [K/s] greatest fall, negative
    melting: float                             # [K/s] rise when 217 °C is crossed (0 where it never is)
    start: NDArray[np.float64]                 # (Z + 1,) [°C] on entering each zone, and on leaving the last
    zone: NDArray[np.float64]                  # (Z,) [°C]
    tau: float                                 # [s]
    duration: float                            # [s] in each zone

    def time_above(self, temperature: NDArray[np.float64]) -> NDArray[np.float64]:
        """Total time [s] that the curve spends above each temperature [°C], exactly. Shape as given."""
        at = np.asarray(temperature, np.float64)[..., None]
        first, last, gas = self.start[:-1], self.start[1:], self.zone
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = self.tau * np.log((first - gas) / (at - gas))
        rising = np.where(last > at, self.duration - crossing, 0.0)       # below, then above
        falling = np.where(last < at, crossing, self.duration)            # above, then below
        inside = np.where(first > at, falling, rising)
        total: NDArray[np.float64] = np.where((first <= at) & (last <= at), 0.0, inside).sum(axis=-1)
        return total


def reflow_profile(oven: Oven) -> Thermal:
    """Run the lumped board through the oven. Known answer: 71.4 s soak, 61.5 s above 217 °C, peak 245.4 °C."""
    tau = DENSITY * HEAT * THICKNESS * oven.thermal_mass / (2 * oven.convection)
    zone = np.array(oven.zones, np.float64)
    duration = oven.zone_length / (oven.speed / 60)
    decay = np.exp(-duration / tau)
    start = np.empty(len(zone) + 1)
    start[0] = oven.ambient
    for i, gas in enumerate(zone):
        start[i + 1] = gas + (start[i] - gas) * decay
    hot = int(start.argmax())                                             # monotonic within a zone: the peak is on a border
    peak = float(start[hot])
    slope = np.concatenate([(zone - start[:-1]) / tau, (zone - start[1:]) / tau])
    cross = np.flatnonzero((start[:-1] <= LIQUIDUS) & (start[1:] > LIQUIDUS))
    melting = float((zone[cross[0]] - LIQUIDUS) / tau) if len(cross) else 0.0
    rising = Thermal(0, 0, peak, 0, 0, 0, start[:hot + 1], zone[:hot], tau, duration)
    whole = Thermal(0, 0, peak, 0, 0, 0, start, zone, tau, duration)
    low, high = rising.time_above(np.array(SOAK))
    return Thermal(float(low - high), float(whole.time_above(np.array(LIQUIDUS))), peak, float(slope.max()), float(slope.min()),
                   melting, start, zone, tau, duration)


__all__ = ["LIQUIDUS", "Oven", "Thermal", "reflow_profile"]
