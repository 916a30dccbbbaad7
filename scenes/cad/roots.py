"""Which files may be read: only those inside declared folders, with symbolic links resolved, and only up to a size."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scenes.errors import AssetError

MAX_BYTES = 64 * 2 ** 20                       # STEP files of single components stay below 20 MB


def resolve(path: str | Path, roots: Sequence[str | Path]) -> Path:
    """The real path of an existing file inside one of ``roots``.

    Raises:
        AssetError: the file is not there, or it (or where its links lead) lies outside every root.
    """
    real = Path(path).resolve()
    allowed = [Path(root).resolve() for root in roots]
    if not any(real.is_relative_to(root) for root in allowed):
        folders = ", ".join(map(str, allowed)) or "no folder at all"
        raise AssetError(f"{path}: lies outside the allowed folders ({folders}); move it there or add its folder to 'models'")
    if not real.is_file():
        raise AssetError(f"{path}: no such file; check the name")
    return real


def read_bytes(path: str | Path, roots: Sequence[str | Path], limit: int = MAX_BYTES) -> bytes:
    """The content of a file inside ``roots``. Raises AssetError where it is outside, missing, unreadable or too large."""
    real = resolve(path, roots)
    size = real.stat().st_size
    if size > limit:
        raise AssetError(f"{path}: {size / 2 ** 20:.0f} MB; files up to {limit // 2 ** 20} MB are read, so simplify the model")
    try:
        return real.read_bytes()
    except OSError as error:
        raise AssetError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None


__all__ = ["MAX_BYTES", "read_bytes", "resolve"]
