"""cfx_teller: what the next message of a run says, given what came before it."""
from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np

from generators.events.cfx_bodies import (
    fault_of,
    inspected,
    installed,
    loaded,
    package,
    printed,
    processed,
    reflowed,
    tool_of,
)
from generators.events.cfx_models import (
    EnergyConsumed,
    FaultOccurred,
    MaintenancePerformed,
    Message,
    StationStateChanged,
    StencilCleaned,
    ToolChanged,
    WorkCompleted,
    WorkStarted,
)
from generators.events.cfx_names import Clock, Ids, handle, span, unit_id
from generators.events.cfx_structures import AnyFault, Cfx, MaintenanceTask, MaterialPackage, Operator, Stencil, UnitPosition
from generators.events.channels import Readings
from generators.events.outcomes import Call, Paste, judges
from scenes.errors import InputError
from scenes.line.model import Event, Run, State, StationFlow
from scenes.line.quantities import UNITS

HOUR = 3600.0                                  # [s] between two EnergyConsumed of a station
FINISHED, ENDED, FAULT, STATE, OTHER, STARTED, PERIOD = range(7)          # what there is to tell, in order where times are equal
AT_END = ("repair", "maintenance", "cleaning", "material")
SCALES = {unit: scale for units in UNITS.values() for unit, scale in units.items()}   # value in it = own · scale + offset
Said = list[tuple[str, Cfx]]                  # key of the message within the run, body


@dataclass
class Teller:
    """What a message needs to know of what came before it."""
    run: Run
    start: datetime
    run_id: UUID
    shown: frozenset[str]
    readings: Readings | None
    setpoints: Mapping[str, float]
    found: dict[tuple[int, str], tuple[list[Call], list[Paste]]] | None
    state: dict[str, tuple[int, float]] = field(default_factory=dict)     # station: its state and since when
    faults: dict[str, AnyFault] = field(default_factory=dict)             # station: what is wrong now
    renewed: dict[str, int] = field(default_factory=lambda: defaultdict(int))        # drift: times
    wiped: dict[str, tuple[float, int]] = field(default_factory=dict)     # station: last wipe [s] and how many so far

    def __post_init__(self) -> None:
        self.ids, self.clock = Ids(self.run_id), Clock(self.start)
        self.handles = {s.station: handle(s.path) for s in self.run.line.stations}
        self.drifts = {d.id: d for d in self.run.line.drifts}
        self.tag = unit_id(self.run.line, 0)[:-7]
        self.ends = {s.station: np.sort(self.run.finish[:, i][~np.isnan(self.run.finish[:, i])]).tolist()
                     for i, s in enumerate(self.run.line.stations)}
        self.judges = {s.station for s in judges(self.run.line)}
        self.channels: dict[str, list[tuple[int, str, float, float]]] = defaultdict(list)   # column, name, scale, offset
        units = {s.channel: s.unit for s in self.run.line.sensors}
        for i, name in enumerate(self.readings.channels if self.readings is not None else ()):
            if name in units:                  # a channel that the line does not know has no unit
                if units[name] not in SCALES:
                    raise InputError(f"sensors.{name}.unit: '{units[name]}' is not known; known: {', '.join(SCALES)}")
                self.channels[name.split("/", 1)[0]].append((i, name, *SCALES[units[name]]))
        self.refills: dict[tuple[str, str], list[float]] = {}
        material = [e for e in self.run.events if e.kind == "material"]
        for station in self.run.line.stations:
            for supply in station.supplies:
                self.refills[station.station, supply.name] = [
                    e.time + e.duration for e in material if e.station == station.station and e.code == supply.name]

    def envelope(self, time: float, station: StationFlow, key: str, body: Cfx) -> Message:
        named: Any = body
        return Message(MessageName=named.type_[:-5], TimeStamp=self.clock.at(time), UniqueID=self.ids.of(key),
                       Source=self.handles[station.station], MessageBody=named)

    def tell(self, time: float, rank: int, row: int, column: int) -> Said:
        station = self.run.line.stations[column]
        if rank == STARTED:
            return self._started(station, row)
        if rank == FINISHED:
            return self._finished(time, station, row, column)
        if rank == PERIOD:
            return self._energy(time, station)
        return self._event(time, station, row, self.run.events[row])

    def _work(self, station: StationFlow, unit: int) -> tuple[str, str]:
        return self.ids.of(f"work/{station.station}/{unit}"), f"{self.tag}{unit:07d}"

    def _started(self, station: StationFlow, unit: int) -> Said:
        if "WorkStarted" not in self.shown:
            return []
        work, name = self._work(station, unit)
        return [(f"started/{station.station}/{unit}", WorkStarted(
            PrimaryIdentifier=name, TransactionID=work, UnitCount=1, Units=(UnitPosition(UnitIdentifier=name),)))]

    def _finished(self, time: float, station: StationFlow, unit: int, column: int) -> Said:
        work, name = self._work(station, unit)
        said: Said = []
        where, shown = f"{station.station}/{unit}", self.shown
        if station.station in self.judges and self.found is not None and "UnitsInspected" in shown:
            calls, pastes = self.found.get((unit, station.station), ((), ()))
            times = self.clock.at(self.run.start[unit, column]), self.clock.at(time)
            said.append((f"inspected/{where}", inspected(work, name, station, calls, pastes, times, work)))
        if station.kind == "printer" and "UnitsProcessed" in shown:
            data = printed(station, time - self.run.start[unit, column], self._read(station.station, time))
            said.append((f"processed/{where}", processed(work, name, data)))
        elif station.kind == "reflow" and "UnitsProcessed" in shown:
            oven = reflowed(station.station, self._read(station.station, time), self.setpoints)
            said.append((f"processed/{where}", processed(work, name, oven)))
        if station.supplies and "MaterialsInstalled" in shown:
            packages = [self._package(station, s.name, s.units, self.run.start[unit, column])
                        for s in station.supplies if s.name != "wipe"]
            if packages:
                said.append((f"installed/{where}", installed(work, name, packages)))
        if "WorkCompleted" in shown:
            said.append((f"completed/{where}", WorkCompleted(TransactionID=work, PrimaryIdentifier=name, UnitCount=1,
                                                             Units=(UnitPosition(UnitIdentifier=name),))))
        return said

    def _read(self, station: str, time: float) -> dict[str, float]:
        """Readings of one station by channel, in the quantity's own unit, to the digits that a float32 has; without lost ones."""
        if self.readings is None:
            return {}
        values = self.readings.at(time).tolist()
        found = {}
        for i, name, scale, offset in self.channels.get(station, ()):
            if values[i] == values[i]:
                read = float(f"{values[i]:.7g}")
                found[name] = read if (scale, offset) == (1.0, 0.0) else float(f"{(read - offset) / scale:.9g}")
        return found

    def _package(self, station: StationFlow, supply: str, units: int, time: float) -> MaterialPackage:
        """The package that is mounted at a time, and how many boards it is still good for."""
        refills, ends = self.refills[station.station, supply], self.ends[station.station]
        number = bisect_right(refills, time)
        since = refills[number - 1] if number else -math.inf
        made = bisect_right(ends, time) - bisect_right(ends, since)
        return package(station.station, supply, number, float(max(units - made, 0)))

    def _event(self, time: float, station: StationFlow, index: int, event: Event) -> Said:
        key, name = f"event/{index}", station.station
        if event.kind == "state":
            return self._changed(time, name, key, int(event.code))
        if event.kind in ("fault", "alarm"):
            drift = self.drifts.get(event.drift)
            fault = fault_of(event, station, self.ids.of(f"fault/{index}"), drift.module if drift else "")
            if event.kind == "fault":
                self.faults[name] = fault
            return [(key, FaultOccurred(Fault=fault))] if "FaultOccurred" in self.shown else []
        if event.kind in ("repair", "maintenance"):
            return self._maintained(name, index, event)
        if event.kind == "cleaning":
            last, count = self.wiped.get(name, (0.0, 0))
            made = bisect_right(self.ends[name], time) - bisect_right(self.ends[name], last)
            self.wiped[name] = time, count + 1
            stencil = Stencil(UniqueIdentifier=f"SIM-{name}-stencil-0", Name="stencil")
            return [(key, StencilCleaned(
                Stencil=stencil, StencilCleanMode="W", TimeSinceLastClean=span(time - last),
                CyclesSinceLastClean=made, StencilCleanCycles=count + 1,
                StencilCleanTime=span(event.duration)))] if "StencilCleaned" in self.shown else []
        if event.kind == "material" and "MaterialsLoaded" in self.shown:
            units = next((s.units for s in station.supplies if s.name == event.code), 0)
            number = bisect_right(self.refills.get((name, event.code), []), time)
            return [(key, loaded(station.path, package(name, event.code, number, float(units))))]
        return []                              # changeovers and shifts are told by the states of the stations

    def _changed(self, time: float, station: str, key: str, new: int) -> Said:
        old, since = self.state.get(station, (int(State.NON_SCHEDULED), 0.0))
        self.state[station] = new, time
        fault = self.faults.get(station) if 5000 <= new < 6000 else None
        if fault is None:
            self.faults.pop(station, None)
        if "StationStateChanged" not in self.shown:
            return []
        codes: Any = {"OldState": old, "NewState": new}
        return [(key, StationStateChanged(**codes, OldStateDuration=span(time - since), RelatedFault=fault))]

    def _maintained(self, station: str, index: int, event: Event) -> Said:
        said: Said = []
        if "MaintenancePerformed" in self.shown:
            who = Operator(OperatorIdentifier=event.operator) if event.operator else None
            task = MaintenanceTask(Task=f"{event.kind}: {event.code.replace('_', ' ')}", TaskId=f"SIM-TASK-{index:06d}",
                                   Operator=who, ManHoursConsumed=event.duration / 3600)
            said.append((f"event/{index}", MaintenancePerformed(
                MaintenanceType="Repair" if event.kind == "repair" else "Preventive",
                MaintenanceOrderNumber=f"SIM-WO-{index:06d}", MaintenanceJobCode=event.code, Tasks=(task,))))
        drift = self.drifts.get(event.drift)
        if drift is not None:
            self.renewed[drift.id] += 1
            number = self.renewed[drift.id]
            new = tool_of(drift.kind, station, drift.module, number)
            if new is not None and "ToolChanged" in self.shown:
                old = tool_of(drift.kind, station, drift.module, number - 1)
                said.append((f"tool/{index}", ToolChanged(OldTool=old, NewTool=new)))
        return said

    def _energy(self, time: float, station: StationFlow) -> Said:
        """Over the last hour, from the station's channels of electric power, looked at every minute."""
        if self.readings is None or "EnergyConsumed" not in self.shown:
            return []
        ours = [c for c in self.channels.get(station.station, ()) if c[1].rsplit("/", 1)[-1] == "power"]
        if not ours:
            return []
        columns, scales, offsets = [c[0] for c in ours], np.array([c[2] for c in ours]), np.array([c[3] for c in ours])
        read = np.array([self.readings.at(t)[columns] for t in np.arange(time - HOUR, time, 60.0)], np.float64)
        power = ((read - offsets) / scales).sum(axis=1)
        power = power[~np.isnan(power)]
        if not len(power):
            return []
        mean = float(power.mean())
        return [(f"energy/{station.station}/{time:.0f}", EnergyConsumed(
            StartTime=self.clock.at(time - HOUR), EndTime=self.clock.at(time), EnergyUsed=mean * HOUR / 3.6e6,
            PeakPower=float(power.max()), MinimumPower=float(power.min()), MeanPower=mean))]


__all__ = ["AT_END", "ENDED", "FAULT", "FINISHED", "HOUR", "OTHER", "PERIOD", "STARTED", "STATE", "Teller"]
