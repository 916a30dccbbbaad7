"""pneumatics: compressed air: orifices, volumes that leak, receivers with their compressor, regulators, flow sensors.

Flow through an orifice follows ISO 6358: Q = C·p1·√(293.15 / T1) at the reference state (ANR: 20 °C, 100 kPa), less where
p2 / p1 is above the critical ratio b. Volumes are isothermal. Between two switchings a volume is one autonomous equation
dp/dt = f(p), so its time is an integral over pressure, t = ∫ dp / f, and a waveform of any rate is read off one curve
(``relax``): exact to quadrature, no steps in time, and the cost does not depend on how stiff it is.

Pressures are absolute [Pa] unless a name says ``gauge``; volume flows [m³/s] are ANR; throughput [Pa·m³/s] is p·Q.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from generators.traces.thermal import lag
from scenes.constants import ATMOSPHERE
from scenes.errors import InputError

F64 = NDArray[np.float64]

ANR_PRESSURE, ANR_TEMPERATURE, ANR_DENSITY = 100e3, 293.15, 1.185     # ISO 8778 [Pa], [K], [kg/m³] (65 % humidity)
CHOKED = 0.684731                              # [1] √γ·(2/(γ+1))^((γ+1)/(2(γ−1))), γ = 1.4
_POINTS, _SETTLED = 1500, 1e-7                 # of the curve of ``relax``, and the share of a step at which it has settled


@dataclass(frozen=True)
class Orifice:
    """A flow path by ISO 6358. 1 dm³/(s·bar) = 1e-8 m³/(s·Pa)."""
    conductance: float                         # [m³/(s·Pa)] C
    critical: float = 0.3                      # [1] b, 0.2 … 0.5


def orifice_of_hole(diameter: float, discharge: float = 0.65, critical: float = 0.4) -> Orifice:
    """A round hole [m] with sharp edges; its discharge coefficient is an engineering default."""
    area = math.pi * diameter ** 2 / 4
    gas = ANR_PRESSURE / (ANR_DENSITY * ANR_TEMPERATURE)                  # [J/(kg K)] of humid air, as ISO 8778 implies it
    return Orifice(CHOKED * discharge * area / (math.sqrt(gas * ANR_TEMPERATURE) * ANR_DENSITY), critical)


def flow(orifice: Orifice, upstream: ArrayLike, downstream: ArrayLike, temperature: float = ANR_TEMPERATURE) -> F64:
    """Volume flow [m³/s ANR] from ``upstream`` to ``downstream`` [Pa]; 0 where the pressure does not fall. Shape by broadcast."""
    up, down = np.asarray(upstream, np.float64), np.asarray(downstream, np.float64)
    ratio = np.minimum(down / up, 1.0)
    slow = np.minimum(np.maximum((ratio - orifice.critical) / (1 - orifice.critical), 0.0), 1.0)
    found: F64 = orifice.conductance * up * math.sqrt(ANR_TEMPERATURE / temperature) * np.sqrt(1 - slow ** 2)
    return found


def mass_flow(volume_flow: float) -> float:
    """[kg/s] of a volume flow [m³/s ANR]."""
    return ANR_DENSITY * volume_flow


def leak_rate(volume: float, pressure_drop: float, seconds: float) -> float:
    """Throughput [Pa·m³/s] of a leak that lowers the pressure of a volume [m³] so fast, at constant temperature."""
    return volume * pressure_drop / seconds


def sccm(throughput: float) -> float:
    """[cm³/min] referred to 101 325 Pa, without temperature correction, of a throughput [Pa·m³/s]."""
    return throughput / ATMOSPHERE * 60e6


def laminar_decay(times: ArrayLike, start: float, volume: float, conductance: float, outside: float = ATMOSPHERE) -> F64:
    """Pressure [Pa] of a volume [m³] whose leak passes ``conductance``·(p − outside) [Pa·m³/s]: exponential, exact."""
    found: F64 = outside + (start - outside) * np.exp(-np.asarray(times, np.float64) * (conductance / volume))
    return found


def relax(slope: Callable[[F64], F64], start: float, end: float, times: ArrayLike) -> F64:
    """Solve dp/dt = slope(p) from ``start`` towards its rest ``end``.

    Args:
        slope: [Pa/s], shape as its argument; of one sign between ``start`` and ``end``, and 0 at ``end``.
        start: [Pa] at time 0.
        end: [Pa], see :func:`rest`.
        times: [s] ≥ 0.

    Returns:
        [Pa], shape as ``times``.
    """
    times = np.asarray(times, np.float64)
    step = start - end
    if abs(step) < 1e-9 * max(abs(start), abs(end), 1.0):
        return np.full(times.shape, end)
    log = np.linspace(0.0, math.log(_SETTLED), 2 * _POINTS + 1)           # of the share that is left to go
    pressure = end + step * np.exp(log)
    with np.errstate(divide="ignore"):
        rate = (pressure - end) / slope(pressure)                         # dt / d(log): smooth, −τ near the rest
    h = log[1] - log[0]
    span = h / 3 * (rate[:-2:2] + 4 * rate[1:-1:2] + rate[2::2])          # Simpson, two intervals at a time
    clock = np.concatenate([[0.0], np.cumsum(span)])
    # between the nodes the logarithm is nearly a straight line of time
    left = np.exp(np.interp(times, clock, log[::2]))
    found: F64 = np.where(times >= clock[-1], end, end + step * left)
    return found


def rest(slope: Callable[[F64], F64], low: float, high: float) -> float:
    """Where slope(p) is 0 between two pressures [Pa]: falls from + to −. Raises ValueError where it does not."""
    from scipy.optimize import brentq
    return float(brentq(lambda p: float(slope(np.array(p))), low, high, xtol=1e-6, rtol=1e-14))


# ------------------------------------------------------------------------------------------------ supply

@dataclass(frozen=True)
class Compressor:
    """Loads and unloads a receiver between two switch points. Engineering defaults: 5.5 kW, 500 L at 6.5 … 7.5 bar gauge."""
    delivery: float = 0.0135                   # [m³/s ANR] while loaded, at any pressure of the band
    receiver: float = 0.5                      # [m³]
    on: float = 650e3 + ATMOSPHERE             # [Pa] loads below
    off: float = 750e3 + ATMOSPHERE            # [Pa] unloads above
    relief: float = 1.1e6 + ATMOSPHERE         # [Pa] nothing passes above


@dataclass(frozen=True, eq=False)
class Supply:
    """A receiver over time. Phase k runs from ``switch[k]`` to ``switch[k + 1]``; pressure goes to ``rest`` with ``tau``."""
    switch: F64                                # (K + 1,) [s]
    loaded: NDArray[np.bool_]                  # (K,)
    start: F64                                 # (K,) [Pa] at the beginning of the phase
    rise: F64                                  # (K,) [Pa/s] at pressure 0: what flows in and is drawn, over the volume
    tau: float                                 # [s] of the leaks; inf for none

    def pressure(self, times: ArrayLike) -> F64:
        """[Pa] at times [s], exact within a phase. Shape as given."""
        times = np.asarray(times, np.float64)
        k = np.clip(np.searchsorted(self.switch, times, side="right") - 1, 0, len(self.loaded) - 1)
        since = times - self.switch[k]
        if math.isinf(self.tau):
            found: F64 = self.start[k] + self.rise[k] * since
            return found
        rest = self.rise[k] * self.tau
        decayed: F64 = rest + (self.start[k] - rest) * np.exp(-since / self.tau)
        return decayed

    def is_loaded(self, times: ArrayLike) -> NDArray[np.bool_]:
        """Whether the compressor delivers at times [s]. Shape as given."""
        k = np.clip(np.searchsorted(self.switch, np.asarray(times), side="right") - 1, 0, len(self.loaded) - 1)
        found: NDArray[np.bool_] = self.loaded[k]
        return found

    def loaded_share(self, duration: float) -> float:
        """[1] of the first ``duration`` [s] in which the compressor delivers."""
        length = np.diff(np.minimum(self.switch, duration))
        return float(length[self.loaded].sum() / length.sum())


def supply_history(duration: float, compressor: Compressor, demand: float, leak: Orifice | None = None, *,
                   start: float | None = None, loaded: bool = False) -> Supply:
    """A receiver between its switch points, from time 0 to ``duration`` [s].

    dp/dt = p_ref/V · (delivery − demand) − p/τ with τ = V / (C·p_ref): leaks are choked at these pressures, and so every
    phase is an exponential and its length a logarithm. Where leaks take so much that the upper switch point is never reached,
    the last phase has no end and settles below it.

    Args:
        duration: [s].
        compressor: With its receiver.
        demand: [m³/s ANR] drawn at a constant rate.
        leak: Of the whole net.
        start: [Pa]; the upper switch point unless given.
        loaded: Whether it begins by delivering.

    Raises:
        InputError: the demand alone is more than is delivered: the model's customers do not draw less when pressure falls.
    """
    c = compressor
    if not 0 <= demand < c.delivery:
        raise InputError(f"compressor: demand {demand:g} m³/s must lie between 0 and the delivery of {c.delivery:g}; change one")
    per_flow = ANR_PRESSURE / c.receiver                                  # [Pa/s per m³/s ANR]
    tau = 1 / (leak.conductance * per_flow) if leak is not None and leak.conductance > 0 else math.inf
    clock, pressure = 0.0, c.off if start is None else start
    switch, states, starts, rises = [0.0], [], [], []
    while clock < duration:
        rise = per_flow * ((c.delivery if loaded else 0.0) - demand)
        states.append(loaded)
        starts.append(pressure)
        rises.append(rise)
        goal = c.off if loaded else c.on
        length = _time_to(pressure, goal, rise, tau)
        clock += length
        switch.append(min(clock, duration))
        pressure, loaded = goal, not loaded
    return Supply(np.array(switch), np.array(states, np.bool_), np.array(starts), np.array(rises), tau)


def supply_cycle(duration: float, compressor: Compressor, demand: float, leak: Orifice | None, share: float) -> Supply:
    """The same in its periodic state, beginning at ``share`` [1] of a cycle: it has run for hours.

    A cycle is unloaded from ``off`` to ``on``, then loaded back. Where leaks keep it from ``off``, it is loaded for ever.
    """
    c, per_flow = compressor, ANR_PRESSURE / compressor.receiver
    tau = 1 / (leak.conductance * per_flow) if leak is not None and leak.conductance > 0 else math.inf
    down = _time_to(c.off, c.on, -per_flow * demand, tau)
    up = _time_to(c.on, c.off, per_flow * (c.delivery - demand), tau)
    if math.isinf(up):
        return supply_history(duration, c, demand, leak, start=per_flow * (c.delivery - demand) * tau, loaded=True)
    if math.isinf(down):                                                  # nothing is drawn
        return supply_history(duration, c, demand, leak)
    at = share * (down + up)
    start = float(supply_history(down + up, c, demand, leak).pressure(at))
    return supply_history(duration, c, demand, leak, start=start, loaded=at >= down)


def _time_to(start: float, goal: float, rise: float, tau: float) -> float:
    """[s] until a phase reaches its goal; inf where it never does, 0 where it is there already."""
    if math.isinf(tau):
        return max((goal - start) / rise, 0.0) if rise * (goal - start) > 0 else (0.0 if goal == start else math.inf)
    ratio = (start - rise * tau) / (goal - rise * tau) if goal != rise * tau else math.inf
    return tau * math.log(ratio) if 1.0 <= ratio < math.inf else math.inf


@dataclass(frozen=True)
class Regulator:
    """Keeps a set pressure as long as it gets more than that. Engineering defaults of a 1/4 inch regulator."""
    setpoint: float = 500e3 + ATMOSPHERE       # [Pa]
    droop: float = 8e6                         # [Pa per m³/s ANR] by which the outlet sags with flow
    least_drop: float = 15e3                   # [Pa] between inlet and outlet when it is wide open

    def outlet(self, inlet: ArrayLike, drawn: ArrayLike = 0.0) -> F64:
        """Outlet pressure [Pa] at rest for an inlet pressure [Pa] and a flow [m³/s ANR]. Shape by broadcast."""
        wanted = self.setpoint - self.droop * np.asarray(drawn, np.float64)
        found: F64 = np.maximum(np.minimum(wanted, np.asarray(inlet, np.float64) - self.least_drop), ATMOSPHERE)
        return found


def flow_sensor(flow_true: F64, rate: float, tau: float = 0.05) -> F64:
    """A thermal flow sensor's first-order lag [s] on a flow, shape (N,); settled on the first value."""
    return lag(flow_true, rate, tau)


__all__ = ["ANR_DENSITY", "ANR_PRESSURE", "ANR_TEMPERATURE", "ATMOSPHERE", "Compressor", "Orifice", "Regulator", "Supply", "flow",
           "flow_sensor", "laminar_decay", "leak_rate", "mass_flow", "orifice_of_hole", "relax", "rest", "sccm", "supply_cycle",
           "supply_history"]
