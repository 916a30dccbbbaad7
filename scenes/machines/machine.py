"""machine: read a pump, motor, fan or compressor from its YAML file. One file, checked once; plain dataclasses behind it."""
from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

from scenes.errors import SceneError
from scenes.machines.files import (
    MACHINE_KEYS,
    CompressorFile,
    FanFile,
    FaultFile,
    MachineFile,
    MachineSensorFile,
    PumpFile,
    inside,
)
from scenes.machines.model import (
    FAST,
    FAULTS,
    HEARD_RATE,
    UNITS,
    AirCompressor,
    Drive,
    Fan,
    Fault,
    MachineBearing,
    MachineSensor,
    MachineType,
    Pump,
    Resonance,
    Rotor,
    Surroundings,
)
from scenes.yaml_file import explain, mapping, read_text

_T = TypeVar("_T")


@dataclass(frozen=True)
class Machine:
    """A machine as a scene of its own. Read with :meth:`read`."""
    id: str
    name: str
    type: MachineType
    path: str                                  # ISA-95 id
    load: float                                # [1] of the rated torque
    drive: Drive
    rotor: Rotor
    bearings: tuple[MachineBearing, ...]
    modes: tuple[Resonance, ...]
    surroundings: Surroundings
    fluid: Pump | Fan | AirCompressor | None   # by type; None for a motor
    faults: tuple[Fault, ...]
    sensors: tuple[MachineSensor, ...]
    file: Path
    text: str                                  # the file as read

    @classmethod
    def read(cls, path: str | Path) -> Machine:
        """Read and check a machine file. Raises SceneError with the file, the dotted key and what to do."""
        path = Path(path)
        text = read_text(path, "a machine", SceneError)
        data = mapping(text, path, "a machine", SceneError, "it says 'kind: machine'")
        if data.get("kind") != "machine":
            raise SceneError(f"{path}: not a machine; a machine file says 'kind: machine'")
        try:
            return _machine(MachineFile.model_validate(data), path, text)
        except ValidationError as error:
            raise SceneError("\n".join(explain(path, e, MACHINE_KEYS) for e in error.errors())) from None

    def bearing(self, identity: str) -> MachineBearing:
        """By id. Raises KeyError."""
        return {b.id: b for b in self.bearings}[identity]

    def digest(self) -> str:
        """SHA-256 over the machine's content."""
        return hashlib.sha256(json.dumps(yaml.safe_load(self.text), sort_keys=True, default=str).encode()).hexdigest()


def near(name: str, known: Collection[str]) -> str:
    """What to do about a name that is not known."""
    found = get_close_matches(name, known, n=1)
    return f"did you mean '{found[0]}'?" if found else f"known: {', '.join(known)}"


def check_fault(fault: Fault, type_: MachineType, bearings: Collection[str], where: str) -> None:
    """Raise SceneError for a fault that such a machine cannot have."""
    kind = FAULTS.get(fault.kind)
    if kind is None:
        raise SceneError(f"{where}: unknown fault '{fault.kind}'; {near(fault.kind, FAULTS)}")
    if type_ not in kind.types:
        possible = ", ".join(k.name for k in FAULTS.values() if type_ in k.types)
        raise SceneError(f"{where}: a {type_} has no fault '{fault.kind}'; it can have {possible}")
    if not 0 <= fault.severity <= 1:
        raise SceneError(f"{where}: severity {fault.severity:g} is outside 0 to 1; scale it")
    if kind.bearing and fault.place not in bearings:
        raise SceneError(f"{where}: fault '{fault.kind}' at '{fault.place}'; say which bearing: {', '.join(bearings)}")
    if not kind.bearing and fault.place:
        raise SceneError(f"{where}: fault '{fault.kind}' belongs to the whole machine; leave 'place' out")


def _machine(file: MachineFile, path: Path, text: str) -> Machine:
    parts: dict[str, PumpFile | FanFile | CompressorFile | None] = {
        "pump": file.pump, "fan": file.fan, "compressor": file.compressor}
    for name, part in parts.items():
        if part is not None and name != file.type:
            raise SceneError(f"{path}: {name}: this is a {file.type}; remove '{name}', or write 'type: {name}'")
    if file.type in parts and parts[file.type] is None:
        raise SceneError(f"{path}: {file.type}: missing; describe it, or write '{file.type}: {{}}' for the defaults")
    fluid = _fluid(path, file.type, parts.get(file.type))
    where = _value(path, "surroundings", file.surroundings.value)
    bearings = tuple(_value(path, f"bearings.{i}", b.value) for i, b in enumerate(file.bearings))
    ids = [b.id for b in bearings]
    for name in ids:
        if ids.count(name) > 1:
            raise SceneError(f"{path}: bearings: id '{name}' is used {ids.count(name)} times; every bearing has its own")
    faults = tuple(_fault(f, file.type, ids, f"{path}: faults.{i}") for i, f in enumerate(file.faults))
    seen: set[tuple[str, str]] = set()
    for i, fault in enumerate(faults):
        if (fault.kind, fault.place) in seen:
            raise SceneError(f"{path}: faults.{i}: '{fault.kind}' is there already; give one severity")
        seen.add((fault.kind, fault.place))
    sensors = tuple(_sensor(s, file, where, ids, f"{path}: sensors.{i}") for i, s in enumerate(file.sensors))
    channels = [s.channel for s in sensors]
    for i, channel in enumerate(channels):
        if channel in channels[:i]:
            raise SceneError(f"{path}: sensors.{i}: channel '{channel}' is there already; measure it once, or in another place")
    return Machine(file.id, file.name, file.type, f"{file.path}/{file.id}", file.load, file.drive.value(), file.rotor.value(),
                   bearings, tuple(m.value() for m in file.modes), where, fluid, faults, sensors, path, text)


def _value(path: Path, where: str, make: Callable[[], _T]) -> _T:
    try:
        return make()
    except ValueError as error:
        raise SceneError(f"{path}: {where}: {error}") from None


def _fluid(path: Path, where: str, file: PumpFile | FanFile | CompressorFile | None) -> Pump | Fan | AirCompressor | None:
    if isinstance(file, PumpFile):
        return _value(path, where, file.value)
    if isinstance(file, FanFile):
        return _value(path, where, file.value)
    return None if file is None else _value(path, where, file.value)


def _fault(file: FaultFile, type_: MachineType, bearings: list[str], where: str) -> Fault:
    fault = Fault(file.kind, file.severity, file.place)
    check_fault(fault, type_, bearings, where)
    return fault


def _sensor(file: MachineSensorFile, machine: MachineFile, room: Surroundings, bearings: list[str], where: str) -> MachineSensor:
    quantity, place = file.quantity, file.place
    if quantity not in UNITS:
        raise SceneError(f"{where}: unknown quantity '{quantity}'; {near(quantity, UNITS)}")
    if file.unit is not None and file.unit != UNITS[quantity]:
        raise SceneError(f"{where}: unit '{file.unit}'; {quantity} is in {UNITS[quantity]}")
    places = {"vibration": bearings, "temperature": [*bearings, "winding", "housing"]}.get(quantity, [])
    if places and place not in places:
        raise SceneError(f"{where}: {quantity} at '{place}'; {near(place, places)}")
    possible = {"pressure": machine.type != "motor", "flow": machine.type != "motor",
                "ultrasonic_level": machine.type == "compressor"}
    if not possible.get(quantity, True):
        raise SceneError(f"{where}: a {machine.type} has no {quantity}; remove the sensor")
    position = file.position_m
    if quantity in ("sound", "sound_level"):
        if position is None or not inside(position, room.size):
            raise SceneError(f"{where}: position_m {position}; give a place inside the room of {room.size} m")
        if math.dist(position, room.machine) < 0.3:
            raise SceneError(f"{where}: position_m {position} is less than 0.3 m from the machine; move the microphone away")
    if quantity in FAST and file.rate_hz < 1000:
        raise SceneError(f"{where}: rate_hz {file.rate_hz:g} is too slow for {quantity}; give 1000 Hz or more")
    if quantity == "sound" and file.rate_hz != round(file.rate_hz):
        raise SceneError(f"{where}: rate_hz {file.rate_hz:g}; sound needs whole hertz")
    if quantity == "sound_level" and file.rate_hz > HEARD_RATE:
        raise SceneError(f"{where}: rate_hz {file.rate_hz:g}; levels are of sound at {HEARD_RATE:g} Hz, give at most that")
    low = -math.inf if file.low is None else file.low
    high = math.inf if file.high is None else file.high
    if low >= high:
        raise SceneError(f"{where}: low {low:g} must be below high {high:g}; swap them")
    # two accelerometers may share a housing, two microphones a room
    middle = f"{place}/{file.direction}" if quantity == "vibration" else place
    if quantity in ("sound", "sound_level"):
        middle = place or "room"
    channel = "/".join(part for part in (machine.id, middle, quantity) if part)
    return MachineSensor(channel, quantity, UNITS[quantity], place, file.direction, position or (0.0, 0.0, 0.0), file.rate_hz,
                         low, high, math.inf if file.bandwidth_hz is None else file.bandwidth_hz, file.resolution, file.noise,
                         file.dropout, file.clock_offset_s)


__all__ = ["Machine", "check_fault", "near"]
