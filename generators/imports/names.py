"""Class names as Replicator stores them.

A label is ``{"class": "banana"}``, other taxonomies beside it, or plain text in old files. Nested labels come merged,
"palette,stack" (NVIDIA forum, thread 262580). BACKGROUND and UNLABELLED are no classes.
"""
from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from scenes.errors import DatasetError

UNKNOWN = "unknown"                            # of an object whose class the folder does not say
MERGED = ("keep", "first", "last")
MAX_NAME = 200                                 # characters of a class
MAX_PATH = 1000                                # of a prim path
_NOTHING = {"background", "unlabelled", "unlabeled", ""}
_COLOUR = re.compile(r"\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(?:,\s*(\d{1,3})\s*)?\)", re.ASCII)


def key_id(key: str, where: str) -> int:
    """The pixel that a key of a mapping means: "17", or a colour "(r, g, b, a)" as r + 2⁸ g + 2¹⁶ b + 2²⁴ a."""
    match = _COLOUR.fullmatch(key.strip())
    if match:
        channels = [int(c) for c in match.groups(default="255")]
        if max(channels) <= 255:
            return channels[0] | channels[1] << 8 | channels[2] << 16 | channels[3] << 24
    elif re.fullmatch(r"\d{1,10}", key, re.ASCII) and int(key) < 1 << 32:
        return int(key)
    raise DatasetError(f"{where}: '{key[:40]}' is neither an id nor a colour (r, g, b, a); write the frame again")


def texts(label: Any, taxonomy: str, where: str) -> tuple[str, ...]:
    """The names of one label in one taxonomy, merged ones apart; () where it says nothing. Raises DatasetError."""
    if isinstance(label, Mapping):
        label = label.get(taxonomy, "")
    elif taxonomy != "class":
        return ()
    if isinstance(label, list) and all(isinstance(x, str) for x in label):
        label = ",".join(label)
    if not isinstance(label, str):
        raise DatasetError(f"{where}: a label is a {type(label).__name__}, not text; write the frame again")
    return tuple(x for x in (clean(x, where) for x in label.split(",")) if x.lower() not in _NOTHING)


class Naming(NamedTuple):
    """How a label becomes a category.

    ``merged``: what becomes of "palette,stack": "keep" as it is, or only its "first" or "last" name. ``taxonomy``: whose label
    counts where an object has several, "class" by default; stages of linetwin's also have "kind" and "reference".
    """
    merged: str = "keep"
    taxonomy: str = "class"


def class_name(label: Any, naming: Naming, where: str) -> str:
    """The category of a label, "" for background.

    Without a label of the asked taxonomy "class" counts, without that the first other one, as in NVIDIA's PoseWriter.
    """
    if isinstance(label, Mapping) and label:
        label = next((label[t] for t in (naming.taxonomy, "class") if t in label), next(iter(label.values())))
    names = texts(label, "class", where)
    if not names:
        return ""
    return names[0] if naming.merged == "first" else names[-1] if naming.merged == "last" else ",".join(names)


def clean(text: str, where: str, most: int = MAX_NAME) -> str:
    """A name without blanks around it. Raises DatasetError for one of more than ``most`` characters, or that nobody can print."""
    text = text.strip()
    if len(text) > most or any(unicodedata.category(c).startswith("C") for c in text):
        raise DatasetError(f"{where}: {text[:40]!a} is no name; it has {len(text):,} characters, {most:,} printable ones are "
                           "allowed: rename it and write the file again")
    return text


def prim_path(value: Any, where: str) -> str:
    """A prim path, "" where there is none. Raises DatasetError."""
    if not isinstance(value, str):
        raise DatasetError(f"{where}: a prim path is a {type(value).__name__}, not text; write the frame again")
    return clean(value, where, MAX_PATH)


__all__ = ["MAX_PATH", "MERGED", "UNKNOWN", "Naming", "class_name", "clean", "key_id", "prim_path", "texts"]
