"""authored: the line as a scene file writes it, checked once, and made into a ``model.Line``.

Blocks of a station: ``flow`` (how it treats units), ``drifts`` (what wears on it), ``sensors`` (what is measured). Block of
the scene: ``production`` (takt, people, hours). A scene without any of them is a line that stands still.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field

from scenes.errors import SceneError
from scenes.line.model import Changeover, Drift, Line, Sensor, StationFlow, Supply

HOUR, MINUTE = 3600.0, 60.0                    # [s]
CHANNELS = 4096                                # at most, in one line: columns of its table of readings
WORD = r"^[A-Za-z][A-Za-z0-9_-]*$"
KIND, MODULE = r"^[a-z][a-z_0-9]*$", r"^([a-z]+([1-9][0-9]?)?)?$"
LEAST_H = 0.0003                               # [h] a second: whatever stops more often never lets the clock go on


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SupplyFile(_File):
    """Something that runs out."""
    name: str = Field(pattern=WORD, description="'wipe' is the under-stencil wipe of a printer")
    units: int = Field(ge=1, le=10_000_000, description="made between two refills")
    refill_s: float = Field(ge=0, le=86_400)
    crew: bool = Field(True, description="an operator does it; false: the machine itself")


class FlowFile(_File):
    """How a station treats units."""
    cycle_s: float = Field(ge=0.1, le=86_400, description="mean time of a unit inside")
    cycle_std_s: float = Field(0.0, ge=0, le=86_400, description="gamma distributed; exponential where equal to cycle_s")
    interval_s: float = Field(0.0, ge=0, le=86_400, description="least time between two units that enter: a conveyor, in order")
    slots: int = Field(1, ge=1, le=1000, description="units inside at once")
    buffer: int = Field(3, le=100_000, description="places before it; 0: straight from hand to hand")
    mtbf_h: float | None = Field(None, ge=LEAST_H, le=1e6, description="hours of work between two random stops")
    mttr_min: float | None = Field(None, ge=0, le=1e5, description="mean length of their repair")
    share: float = Field(1.0, gt=0, le=1, description="of the units that it takes, evenly spread; the others pass by")
    after: tuple[str, ...] | None = Field(None, description="stations that feed it; by default the one before it in the file")
    supplies: tuple[SupplyFile, ...] = Field((), max_length=20)


class DriftFile(_File):
    """Something that wears or goes astray. Its life is in the kind's own count: ``life_cycles`` or ``life_h`` of work."""
    id: str = Field(pattern=WORD)
    kind: str = Field(pattern=KIND, max_length=40)
    module: str = Field("", pattern=MODULE, max_length=40, description="which one: 'nozzle3', 'zone7'")
    life_cycles: float | None = Field(None, ge=1, le=1e9)
    life_h: float | None = Field(None, ge=LEAST_H, le=1e6)
    life_spread: float = Field(0.2, ge=0, le=2, description="coefficient of variation from one part to the next")
    start_h: float = Field(0.0, ge=0, le=1e5, description="nothing happens before")
    initial: float = Field(0.0, ge=0, lt=1, description="severity at the start, 0 new to 1 failed")
    alarm: float = Field(0.7, ge=0, description="severity at which the machine warns; more than 1: never")
    maintain: float | None = Field(None, gt=0, description="severity at which maintenance renews it; without it: run to failure")
    repair_min: float = Field(30.0, ge=0, le=1e5)
    parameters: dict[str, float] = Field({}, description="of the kind; see docs/causality.md")


class ChannelsFile(_File):
    """One measured channel, or the same one on several modules: ``modules: [zone1, zone2]``."""
    quantity: str = Field(pattern=KIND, max_length=40)
    unit: str = Field(max_length=20)
    module: str = Field("", pattern=MODULE, max_length=40, description="a word, and a number where there are several: 'zone7'")
    modules: tuple[Annotated[str, Field(pattern=MODULE, max_length=40)], ...] = Field((), max_length=1000)
    rate_hz: float = Field(1.0, gt=0, le=1000)
    low: float | None = Field(None, description="range, in the unit")
    high: float | None = None
    resolution: float = Field(0.0, ge=0, description="step, in the unit; 0 for none")
    noise: float = Field(0.0, ge=0, description="standard deviation, in the unit")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of readings that get lost")
    clock_offset_s: float = Field(0.0, ge=-3600, le=3600, description="by which its clock is fast")
    window_rate_hz: float = Field(0.0, ge=0, le=1e6, description="of high-rate windows; 0: none")


class ChangeoverFile(_File):
    """Setting up for the next lot."""
    units: int = Field(ge=1, le=10_000_000, description="lot size")
    setup_min: float = Field(ge=0, le=10_000)


class ProductionFile(_File):
    """How the line is run."""
    takt_s: float = Field(ge=0.1, le=86_400, description="between two boards that the loader releases")
    crew: int = Field(2, ge=1, le=1000, description="people who repair and refill")
    changeover: ChangeoverFile | None = None
    hours_a_day: float = Field(24.0, gt=0, le=24)
    days_a_week: int = Field(7, ge=1, le=7)


class _StationFile(Protocol):
    """What this module reads of a scene's station."""
    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def flow(self) -> FlowFile | None: ...
    @property
    def drifts(self) -> tuple[DriftFile, ...]: ...
    @property
    def sensors(self) -> tuple[ChannelsFile, ...]: ...


FILES: tuple[type[BaseModel], ...] = (SupplyFile, FlowFile, DriftFile, ChannelsFile, ChangeoverFile, ProductionFile)


def line(path: Path, identity: str, production: ProductionFile | None, stations: Sequence[_StationFile],
         stencil: float) -> Line | None:
    """The line of a scene file at ``path``; None where no station has a flow. ``identity`` is its ISA-95 id.

    ``stencil`` is the thickness of its stencil [m].

    Raises SceneError with the file, the dotted place and the mend.
    """
    moving, add = [s.id for s in stations if s.flow is not None], "add flow: {cycle_s: 20} to every station"
    if not moving:
        for k, s in enumerate(stations):
            for name, block in (("drifts", s.drifts), ("sensors", s.sensors)):
                if block:
                    raise SceneError(f"{path}: stations.{k}.{name}: '{s.id}' has no flow; {add}")
        if production is not None:
            raise SceneError(f"{path}: production: no station has a flow; {add}, or leave it out")
        return None
    for k, s in enumerate(stations):
        if s.flow is None:
            raise SceneError(f"{path}: stations.{k}.flow: missing on '{s.id}' while '{moving[0]}' has one; {add}")
    if production is None:
        raise SceneError(f"{path}: production: missing; add production: {{takt_s: 24}} beside 'stations'")
    flows = _ordered(path, [_flow(path, k, stations, identity) for k in range(len(stations))], [s.id for s in stations])
    lot = production.changeover
    return Line(identity, production.takt_s, flows, _drifts(path, stations), _sensors(path, stations), production.crew,
                Changeover(lot.units, lot.setup_min * MINUTE) if lot else None, production.hours_a_day, production.days_a_week,
                stencil)


def _flow(path: Path, k: int, stations: Sequence[_StationFile], identity: str) -> StationFlow:
    station, where, ids = stations[k], f"{path}: stations.{k}.flow", [s.id for s in stations]
    flow = station.flow
    assert flow is not None
    if flow.buffer < 0:
        raise SceneError(f"{where}.buffer: {flow.buffer} places; give 0 for none (from hand to hand) or a positive number")
    if (flow.mtbf_h is None) != (flow.mttr_min is None):
        missing = "mttr_min" if flow.mttr_min is None else "mtbf_h"
        raise SceneError(f"{where}.{missing}: missing; random stops need both mtbf_h and mttr_min")
    after = flow.after if flow.after is not None else (ids[k - 1],) if k else ()
    for j, name in enumerate(after):
        if name not in ids:
            near = get_close_matches(name, ids, n=1)
            raise SceneError(f"{where}.after.{j}: no station '{name}'; "
                             + (f"did you mean '{near[0]}'?" if near else f"known: {', '.join(ids)}"))
        if after.index(name) != j:
            raise SceneError(f"{where}.after.{j}: '{name}' stands there twice; name it once")
    names = [s.name for s in flow.supplies]
    for j, name in enumerate(names):
        if names.index(name) != j:
            raise SceneError(f"{where}.supplies.{j}.name: '{name}' is used twice; every supply of a station has its own")
    return StationFlow(
        station.id, station.kind, f"{identity}/{station.id}", after, flow.cycle_s, flow.cycle_std_s, flow.interval_s, flow.slots,
        flow.buffer, flow.mtbf_h * HOUR if flow.mtbf_h is not None else math.inf,
        flow.mttr_min * MINUTE if flow.mttr_min is not None else 0.0, flow.share,
        tuple(Supply(s.name, s.units, s.refill_s, s.crew) for s in flow.supplies))


def _ordered(path: Path, flows: list[StationFlow], ids: list[str]) -> tuple[StationFlow, ...]:
    """Feeders before those they feed, else as in the file. Refuses circles and whatever the loader does not reach."""
    starts = [f.station for f in flows if not f.after]
    for extra in starts[1:]:
        raise SceneError(f"{path}: stations.{ids.index(extra)}.flow.after: nothing reaches '{extra}', as the line begins at "
                         f"'{starts[0]}'; name the stations that feed it, or leave 'after' out for the one before it")
    placed: list[StationFlow] = []
    done: set[str] = set()
    while len(placed) < len(flows):
        ready = next((f for f in flows if f.station not in done and done.issuperset(f.after)), None)
        if ready is None:
            circle = _circle({f.station: f.after for f in flows if f.station not in done})
            raise SceneError(f"{path}: stations.{ids.index(circle[0])}.flow.after: units would go in a circle, "
                             f"{' → '.join(circle)}; take '{circle[-2]}' out of it")
        placed.append(ready)
        done.add(ready.station)
    return tuple(placed)


def _circle(after: dict[str, tuple[str, ...]]) -> list[str]:
    """One circle among stations that all wait for another, in the direction of the units: it begins and ends with the same."""
    way = [next(iter(after))]
    while way[-1] not in way[:-1]:
        way.append(next(name for name in after[way[-1]] if name in after))
    return way[way.index(way[-1]):][::-1]


def _drifts(path: Path, stations: Sequence[_StationFile]) -> tuple[Drift, ...]:
    from scenes.line import drifts as known  # scipy: only a living line needs it
    found: dict[str, Drift] = {}
    parts: dict[tuple[str, str, str], str] = {}                           # what wears, and the id under which it does
    for k, station in enumerate(stations):
        for j, file in enumerate(station.drifts):
            where = f"{path}: stations.{k}.drifts.{j}"
            if file.id in found:
                raise SceneError(f"{where}.id: '{file.id}' is used twice; every drift of the line has its own")
            kind = known.KINDS.get(file.kind)
            if kind is not None:
                if station.kind != kind.station:
                    raise SceneError(f"{where}.kind: '{file.kind}' happens on a '{kind.station}', '{station.id}' is of kind "
                                     f"'{station.kind}'; move it there")
                right, wrong = ("life_cycles", "life_h") if kind.counts == "cycles" else ("life_h", "life_cycles")
                if getattr(file, wrong) is not None:
                    raise SceneError(f"{where}.{wrong}: a life of '{file.kind}' is counted in {kind.counts}; write {right}")
            life = file.life_cycles or (file.life_h or 0.0) * HOUR
            drift = Drift(file.id, file.kind, station.id, file.module, life, file.life_spread, file.start_h * HOUR, file.initial,
                          file.alarm, math.inf if file.maintain is None else file.maintain, file.repair_min * MINUTE,
                          dict(file.parameters))
            try:
                known.check(drift, station.kind)
            except SceneError as error:
                raise SceneError(f"{where}{str(error).removeprefix(f'drifts.{drift.id}')}") from None
            part = (drift.kind, drift.station, drift.module)
            if part in parts:
                raise SceneError(f"{where}: '{parts[part]}' is the same '{drift.kind}' of {drift.module or drift.station}; "
                                 "a part wears once, give it one drift")
            parts[part] = drift.id
            found[file.id] = drift
    return tuple(found.values())


def _sensors(path: Path, stations: Sequence[_StationFile]) -> tuple[Sensor, ...]:
    from scenes.line import quantities
    found: dict[str, Sensor] = {}
    for k, station in enumerate(stations):
        for j, file in enumerate(station.sensors):
            where = f"{path}: stations.{k}.sensors.{j}"
            low = -math.inf if file.low is None else file.low
            high = math.inf if file.high is None else file.high
            if not low < high:
                raise SceneError(f"{where}.high: {high:g} is not above low {low:g}; give the range as low < high")
            if file.module and file.modules:
                raise SceneError(f"{where}.modules: 'module' is given too; write one of the two")
            for module in file.modules or (file.module,):
                channel = "/".join(word for word in (station.id, module, file.quantity) if word)
                if channel in found:
                    raise SceneError(f"{where}: channel '{channel}' is there already; measure it once")
                sensor = Sensor(channel, station.id, file.quantity, file.unit, file.rate_hz, low, high, file.resolution,
                                file.noise, file.dropout, file.clock_offset_s, file.window_rate_hz)
                try:
                    quantities.check(sensor, station.kind)
                except SceneError as error:
                    raise SceneError(f"{where}{str(error).removeprefix(f'sensors.{channel}')}") from None
                found[channel] = sensor
                if len(found) > CHANNELS:
                    raise SceneError(f"{where}: more than {CHANNELS} channels; split the line")
    return tuple(found.values())


__all__ = ["FILES", "ChannelsFile", "DriftFile", "FlowFile", "ProductionFile", "line"]
