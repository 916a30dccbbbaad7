"""Stages with numbers that no camera has, paths that are worked out elsewhere, pictures that are too large: told in one line."""
from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_usd_edits import BENCH, SCENE, edit, tiny

from scenes.errors import AssetError, SceneError
from scenes.scene import Scene
from scenes.usd import read
from scenes.usd.authored import write_kept
from scenes.usd.files import check_files, open_stage
from scenes.usd.read_look import _picture

pxr = pytest.importorskip("pxr")
CAMERA = f"{BENCH}/Camera_top_1"


@pytest.fixture(scope="module")
def authored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "boards").mkdir()
    (folder / "boards" / "b.kicad_pcb").write_text("(kicad_pcb)")
    (folder / "scene.yaml").write_text(SCENE)
    return write_kept(tiny(), folder / "stage", Scene.read(folder / "scene.yaml")).parent


@pytest.fixture
def folder(authored: Path, tmp_path: Path) -> Path:
    shutil.copytree(authored, tmp_path / "stage")
    return tmp_path / "stage"


def _set(path: str, **values: Any) -> Callable[[Any], None]:
    def change(stage: Any) -> None:
        for name, value in values.items():
            stage.GetPrimAtPath(path).GetAttribute(name.replace("__", ":")).Set(value)

    return change


def _transform(path: str, place: tuple[int, int], value: float) -> Callable[[Any], None]:
    def change(stage: Any) -> None:
        attribute = stage.GetPrimAtPath(path).GetAttribute("xformOp:transform")
        matrix = pxr.Gf.Matrix4d(attribute.Get())
        matrix[place] = value
        attribute.Set(matrix)

    return change


def _nothing(stage: Any) -> None:
    stage.GetPrimAtPath(BENCH).GetAttribute("xformOp:transform").Set(pxr.Gf.Matrix4d().SetScale(0.0))


@pytest.mark.parametrize(("change", "told"), [
    (_set(CAMERA, focalLength=0.0, projection="perspective"), f"{CAMERA}: focalLength is '0.0'; set it to a number above 0"),
    (_set(CAMERA, horizontalAperture=float("nan")), f"{CAMERA}: horizontalAperture is 'nan'; set it to a number above 0"),
    (_set(CAMERA, clippingRange=(float("nan"), 1.0)), f"{CAMERA}: clippingRange is"),
    (_set(CAMERA, focusDistance=float("inf")), f"{CAMERA}: focusDistance is 'inf'"),
    (lambda s: s.GetPrimAtPath(CAMERA).GetAttribute("twin:width").Block(), f"{CAMERA}: twin:width is not there; set"),
    (_set(CAMERA, twin__width=-3), f"{CAMERA}: twin:width is '-3'; set it to a whole number from 1 on"),
    (_set(CAMERA, twin__distance=-1.0), f"{CAMERA}: twin:distance is '-1.0'; set it to a number above 0"),
    (_nothing, f"{BENCH}/Product: xformOp: its transform scales everything to nothing"),
    (_transform(BENCH, (3, 0), float("inf")), "xformOp: its transform holds numbers that are not finite"),
    (_transform(CAMERA, (0, 0), float("nan")), f"{CAMERA}: xformOp: its transform holds numbers that are not finite"),
    (_transform(CAMERA, (3, 0), 1e300), f"{CAMERA}: xformOp: its transform holds numbers that are not finite or beyond 1e"),
])
def test_a_number_that_cannot_be_is_told_with_prim_and_attribute(change: Callable[[Any], None], told: str, folder: Path) -> None:
    with pytest.raises(SceneError) as error:
        edit(folder, change)
    assert str(error.value).startswith(told) or told in str(error.value)
    assert "\n" not in str(error.value) and ";" in str(error.value)


@pytest.mark.parametrize("change", [
    _set(CAMERA, focalLength=0.0, projection="perspective"), _set(CAMERA, twin__width=-3), _set(CAMERA, twin__tile=-3),
    _set(CAMERA, horizontalAperture=float("nan")), _transform(CAMERA, (3, 0), float("nan")),
    _set(BENCH, twin__noise=float("inf")), _set(f"{BENCH}/Light_ring_0", twin__radiance=(0, float("nan"), 0)),
])
def test_read_tells_it_too(change: Callable[[Any], None], folder: Path) -> None:
    from pxr import Usd

    stage = Usd.Stage.Open(str(folder / "line.usda"))
    change(stage)
    stage.Save()
    del stage
    with pytest.raises(SceneError, match="/aoi/Bench") as error:
        read(folder / "line.usda")
    assert "\n" not in str(error.value)


def test_a_projection_that_is_not_carried_is_told(folder: Path) -> None:
    found = edit(folder, _set(CAMERA, projection="fisheyePolynomial"))
    assert not found and found.not_carried == (
        f"{CAMERA}: its projection is 'fisheyePolynomial'; orthographic and perspective are carried",)


def test_a_camera_with_the_usual_values_of_isaac_lab(folder: Path) -> None:
    """Focus at 400 and clipping to 10⁶ mean "all of it": it is focused on the board, 0.4 m below, and clipped to 1 km."""
    from pxr import UsdGeom

    def change(stage: Any) -> None:
        made = UsdGeom.Camera.Define(stage, f"{BENCH}/Camera_lab")
        made.CreateFocalLengthAttr(24.0)
        made.CreateFocusDistanceAttr(400.0)
        made.CreateHorizontalApertureAttr(20.955)
        made.CreateClippingRangeAttr((0.01, 1e6))
        made.AddTranslateOp().Set((0.0, 0.0, 0.4))

    found = edit(folder, change)
    (camera,) = found.cameras
    assert camera.distance == pytest.approx(0.4) and camera.clip == (0.01, 1000.0) and not found.not_carried
    assert camera.pixel_size == pytest.approx(20.955 / 24 * 0.4 / 100, rel=1e-6)           # field at 0.4 m / 100 pixels
    told = "\n".join(found.approximated)
    assert "focusDistance 400 m is no distance over a board; it is focused on the board, at 400 mm" in told
    assert "clippingRange (0.01, 1e+06) is taken as (0.01, 1000) m" in told


def test_what_a_scene_cannot_hold_is_told_of_its_prim_alone(folder: Path) -> None:
    """The scene is read all the same, with what else was edited."""
    def change(stage: Any) -> None:
        _set(CAMERA, horizontalAperture=1e4, clippingRange=(3.0, 2.0))(stage)              # pixels of 10 m
        _set(f"{BENCH}/Camera_top_0", twin__width=9000)(stage)
        _set(f"{BENCH}/Light_directional_0", inputs__intensity=1e8)(stage)
        _set(BENCH, twin__blur=1000.0)(stage)
        stage.GetPrimAtPath("/World/Unit/Parts/C1").SetActive(False)

    found = edit(folder, change)
    assert [p.reference for p in found.parts] == ["C1"] and not found.cameras and not found.lights
    starts = [line.split(";")[0] for line in found.not_carried]
    assert f"{CAMERA}: clippingRange (3, 2) holds nothing" in starts
    assert f"{CAMERA}: is not carried" in starts and f"{BENCH}/Camera_top_0: is not carried" in starts
    assert f"{BENCH}/Light_directional_0: is not carried" in starts and f"{BENCH}: is not carried" in starts
    assert any("pixel_m: Input should be less than or equal to 0.01" in line for line in found.not_carried)


def test_so_many_lines_are_cut_off_and_counted(folder: Path) -> None:
    from pxr import Sdf, UsdGeom

    def change(stage: Any) -> None:
        with Sdf.ChangeBlock():
            for k in range(700):
                Sdf.CreatePrimInLayer(stage.GetRootLayer(), f"/World/Extra_{k:03d}").SetInfo("specifier", Sdf.SpecifierDef)
                stage.GetRootLayer().GetPrimAtPath(f"/World/Extra_{k:03d}").typeName = "Cube"
        for k in range(600):
            made = UsdGeom.Camera.Define(stage, f"{BENCH}/Camera_new_{k}")
            made.AddTranslateOp().Set((0.0, 0.0, 0.4))
            made.CreateFocusDistanceAttr(0.4)

    found = edit(folder, change)
    assert len(found.not_carried) == len(found.approximated) == 500 and len(found.cameras) == 600
    assert found.not_carried[-1] == "and 201 more" and found.approximated[-1] == "and 101 more"


def _outside(tmp_path: Path, **texts: str) -> Path:
    """A folder with layers, and ``outside.usda`` beside it; one of that name lies inside too."""
    inner = tmp_path / "in"
    inner.mkdir()
    (tmp_path / "outside.usda").write_text('#usda 1.0\ndef Xform "Secret" {\n def Xform "Deep" {}\n}\n')
    (inner / "outside.usda").write_text('#usda 1.0\ndef Xform "Secret" {}\n')
    for name, text in texts.items():
        (inner / f"{name}.usda").write_text("#usda 1.0\n" + text)
    return inner / "root.usda"


@pytest.mark.parametrize("texts", [
    # by the sub-layer's own variable the path stays inside; composition takes the root's, which leads out
    {"root": '( defaultPrim = "World"\n expressionVariables = { string D = ".." }\n subLayers = [ @./sub.usda@ ] )\n',
     "sub": '( expressionVariables = { string D = "." } )\n'
            'def Xform "World" ( references = @`"${D}/outside.usda"`@</Secret> ) {}\n'},
    {"root": '( subLayers = [ @./sub.usda@ ] )\n', "sub": '( expressionVariables = { string D = "." } )\ndef Xform "World" {}\n'},
    {"root": '( subLayers = [ @`"${D}/outside.usda"`@ ] )\n'},
    {"root": 'def Xform "World" ( references = @`"./outside.usda"`@</Secret> ) {}\n'},
])
def test_paths_that_are_worked_out_are_refused(texts: dict[str, str], tmp_path: Path) -> None:
    root = _outside(tmp_path, **texts)
    for opened in (check_files, open_stage):
        with pytest.raises(AssetError, match=r"expressionVariables|is an expression") as error:
            opened(root)
        assert "\n" not in str(error.value)


def test_a_layer_that_usd_keeps_is_checked_as_the_file_is_now(tmp_path: Path) -> None:
    from pxr import Sdf

    root = _outside(tmp_path, root='def Xform "World" {}\n')
    held = Sdf.Layer.FindOrOpen(str(root))
    assert check_files(root) == [root]
    root.write_text("#usda 1.0\n( subLayers = [ @../outside.usda@ ] )\n")
    with pytest.raises(AssetError, match="outside the stage's folder"):
        open_stage(root)
    assert held.GetPrimAtPath("/World")                        # and nothing outside was opened with it
    assert not [a for a in Sdf.Layer.GetLoadedLayers() if a.realPath == str(tmp_path / "outside.usda")]


def test_a_picture_of_more_pixels_than_pillow_opens(tmp_path: Path) -> None:
    """15000 × 14000 one-bit pixels are 26 MB of zeros in a few bytes of PNG."""
    from pxr import Usd

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    (tmp_path / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 15000, 14000, 1, 0, 0, 0, 0))
                                     + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b""))
    (tmp_path / "a.usda").write_text("#usda 1.0\n")
    with pytest.raises(AssetError, match=r"p\.png: .* pixels; use a smaller picture") as error:
        _picture(Usd.Stage.Open(str(tmp_path / "a.usda")), "/x", tmp_path / "a.usda", "p.png")
    assert "\n" not in str(error.value)
