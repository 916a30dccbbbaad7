"""found: every true defect of every unit of a run, as a Parquet file: what the acceptance rules say of the finished units."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generators.events.files import read_table, write_parquet
from scenes.errors import DatasetError

LARGEST = 50_000_000                           # defects
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


def read_found(path: Path, units: int | None = None) -> tuple[Found, ...]:
    """The defects of a run of so many units; None: of nobody knows how many. Raises DatasetError."""
    table = read_table(path, FOUND, LARGEST)
    which = table["unit"].to_numpy()
    if len(which) and not (which.min() >= 0 and (units is None or which.max() < units)):
        raise DatasetError(f"{path}: a unit that the run does not have; write the run again")
    return tuple(Found(*row) for row in zip(*(table[f.name].to_pylist() for f in fields(Found)), strict=True))


__all__ = ["FOUND", "Found", "defects_by_unit", "read_found", "write_found"]
