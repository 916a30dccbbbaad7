"""What a scene cannot carry of an edited stage is told: each once, whatever else was edited, and never by failing later."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_usd_edits import BENCH, SCENE, edit, light, tiny

from scenes.edits import Dome
from scenes.materials import TABLE, index
from scenes.optics import Directional
from scenes.scene import Scene
from scenes.usd import read
from scenes.usd.authored import keep
from scenes.usd.contents import Node
from scenes.usd.write import write

pxr = pytest.importorskip("pxr")
PARTS = "/World/Unit/Parts"
MACHINE = "/World/A/B/aoi/Machine"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small stage with a second state of its unit and a machine."""
    folder = tmp_path_factory.mktemp("told")
    (folder / "boards").mkdir()
    (folder / "boards" / "b.kicad_pcb").write_text("(kicad_pcb)")
    (folder / "scene.yaml").write_text(SCENE)
    contents = tiny()
    housing = replace(contents.unit.packages[0].pieces[0], name="paint", material="equipment_paint")
    body = Node("housing", (housing,), (), np.eye(4), {"class": "housing"})
    machine = Node("Machine", (), (body,), np.eye(4), {"class": "aoi"})
    contents = replace(
        contents,
        places=(replace(contents.places[0], machine=machine), contents.places[1]),
        states=(("fewer", replace(contents.unit, parts=contents.unit.parts[:2])),),
        materials=(*contents.materials, replace(TABLE[index("copper")], name="equipment_paint")),
    )
    keep(write(contents, folder / "stage"), Scene.read(folder / "scene.yaml"))
    return folder / "stage"


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path / "stage")
    return tmp_path / "stage"


def _moved(stage: Any, path: str, x: float = 0.0, z: float = 0.0) -> None:
    attribute = stage.GetPrimAtPath(path).GetAttribute("xformOp:transform")
    matrix = pxr.Gf.Matrix4d(attribute.Get())
    attribute.Set(matrix.SetTranslateOnly(matrix.ExtractTranslation() + pxr.Gf.Vec3d(x, 0, z)))


def _surface(stage: Any, name: str) -> Any:
    from pxr import Sdf, UsdShade

    made = UsdShade.Material.Define(stage, f"/World/Looks/{name}")
    shader = UsdShade.Shader.Define(stage, f"/World/Looks/{name}/Surface")
    shader.CreateIdAttr("UsdPreviewSurface")
    shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set((0.5, 0.125, 0.0))
    made.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    return made


def _bind(stage: Any, path: str, material: Any) -> None:
    from pxr import UsdShade

    UsdShade.MaterialBindingAPI.Apply(stage.GetPrimAtPath(path)).Bind(material, UsdShade.Tokens.strongerThanDescendants)


def test_what_a_part_loses_is_told_once_though_others_are_carried(folder: Path) -> None:
    """The unit stands on two benches, and the first part moves before the others are looked at."""
    from pxr import Sdf, UsdGeom

    def change(stage: Any) -> None:
        stage.DefinePrim("/World/Prototypes/mine", "Xform")
        _moved(stage, f"{PARTS}/R1", x=1e-3)
        UsdGeom.Imageable(stage.GetPrimAtPath(f"{PARTS}/R1")).MakeInvisible()
        _moved(stage, f"{PARTS}/C1", z=1e-3)
        stage.GetPrimAtPath(f"{PARTS}/R2").GetReferences().SetReferences([Sdf.Reference(primPath="/World/Prototypes/mine")])
        new = stage.DefinePrim(f"{PARTS}/R9", "Xform")
        new.GetReferences().AddReference("", "/World/Prototypes/mine")

    found = edit(folder, change)
    assert [(p.reference, p.move) for p in found.parts] == [("R1", pytest.approx((1e-3, 0.0)))]
    for reference, what in (("R1", "is hidden"), ("C1", "was raised by 1000.0 µm"), ("R2", "has the package 'mine'"),
                            ("R9", "is new and has the package 'mine'")):
        lines = [line for line in found.not_carried if f"Parts/{reference}: " in line]
        assert len(lines) == 1 and lines[0].startswith(f"{BENCH}/Product/Parts/{reference}: {what}"), (reference, lines)


def test_a_package_that_is_not_shown_and_a_tint_are_told(folder: Path) -> None:
    """C1 is in one state of the unit only: there its package is written inside a variant, which is stronger than a reference."""
    from pxr import Sdf

    def change(stage: Any) -> None:
        stage.GetPrimAtPath(f"{PARTS}/C1").GetReferences().SetReferences([Sdf.Reference(primPath="/World/Prototypes/small")])
        stage.GetPrimAtPath(f"{PARTS}/R1").GetAttribute("twin:package").Set("large")
        stage.GetPrimAtPath(f"{PARTS}/R2").CreateAttribute("twin:tint", pxr.Sdf.ValueTypeNames.Color3d).Set((1, 0, 0))

    found = edit(folder, change)
    assert not found and [line.split(" changed; ")[0] for line in found.not_carried] == [
        f"{PARTS}/C1: [references]", f"{PARTS}/R1: twin:package", f"{PARTS}/R2: twin:tint"]


def _new_lamp(stage: Any) -> None:
    light("DistantLight", (0, 0, 0), intensity=2.0, normalize=True)(stage)
    stage.GetPrimAtPath(f"{BENCH}/New").GetAttribute("inputs:intensity").Set(5.0, 24.0)


@pytest.mark.parametrize(
    ("change", "path", "name"),
    [
        (
            lambda s: s.GetPrimAtPath(f"{BENCH}/Camera_top_0").GetAttribute("xformOp:transform").Set(pxr.Gf.Matrix4d(2), 24.0),
            f"{BENCH}/Camera_top_0",
            "xformOp:transform",
        ),
        (
            lambda s: s.GetPrimAtPath(f"{BENCH}/Light_dome").GetAttribute("inputs:intensity").Set(5.0, 0.0),
            f"{BENCH}/Light_dome",
            "inputs:intensity",
        ),
        (
            lambda s: s.GetPrimAtPath(f"{PARTS}/R1").GetAttribute("xformOp:transform").Set(pxr.Gf.Matrix4d(1), 0.0),
            f"{PARTS}/R1",
            "xformOp:transform",
        ),
        (_new_lamp, f"{BENCH}/New", "inputs:intensity"),
    ],
)
def test_animation_is_told_where_the_value_without_a_time_is_read(
    change: Callable[[Any], Any], path: str, name: str, folder: Path
) -> None:
    found = edit(folder, change)
    (line,) = found.not_carried
    assert line.startswith(f"{path}: {name} (animated): a scene stands still")
    assert not found.cameras and not found.parts
    assert [e.lamp.irradiance for e in found.lights if isinstance(e.lamp, Directional)] == (
        [pytest.approx((2 / np.pi,) * 3)] if path.endswith("New") else [])


def test_edits_in_a_variant_that_is_not_selected_are_told(folder: Path) -> None:
    from pxr import Sdf, UsdGeom

    def change(stage: Any) -> None:
        chosen = stage.GetPrimAtPath("/World/Unit").GetVariantSet("unit")
        chosen.SetVariantSelection("fewer")
        with chosen.GetVariantEditContext():
            UsdGeom.Imageable(stage.GetPrimAtPath(f"{PARTS}/R1")).MakeInvisible()
        chosen.SetVariantSelection("healthy")

    found = edit(folder, change)
    assert not found
    assert [line.split(" changed; ")[0] for line in found.not_carried] == ["/World/Unit: [unit=fewer] Parts/R1"]

    layer = Sdf.Layer.FindOrOpen(str(folder / "product.usda"))
    states = layer.GetPrimAtPath("/World/Unit").variantSets["unit"]
    states.RemoveVariant(states.variants["fewer"])
    layer.Save()
    del layer, states
    assert any(line.startswith("/World/Unit: [unit=fewer]") for line in Scene.read(folder / "line.usda").edits.not_carried)


def test_another_state_to_look_at_is_no_edit_of_the_one_left(folder: Path) -> None:
    found = edit(folder, lambda s: s.GetPrimAtPath(f"{BENCH}/Product").GetVariantSet("unit").SetVariantSelection("fewer"))
    assert not found and all("variant unit = fewer" in line for line in found.not_carried) and found.not_carried


def test_a_material_that_no_row_can_be_made_of_paints_nothing(folder: Path) -> None:
    """An MDL material on a part, a UsdPreviewSurface on a machine: both are told, and the scene is read."""
    from pxr import UsdShade

    def change(stage: Any) -> None:
        mdl = UsdShade.Material.Define(stage, "/World/Looks/OmniPBR")
        shader = UsdShade.Shader.Define(stage, "/World/Looks/OmniPBR/Shader")
        shader.GetPrim().CreateAttribute("info:implementationSource", pxr.Sdf.ValueTypeNames.Token).Set("sourceAsset")
        mdl.CreateSurfaceOutput("mdl").ConnectToSource(shader.ConnectableAPI(), "out")
        _bind(stage, f"{PARTS}/R1", mdl)
        _bind(stage, f"{MACHINE}/housing", _surface(stage, "ral"))

    found = edit(folder, change)
    assert not found.materials and not found.paints
    told = "\n".join(found.not_carried)
    assert "OmniPBR: is new and has no UsdPreviewSurface" in told and told.count("R1 wears 'OmniPBR', which is no material") == 1
    assert "/World/Looks/ral: is new and none of the board's parts wears it" in told
    assert f"{MACHINE}/housing: " in told


def test_a_new_part_wears_what_it_is_given(folder: Path) -> None:
    def change(stage: Any) -> None:
        new = stage.DefinePrim(f"{PARTS}/R9", "Xform")
        new.GetReferences().AddReference("", "/World/Prototypes/small")
        _bind(stage, f"{PARTS}/R9", _surface(stage, "orange"))

    found = edit(folder, change)
    (row,) = found.materials
    assert (row.name, row.base_color) == ("orange", (0.5, 0.125, 0.0)) and row.like in ("epoxy_black", "tin")
    assert {(p.parts, p.was, p.now) for p in found.paints} == {(("R9",), m, "orange") for m in ("epoxy_black", "tin")}
    assert not found.not_carried


def test_a_material_on_the_whole_unit_is_that_of_its_parts(folder: Path) -> None:
    found = edit(folder, lambda s: _bind(s, "/World/Unit", _surface(s, "orange")))
    assert {(p.was, p.now) for p in found.paints} == {(m, "orange") for m in ("epoxy_black", "tin")}
    assert all(set(p.parts) == {"R1", "R2", "C1"} for p in found.paints)
    assert [line.split(";")[0] for line in found.not_carried] == ["/World/Unit: wears another material with all that is below"]


def test_a_lamp_in_the_unit_lights_a_bench_once(folder: Path) -> None:
    """It is there in the class and, through its references, on both benches; X-rays need no lamp."""
    found = edit(folder, light("DistantLight", (0, 0, 0), path="/World/Unit/Lamp", intensity=np.pi, normalize=True))
    assert [(e.station, e.light) for e in found.lights] == [("aoi", "Product/Lamp")]
    assert not found.not_carried and not found.approximated
    lamps = Scene.read(folder / "line.usda").stations[0].lighting
    assert lamps is not None and [lamp.irradiance for lamp in lamps.directional] == [(1, 0.5, 0.25), pytest.approx((1, 1, 1))]


def test_a_lamp_where_no_colour_camera_is_is_told(folder: Path) -> None:
    found = edit(folder, light("DomeLight", (0, 0, 0), path="/World/A/B/axi/Bench/Sky"))
    assert not found and found.not_carried == (
        "/World/A/B/axi/Bench/Sky: no colour camera looks at station axi, so a lamp there lights no picture",)


@pytest.mark.parametrize("hidden", ["/World/Lights", "/World/Lights/Sky"])
def test_a_new_lamp_that_is_hidden_shines_and_that_is_told(hidden: str, folder: Path) -> None:
    from pxr import UsdGeom

    def change(stage: Any) -> None:
        stage.DefinePrim("/World/Lights", "Xform")
        light("DomeLight", (0, 0, 0), path="/World/Lights/Sky", intensity=0.5)(stage)
        UsdGeom.Imageable(stage.GetPrimAtPath(hidden)).MakeInvisible()

    found = edit(folder, change)
    assert [e.lamp for e in found.lights] == [Dome((0.5, 0.5, 0.5))]
    assert found.not_carried == ("/World/Lights/Sky: is hidden; a hidden lamp still shines, deactivate it to take it away",)


def test_a_stage_and_the_scene_of_it_have_the_same_lamps(folder: Path) -> None:
    """Colour temperature, and a sun whose intensity is a radiance: E = L π sin² of half its angle."""
    from pxr import UsdLux

    def change(stage: Any) -> None:
        sun = UsdLux.DistantLight(stage.GetPrimAtPath(f"{BENCH}/Light_directional_0"))
        sun.GetNormalizeAttr().Set(False)
        sun.GetAngleAttr().Set(60.0)
        sky = UsdLux.DomeLight(stage.GetPrimAtPath(f"{BENCH}/Light_dome"))
        sky.CreateEnableColorTemperatureAttr(True)
        sky.CreateColorTemperatureAttr(3000.0)

    edit(folder, change)
    scene, stage = Scene.read(folder / "line.usda").stations[0].lighting, read(folder / "line.usda").places[0].lighting
    assert scene is not None and stage is not None
    assert stage.dome == pytest.approx(scene.dome, rel=1e-6)
    assert stage.dome == pytest.approx([0.5 * c for c in UsdLux.BlackbodyTemperatureAsRgb(3000.0)], rel=1e-6)
    assert stage.directional[0].irradiance == pytest.approx(scene.directional[0].irradiance, rel=1e-6)
    assert stage.directional[0].irradiance == pytest.approx([np.pi * 0.25 * c for c in (1, 0.5, 0.25)], rel=1e-6)
