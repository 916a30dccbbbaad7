"""import_folder: an output folder of Replicator's as a Dataset of ours, in two passes: names first, then pixels.

Memory holds one frame (of a clip, one moment), one mask and one row group. The dataset appears as a whole or not at all.
"""
from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from generators.dataset.folders import whole_folder
from generators.dataset.meta import write_identity, write_summary
from generators.dataset.sample import Sample, Shot
from generators.dataset.schema import IMPORTED, SPLITS, DatasetInfo, canonical
from generators.dataset.shards import write_shard
from generators.imports.frames import Register, read_view
from generators.imports.layout import Event, Found, read_folder
from generators.imports.names import MERGED, UNKNOWN, Naming
from generators.imports.report import ImportReport, missing, with_pictures
from generators.imports.segmentation import categories_of, source_of
from generators.imports.sides import NAME, Side, read_sides
from scenes.errors import DatasetError, InputError
from scenes.family import Defect, Taxonomy

SHARD = 64                                     # samples; a shard of them is written as they are read
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Choices:
    """What the caller says that the folder does not; see ``import_folder``."""
    split: str = "train"
    defects: tuple[str, ...] = ()
    naming: Naming = field(default_factory=Naming)
    rate_hz: float | None = None
    strict: bool = False

    def check(self) -> None:
        if self.split not in SPLITS:
            raise InputError(f"import: no split '{self.split}'; one of {', '.join(SPLITS)}")
        if self.naming.merged not in MERGED:
            raise InputError(f"import: merged labels '{self.naming.merged}'; one of {', '.join(MERGED)}")
        if self.rate_hz is not None and not 0 < self.rate_hz < 1e6:
            raise InputError(f"import: {self.rate_hz} frames per second; give a positive number")

    def text(self) -> dict[str, Any]:
        """What decides about the dataset's bytes, JSON-ready."""
        return {"split": self.split, "defects": list(self.defects), **self.naming._asdict(), "rate_hz": self.rate_hz}


def import_folder(folder: str | Path, out: str | Path, *, format: str = "auto", name: str = "", license: str = "unknown",
                  split: str = "train", defects: Sequence[str] = (), merged: str = "keep", taxonomy: str = "class",
                  rate_hz: float | None = None, strict: bool = False, shard_size: int = SHARD,
                  progress: Progress | None = None) -> ImportReport:
    """Read what one of Replicator's writers wrote and write it as a Dataset.

    Args:
        folder: The writer's output folder. Untrusted.
        out: A new or empty folder.
        format: "auto" or "replicator".
        name: Of the dataset; the folder's by default.
        license: SPDX name of the pictures' licence, which the folder does not say.
        split: Where everything goes: frames of one scene may differ little, so they are not dealt out. A ``frames.csv`` of
            linetwin's own export says better and is followed.
        defects: Classes that are defects. Replicator does not say it; all others are parts.
        merged: What becomes of nested labels, "palette,stack": "keep" them, or only the "first" or the "last" name.
        taxonomy: Whose labels are the categories where objects have several; "kind" for stages of linetwin's.
        rate_hz: Frames per second of clips. Without it a clip's frames are counted as seconds.
        strict: Also refuse mappings that name ids without a pixel. Replicator may list what is out of sight, so they are
            counted otherwise.
        shard_size: Samples per shard.
        progress: Called with (done, all, note) in both passes.

    Raises:
        InputError: not a folder of Replicator's; a wrong argument.
        DatasetError: files that contradict each other or cannot be read, with file and frame; ``out`` is taken.
        StorageError: the target cannot take it.
    """
    choices = Choices(split, tuple(sorted(set(defects))), Naming(merged, taxonomy), rate_hz, strict)
    choices.check()
    if shard_size < 1:
        raise InputError(f"import: {shard_size} samples per shard; at least 1")
    found = read_folder(folder, format=format)
    events, left_out = with_pictures(found)
    found = Found(found.folder, found.writer, events, found.strange)
    sides = read_sides(found.folder / NAME) if NAME in found.strange and found.writer == "BasicWriter" else {}
    name = name or found.folder.absolute().name
    classes, digest = _first_pass(found, choices, {"name": name, "sides": sides}, progress)
    info = DatasetInfo(name, digest, classes, shard_size, renderer=IMPORTED,
                       renderer_build=f"Replicator {found.writer}", acceptance="none", scene="not known", board="not known",
                       license=license)
    tally = _Tally(left_out)
    with whole_folder(Path(out)) as root:
        about = {"writer": found.writer, "folder": found.folder.absolute().name, **choices.text()}
        write_identity(root, info, {"import.yaml": yaml.safe_dump(about, sort_keys=False)})
        for shard in range(-(-len(events) // shard_size)):
            numbers = range(shard * shard_size, min((shard + 1) * shard_size, len(events)))
            write_shard(root, shard, _samples(found, numbers, info, sides, choices, tally, progress), info)
        write_summary(root, info, len(events))
    if strange := len(found.strange) - bool(sides):
        tally.left_out["files that no writer of Replicator's makes"] = strange
    order = [d.name for d in classes.defects] + list(classes.parts)
    return ImportReport(found.writer, str(folder), str(out), len(events), tally.frames, sum(tally.categories.values()),
                        {n: tally.categories[n] for n in order}, tally.without_mask, dict(sorted((+tally.left_out).items())),
                        missing(events, bool(sides), rate_hz is not None))


@dataclass
class _Tally:
    left_out: Counter[str]
    frames: int = 0
    without_mask: int = 0
    categories: Counter[str] = field(default_factory=Counter)


def _first_pass(found: Found, choices: Choices, besides: Mapping[str, Any],
                progress: Progress | None) -> tuple[Taxonomy, str]:
    """The classes that the label files name, and the digest of everything that is read.

    The digest is a SHA-256 over the choices, over what is known ``besides`` (the name, and what frames.csv says), and over path
    and SHA-256 of every file. Nothing says which classes are defects but the caller; categories are in the order of their
    names, those without one last.
    """
    known: set[str] = set()
    digest = hashlib.sha256(canonical({"writer": found.writer, **choices.text(), **besides}).encode())
    for done, event in enumerate(found.events, 1):
        for view in event.views:
            known |= categories_of(found.folder, view, choices.naming)
            for path in sorted(view.files.values()):
                with open(found.folder / path, "rb") as file:
                    digest.update(canonical([path, hashlib.file_digest(file, "sha256").hexdigest()]).encode())
        if progress is not None:
            progress(done, len(found.events), "names")
    if strange := sorted(set(choices.defects) - known):
        raise InputError(f"{found.folder}: no class '{strange[0]}'; there are: {', '.join(sorted(known)) or 'none'}")
    parts = sorted(known - {*choices.defects, UNKNOWN})
    last = [UNKNOWN] if UNKNOWN in known and UNKNOWN not in choices.defects else []
    return Taxonomy(tuple(Defect(d, d) for d in choices.defects), (*parts, *last)), digest.hexdigest()


def _samples(found: Found, numbers: range, info: DatasetInfo, sides: Mapping[str, Side], choices: Choices, tally: _Tally,
             progress: Progress | None) -> Iterator[Sample]:
    for index in numbers:
        event = found.events[index]
        side = sides.get(event.name)
        if sides and side is None:
            raise DatasetError(f"{found.folder / NAME}: says nothing of frame {event.name}; take the file out, or export again")
        causes = {"imported": {"writer": found.writer, "event": event.name, **({"sample": side.sample} if side else {})}}
        unit, split = (side.unit, side.split) if side else (f"{info.name}-{event.name}", choices.split)
        name = hashlib.sha256(f"{info.recipe_digest}/{index}".encode()).hexdigest()[:32]
        yield Sample(name, index, unit, split, 0, (), (), causes, shots=_shots(found, event, choices, tally))
        if progress is not None:
            progress(index + 1, len(found.events), "import")


def _shots(found: Found, event: Event, choices: Choices, tally: _Tally) -> Iterator[Shot]:
    """The frames of one event, read when they are taken, one at a time."""
    register = Register()
    for number, view in enumerate(event.views):
        more: dict[str, Any] = {}
        if event.clip and len(event.views) > 1:
            more = {"clip": number, "time_s": number / (choices.rate_hz or 1.0)}
        read = read_view(found.folder, view, number, register, naming=choices.naming, defects=choices.defects, more=more)
        if choices.strict and read.unseen:
            where = found.folder / view.files[f"{source_of(view)}.png"]
            raise DatasetError(f"{where}: frame {view.frame} has no pixel of id {read.unseen[0]}, which its mapping names; "
                               "without strict such ids are counted only")
        tally.frames += 1
        tally.without_mask += read.boxes
        tally.left_out["mapped ids without a pixel"] += len(read.unseen)
        tally.categories.update(read.categories)
        yield read.frame, read.instances


__all__ = ["Choices", "ImportReport", "import_folder"]
