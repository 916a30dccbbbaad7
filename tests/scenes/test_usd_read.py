"""A stage is read as it was written; what people make of it is read, or told."""
from __future__ import annotations

import dataclasses
import math
import shutil

import numpy as np
import pytest
from stage_fixture import contents

from scenes.errors import AssetError, SceneError
from scenes.usd import differences, read, write
from scenes.usd.read_mesh import Notes, piece
from scenes.usd.tidy import tidy

pxr = pytest.importorskip("pxr")
BENCH = "/World/Demo/SMT/Line_1/aoi/Bench"


@pytest.fixture(scope="module")
def told(examples):
    return contents(examples)


@pytest.fixture(scope="module")
def written(told, tmp_path_factory):
    return write(told, tmp_path_factory.mktemp("stage")).parent


@pytest.fixture
def folder(written, tmp_path):
    return shutil.copytree(written, tmp_path / "stage")


def edited(folder, change):
    """The contents after somebody changed the composed stage in its root layer."""
    from pxr import Usd

    stage = Usd.Stage.Open(str(folder / "line.usda"))
    change(stage)
    stage.Save()
    del stage
    return read(folder / "line.usda")


def test_what_was_written_is_read(told, written):
    found = read(written / "line.usda")
    assert differences(told, found) == ()
    assert found.notes == ()
    assert np.array_equal(found.artwork.color, told.artwork.color)


def test_differences_are_found(told):
    part = told.unit.parts[3]
    pose = part.pose.copy()
    pose[0, 3] += 1e-8
    parts = (*told.unit.parts[:3], dataclasses.replace(part, pose=pose), *told.unit.parts[4:])
    unit = dataclasses.replace(told.unit, parts=parts)
    assert [d.split(":")[0] for d in differences(told, dataclasses.replace(told, unit=unit))] == ["unit.parts[3].pose"]


def test_a_moved_camera_and_a_new_lens(told, folder):
    from pxr import Gf, UsdGeom

    def change(stage):
        lens = UsdGeom.Camera(stage.GetPrimAtPath(f"{BENCH}/Camera_top"))
        matrix = lens.GetLocalTransformation()
        matrix.SetTranslateOnly(matrix.ExtractTranslation() + Gf.Vec3d(0.001, 0, 0))
        lens.GetPrim().GetAttribute("xformOp:transform").Set(matrix)
        for attribute in (lens.GetHorizontalApertureAttr(), lens.GetVerticalApertureAttr()):
            attribute.Set(attribute.Get() * 2)

    before, after = (next(p for p in c.places if p.id == "aoi").views[0].camera for c in (told, edited(folder, change)))
    assert after.pose[0, 3] - before.pose[0, 3] == pytest.approx(0.001)
    assert after.pixel_size == pytest.approx(2 * before.pixel_size, rel=1e-6)


def test_lights_by_hand(told, folder):
    from pxr import UsdLux

    def change(stage):
        stage.GetPrimAtPath(f"{BENCH}/Light_dome").GetAttribute("inputs:intensity").Set(2.0)
        lamp = UsdLux.DistantLight.Define(stage, f"{BENCH}/Sun")
        lamp.CreateIntensityAttr(math.pi)
        lamp.CreateNormalizeAttr(True)
        UsdLux.SphereLight.Define(stage, f"{BENCH}/Bulb")

    after = edited(folder, change)
    lighting = next(p for p in after.places if p.id == "aoi").lighting
    assert lighting.dome == pytest.approx(tuple(2 * c for c in told.places[3].lighting.dome))
    assert lighting.directional[-1].direction == (0, 0, 1) and lighting.directional[-1].irradiance == pytest.approx((1, 1, 1))
    assert [n for n in after.notes if "Bulb" in n and "SphereLight" in n]


def test_a_material_by_hand_is_told(folder):
    from pxr import Gf, Sdf, UsdShade

    def change(stage):
        look = UsdShade.Material.Define(stage, "/World/Looks/red_paint")
        shader = UsdShade.Shader.Define(stage, "/World/Looks/red_paint/Surface")
        shader.CreateIdAttr("UsdPreviewSurface")
        shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set(Gf.Vec3f(0.5, 0, 0))
        look.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
        mesh = stage.GetPrimAtPath("/World/Prototypes/chip_resistor_0402/alumina_body")
        UsdShade.MaterialBindingAPI(mesh).Bind(look)

    after = edited(folder, change)
    paint = next(m for m in after.materials if m.name == "red_paint")
    assert paint.base_color == (0.5, 0, 0) and math.isnan(paint.density) and paint.composition == ()
    assert {p.material for p in after.unit.package("chip_resistor_0402").pieces} >= {"red_paint"}
    assert [n for n in after.notes if "red_paint" in n and "twin:thermal" in n]


def test_an_edit_of_one_stations_unit_is_told(folder):
    def change(stage):
        prim = stage.GetPrimAtPath("/World/Demo/SMT/Line_1/axi/Bench/Product/Parts/U1")
        prim.GetAttribute("twin:instance").Set(77)

    assert [n for n in edited(folder, change).notes if "axi/Bench/Product" in n and "/World/Unit" in n]


def test_the_chosen_state_is_read(folder):
    after = edited(folder, lambda s: s.GetPrimAtPath(f"{BENCH}/Product").GetVariantSet("unit").SetVariantSelection("bridge"))
    assert [p.state for p in after.places] == ["healthy"] * 3 + ["bridge", "healthy", "healthy"]


def test_meshes_of_other_programs():
    """Polygons, normals per corner or none, left-handed faces, a matrix of their own."""
    from pxr import Gf, Usd, UsdGeom

    stage = Usd.Stage.CreateInMemory()
    holder = UsdGeom.Xform.Define(stage, "/A")
    mesh = UsdGeom.Mesh.Define(stage, "/A/M")
    mesh.CreatePointsAttr([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)])
    mesh.CreateFaceVertexCountsAttr([4])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2, 3])
    mesh.CreateSubdivisionSchemeAttr("none")
    mesh.AddTranslateOp().Set(Gf.Vec3d(0, 0, 2))
    notes = Notes()
    found = piece(mesh.GetPrim(), holder.GetPrim(), notes)
    assert found.normals == pytest.approx(np.tile([0, 0, 1], (6, 1))) and (found.points[:, 2] == 2).all()
    corners = found.points[found.faces]
    assert np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2].sum() / 2 == pytest.approx(1.0)
    mesh.CreateNormalsAttr([(0, 0, 1)] * 4)
    mesh.SetNormalsInterpolation("faceVarying")
    assert piece(mesh.GetPrim(), holder.GetPrim(), notes).normals == pytest.approx(np.tile([0, 0, 1], (6, 1)))
    mesh.SetNormalsInterpolation("vertex")
    mesh.CreateOrientationAttr("leftHanded")
    turned = piece(mesh.GetPrim(), holder.GetPrim(), notes)
    assert len(turned.points) == 4
    assert np.cross(*(turned.points[turned.faces[0, k]] - turned.points[turned.faces[0, 0]] for k in (1, 2)))[2] < 0
    assert notes == []
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2, 9])
    assert piece(mesh.GetPrim(), holder.GetPrim(), notes) is None
    assert len(notes) == 1 and notes[0].startswith("/A/M: ")


def test_tidy_keeps_the_triangles():
    """Two fans that touch in a point are parted, a vertex that is there twice is joined, a flat triangle goes."""
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [-1, 0, 0], [-1, -1, 0], [1, 1, 0], [0, 1, 0]], np.float32)
    normals = np.tile(np.array([0, 0, 1], np.float32), (7, 1))
    faces = np.array([[0, 1, 2], [0, 3, 4], [0, 5, 6], [0, 1, 1]], np.uint32)
    out, turned, kept = tidy(points, normals, faces)
    assert out[kept] == pytest.approx(points[faces[:3]])
    assert len(out) == 7                       # 5 and 2 became one, 0 became two: one of each pair of fans
    assert len(np.unique(np.hstack([out, turned]), axis=0)) == 7
    assert turned[kept] == pytest.approx(normals[faces[:3]], abs=2e-7)


def _with(folder, text):
    (folder / "line.usda").write_text(f"#usda 1.0\n{text}")
    return folder / "line.usda"


@pytest.mark.parametrize("named", [
    "../outside.usda", "/etc/outside.usda", "https://example.com/a.usda", "a.usdz", "b.usda[c.usda]"])
@pytest.mark.parametrize("how", [
    "( subLayers = [@{}@] )", 'def "A" ( references = @{}@ ) {{}}', 'def "A" ( payload = @{}@ ) {{}}'])
def test_nothing_outside_the_folder_is_opened(tmp_path, named, how):
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "outside.usda").write_text("#usda 1.0\n")
    with pytest.raises(AssetError, match=r"outside the stage's folder|package"):
        read(_with(folder, how.format(named)))


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "outside.usda").write_text("#usda 1.0\n")
    (folder / "inside.usda").symlink_to(tmp_path / "outside.usda")
    with pytest.raises(AssetError, match="outside the stage's folder"):
        read(_with(folder, "( subLayers = [@./inside.usda@] )"))


def test_a_picture_outside_the_folder_is_not_opened(folder):
    from pxr import Sdf, Usd

    stage = Usd.Stage.Open(str(folder / "line.usda"))
    stage.GetPrimAtPath("/World/Looks/artwork/Color").GetAttribute("inputs:file").Set(Sdf.AssetPath("../../x.png"))
    stage.Save()
    del stage
    with pytest.raises(AssetError, match="outside the stage's folder"):
        read(folder / "line.usda")


@pytest.mark.parametrize(("text", "message"), [
    ("not usd at all", "not a readable layer"),
    ("( subLayers = [@./gone.usda@] )", "no such file"),
    ('def "World" {}', "not a stage of ours"),
    ('def "World" {\n int twin:scene_version = 99\n}', "layout version 99"),
    ('def "World" {\n int twin:scene_version = 1\n string twin:line = "A/B"\n}', "no station"),
])
def test_what_is_no_stage_is_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(SceneError, match=message) as error:
        read(_with(tmp_path, text))
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_layer(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(SceneError, match="not an OpenUSD layer"):
        read(tmp_path / "a.txt")
