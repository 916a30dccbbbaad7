"""The command line on a stage: wherever a scene is taken, an edited stage is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from linetwin.cli import main
from scenes.edits_file import EditsFile
from scenes.scene import Scene

pytest.importorskip("pxr")
SCENE = """
linetwin: 1
name: edited
line: Demo/Line
product: {family: smt, board: boards/inspector.kicad_pcb}
stations: [{id: aoi, camera: {name: top, pixel_um: 100, view: board}, lighting: {dome: [0.5, 0.5, 0.5]}}]
"""


def call(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, str]:
    """Run a command; its exit code and all that it printed."""
    with pytest.raises(SystemExit) as left:
        main([str(a) for a in arguments])
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out + told.err


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Path:
    """A stage that ``linetwin scene usd`` wrote, and a recipe beside it."""
    from linetwin.stage_commands import write_usd

    root = tmp_path_factory.mktemp("commands")
    (root / "boards").mkdir()
    shutil.copyfile(examples / "boards" / "inspector.kicad_pcb", root / "boards" / "inspector.kicad_pcb")
    (root / "scene.yaml").write_text(SCENE)
    write_usd(root / "scene.yaml", root / "stage", states="none", machines=False)
    (root / "recipe.yaml").write_text("scene: stage/line.usda\ncount: 2\nshard_size: 1\ndefective_fraction: 0\n")
    return root


def test_a_stage_is_checked_drawn_and_generated_from(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pxr import Gf, Usd, UsdShade

    stage = Usd.Stage.Open(str(folder / "stage" / "line.usda"))
    UsdShade.Shader(stage.GetPrimAtPath("/World/Looks/copper/Surface")).GetInput("metallic").Set(0.5)
    part = stage.GetPrimAtPath("/World/Unit/Parts/U1").GetAttribute("xformOp:transform")
    part.Set(Gf.Matrix4d(part.Get()).SetTranslateOnly(Gf.Matrix4d(part.Get()).ExtractTranslation() + Gf.Vec3d(1e-3, 0, 0)))
    stage.DefinePrim("/World/Cone", "Cone")
    stage.Save()
    line = folder / "stage" / "line.usda"

    code, told = call(capsys, "scene", "preview", line, "-o", folder / "p.png")
    assert code == 0 and (folder / "p.png").stat().st_size > 10_000, told

    code, told = call(capsys, "generate", folder / "recipe.yaml", "-o", folder / "data", "--workers", 0, "--json")
    assert code == 0, told
    result = json.loads(told[told.index("{"):])
    assert result["edits"] == ["part U1: moved by (1, 0) mm", "material copper: metallic 0.5"]
    assert result["not_carried"] == ["/World/Cone: is new; no part of a scene"]

    # who has the dataset sees the edits, and its scene is told apart from the one without them
    scene = Scene.read(line)
    kept = (folder / "data" / "meta" / "scene.yaml").read_text()
    info = json.loads((folder / "data" / "meta" / "info.json").read_text())
    assert kept == scene.text and "edits:" in kept and "move_m" in kept
    assert info["scene_digest"] == scene.digest() != Scene.read(folder / "scene.yaml").digest()
    assert info["product_digest"] != Scene.read(folder / "scene.yaml").product_digest()

    # resumed, it is complete; after another edit it is another dataset
    assert call(capsys, "generate", folder / "recipe.yaml", "-o", folder / "data", "--workers", 0)[0] == 0
    stage.GetPrimAtPath("/World/Unit/Parts/U2").SetActive(False)
    stage.Save()
    code, told = call(capsys, "generate", folder / "recipe.yaml", "-o", folder / "data", "--workers", 0)
    assert code == 2 and "was made from recipe" in told


def test_a_stage_is_not_written_over_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its scene and board lie where the new ones would come to lie."""
    stage = folder / "stage"
    before = {p: p.read_bytes() for p in stage.rglob("*") if p.is_file()}
    code, told = call(capsys, "scene", "usd", stage / "line.usda", "-o", stage)
    assert code == 2 and "choose another folder" in told and told.count("\n") == 1
    assert {p: p.read_bytes() for p in stage.rglob("*") if p.is_file()} == before


def test_a_stage_of_an_edited_scene_can_be_edited_again(folder: Path, tmp_path: Path) -> None:
    """Edits are kept in the new stage's scene; what is changed there comes on top."""
    from pxr import Gf, Usd

    from linetwin.stage_commands import write_usd

    text = (folder / "scene.yaml").read_text() + (
        "edits:\n  parts: [{reference: R20, like: R1}, {reference: U3, move_m: [0.001, 0]}]\n"
        "  lights: [{station: aoi, light: Key, directional: {direction: [0, 0, 1], irradiance: [1, 1, 1]}}]\n")
    shutil.copytree(folder / "boards", tmp_path / "boards")
    (tmp_path / "edited.yaml").write_text(text)
    before = Scene.read(tmp_path / "edited.yaml")
    write_usd(tmp_path / "edited.yaml", tmp_path / "again", states="none", machines=False)
    line = tmp_path / "again" / "line.usda"
    assert Scene.read(line).edits == before.edits and Scene.read(line).digest() == before.digest()

    stage = Usd.Stage.Open(str(line))
    bench = "/World/Demo/Line/aoi/Bench"
    stage.GetPrimAtPath(f"{bench}/Light_directional_0").GetAttribute("inputs:color").Set(Gf.Vec3f(0.5))
    part = stage.GetPrimAtPath("/World/Unit/Parts/U3").GetAttribute("xformOp:transform")
    part.Set(Gf.Matrix4d(part.Get()).SetTranslateOnly(Gf.Matrix4d(part.Get()).ExtractTranslation() + Gf.Vec3d(1e-3, 0, 0)))
    stage.Save()
    scene = Scene.read(line)
    assert [(p.reference, p.like, pytest.approx(p.move[0], abs=1e-9)) for p in scene.edits.parts] == [
        ("R20", "R1", 0), ("U3", "", 2e-3)]
    lamps = scene.stations[0].lighting
    assert lamps is not None and [lamp.irradiance for lamp in lamps.directional] == [(0.5, 0.5, 0.5)]
    assert EditsFile.model_validate(yaml.safe_load(scene.text)["edits"]).edits() == scene.edits
