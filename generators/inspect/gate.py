"""inspect_dataset: one pass over every row, then the checks, then the report."""
from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generators.dataset.meta import read_stats
from generators.dataset.reader import Dataset
from generators.dataset.rows import Row
from generators.dataset.schema import IMPORTED, SPLITS, severity_level
from generators.dataset.stats import Counter
from generators.inspect.checks import Seen, all_checks
from generators.inspect.clips import check_clips, key_frames
from generators.inspect.imported import without_physics
from generators.inspect.labels import check_row
from generators.inspect.modalities import modality_of, shown
from generators.inspect.sheets import crop, overview
from generators.inspect.show import sections, severity_text
from generators.reports import Figure, Report
from scenes.errors import DatasetError

CROPS_PER_LEVEL = 5
FRAMES_SHOWN = 4

Progress = Callable[[int, int], None]


def inspect_dataset(dataset: Dataset, *, out: Path | None = None, limit: int | None = None,
                    progress: Progress | None = None) -> Report:
    """Check a dataset and write the report.

    Args:
        dataset: What to check; only read.
        out: Where index.html, report.json and junit.xml go; ``report/`` inside the dataset by default.
        limit: Look at this many samples only; checks of the whole dataset then come out undecided.
        progress: Called with (samples done, samples in all).

    Returns:
        The report. A failed check is not an error.

    Raises:
        StorageError: the report cannot be written.
    """
    total = len(dataset) if limit is None else min(limit, len(dataset))
    seen = Seen(Counter(dataset.taxonomy))
    for done, row in enumerate(_rows(dataset, total, seen), 1):
        _look(row, dataset, seen)
        if progress is not None:
            progress(done, total)
    stats = seen.counter.result((read_stats(dataset.path) or {}).get("asked", ()))
    pairs = list(seen.duplicates.pairs())
    kinds = sum(d.name in stats["categories"] for d in dataset.taxonomy.defects)
    figures = {"samples": Figure(seen.counter.samples), "frames": Figure(seen.pictures),
               "labelled instances": Figure(seen.instances), "of these hidden": Figure(seen.hidden),
               "kinds of defect": Figure(kinds),
               "samples without a defect": Figure(seen.counter.good)}
    info = dataset.info
    facts = {"dataset": info.name, "board": info.board, "scene": info.scene, "acceptance profile": info.acceptance,
             "recipe digest": info.recipe_digest, "scene digest": info.scene_digest,
             "renderer": f"{info.renderer}: {info.renderer_build}",
             "made with": ", ".join(f"{k} {v}" for k, v in info.versions.items()), "licence": info.license}
    checks = all_checks(dataset, seen, stats, pairs, total < len(dataset))
    if info.renderer == IMPORTED:
        checks = without_physics(checks)
    shown_sections = sections(dataset.taxonomy, stats, seen.crops, seen.events.found,
                              [(data, caption) for _, data, caption in seen.frames], pairs, seen.clips.strips)
    if (dataset.path / "meta" / "line" / "run.json").exists():
        from generators.inspect.line import of_dataset  # late: only a living line's dataset needs what it loads

        more_checks, more_sections = of_dataset(dataset.path, seen.unit_defects)
        checks, shown_sections = (*checks, *more_checks), (*more_sections, *seen.traces.sections(), *shown_sections)
    report = Report(f"Dataset gate: {info.name}", checks, figures, {k: v for k, v in facts.items() if v}, shown_sections)
    report.write(Path(out) if out is not None else dataset.path / "report")
    return report


def _rows(dataset: Dataset, total: int, seen: Seen) -> Iterator[Row]:
    """Rows up to ``total``; a damaged shard is noted and left."""
    count = 0
    for shard in dataset.shards:
        try:
            for row in dataset.shard(shard):
                if count == total:
                    return
                count += 1
                yield row
        except DatasetError as error:
            seen.problem("bytes.readable", str(error))


def _look(row: Row, dataset: Dataset, seen: Seen) -> None:
    seen.counter.add(row)
    if row.id in seen.ids:
        seen.problem("counts.ids", f"{row.id}: is the id of index {seen.ids[row.id]} and {row.index}")
    seen.ids[row.id] = row.index
    seen.indices.append(row.index)
    if row.split not in SPLITS:
        seen.problem("counts.ids", f"{row.id}: split '{row.split}' is none of {', '.join(SPLITS)}")
    seen.units.setdefault(row.unit, {}).setdefault(row.split, row.id)
    seen.traces.add(row)
    line = row.conditions.get("line")
    if isinstance(line, dict):
        seen.unit_defects.setdefault(int(line["unit"]), set()).update(i.defect for i in row.instances
                                                                      if i.defect and row.frames[i.frame].camera != "golden")
    board = row.conditions.get("board")
    seen.boards.setdefault(board if isinstance(board, str) else dataset.info.board, {}).setdefault(row.split, row.id)
    seen.instances += len(row.instances)
    seen.hidden += sum(i.hidden for i in row.instances)
    dense = {n for n in range(len(row.frames)) if row.has_label("instance", n) and row.has_label("part", n)}
    seen.compared += sum(bool(i.ids) and i.frame in dense for i in row.instances)
    try:
        for check, text in check_row(row, dataset.taxonomy):
            seen.problem(check, text)
        for text in check_clips(row):
            seen.problem("labels.tracks", text)
        for item in row.data["labels"]:
            if item["name"] not in ("instance", "part"):         # check_row has decoded those
                row.label(item["name"], item["frame"])
    except DatasetError as error:
        seen.problem("bytes.readable", str(error))
    pictures, keys, strip = {}, key_frames(row), seen.clips.shown(row)
    for number in range(len(row.frames)):
        try:
            picture = _picture(row, number, dataset, seen, number in keys)
            if number in keys or number in strip:
                pictures[number] = picture
        except DatasetError as error:
            seen.problem("bytes.readable", str(error))
    with contextlib.suppress(DatasetError):
        seen.events.add(row, {n: pictures[n] for n in sorted(keys & pictures.keys())})
        seen.clips.add(row, pictures)


def _picture(row: Row, number: int, dataset: Dataset, seen: Seen, key: bool) -> NDArray[np.uint8]:
    """Decode a frame's picture; returns what is shown of it. ``key``: not just one of many frames of a clip."""
    view, modality = row.frames[number], modality_of(row, number)
    picture = shown(modality, row.image(modality, number))
    seen.pictures += 1
    if not key:
        return picture
    if view.camera != "golden":                                  # a golden frame repeats its pair on purpose
        place = f"{modality} {view.camera} {view.view.get('tile', 0)} {picture.shape}"
        seen.duplicates.add(f"{row.id} frame {number}", row.split, place, picture)
    with contextlib.suppress(DatasetError):                      # a mask that cannot be drawn was told by check_row
        _show(row, number, modality, picture, dataset, seen)
    return picture


def _show(row: Row, number: int, modality: str, rgb: NDArray[np.uint8], dataset: Dataset, seen: Seen) -> None:
    """Keep crops of the first defects of each kind and level, and the first defective frames."""
    view = row.frames[number]
    here = [i for i in row.instances if i.frame == number]
    for found in (i for i in here if i.defect and modality == "rgb"):
        level = severity_level(dataset.taxonomy, found.defect, found.severity)
        seen.outside += level < 0
        cells = seen.crops.setdefault(found.defect, {}).setdefault(level, [])
        if len(cells) < CROPS_PER_LEVEL:
            words = (severity_text(found.severity, found.severity_unit), f"level {level}" if level > 0 else "",
                     "hidden" if found.hidden else "", row.split, f"sample {row.index}")
            pads = f" pad {', '.join(found.pads[:3])}" if found.pads else ""
            cells.append(crop(rgb, found, (found.component or "board") + pads, ", ".join(w for w in words if w)))
    if sum(m == modality for m, *_ in seen.frames) < FRAMES_SHOWN and any(i.defect for i in here):
        caption = f"sample {row.index}, {row.split}, camera {view.camera}: {len(here)} labels"
        seen.frames.append((modality, overview(rgb, here), caption))


__all__ = ["inspect_dataset"]
