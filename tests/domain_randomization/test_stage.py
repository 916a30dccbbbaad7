"""Every example scene and both real boards: the stage says what the renderers are given, and OpenUSD finds nothing wrong."""
from __future__ import annotations

import numpy as np
import pytest

from domain_randomization.exposures import instruments
from domain_randomization.recipe import Recipe
from domain_randomization.sampling import Context
from domain_randomization.stage import contents, defective_states, possible
from scenes.errors import RecipeError
from scenes.scene import Scene
from scenes.usd import differences, read, write

pxr = pytest.importorskip("pxr")
_BOARD = """\
name: real
product: {{board: {board}, side: front}}
stations:
  - id: AOI-1
    kind: aoi
    camera: {{name: top, pixel_um: 20, width: 1024, height: 1024}}
    lighting: {{dome: [0.5, 0.5, 0.5], rings: [{{zenith_deg: [10, 30], radiance: [1, 1, 1]}}]}}
  - {{id: IR, kind: infrared, infrared: {{pixel_um: 150}}}}
  - {{id: AXI, kind: axi, xray: {{tilt_deg: 30, azimuth_deg: 40}}}}
"""


def validated(path):
    from pxr import Usd, UsdValidation

    stage = Usd.Stage.Open(str(path))
    context = UsdValidation.ValidationContext(UsdValidation.ValidationRegistry().GetOrLoadAllValidators())
    return [f"{e.GetName()}: {e.GetMessage()}" for e in context.Validate(stage)]


def whole(scene, tmp_path, states=()):
    """Write, validate and read a scene's stage; what every instrument looks through is in it."""
    with Context.for_scene(scene) as context:
        told = contents(context, states=defective_states(context, states), machines=False)
        path = write(told, tmp_path)
        assert validated(path) == []
        found = read(path)
        assert differences(told, found) == () and found.notes == ()
        box = context.family.box(context.product)
        looking = {p.id: p for p in found.places if p.looks}
        kinds = [m for m, need in (("rgb", "camera"), ("thermal", "infrared"), ("xray", "xray"))
                 if any(getattr(s, need) is not None for s in scene.stations)]
        for instrument in instruments(scene, Recipe(scene=scene.path, count=1, modalities=tuple(kinds)), box):
            views = [v for v in looking[instrument.station.id].views if v.modality == instrument.modality]
            assert len(views) == len(instrument.cameras)
            for view, camera in zip(views, instrument.cameras, strict=True):
                assert (view.camera.width, view.camera.height) == (camera.width, camera.height)
                assert view.camera.pixel_size == pytest.approx(camera.pixel_size, rel=1e-9)
                if instrument.modality != "xray":
                    assert view.camera.pose == pytest.approx(camera.pose, rel=1e-9, abs=1e-12)
                else:                          # the source, not the straight camera that cuts the tiles; both look at one point
                    eye = view.camera.pose
                    assert eye[:3, 3] - eye[:3, 2] * view.camera.distance == pytest.approx(
                        camera.pose[:3, 3] - camera.pose[:3, 2] * camera.distance, abs=1e-12)
        return told


@pytest.mark.parametrize("name", ["inspector", "inspector.clip", "living_line"])
def test_example_scenes(examples, tmp_path, name):
    scene = Scene.read(examples / f"{name}.scene.yaml")
    told = whole(scene, tmp_path)
    assert [p.path for p in told.places] == [s.path for s in scene.stations]


@pytest.mark.boards
@pytest.mark.parametrize("board", ["rp2040_stamp/rp2040_stamp.kicad_pcb", "esp32_poe/rev_m1.kicad_pcb"])
def test_real_boards(boards, tmp_path, board):
    file = tmp_path / "scene.yaml"
    file.write_text(_BOARD.format(board=boards / board))
    told = whole(Scene.read(file), tmp_path / "out")
    assert len(told.unit.parts) > 25 and {p.id for p in told.places if p.looks} == {"AOI-1", "IR", "AXI"}


def test_states_become_variants_that_share_the_rest(examples, tmp_path):
    told = whole(Scene.read(examples / "inspector.scene.yaml"), tmp_path, ("bridge", "missing", "residue"))
    states = dict(told.states)
    assert list(states) == ["bridge", "missing", "residue"]
    ids = {s.instance for s in told.unit.solder}
    assert {s.labels["class"] for s in states["bridge"].solder if s.instance not in ids} == {"bridge"}
    assert len(states["missing"].parts) == len(told.unit.parts) - 1
    assert [f.labels["class"] for f in states["residue"].films] == ["residue"]
    poses = {p.instance: p.pose for p in told.unit.parts}
    for unit in states.values():               # the same draws: what the defect does not touch is where it was, to the bit
        assert sum(not np.array_equal(p.pose, poses[p.instance]) for p in unit.parts) <= 1


def test_equal_contexts_give_equal_text(examples):
    from domain_randomization.portrait import stage_text

    scene = Scene.read(examples / "inspector.scene.yaml")
    with Context.for_scene(scene) as one, Context.for_scene(scene) as two:
        assert stage_text(one) == stage_text(two)


def test_a_state_that_cannot_be(examples):
    with Context.for_scene(Scene.read(examples / "inspector.scene.yaml")) as context:
        assert "bridge" in possible(context)
        with pytest.raises(RecipeError, match="'melted': not a defect"):
            defective_states(context, ["melted"])
