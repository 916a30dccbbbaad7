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
CARRIED = (*TRANSFORM, "[references]", "[active]", "twin:package", "twin:tint", "[instanceable]")


def part_edits(found: Changes, pairs: Sequence[tuple[Bench, Bench]], approximated: list[str],
               refused: list[str]) -> Iterator[PartEdit]:
    """The parts that differ on some bench, each once: the first bench that shows a difference says what it is."""
    told: dict[str, PartEdit] = {}
    of: dict[str, str] = {}                    # reference → bench that said it
    for before, now in pairs:
        old, new = parts(before), parts(now)
        donors: dict[str, str] = {}
        for reference, path in old.items():
            donors.setdefault(package(before.stage.GetPrimAtPath(path)), reference)
        notes: list[str] = []
        for reference, path in old.items():
            edit = _changed(before, now, reference, path, new.get(reference), donors, notes, refused if not told else [])
            _same(told, of, reference, edit, now, refused)
        for reference in new:
            if reference not in old:
                _same(told, of, reference, _new(now, reference, new[reference], donors, notes), now, refused)
        approximated += [n for n in notes if n not in approximated]
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


def _changed(before: Bench, now: Bench, reference: str, path: str, new: str | None, donors: dict[str, str], notes: list[str],
             refused: list[str]) -> PartEdit | None:
    """One part as it was written; None where nothing of it differs."""
    if new is None:
        return PartEdit(reference, removed=True)
    then, prim = before.stage.GetPrimAtPath(path), now.stage.GetPrimAtPath(new)
    was, (pose, exact) = rigid(before.pose(path))[0], rigid(now.pose(new))
    if not exact:
        refused.append(f"{new}: is scaled or sheared; a package has its own size, so let the part have another package")
    turn = pose[:3, :3] @ was[:3, :3].T
    yaw = math.atan2(turn[1, 0], turn[0, 0])
    dx, dy, dz = (pose[:3, 3] - was[:3, 3]).tolist()
    if abs(dz) > FLAT or turn[2, 2] < 1 - FLAT**2 / 2 - 1e-9:
        refused.append(f"{new}: was raised by {dz * 1e6:.1f} µm or tilted; height and tilt follow from solder and placement")
    moved = math.hypot(dx, dy) > STILL or abs(yaw) > STILL
    like, kind = "", package(prim)
    if kind != package(then):
        like = donors.get(kind, "")
        if not like:
            refused.append(f"{new}: has the package '{kind}', which no part of the stage had; only those can be taken")
    if prim.GetAttribute("visibility").Get() == "invisible":
        refused.append(f"{new}: is hidden; deactivate it to take it off the board")
    if not moved and not like:
        return None
    return PartEdit(reference, like=like, move=(dx, dy) if moved else (0.0, 0.0), turn=yaw if moved and abs(yaw) > STILL else 0.0)


def _new(now: Bench, reference: str, path: str, donors: dict[str, str], notes: list[str]) -> PartEdit | None:
    """A part that was added: like the first one that had its package."""
    like = donors.get(package(now.stage.GetPrimAtPath(path)), "")
    if not like:
        return None                            # told as a new prim
    pose, _ = rigid(now.pose(path))
    notes.append(f"{path}: is new; it is {reference}, like {like}, with its land pattern and no nets")
    return PartEdit(reference, like=like, at=(float(pose[0, 3]), float(pose[1, 3]), math.atan2(pose[1, 0], pose[0, 0])))


def _claim(found: Changes, path: str) -> None:
    prim = found.now.GetPrimAtPath(path)
    if path in found.removed or (prim and not prim.IsActive()):
        found.claim_all(path)
    elif path in found.added:
        if package(prim):
            found.claim_all(path)
    else:
        found.claim(path, *CARRIED, "visibility")
        found.claim_all(path + "/")


__all__ = ["package", "part_edits", "parts"]
