"""Validate: the virtual line test. A trained model meets a stream of units that it has never seen.

    linetwin validate out/model --scene examples/inspector.scene.yaml -o out/verdict

Fresh units are generated with the training recipe under another seed, or with a recipe of the caller's; they land in
``out/units`` as a dataset, so that a killed test resumes and its units can be looked at.
"""
from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from domain_randomization.recipe import Recipe, Splits
from generators.dataset import Dataset
from generators.reports import Report
from scenes.errors import InputError, RecipeError
from scenes.scene import Scene
from training_bridge.crops import pictures
from training_bridge.drift import differences, drift_check, refuse
from training_bridge.judge import judge, tally
from training_bridge.model import ModelCard, load
from training_bridge.prepare import COLUMNS
from training_bridge.score import look
from training_bridge.train import describe
from training_bridge.verdict import Limits, verdict_report

UNITS = "units"                                # folder of the fresh units, below ``out``

Progress = Callable[[int, int, str], None]     # done, total, note


def validate(model: str | Path, scene: Scene, *, units: int, out: str | Path, seed: int, recipe: Path | Recipe | None = None,
             workers: int | None = None, renderer: str = "gl", limits: Limits | None = None, threads: int = 1,
             allow_drift: bool = False, progress: Progress | None = None) -> Report:
    """Run a model over fresh units of a line and report what it lets through.

    Args:
        model: Folder written by ``train``.
        scene: The line. Must make the product that the model was taught on; see ``adapt`` for another.
        units: How many fresh units.
        out: Receives index.html, report.json, junit.xml and the units themselves.
        seed: Of the stream; must differ from the training recipe's.
        recipe: What to vary and break; None takes the training recipe. Its count, seed and splits are overruled.
        workers: As in ``domain_randomization.execution.run``.
        renderer: As in ``domain_randomization.execution.run``.
        limits: What the verdict is held against; None for the defaults.
        threads: torch threads for judging, 0 for every core. Latency is measured with them.
        allow_drift: Take another scene of the same product, another pixel size, renderer or version. The report names them.
        progress: Called with (done, total, note).

    Raises:
        ModelError: The model cannot judge these units, or differences are not allowed; see ``drift``.
        RecipeError: The seed is the training recipe's.
        InputError: No unit was asked for.
    """
    from domain_randomization.execution import run
    from training_bridge.loop import quiet

    if units < 1:
        raise InputError(f"units: {units}; a verdict needs at least one, a useful one some hundreds")
    folder, loaded = Path(out), load(model)
    card = loaded.card
    plan = fresh(card, scene, units, seed, recipe)
    refuse(card, scene, plan, str(model), allow_drift)
    run(scene, plan, folder / UNITS, workers=workers, renderer=renderer, progress=progress)
    stream = Dataset.read(folder / UNITS)
    judged: list[Any] = []
    with quiet(threads or len(os.sched_getaffinity(0))):
        for unit in judge(loaded, stream.rows(COLUMNS)):
            judged.append(unit)
            if progress:
                progress(len(judged), len(stream), "judge")
    counted = tally(loaded.layout, judged, card.classes)
    drift = drift_check(differences(card, describe(stream)), allow_drift)
    report = verdict_report(loaded.layout, judged, counted, limits or Limits(), _facts(card, scene, stream, seed),
                            lambda k: look(loaded, pictures(stream[k])),
                            ("The model was trained on shuffled labels: this is a control.",) if card.shuffled_labels else (),
                            (drift,))
    report.write(folder)
    return report


def fresh(card: ModelCard, scene: Scene, units: int, seed: int, recipe: Path | Recipe | None = None) -> Recipe:
    """The recipe of the stream: the given or the training one, under another seed, all of it test units.

    Quotas keep their proportion to the count.
    """
    if seed == card.recipe_seed:
        raise RecipeError(f"seed: {seed} is the training recipe's, so these units would not be fresh; choose another")
    base = Recipe.parse(card.recipe) if recipe is None else recipe if isinstance(recipe, Recipe) else Recipe.read(recipe)
    share = units / base.count
    quotas = tuple(q.model_copy(update={"count": max(1, int(q.count * share))}) for q in base.quotas)
    return base.model_copy(update={
        "scene": scene.path, "seed": seed, "count": units, "quotas": quotas,
        "quotas_each": max(1, int(base.quotas_each * share)) if base.quotas_each else 0,
        "splits": Splits(train=0, val=0, test=1),
        "outputs": base.outputs.model_copy(update={"labels": ("instance",), "golden": False})})


def _facts(card: ModelCard, scene: Scene, stream: Dataset, seed: int) -> dict[str, str]:
    return {"scene": f"{scene.name} ({card.scene_digest[:12]})", "model weights": card.weights_sha256[:12],
            "trained on": f"{card.units.get('train', 0)} units of recipe {card.recipe_digest[:12]}, seed {card.recipe_seed}",
            "fresh units": f"{len(stream)} of recipe {stream.info.recipe_digest[:12]}, seed {seed}",
            "threshold": f"logit {card.threshold:.3f}, set for {card.target_false_calls:.1%} false calls on validation units",
            "trained on pictures by": f"linetwin {card.made_with}, {card.renderer} {card.renderer_build}".strip(),
            "judged pictures by": f"linetwin {stream.info.linetwin}, {stream.info.renderer} {stream.info.renderer_build}".strip()}


__all__ = ["UNITS", "fresh", "validate"]
