"""Shards: files of a fixed range of indices, there as a whole or not at all.

A shard is written under a pending name that starts with a dot, flushed to the disk, renamed, and the folder is flushed
too. A shard that is there is complete: to resume is to make the ones that are missing. Every page carries a CRC-32 and
is checked on reading; ``meta/info.json`` adds the SHA-256 of each whole file once the dataset is finished.
"""
from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from generators.dataset.sample import Sample
from generators.dataset.schema import COLUMNS, SCHEMA_VERSION, DatasetInfo, canonical, row
from scenes.errors import DatasetError, StorageError

ROW_GROUP_BYTES = 8 << 20                      # a row group ends when its pictures and labels pass this
_NAME = re.compile(r"shard-(\d{5,})\.parquet")
_STATISTICS = ["id", "index", "unit", "split", "time_ns"]
_REASONS = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
    errno.EFBIG: "the file is larger than this system allows; raise the limit or choose smaller shards",
    errno.EROFS: "the file system is read-only; choose another target",
    errno.EACCES: "no permission to write there; choose another target or change its permissions",
    errno.EPERM: "no permission to write there; choose another target or change its permissions",
    errno.ENOENT: "the folder is gone; check that the target is mounted",
    errno.ENOTDIR: "a file is in the way; choose another target",
    errno.EEXIST: "a file is in the way; choose another target",
}


def storage_error(path: Path, error: OSError) -> StorageError:
    """An operating system's error on the target, as one line that says what to do."""
    reason = _REASONS.get(error.errno or 0, f"{error.strerror or error}; check the target and run the same command again")
    return StorageError(f"{path}: {reason} (what was committed stays)")


def shard_path(root: Path, shard: int) -> Path:
    return Path(root) / "data" / f"shard-{shard:05d}.parquet"


def write_shard(root: Path, shard: int, samples: Iterable[Sample], info: DatasetInfo) -> Path:
    """Write one shard and commit it. The same samples give the same bytes.

    Args:
        root: The dataset's folder; ``data/`` is made where it is missing.
        shard: Its number.
        samples: In index order, all of this shard's range. Taken one at a time, so a generator keeps memory flat.
        info: What is true of the whole dataset.

    Returns:
        The committed path.

    Raises:
        StorageError: the target cannot take it. Nothing is left behind, earlier shards stay.
        InvariantError: a sample contradicts itself; its id is in the message.
    """
    path = shard_path(root, shard)
    with whole_file(path) as file:
        _write(file, samples, info, shard)
    return path


def _write(file: Any, samples: Iterable[Sample], info: DatasetInfo, shard: int) -> None:
    schema = info.schema()
    schema = schema.with_metadata({**schema.metadata, b"linetwin.shard": canonical(
        {"shard": shard, "first_index": shard * info.shard_size}).encode()})
    rows: list[dict[str, Any]] = []
    size = 0
    with pq.ParquetWriter(file, schema, version="2.6", data_page_version="1.0", compression=_per_column(schema, "ZSTD"),
                          compression_level=_per_column(schema, 1, skip=True), use_dictionary=False,
                          write_statistics=_STATISTICS, write_page_checksum=True) as writer:
        for sample in samples:
            rows.append(row(sample, info))
            del sample                         # its masks and buffers are not to be held while the next one is made
            size += sum(len(i["image"]["bytes"]) for i in rows[-1]["images"]) + sum(len(x["bytes"]) for x in rows[-1]["labels"])
            if size >= ROW_GROUP_BYTES:
                writer.write_table(pa.Table.from_pylist(rows, schema))
                rows, size = [], 0
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _per_column(schema: pa.Schema, value: Any, skip: bool = False) -> dict[str, Any]:
    """A setting per leaf column; dense labels are compressed already."""
    names: list[str] = []

    def walk(path: str, kind: pa.DataType) -> None:
        if pa.types.is_list(kind):
            walk(f"{path}.list.element", kind.value_type)
        elif pa.types.is_struct(kind):
            for field in kind:
                walk(f"{path}.{field.name}", field.type)
        else:
            names.append(path)

    for field in schema:
        walk(field.name, field.type)
    plain = "labels.list.element.bytes"
    return {name: value if name != plain else "NONE" for name in names if not (skip and name == plain)}


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that is there as a whole or not at all: written under a pending name, flushed, renamed.

    Raises:
        StorageError: the target cannot take it. Nothing is left behind.
    """
    pending = path.with_name(f".{path.name}.{os.urandom(8).hex()}.pending")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(pending, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(pending, path)
        sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):     # where the target does not let us, it is ignored anyway
            pending.unlink()
        if isinstance(error, OSError):
            raise storage_error(path, error) from error
        raise


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, so that a rename survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_file(path: Path, text: str) -> None:
    """Write a small text file all at once. Raises StorageError."""
    with whole_file(path) as file:
        file.write(text.encode())


def committed(root: Path) -> set[int]:
    """Numbers of the shards that are there. Pending files do not count."""
    try:
        names = os.listdir(Path(root) / "data")
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise storage_error(Path(root) / "data", error) from error
    return {int(m[1]) for m in map(_NAME.fullmatch, names) if m}


def remove_pending(root: Path) -> int:
    """Remove what a killed run left behind. Call before workers start, never while they run. Returns how many."""
    found = [p for folder in ("data", "meta", "meta/line", "") for p in sorted((Path(root) / folder).glob(".*.pending"))]
    try:
        for path in found:
            path.unlink()
    except OSError as error:
        raise storage_error(path, error) from error
    return len(found)


def open_shard(path: Path, info: DatasetInfo | None = None) -> pq.ParquetFile:
    """A shard, its footer checked: ours, this schema, this recipe. Pages are checked as they are read.

    Raises:
        DatasetError: it is not; the message says what to do.
    """
    try:
        file = pq.ParquetFile(path, memory_map=True, page_checksum_verification=True,
                              thrift_string_size_limit=64 << 20, thrift_container_size_limit=4_000_000)
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise DatasetError(f"{path}: cannot be opened ({error.strerror}); check the dataset's folder") from None
        raise damaged(path, error) from None
    metadata = file.schema_arrow.metadata or {}
    try:
        ours = json.loads(metadata[b"linetwin"])
        version, digest = ours["schema_version"], ours["recipe_digest"]
    except (KeyError, TypeError, ValueError):
        raise DatasetError(f"{path}: not a shard of linetwin; take it out of the dataset's folder") from None
    if version != SCHEMA_VERSION:
        raise DatasetError(f"{path}: schema version {version}, this linetwin reads {SCHEMA_VERSION}; "
                           "install the version that made it")
    if info is not None and digest != info.recipe_digest:
        raise DatasetError(f"{path}: made from recipe {digest}, the dataset is {info.recipe_digest}; "
                           "take it out of the folder")
    if not file.schema_arrow.equals(COLUMNS, check_metadata=False):
        raise DatasetError(f"{path}: its columns are not those of schema version {version}; take it out of the folder")
    return file


def check_shard(path: Path, info: DatasetInfo | None = None, *, rows: int | None = None, deep: bool = False) -> int:
    """Check one shard and return its number of rows.

    Args:
        path: The file.
        info: Checks the recipe's digest too.
        rows: How many rows it must have, where the caller knows.
        deep: Read every page and check its CRC-32; otherwise only the footer.

    Raises:
        DatasetError: names the shard and says to delete it and generate again.
    """
    with open_shard(path, info) as file:
        count = file.metadata.num_rows
        if rows is not None and count != rows:
            raise damaged(path, f"{count} rows instead of {rows}")
        if deep:
            try:
                for group in range(file.num_row_groups):
                    file.read_row_group(group)
            except (pa.ArrowException, OSError) as error:
                raise damaged(path, error) from None
    return int(count)


def damaged(path: Path, why: object) -> DatasetError:
    reason = str(why).splitlines()[0][:160] if str(why) else type(why).__name__
    return DatasetError(f"{path}: damaged shard ({reason}); delete it and run generate again, only its samples are made anew")


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


__all__ = ["check_shard", "committed", "damaged", "file_digest", "open_shard", "remove_pending", "shard_path", "storage_error",
           "sync_folder", "whole_file", "write_file", "write_shard"]
