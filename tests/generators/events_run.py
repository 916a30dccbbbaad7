"""A small run of a made-up line, by hand: three units, one of them still inside when the run ends."""
from __future__ import annotations

import numpy as np

from generators.events.outcomes import Call, Outcomes, Paste
from scenes.line.model import Changeover, Drift, Event, Line, Run, Sensor, StationFlow, Supply

PATH = "Demo/SMT/Line 3"


def line() -> Line:
    def station(name: str, kind: str, after: tuple[str, ...], cycle: float, **more: object) -> StationFlow:
        return StationFlow(name, kind, f"{PATH}/{name}", after, cycle, **more)      # type: ignore[arg-type]

    return Line(
        PATH, 24.0,
        (station("printer", "printer", (), 20.0, supplies=(Supply("paste", 400, 120.0), Supply("wipe", 10, 30.0, crew=False))),
         station("spi", "spi", ("printer",), 15.0),
         station("placement", "placement", ("spi",), 22.0, mtbf=7200.0, mttr=120.0, supplies=(Supply("reels", 800, 90.0),)),
         station("reflow", "reflow", ("placement",), 300.0, interval=20.0, slots=14),
         station("aoi", "aoi", ("reflow",), 18.0),
         station("axi", "axi", ("aoi",), 60.0, share=0.2)),
        drifts=(Drift("nozzle3-wear", "nozzle_wear", "placement", "nozzle3", life=200_000.0, parameters={"bias": 20e-6}),
                Drift("zone7", "zone_heater", "reflow", "zone7", life=3e6, maintain=0.9)),
        sensors=(Sensor("placement/nozzle3/vacuum", "placement", "vacuum", "Pa", low=-101325.0, high=0.0, noise=300.0),
                 Sensor("placement/nozzle4/vacuum", "placement", "vacuum", "Pa"),
                 Sensor("reflow/zone1/temperature", "reflow", "temperature", "°C", resolution=0.1),
                 Sensor("reflow/zone7/temperature", "reflow", "temperature", "°C", resolution=0.1),
                 Sensor("reflow/conveyor/speed", "reflow", "speed", "m/s"),
                 Sensor("printer/squeegee/force", "printer", "force", "N"),
                 Sensor("printer/squeegee/speed", "printer", "speed", "m/s"),
                 Sensor("placement/power", "placement", "power", "W")),
        changeover=Changeover(5000, 1200.0))


def run() -> Run:
    nan = np.nan
    arrive = np.array([[0, 20, 35, 57, 357, nan], [24, 44, 60, 82, 382, 400], [48, 70, nan, nan, nan, nan]], float)
    start = np.array([[0, 20, 35, 57, 357, nan], [24, 44, 60, 82, 382, 400], [50, 70, nan, nan, nan, nan]], float)
    finish = np.array([[20, 35, 57, 357, 375, nan], [44, 59, 82, 382, 400, 460], [70, nan, nan, nan, nan, nan]], float)
    leave = np.array([[20, 35, 57, 357, 375, nan], [44, 60, 82, 382, 400, 460], [70, nan, nan, nan, nan, nan]], float)
    events = (
        Event(0.0, "printer", "state", "1000"),
        Event(20.0, "printer", "state", "2202"),
        Event(22.0, "printer", "cleaning", "wipe", duration=30.0),
        Event(24.0, "printer", "state", "1000"),
        Event(62.5, "placement", "fault", "nozzle_wear", drift="nozzle3-wear", unit=1,
              data={"module": "nozzle3", "retries": 4.0}),
        Event(62.5, "placement", "state", "5000"),
        Event(63.0, "reflow", "alarm", "zone_heater", drift="zone7"),
        Event(65.0, "placement", "repair", "nozzle_wear", drift="nozzle3-wear", duration=120.0, operator="Kim"),
        Event(65.0, "placement", "state", "5300"),
        Event(185.0, "placement", "state", "1000"),
        Event(190.0, "placement", "material", "reels", duration=90.0, operator="Park"),
        Event(200.0, "reflow", "fault", "zone_heater", drift="zone7"),
        Event(205.0, "reflow", "maintenance", "zone7", drift="zone7", duration=3600.0, operator="Lee"),
        Event(210.0, "printer", "changeover", "lot", duration=1200.0),
    )
    times = np.array([0.0, 60.0, 120.0, 180.0])
    severity = np.array([[0.0, 0.1], [0.1, 0.11], [1 / 3, 0.12], [0.0, 0.13]])
    remaining = np.array([[200_000.0, 2.7e6], [180_000.0, 2.6e6], [133_333.3, 2.5e6], [200_000.0, np.inf]])
    return Run(line(), 500.0, arrive, start, finish, leave, events, times, severity, remaining, np.array([9, 10, 1], np.int32))


def outcomes() -> Outcomes:
    return Outcomes(
        (Call(0, "aoi", "tombstone", "R7", float("nan")), Call(1, "aoi", "shift", "C3", 120e-6, real=False),
         Call(1, "axi", "void", "U1", 0.31), Call(1, "spi", "insufficient", "R7", 0.45)),
        (Paste(0, "spi", "R7.1", 21e-12, 110e-6, 0.19e-6, 24e-12, 120e-6, 0.2e-6, 5e-6, -3e-6, 0.72),
         Paste(1, "spi", "R7.1", 11e-12, 60e-6, 0.18e-6, 24e-12, 120e-6, 0.2e-6, passed=False)),
        np.array([1, 1, 0], np.int32))
