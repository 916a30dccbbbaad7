"""Train: a dataset folder becomes a model folder.

    linetwin train out/dataset -o out/model

Decodes the dataset once, learns references from good parts, trains the compact model, sets the threshold on the
validation units for a target rate of false calls. Running it again on the same target resumes, or returns at once.
"""
from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain_randomization.recipe import Recipe
from generators.dataset import Dataset
from scenes.errors import BackendUnavailable, DatasetError, ModelError
from scenes.scene import Scene
from training_bridge.drift import stream_pixel
from training_bridge.model import CARD, ModelCard, read_card, save, write
from training_bridge.prepare import Prepared, prepare, shuffled
from training_bridge.score import threshold_for
from training_bridge.stats import auroc

STATE, METRICS = "state.npz", "metrics.jsonl"
EPOCHS = 6
FALSE_CALLS = 0.05

Progress = Callable[[int, int, str], None]     # done, total, note


def train(dataset: str | Path, out: str | Path, *, epochs: int = EPOCHS, seed: int = 0, threads: int = 1,
          false_calls: float = FALSE_CALLS, shuffle_labels: bool = False, progress: Progress | None = None) -> ModelCard:
    """Train the compact model and write its folder.

    Args:
        dataset: Folder written by ``linetwin generate``.
        out: Model folder. A finished model of the same run is returned as it is; a started one is resumed.
        epochs: Passes of ``loop.STEPS`` batches.
        seed: Of weights, draws and augmentation.
        threads: torch threads, 0 for every core this process may use. Weights depend on it. Crops are small: on two
            busy cores two threads were no faster than one.
        false_calls: Share of good validation units that the threshold lets be called [1].
        shuffle_labels: One run of the control: the net learns from labels dealt out at random; see ``control``.
        progress: Called with (done, total, note); notes are "decode" and "train".

    Raises:
        DatasetError: Not a dataset, or nothing in it to learn from.
        ModelError: ``out`` holds another run.
        BackendUnavailable: torch is not installed.
    """
    try:
        from training_bridge import loop
    except ImportError:
        raise BackendUnavailable("torch: not installed; install the extra 'train' (pip install 'linetwin[train]')") from None
    data_set, folder = Dataset.read(Path(dataset)), Path(out)
    if not data_set.complete:
        raise DatasetError(f"{dataset}: not complete; run generate again on it to finish it")
    threads = threads or len(os.sched_getaffinity(0))
    source = describe(data_set)
    settings = {"seed": seed, "epochs": epochs, "threads": threads, "shuffled_labels": shuffle_labels,
                "target_false_calls": false_calls}
    if (folder / CARD).exists():
        card = read_card(folder)
        if card.model_dump(include=set(settings) | set(source)) == settings | source:
            return card
        raise ModelError(f"{folder}: holds a model of other data or settings; choose another folder or delete it")
    run = hashlib.sha256(json.dumps(settings | source, sort_keys=True).encode()).hexdigest()
    data = prepare(data_set, source["classes"], seed, progress)
    if not (data.label[~data.val[data.unit]] > 0).any():
        raise DatasetError(f"{dataset}: no visible defect in the training split; add quotas to the recipe")
    if shuffle_labels:
        data = shuffled(data, seed)

    def report(history: tuple[dict[str, float], ...]) -> None:
        write(folder / METRICS, "".join(json.dumps(finite(figures)) + "\n" for figures in history).encode())
        if progress:
            progress(len(history), epochs, "train")

    fit = loop.fit(data, epochs=epochs, seed=seed, threads=threads, state=folder / STATE, run=run, progress=report)
    card = _finish(folder, data, fit, settings | source)
    (folder / STATE).unlink(missing_ok=True)
    return card


def finite(figures: Mapping[str, float]) -> dict[str, float]:
    """Figures without those that could not be taken: JSON has no NaN."""
    return {name: value for name, value in figures.items() if math.isfinite(value)}


def describe(dataset: Any) -> dict[str, Any]:
    """What a model must remember of the dataset that it was trained on."""
    info, path = dataset.info, dataset.path / "meta" / "recipe.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); run generate again to write it anew") from None
    recipe = Recipe.parse(text, path)
    pixel = stream_pixel(Scene.read(path.with_name("scene.yaml")), recipe)
    shards = hashlib.sha256("".join(s.sha256 for s in info.shards).encode()).hexdigest()
    return {"classes": tuple(d.name for d in dataset.taxonomy.defects), "scene_digest": info.scene_digest,
            "product_digest": info.product_digest, "nominal_pixel": pixel, "made_with": info.linetwin,
            "renderer": info.renderer, "renderer_build": info.renderer_build,
            "recipe_digest": info.recipe_digest, "recipe_seed": recipe.seed, "recipe": text, "dataset_digest": shards}


def _finish(folder: Path, data: Prepared, fit: Any, facts: dict[str, Any]) -> ModelCard:
    """Set the threshold, take the figures, write the folder."""
    import torch

    from training_bridge.compact import WIDTHS, Compact, parameter_count

    net = Compact(len(data.classes), WIDTHS)
    net.load_state_dict({k: torch.from_numpy(v) for k, v in fit.weights.items()})
    threshold, metrics = calibrate(net, data, facts["threads"], facts["target_false_calls"])
    kept = fit.history[fit.kept]
    metrics |= finite({"epoch_kept": kept["epoch"] + 1, "val_loss": kept["val_loss"], "val_kind": kept["val_kind"]})
    units = {"train": int((~data.val).sum()), "val": int(data.val.sum()), "train_defective": int((data.bad & ~data.val).sum()),
             "crops": len(data.crops), "defective_crops": int((data.label > 0).sum())}
    return save(folder, {**facts, "widths": WIDTHS, "parameter_count": parameter_count(net), "threshold": threshold,
                         "metrics": metrics, "units": units}, fit.weights, data.references, data.layout)


def calibrate(net: Any, data: Prepared, threads: int, false_calls: float) -> tuple[float, dict[str, float]]:
    """Threshold on the validation units for a rate of false calls, and the figures there.

    Raises:
        DatasetError: No good validation unit.
    """
    from training_bridge import loop

    with loop.quiet(threads):
        logit, _ = loop.logits(net, loop.Feed(data), np.flatnonzero(data.val[data.unit]))
    scores = unit_scores(data, logit)
    good, bad = scores[~data.bad[data.val]], scores[data.bad[data.val] & ~data.hidden[data.val]]
    if not len(good):
        raise DatasetError("dataset: no good unit in the validation split to set a threshold on; lower 'defective_fraction'")
    threshold = threshold_for(good, false_calls)
    metrics = {"val_units": float(len(scores)), "val_good": float(len(good))}
    if len(bad):
        metrics |= {"val_auroc_visible": auroc(good, bad).value, "val_recall_visible": float((bad > threshold).mean())}
    return threshold, metrics


def unit_scores(data: Prepared, logit: NDArray[np.float32]) -> NDArray[np.float64]:
    """Worst window per validation unit, (V,); ``logit`` belongs to the validation crops in order."""
    rows = np.flatnonzero(data.val[data.unit])
    worst = np.full(len(data.val), -np.inf)
    np.maximum.at(worst, data.unit[rows], logit)
    return worst[data.val]


__all__ = ["EPOCHS", "FALSE_CALLS", "calibrate", "describe", "train", "unit_scores"]
