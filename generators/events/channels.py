"""channels: readings of many sensors over a long time, as one wide Parquet table that is never in memory as a whole.

``channels.parquet`` has a column ``time`` [s from the start of the run] and one float32 column per channel, named as the
channel; NaN where a reading got lost. Rows come in groups of an hour at 1 Hz. A column's metadata carries its ISA-95 id, its
unit, and that it is simulated.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generators.dataset.schema import canonical
from generators.events.files import check_columns, open_parquet, read_rows, write_parquet
from scenes.errors import DatasetError
from scenes.line.authored import CHANNELS
from scenes.line.model import Line, Sensor

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
GROUP = 3600                                   # rows of a row group: an hour at 1 Hz; 1.4 MB for 100 channels
LARGEST = 50_000_000                           # rows: a year and a half at 1 Hz


class Readings(Protocol):
    """What sensors read, by time."""
    channels: tuple[str, ...]

    def at(self, time: float) -> F32:
        """The last reading of every channel at or before a time, shape (C,). NaN before the first."""


class ArrayReadings:
    """Readings that fit into memory.

    Args:
        channels: Names, C of them.
        times: Increasing [s], shape (T,).
        values: In each channel's unit, shape (T, C).
    """

    def __init__(self, channels: Sequence[str], times: F64, values: NDArray[Any]) -> None:
        self.channels = tuple(channels)
        self.times = np.asarray(times, np.float64)
        self.values = np.asarray(values, np.float32)
        if self.values.shape != (len(self.times), len(self.channels)):
            raise DatasetError(f"readings: values of shape {self.values.shape}; give ({len(self.times)}, {len(self.channels)})")

    def at(self, time: float) -> F32:
        row = int(np.searchsorted(self.times, time, side="right")) - 1
        return self.values[row] if row >= 0 else np.full(len(self.channels), np.nan, np.float32)


class ChannelFile:
    """``channels.parquet``, one row group in memory at a time. Close it, or use it with ``with``.

    Raises:
        DatasetError: it is not there, or damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        self._path = Path(folder) / "channels.parquet"
        self._file = open_parquet(self._path)
        schema = self._file.schema_arrow
        self.channels = tuple(schema.names[1:])
        floats = [pa.float64(), *[pa.float32()] * len(self.channels)]
        if schema.names[:1] != ["time"] or b"linetwin" not in (schema.metadata or {}) or schema.types != floats:
            raise DatasetError(f"{self._path}: not a table of channels; write it again")
        if len(self.channels) > CHANNELS or len(set(schema.names)) < len(schema.names):
            raise DatasetError(f"{self._path}: channels must have different names and be at most {CHANNELS}; write it again")
        check_columns(self._path, self._file, schema, LARGEST)
        self.units, self.paths = ({f.name: (f.metadata or {}).get(what, b"").decode(errors="replace")
                                   for f in schema if f.name != "time"} for what in (b"unit", b"path"))
        self._first, self._last = self._times()
        self._held = (-1, np.empty(0), np.empty((0, len(self.channels)), np.float32))

    def _times(self) -> tuple[F64, F64]:
        """First and last time [s] of every row group, read: a footer's statistics, damaged, end the process within pyarrow 26.

        Raises DatasetError.
        """
        count = self._file.num_row_groups
        first, last, before = np.empty(count), np.empty(count), -np.inf
        for g in range(count):
            if not 0 < self._file.metadata.row_group(g).num_rows <= GROUP:
                raise DatasetError(f"{self._path}: group {g} has not 1 to {GROUP} rows; write it again")
            times = self._columns([g], [])[0]
            if not (len(times) and times[0] > before and (np.diff(times) > 0).all()):      # false for NaN
                raise DatasetError(f"{self._path}: times do not increase in group {g}; write it again")
            first[g], last[g] = times[0], times[-1]
            before = last[g]
        return first, last

    def __enter__(self) -> ChannelFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def at(self, time: float) -> F32:
        group = int(np.searchsorted(self._first, time, side="right")) - 1
        if group < 0:
            return np.full(len(self.channels), np.nan, np.float32)
        times, values = self._group(group)
        return values[int(np.searchsorted(times, time, side="right")) - 1]

    def read(self, names: Sequence[str] | None = None, start: float = -np.inf, end: float = np.inf) -> tuple[F64, F32]:
        """Times [s], shape (T,), and values, shape (T, C), with ``start`` ≤ time < ``end``. Raises DatasetError."""
        wanted = list(self.channels if names is None else names)
        for name in wanted:
            if name not in self.units:
                raise DatasetError(f"{self._path}: no channel '{name}'; there are {', '.join(self.channels[:8])} …")
        groups = np.flatnonzero((self._last >= start) & (self._first < end)).tolist()
        times, values = self._columns(groups, wanted)
        keep = (times >= start) & (times < end)
        return times[keep], values[keep]

    def chunks(self) -> Iterator[tuple[F64, F32]]:
        """Everything, a row group at a time."""
        for group in range(len(self._first)):
            yield self._group(group)

    def _group(self, group: int) -> tuple[F64, F32]:
        if self._held[0] != group:
            self._held = (group, *self._columns([group], list(self.channels)))
        return self._held[1:]

    def _columns(self, groups: list[int], names: list[str]) -> tuple[F64, F32]:
        if not groups:
            return np.empty(0), np.empty((0, len(names)), np.float32)
        table = read_rows(self._path, lambda: self._file.read_row_groups(groups, columns=["time", *names]))
        values = np.empty((len(table), len(names)), np.float32)
        for c, name in enumerate(names):
            values[:, c] = table[name].to_numpy()
        return table["time"].to_numpy(), values


def channel_schema(line: Line, sensors: Sequence[Sensor]) -> pa.Schema:
    """Columns of the table, with each channel's ISA-95 id and unit."""
    columns = [pa.field("time", pa.float64(), nullable=False, metadata={"unit": "s"})]
    for s in sensors:
        about = {"path": f"{line.path}/{s.channel}", "station": s.station, "quantity": s.quantity, "unit": s.unit,
                 "simulated": "true"}
        columns.append(pa.field(s.channel, pa.float32(), metadata=about))
    return pa.schema(columns, metadata={"linetwin": canonical({"channels": 1, "line": line.path, "simulated": True})})


def write_channels(folder: str | Path, line: Line, chunks: Iterable[tuple[F64, NDArray[Any]]],
                   sensors: Sequence[Sensor] | None = None) -> Path:
    """Write ``channels.parquet``; a week of a hundred channels at 1 Hz holds a few megabytes at a time.

    Args:
        folder: Of the run.
        line: For the ISA-95 ids.
        chunks: Times [s], shape (n,), increasing over all chunks, and readings, shape (n, C). Any n.
        sensors: The C channels; all of the line's by default.

    Raises:
        StorageError: the target cannot take it.
        DatasetError: chunks that do not fit the sensors, or times that do not increase.
    """
    chosen = tuple(line.sensors if sensors is None else sensors)
    path = Path(folder) / "channels.parquet"
    names = [s.channel for s in chosen]
    if len(names) > CHANNELS or len(set(names)) < len(names) or "time" in names:
        raise DatasetError(f"{path}: channels must have different names, none of them 'time', and be at most {CHANNELS}")
    schema = channel_schema(line, chosen)
    return write_parquet(path, schema, _tables(path, schema, chunks), group=GROUP, repeats=True)


def _tables(path: Path, schema: pa.Schema, chunks: Iterable[tuple[F64, NDArray[Any]]]) -> Iterator[pa.Table]:
    """Chunks of any length as tables of ``GROUP`` rows."""
    held_times: list[F64] = []
    held: list[F32] = []
    rows, last = 0, -np.inf
    for times, values in chunks:
        times, values = np.asarray(times, np.float64), np.asarray(values, np.float32)
        if values.shape != (len(times), len(schema) - 1):
            raise DatasetError(f"{path}: a chunk of shape {values.shape}; give ({len(times)}, {len(schema) - 1})")
        if len(times) and not (times[0] > last and (np.diff(times) > 0).all()):
            raise DatasetError(f"{path}: times do not increase after {last:.3f} s; give the chunks in the order of time")
        last = times[-1] if len(times) else last
        held_times.append(times)
        held.append(values)
        rows += len(times)
        if rows >= GROUP:
            all_times, all_values = np.concatenate(held_times), np.concatenate(held)
            whole = rows - rows % GROUP
            for at in range(0, whole, GROUP):
                yield _table(schema, all_times[at:at + GROUP], all_values[at:at + GROUP])
            held_times, held, rows = [all_times[whole:]], [all_values[whole:]], rows - whole
    if rows:
        yield _table(schema, np.concatenate(held_times), np.concatenate(held))


def _table(schema: pa.Schema, times: F64, values: F32) -> pa.Table:
    columns = np.ascontiguousarray(values.T)
    return pa.Table.from_arrays([pa.array(times), *(pa.array(c) for c in columns)], schema=schema)


__all__ = ["ArrayReadings", "ChannelFile", "Readings", "channel_schema", "write_channels"]
