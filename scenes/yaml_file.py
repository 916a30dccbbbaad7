"""yaml_file: files that people write. Read within a bound, parsed safely, and told line by line what is wrong with them."""
from __future__ import annotations

import reprlib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from scenes.errors import LinetwinError

LARGEST = 4 << 20                              # [bytes] a page or two of YAML, with room
MERGED_MOST = 100_000                          # keys that "<<" brings in, together
SHOWN = 80                                     # characters of a value or a key in a message
# What PyYAML lets through of values: dates that are none and numbers of thousands of digits (ValueError), times beyond year 1
# (ArithmeticError), "!!bool maybe" and '!!int ""' (LookupError), "!!timestamp soon" (AttributeError)
UNREAD = (ValueError, ArithmeticError, LookupError, AttributeError)


class _Loader(yaml.SafeLoader):
    """The safe loader; it refuses a key that is there twice, of which it would otherwise take the last one."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.merged = 0

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if (key.tag, key.value) in seen:
                raise yaml.composer.ComposerError(None, None, f"the key {shown(key.value)} is there twice; keep one",
                                                  key.start_mark)
            seen.add((key.tag, key.value))
        return node

    def flatten_mapping(self, node: Any) -> None:
        """Bounded: a few lines of merges of merges are more keys than any memory holds."""
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                if not isinstance(value, yaml.MappingNode):
                    raise yaml.constructor.ConstructorError(None, None, "'<<' takes one mapping here; merge others into that one",
                                                            value.start_mark)
                self.flatten_mapping(value)
                self.merged += len(value.value)
                if self.merged > MERGED_MOST:
                    raise yaml.constructor.ConstructorError(None, None, f"'<<' brings in more than {MERGED_MOST} keys; write "
                                                            "less", value.start_mark)
        super().flatten_mapping(node)


    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            made = super().construct_object(node, deep)
        except UNREAD as found:
            raise yaml.constructor.ConstructorError(None, None, f"a value that cannot be ({type(found).__name__}), correct it or "
                                                    "put it in quotes", node.start_mark) from None
        if isinstance(made, str) and "\0" in made:             # no file has such a name
            raise yaml.constructor.ConstructorError(None, None, "a text with a NUL in it, remove that", node.start_mark)
        return made


class _Shown(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = SHOWN

    def repr_int(self, x: int, level: int) -> str:
        return str(x) if x.bit_length() <= 4 * SHOWN else f"a number of {x.bit_length()} bits"


def shown(value: Any) -> str:
    """A value in quotes, for a message: at most 80 characters and no more work, whatever aliases it is made of."""
    return repr((value if isinstance(value, str) else _Shown().repr(value))[:SHOWN])


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
        data = yaml.load(text, _Loader)        # noqa: S506 - a safe loader, with more refused
    except yaml.YAMLError as found:
        mark, problem = getattr(found, "problem_mark", None), str(getattr(found, "problem", None) or "check the syntax")
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise error(f"{where}: not valid YAML; {' '.join(problem.split())[:300]}") from None
    except RecursionError:
        raise error(f"{path}: not valid YAML; it is nested too deeply, {what} needs a few levels") from None
    if not isinstance(data, dict):
        raise error(f"{path}: {what} is a mapping; {hint}")
    return data


def explain(path: Path, error: Any, keys: Sequence[str]) -> str:
    """One pydantic finding as ``file: key: what; what to do``."""
    parts = [" ".join(str(part).split())[:SHOWN] for part in error["loc"]]
    where, key = ".".join(parts), parts[-1] if parts else ""
    if error["type"] == "extra_forbidden":
        near = get_close_matches(key, keys, n=1)
        return f"{path}: {where}: unknown key; " + (f"did you mean '{near[0]}'?" if near else f"known: {', '.join(keys)}")
    if error["type"] == "missing":
        return f"{path}: {where}: missing; add it"
    return f"{path}: {where}: {error['msg']}; got {shown(error['input'])}"


__all__ = ["LARGEST", "explain", "mapping", "read_text", "shown"]
