"""Every example runs as its docstring says."""
from __future__ import annotations

import subprocess
import sys

import pytest


def run(examples, script, *arguments, timeout=500):
    done = subprocess.run([sys.executable, str(examples / script), *map(str, arguments)], cwd=examples.parent,
                          capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_hello_generates_checks_and_exports(examples, tmp_path):
    pytest.importorskip("pycocotools")
    from pycocotools.coco import COCO

    from generators.dataset import Dataset

    out = tmp_path / "hello"
    text = run(examples, "hello.py", out)
    assert "PASSED" in text
    dataset = Dataset.read(out)
    assert len(dataset) == 12
    found = {i.defect for row in dataset for i in row.instances if i.defect}
    assert {"missing", "tombstone", "polarity", "shift", "bridge", "insufficient", "scratch"} <= found
    annotations = [p for p in (out / "coco").rglob("*.json")]
    assert annotations
    assert sum(len(COCO(str(p)).imgs) for p in annotations) == 12


def test_one_event_is_laid_over_by_its_cameras(examples, tmp_path):
    from PIL import Image

    text = run(examples, "event.py", tmp_path / "event.jpg", 9)
    assert "unit U00000009; defects: rotation" in text
    with Image.open(tmp_path / "event.jpg") as picture:
        assert picture.size == (3 * 640 + 2 * 8, 640)


def test_the_recipe_of_all_defects_can_be_planned(examples):
    """Every one of the 18 defects at each of its levels has a unit that shows it; nothing is rendered."""
    from domain_randomization import Recipe, plan
    from scenes.scene import Scene

    recipe = Recipe.read(examples / "inspector.recipe.yaml")
    rows = [r for r in plan(Scene.read(recipe.scene), recipe).rows if r.defect]
    assert len({r.defect for r in rows}) == 18
    assert len(rows) == 13 * 3 + 5                  # thirteen continuous defects at three levels, five all or nothing
    assert all(r.total == recipe.quotas_each for r in rows)
