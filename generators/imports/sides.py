"""frames.csv: what linetwin's own export writes beside BasicWriter's files, so that units and splits survive a round trip.

Columns frame, sample, unit, split. A folder of Replicator's own has none; then every event is a unit of its own.
"""
from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from generators.dataset.schema import SPLITS
from generators.imports.names import clean
from scenes.errors import DatasetError

NAME = "frames.csv"
COLUMNS = ("frame", "sample", "unit", "split")
_MAX = 1 << 30                                 # [bytes]


class Side(NamedTuple):
    sample: str
    unit: str
    split: str


def sides_text(rows: Iterable[tuple[str, Side]]) -> str:
    """The file's text: one row per frame number."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((frame, *side) for frame, side in rows)
    return out.getvalue()


def read_sides(path: Path) -> dict[str, Side]:
    """Frame number → what it belongs to. Raises DatasetError, also where a unit is in two splits."""
    found: dict[str, Side] = {}
    splits: dict[str, str] = {}
    if path.stat().st_size > _MAX:
        raise DatasetError(f"{path}: has more than {_MAX >> 20} MB; take it out of the folder")
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            if tuple(next(rows, ())) != COLUMNS:
                raise DatasetError(f"{path}: its columns are not {', '.join(COLUMNS)}; take it out of the folder")
            for number, row in enumerate(rows, 2):
                where = f"{path}: line {number}"
                if len(row) != len(COLUMNS) or row[3] not in SPLITS or row[0] in found:
                    raise DatasetError(f"{where}: not one new frame, its sample, unit and split; take the file out of the folder")
                frame, sample, unit, split = (clean(cell, where) for cell in row)
                if splits.setdefault(unit, split) != split:
                    raise DatasetError(f"{where}: unit {unit} is in {splits[unit]} and in {split}; split by unit")
                found[frame] = Side(sample, unit, split)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); take it out of the folder") from None
    return found


__all__ = ["NAME", "Side", "read_sides", "sides_text"]
