"""Train on a toy line, keep the folder honest, and judge fresh units."""
from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import TAXONOMY, ToyDataset, draw, write

import training_bridge
from domain_randomization.recipe import Recipe
from scenes.errors import DatasetError, ModelError, RecipeError
from training_bridge import crops, judge, model, references, stats, verdict

score = importlib.import_module("training_bridge.score")         # the room's own name for it is the function
CLASSES = tuple(d.name for d in TAXONOMY.defects)
QUICK = {"epochs": 3, "seed": 3, "threads": 1}


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    loop = importlib.import_module("training_bridge.loop")
    monkeypatch.setattr(loop, "STEPS", 10)
    monkeypatch.setattr(loop, "BATCH", 64)
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def trained(toy_folder, tmp_path_factory) -> Path:
    loop = importlib.import_module("training_bridge.loop")
    patch = pytest.MonkeyPatch()
    patch.setattr(loop, "STEPS", 10)
    patch.setattr(loop, "BATCH", 64)
    folder = tmp_path_factory.mktemp("model") / "model"
    training_bridge.train(toy_folder, folder, **QUICK)
    patch.undo()
    return folder


def test_importing_the_room_loads_no_torch():
    code = "import sys, training_bridge; print([m for m in ('torch', 'ray', 'moderngl', 'OpenGL') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_coordinates_ignore_a_defect():
    """A unit made from known coordinates gives them back, though a tenth of its cells show something else."""
    rng = np.random.default_rng(0)
    basis = rng.normal(0, 10, (3, 40, 3, 4, 4)).astype(np.float32)
    mean, spread = np.full((40, 3, 4, 4), 100, np.float32), np.full((40, 3, 4, 4), 3, np.float32)
    truth = np.array([1.5, -0.7, 0.3], np.float32)
    cells = mean + np.tensordot(truth, basis, 1) + rng.normal(0, 2, mean.shape).astype(np.float32)
    cells[:4] = 250.0
    cells[20] = np.nan
    assert references.coordinates(cells, mean, basis, spread) == pytest.approx(truth, abs=0.05)


def test_the_golden_family_explains_the_light(toy):
    """Good units under other lamps: what is left after the family is the read-out noise (2 grey levels), not the light."""
    prepare = importlib.import_module("training_bridge.prepare")
    data = prepare.prepare(toy, CLASSES, 0)
    rows = np.flatnonzero((data.label == 0) & data.val[data.unit])
    rest = data.crops[rows].astype(float) - data.golden[rows]
    change = data.crops[rows].astype(float) - data.references.mean[data.window[rows]]
    assert np.median(np.abs(rest)) <= 2.0
    assert np.median(np.abs(change)) > 3 * np.median(np.abs(rest))


def test_finds_defects_and_says_where(trained, fresh):
    loaded = model.load(trained)
    judged = list(judge.judge(loaded, fresh.rows()))
    counted = judge.tally(loaded.layout, judged, CLASSES)
    assert counted.auroc_visible is not None and counted.auroc_visible.value > 0.9
    by_name = {r.defect: r for r in counted.recalls}
    assert by_name["missing"].in_place.value > 0.9
    assert set(by_name) == {"missing", "shift", "ball"}          # the void is no camera's to find
    assert [name for name, _ in counted.hidden] == ["void"]
    assert counted.hidden_only == sum(j.truth.hidden_only for j in judged) > 0
    assert counted.escape.trials == counted.escape_visible.trials + counted.hidden_only


def test_training_again_returns_the_card_and_other_settings_are_refused(trained, toy_folder):
    assert training_bridge.train(toy_folder, trained, **QUICK) == model.read_card(trained)
    with pytest.raises(ModelError, match="other data or settings"):
        training_bridge.train(toy_folder, trained, epochs=3, seed=4, threads=1)


def test_a_killed_run_ends_with_the_same_weights(trained, toy_folder, tmp_path):
    """Stop after the first epoch, go on: byte for byte the model of the run that was not stopped."""
    class Killed(Exception):
        pass

    def kill(done: int, total: int, note: str) -> None:
        if note == "train" and done == 1:
            raise Killed

    with pytest.raises(Killed):
        training_bridge.train(toy_folder, tmp_path / "m", progress=kill, **QUICK)
    assert not (tmp_path / "m" / "model.json").exists()
    training_bridge.train(toy_folder, tmp_path / "m", **QUICK)
    for name in ("model.json", "weights.npz", "references.npz", "metrics.jsonl"):
        assert (tmp_path / "m" / name).read_bytes() == (trained / name).read_bytes(), name
    assert not (tmp_path / "m" / "state.npz").exists()


def _copy(trained: Path, to: Path) -> Path:
    shutil.copytree(trained, to)
    return to


@pytest.mark.parametrize(("damage", "message"), [
    (lambda f: (f / "model.json").unlink(), "cannot be read"),
    (lambda f: (f / "model.json").write_text("{}"), "train the model again"),
    (lambda f: (f / "weights.npz").write_bytes((f / "weights.npz").read_bytes()[:-40]), "does not match the digest"),
    (lambda f: (f / "references.npz").write_bytes(b"x"), "does not match the digest"),
])
def test_a_damaged_folder_is_refused(trained, tmp_path, damage, message):
    folder = _copy(trained, tmp_path / "m")
    damage(folder)
    with pytest.raises(ModelError, match=message):
        model.load(folder)


def test_no_pickle_is_read(tmp_path):
    """An array file that hides an object is refused, whatever its digest says."""
    np.savez(tmp_path / "weights.npz", a=np.array([{"boom": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ModelError, match="not an array file of ours"):
        model.unpack(tmp_path / "weights.npz")


def test_a_model_moves_to_another_product_by_its_references_only(trained, tmp_path):
    other = write(tmp_path / "golden", [draw(k, [], 9, "train" if k % 3 else "val") for k in range(24)], 9)
    card = training_bridge.adapt(trained, other, tmp_path / "moved")
    assert card.weights_sha256 == model.read_card(trained).weights_sha256
    assert card.references_sha256 != model.read_card(trained).references_sha256
    moved = model.load(tmp_path / "moved")
    good, bad = (training_bridge.score(moved, crops.pictures(r))
                 for r in ToyDataset([draw(99, [], 9), draw(99, [("missing", "R5")], 9)])._rows)
    assert bad.score > good.score
    assert max(bad.components(moved.layout).items(), key=lambda item: item[1])[0] == "R5"


def test_fresh_units_are_fresh(trained):
    card = model.read_card(trained).model_copy(update={
        "recipe": "linetwin: 1\nscene: scene.yaml\nseed: 1\ncount: 200\nquotas_each: 4\nquotas: [{defect: shift, count: 10}]\n"})
    scene = type("SceneAt", (), {"path": Path("line.yaml")})()
    with pytest.raises(RecipeError, match="would not be fresh"):
        validate_module().fresh(card, scene, 100, 1)
    plan = validate_module().fresh(card, scene, 100, 2)
    assert (plan.seed, plan.count, plan.quotas_each, plan.quotas[0].count) == (2, 100, 2, 5)
    assert plan.splits.test == 1 and plan.outputs.labels == ("instance",) and isinstance(plan, Recipe)


def validate_module():
    return importlib.import_module("training_bridge.validate")


def test_a_dataset_without_good_parts_is_refused(tmp_path):
    folder = write(tmp_path / "bad", [draw(0, [("missing", f"R{k}") for k in range(24)] + [("missing", "U1")], 4)], 4)
    with pytest.raises(DatasetError, match="no good part"):
        training_bridge.train(folder, tmp_path / "m", **QUICK)


def test_verdict_report(trained, fresh, tmp_path):
    """Every table is there, the JSON counts what the tally counted, and the galleries show pictures."""
    loaded = model.load(trained)
    judged = list(judge.judge(loaded, fresh.rows()))
    counted = judge.tally(loaded.layout, judged, CLASSES)

    def shown(k: int) -> score.Seen:
        return score.look(loaded, crops.pictures(fresh._rows[k]))

    report = verdict.verdict_report(loaded.layout, judged, counted, verdict.Limits(), {"scene": "toy"}, shown)
    files = report.write(tmp_path)
    data = json.loads(files["json"].read_text())
    assert data["figures"]["false_call"]["n"] == counted.false_call.trials
    assert {c["id"] for c in data["checks"]} == {"escape", "false_call", "auroc", "latency"}
    html = files["html"].read_text()
    for text in ("Recall per defect", "good parts called / good parts", "void", "do not transfer to a real line"):
        assert text in html


@pytest.mark.parametrize(("hits", "trials", "status"), [(0, 59, "passed"), (0, 58, "inconclusive"), (20, 59, "failed")])
def test_a_limit_is_decided_by_the_bound(hits, trials, status):
    """No escape in 59 units shows at most 5 % at 95 % confidence; in 58 it does not."""
    rate = stats.Rate(hits, trials)
    check = verdict._at_most("escape", "units", rate, 0.05, "train more")
    assert check is not None and check.status == status
