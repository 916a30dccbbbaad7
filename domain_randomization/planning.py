"""The plan: what a recipe will make, before the first pixel. Counts are exact; time and disk are estimates."""
from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from domain_randomization.quotas import SPLITS, Schedule
from domain_randomization.recipe import Recipe
from domain_randomization.sampling import Context, check_quotas
from scenes.scene import Scene

# Estimates of time, rounded from CPU time per sample on a busy 2-core x86 server with software GL; the bytes are measured:
START_SECONDS = 8.0                            # until the first sample, Ray included
UNIT_SECONDS = 1.5e-3                          # of a scenario: its flow and its physics, per unit that the line makes
CHANNEL_SECONDS = 2e-3                         # slow readings around one sample, per channel
SAMPLE_SECONDS = 0.30                          # process, geometry, upload; per sample and core
MEGAPIXEL_SECONDS = {"rgb": 0.40, "thermal": 0.40, "xray": 0.20}        # render, label, encode, commit; per 10⁶ pixels and core
MEGAPIXEL_BYTES = {"rgb": 1.8e6, "thermal": 1.2e6, "xray": 1.4e6,
                   "instance": 25e3, "part": 32e3, "depth": 0.26e6, "normal": 0.21e6}   # encoded, lossless
JPEG_BYTES = 0.5e6                             # of an rgb megapixel at quality 95


@dataclass(frozen=True)
class PlanRow:
    """So many samples of one defect and severity."""

    defect: str                                # "" for samples that run free
    level: str
    low: float                                 # severity, in ``unit``; −inf … inf where any will do
    high: float
    unit: str
    hosts: int                                 # parts that can show it
    counts: dict[str, int]                     # split → samples

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class PlanFrames:
    """What one instrument takes of every sample."""

    modality: str
    frames: int                                # per sample
    width: int                                 # [px]
    height: int                                # [px]
    tiles: int                                 # in all, of which a sample has one or every one

    @property
    def megapixels(self) -> float:
        return self.frames * self.width * self.height * 1e-6


@dataclass(frozen=True)
class Plan:
    """What will be made. Print it, or take ``to_dict()``."""

    rows: tuple[PlanRow, ...]
    count: int
    count_needed: int                          # smallest count in which the quotas are met
    skipped: tuple[str, ...]                   # defects of quotas_each that no part can show
    frames: tuple[PlanFrames, ...]             # one per modality
    shards: int
    seconds: float                             # estimate
    bytes: float                               # estimate
    workers: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; infinite ends of a severity are null."""
        def finite(value: float) -> float | None:
            return value if math.isfinite(value) else None

        rows = [{"defect": r.defect, "level": r.level, "low": finite(r.low), "high": finite(r.high), "unit": r.unit,
                 "hosts": r.hosts, **r.counts, "total": r.total} for r in self.rows]
        return {"rows": rows, "count": self.count, "count_needed": self.count_needed, "skipped": list(self.skipped),
                "frames": [asdict(f) for f in self.frames], "shards": self.shards,
                "seconds": round(self.seconds, 1), "bytes": round(self.bytes), "workers": self.workers}

    def text(self) -> str:
        """A table for people."""
        wide = max(16, *(len(r.defect) + 2 for r in self.rows))
        lines = [f"{'defect':<{wide}}{'severity':<12}{'range':<20}{'hosts':>6}{'train':>8}{'val':>6}{'test':>6}{'total':>7}"]
        for r in self.rows:
            lines.append(f"{r.defect or '(free running)':<{wide}}{r.level:<12}{_range(r):<20}{r.hosts or '':>6}"
                         f"{r.counts['train']:>8}{r.counts['val']:>6}{r.counts['test']:>6}{r.total:>7}")
        totals = {s: sum(r.counts[s] for r in self.rows) for s in SPLITS}
        lines.append(f"{'total':<{wide + 38}}{totals['train']:>8}{totals['val']:>6}{totals['test']:>6}{self.count:>7}")
        if self.skipped:
            lines.append(f"no part of this product can show: {', '.join(self.skipped)}")
        frames = " + ".join(f"{f.frames} {f.modality} of {f.width} × {f.height} px ({f.tiles} tiles)" for f in self.frames)
        lines.append(f"{self.count} samples × ({frames}), {self.shards} shards, "
                     f"about {_duration(self.seconds)} with {self.workers} workers, {_size(self.bytes)}")
        return "\n".join(lines)


def plan(scene: Scene, recipe: Recipe, *, workers: int | None = None, context: Context | None = None) -> Plan:
    """The plan of a recipe on a scene. Renders nothing; raises what ``Context`` and ``check_quotas`` raise."""
    from domain_randomization.execution import worker_count

    context = Context(scene, recipe) if context is None else context
    check_quotas(context)
    schedule = context.schedule
    asked = asked_counts(schedule, recipe.count)
    units = {d.name: d.severity_unit for d in context.family.taxonomy.defects}
    rows = tuple(PlanRow(c.defect or f"while {c.drift}", c.level, c.low, c.high, units.get(c.defect, "1"),
                         len([h for h in c.hosts if h]), asked[k])
                 for k, c in enumerate(schedule.cells))
    rows += (PlanRow("", "", -math.inf, math.inf, "", 0, asked[None]),)
    repeats = 2 if recipe.outputs.golden else 1
    taken = {i.modality: len(i.cameras) if recipe.frames.tiles == "all" else 1 for i in context.instruments}
    if recipe.clip is not None:
        taken["rgb"] = recipe.clip.frames
    frames = tuple(PlanFrames(i.modality, taken[i.modality] * repeats, i.cameras[0].width, i.cameras[0].height,
                              len(i.cameras)) for i in context.instruments)
    workers = worker_count(recipe, workers)
    per_sample = SAMPLE_SECONDS + sum(MEGAPIXEL_SECONDS[f.modality] * f.megapixels for f in frames)
    seconds = START_SECONDS + recipe.count * per_sample / max(workers, 1)
    if context.story is not None:
        run = context.story.living.run
        seconds += len(run.start) * UNIT_SECONDS
        seconds += recipe.count * len(run.line.sensors) * CHANNEL_SECONDS / max(workers, 1)
    return Plan(rows, recipe.count, schedule.count_needed, schedule.skipped, frames, math.ceil(recipe.count / recipe.shard_size),
                seconds, recipe.count * sum(f.megapixels * _bytes_per_megapixel(recipe, f.modality) for f in frames), workers)


def _bytes_per_megapixel(recipe: Recipe, modality: str) -> float:
    """Of a picture and its dense labels; X-ray pictures have none."""
    picture = JPEG_BYTES if modality == "rgb" and recipe.outputs.rgb == "jpeg" else MEGAPIXEL_BYTES[modality]
    return picture + (0 if modality == "xray" else sum(MEGAPIXEL_BYTES[name] for name in recipe.outputs.labels))


def asked_counts(schedule: Schedule, count: int) -> dict[int | None, dict[str, int]]:
    """Samples per cell (None: free running) and split among the first ``count``."""
    counts: Counter[tuple[int | None, str]] = Counter()
    for index in range(count):
        slot = schedule.slot(index)
        counts[None if slot is None else slot.cell, schedule.split(index)] += 1
    return {k: {s: counts[k, s] for s in SPLITS} for k in [*range(len(schedule.cells)), None]}


def _range(row: PlanRow) -> str:
    if math.isinf(row.low) or not row.unit:
        return "" if math.isinf(row.low) else f"{row.low:.3g} … {row.high:.3g}"
    meters = (1e6, "µm") if row.high < 1e-3 else (1e3, "mm")
    factor, unit = {"m": meters, "rad": (180 / math.pi, "°"), "1": (100.0, "%")}.get(row.unit, (1.0, row.unit))
    return f"{row.low * factor:.3g} … {row.high * factor:.3g} {unit}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _size(size: float) -> str:
    return f"{size / 1e6:.0f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


__all__ = ["Plan", "PlanRow", "asked_counts", "plan"]
