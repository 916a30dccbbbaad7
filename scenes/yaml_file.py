"""yaml_file: files that people write. Read within a bound, parsed safely, and told line by line what is wrong with them."""
from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from scenes.errors import LinetwinError

LARGEST = 4 << 20                              # [bytes] a page or two of YAML, with room


def read_text(path: Path, what: str, error: type[LinetwinError], instead: str = "") -> str:
    """The text of a file. Raises ``error`` where it cannot be read, is not UTF-8, or is larger than 4 MiB.

    Args:
        what: "a scene", "a recipe": what it should be, for messages.
        instead: What may be said in place of a path.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise error(f"{path}: larger than {LARGEST >> 20} MiB; this is not {what}")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as found:
        raise error(f"{path}: cannot be read ({type(found).__name__}); give the path of {what} in YAML{instead}") from None


def mapping(text: str, path: Path, what: str, error: type[LinetwinError], hint: str) -> dict[str, Any]:
    """What the text says, where that is a mapping. Raises ``error`` with the file and the line.

    Args:
        path: What messages name.
        hint: What to do where it is no mapping.
    """
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as found:
        mark = getattr(found, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise error(f"{where}: not valid YAML; {getattr(found, 'problem', None) or 'check the syntax'}") from None
    if not isinstance(data, dict):
        raise error(f"{path}: {what} is a mapping; {hint}")
    return data


def explain(path: Path, error: Any, keys: Sequence[str]) -> str:
    """One pydantic finding as ``file: key: what; what to do``."""
    where, key = ".".join(map(str, error["loc"])), str(error["loc"][-1]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        near = get_close_matches(key, keys, n=1)
        return f"{path}: {where}: unknown key; " + (f"did you mean '{near[0]}'?" if near else f"known: {', '.join(keys)}")
    if error["type"] == "missing":
        return f"{path}: {where}: missing; add it"
    return f"{path}: {where}: {error['msg']}; got {str(error['input'])[:80]!r}"


__all__ = ["LARGEST", "explain", "mapping", "read_text"]
