"""Dataset: a folder of committed shards, read lazily.

    dataset = Dataset.read("out/hello")
    row = dataset[17]
    row.rgb(), row.instances[0].box, row.instances[0].visible()

Rows come one row group at a time; nothing else is kept in memory. ``rows`` reads only the columns that are needed.
"""
from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from generators.dataset.meta import Info, read_info, read_taxonomy
from generators.dataset.rows import Row
from generators.dataset.schema import COLUMNS, LIGHT
from generators.dataset.shards import committed, damaged, open_shard, shard_path
from scenes.errors import DatasetError

_OPEN_FILES = 8                                # shards kept open for random access


class Dataset:
    """A dataset on disk. ``complete`` is False while shards are still missing; what is there can be read all the same."""

    def __init__(self, path: Path, info: Info) -> None:
        self.path = path
        self.info = info
        self.taxonomy = read_taxonomy(path)
        self.shards = sorted(committed(path))
        self._files: OrderedDict[int, pq.ParquetFile] = OrderedDict()
        self._group: tuple[int, int, list[dict[str, Any]]] | None = None
        self._starts = [0]                     # position of each shard's first row; one more at the end
        known = {s.file: s.rows for s in info.shards}
        for shard in self.shards:
            name = f"data/{shard_path(path, shard).name}"
            self._starts.append(self._starts[-1] + (known[name] if name in known else self._file(shard).metadata.num_rows))

    @classmethod
    def read(cls, path: str | Path) -> Dataset:
        """Open a dataset. Raises DatasetError where the folder is none, or was made by another schema version."""
        path = Path(path)
        dataset = cls(path, read_info(path))
        gone = [s.file for s in dataset.info.shards if not (path / s.file).is_file()]
        if gone:
            more = f" (and {len(gone) - 1} more)" if len(gone) > 1 else ""
            raise DatasetError(f"{path / gone[0]}: missing{more}; run generate again, it makes only what is not there")
        return dataset

    @property
    def complete(self) -> bool:
        return self.info.complete

    @property
    def splits(self) -> dict[str, int]:
        """Samples per split. Reads one small column."""
        counts: dict[str, int] = {}
        for row in self.rows(("split",)):
            counts[row.split] = counts.get(row.split, 0) + 1
        return dict(sorted(counts.items()))

    def __len__(self) -> int:
        return self._starts[-1]

    def __iter__(self) -> Iterator[Row]:
        return self.rows()

    def __getitem__(self, position: int) -> Row:
        """The row at a position among the committed ones (equal to its index in a complete dataset)."""
        if not -len(self) <= position < len(self):
            raise IndexError(f"{self.path}: row {position} of {len(self)}")
        position %= len(self)
        at = bisect_right(self._starts, position) - 1
        shard, offset = self.shards[at], position - self._starts[at]
        file, group = self._file(shard), 0
        while offset >= (rows := file.metadata.row_group(group).num_rows):
            offset, group = offset - rows, group + 1
        if self._group is None or self._group[:2] != (shard, group):
            self._group = (shard, group, self._read(shard, group, None))
        return Row(self._group[2][offset], f"{shard_path(self.path, shard)}: row {position - self._starts[at]}")

    def rows(self, columns: Sequence[str] | None = None, *, split: str | None = None) -> Iterator[Row]:
        """Every row in index order.

        Args:
            columns: Names of the columns to read (``generators.dataset.schema.LIGHT`` is all but pixels); None for all.
            split: Only rows of this split.
        """
        wanted = None if columns is None else [*columns, *(["split"] if split and "split" not in columns else [])]
        if unknown := set(wanted or ()) - set(COLUMNS.names):
            raise DatasetError(f"{self.path}: no column {', '.join(sorted(unknown))}; there are: {', '.join(COLUMNS.names)}")
        for shard in self.shards:
            for row in self.shard(shard, wanted):
                if split is None or row.split == split:
                    yield row

    def shard(self, shard: int, columns: Sequence[str] | None = None) -> Iterator[Row]:
        """The rows of one shard. Raises DatasetError where it is damaged, also half way."""
        path, count = shard_path(self.path, shard), 0
        with open_shard(path) as file:
            for group in range(file.num_row_groups):
                for data in self._decode(file, path, group, columns):
                    yield Row(data, f"{path}: row {count}")
                    count += 1

    def export(self, format: str, out: str | Path, **options: Any) -> Any:
        """Write this dataset in another tool's format; see ``generators.exports``. Returns an ExportReport."""
        from generators.exports import export

        return export(self, format, Path(out), **options)

    def inspect(self, **options: Any) -> Any:
        """The dataset gate; see ``generators.inspect.inspect_dataset``. Returns a Report."""
        from generators.inspect import inspect_dataset

        return inspect_dataset(self, **options)

    def close(self) -> None:
        """Close every file."""
        while self._files:
            self._files.popitem()[1].close()
        self._group = None

    def __enter__(self) -> Dataset:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Dataset('{self.path}', {len(self)} samples, {'complete' if self.complete else 'not complete'})"

    def _file(self, shard: int) -> pq.ParquetFile:
        if shard not in self._files:
            self._files[shard] = open_shard(shard_path(self.path, shard))
            if len(self._files) > _OPEN_FILES:
                self._files.popitem(last=False)[1].close()
        self._files.move_to_end(shard)
        return self._files[shard]

    def _read(self, shard: int, group: int, columns: Sequence[str] | None) -> list[dict[str, Any]]:
        return self._decode(self._file(shard), shard_path(self.path, shard), group, columns)

    @staticmethod
    def _decode(file: pq.ParquetFile, path: Path, group: int, columns: Sequence[str] | None) -> list[dict[str, Any]]:
        try:
            return file.read_row_group(group, columns=columns, use_threads=False).to_pylist()  # type: ignore[no-any-return]
        except (pa.ArrowException, OSError) as error:
            raise damaged(path, error) from None


__all__ = ["LIGHT", "Dataset", "Row"]
