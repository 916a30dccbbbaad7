"""Renderers that see the same: the comparison itself, and every renderer of ours held to it on the shipped and on real boards."""
from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import render_scene as made

from domain_randomization.recipe import Recipe
from domain_randomization.sampling import Context, make_unit
from generators.render import open_renderer
from generators.render.agreement import Bounds, compare
from generators.render.protocol import Buffers
from scenes.errors import BackendUnavailable, InputError
from scenes.optics import Lighting, Look, looking_down
from scenes.scene import Scene

LABELS = ("depth", "instance", "part")
LIGHT = Lighting(dome=(0.8, 0.8, 0.8))


def painted(*boxes, size=64, depth=0.2) -> Buffers:
    """Rectangles (id, x0, y0, x1, y1) over a plane with id 1."""
    instance, part = np.ones((size, size), np.uint32), np.ones((size, size), np.uint16)
    z = np.full((size, size), depth, np.float32)
    for number, x0, y0, x1, y1 in boxes:
        instance[y0:y1, x0:x1], part[y0:y1, x0:x1], z[y0:y1, x0:x1] = number, 3, depth - 1e-3
    return Buffers(None, z, None, instance, part)


def test_equal_pictures_agree_and_one_pixel_of_outline_is_nobodys_fault():
    first = painted((7, 10, 10, 30, 30))
    same = compare(first, first)
    assert same.passed and same.iou == 1 and same.depth == 0 and same.part == 1
    # a frame of two pixels around 20 × 20 is not judged: 22² − 18² of 64²
    assert same.judged == pytest.approx(1 - (22**2 - 18**2) / 64**2)
    moved = compare(first, painted((7, 11, 10, 31, 30)))
    assert moved.passed and moved.iou == 1


def test_a_shift_of_five_pixels_is_found():
    result = compare(painted((7, 10, 10, 30, 30)), painted((7, 15, 10, 35, 30)))
    # of 30 columns 10…29 and 15…34, those beside an outline (9, 10, 29, 30 and 14, 15, 34, 35) are not judged;
    # both: 16…28, one alone: 11…13 and 31…33; rows cancel
    row = next(r for r in result.rows if r.instance == 7)
    assert row.judged == 18 * 19 and row.iou == pytest.approx(13 / 19) and not result.passed
    assert "instance 7: IoU 0.6842 below 0.995" in result.findings and "DISAGREE" in str(result)


def test_who_is_visible_to_one_alone_is_named():
    first, second = painted((7, 10, 10, 30, 30), (9, 40, 40, 45, 45)), painted((7, 10, 10, 30, 30), (8, 50, 50, 54, 54))
    result = compare(first, second, names=("gl", "isaac"))
    assert result.only == ((9,), ())                           # 25 pixels count, 16 do not
    assert "instance 9: visible to gl alone" in result.findings and not result.passed
    assert compare(first, second, bounds=Bounds(floor=16)).only == ((9,), (8,))


def test_depth_is_relative_and_a_hole_is_infinitely_far():
    first = painted((7, 10, 10, 30, 30))
    off = dataclasses.replace(first, depth=(first.depth * np.float32(1 + 0.9e-4)))
    assert compare(first, off).passed and compare(first, off).depth == pytest.approx(0.9e-4, rel=0.01)
    off = dataclasses.replace(first, depth=(first.depth * np.float32(1 + 1.2e-4)))
    assert not compare(first, off).passed
    pierced = dataclasses.replace(first, depth=first.depth.copy())
    pierced.depth[50:60, 50:60] = np.inf
    assert compare(first, pierced).depth == np.inf


def test_one_stray_pixel_in_a_hundred_thousand_is_allowed():
    first, other = painted(size=400), painted(size=400)
    other.depth[200, 200] = 0.15
    result = compare(first, other)
    assert result.passed and result.strays == (1, 1) and result.depth == pytest.approx(0.05 / 0.15)
    other.depth[100, 100] = 0.15
    assert not compare(first, other).passed
    line = np.where(np.eye(64) > 0, 0.15, 0.2).astype(np.float32)
    assert not compare(painted(), dataclasses.replace(painted(), depth=line)).passed


def test_depth_on_a_step_may_be_the_neighbours():
    """A step of 50 µm that one picture has a pixel farther right is an outline like any other; two pixels are too many."""
    first, off = painted(), {n: painted() for n in (1, 2)}
    first.depth[:, 32:] += np.float32(50e-6)
    for pixels, other in off.items():
        other.depth[:, 32 + pixels:] += np.float32(50e-6)
    assert compare(first, off[1]).depth == 0 and compare(first, off[2]).depth == pytest.approx(50e-6 / 0.2, rel=1e-3)


def test_parts_are_counted():
    first = painted((7, 10, 10, 30, 30))
    other = dataclasses.replace(first, part=first.part.copy())
    other.part[40:50, 40:50] = 2
    result = compare(first, other)
    judged = 64**2 - (22**2 - 18**2) - (12**2 - 8**2)
    assert result.part == pytest.approx(1 - 64 / judged) and not result.passed


def test_what_cannot_be_compared_is_refused():
    first = painted()
    with pytest.raises(InputError, match="isaac: no depth buffer"):
        compare(first, dataclasses.replace(first, depth=None), names=("gl", "isaac"))
    with pytest.raises(InputError, match="render the same camera"):
        compare(first, painted(size=32))


# --- renderers -----------------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def renderers(isaac_environment):
    """Opened by name when first asked for; skipped where one cannot start."""
    opened = {}

    def get(name):
        if name not in opened:
            with pytest.MonkeyPatch.context() as patch:
                for key, value in isaac_environment.items():
                    patch.setenv(key, value)
                try:
                    opened[name] = open_renderer(name)
                except BackendUnavailable as error:
                    pytest.skip(str(error))
        return opened[name]

    yield get
    for renderer in opened.values():
        renderer.close()


def held(renderers, name, geometry, camera):
    """gl and another renderer see the same; the other may be Isaac Sim, or the stand-in for it, which casts rays."""
    first, second = (renderers(n).render(geometry, camera, LIGHT, Look(), outputs=LABELS) for n in ("gl", name))
    result = compare(first, second, names=("gl", name))
    assert result.passed, str(result)
    return result


OTHERS = pytest.mark.parametrize("name", ["pyrender", "isaac"])


def unit_of(recipe, index):
    scene = Scene.read(recipe.scene)
    context = Context(scene, recipe)
    geometry = context.family.geometry(context.product, make_unit(context, index).state, Look())
    return geometry, context.cameras


@pytest.fixture(scope="module")
def shipped(examples):
    """A unit of the shipped example with a defect, as its recipe makes it, and its camera."""
    return unit_of(Recipe.read(examples / "hello.yaml"), 3)


@OTHERS
def test_the_shipped_example(renderers, shipped, name):
    geometry, cameras = shipped
    result = held(renderers, name, geometry, cameras[0])
    assert len(result.rows) > 250 and sum(row.iou is not None for row in result.rows) > 200


@OTHERS
@pytest.mark.parametrize("model", ["telecentric", "perspective"])
def test_a_turned_camera_films_and_balls(renderers, name, model):
    result = held(renderers, name, made.board(3), looking_down("top", (4e-3, 4e-3), 25e-6, 300, 260, model=model, roll=0.3))
    assert sum(row.iou is not None for row in result.rows) >= 8


SCENE = """linetwin: 1
name: board
line: Test/SMT/Line 1
product: {{family: smt, board: {board}, side: front, acceptance: class2, stencil_um: 120}}
stations:
  - {{id: printer, kind: printer}}
  - {{id: placement, kind: placement}}
  - {{id: reflow, kind: reflow}}
  - id: aoi
    kind: aoi
    camera: {{name: top, model: telecentric, pixel_um: 30, view: tiles, width: 480, height: 480}}
    lighting: {{dome: [0.8, 0.8, 0.8]}}
"""


@pytest.fixture(scope="module", params=["esp32_poe/rev_m1.kicad_pcb", "rp2040_stamp/rp2040_stamp.kicad_pcb"])
def real(request, boards, tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    (folder / "scene.yaml").write_text(SCENE.format(board=Path(boards) / request.param))
    (folder / "recipe.yaml").write_text("linetwin: 1\nscene: scene.yaml\nseed: 3\ncount: 2\n")
    return unit_of(Recipe.read(folder / "recipe.yaml"), 0)


@OTHERS
def test_real_boards(renderers, real, name):
    """Every third tile; by the slower renderer the middle one alone."""
    geometry, cameras = real
    chosen = cameras[::3] if name == "pyrender" else [cameras[len(cameras) // 2]]
    judged = [sum(row.iou is not None for row in held(renderers, name, geometry, camera).rows) for camera in chosen]
    assert sum(judged) > 20 * len(chosen)
