"""The sections of the gate's HTML: what is in the dataset, to look at."""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from generators.inspect.duplicates import Pair
from generators.inspect.sheets import Crop
from generators.reports import Picture, Section, Table
from generators.reports.plots import bars, histogram
from scenes.family import Taxonomy

HISTOGRAMS = 60
_FIRST = ("look", "lighting", "camera", "drifts", "signals")     # causes that people ask about come first


def sections(taxonomy: Taxonomy, stats: Mapping[str, Any], crops: Mapping[str, Mapping[int, Sequence[Crop]]],
             events: Mapping[str, Sequence[Sequence[Crop]]], frames: Sequence[tuple[bytes, str]],
             pairs: Sequence[Pair], strips: Sequence[tuple[bytes, str]] = ()) -> tuple[Section, ...]:
    """Frames, clips, one event in every modality, one sheet per defect, counts, quotas, coverage, duplicates."""
    every = (_frames(frames), _clips(strips), _events(taxonomy, events), *_sheets(taxonomy, crops), _counts(taxonomy, stats),
             _quotas(stats), _coverage(stats), _duplicates(pairs))
    return tuple(s for s in every if s is not None)


def _frames(frames: Sequence[tuple[bytes, str]]) -> Section | None:
    if not frames:
        return None
    return Section("Frames", "Whole frames with their labels: parts green, defects magenta, what this camera cannot see cyan.",
                   pictures=tuple(Picture(data, caption, half=True) for data, caption in frames))


def _clips(strips: Sequence[tuple[bytes, str]]) -> Section | None:
    if not strips:
        return None
    return Section("Clips", "A few frames of the first clips, in order of time. Labels follow things from frame to frame.",
                   pictures=tuple(Picture(data, caption, half=True) for data, caption in strips))


def _events(taxonomy: Taxonomy, events: Mapping[str, Sequence[Sequence[Crop]]]) -> Section | None:
    pictures = []
    for defect in taxonomy.defects:
        for number, cells in enumerate(events.get(defect.name, ())):
            pictures += [Picture(cell.jpeg(), f"{cell.title}\n{cell.note}", heading="" if k else defect.title
                                 + (f", unit {number + 1}" if number else "")) for k, cell in enumerate(cells)]
    if not pictures:
        return None
    return Section("One event, every instrument", "The same defect on the same unit, as each instrument saw it. Magenta outlines "
                   "what the instrument can see of it, cyan where it is.", pictures=tuple(pictures))


def _sheets(taxonomy: Taxonomy, crops: Mapping[str, Mapping[int, Sequence[Crop]]]) -> list[Section]:
    found = [d for d in taxonomy.defects if d.name in crops]
    if not found:
        return []
    pictures = []
    for defect in found:
        cells = [cell for level in sorted(crops[defect.name]) for cell in crops[defect.name][level]]
        heading = f"{defect.title} ({defect.name})" + (f", severity: {defect.severity}" if defect.severity else "")
        for cell in cells:
            pictures.append(Picture(cell.jpeg(), f"{cell.title}\n{cell.note}", heading=heading))
            heading = ""
    return [Section("Defects", "Magenta outlines the visible pixels of the label, cyan the amodal ones where they differ. "
                    "Examples are ordered by severity level.", pictures=tuple(pictures))]


def _counts(taxonomy: Taxonomy, stats: Mapping[str, Any]) -> Section:
    splits = list(stats["splits"])
    per: dict[str, dict[str, float]] = {}
    levels: dict[str, dict[str, float]] = {}
    for entry in stats["levels"]:
        by_split = per.setdefault(entry["defect"], dict.fromkeys(splits, 0))
        by_split[entry["split"]] += entry["findings"]
        name = {0: "all or nothing", -1: "outside the levels"}.get(entry["level"], f"level {entry['level']}")
        by_level = levels.setdefault(entry["defect"], {})
        by_level[name] = by_level.get(name, 0) + entry["findings"]
    names = ["all or nothing", "level 1", "level 2", "level 3", "level 4", "outside the levels"]
    used = [n for n in names if any(n in parts for parts in levels.values())]
    kinds = {d.name for d in taxonomy.defects}
    columns = ("category", "findings", "instances", "of these hidden")
    rows = tuple((name, c["findings"], c["instances"], c["hidden"]) for name, c in stats["categories"].items())
    absent = [d.name for d in taxonomy.defects if d.name not in stats["categories"]]
    text = "A finding is one defect on one unit; an instance is that finding in one frame."
    if absent:
        text += f" Not in this dataset: {', '.join(absent)}."
    untrained = [n for n, parts in per.items() if "train" in parts and not parts["train"]]
    if untrained:
        text += f" In val or test but not in train: {', '.join(untrained)}."
    pictures = []
    if per:
        pictures = [Picture(bars([(n, p) for n, p in per.items()], unit="findings"), "Findings per split"),
                    Picture(bars([(n, {u: p.get(u, 0) for u in used}) for n, p in levels.items()], unit="findings"),
                            "Findings per severity level")]
    return Section("Counts", text, (
        Table(("split", "samples", "units"), tuple((s, n["samples"], n["units"]) for s, n in stats["splits"].items())),
        Table(columns, tuple(r for r in rows if r[0] in kinds), "Defects"),
        Table(columns, tuple(r for r in rows if r[0] not in kinds), "Parts without a defect"),
    ), tuple(pictures))


def _quotas(stats: Mapping[str, Any]) -> Section | None:
    if not stats["asked"]:
        return None
    rows = tuple((quota_text(a), a["count"], a["delivered"], "met" if a["delivered"] >= a["count"] else "not met")
                 for a in stats["asked"])
    return Section("Quotas", "Samples with at least one such finding. A unit may also show defects that nobody asked for.",
                   (Table(("defect [severity range]", "asked", "delivered", ""), rows),))


def _coverage(stats: Mapping[str, Any]) -> Section | None:
    coverage = stats["coverage"]
    if not coverage:
        return None

    def order(name: str) -> tuple[int, str]:
        head = name.split(".")[0]
        return (_FIRST.index(head) if head in _FIRST else len(_FIRST), name)

    names = sorted((n for n in coverage if n not in ("index", "seed")), key=order)
    shown = names[:HISTOGRAMS]
    more = f" The other {len(names) - len(shown):,} are in meta/stats.json." if len(names) > len(shown) else ""
    plots = (histogram(coverage[n]["histogram"], coverage[n]["min"], coverage[n]["max"], title=n) for n in shown)
    return Section("Coverage", f"How far the causes were varied: histograms over the samples, {len(names):,} causes vary.{more}",
                   pictures=tuple(Picture(plot) for plot in plots))


def _duplicates(pairs: Sequence[Pair]) -> Section | None:
    if not pairs:
        return None
    rows = tuple((p.first, p.second, "the same" if p.exact else "but for noise", "yes" if p.crosses else "no")
                 for p in pairs[:50])
    some = ", the first 50" if len(pairs) > 50 else ""
    return Section("Near duplicates", f"{len(pairs):,} pairs of pictures look the same{some}.",
                   (Table(("picture", "picture", "how", "across splits"), rows),))


def severity_text(value: float, unit: str) -> str:
    """A severity in the unit that people use on the line: µm, degrees, percent."""
    if math.isnan(value):
        return ""
    if unit == "m":
        return f"{value * 1e6:.0f} µm"
    if unit == "rad":
        return f"{math.degrees(value):.1f}°"
    return f"{100 * value:.0f} %" if unit == "1" else f"{value:.3g} {unit}"


def quota_text(asked: Mapping[str, Any]) -> str:
    """A quota as people say it: ``shift [0.5, 0.75]``."""
    low, high = (f"{asked[k]:.3g}" if asked.get(k) is not None else "…" for k in ("low", "high"))
    return f"{asked['defect']} [{low}, {high}]" if (low, high) != ("…", "…") else str(asked["defect"])


__all__ = ["quota_text", "sections", "severity_text"]
