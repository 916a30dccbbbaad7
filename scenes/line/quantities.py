"""quantities: what can be measured on a line, in which units, and what a sensor's channel truly is.

A channel is ``"<station>/<module>/<quantity>"``: "reflow/zone7/temperature". What happens there physically is in ``truths.py``;
how the sensor errs is not here but in ``generators/traces/sensor.py``.
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from scenes.errors import SceneError
from scenes.line.model import Drift, Line, Run, Sensor

F64 = NDArray[np.float64]

UNITS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "1": {"1": (1.0, 0.0), "%": (100.0, 0.0)},
    "°C": {"°C": (1.0, 0.0), "degC": (1.0, 0.0), "K": (1.0, 273.15)},
    "Pa": {"Pa": (1.0, 0.0), "kPa": (1e-3, 0.0), "bar": (1e-5, 0.0), "MPa": (1e-6, 0.0)},
    "m3/s": {"m3/s": (1.0, 0.0), "l/min": (60e3, 0.0)},
    "N": {"N": (1.0, 0.0)},
    "m": {"m": (1.0, 0.0), "um": (1e6, 0.0), "mm": (1e3, 0.0)},
    "m/s": {"m/s": (1.0, 0.0), "mm/s": (1e3, 0.0), "m/min": (60.0, 0.0)},
    "m/s2": {"m/s2": (1.0, 0.0), "g": (1 / 9.80665, 0.0)},
    "A": {"A": (1.0, 0.0), "mA": (1e3, 0.0), "uA": (1e6, 0.0)},
    "W": {"W": (1.0, 0.0), "kW": (1e-3, 0.0)},
    "Ohm": {"Ohm": (1.0, 0.0), "mOhm": (1e3, 0.0)},
    "dB": {"dB": (1.0, 0.0)},
}
"""Unit of a quantity → units that a sensor may give it in, as (scale, offset): value · scale + offset."""


@dataclass(frozen=True)
class Quantity:
    """Something that can be measured at one kind of station."""
    name: str                                  # last part of a channel
    title: str
    unit: str                                  # of its truth; a key of UNITS
    station: str                               # kind of station; "" for any
    module: str                                # middle part of a channel; "" for none
    truth: str                                 # the function of ``truths`` that works it out
    modules: int = 0                           # the module has a number, from 1 to this; 0 for none
    touched: tuple[str, ...] = ()              # kinds of drift of its own module that move it
    touched_elsewhere: tuple[str, ...] = ()    # kinds that move it from another module or from the station before
    fast: bool = False                         # a wave: its history is an RMS or a level, and windows show it

    @property
    def units(self) -> tuple[str, ...]:
        """Units that a sensor may give it in."""
        return tuple(UNITS[self.unit])

    @property
    def pattern(self) -> str:
        """"zone*/temperature"."""
        return "/".join(part for part in (self.module + ("*" if self.modules else ""), self.name) if part)


HEATED = 8                                     # zones of the reference oven with a heater; the last two cool
_AIR, _NOZZLE = ("air_leak",), ("nozzle_wear",)

_ALL = (
    *(Quantity("power", "Electric power", "W", kind, "", "power")
      for kind in ("printer", "spi", "placement", "aoi", "infrared", "axi", "test")),
    Quantity("temperature", "Air at the station", "°C", "", "ambient", "ambient"),
    Quantity("humidity", "Relative humidity at the station", "1", "", "ambient", "humidity"),
    Quantity("force", "Squeegee force of a stroke", "N", "printer", "squeegee", "squeegee_force", 0, (), ("stencil_clog",)),
    Quantity("force_spread", "Unevenness of the squeegee force", "N", "printer", "squeegee", "squeegee_spread", 0, (),
             ("squeegee_wear",)),
    Quantity("clog", "Share of openings closed, under-stencil camera", "1", "printer", "stencil", "stencil_clog", 0, (),
             ("stencil_clog",)),
    Quantity("temperature", "Paste on the stencil", "°C", "printer", "paste", "paste_temperature"),
    Quantity("volume_mean", "Mean paste volume of a board over nominal", "1", "spi", "board", "volume_mean", 0, (),
             ("stencil_clog", "squeegee_wear")),
    Quantity("offset_mean", "Mean print offset of a board", "m", "spi", "board", "print_offset"),
    Quantity("pressure", "Compressed air at the machine", "Pa", "placement", "air", "air_pressure", 0, (), _AIR),
    Quantity("flow", "Compressed air taken", "m3/s", "placement", "air", "air_flow", 0, (), _AIR),
    Quantity("ultrasound", "Sound level around 40 kHz", "dB", "placement", "air", "ultrasound", 0, (), _AIR, True),
    Quantity("vacuum", "Vacuum at a nozzle that holds a part", "Pa", "placement", "nozzle", "nozzle_vacuum", 8, _NOZZLE, _AIR),
    Quantity("retries", "Picks repeated on the last unit", "1", "placement", "nozzle", "nozzle_retries", 8, _NOZZLE, _AIR),
    Quantity("acceleration", "Acceleration of the placement head, RMS", "m/s2", "placement", "head", "head_acceleration", 0,
             (), _NOZZLE, True),
    Quantity("motor_temperature", "Linear motor of the head", "°C", "placement", "head", "head_motor"),
    Quantity("motor_current", "Peak current of a feeder's motor", "A", "placement", "feeder", "feeder_current", 12,
             ("feeder_pitch",)),
    Quantity("temperature", "Gas of an oven zone at the board", "°C", "reflow", "zone", "zone_temperature", 10,
             ("zone_heater", "zone_blower_bearing")),
    Quantity("duty", "Duty of a zone's heater", "1", "reflow", "zone", "zone_duty", HEATED, ("zone_heater",)),
    Quantity("blower_current", "Current of a zone's blower", "A", "reflow", "zone", "blower_current", 10,
             ("zone_blower_bearing",)),
    Quantity("blower_velocity", "Vibration velocity of a zone's blower, RMS", "m/s", "reflow", "zone", "blower_velocity", 10,
             ("zone_blower_bearing",), (), True),
    Quantity("blower_acceleration", "Vibration acceleration of a zone's blower, RMS", "m/s2", "reflow", "zone",
             "blower_acceleration", 10, ("zone_blower_bearing",), (), True),
    Quantity("bearing_temperature", "Bearing of a zone's blower", "°C", "reflow", "zone", "bearing_temperature", 10,
             ("zone_blower_bearing",)),
    Quantity("speed", "Belt speed", "m/s", "reflow", "conveyor", "belt_speed", 0, (), ("conveyor_bearing",)),
    Quantity("acceleration", "Acceleration of the belt, RMS", "m/s2", "reflow", "conveyor", "belt_acceleration", 0, (),
             ("conveyor_bearing",), True),
    Quantity("sound_level", "Sound pressure level beside the conveyor", "dB", "reflow", "conveyor", "belt_sound", 0, (),
             ("conveyor_bearing",), True),
    Quantity("motor_current", "Current of the conveyor's motor", "A", "reflow", "conveyor", "belt_current", 0, (),
             ("conveyor_bearing",), True),
    Quantity("power", "Electric power", "W", "reflow", "", "oven_power", 0, (), ("zone_heater",)),
    Quantity("flux", "Light of the lamps over new ones", "1", "aoi", "lamp", "lamp_flux", 0, (), ("lamp_ageing",)),
    Quantity("sharpness", "Sharpness of the machine's own target", "1", "aoi", "camera", "sharpness", 0, (), ("camera_focus",)),
    Quantity("temperature", "Camera housing", "°C", "aoi", "camera", "camera_temperature"),
    Quantity("bright_field", "X-ray detector, open beam, over a new tube's", "1", "axi", "tube", "bright_field", 0, (),
             ("tube_ageing",)),
    Quantity("current", "Tube current", "A", "axi", "tube", "tube_current"),
    Quantity("resistance", "Contact resistance of the fixture", "Ohm", "test", "fixture", "fixture_resistance"),
)

QUANTITIES: Mapping[tuple[str, str], Quantity] = {(q.station, q.pattern): q for q in _ALL}
"""(kind of station, "zone*/temperature") → quantity; kind "" holds for every station."""


_MODULE = re.compile(r"([a-z]*?)([1-9][0-9]?)?")
LONGEST = 120                                  # characters of a channel that a message repeats


def module_of(channel: str) -> str:
    """The middle of a channel: "zone7" of "reflow/zone7/temperature", "" of "reflow/power"."""
    return "/".join(channel.split("/")[1:-1])


def quantity(channel: str, station_kind: str) -> Quantity:
    """What a channel measures. Raises SceneError with what there is."""
    name, module = channel.rsplit("/", 1)[-1], module_of(channel)
    parts = _MODULE.fullmatch(module)
    word, number = (module, None) if parts is None else parts.groups()
    pattern = "/".join(part for part in (word + ("*" if number else ""), name) if part)[:LONGEST]
    for kind in (station_kind, "") if parts is not None else ():
        found = QUANTITIES.get((kind, pattern))
        if found is not None and (not found.modules or int(number or 0) <= found.modules):
            return found
    known = [q.pattern.replace("*", f"1…{q.modules}") for q in _ALL if q.station in (station_kind, "")]
    near = get_close_matches(pattern, known, n=1)
    raise SceneError(f"{channel[:LONGEST]!r} measures nothing that a '{station_kind}' has; "
                     + (f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"))


def check(sensor: Sensor, station_kind: str) -> Quantity:
    """Refuse a sensor that cannot be. Raises SceneError with the place and the mend."""
    where = f"sensors.{sensor.channel}"
    try:
        found = quantity(sensor.channel, station_kind)
    except SceneError as error:
        raise SceneError(f"{where}: {error}") from None
    if sensor.channel.split("/")[0] != sensor.station:
        raise SceneError(f"{where}: begins with another station than '{sensor.station}'; "
                         "a channel is <station>/<module>/<quantity>")
    if sensor.quantity != found.name:
        raise SceneError(f"{where}.quantity: '{sensor.quantity}' is not the last part of the channel; write '{found.name}'")
    if sensor.unit not in found.units:
        raise SceneError(f"{where}.unit: '{sensor.unit}' is no unit of a {found.name}; known: {', '.join(found.units)}")
    return found


def touches(drift: Drift, sensor: Sensor, line: Line) -> bool:
    """Whether a drift moves what a sensor measures. All others are negative controls."""
    kinds = {s.station: s.kind for s in line.stations}
    q = quantity(sensor.channel, kinds[sensor.station])
    if drift.kind in q.touched and drift.station == sensor.station:
        return drift.module == module_of(sensor.channel)
    here = drift.station == sensor.station or (kinds[drift.station] == "printer" and kinds[sensor.station] == "spi"
                                               and drift.station in _before(line, sensor.station))
    return here and drift.kind in q.touched_elsewhere


def _before(line: Line, station: str) -> set[str]:
    """Stations that a unit may have passed on its way to this one."""
    found, feeders = set[str](), {s.station: s.after for s in line.stations}
    ahead = [*feeders[station]]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += feeders[name]
    return found


def true_values(line: Line, run: Run, sensor: Sensor, times: F64, rng: np.random.Generator) -> F64:
    """What a sensor's channel truly is.

    Args:
        run: What the line did; ``run.line`` may be ``line`` itself.
        times: Evenly spaced [s], shape (N,), within the run.
        rng: This channel's stream.

    Returns:
        Shape (N,), in the sensor's unit. The same arguments give the same values; a part of a span by itself does not give a
        part of the whole, since what fluctuates is drawn for the span.
    """
    from scenes.line import truths  # late: reading a scene need not load scipy
    from scenes.line.timeline import View

    kind = line.station(sensor.station).kind
    found = quantity(sensor.channel, kind)
    number = re.search(r"\d+$", module_of(sensor.channel))
    scale, offset = UNITS[found.unit][sensor.unit]
    values: F64 = getattr(truths, found.truth)(View(run, sensor.station, times), int(number[0]) if number else 0, rng)
    return values * scale + offset if (scale, offset) != (1.0, 0.0) else values


def channels(line: Line) -> list[str]:
    """Every channel that a line can have, in the order of its stations."""
    out = []
    for station in line.stations:
        for q in _ALL:
            if q.station in (station.kind, ""):
                out += [f"{station.station}/{q.pattern.replace('*', str(n))}" for n in range(1, (q.modules or 1) + 1)]
    return out


__all__ = ["QUANTITIES", "UNITS", "Quantity", "channels", "check", "module_of", "quantity", "touches", "true_values"]
