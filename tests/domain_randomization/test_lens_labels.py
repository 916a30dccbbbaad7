"""A lens that distorts, from the scene file to the labels: picture and every mask move by what the lens's formula says."""
from __future__ import annotations

import numpy as np
import pytest

from domain_randomization.recipe import Recipe
from domain_randomization.sampling import Context, make_sample
from generators.imaging.distortion import distort_points
from scenes.geometry import PartKind
from scenes.instruments.aoi import Lens
from scenes.scene import Scene

RECIPE = """\
scene: {scene}
seed: 3
count: 4
defective_fraction: 1.0
quotas: [{{defect: missing, count: 1}}, {{defect: bga_void, count: 1}}]
frames: {{pixel_um: 50}}
camera: {{offset_um: 0, roll_deg: 0, scale: 1, blur_px: 0, noise: 0}}
"""
K1 = -0.06


@pytest.fixture(scope="module")
def contexts(examples, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lens")
    text = (examples / "inspector.scene.yaml").read_text().replace("boards/", f"{examples}/boards/")
    made = {}
    for name, lens in (("ideal", ""), ("barrel", f"      lens: {{k1: {K1}}}\n")):
        path = folder / f"{name}.yaml"
        path.write_text(text.replace("      view: board\n", "      view: board\n" + lens, 1))
        # the lens is in the digest but in no stream: the same units come out of both scenes
        made[name] = Context(Scene.read(path), Recipe.parse(RECIPE.format(scene=path)), "gl")
    yield made
    for context in made.values():
        context.close()


def extent(points):
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def centres(mask):
    """Pixel centres (N, 2) inside a mask."""
    rows, columns = np.nonzero(mask)
    return np.column_stack([columns, rows]) + 0.5


@pytest.mark.parametrize("index", [0, 1])
def test_every_mask_moves_by_the_lens_formula(contexts, index):
    straight, bent = (make_sample(contexts[name], index) for name in ("ideal", "barrel"))
    width, height = straight.frames[0].view["width"], straight.frames[0].view["height"]
    lens, moved = Lens(k1=K1), []
    twins = {(i.category, i.component): i for i in bent.instances}
    for item in straight.instances:
        twin = twins[item.category, item.component]
        for name in ("visible", "amodal"):
            one, two = getattr(item, name), getattr(twin, name)
            if not one.any():
                assert not two.any()
                continue
            expected = extent(distort_points(centres(one), lens, width, height))
            assert np.abs(extent(centres(two)) - expected).max() < 1.3, (item.category, item.component, name)
            moved.append(np.abs(expected - extent(centres(one))).max())
    assert max(moved) > 10                     # corner parts move by many pixels: the test would notice


def test_the_picture_moves_with_its_masks(contexts):
    """Bodies are dark, leads are bright: masks overlap with them through the one lens as through the other."""
    shares = {}
    for name in ("ideal", "barrel"):
        frame = make_sample(contexts[name], 0).frames[0]
        grey, part = frame.images["rgb"].mean(axis=2), frame.labels["part"]
        leads = part == PartKind.LEAD
        shares[name] = grey[leads].mean() / grey[part == PartKind.BODY].mean()
        off = np.roll(leads, (9, 9), axis=(0, 1))              # as far as the lens moves the corners: the test would notice
        assert grey[off].mean() < 0.85 * grey[leads].mean()
    assert shares["barrel"] == pytest.approx(shares["ideal"], rel=0.03)
