"""tables: a run's history as a folder of Parquet files, and back, exactly.

::

    FOLDER/
      run.json          the line, the duration, and the SHA-256 of every file below; written last, so a run is there or not
      visits.parquet    one row per unit and station that it visited: arrive, start, finish, leave [s]
      units.parquet     one row per unit: boards since the last wipe, outcome
      events.parquet    states, faults, repairs, materials, in the order of time
      drifts.parquet    severity and remaining life of every drift at every look
      calls.parquet     what inspections found, where it is known
      pastes.parquet    what paste inspection measured, where it is known
      channels.parquet  readings of the sensors, see ``channels``; written by itself

Times are seconds from the start of the run. The same run gives the same bytes.
"""
from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from generators.dataset.schema import canonical
from generators.dataset.shards import file_digest, write_file
from generators.events.files import read_table, write_parquet
from generators.events.outcomes import Call, Outcomes, Paste
from scenes.errors import DatasetError, InvariantError
from scenes.line.model import Event, Line, Run

LARGEST_LINE = 16 << 20                        # [bytes] of run.json
LARGEST_RUN = 50_000_000                       # rows of any of the tables
_TIMES = ("arrive", "start", "finish", "leave")
_DATA = pa.list_(pa.struct([("name", pa.string()), ("number", pa.float64()), ("text", pa.string())]))
_WORD = pa.dictionary(pa.int32(), pa.string())

VISITS = pa.schema([("unit", pa.int32()), ("station", _WORD), *((n, pa.float64()) for n in _TIMES)])
EVENTS = pa.schema([("time", pa.float64()), ("station", _WORD), ("kind", _WORD), ("code", _WORD), ("drift", _WORD),
                    ("unit", pa.int64()), ("duration", pa.float64()), ("operator", _WORD), ("data", _DATA)])
UNITS = pa.schema([("unit", pa.int32()), ("since_wipe", pa.int32()), ("defects", pa.int32()), ("called", pa.int32()),
                   ("false_calls", pa.int32())])
CALLS = pa.schema([("unit", pa.int32()), ("station", _WORD), ("defect", _WORD), ("component", _WORD), ("severity", pa.float64()),
                   ("real", pa.bool_())])
PASTES = pa.schema([("unit", pa.int32()), ("station", _WORD), ("pad", _WORD),
                    *((f.name, pa.float64()) for f in fields(Paste) if f.type == "float"), ("passed", pa.bool_())])
_UNITS = {"time": "s", "duration": "s", "arrive": "s", "start": "s", "finish": "s", "leave": "s", "volume": "m3", "height": "m",
          "area": "m2", "nominal_volume": "m3", "nominal_height": "m", "nominal_area": "m2", "dx": "m", "dy": "m",
          "area_ratio": "1"}
_OUTCOME = ("defects", "called", "false_calls")   # columns without values where nobody knows them
_NAMES = ("visits.parquet", "units.parquet", "events.parquet", "drifts.parquet", "calls.parquet", "pastes.parquet")


class RunFile(BaseModel):
    """run.json. Infinite numbers are the strings "Infinity" and "-Infinity"."""
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")
    linetwin_run: Literal[1] = 1
    line: Line
    duration: float = Field(ge=0, allow_inf_nan=False)
    start: AwareDatetime | None = Field(None, description="the moment of second 0")
    units: int = Field(ge=0, le=LARGEST_RUN)
    files: dict[str, str] = Field(description="SHA-256 of each table")


def write_run(run: Run, folder: str | Path, outcomes: Outcomes | None = None, *, start: datetime | None = None) -> Path:
    """Write a run, and what inspections found in it, into a folder. What is there of an older run is replaced.

    Args:
        start: The moment of the run's second 0, with its time zone, where it has one.

    Raises:
        StorageError: the target cannot take it.
        InvariantError: the run's arrays contradict each other.
    """
    folder = Path(folder)
    _check(run)
    tables: dict[str, pa.Table] = {
        "visits.parquet": _visits(run), "units.parquet": _units(run, outcomes), "events.parquet": _events(run.events),
        "drifts.parquet": _drifts(run)}
    if outcomes is not None and outcomes.calls is not None:
        tables["calls.parquet"] = _rows(outcomes.calls, CALLS)
    if outcomes is not None and outcomes.pastes:
        tables["pastes.parquet"] = _rows(outcomes.pastes, PASTES)
    with contextlib.suppress(FileNotFoundError):
        (folder / "run.json").unlink()         # not a run any more until all of it is there
    for name, table in tables.items():
        said = table.replace_schema_metadata({"linetwin": _about(run.line, table.schema)})
        write_parquet(folder / name, said.schema, [said])
    for name in _NAMES:
        if name not in tables:
            (folder / name).unlink(missing_ok=True)
    file = RunFile(line=run.line, duration=run.duration, start=start, units=len(run.arrive),
                   files={name: file_digest(folder / name) for name in tables})
    write_file(folder / "run.json", canonical(json.loads(file.model_dump_json())) + "\n")
    return folder


def read_run(folder: str | Path) -> Run:
    """Read a run back, bit by bit as it was written.

    Raises:
        DatasetError: it is not there, not whole, or not ours; the message says what to do.
    """
    folder = Path(folder)
    file = _open(folder)
    stations = {s.station: i for i, s in enumerate(file.line.stations)}
    shape = (file.units, len(stations))
    if file.units * len(stations) > LARGEST_RUN:
        raise DatasetError(f"{folder}: {file.units} units at {len(stations)} stations; at most {LARGEST_RUN} visits")
    visits = _read(folder, "visits.parquet", file, VISITS)
    unit, column = visits["unit"].to_numpy(), _positions(folder, visits["station"], stations)
    if len(unit) and not (unit.min() >= 0 and unit.max() < file.units):
        raise DatasetError(f"{folder / 'visits.parquet'}: a unit is outside 0…{file.units - 1}; write the run again")
    times: dict[str, NDArray[np.float64]] = {}
    for name in _TIMES:
        times[name] = np.full(shape, np.nan)
        times[name][unit, column] = visits[name].to_numpy()
    units = _read(folder, "units.parquet", file, UNITS)
    if units["unit"].to_pylist() != list(range(file.units)):
        raise DatasetError(f"{folder / 'units.parquet'}: not one row per unit; write the run again")
    drifts = _read(folder, "drifts.parquet", file, _drift_schema(file.line))
    looks = len(drifts)
    severity, remaining = (np.empty((looks, len(file.line.drifts))) for _ in range(2))
    for d, drift in enumerate(file.line.drifts):
        severity[:, d] = drifts[f"{drift.id}/severity"].to_numpy()
        remaining[:, d] = drifts[f"{drift.id}/remaining"].to_numpy()
    return Run(file.line, file.duration, **times, events=_read_events(_read(folder, "events.parquet", file, EVENTS)),
               times=drifts["time"].to_numpy().copy(), severity=severity, remaining=remaining,
               since_wipe=units["since_wipe"].to_numpy().astype(np.int32))


def read_start(folder: str | Path) -> datetime | None:
    """The moment of a run's second 0; None where it was written without. Raises DatasetError."""
    return _open(Path(folder)).start


def read_outcomes(folder: str | Path) -> Outcomes | None:
    """What inspections found, or None where a run was written without. Raises DatasetError."""
    folder = Path(folder)
    file = _open(folder)
    column = _read(folder, "units.parquet", file, UNITS)["defects"]
    defects = None if column.null_count or not file.units else column.to_numpy().astype(np.int32)
    rows: dict[str, list[dict[str, Any]] | None] = {"calls.parquet": None, "pastes.parquet": None}
    for name, schema in (("calls.parquet", CALLS), ("pastes.parquet", PASTES)):
        if name in file.files:
            rows[name] = _read(folder, name, file, schema).to_pylist()
    calls, pastes = rows["calls.parquet"], rows["pastes.parquet"]
    if calls is None and pastes is None and defects is None:
        return None
    return Outcomes(None if calls is None else tuple(Call(**c) for c in calls), tuple(Paste(**p) for p in pastes or ()), defects)


def read_line(folder: str | Path) -> Line:
    """Only the line of a run. Raises DatasetError."""
    return _open(Path(folder)).line


def _about(line: Line, schema: pa.Schema) -> str:
    """What every table says of itself: simulated, whose, and in which units."""
    from scenes.line.drifts import KINDS  # scipy: only who writes a run needs it

    units = {name: unit for name, unit in _UNITS.items() if name in schema.names}
    for drift in line.drifts:
        if f"{drift.id}/severity" in schema.names:
            by_cycles = drift.kind in KINDS and KINDS[drift.kind].counts == "cycles"
            units |= {f"{drift.id}/severity": "1", f"{drift.id}/remaining": "cycles" if by_cycles else "s of work"}
    paths = {s.station: s.path for s in line.stations}
    return canonical({"simulated": True, "line": line.path, "stations": paths, "units": units})


def _check(run: Run) -> None:
    """The run's own arrays must fit each other."""
    shape = (len(run.arrive), len(run.line.stations))
    looks = (len(run.times), len(run.line.drifts))
    wanted = {"arrive": shape, "start": shape, "finish": shape, "leave": shape, "since_wipe": shape[:1],
              "severity": looks, "remaining": looks}
    for name, expected in wanted.items():
        if getattr(run, name).shape != expected:
            raise InvariantError(f"run.{name}: shape {getattr(run, name).shape} instead of {expected}; this is a bug of ours")


def _visits(run: Run) -> pa.Table:
    """Every visit that left at least one time, by unit, then by place in the line."""
    seen = np.zeros(run.arrive.shape, bool)
    for name in _TIMES:
        seen |= ~np.isnan(getattr(run, name))
    unit, column = np.nonzero(seen)
    station = pa.DictionaryArray.from_arrays(pa.array(column.astype(np.int32)),
                                             pa.array([s.station for s in run.line.stations], pa.string()))
    return pa.table([pa.array(unit.astype(np.int32)), station, *(pa.array(getattr(run, n)[seen]) for n in _TIMES)], schema=VISITS)


def _units(run: Run, outcomes: Outcomes | None) -> pa.Table:
    """Outcome columns are null where nothing is known about outcomes."""
    count = len(run.arrive)
    empty = pa.nulls(count, pa.int32())
    defects = called = false = empty
    if outcomes is not None and outcomes.calls is not None:
        real = np.array([c.unit for c in outcomes.calls if c.real], np.int64)
        wrong = np.array([c.unit for c in outcomes.calls if not c.real], np.int64)
        called, false = (pa.array(np.bincount(u, minlength=count).astype(np.int32)) for u in (real, wrong))
        if max(len(called), len(false)) > count:
            raise InvariantError(f"outcomes: a call is about a unit after the last, {count - 1}; this is a bug of ours")
    if outcomes is not None and outcomes.defects is not None:
        defects = pa.array(np.asarray(outcomes.defects, np.int32))
    unit, wipe = pa.array(np.arange(count, dtype=np.int32)), pa.array(np.asarray(run.since_wipe, np.int32))
    return pa.table([unit, wipe, defects, called, false], schema=UNITS)


def _events(events: tuple[Event, ...]) -> pa.Table:
    data = [[{"name": k, "number": None if isinstance(v, str) else float(v), "text": v if isinstance(v, str) else None}
             for k, v in sorted(e.data.items())] for e in events]
    return _rows(events, EVENTS.remove(len(EVENTS) - 1)).append_column(EVENTS.field("data"), pa.array(data, _DATA))


def _read_events(table: pa.Table) -> tuple[Event, ...]:
    columns = [_plain(table[f.name]) for f in EVENTS if f.name != "data"]
    some = pc.list_value_length(table["data"]).to_numpy() > 0             # most events carry no data
    data: list[Mapping[str, float | str]] = [{}] * len(table)
    for row, known in zip(np.flatnonzero(some).tolist(), table["data"].filter(pa.array(some)).to_pylist(), strict=True):
        data[row] = {d["name"]: d["number"] if d["text"] is None else d["text"] for d in known}
    return tuple(Event(*row) for row in zip(*columns, data, strict=True))


def _plain(column: pa.ChunkedArray) -> list[Any]:
    """A column of words or numbers as a list; each word is one object, however often it comes."""
    if not pa.types.is_dictionary(column.type):
        return column.to_numpy().tolist()     # type: ignore[no-any-return]
    words: list[Any] = []
    for chunk in column.chunks:
        known = chunk.dictionary.to_pylist()
        words += [known[i] for i in chunk.indices.to_numpy().tolist()]
    return words


def _drift_schema(line: Line) -> pa.Schema:
    """One pair of columns per drift; what its remaining life counts depends on its kind."""
    pairs = [f"{d.id}/{what}" for d in line.drifts for what in ("severity", "remaining")]
    return pa.schema([("time", pa.float64()), *((name, pa.float64()) for name in pairs)])


def _drifts(run: Run) -> pa.Table:
    columns = [pa.array(run.times)]
    for d in range(len(run.line.drifts)):
        columns += [pa.array(np.ascontiguousarray(run.severity[:, d])), pa.array(np.ascontiguousarray(run.remaining[:, d]))]
    return pa.table(columns, schema=_drift_schema(run.line))


def _rows(items: tuple[Any, ...], schema: pa.Schema) -> pa.Table:
    """Dataclasses as rows."""
    columns = []
    for field in schema:
        plain = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        column = pa.array([getattr(i, field.name) for i in items], plain)
        columns.append(column.dictionary_encode() if pa.types.is_dictionary(field.type) else column)
    return pa.table(columns, schema=schema)


def _open(folder: Path) -> RunFile:
    path = folder / "run.json"
    try:
        if path.stat().st_size > LARGEST_LINE:
            raise DatasetError(f"{path}: larger than {LARGEST_LINE >> 20} MiB; this is not the file of a run")
        file = RunFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); give a folder that write_run has made") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise DatasetError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}; write the run again") from None
    return file


def _read(folder: Path, name: str, file: RunFile, schema: pa.Schema) -> pa.Table:
    """One table, its bytes and its columns checked."""
    path = folder / name
    if name not in file.files:
        raise DatasetError(f"{path}: run.json does not know it; write the run again")
    try:
        digest = file_digest(path)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); write the run again") from None
    if digest != file.files[name]:
        raise DatasetError(f"{path}: its bytes are not those that were written; write the run again")
    return read_table(path, schema, LARGEST_RUN, nulls=_OUTCOME)


def _positions(folder: Path, names: pa.ChunkedArray, stations: Mapping[str, int]) -> NDArray[np.int64]:
    """Place of every station in the line."""
    found = pc.index_in(names.cast(pa.string()), pa.array(list(stations), pa.string()))
    if found.null_count:
        raise DatasetError(f"{folder / 'visits.parquet'}: a station that the line does not have; write the run again")
    return found.to_numpy().astype(np.int64)


__all__ = ["RunFile", "read_line", "read_outcomes", "read_run", "read_start", "write_run"]
