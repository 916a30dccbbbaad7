"""files: Parquet tables and lines of text, written all at once and read with bounds."""
from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from generators.dataset.shards import whole_file
from scenes.errors import DatasetError


def write_parquet(path: Path, schema: pa.Schema, tables: Iterable[pa.Table], *, group: int = 1 << 16,
                  repeats: bool = False) -> Path:
    """Write a Parquet file all at once: pending, flushed, renamed. ``tables`` may be a generator; only one is held at a time.

    Args:
        path: Where; its folder is made where it is missing.
        schema: Of every table.
        tables: In order; each becomes row groups of its own.
        group: Most rows of a row group.
        repeats: Numbers repeat, as readings that a converter rounded do: store each value once and refer to it. Words always are.

    Raises:
        StorageError: the target cannot take it. Nothing is left behind.
    """
    words = [f.name for f in schema if pa.types.is_dictionary(f.type) or (repeats and pa.types.is_float32(f.type))]
    bounded = [f.name for f in schema if pa.types.is_floating(f.type) and not pa.types.is_float32(f.type)]
    with whole_file(path) as file, pq.ParquetWriter(
            file, schema, version="2.6", compression="ZSTD", compression_level=1, use_dictionary=words, write_statistics=bounded,
            write_page_checksum=True) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=group)
    return path


def write_lines(path: Path, texts: Iterable[bytes]) -> int:
    """Write lines, each without its end, and return how many. Raises StorageError."""
    count = 0
    with whole_file(path) as file:
        for text in texts:
            file.write(text)
            file.write(b"\n")
            count += 1
    return count


def lines(path: Path, longest: int) -> Iterator[tuple[int, bytes]]:
    """Numbers, from 1, and lines of a file; none is longer than ``longest`` bytes. Raises DatasetError."""
    try:
        with open(path, "rb") as file:
            number = 0
            while line := file.readline(longest + 1):
                number += 1
                if len(line) > longest:
                    raise DatasetError(f"{path}:{number}: longer than {longest} bytes; this is not a file of ours")
                yield number, line
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); check the path") from None


def read_table(path: Path, schema: pa.Schema, largest: int, nulls: Collection[str] = ()) -> pa.Table:
    """A whole Parquet file.

    Args:
        path: Where.
        schema: Its columns; what is there must convert.
        largest: Most rows.
        nulls: Columns that may have them.

    Raises:
        DatasetError: not there, damaged, too long, or of other columns.
    """
    with open_parquet(path) as file:
        check_columns(path, file, schema, largest)
        whole: Callable[[], pa.Table] = file.read
        table = read_rows(path, lambda: whole().cast(schema))
    for name in schema.names:
        if name not in nulls and table[name].null_count:
            raise DatasetError(f"{path}: {name}: {table[name].null_count} values are missing; write the run again")
    return table


def check_columns(path: Path, file: pq.ParquetFile, schema: pa.Schema, largest: int) -> None:
    """Before anything of it is read. Raises DatasetError."""
    if file.metadata.num_rows > largest:
        raise DatasetError(f"{path}: {file.metadata.num_rows} rows, at most {largest}; write a shorter run")
    if file.schema_arrow.names != schema.names:
        raise DatasetError(f"{path}: columns {file.schema_arrow.names[:8]}; this linetwin reads {schema.names[:8]}")


def read_rows(path: Path, read: Callable[[], pa.Table]) -> pa.Table:
    """What ``read`` gives, its words valid UTF-8. Raises DatasetError where pages are damaged or values do not convert."""
    try:
        table = read()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"{path}: damaged ({_first(error)}); write the run again") from None
    return table


def _first(error: Exception) -> str:
    """The first line of what it says; its name where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def open_parquet(path: Path) -> pq.ParquetFile:
    """A Parquet file with bounded metadata and checked pages. Raises DatasetError."""
    try:
        return pq.ParquetFile(path, memory_map=True, page_checksum_verification=True,
                              thrift_string_size_limit=64 << 20, thrift_container_size_limit=4_000_000)
    except FileNotFoundError:
        raise DatasetError(f"{path}: not there; give the folder of a run") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read ({_first(error)}); write the run again") from None


__all__ = ["check_columns", "lines", "open_parquet", "read_rows", "read_table", "write_lines", "write_parquet"]
