"""oven: the reflow oven as one lumped node in a row of zones, solved exactly.

The board is one node with time constant τ = ρ·c·t / (2h); gas temperature and h are constant over each zone, so within a
zone T(t) = Tz + (T0 − Tz)·exp(−t/τ) and every crossing time is a logarithm (domain reference 3.4).
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

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
    zone_convection: tuple[float, ...] = ()    # [1] factor on h per zone, where a blower is tired; () for none
    thermal_mass: float = 1.0                  # [1] of 1.6 mm FR4
    ambient: float = 25.0                      # [°C]
    imbalance: float = 0.3                     # [K] standard deviation of the difference between one land and the next
    warpage: float = 20e-6                     # [m] lift of a BGA's corner balls at peak; healthy well below the paste's height
    moisture: float = 0.0                      # [1] 0 dry … 1: volatile flux and damp parts; more voids and balls
    shake: float = 0.2                         # [m/s²] RMS of the conveyor before the parts are soldered; 0.05–0.5


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
    tau: float | NDArray[np.float64]           # [s], or (Z,) where zones differ
    duration: float                            # [s] in each zone

    def time_above(self, temperature: NDArray[np.float64]) -> NDArray[np.float64]:
        """Total time [s] that the curve spends above each temperature [°C], exactly. Shape as given."""
        at = np.asarray(temperature, np.float64)
        inside = np.zeros((*at.shape, len(self.zone)))                    # [s] in each zone
        least, tau = at.min(initial=np.inf), np.broadcast_to(self.tau, self.zone.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            for i, gas in enumerate(self.zone):
                first, last = self.start[i], self.start[i + 1]
                if max(first, last) <= least:                             # never above any of them
                    continue
                crossing = tau[i] * np.log((first - gas) / (at - gas))
                rising = np.where(last > at, self.duration - crossing, 0.0)   # below, then above
                falling = np.where(last < at, crossing, self.duration)    # above, then below
                below = (first <= at) & (last <= at)
                inside[..., i] = np.where(below, 0.0, np.where(first > at, falling, rising))
        total: NDArray[np.float64] = inside.sum(axis=-1)
        return total


@lru_cache(maxsize=64)
def reflow_profile(oven: Oven) -> Thermal:
    """Run the lumped board through the oven. Known answer: 71.4 s soak, 61.5 s above 217 °C, peak 245.4 °C."""
    tau: float | NDArray[np.float64] = DENSITY * HEAT * THICKNESS * oven.thermal_mass / (2 * oven.convection)
    if any(factor != 1 for factor in oven.zone_convection):
        tau = tau / np.array(oven.zone_convection, np.float64)
    zone = np.array(oven.zones, np.float64)
    duration = oven.zone_length / (oven.speed / 60)
    decay = np.exp(-duration / tau)
    start = np.empty(len(zone) + 1)
    start[0] = oven.ambient
    for i, (gas, keeps) in enumerate(zip(zone, np.broadcast_to(decay, zone.shape), strict=True)):
        start[i + 1] = gas + (start[i] - gas) * keeps
    hot = int(start.argmax())                                             # monotonic within a zone: the peak is on a border
    peak = float(start[hot])
    slope = np.concatenate([(zone - start[:-1]) / tau, (zone - start[1:]) / tau])
    cross = np.flatnonzero((start[:-1] <= LIQUIDUS) & (start[1:] > LIQUIDUS))
    melting = float((zone[cross[0]] - LIQUIDUS) / np.broadcast_to(tau, zone.shape)[cross[0]]) if len(cross) else 0.0
    rising = Thermal(0, 0, peak, 0, 0, 0, start[:hot + 1], zone[:hot], tau if isinstance(tau, float) else tau[:hot], duration)
    whole = Thermal(0, 0, peak, 0, 0, 0, start, zone, tau, duration)
    low, high = rising.time_above(np.array(SOAK))
    return Thermal(float(low - high), float(whole.time_above(np.array(LIQUIDUS))), peak, float(slope.max()), float(slope.min()),
                   melting, start, zone, tau, duration)


__all__ = ["LIQUIDUS", "Oven", "Thermal", "reflow_profile"]
