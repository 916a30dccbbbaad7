"""Control: the same training on labels dealt out at random, several times. Its unit AUROC must be that of chance.

    linetwin control out/dataset --units out/verdict/units -o out/control

One shuffled run says little: what it learned is noise, and a net's noise moves all strong deviations together. So the
figure is the mean over seeds with Student's two-sided interval. Every run is ``train`` and ``judge`` as they are, on
units that no run has seen, under their true labels.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from generators.dataset import Dataset
from generators.reports import Check, Figure, Report, Section, Table
from scenes.errors import InputError
from training_bridge.judge import judge
from training_bridge.model import load
from training_bridge.prepare import COLUMNS
from training_bridge.stats import CONFIDENCE, Auroc, auroc
from training_bridge.train import EPOCHS, train

SEEDS = 8
WIDEST = 0.1               # half-width of the interval up to which "at chance" says something
FORMULA = "mean over shuffled runs of the chance that a defective unit scores above a good one; Student's interval over runs"

Progress = Callable[[int, int, str], None]     # done, total, note


@dataclass(frozen=True)
class Mean:
    """A mean of runs with its two-sided interval."""
    value: float
    low: float
    high: float
    runs: int


def mean(values: Iterable[float], confidence: float = CONFIDENCE) -> Mean:
    """Mean of independent runs with Student's two-sided interval. Raises ValueError for fewer than two."""
    found = np.array(list(values), np.float64)
    if len(found) < 2:
        raise ValueError(f"{len(found)} run: an interval needs at least two")
    half = float(stats.t.ppf((1 + confidence) / 2, len(found) - 1) * found.std(ddof=1) / np.sqrt(len(found)))
    value = float(found.mean())
    return Mean(value, value - half, value + half, len(found))


def control(dataset: str | Path, units: str | Path, out: str | Path, *, seeds: int = SEEDS, epochs: int = EPOCHS,
            threads: int = 1, progress: Progress | None = None) -> Report:
    """Train on shuffled labels with seeds 0, 1, 2 … and judge fresh units with each model.

    Args:
        dataset: What the real model was trained on.
        units: Fresh units of the same scene, such as ``validate`` leaves in its folder ``units``.
        out: Receives the report and one model folder per seed; run again to resume.
        seeds: How many runs.
        epochs: As the real model's.
        threads: torch threads.
        progress: Called with (done, total, note).

    Raises:
        InputError: Fewer than two seeds, or units that are not fresh, of another scene, or all good or all defective.
    """
    from training_bridge.loop import quiet

    if seeds < 2:
        raise InputError(f"seeds: {seeds}; an interval needs at least two")
    taught, stream, folder = Dataset.read(Path(dataset)), Dataset.read(Path(units)), Path(out)
    if stream.info.recipe_digest == taught.info.recipe_digest:
        raise InputError(f"{units}: of the training recipe itself, so not fresh; give units of another seed")
    if stream.info.scene_digest != taught.info.scene_digest:
        raise InputError(f"{units}: of scene {stream.info.scene_digest[:12]}, {dataset} is of {taught.info.scene_digest[:12]}; "
                         "give units of the same scene")
    bad = np.array([any(item.defect for item in row.instances) for row in stream.rows(("frames", "instances"))])
    if bad.all() or not bad.any():
        raise InputError(f"{units}: {(~bad).sum()} good and {bad.sum()} defective units; both are needed")
    runs: list[tuple[int, Auroc]] = []
    for seed in range(seeds):
        train(dataset, folder / f"seed-{seed}", epochs=epochs, seed=seed, threads=threads, shuffle_labels=True)
        with quiet(threads):
            scores = np.array([unit.verdict.score for unit in judge(load(folder / f"seed-{seed}"), stream.rows(COLUMNS))])
        runs.append((seed, auroc(scores[~bad], scores[bad])))
        if progress:
            progress(len(runs), seeds, "control")
    report = control_report(runs, {
        "scene": f"{stream.info.scene} ({stream.info.scene_digest[:12]})",
        "trained on": f"recipe {taught.info.recipe_digest[:12]}",
        "units": f"{len(stream)} of recipe {stream.info.recipe_digest[:12]}", "epochs": str(epochs)})
    report.write(folder)
    return report


def control_report(runs: list[tuple[int, Auroc]], facts: dict[str, str]) -> Report:
    """The report of a control: (seed, AUROC) of its runs."""
    found = mean(a.value for _, a in runs)
    table = Table(("seed", "AUROC", "low 95 %", "high 95 %", "good units", "defective units"),
                  tuple((seed, a.value, a.low, a.high, a.good, a.bad) for seed, a in runs),
                  "DeLong's interval of each run is for its own units, not for another shuffle.")
    figure = Figure(found.value, "", found.low, found.high, CONFIDENCE, found.runs, FORMULA)
    return Report("Shuffled-label control", (chance_check(found),), {"auroc.shuffled": figure}, facts,
                  (Section("Runs", "Each learned from its own shuffle, by the path of a real training.", (table,)),))


def chance_check(found: Mean) -> Check:
    """At chance: the interval holds 1/2 and is narrow enough to mean it."""
    includes, narrow = found.low <= 0.5 <= found.high, (found.high - found.low) / 2 <= WIDEST
    passed = None if includes and not narrow else includes
    advice = {True: "", None: f"; wider than ± {WIDEST}: run more seeds",
              False: "; training reads the truth past its labels, or the units differ in more than defects: look for the leak"}
    return Check("chance", passed, f"AUROC {found.value:.3f} (95 % {found.low:.3f} to {found.high:.3f}) over {found.runs} "
                 f"shuffled runs, chance is 0.5{advice[passed]}")


__all__ = ["SEEDS", "Mean", "chance_check", "control", "control_report", "mean"]
