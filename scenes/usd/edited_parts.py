"""Parts of a stage as edits of the design: where a component stands, whose package and land pattern it has, whether it is there.

A unit stands on every bench, and there is one product: a part that was changed on one bench is changed on all. A pose as written
holds the scatter of placing that one unit; so what is carried is the motion from there, applied to the nominal place.
"""
from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from scenes.edits import PartEdit
from scenes.usd.changes import Changes, arcs
from scenes.usd.names import PROTOTYPES, UNIT
from scenes.usd.stations import TRANSFORM, Bench, rigid

STILL = 1e-9                                   # [m], [rad]
FLAT = 1e-6                                    # [rad], [m]: a part that is tilted or raised by more was meant to be
CARRIED = (*TRANSFORM, "[active]", "[instanceable]", "visibility")
PACKAGE = ("[references]", "twin:package")


def part_edits(found: Changes, pairs: Sequence[tuple[Bench, Bench]], approximated: list[str],
               refused: list[str]) -> Iterator[PartEdit]:
    """The parts that differ on some bench, each once: the first bench that shows a difference says what it is."""
    told: dict[str, PartEdit] = {}
    of: dict[str, str] = {}                    # reference → bench that said it
    lost: dict[tuple[str, str], str] = {}      # (reference, what cannot be carried of it) → path of the first bench that has it
    new_ones: dict[str, str] = {}              # reference of a new part → note
    for before, now in pairs:
        old, new = parts(before), parts(now)
        donors: dict[str, str] = {}
        for reference, path in old.items():
            donors.setdefault(package(before.stage.GetPrimAtPath(path)), reference)
        for reference, path in {**old, **new}.items():
            if reference in old:
                edit, cannot = _changed(before, now, reference, old[reference], new.get(reference), donors)
            else:
                edit, cannot = _new(now, reference, path, donors)
                if edit is not None:
                    new_ones.setdefault(reference, f"{path}: is new; it is {reference}, like {edit.like}, with its land pattern "
                                        "and no nets")
            for text in cannot:
                lost.setdefault((reference, text), new[reference])
            _same(told, of, reference, edit, now, refused)
    refused += [f"{path}: {text}" for (_, text), path in lost.items()]
    approximated += new_ones.values()
    for before, now in pairs:
        for path in {**parts(before), **parts(now)}.values():
            _claim(found, path)
    for name in [*found.changed, *found.added, *found.removed]:
        if name.startswith(f"{UNIT}/Parts/") and name.count("/") == 4:
            _claim(found, name)
    if any(e.at is not None or e.like or e.move != (0.0, 0.0) or e.turn for e in told.values()):
        approximated.append("parts: lands, paste and holes go with a part that was moved or replaced; tracks, poured copper and "
                            "print stay as the board file has them")
    yield from told.values()


def parts(bench: Bench) -> dict[str, str]:
    """Reference → path of every active part on a bench, in their order. A copy keeps the original's twin:reference: its own name
    is its reference then."""
    group = bench.stage.GetPrimAtPath(f"{bench.product}/Parts")
    out: dict[str, str] = {}
    for prim in group.GetChildren() if group else ():
        told = prim.GetAttribute("twin:reference")
        reference = str(told.Get()) if told and told.Get() else prim.GetName()
        if reference in out:
            reference = prim.GetName()
        out[reference] = str(prim.GetPath())
    return out


def package(prim: Any) -> str:
    """The prototype that a part shows: the strongest reference into ``/World/Prototypes``; else what twin:package says."""
    for path in arcs(prim):
        if path.startswith(PROTOTYPES + "/"):
            return path.removeprefix(PROTOTYPES + "/")
    told = prim.GetAttribute("twin:package")
    return str(told.Get()) if told and told.Get() else ""


def _same(told: dict[str, PartEdit], of: dict[str, str], reference: str, edit: PartEdit | None, now: Bench,
          refused: list[str]) -> None:
    if edit is None:
        return
    if reference not in told:
        told[reference], of[reference] = edit, now.station
    elif _apart(told[reference], edit):
        refused.append(f"{now.path}: {reference} differs from what station {of[reference]} shows; there is one product, and the "
                       "first station counts: edit /World/Unit to change it at all stations")


def _apart(a: PartEdit, b: PartEdit) -> bool:
    far = math.dist(a.move, b.move) > STILL or abs(a.turn - b.turn) > STILL
    return far or (a.removed, a.like, a.at is None) != (b.removed, b.like, b.at is None)


def _changed(before: Bench, now: Bench, reference: str, path: str, new: str | None,
             donors: dict[str, str]) -> tuple[PartEdit | None, list[str]]:
    """One part as it was written, None where nothing of it differs; and what of it cannot be carried."""
    if new is None:
        return PartEdit(reference, removed=True), []
    then, prim = before.stage.GetPrimAtPath(path), now.stage.GetPrimAtPath(new)
    was, (pose, exact) = rigid(before.pose(path))[0], rigid(now.pose(new))
    cannot = _shown(prim, exact)
    turn = pose[:3, :3] @ was[:3, :3].T
    yaw = math.atan2(turn[1, 0], turn[0, 0])
    dx, dy, dz = (pose[:3, 3] - was[:3, 3]).tolist()
    if abs(dz) > FLAT or _tilted(turn):
        cannot.append(f"was raised by {round(dz * 1e6, 1) + 0.0} µm or tilted; height and tilt follow from solder and placement")
    moved = math.hypot(dx, dy) > STILL or abs(yaw) > STILL
    like, kind = "", package(prim)
    if kind != package(then):
        like = donors.get(kind, "")
        if not like:
            cannot.append(f"has the package '{kind}', which no part of the stage had; only those can be taken")
    if not moved and not like:
        return None, cannot
    move, angle = ((dx, dy), yaw if abs(yaw) > STILL else 0.0) if moved else ((0.0, 0.0), 0.0)
    return PartEdit(reference, like=like, move=move, turn=angle), cannot


def _new(now: Bench, reference: str, path: str, donors: dict[str, str]) -> tuple[PartEdit | None, list[str]]:
    """A part that was added: like the first one that had its package. One without any package is told as a new prim."""
    prim = now.stage.GetPrimAtPath(path)
    kind = package(prim)
    if not kind:
        return None, []
    if kind not in donors:
        return None, [f"is new and has the package '{kind}', which no part of the stage had; only those can be taken"]
    pose, exact = rigid(now.pose(path))
    cannot = _shown(prim, exact)
    if _tilted(pose):
        cannot.append("is new and tilted; height and tilt follow from solder and placement")
    at = float(pose[0, 3]), float(pose[1, 3]), math.atan2(pose[1, 0], pose[0, 0])
    return PartEdit(reference, like=donors[kind], at=at), cannot


def _shown(prim: Any, exact: bool) -> list[str]:
    """What no part can be, whether it is new or was there."""
    out = [] if exact else ["is scaled or sheared; a package has its own size, so let the part have another package"]
    if prim.GetAttribute("visibility").Get() == "invisible":
        out.append("is hidden; deactivate it to take it off the board")
    return out


def _tilted(turn: Any) -> bool:
    return bool(turn[2, 2] < 1 - FLAT**2 / 2 - 1e-9)


def _claim(found: Changes, path: str) -> None:
    prim = found.now.GetPrimAtPath(path)
    if path in found.removed or (prim and not prim.IsActive()):
        found.claim_all(path)
    elif path in found.added:
        if package(prim):
            found.claim_all(path)
    else:
        found.claim(path, *CARRIED)
        if package(prim) != package(found.before.GetPrimAtPath(path)):
            found.claim(path, *PACKAGE)        # else they change nothing, and are told


__all__ = ["package", "part_edits", "parts"]
