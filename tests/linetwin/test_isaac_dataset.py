"""A dataset by renderer 'isaac', from the command line to the gate: against the stand-in, or Isaac Sim where it is named.

The stand-in proves what is called and what is done with the answers. It proves nothing about NVIDIA's pixels.
"""
from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from generators.dataset import Dataset
from generators.inspect import inspect_dataset
from linetwin.cli import main
from scenes.errors import BackendUnavailable

DEFECTS = ("missing", "shift", "bridge", "residue", "tombstone", "insufficient")
RECIPE = """linetwin: 1
scene: {scene}
seed: 7
count: 7
shard_size: 4
defective_fraction: 0.86
quotas:
  - {{defect: missing, count: 1}}
  - {{defect: shift, count: 1, levels: [gross]}}
  - {{defect: bridge, count: 1, levels: [gross]}}
  - {{defect: residue, count: 1, levels: [gross]}}
  - {{defect: tombstone, count: 1}}
  - {{defect: insufficient, count: 1, levels: [gross]}}
frames: {{pixel_um: 40, view: tiles, width: 400, height: 300}}
"""
R = "omni.replicator.core."


def ended(*arguments) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(a) for a in arguments])
    return int(caught.value.code or 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, examples, isaac_environment):
    """Two datasets of one recipe, ``isaac`` and ``gl``, and the calls that the stand-in was asked."""
    folder = tmp_path_factory.mktemp("isaac")
    (folder / "recipe.yaml").write_text(RECIPE.format(scene=examples / "inspector.scene.yaml"))
    with pytest.MonkeyPatch.context() as patch:
        if isaac_environment:                  # the stand-in: two subframes are enough for it
            patch.setenv("LINETWIN_ISAAC_SUBFRAMES", "2")
        for key, value in {**isaac_environment, "LINETWIN_STANDIN_CALLS": str(folder / "calls.jsonl")}.items():
            patch.setenv(key, value)
        for name in ("isaac", "gl"):
            try:
                assert ended("generate", folder / "recipe.yaml", "-o", folder / name, "--renderer", name, "--workers", 0) == 0
            except BackendUnavailable as error:
                pytest.skip(str(error))
    return folder


@pytest.fixture(scope="module")
def both(folder):
    with Dataset.read(folder / "isaac") as first, Dataset.read(folder / "gl") as second:
        yield first, second


def test_it_passes_the_gate_of_every_other_dataset(folder, both):
    report = inspect_dataset(both[0])
    assert report.passed, str(report)
    assert not [check for check in report.checks if not check.passed]
    assert [c.id for c in report.checks] == [c.id for c in inspect_dataset(both[1]).checks]
    assert ended("inspect", folder / "isaac") == 0
    assert both[0].info.renderer == "isaac" and both[0].complete and len(both[0]) == 7


def test_it_shows_the_defects_that_the_recipe_asks_for(both):
    found = Counter(i.defect for row in both[0] for i in row.instances if i.defect and not i.hidden)
    assert set(DEFECTS) <= set(found)


def test_the_labels_are_those_of_the_default_renderer(both):
    """The same units, the same findings, and masks that differ along their outlines at most."""
    for ours, theirs in zip(*both, strict=True):
        assert ours.id != "" and ours.unit == theirs.unit
        assert [(i.category, i.component, i.severity_unit) for i in ours.instances] == [
            (i.category, i.component, i.severity_unit) for i in theirs.instances]
        for a, b in zip(ours.instances, theirs.instances, strict=True):
            first, second = a.visible(), b.visible()
            outline = 4 * np.sqrt(max(second.sum(), 1)) + 8
            assert (first ^ second).sum() <= outline, (ours.id, a.category, a.component)


def test_the_picture_is_of_the_same_board(both):
    """Other pixels: another film, no shadows, no marks. But lacquer has its colour, and bright is bright in both."""
    for ours, theirs in zip(*both, strict=True):
        a, b = ours.rgb().astype(float), theirs.rgb().astype(float)
        assert a.shape == b.shape and not np.array_equal(a, b)
        grey = a.mean(-1).ravel(), b.mean(-1).ravel()
        assert np.corrcoef(*grey)[0, 1] > 0.8
        assert abs(np.log2(grey[0].mean() / grey[1].mean())) < 0.5
        # most of a picture is lacquer, of a colour that the sample drew
        assert np.argmax(np.median(a, axis=(0, 1))) == np.argmax(np.median(b, axis=(0, 1)))


def test_the_worker_calls_in_order_and_nothing_from_memory_alone(folder):
    path = folder / "calls.jsonl"
    if not path.exists():
        pytest.skip("made by Isaac Sim itself, which keeps no such list")
    calls = [json.loads(line) for line in path.read_text().splitlines()]
    names = [call["name"] for call in calls]
    recalled = {call["name"] for call in calls if call["confidence"] == "recalled"}
    assert not {name for name in recalled if name.startswith(R)}
    assert recalled <= {"carb.settings.get_settings", "carb.settings.ISettings.set", "carb.settings.ISettings.get"}
    place = {name.removeprefix(R): names.index(name) for name in reversed(names)}
    assert place["orchestrator.set_capture_on_play"] < place["set_global_seed"] < place["create.render_product"] < place[
        "annotators.Annotator.attach"] < place["orchestrator.step"] < place["annotators.Annotator.get_data"] < place[
        "orchestrator.wait_until_complete"] < place["annotators.Annotator.detach"] < place["create.RenderProduct.destroy"]
    counts = Counter(names)
    assert counts[R + "create.render_product"] == counts[R + "create.RenderProduct.destroy"]
    assert counts[R + "annotators.Annotator.attach"] == counts[R + "annotators.Annotator.detach"]
    assert names[-1] == "isaacsim.SimulationApp.close"
