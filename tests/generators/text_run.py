"""A run built by hand: a small line whose parts wear like saw teeth and are mended, for a given number of days."""
from __future__ import annotations

import numpy as np

from scenes.line.model import Drift, Event, Line, Run, Sensor, StationFlow, Supply

HOUR, DAY = 3600.0, 86400.0
PATH = "Plant/SMT/Line 3"
LOOK = 120.0                                   # [s] between two looks at the drifts
STATIONS = tuple((kind, kind) for kind in ("printer", "spi", "placement", "reflow", "aoi", "axi"))
DRIFTS = (                                     # id, kind, station, module, days of life, severity at which maintenance comes
    ("stencil", "stencil_clog", "printer", "", 1.3, 0.85), ("blades", "squeegee_wear", "printer", "", 4.1, np.inf),
    ("nz3", "nozzle_wear", "placement", "nozzle3", 2.3, 0.9), ("nz6", "nozzle_wear", "placement", "nozzle6", 3.7, np.inf),
    ("fd12", "feeder_pitch", "placement", "feeder12", 2.9, np.inf), ("air", "air_leak", "placement", "", 3.3, np.inf),
    ("z7", "zone_heater", "reflow", "zone7", 4.7, np.inf), ("z5", "zone_blower_bearing", "reflow", "zone5", 5.3, 0.8),
    ("roll", "conveyor_bearing", "reflow", "", 6.1, np.inf), ("tube", "tube_ageing", "axi", "", 5.9, 0.9),
    ("lamp", "lamp_ageing", "aoi", "", 4.3, 0.9), ("focus", "camera_focus", "aoi", "", 3.1, np.inf))


def line() -> Line:
    stations = tuple(
        StationFlow(name, kind, f"{PATH}/{name}", (STATIONS[k - 1][0],) if k else (), 20.0, 1.0, mtbf=3 * HOUR, mttr=240.0,
                    share=0.25 if kind == "axi" else 1.0, supplies=(Supply("paste", 600, 120.0),) if kind == "printer" else ())
        for k, (name, kind) in enumerate(STATIONS))
    drifts = tuple(Drift(name, kind, station, module, life=days * DAY, alarm=0.7, maintain=maintain, repair=1500.0)
                   for name, kind, station, module, days, maintain in DRIFTS)
    sensor = Sensor("reflow/zone7/temperature", "reflow", "temperature", "degC", low=0, high=400)
    return Line(PATH, 24.0, stations, drifts, (sensor,))


def make(days: float = 30.0, seed: int = 1) -> Run:
    """Stops come at random; every part wears in proportion to time, warns at 0.7 and is mended at ``maintain`` or at 1."""
    rng, the, duration = np.random.default_rng(seed), line(), days * DAY
    times = np.arange(0.0, duration, LOOK)
    severity, remaining = np.zeros((len(times), len(the.drifts))), np.zeros((len(times), len(the.drifts)))
    events: list[Event] = []
    for d, drift in enumerate(the.drifts):
        begin = 0.0
        while begin < duration:
            life = drift.life * float(rng.uniform(0.9, 1.1))
            end = begin + life * min(drift.maintain, 1.0)
            inside = (times >= begin) & (times < end + drift.repair)
            severity[inside, d] = np.clip((times[inside] - begin) / life, 0, 1)
            remaining[inside, d] = np.maximum(life - (times[inside] - begin), 0)
            what = drift.kind, drift.id
            events.append(Event(begin + 0.7 * life, drift.station, "alarm", *what))
            if drift.maintain <= 1:
                events.append(Event(end, drift.station, "maintenance", *what, duration=drift.repair, operator="operator 1"))
            else:
                events.append(Event(end, drift.station, "fault", *what, unit=3))
                events.append(Event(end + 60, drift.station, "repair", *what, duration=drift.repair - 60, operator="operator 2"))
            begin = end + drift.repair
    words = {"printer": ("jam", "paste"), "placement": ("feeder", "pick"), "reflow": ("conveyor", "jam")}
    for station in the.stations:
        time = float(rng.exponential(6 * HOUR))
        while time < duration:
            code = str(rng.choice(words.get(station.kind, ("conveyor", "camera"))))
            long = float(rng.lognormal(np.log(240), 0.8))
            events.append(Event(time, station.station, "fault", code))
            events.append(Event(time + 20, station.station, "repair", code, duration=long, operator="operator 1"))
            time += long + float(rng.exponential(6 * HOUR))
    for time in np.arange(4 * HOUR, duration, 4 * HOUR):
        events.append(Event(float(time), "printer", "material", "paste", duration=120.0, operator="operator 2"))
    for time in np.arange(12 * HOUR, duration, 12 * HOUR):
        events += [Event(float(time), s.station, "changeover", "lot", duration=1500.0, operator="operator 1")
                   for s in the.stations]
    events = sorted((e for e in events if e.time < duration), key=lambda e: e.time)
    units = int(duration / 30)
    leave = 30.0 * np.arange(1, units + 1)[:, None] + 40.0 * np.arange(len(the.stations))
    leave[:, -1][np.arange(units) % 4 > 0] = np.nan
    leave[leave > duration] = np.nan
    return Run(the, duration, leave - 30, leave - 25, leave - 5, leave, tuple(events), times, severity, remaining,
               np.zeros(units, np.int32))
