"""Names and paths of prims. See the package's docstring for the layout."""
from __future__ import annotations

import re
from collections.abc import Container, Iterable

WORLD, LOOKS, PROTOTYPES, UNIT = "/World", "/World/Looks", "/World/Prototypes", "/World/Unit"
MACHINES = f"{PROTOTYPES}/Machines"
FILM = "film"                                  # the look of residues and scratches; no row of the material table
ARTWORK = "artwork"                            # the look of the board's top
BOARD_TOP = "fr4_board_top"
LIFT = 5e-6                                    # [m] of films over the board: less than depth is held to


def prim_name(text: str) -> str:
    """A valid prim name out of any text: letters, digits and underscores, not starting with a digit."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", text) or "_"
    return f"_{name}" if name[0].isdigit() else name


def unused(name: str, taken: Container[str]) -> str:
    """``name``, or the first of name_2, name_3, … that is not taken."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


def prim_names(texts: Iterable[str]) -> dict[str, str]:
    """A different valid prim name for every text, in their order: two texts may be written alike."""
    out: dict[str, str] = {}
    taken: set[str] = set()
    for text in texts:
        if text not in out:
            out[text] = unused(prim_name(text), taken)
            taken.add(out[text])
    return out


def line_path(line: str) -> str:
    """The prim path of an ISA-95 line path: ``Demo/SMT/Line 1`` is ``/World/Demo/SMT/Line_1``."""
    segments = [prim_name(s) for s in line.split("/") if s] or ["Line"]
    reserved = {p.rsplit("/", 1)[1] for p in (LOOKS, PROTOTYPES, UNIT)} | {"PhysicsScene"}
    segments[0] = unused(segments[0], reserved)
    return "/".join([WORLD, *segments])


__all__ = ["ARTWORK", "BOARD_TOP", "FILM", "LIFT", "LOOKS", "MACHINES", "PROTOTYPES", "UNIT", "WORLD", "line_path", "prim_name",
           "prim_names", "unused"]
