"""How much faster than real time every fast channel is made: one channel alone, one core.

    OMP_NUM_THREADS=1 python benchmarks/traces.py [--seconds 1 4] [--only sound] [--json figures.json]

A row is one channel by itself: a machine that has no other sensor, a line's window of one sensor, with the faults of the
example (all drifts of the line at severity 0.5), at 25.6 kHz and, where the example asks for another rate, also at that one.
Time is CPU time of this process, the best of ``--repeats``. Impulse responses of rooms and the rest that a process makes once
are there already; what that costs is in the last column. ``ffts`` is the time over that of numpy's ``rfft`` and ``irfft`` of as
many readings, taken in turns with the channel, so that a busy machine slows down both: above 250 times real time is the aim.
"""
from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from generators.traces.line_windows import MAKERS, windows
from generators.traces.machine_record import record
from scenes.line.model import Line, Run, Sensor
from scenes.line.quantities import quantity
from scenes.machines.machine import Machine
from scenes.machines.model import FAST, Fault
from scenes.scene import Scene

EXAMPLES = Path(__file__).parents[1] / "examples"
RATE = 25_600.0                                # [Hz] of the bar
SEVERITY = 0.5
LINE_RATES = {"ultrasound": 192_000.0, "sound_level": 48_000.0, "acceleration": 12_800.0}     # [Hz] beside 25.6 kHz
Make = Callable[[float, int], object]          # (seconds, seed)


@dataclass(frozen=True)
class Row:
    """One channel, one length."""
    channel: str
    rate: float                                # [Hz]
    seconds: float
    cpu: float                                 # [s] best of the repeats
    median: float                              # [s]
    ffts: float                                # [1] over one rfft and one irfft of as many readings
    first: float                               # [s] the first time in this process

    @property
    def speed(self) -> float:
        """Times real time."""
        return self.seconds / self.cpu


def machine_channels() -> Iterator[tuple[str, float, Make]]:
    """Every fast channel of every example, and a motor's bearing with every fault at once."""
    for path in sorted((EXAMPLES / "machines").glob("*.yaml")):
        machine = Machine.read(path)
        for sensor in machine.sensors:
            if sensor.quantity in FAST:
                for rate in sorted({RATE, sensor.rate}):
                    alone = replace(machine, sensors=(replace(sensor, rate=rate),))
                    yield f"{path.stem} {sensor.channel.split('/', 1)[1]}", rate, _record(alone)
        if path.stem == "motor":
            place = machine.bearings[0].id
            every = tuple(Fault(f"bearing_{part}", SEVERITY, place) for part in ("outer", "inner", "ball", "cage"))
            worst = replace(machine, faults=(*every, Fault("unbalance", SEVERITY), Fault("looseness", SEVERITY)),
                            sensors=tuple(s for s in machine.sensors if s.quantity == "vibration")[:1])
            yield "motor vibration, every fault", RATE, _record(worst)


def _record(machine: Machine) -> Make:
    return lambda seconds, seed: record(machine, seconds, np.random.default_rng(seed))


def line_channels() -> Iterator[tuple[str, float, Make]]:
    """Every kind of channel of the living line that has a waveform."""
    line = Scene.read(EXAMPLES / "living_line.scene.yaml").production
    assert line is not None
    kinds = {s.station: s.kind for s in line.stations}
    seen = set()
    for sensor in line.sensors:
        known = quantity(sensor.channel, kinds[sensor.station])
        drifts = [d for d in line.drifts if d.station == sensor.station and known.modules and d.kind in known.touched]
        if known.pattern not in MAKERS or known.pattern in seen:
            continue
        if drifts and sensor.channel.split("/")[1] not in {d.module for d in drifts}:
            continue                                                       # one whose own part is worn
        if sensor.quantity == "vacuum" and sensor.station == "placement2":
            continue
        seen.add(known.pattern)
        for rate in sorted({RATE, LINE_RATES.get(sensor.quantity, RATE)}):
            yield f"line {known.pattern}", rate, _window(line, sensor, rate)


def _window(line: Line, sensor: Sensor, rate: float) -> Make:
    one = replace(line, sensors=(replace(sensor, window_rate=rate),))
    count, drifts = len(line.stations), len(line.drifts)
    begin = np.cumsum([[0.0] + [400.0] * (count - 1)], axis=1)
    run = Run(one, 400.0 * (count + 1), begin, begin, begin + 300, begin + 300, (), np.array([0.0]),
              np.full((1, drifts), SEVERITY), np.ones((1, drifts)), np.zeros(1, np.int32))
    return lambda seconds, seed: windows(run, 0, sensor.station, seed, seconds=seconds)


def measure(channel: str, rate: float, make: Make, seconds: float, repeats: int) -> Row:
    """One row: the channel and the reference in turns."""
    values = np.random.default_rng(0).standard_normal(round(rate * seconds))
    first, own, reference = _cpu(lambda: make(seconds, 0)), [], []
    for seed in range(repeats):
        own.append(_cpu(lambda seed=seed: make(seconds, seed)))            # type: ignore[misc]
        reference.append(_cpu(lambda: np.fft.irfft(np.fft.rfft(values), len(values))))
    return Row(channel, rate, seconds, min(own), float(np.median(own)), float(np.median(own) / np.median(reference)), first)


def _cpu(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[1.0, 4.0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--only", default="", help="channels whose name holds this")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = []
    print(f"{'channel':44} {'rate':>7} {'window':>6} {'× real':>7} {'median':>7} {'CPU ms':>7} {'ffts':>5} {'first ms':>8}")
    for channel, rate, make in (*machine_channels(), *line_channels()):
        for seconds in args.seconds if args.only in channel else ():
            row = measure(channel, rate, make, seconds, args.repeats)
            rows.append(row)
            print(f"{channel:44} {rate:7.0f} {seconds:5g}s {row.speed:7.0f} {seconds / row.median:7.0f} {row.cpu * 1e3:7.2f} "
                  f"{row.ffts:5.1f} {row.first * 1e3:8.0f}")
            sys.stdout.flush()
    if args.json:
        args.json.write_text(json.dumps([{**vars(r), "speed": r.speed} for r in rows], indent=1))


if __name__ == "__main__":
    main()
