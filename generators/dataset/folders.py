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

    Where ``out`` is a link to an empty folder, that folder is filled and the link stays.

    Raises:
        DatasetError: something is in ``out`` already, or it is a folder that cannot be replaced.
        StorageError: the target cannot take it.
    """
    out = Path(out)
    real = Path(os.path.realpath(out))         # not resolve(): links in a circle are to be an error of ours
    pending = real.parent / f".{real.name}.{os.urandom(8).hex()}.pending"
    try:
        if real.is_symlink() or (real.exists() and (not real.is_dir() or any(real.iterdir()))):
            raise DatasetError(f"{out}: is not empty; choose a new folder, exports and imports never overwrite")
        if real.exists() and (os.path.ismount(real) or real.samefile(os.curdir)):
            raise DatasetError(f"{out}: is the current folder or a mount, which cannot be replaced; name a new folder in it")
        pending.mkdir(parents=True)
        yield pending
        os.rename(pending, real)               # over an empty folder too
    except BaseException as error:
        shutil.rmtree(pending, ignore_errors=True)
        if isinstance(error, OSError):
            raise storage_error(out, error) from error
        raise


__all__ = ["whole_folder"]
