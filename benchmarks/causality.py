"""Does every drift of a line move its sensors, then its defects, and nothing else?

    python benchmarks/causality.py build/causality [--episodes 10000] [--processes 2] [--markdown docs/causality.md]

One set of independent episodes per kind of drift. An episode is half an hour of a working line, after an hour and a half to
settle, with one severity drawn evenly from 0 … 1 for that drift; everything else is healthy and has its own noise. From it comes
one value per sensor, the mean over the half hour, and one defect rate: units made by the very process that the severity stands
for, judged by the acceptance rules. For instruments the units come from a process that makes some defects, and the rates are of
false calls and misses.

* **Predicts**: Spearman's ρ between a sensor's value and the rate, with its p-value, for the sensors that the drift touches.
* **Moves before**: on ramps from new to failed along the drift's own law, when a sensor leaves its healthy 3σ band for good
  (three readings in a row), and when the rate does (one reading). Sign test over ramps.
* **Negative controls**: |ρ| of every sensor of the line that the drift does not touch.

10,000 episodes take about a quarter of an hour on two cores, 300 two minutes. Blocks that are there are not made again.
"""
from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, spearmanr

from scenes.line.couplings import instrument_drifts, process_drifts
from scenes.line.drifts import KINDS, new_life, severity
from scenes.line.model import Drift, Line, Run, Sensor, StationFlow
from scenes.line.quantities import channels, quantity, touches, true_values
from scenes.line.truths import OVEN_SLOTS

F64 = NDArray[np.float64]

SEED = 20261122
STEP, SETTLE, WINDOW = 60.0, 5400.0, 1800.0    # [s] of the grid; before an episode counts; that counts
UNIT = 120.0                                   # [s] from unit to unit: sensors of single units have fifteen per window
UNITS = 6                                      # judged per episode
BLOCK = 500                                    # episodes worked on at once
RAMPS, LOOKS, HEALTHY = 20, 60, 300            # ramps per drift; looks along a ramp; healthy windows that make the 3σ band
IN_A_ROW = 3                                   # looks outside its band, for a sensor to have left it
MODULES = {"nozzle_wear": "nozzle3", "feeder_pitch": "feeder1", "zone_heater": "zone7", "zone_blower_bearing": "zone7"}
WORN = {"aoi": {"printer.clog": 0.4, "oven.zone7_8_offset_c": -16.0}, "axi": {"printer.clog": 0.4, "oven.moisture": 0.5}}
"""Processes that make some defects for an inspection machine to find or to miss."""
STATIONS = ("printer", "spi", "placement", "reflow", "aoi", "axi", "test")
CONTROL, BEFORE = 0.05, 1e-3                   # limits of the bar: |ρ| of a control; p of the sign test


@lru_cache
def line_with(kind: str) -> Line:
    """A line of seven stations with one drift and every sensor there is."""
    flows = tuple(StationFlow(s, s, f"Bench/Line/{s}", () if i == 0 else (STATIONS[i - 1],), UNIT - 2)
                  for i, s in enumerate(STATIONS))
    drift = Drift(kind, kind, KINDS[kind].station, MODULES.get(kind, ""))
    bare = Line("Bench/Line", UNIT, flows, (drift,))
    sensors = []
    for channel in channels(bare):
        found = quantity(channel, channel.split("/")[0])
        sensors.append(Sensor(channel, channel.split("/")[0], found.name, found.unit))
    return Line("Bench/Line", UNIT, flows, (drift,), tuple(sensors))


def run_of(line: Line, levels: F64, since_wipe: NDArray[np.int32]) -> Run:
    """A run through these severities (E,), an episode each, without a stop and with a full oven. ``since_wipe`` (E,)."""
    length = SETTLE + WINDOW
    per, count = round(length / UNIT), len(levels)
    start = np.arange(count * per, dtype=np.float64)[:, None] * UNIT + np.full(len(line.stations), 1.0, np.float64)
    finish = start + np.array([OVEN_SLOTS * UNIT if s.kind == "reflow" else UNIT - 2 for s in line.stations])
    looks = np.arange(count, dtype=np.float64) * length
    return Run(line, count * length, start, start, finish, finish, (), looks, levels[:, None], np.zeros((count, 1)),
               np.repeat(since_wipe, per))


def sensor_values(line: Line, levels: F64, since_wipe: NDArray[np.int32], seed: Sequence[int],
                  only: Sequence[int] | None = None) -> F64:
    """One value per episode and sensor, (E, C): the mean over the end of the episode. ``only``: which of the line's sensors."""
    run = run_of(line, levels, since_wipe)
    per, keep = round((SETTLE + WINDOW) / STEP), round(WINDOW / STEP)
    times = np.arange(len(levels) * per, dtype=np.float64) * STEP + STEP / 2
    which = range(len(line.sensors)) if only is None else only
    out = np.empty((len(levels), len(which)))
    for column, c in enumerate(which):
        values = true_values(line, run, line.sensors[c], times, np.random.default_rng([SEED, 1, *seed, c]))
        out[:, column] = values.reshape(-1, per)[:, -keep:].mean(axis=1)
    return out


@lru_cache(maxsize=1)
def _product() -> Any:
    """The shipped board and its family."""
    from scenes.scene import Scene
    from scenes.smt.family import FAMILY

    return FAMILY, FAMILY.product(Scene.read(Path(__file__).resolve().parents[1] / "examples" / "inspector.scene.yaml"))


def rates(line: Line, levels: F64, since_wipe: NDArray[np.int32], seed: Sequence[int], units: int = UNITS) -> F64:
    """Per episode (E, 3): for a process drift its own defects, others, and 0; for an instrument false calls, misses and defects,
    each per unit. Misses are per unit too, of what the machine can see at all."""
    family, product = _product()
    drift = line.drifts[0]
    kind = KINDS[drift.kind]
    out = np.zeros((len(levels), 3))
    made: dict[int, Any] = {}
    for e, level in enumerate(levels.tolist()):
        rngs = [np.random.default_rng([SEED, 2, *seed, e, i]) for i in range(units)]
        if kind.acts == "process":
            names = process_drifts(line, np.array([level]), int(since_wipe[e]))
            states = family.simulate_units(product, family.process(product, names), rngs)
            found = [f.defect for unit in family.defects(product, states) for f in unit]
            own = sum(d in kind.defects for d in found)
            out[e] = own, len(found) - own, 0
        else:
            condition = {name.split("/")[1]: v for name, v in instrument_drifts(line, np.array([level])).items()}
            if e not in made:                                             # one process for all: fast in large blocks
                block = range(e, min(e + 8, len(levels)))
                rngs = [np.random.default_rng([SEED, 2, *seed, b, i]) for b in block for i in range(units)]
                states = family.simulate_units(product, family.process(product, WORN[kind.station]), rngs)
                made = {b: states[n * units:(n + 1) * units] for n, b in enumerate(block)}
            for i, state in enumerate(made[e]):
                calls = family.inspect(product, state, kind.station, condition, np.random.default_rng([SEED, 3, *seed, e, i]))
                out[e, 0] += sum(c.called and not c.real for c in calls)
                out[e, 1] += sum(c.real and c.visible and not c.called for c in calls)
                out[e, 2] += sum(c.real for c in calls)
    return out / units


def episodes(kind: str, block: int, count: int) -> dict[str, F64]:
    """One block of independent episodes: severities, sensor values and rates."""
    line, seed = line_with(kind), (list(KINDS).index(kind), 0, block)
    rng = np.random.default_rng([SEED, 0, *seed])
    levels, wiped = rng.random(count), rng.integers(0, 10, count).astype(np.int32)
    return {"severity": levels, "sensors": sensor_values(line, levels, wiped, seed), "rates": rates(line, levels, wiped, seed)}


def ramps(kind: str, first: int, count: int) -> dict[str, F64]:
    """When sensors and rate leave their healthy bands, as shares of a life, (R, T + 1) with the rate last; inf: never."""
    line, number = line_with(kind), list(KINDS).index(kind)
    touched = [c for c, s in enumerate(line.sensors) if touches(line.drifts[0], s, line)]
    column = 0                                                            # of rates: own defects, or false calls
    none, wiped = np.zeros(HEALTHY), np.full(max(HEALTHY, LOOKS), 3, np.int32)
    healthy = sensor_values(line, none, wiped[:HEALTHY], (number, 1), touched)
    middle, band = healthy.mean(axis=0), 3 * healthy.std(axis=0, ddof=1)
    usual = rates(line, none[:100], wiped[:100], (number, 1))[:, column]
    limit = usual.mean() + 3 * usual.std(ddof=1)
    out = np.full((count, len(touched) + 1), np.inf)
    at = (np.arange(LOOKS) + 1) / LOOKS
    for r in range(count):
        life = new_life(line.drifts[0], np.random.default_rng([SEED, 4, number, first + r]))
        levels = severity(life, at * life.length)
        seed = (number, 2, first + r)
        outside = np.abs(sensor_values(line, levels, wiped[:LOOKS], seed, touched) - middle) > band
        for s in range(len(touched)):
            run = np.convolve(outside[:, s], np.ones(IN_A_ROW), "valid") == IN_A_ROW
            out[r, s] = at[np.argmax(run) + IN_A_ROW - 1] if run.any() else np.inf
        over = rates(line, levels, wiped[:LOOKS], seed)[:, column] > limit
        out[r, -1] = at[np.argmax(over)] if over.any() else np.inf
    return {"left": out}


@dataclass(frozen=True, eq=False)
class Result:
    """What one set of episodes says."""
    kind: str
    count: int
    severity: F64                              # (E,)
    sensors: F64                               # (E, C)
    rates: F64                                 # (E, 3)
    left: F64                                  # (R, T + 1)

    @property
    def line(self) -> Line:
        return line_with(self.kind)

    @property
    def touched(self) -> list[int]:
        return [c for c, s in enumerate(self.line.sensors) if touches(self.line.drifts[0], s, self.line)]

    @lru_cache  # noqa: B019  a handful of results, for as long as the program runs
    def correlation(self, column: int = 0) -> tuple[F64, F64]:
        """Spearman's ρ and p of every sensor against a rate, (C,) each; 0 and 1 where a sensor or the rate never changes."""
        found = np.array([spearmanr(self.sensors[:, c], self.rates[:, column]) if np.ptp(self.sensors[:, c])
                          and np.ptp(self.rates[:, column]) else (0.0, 1.0) for c in range(self.sensors.shape[1])])
        return found[:, 0], found[:, 1]

    def control(self, column: int = 0) -> tuple[float, str]:
        """Greatest |ρ| of a sensor that the drift does not touch, and its channel."""
        rho, _ = self.correlation(column)
        rest = [c for c in range(len(rho)) if c not in self.touched]
        worst = max(rest, key=lambda c: abs(rho[c]))
        return float(abs(rho[worst])), self.line.sensors[worst].channel

    def lead(self, s: int) -> tuple[int, int, float, float]:
        """Of one touched sensor: ramps on which it moved first, on which the rate did, p of the sign test, median lead [1]."""
        if not len(self.left):
            return 0, 0, 1.0, math.nan
        sensor, rate = self.left[:, s], self.left[:, -1]
        both = np.minimum(sensor, rate) < np.inf
        first, last = int((sensor[both] < rate[both]).sum()), int((sensor[both] > rate[both]).sum())
        p = float(binomtest(first, first + last, 0.5, alternative="greater").pvalue) if first + last else 1.0
        lead = np.minimum(rate[both], 1.0) - np.minimum(sensor[both], 1.0)
        return first, last, p, float(np.median(lead)) if both.any() else math.nan

    def verdict(self) -> list[str]:
        """What the bar asks and this set does not show; empty where it holds. Limits widen with fewer episodes than 10,000."""
        instrument = KINDS[self.kind].acts == "instrument"
        wider = max(CONTROL, 4.5 / math.sqrt(self.count))
        wrong = []
        _, p = self.correlation()
        best = min(self.touched, key=lambda c: float(p[c]))
        if not p[best] < 1e-6:
            wrong.append(f"no sensor predicts the rate: least p {p[best]:.2g} of {self.line.sensors[best].channel}")
        for column in (0, 1, 2) if instrument else (0,):
            worst, channel = self.control(column)
            if worst >= wider:
                wrong.append(f"{channel} is not touched, but has |ρ| {worst:.3f} with rate {column}")
        if instrument:
            rest = float(np.abs(self.correlation(2)[0][self.touched]).max())
            if rest >= wider:
                wrong.append(f"defects follow the instrument: |ρ| {rest:.3f}")
        if len(self.left) and not min(self.lead(s)[2] for s in range(len(self.touched))) < BEFORE:
            wrong.append("no sensor moves before the rate")
        return wrong


def _task(task: tuple[str, str, int, int, str]) -> str:
    what, kind, first, count, path = task
    made = episodes(kind, first, count) if what == "episodes" else ramps(kind, first, count)
    pending = Path(path).with_suffix(".pending.npz")
    np.savez(pending, **made)  # type: ignore[arg-type]
    pending.replace(path)
    return path


def tasks(out: Path, kinds: Sequence[str], count: int, ramp_count: int) -> Iterator[tuple[str, str, int, int, str]]:
    """What is to be made, in blocks with a file each."""
    for kind in kinds:
        for block in range(math.ceil(count / BLOCK)):
            size = min(BLOCK, count - block * BLOCK)
            yield "episodes", kind, block, size, str(out / f"{kind}-episodes-{block}-{size}.npz")
        for first in range(0, ramp_count, 5):
            size = min(5, ramp_count - first)
            yield "ramps", kind, first, size, str(out / f"{kind}-ramps-{first}-{size}.npz")


def measure(out: Path, kinds: Sequence[str], count: int, ramp_count: int = RAMPS, processes: int = 1) -> Mapping[str, Result]:
    """Make what is missing, and read it all."""
    out.mkdir(parents=True, exist_ok=True)
    todo = list(tasks(out, kinds, count, ramp_count))
    missing = [t for t in todo if not Path(t[-1]).exists()]
    if processes > 1:
        with ProcessPoolExecutor(processes) as pool:
            for n, path in enumerate(pool.map(_task, missing), 1):
                print(f"{n}/{len(missing)} {Path(path).name}", file=sys.stderr)
    else:
        for task in missing:
            _task(task)
    results = {}
    for kind, of_kind in itertools.groupby(todo, lambda t: t[1]):
        parts: dict[str, list[F64]] = {name: [] for name in ("severity", "sensors", "rates", "left")}
        for task in of_kind:
            with np.load(task[-1]) as stored:
                for name in stored.files:
                    parts[name].append(stored[name])
        joined = {name: np.concatenate(part) if part else np.zeros((0, 0)) for name, part in parts.items()}
        results[kind] = Result(kind, count, **joined)
    return results


def _p(p: float) -> str:
    return "< 1e-300" if p < 1e-300 else f"{p:.0e}"


def markdown(results: Mapping[str, Result]) -> str:
    """The published table."""
    count = max(r.count for r in results.values())
    lines = [
        "# Causes, sensors, defects", "",
        f"{count:,} independent episodes per drift, one value each; {UNITS} units judged per episode; "
        f"{max(len(r.left) for r in results.values())} ramps per drift.",
        "Made by `python benchmarks/causality.py build/causality --markdown docs/causality.md`, where it says how.", "",
        "ρ is Spearman's, between a sensor's value and the rate in the same episode; *first* counts the ramps on which the",
        "sensor left its healthy 3σ band before the rate left its own; *lead* is the median head start, as a share of the life.",
        "",
        "## Process drifts", "",
        "| drift | rate of | per unit, healthy → worn out | sensor | ρ | p | first | p | lead | worst control |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for kind, r in results.items():
        if KINDS[kind].acts != "process":
            continue
        low, high = (r.rates[m, 0].mean() if m.any() else math.nan for m in (r.severity < 0.1, r.severity > 0.9))
        rho, p = r.correlation()
        control = "{:.3f} `{}`".format(*r.control())
        for s, c in enumerate(r.touched):
            first, last, sign, lead = r.lead(s)
            cause = f"{KINDS[kind].title} | {', '.join(KINDS[kind].defects)} | {low:.3g} → {high:.3g}" if s == 0 else " | | "
            lines.append(f"| {cause} | `{r.line.sensors[c].channel}` | {rho[c]:+.3f} | {_p(p[c])} | {first}/{first + last} | "
                         f"{_p(sign)} | {lead:.2f} | {control if s == 0 else ''} |")
    lines += ["", "## Instrument drifts", "",
              "The units come from a process that makes some defects; the rates are of the machine's false calls and misses.",
              "Defects themselves must not follow.", "",
              "| drift | sensor | false calls per unit | ρ | p | first | misses per unit | ρ | p | defects ρ | worst control |",
              "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for kind, r in results.items():
        if KINDS[kind].acts != "instrument":
            continue
        ends = [[r.rates[m, column].mean() if m.any() else math.nan for m in (r.severity < 0.1, r.severity > 0.9)]
                for column in (0, 1)]
        (false, p_false), (miss, p_miss), (real, _) = (r.correlation(column) for column in (0, 1, 2))
        for s, c in enumerate(r.touched):
            first, last, _, _ = r.lead(s)
            lines.append(
                f"| {KINDS[kind].title} | `{r.line.sensors[c].channel}` | {ends[0][0]:.3g} → {ends[0][1]:.3g} | "
                f"{false[c]:+.3f} | {_p(p_false[c])} | {first}/{first + last} | "
                f"{ends[1][0]:.3g} → {ends[1][1]:.3g} | {miss[c]:+.3f} | {_p(p_miss[c])} | {real[c]:+.3f} | "
                + "{:.3f} `{}` |".format(*r.control()))
    sensors = max(r.sensors.shape[1] for r in results.values())
    wrong = [f"{kind}: {w}" for kind, r in results.items() for w in r.verdict()]
    says = (f"Every drift is predicted with p < 1e-6 by a sensor, one sensor moves before the rate (sign test p < {BEFORE:g}), "
            f"and no control reaches |ρ| {max(CONTROL, 4.5 / math.sqrt(count)):.2f}." if not wrong else "It does not hold:")
    lines += ["", f"The line has {sensors} sensors; all that a drift does not touch are its controls.", says,
              *(f"* {w}" for w in wrong)]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, nargs="?", default=Path("build/causality"))
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--ramps", type=int, default=RAMPS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--markdown", type=Path)
    args = parser.parse_args()
    results = measure(args.out, args.kinds, args.episodes, args.ramps, args.processes)
    text = markdown(results)
    (args.markdown or args.out / "causality.md").write_text(text, encoding="utf-8")
    print(text)
    return 1 if any(r.verdict() for r in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
