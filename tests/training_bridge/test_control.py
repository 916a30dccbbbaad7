"""The shuffled-label control: an honest run of the same training, and what several of them say."""
from __future__ import annotations

import dataclasses
import importlib
import json
from typing import Any

import numpy as np
import pytest
import torch
from conftest import TAXONOMY, line, write
from scipy import stats as reference

import training_bridge
from scenes.errors import InputError
from training_bridge import model
from training_bridge.stats import Auroc

control, loop, prepare = (importlib.import_module(f"training_bridge.{name}") for name in ("control", "loop", "prepare"))
CLASSES = tuple(d.name for d in TAXONOMY.defects)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(loop, "STEPS", 6)
    monkeypatch.setattr(loop, "BATCH", 64)
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def prepared(toy) -> Any:
    return prepare.prepare(toy, CLASSES, 0)


def test_shuffling_keeps_counts_and_splits(prepared):
    """Only labels move: so many of each as before in train, and in val."""
    dealt = prepare.shuffled(prepared, 5)
    assert dataclasses.replace(dealt, label=prepared.label).crops is prepared.crops and dealt.references is prepared.references
    for split in (prepared.val[prepared.unit], ~prepared.val[prepared.unit]):
        assert np.array_equal(np.bincount(dealt.label[split]), np.bincount(prepared.label[split]))
    assert not np.array_equal(dealt.label, prepared.label)


def test_shuffled_labels_know_no_crop(prepared):
    """Over many shuffles a truly defective crop is called defective as often as chance says: hypergeometric."""
    train = ~prepared.val[prepared.unit]
    truly = prepared.label[train] > 0
    hits = [int((prepare.shuffled(prepared, seed).label[train] > 0)[truly].sum()) for seed in range(300)]
    expected = reference.hypergeom(len(truly), truly.sum(), truly.sum())
    assert abs(np.mean(hits) - expected.mean()) < 4 * expected.std() / np.sqrt(len(hits))


def test_the_shuffle_is_by_the_seed(prepared):
    again = [prepare.shuffled(prepared, seed).label for seed in (3, 3, 4)]
    assert np.array_equal(again[0], again[1]) and not np.array_equal(again[0], again[2])


def test_the_control_takes_the_path_of_a_real_training(toy_folder, tmp_path, monkeypatch):
    """The loop, the choice of the epoch and the threshold get the same calls; nothing but the labels differs."""
    seen = []
    fit = loop.fit
    monkeypatch.setattr(loop, "fit", lambda data, **how: seen.append((data, how)) or fit(data, **how))
    for name, shuffle in (("real", False), ("control", True)):
        training_bridge.train(toy_folder, tmp_path / name, epochs=1, seed=3, shuffle_labels=shuffle)
    (real, how), (control_data, control_how) = seen
    for key in ("epochs", "seed", "threads"):
        assert how[key] == control_how[key]
    differ = {f.name for f in dataclasses.fields(real) if isinstance(getattr(real, f.name), np.ndarray)
              and not np.array_equal(getattr(real, f.name), getattr(control_data, f.name))}
    assert differ == {"label"}
    assert model.read_card(tmp_path / "control").shuffled_labels and not model.read_card(tmp_path / "real").shuffled_labels


@pytest.mark.parametrize(("losses", "epoch"), [([0.5, 0.4, 0.45], 1), ([0.71, 0.72, 0.73], 0), ([0.7], 0),
                                               ([float("nan")] * 3, 2)])
def test_the_epoch_of_least_validation_loss_is_kept(losses, epoch):
    """Also where none beats ln 2, chance's loss: a run on noise is judged by what it learned."""
    assert loop.kept([{"val_loss": x} for x in losses]) == epoch


def test_a_control_is_no_constant(fresh_folder, tmp_path_factory, tmp_path):
    """Three shuffled runs, each with its own scores. (Chance itself takes a real training: see docs/ml-teams.md.)"""
    small = write(tmp_path_factory.mktemp("small") / "dataset", line(32, 5), 5)
    report = training_bridge.control(small, fresh_folder, tmp_path, seeds=3, epochs=1)
    cards = [model.read_card(tmp_path / f"seed-{k}") for k in range(3)]
    assert all(c.shuffled_labels and c.metrics["epoch_kept"] >= 1 for c in cards)
    assert len({c.weights_sha256 for c in cards}) == 3
    rows = report.sections[0].tables[0].rows
    areas = [row[1] for row in rows]
    assert len(set(areas)) == 3 and 0.5 not in areas             # ties would give 1/2 exactly
    figure = report.figures["auroc.shuffled"]
    assert figure.value == pytest.approx(np.mean(areas)) and figure.low is not None and figure.high is not None
    assert (figure.low, figure.high) == pytest.approx((control.mean(areas).low, control.mean(areas).high))
    assert json.loads((tmp_path / "report.json").read_text())["figures"]["auroc.shuffled"]["n"] == 3


def test_the_interval_is_students():
    """scipy's own interval of a mean, and the textbook case: 1, 2, 3 has mean 2 ± 4.3027/√3."""
    found = control.mean([1.0, 2.0, 3.0])
    assert (found.value, found.runs) == (2.0, 3)
    assert found.high - 2 == pytest.approx(4.30265273 / np.sqrt(3)) == 2 - found.low
    values = np.random.default_rng(0).normal(0.5, 0.06, 8)
    low, high = reference.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (control.mean(values).low, control.mean(values).high) == pytest.approx((low, high))
    with pytest.raises(ValueError, match="at least two"):
        control.mean([0.5])


@pytest.mark.parametrize(("areas", "status", "words"), [
    ([0.47, 0.52, 0.55, 0.49, 0.51, 0.46], "passed", "chance is 0.5"),
    ([0.2, 0.8, 0.5], "inconclusive", "run more seeds"),
    ([0.66, 0.68, 0.67, 0.69], "failed", "look for the leak"),
    ([0.31, 0.33, 0.32, 0.30], "failed", "look for the leak"),
])
def test_chance_is_decided_by_the_interval(areas, status, words):
    report = control.control_report([(k, Auroc(a, a - 0.1, a + 0.1, 50, 50)) for k, a in enumerate(areas)], {})
    assert report.verdict == status and words in report.checks[0].message


def test_units_must_be_fresh(toy_folder, fresh_folder, tmp_path):
    with pytest.raises(InputError, match="not fresh"):
        training_bridge.control(toy_folder, toy_folder, tmp_path, seeds=2)
    with pytest.raises(InputError, match="at least two"):
        training_bridge.control(toy_folder, fresh_folder, tmp_path, seeds=1)


def test_units_of_another_scene_are_refused(toy_folder, fresh_folder, tmp_path):
    info = fresh_folder / "meta" / "info.json"
    other = write(tmp_path / "other", line(4, 3, splits=("test",)), 3)
    changed = json.loads(info.read_text()) | {"scene_digest": "0123456789abcdef"}
    (other / "meta" / "info.json").write_text(json.dumps(changed | {"shards": []}))
    with pytest.raises(InputError, match=r"of scene 0123456789ab, .* is of scene"):
        training_bridge.control(toy_folder, other, tmp_path / "out", seeds=2)


def test_one_class_only_is_refused(toy_folder, tmp_path):
    good = write(tmp_path / "good", line(6, 4, defective=0.0, splits=("test",)), 4)
    with pytest.raises(InputError, match="6 good and 0 defective units"):
        training_bridge.control(toy_folder, good, tmp_path / "out", seeds=2)
    assert not (tmp_path / "out").exists()                       # told before any training
