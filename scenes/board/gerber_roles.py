"""Which layer a Gerber or Excellon file is: by its X2 attribute, else by its name in the habits of the common programs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

RoleKind = Literal["copper", "mask", "paste", "silk", "outline", "drill"]


@dataclass(frozen=True)
class Role:
    """What a file is. ``number`` counts copper layers from 1 at the front; 0 where only "inner" is known."""

    kind: RoleKind
    side: Literal["front", "back", "inner", "all"] = "all"
    number: int = 0
    plated: bool | None = None  # drill files; None: not known
    through: bool = True  # drill files: reaches from the front to the back


_FUNCTION = re.compile(r"TF\.FileFunction,([^*\n%]*)")
_SIDES = {"Top": "front", "Bot": "back", "Inr": "inner"}

# extensions of Protel, Altium, Eagle, OrCAD and their followers; X2 or a speaking name goes first
_EXTENSIONS: dict[str, Role] = {
    **dict.fromkeys(("gtl", "cmp", "top"), Role("copper", "front", 1)),
    **dict.fromkeys(("gbl", "sol", "bot"), Role("copper", "back")),
    **dict.fromkeys(("gts", "stc", "smt"), Role("mask", "front")),
    **dict.fromkeys(("gbs", "sts", "smb"), Role("mask", "back")),
    **dict.fromkeys(("gto", "plc", "sst"), Role("silk", "front")),
    **dict.fromkeys(("gbo", "pls", "ssb"), Role("silk", "back")),
    **dict.fromkeys(("gtp", "crc", "spt"), Role("paste", "front")),
    **dict.fromkeys(("gbp", "crs", "spb"), Role("paste", "back")),
    **dict.fromkeys(("gko", "gm1", "gml", "gm13", "oln"), Role("outline")),
}
_KIND_WORDS: tuple[tuple[RoleKind, tuple[str, ...]], ...] = (
    ("paste", ("paste", "solderpaste", "stencil")),
    ("mask", ("mask", "soldermask", "resist", "stop")),
    ("silk", ("silk", "legend", "overlay", "topsilk", "placement")),
    ("copper", ("cu", "copper", "layer", "signal")),
)
_OUTLINE = re.compile(r"edge[-_. ]*cuts?|outline|profile|contour|(?:^|[-_. ])dimension(?![a-z])", re.IGNORECASE)
_UNPLATED = re.compile(r"npth|non[-_ ]?plated|unplated")
_PLATED = re.compile(r"(?<!n)pth|plated")


def _by_name(path: Path) -> Role | None:
    """The role that the name speaks of, in words (``F_Cu``, ``TopSolderMask``, ``copper_inner_1``) or by extension."""
    stem, extension = path.stem, path.suffix.lower().lstrip(".")
    if _OUTLINE.search(stem):
        return Role("outline")
    words = [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", stem)]
    inner = next((int(b) for a, b in pairwise(words) if a in ("in", "inner", "innerlayer", "mid", "midlayer") and b.isdigit()), 0)
    front = any(w in ("f", "front") or w.startswith("top") for w in words)
    back = any(w in ("b", "back") or w.startswith("bot") for w in words)
    kind = next((k for k, names in _KIND_WORDS if any(w.endswith(n) or w.startswith(n) for w in words for n in names)), None)
    if inner:
        return Role("copper", "inner", inner + 1)
    if kind and front != back:
        return Role(kind, "front" if front else "back", 1 if front and kind == "copper" else 0)
    if extension in _EXTENSIONS:
        return _EXTENSIONS[extension]
    numbered = re.fullmatch(r"gp?(\d+)l?|in(\d+)", extension)
    if numbered:
        return Role("copper", "inner", int(numbered[1] or numbered[2]) + 1)
    return Role("copper", "front" if front else "back", 1 if front else 0) if front != back else None


def _by_function(text: str) -> Role | None:
    match = _FUNCTION.search(text[:20_000])
    if not match:
        return None
    words = match[1].split(",")
    kind, rest = words[0], words[1:]
    side = next((_SIDES[w] for w in rest if w in _SIDES), "all")
    if kind == "Copper":
        number = next((int(w[1:]) for w in rest if re.fullmatch(r"L\d+", w)), 0)
        return Role("copper", side if side != "all" else "front" if number == 1 else "inner", number)  # type: ignore[arg-type]
    simple: dict[str, RoleKind] = {"Soldermask": "mask", "Paste": "paste", "Legend": "silk"}
    if kind in simple and side in ("front", "back"):
        return Role(simple[kind], side)  # type: ignore[arg-type]
    if kind == "Profile":
        return Role("outline")
    if kind in ("Plated", "NonPlated", "MixedPlating"):
        plated = {"Plated": True, "NonPlated": False}.get(kind)
        return Role("drill", "all", 0, plated, not any(w in ("Blind", "Buried") for w in rest))
    return None


def role_of(path: Path, text: str) -> Role | None:
    """The file's role, or None where it is none of ours (drawings, netlists, reports).

    A file that declares its function is believed; a declared function that is none of ours ends the search.
    """
    found = _by_function(text)
    name = path.name.lower()
    if found is not None:
        if found.kind == "drill" and not is_drill(text):
            return None  # a drill map in Gerber form
        return found
    if _FUNCTION.search(text[:20_000]):
        return None
    if is_drill(text):
        plated = False if _UNPLATED.search(name) else True if _PLATED.search(name) else None
        return Role("drill", plated=plated)
    if not is_gerber(text):
        return None
    return _by_name(path)


def is_gerber(text: str) -> bool:
    return "%FS" in text[:200_000] and ("%MO" in text[:200_000] or "%AD" in text)


def is_drill(text: str) -> bool:
    """An Excellon header, or tools with diameters and places to drill."""
    head = text[:20_000]
    return bool(
        re.search(r"^\s*M48\s*$", head, re.MULTILINE)
        or (re.search(r"^T\d+.*C[\d.]+", head, re.MULTILINE) and re.search(r"^X-?[\d.]+Y-?[\d.]+", head, re.MULTILINE))
    )


__all__ = ["Role", "is_drill", "is_gerber", "role_of"]
