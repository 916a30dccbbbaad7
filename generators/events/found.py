"""found: every true defect of every unit of a run, as a Parquet file: what the acceptance rules say of the finished units."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generators.events.files import open_parquet, write_parquet

FOUND = pa.schema([("unit", pa.int32()), ("defect", pa.string()), ("component", pa.string()), ("severity", pa.float64())])


@dataclass(frozen=True, slots=True)
class Found:
    """A true defect of a unit."""
    unit: int                                  # row of the run
    defect: str                                # its name in the taxonomy
    component: str                             # reference designator, "" on the bare board
    severity: float                            # in the taxonomy's unit; NaN where all or nothing


def defects_by_unit(found: Sequence[Found], units: int) -> NDArray[np.int32]:
    """How many defects each unit of a run has, (units,)."""
    return np.bincount([f.unit for f in found], minlength=units).astype(np.int32)


def write_found(path: Path, found: Sequence[Found]) -> None:
    """Raises StorageError."""
    columns = {f.name: [getattr(item, f.name) for item in found] for f in fields(Found)}
    write_parquet(path, FOUND, [pa.Table.from_pydict(columns, FOUND)])


def read_found(path: Path) -> tuple[Found, ...]:
    """Raises DatasetError."""
    with open_parquet(path) as file:
        return tuple(Found(**row) for row in file.read().to_pylist())


__all__ = ["FOUND", "Found", "defects_by_unit", "read_found", "write_found"]
