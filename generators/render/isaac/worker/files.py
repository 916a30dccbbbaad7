"""Files of the shared folder, and no others."""
from __future__ import annotations

import os
from pathlib import Path

from .errors import Refused


def inside(shared: Path, name: str) -> Path:
    """A file in the shared folder. Refuses every other."""
    path = (shared / name).resolve()
    if os.path.isabs(name) or not path.is_relative_to(shared.resolve()) or not path.is_file():
        raise Refused("protocol", f"{name!r} is not a file in the shared folder")
    return path


__all__ = ["inside"]
