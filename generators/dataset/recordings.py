"""recordings: sensor traces that belong to no unit, in one Parquet file: one row per record.

Columns are those of a shard where they mean the same: ``id``, ``time_ns``, ``traces``, ``conditions``. What reads the traces of
a dataset reads these.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from generators.dataset.schema import SCHEMA_VERSION, TRACES, canonical
from generators.dataset.shards import whole_file
from generators.traces.machine_record import MachineRecord
from scenes.errors import DatasetError

COLUMNS = pa.schema([("id", pa.string()), ("time_ns", pa.int64()), ("traces", pa.list_(TRACES)), ("conditions", pa.string())],
                    {"linetwin": canonical({"schema_version": SCHEMA_VERSION, "kind": "recordings"})})


def write_recordings(records: Iterable[MachineRecord], path: str | Path) -> Path:
    """Write records, one row group each, there as a whole or not at all. Raises StorageError."""
    path = Path(path)
    with whole_file(path) as file, pq.ParquetWriter(file, COLUMNS, compression="zstd", use_dictionary=False,
                                                    write_page_checksum=True) as writer:
        for record in records:
            row = {"id": record.machine, "time_ns": round(record.start * 1e9),
                   "traces": [_trace(t.row()) for t in record.traces], "conditions": canonical(dict(record.truth))}
            writer.write_table(pa.Table.from_pylist([row], COLUMNS))
    return path


def read_recordings(path: str | Path) -> list[dict[str, Any]]:
    """Rows of a file of records; the values of a trace are float32 arrays. Raises DatasetError."""
    try:
        table = pq.read_table(path, schema=COLUMNS, page_checksum_verification=True)
    except (OSError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        reason = str(error).splitlines()[0][:120]
        raise DatasetError(f"{path}: not a file of records ({reason}); write it with write_recordings") from None
    rows = []
    for i in range(table.num_rows):
        traces = table["traces"][i].values
        rows.append({"id": table["id"][i].as_py(), "time_ns": table["time_ns"][i].as_py(),
                     "conditions": table["conditions"][i].as_py(), "traces": [
            {"channel": t["channel"].as_py(), "unit": t["unit"].as_py(), "sample_rate": t["sample_rate"].as_py(),
             "start_ns": t["start_ns"].as_py(), "values": t["values"].values.to_numpy(zero_copy_only=False)} for t in traces]})
    return rows


def _trace(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "values": np.asarray(row["values"], np.float32)}


__all__ = ["COLUMNS", "read_recordings", "write_recordings"]
