"""cfx: a run as IPC-2591 CFX messages, in the order of time, one JSON object a line.

Every message is marked as simulated where CFX has room for it: its ``Source``, the handle of the sender, begins with
"SIMULATED." and then is the station's ISA-95 id with dots; units, packages and tools have identifiers that begin with "SIM-".
Ids are UUIDs of version 5 over the run and the place in it, so the same run gives the same bytes, whatever is left out.
"""
from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from generators.dataset.schema import canonical
from generators.events.cfx_models import (
    EnergyConsumed,
    FaultOccurred,
    MaintenancePerformed,
    MaterialsInstalled,
    MaterialsLoaded,
    Message,
    StationStateChanged,
    StencilCleaned,
    ToolChanged,
    UnitsInspected,
    UnitsProcessed,
    WorkCompleted,
    WorkStarted,
)
from generators.events.cfx_names import handle, unit_id
from generators.events.cfx_teller import AT_END, ENDED, FAULT, FINISHED, HOUR, OTHER, PERIOD, STARTED, STATE, Teller
from generators.events.channels import Readings
from generators.events.files import lines, write_lines
from generators.events.outcomes import Call, Outcomes, Paste, judges
from scenes.errors import DatasetError, InputError, InvariantError
from scenes.line.model import Line, Run

KINDS: Mapping[str, str] = {c.__name__: c.model_fields["type_"].default.removesuffix(", CFX") for c in (
    WorkStarted, WorkCompleted, UnitsInspected, UnitsProcessed, MaterialsInstalled, MaterialsLoaded, StationStateChanged,
    FaultOccurred, MaintenancePerformed, StencilCleaned, ToolChanged, EnergyConsumed)}   # short name: MessageName
LONGEST_LINE = 4 << 20                         # [bytes] of one message


def messages(run: Run, outcomes: Outcomes | None, start: datetime, *, stations: Collection[str] | None = None,
             kinds: Collection[str] | None = None, between: tuple[float, float] = (0.0, np.inf),
             readings: Readings | None = None, setpoints: Mapping[str, float] | None = None, name: str = "") -> Iterator[Message]:
    """What the machines of a line said, one message after the other.

    Args:
        run: What happened.
        outcomes: What inspections found; where their calls are not known there are no UnitsInspected.
        start: The moment of the run's second 0, with its time zone.
        stations: Only of these; all by default.
        kinds: Only these, as in ``KINDS``: "WorkStarted", "FaultOccurred" …
        between: Only from the first [s] on and before the second.
        readings: Of the line's sensors, for oven zones, print strokes and energy.
        setpoints: What machines were set to, by channel, in the quantity's own unit: °C, m/s; see ``quantities.UNITS``.
        name: Of the run, for the ids; by default the digest of the run itself.

    Raises:
        InputError: an unknown station, kind or unit of a sensor, or a start without time zone.
        InvariantError: outcomes of an inspection that the run does not have.
    """
    if start.tzinfo is None:
        raise InputError("start: has no time zone; give one, for example datetime(…, tzinfo=UTC)")
    ids = [s.station for s in run.line.stations]
    for what, given, known in (("stations", stations, ids), ("kinds", kinds, list(KINDS))):
        for wrong in [] if given is None else sorted(set(given) - set(known)):
            raise InputError(f"{what}: '{wrong}' is not known; known: {', '.join(known)}")
    wanted = set(ids if stations is None else stations)
    shown = frozenset(KINDS if kinds is None else kinds)
    teller = Teller(run, start, namespace(run, name), shown, readings, setpoints or {}, _by_visit(run, outcomes))
    order = _order(run, between, readings)
    for chunk in np.array_split(order, max(1, len(order) // 10_000)):
        for time, rank, row, column in zip(*(chunk[n].tolist() for n in ("time", "rank", "row", "column")), strict=True):
            bodies = teller.tell(time, rank, row, column)
            station = run.line.stations[column]
            if time < between[0] or station.station not in wanted:
                continue
            for key, body in bodies:
                yield teller.envelope(time, station, key, body)


def namespace(run: Run, name: str = "") -> UUID:
    """The namespace of a run's ids: version 5 over its name, or over its content."""
    if not name:
        sha = hashlib.sha256(canonical(json.loads(TypeAdapter(Line).dump_json(run.line))).encode())
        for array in (run.arrive, run.start, run.finish, run.leave):
            sha.update(np.ascontiguousarray(array).tobytes())
        name = sha.hexdigest()
    return uuid5(NAMESPACE_URL, f"linetwin:run:{name}")


def write(path: str | Path, said: Iterable[Message]) -> int:
    """Write messages as JSON lines, all at once or not at all. Returns how many. Raises StorageError."""
    return write_lines(Path(path), (m.__pydantic_serializer__.to_json(m) for m in said))


def read(path: str | Path) -> Iterator[Message]:
    """Messages of a file of JSON lines. Raises DatasetError with the number of the line."""
    for number, line in lines(Path(path), LONGEST_LINE):
        try:
            yield Message.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise DatasetError(f"{path}:{number}: {where}: {first['msg']}; not a message of ours, take the line out") from None


def _by_visit(run: Run, outcomes: Outcomes | None) -> dict[tuple[int, str], tuple[list[Call], list[Paste]]] | None:
    if outcomes is None or outcomes.calls is None:
        return None
    found: dict[tuple[int, str], tuple[list[Call], list[Paste]]] = defaultdict(lambda: ([], []))
    for call in outcomes.calls:
        found[call.unit, call.station][0].append(call)
    for paste in outcomes.pastes:
        found[paste.unit, paste.station][1].append(paste)
    judging = {s.station for s in judges(run.line)}
    columns = {s.station: i for i, s in enumerate(run.line.stations) if s.station in judging}
    for unit, station in found:
        if station not in columns or not 0 <= unit < len(run.start) or np.isnan(run.start[unit, columns[station]]):
            raise InvariantError(f"outcomes: unit {unit} was never inspected at '{station}'; this is a bug of ours")
    return dict(found)


def _order(run: Run, between: tuple[float, float], readings: Readings | None) -> NDArray[Any]:
    """Everything there is to tell, in the order of time: time [s], rank, row (a unit's, an event's) and column (a station's).

    Visits before ``between`` are left out; events are not, for states follow from one another.
    """
    columns = {s.station: i for i, s in enumerate(run.line.stations)}
    parts: list[tuple[NDArray[Any], int, NDArray[Any], NDArray[Any]]] = []
    for times, rank in ((run.start, STARTED), (run.finish, FINISHED)):
        row, column = np.nonzero((times >= between[0]) & (times < between[1]))
        parts.append((times[row, column], rank, row, column))
    ranks = {"fault": FAULT, "alarm": FAULT, "state": STATE}
    for rank in (ENDED, FAULT, STATE, OTHER):
        ended = rank == ENDED                 # told when it is over
        chosen = [(e.time + (e.duration if ended else 0.0), i, columns[e.station]) for i, e in enumerate(run.events)
                  if (e.kind in AT_END) == ended and (ended or ranks.get(e.kind, OTHER) == rank)]
        table = np.array([c for c in chosen if c[0] < min(between[1], run.duration)], np.float64).reshape(-1, 3)
        parts.append((table[:, 0], rank, table[:, 1].astype(np.int64), table[:, 2].astype(np.int64)))
    if readings is not None:
        hours = np.arange(1, int(run.duration // HOUR) + 1) * HOUR
        hours = hours[(hours >= between[0]) & (hours < between[1])]
        for place in columns.values():
            parts.append((hours, PERIOD, np.zeros(len(hours), np.int64), np.full(len(hours), place)))
    order = np.empty(sum(len(p[0]) for p in parts), [("time", "f8"), ("rank", "i1"), ("row", "i8"), ("column", "i4")])
    at = 0
    for time, rank, row, column in parts:
        part = order[at:at + len(time)]
        part["time"], part["rank"], part["row"], part["column"] = time, rank, row, column
        at += len(time)
    sequence: NDArray[Any] = order[np.lexsort((order["column"], order["row"], order["rank"], order["time"]))]
    return sequence


__all__ = ["KINDS", "handle", "messages", "namespace", "read", "unit_id", "write"]
