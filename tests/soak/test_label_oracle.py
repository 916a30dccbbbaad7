"""Every label of 500 samples against what the final meshes measure, against pycocotools and against an embree ray cast.

ORACLE_COUNT makes it shorter. About 5 s a sample on one core. The figures are printed: run with -s.
"""
from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracle"))

import masks
import rays
import verdict

from domain_randomization import generate
from domain_randomization.recipe import Recipe
from domain_randomization.sampling import Context, make_unit
from generators.dataset import Dataset
from scenes.errors import BackendUnavailable
from scenes.scene import Scene

pytestmark = pytest.mark.soak
COUNT = int(os.environ.get("ORACLE_COUNT", "500"))
DEPTH = 6e-6                                   # [m] half a 24-bit step over the camera's range, and float32 in embree

RECIPE = """
linetwin: 1
scene: {scene}
seed: 20260
count: {count}
shard_size: 10
defective_fraction: 0.5
quotas_each: {each}
frames: {{view: board, pixel_um: 50}}
outputs: {{labels: [instance, part, depth]}}
camera:
  offset_um: {{normal: {{mean: 0, std: 60}}}}
  roll_deg: {{normal: {{mean: 0, std: 0.3}}}}
process:
  drifts:
    printer.offset_um: {{normal: {{mean: 0, std: 12}}}}
    printer.offset_y_um: {{normal: {{mean: 0, std: 12}}}}
    placement.offset_um: {{normal: {{mean: 0, std: 10}}}}
    placement.sigma_um: {{uniform: [8, 18]}}
    oven.speed_factor: {{normal: {{mean: 1, std: 0.02}}}}
"""


def test_every_label_of_500_samples(examples, tmp_path):
    path = tmp_path / "oracle.yaml"
    path.write_text(RECIPE.format(scene=examples / "inspector.scene.yaml", count=COUNT, each=max(COUNT // 100, 1)))
    recipe = Recipe.read(path)
    scene = Scene.read(recipe.scene)
    try:
        for _ in generate(scene, recipe, tmp_path / "out", workers=0):
            pass
    except BackendUnavailable as error:
        pytest.skip(str(error))
    tally, pixels, damaged = verdict.Tally(), rays.Agreement(), []
    with Context(scene, recipe) as context, Dataset.read(tmp_path / "out") as dataset:
        assembly, profile = context.product.assembly, context.product.profile
        assert len(dataset) == COUNT
        for row in dataset:
            unit, look, camera = make_unit(context, row.index), masks.look_of(row), masks.camera_of(row)
            ids = row.label("instance")
            geometry = context.family.geometry(context.product, unit.state, look)
            found = verdict.claims(assembly, geometry, unit.state, profile, look)
            verdict.compare(assembly, masks.findings_of(row), found, tally)
            for item in row.instances:
                damaged += masks.wrong_with(row, item, ids, masks.lands_of(assembly, item, camera))
            pixels.add(rays.cast(geometry, camera), ids, row.label("depth"), camera, DEPTH)
    print(tally.text(), pixels.text(), sep="\n")
    assert not tally.disagreements, "\n".join(map(str, tally.disagreements))
    assert not damaged, "\n".join(damaged)
    assert len(tally.defects) == 18 and tally.instances > 50 * COUNT
    assert pixels.ids_same >= 0.999 * pixels.ids and pixels.depths_same >= 0.999 * pixels.depths
