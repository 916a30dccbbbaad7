"""table: log entries as a Parquet file, and back, exactly."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from generators.events.files import read_table, write_parquet
from generators.text.entry import Entry

_KINDS: dict[str, pa.DataType] = {"float": pa.float64(), "int": pa.int64(), "bool": pa.bool_(),
                                  "tuple[str, ...]": pa.list_(pa.string()),
                                  "tuple[tuple[str, float], ...]": pa.list_(pa.struct([("name", pa.string()),
                                                                                       ("value", pa.float64())]))}
LARGEST = 2_000_000                            # entries: about 500 a week
LOG = pa.schema([(f.name, _KINDS.get(str(f.type), pa.string())) for f in fields(Entry)])


def write_entries(path: Path, entries: Sequence[Entry]) -> None:
    """As one Parquet file. Raises StorageError."""
    rows = [{name: getattr(entry, name) for name in LOG.names} | {"values": [{"name": n, "value": v} for n, v in entry.values]}
            for entry in entries]
    write_parquet(path, LOG, [pa.Table.from_pylist(rows, LOG)])


def read_entries(path: Path) -> tuple[Entry, ...]:
    """Raises DatasetError."""
    rows: list[dict[str, Any]] = read_table(path, LOG, LARGEST).to_pylist()
    return tuple(Entry(**(row | {"values": tuple((v["name"], v["value"]) for v in row["values"]),
                                 "mentions": tuple(row["mentions"])})) for row in rows)


__all__ = ["LOG", "read_entries", "write_entries"]
