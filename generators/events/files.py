"""files: Parquet tables and lines of text, written all at once and read with bounds."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
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


def open_parquet(path: Path) -> pq.ParquetFile:
    """A Parquet file with bounded metadata and checked pages. Raises DatasetError."""
    try:
        return pq.ParquetFile(path, memory_map=True, page_checksum_verification=True,
                              thrift_string_size_limit=64 << 20, thrift_container_size_limit=4_000_000)
    except FileNotFoundError:
        raise DatasetError(f"{path}: not there; give the folder of a run") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read ({str(error).splitlines()[0][:120]}); write the run again") from None


__all__ = ["lines", "open_parquet", "write_lines", "write_parquet"]
