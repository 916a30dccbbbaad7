"""Adapt: give a trained model another product without training it: new layout, references and threshold, the same weights.

A model compares crops with golden references, so its weights know differences, not boards. How well that transfers is
for ``validate`` to say.
"""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from generators.dataset import Dataset
from scenes.errors import ModelError
from training_bridge.model import CARD, WEIGHTS, ModelCard, network, read_card, save, unpack
from training_bridge.prepare import prepare
from training_bridge.train import calibrate, describe


def adapt(model: str | Path, dataset: str | Path, out: str | Path, *,
          progress: Callable[[int, int, str], None] | None = None) -> ModelCard:
    """Write a copy of a model that looks at the product of ``dataset``.

    Args:
        model: Folder written by ``train``.
        dataset: Units of the other product; golden ones are enough, defects in it only add to the figures.
        out: The new model folder.
        progress: Called with (done, total, note).

    Raises:
        ModelError: ``model`` is none, or ``out`` holds one already, or the dataset knows defects that the model does not.
        DatasetError: No good unit to learn references and threshold from.
    """
    card, folder, data_set = read_card(model), Path(out), Dataset.read(Path(dataset))
    if (folder / CARD).exists():
        raise ModelError(f"{folder}: holds a model; choose another folder")
    source = describe(data_set)
    if unknown := set(source["classes"]) - set(card.classes):
        raise ModelError(f"{model}: was not trained on {', '.join(sorted(unknown))}; train on a dataset that has them")
    data = prepare(data_set, card.classes, card.seed, progress)
    weights = unpack(Path(model) / WEIGHTS, card.weights_sha256)
    threshold, metrics = calibrate(network(card, weights, Path(model)), data, card.threads, card.target_false_calls)
    kept = card.model_dump(include={"widths", "parameter_count", "classes", "seed", "epochs", "threads", "shuffled_labels",
                                    "target_false_calls"})
    units = {"taught": int((~data.val).sum()), "val": int(data.val.sum()), "crops": len(data.crops),
             "defective_crops": int(np.count_nonzero(data.label))}
    return save(folder, source | kept | {"threshold": threshold, "metrics": metrics, "units": units}, weights, data.references,
                data.layout)


__all__ = ["adapt"]
