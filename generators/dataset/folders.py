"""A folder that is there as a whole or not at all, for what is written in one go: exports and imports."""
from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from generators.dataset.shards import storage_error
from scenes.errors import DatasetError


@contextlib.contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A folder to write into, beside ``out``; it takes that name when everything is written. Else nothing of it stays.

    A process that is killed leaves a folder ``.<name>.<random>.pending`` behind, never a half-written ``out``.

    Raises:
        DatasetError: something is in ``out`` already.
        StorageError: the target cannot take it.
    """
    out = Path(out)
    pending = out.absolute().with_name(f".{out.absolute().name}.{os.urandom(8).hex()}.pending")
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise DatasetError(f"{out}: is not empty; choose a new folder, exports and imports never overwrite")
        pending.mkdir(parents=True)
        yield pending
        os.rename(pending, out)                # over an empty folder too
    except BaseException as error:
        shutil.rmtree(pending, ignore_errors=True)
        if isinstance(error, OSError):
            raise storage_error(out, error) from error
        raise


__all__ = ["whole_folder"]
