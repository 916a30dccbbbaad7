"""From what was seen to the gate's checks. Ids are stable: release pipelines name them."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from generators.dataset.meta import read_stats
from generators.dataset.reader import Dataset
from generators.dataset.shards import file_digest, shard_path
from generators.dataset.stats import Counter
from generators.inspect.clips import Clips
from generators.inspect.duplicates import Duplicates, Pair
from generators.inspect.modalities import Events
from generators.inspect.sheets import Crop
from generators.inspect.show import quota_text
from generators.inspect.traces import Traces
from generators.reports import Check, Figure

EXAMPLES = 8                                   # failures that a check names
NEAR_LIMIT = 0.05                              # share of pictures that may repeat another one

_LABELS = {
    "labels.rle": "run lengths decode, fill their frame and are canonical",
    "labels.area": "areas equal their masks",
    "labels.box": "boxes are tight around their masks",
    "labels.amodal": "visible pixels lie inside amodal ones",
    "labels.hidden": "'hidden' is said where nothing is visible, and only there",
    "labels.dense": "masks are the pixels of their ids in the instance label",
    "labels.category": "categories are those of the taxonomy",
    "labels.severity": "continuous defects carry a severity in the taxonomy's unit",
}


@dataclass
class Seen:
    """What one pass over the rows collects."""
    counter: Counter
    unit_defects: dict[int, set[str]] = field(default_factory=dict)       # of a living line: what its units show
    problems: dict[str, list[str]] = field(default_factory=dict)         # check id → what is wrong
    instances: int = 0
    pictures: int = 0
    hidden: int = 0
    compared: int = 0                                                    # instances whose dense labels are stored
    outside: int = 0                                                     # severities that no level holds
    duplicates: Duplicates = field(default_factory=Duplicates)
    ids: dict[str, int] = field(default_factory=dict)                    # sample id → index
    indices: list[int] = field(default_factory=list)
    units: dict[str, dict[str, str]] = field(default_factory=dict)       # unit → split → one of its samples
    boards: dict[str, dict[str, str]] = field(default_factory=dict)      # board → split → one of its samples
    crops: dict[str, dict[int, list[Crop]]] = field(default_factory=dict)
    frames: list[tuple[str, bytes, str]] = field(default_factory=list)   # modality, picture, caption
    events: Events = field(default_factory=Events)
    clips: Clips = field(default_factory=Clips)
    traces: Traces = field(default_factory=Traces)

    def problem(self, check: str, text: str) -> None:
        self.problems.setdefault(check, []).append(text)


def all_checks(dataset: Dataset, seen: Seen, stats: Mapping[str, Any], pairs: Sequence[Pair], partial: bool) -> tuple[Check, ...]:
    """Every check, in the order of the report. ``partial``: not every sample was looked at."""
    partial = partial or not dataset.complete
    return (*_bytes(dataset, seen), *_label_checks(seen), *_clips(seen), _ids(dataset, seen, partial), _quotas(stats, partial),
            _stats(dataset, stats, partial), _coverage(seen, stats), *_leaks(seen), *_duplicates(seen, pairs),
            *seen.traces.checks())


def _check(name: str, good: str, problems: Sequence[str], bad: str) -> Check:
    if not problems:
        return Check(name, True, good)
    return Check(name, False, f"{len(problems):,} {bad}", examples=tuple(problems[:EXAMPLES]))


def _bytes(dataset: Dataset, seen: Seen) -> list[Check]:
    problems = seen.problems.get("bytes.readable", [])
    checks = [_check("bytes.readable", f"{seen.pictures:,} pictures and all dense labels decode", problems,
                     "shards, pictures or labels cannot be read; delete the shards that are named and run generate again")]
    if not dataset.complete:
        unfinished = "the dataset is not finished; run generate again, it makes what is missing"
        return [*checks, Check("bytes.complete", False, unfinished)]
    info = dataset.info
    checks.append(Check("bytes.complete", True, f"finished: {info.samples:,} samples in {len(info.shards):,} shards"))
    wrong = [f"{s.file}: SHA-256 differs" for s in info.shards if file_digest(dataset.path / s.file) != s.sha256]
    strangers = {f"data/{shard_path(dataset.path, s).name}" for s in dataset.shards} - {s.file for s in info.shards}
    wrong += [f"{name}: not in meta/info.json" for name in sorted(strangers)]
    checks.append(_check("bytes.digests", f"SHA-256 of {len(info.shards):,} shards as in meta/info.json", wrong,
                         "shards changed since they were made; delete them and run generate again"))
    return checks


def _label_checks(seen: Seen) -> list[Check]:
    checks = []
    for name, good in _LABELS.items():
        if name == "labels.dense" and not seen.compared:
            checks.append(Check(name, True, "the recipe stores no instance and part labels to compare masks with"))
            continue
        count = seen.compared if name == "labels.dense" else seen.instances
        checks.append(_check(name, f"{good} ({count:,} instances)", seen.problems.get(name, []),
                             "instances break this; a bug of the generator, please report it"))
    return checks


def _clips(seen: Seen) -> list[Check]:
    """Only of datasets that hold clips."""
    if not seen.clips.count:
        return []
    return [_check("labels.tracks", f"in {seen.clips.count:,} clips of {seen.clips.frames:,} frames, times rise by one step and "
                   "things keep their ids", seen.problems.get("labels.tracks", []),
                   "clips break this; a bug of the generator, please report it")]


def _ids(dataset: Dataset, seen: Seen, partial: bool) -> Check:
    problems = list(seen.problems.get("counts.ids", []))
    if not partial and "bytes.readable" not in seen.problems and seen.indices != list(range(dataset.info.samples)):
        problems.append(f"indices are not 0 to {dataset.info.samples - 1} in order")
    good = f"{len(seen.ids):,} samples, each with its own id, in order"
    return _check("counts.ids", good, problems, "ids or indices are wrong")


def _quotas(stats: Mapping[str, Any], partial: bool) -> Check:
    asked = stats["asked"]
    if partial:
        return Check("quotas", None, "undecided: not every sample was looked at")
    if not asked:
        return Check("quotas", True, "the recipe asks for no number of any defect")
    short = [f"{quota_text(a)}: {a['delivered']} of {a['count']}" for a in asked if a["delivered"] < a["count"]]
    total, delivered = sum(a["count"] for a in asked), sum(a["delivered"] for a in asked)
    return _check("quotas", f"all {len(asked)} quotas are met: {total:,} asked, {delivered:,} delivered", short,
                  f"of {len(asked)} quotas are not met; loosen their severity or raise the recipe's count")


def _stats(dataset: Dataset, stats: Mapping[str, Any], partial: bool) -> Check:
    kept = read_stats(dataset.path)
    if partial or kept is None:
        return Check("counts.stats", None, "undecided: not every sample was looked at")
    parts = ("samples", "frames", "splits", "categories", "levels", "asked")
    wrong = [f"{part} differs" for part in parts if kept.get(part) != stats[part]]
    return _check("counts.stats", "meta/stats.json says what the rows say", wrong,
                  "parts of meta/stats.json differ from the rows; run generate again to write it anew")


def _coverage(seen: Seen, stats: Mapping[str, Any]) -> Check:
    varied = len(stats["coverage"])
    figures = {"severities outside every level": Figure(seen.outside)}
    if not varied and seen.counter.samples > 1:
        return Check("coverage", False, "no physical cause varies over the samples; give the recipe distributions", figures)
    return Check("coverage", True, f"{varied:,} physical causes vary over the samples", figures)


def _leaks(seen: Seen) -> list[Check]:
    problems = [f"unit {unit}: {', '.join(f'{s} ({i})' for s, i in sorted(places.items()))}"
                for unit, places in sorted(seen.units.items()) if len(places) > 1]
    units = _check("leaks.units", f"none of {len(seen.units):,} units is in two splits", problems,
                   "units are in two splits; split by unit")
    if len(seen.boards) == 1:
        name = next(iter(seen.boards))
        return [units, Check("leaks.boards", True, f"one board design ({name}) in every split: results speak of new units of it, "
                             "not of new designs")]
    shared = [f"board {name}: {', '.join(sorted(places))}" for name, places in sorted(seen.boards.items()) if len(places) > 1]
    return [units, _check("leaks.boards", f"none of {len(seen.boards):,} boards is in two splits", shared,
                          "boards are in two splits; split by board")]


def _duplicates(seen: Seen, pairs: Sequence[Pair]) -> list[Check]:
    same = [f"{p.first} = {p.second}" for p in pairs if p.exact]
    checks = [_check("duplicates.exact", f"no two of {seen.duplicates.count:,} pictures are the same", same,
                     "pairs of pictures are the same, pixel for pixel")]
    for name, crossing, what in (("duplicates.near", False, "repeat another one but for noise"),
                                 ("leaks.pictures", True, "repeat one of another split but for noise")):
        found = sorted({p.second for p in pairs if p.crosses or not crossing})
        share = len(found) / max(seen.duplicates.count, 1)
        good = share <= NEAR_LIMIT
        text = f"{len(found):,} of {seen.duplicates.count:,} pictures {what}; at most {100 * NEAR_LIMIT:.0f} % may"
        checks.append(Check(name, good, text + ("" if good else ": vary light, pose or parts more"),
                            {"share": Figure(share, "ratio", n=seen.duplicates.count, formula="repeating pictures / pictures")},
                            () if good else tuple(found[:EXAMPLES])))
    return checks


__all__ = ["NEAR_LIMIT", "Seen", "all_checks"]
