"""Reading a stage that somebody edited: what is carried and how much, what is told, what is refused."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenes.edits import Dome, Edits, Gain
from scenes.errors import AssetError, SceneError
from scenes.materials import TABLE, index
from scenes.optics import Directional, Lighting, Ring, looking_down
from scenes.scene import Scene
from scenes.usd.authored import keep
from scenes.usd.contents import Contents, Package, Part, Piece, Place, Unit, View
from scenes.usd.write import write

pxr = pytest.importorskip("pxr")
BENCH = "/World/A/B/aoi/Bench"
SCENE = """
linetwin: 1
name: tiny
line: A/B
product: {family: smt, board: boards/b.kicad_pcb}
stations:
  - id: aoi
    camera: {name: top, width: 100, height: 80, pixel_um: 20}
    lighting:
      dome: [0.5, 0.5, 0.5]
      directional: [{elevation_deg: 90, irradiance: [1, 0.5, 0.25]}]
      rings: [{zenith_deg: [20, 40], radiance: [1, 1, 1]}]
  - {id: axi, kind: axi, xray: {}}
"""


def _box(name: str, material: str, size: tuple[float, float, float], part: str = "body") -> Piece:
    x, y, z = size
    points = np.array([(i * x / 2, j * y / 2, k * z) for i in (-1, 1) for j in (-1, 1) for k in (0, 1)], np.float32)
    faces = np.array(
        [
            (0, 1, 3),
            (0, 3, 2),
            (4, 6, 7),
            (4, 7, 5),
            (0, 4, 5),
            (0, 5, 1),
            (2, 3, 7),
            (2, 7, 6),
            (0, 2, 6),
            (0, 6, 4),
            (1, 5, 7),
            (1, 7, 3),
        ],
        np.int32,
    )
    normals = points / np.linalg.norm(points, axis=1, keepdims=True)
    return Piece(name, material, part, points, normals, faces)


def _at(x: float, y: float, z: float = 1e-4) -> Any:
    pose = np.eye(4)
    pose[:3, 3] = x, y, z
    return pose


def tiny() -> Contents:
    """Three parts on a board of 20 × 10 mm around (0, 0), one colour and one X-ray station."""
    small, large = (
        Package(
            n,
            (_box("epoxy_black_body", "epoxy_black", (s, s / 2, s / 3)), _box("tin_lead", "tin", (s / 4, s / 2, s / 3), "lead")),
        )
        for n, s in (("small", 1e-3), ("large", 2e-3))
    )
    board = (_box("fr4_board", "fr4", (20e-3, 10e-3, -1.6e-3), "board"),)
    parts = tuple(
        Part(r, p, k, _at(x, 0.0), {"class": "component", "reference": r})
        for k, (r, p, x) in enumerate((("R1", "small", 1e-3), ("R2", "small", 4e-3), ("C1", "large", -5e-3)), start=2)
    )
    light = Lighting(
        (Ring(math.radians(20), math.radians(40), (1.0, 1.0, 1.0)),),
        (0.5, 0.5, 0.5),
        (Directional((0.0, 0.0, 1.0), (1.0, 0.5, 0.25)),),
    )
    views = tuple(
        View(f"Camera_top_{k}", looking_down("top", (k * 1e-3, 0.0), 20e-6, 100, 80), "rgb", "top", k) for k in range(2)
    )
    ray = (View("Camera_xray", looking_down("xray", (0.0, 0.0), 20e-6, 100, 80), "xray", "xray", 0),)
    places = (
        Place("aoi", "A/B/aoi", "aoi", _at(1.0, 2.0, 0.0), _at(0.0, 0.3, 0.9), views, light),
        Place("axi", "A/B/axi", "axi", _at(3.0, 2.0, 0.0), _at(0.0, 0.0, 0.9), ray),
    )
    names = ("fr4", "epoxy_black", "tin", "solder_mask", "copper")
    return Contents("tiny", "A/B", places, Unit(board, (small, large), parts), (), tuple(TABLE[index(n)] for n in names))


@pytest.fixture(scope="module")
def authored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "boards").mkdir()
    (folder / "boards" / "b.kicad_pcb").write_text("(kicad_pcb)")
    (folder / "scene.yaml").write_text(SCENE)
    keep(write(tiny(), folder / "stage"), Scene.read(folder / "scene.yaml"))
    return folder


@pytest.fixture
def folder(authored: Path, tmp_path: Path) -> Path:
    shutil.copytree(authored / "stage", tmp_path / "stage")
    return tmp_path / "stage"


def edit(folder: Path, change: Callable[[Any], Any], layer: str = "line.usda") -> Edits:
    """The edits that a scene has after ``change(stage)``."""
    from pxr import Usd

    stage = Usd.Stage.Open(str(folder / layer))
    change(stage)
    stage.Save()
    del stage
    return Scene.read(folder / "line.usda").edits


def light(
    kind: str,
    place: tuple[float, float, float],
    *,
    turn: tuple[float, float, float] = (0, 0, 0),
    path: str = f"{BENCH}/New",
    **inputs: Any,
) -> Callable[[Any], None]:
    from pxr import Gf, UsdGeom, UsdLux

    def make(stage: Any) -> None:
        prim = getattr(UsdLux, kind).Define(stage, path).GetPrim()
        for name, value in inputs.items():
            prim.GetAttribute(f"inputs:{name}").Set(value)
        form = UsdGeom.Xformable(prim)
        form.AddTranslateOp().Set(Gf.Vec3d(*place))
        form.AddRotateXYZOp().Set(Gf.Vec3f(*turn))

    return make


def lamp(edits: Edits) -> Directional:
    found = edits.lights[-1].lamp
    assert isinstance(found, Directional)
    return found


# ---------------------------------------------------------------------------------------------------------------- lamps


def test_an_unedited_stage_has_no_edits(authored: Path) -> None:
    scene = Scene.read(authored / "stage" / "line.usda")
    assert scene.edits == Edits() and scene.digest() == Scene.read(authored / "scene.yaml").digest()
    assert scene.product.board == (authored / "stage" / "authored" / "boards" / "b.kicad_pcb").resolve()


def test_distant_lights_and_domes_are_exact(folder: Path) -> None:
    """Normalised, a DistantLight of intensity π and colour c has c as its irradiance relative to a white diffuser."""
    found = edit(
        folder, light("DistantLight", (0, 0, 0), turn=(0, 60, 0), intensity=math.pi, color=(0.5, 0.25, 0.125), normalize=True)
    )
    assert lamp(found).irradiance == pytest.approx((0.5, 0.25, 0.125), rel=1e-6) and not found.approximated
    assert lamp(found).direction == pytest.approx((math.sin(math.pi / 3), 0, 0.5), abs=1e-7)  # it shines along −z
    # not normalised, L sr of a disk of half an angle a: E = L π sin² a
    found = edit(
        folder,
        lambda s: [
            s.GetPrimAtPath(f"{BENCH}/New").GetAttribute(f"inputs:{name}").Set(value)
            for name, value in (("normalize", False), ("angle", 60.0))
        ],
    )
    assert lamp(found).irradiance == pytest.approx(tuple(math.pi * math.sin(math.pi / 6) ** 2 * c for c in (0.5, 0.25, 0.125)))
    found = edit(folder, light("DomeLight", (0, 0, 0), path=f"{BENCH}/Sky", intensity=2.0, exposure=1.0, color=(0.1, 0.1, 0.2)))
    assert found.lights[-1].lamp == Dome((0.4, 0.4, 0.8))


def test_a_sphere_light_gives_what_its_solid_angle_gives(folder: Path) -> None:
    """E = π L (r / d)², exactly, from its middle; relative to a white diffuser that is L (r / d)²."""
    found = edit(folder, light("SphereLight", (0.09, 0, 0.12), radius=0.03, intensity=50.0))
    distance = math.dist((0.09, 0, 0.12), (0, 0, 0))
    assert lamp(found).irradiance == pytest.approx((50 * (0.03 / distance) ** 2,) * 3, rel=1e-6)
    assert lamp(found).direction == pytest.approx((0.6, 0, 0.8), abs=1e-7)
    assert "a SphereLight is carried as the collimated lamp" in found.approximated[0]


def test_a_disk_light_on_axis(folder: Path) -> None:
    """E = π L r² / (r² + d²) straight below a disk; normalised by its area, L / (π r²) of it."""
    found = edit(folder, light("DiskLight", (0, 0, 0.2), radius=0.1, intensity=8.0))
    assert lamp(found).irradiance == pytest.approx((8 * 0.01 / (0.01 + 0.04),) * 3, rel=1e-4)
    assert lamp(found).direction == pytest.approx((0, 0, 1), abs=1e-9)
    found = edit(folder, lambda s: s.GetPrimAtPath(f"{BENCH}/New").GetAttribute("inputs:normalize").Set(True))
    assert lamp(found).irradiance == pytest.approx((8 * 0.2 / (math.pi * 0.01),) * 3, rel=1e-4)


def test_a_rectangle_light_against_its_integral(folder: Path) -> None:
    """The vector irradiance ∫ L cos θ_l / d² (direction) dA, summed over small pieces, wherever it stands and is turned to."""
    place, turn = (0.15, -0.1, 0.25), (25.0, 30.0, 10.0)
    found = edit(folder, light("RectLight", place, turn=turn, width=0.2, height=0.1, intensity=3.0))
    cx, cy, cz = (np.radians(a) for a in turn)
    rx = np.array([[1, 0, 0], [0, np.cos(cx), -np.sin(cx)], [0, np.sin(cx), np.cos(cx)]])
    ry = np.array([[np.cos(cy), 0, np.sin(cy)], [0, 1, 0], [-np.sin(cy), 0, np.cos(cy)]])
    rz = np.array([[np.cos(cz), -np.sin(cz), 0], [np.sin(cz), np.cos(cz), 0], [0, 0, 1]])
    rotation = rz @ ry @ rx
    u, v = np.meshgrid((np.arange(400) + 0.5) / 400 - 0.5, (np.arange(400) + 0.5) / 400 - 0.5)
    points = np.stack([0.2 * u.ravel(), 0.1 * v.ravel(), np.zeros(u.size)], axis=1) @ rotation.T + place
    away = np.linalg.norm(points, axis=1, keepdims=True)
    facing = np.maximum(points @ rotation[:, 2:], 0) / away  # it shines along −z
    vector = (points / away * facing / away**2).sum(axis=0) * 0.02 / u.size * 3.0
    assert lamp(found).irradiance == pytest.approx((np.linalg.norm(vector) / math.pi,) * 3, rel=1e-4)
    assert lamp(found).direction == pytest.approx(vector / np.linalg.norm(vector), abs=1e-4)


def test_lamps_that_are_changed_taken_away_or_elsewhere(folder: Path) -> None:
    from pxr import Gf, UsdLux

    def change(stage: Any) -> None:
        UsdLux.DistantLight(stage.GetPrimAtPath(f"{BENCH}/Light_directional_0")).GetColorAttr().Set(Gf.Vec3f(2, 1, 0.5))
        stage.GetPrimAtPath(f"{BENCH}/Light_dome").SetActive(False)
        for disk in stage.GetPrimAtPath(f"{BENCH}/Light_ring_0").GetChildren():
            UsdLux.LightAPI(disk).GetIntensityAttr().Set(3.0)
        stage.GetPrimAtPath(BENCH).GetAttribute("twin:exposure").Set(1.5)

    found = edit(folder, change)
    by_name = {e.light: e.lamp for e in found.lights}
    assert isinstance(sun := by_name["Light_directional_0"], Directional) and sun.irradiance == (2, 1, 0.5)
    assert by_name["Light_dome"] is None and by_name["Light_ring_0"] == Ring(math.radians(20), math.radians(40), (3, 3, 3))
    assert by_name["Bench"] == Gain(1.5, (1, 1, 1), 0, 0) and not found.not_carried
    scene = Scene.read(folder / "line.usda").stations[0]
    assert scene.lighting == Lighting(
        (Ring(math.radians(20), math.radians(40), (3, 3, 3)),), (0, 0, 0), (Directional((0, 0, 1), (2, 1, 0.5)),), 1.5
    )
    # one disk alone is none of a tier's business; a lamp far away, from below, or of another kind is told
    found = edit(
        folder, lambda s: UsdLux.LightAPI(s.GetPrimAtPath(f"{BENCH}/Light_ring_0/Lamp_03")).GetColorAttr().Set((0, 0, 1))
    )
    assert any("single disks" in line for line in found.not_carried)
    for make in (
        light("SphereLight", (0, 0, -0.2)),
        light("CylinderLight", (0, 0, 0.2)),
        light("SphereLight", (900.0, 0, 900.0), radius=1e-3),
    ):
        assert any(line.startswith(f"{BENCH}/New: ") for line in edit(folder, make).not_carried)
        edit(folder, lambda s: s.RemovePrim(f"{BENCH}/New"))


def test_a_lamp_above_the_line_lights_every_station_that_has_lamps(folder: Path) -> None:
    found = edit(folder, light("DistantLight", (0, 0, 0), path="/World/Lights/Sun", intensity=math.pi, normalize=True))
    assert [(e.station, e.light) for e in found.lights] == [("aoi", "/World/Lights/Sun")] and not found.not_carried
    assert "as if nothing were in its way" in found.approximated[0]


# -------------------------------------------------------------------------------------------------------------- cameras


def test_a_lens_in_usds_terms(folder: Path) -> None:
    """Aperture and focal length are tenths of a metre: a field of 100 px · 20 µm is an aperture of 0.02."""
    from pxr import UsdGeom

    def change(stage: Any) -> None:
        camera = UsdGeom.Camera(stage.GetPrimAtPath(f"{BENCH}/Camera_top_1"))
        assert camera.GetHorizontalApertureAttr().Get() == pytest.approx(0.02)
        camera.GetHorizontalApertureAttr().Set(0.04)
        camera.GetClippingRangeAttr().Set((0.125, 0.5))
        camera.GetPrim().GetAttribute("twin:width").Set(50)

    found = edit(folder, change)
    (camera,) = found.cameras
    assert (camera.tile, camera.width, camera.clip, camera.pose) == (1, 50, (0.125, 0.5), None)
    assert camera.pixel_size == pytest.approx(0.004 / 50, rel=1e-9) and not found.not_carried


def test_cameras_that_are_new_gone_or_of_another_kind(folder: Path) -> None:
    from pxr import UsdGeom

    def change(stage: Any) -> None:
        stage.GetPrimAtPath(f"{BENCH}/Camera_top_0").SetActive(False)
        made = UsdGeom.Camera.Define(stage, f"{BENCH}/Camera_side")
        made.AddTranslateOp().Set((0.01, 0.0, 0.1))
        made.CreateHorizontalApertureAttr(0.2)
        made.CreateFocalLengthAttr(0.5)  # 50 mm: at 100 mm the field is 40 mm
        stage.GetPrimAtPath("/World/A/B/axi/Bench/Camera_xray").GetAttribute("xformOp:transform").Set(pxr.Gf.Matrix4d(1))
        UsdGeom.Camera.Define(stage, "/World/Camera")

    found = edit(folder, change)
    gone, new = found.cameras
    assert gone.removed and (gone.tile, gone.camera) == (0, "Camera_top_0")
    assert (new.tile, new.width, new.height, new.model) == (-1, 100, 80, "perspective")
    assert new.distance == pytest.approx(0.1) and new.pixel_size == pytest.approx(0.04 / 100, rel=1e-6) and new.clip is None
    assert [line.split(":")[0] for line in found.not_carried] == ["/World/A/B/axi/Bench/Camera_xray", "/World/Camera"]


def test_poses_are_read_relative_to_the_board(folder: Path) -> None:
    """The board moved under its camera is the camera moved over the board; all of it moved together is nothing at all."""
    from pxr import UsdGeom

    found = edit(folder, lambda s: UsdGeom.Xformable(s.GetPrimAtPath(f"{BENCH}/Product")).AddTranslateOp().Set((2e-3, 0, 0)))
    assert [c.pose[3] for c in found.cameras if c.pose] == pytest.approx([-2e-3, -1e-3]) and not found.not_carried
    found = edit(folder, lambda s: s.GetPrimAtPath(f"{BENCH}/Product").GetAttribute("xformOp:translate").Set((0, 0, 0)))
    assert not found.cameras
    found = edit(folder, lambda s: s.GetPrimAtPath("/World/A/B/aoi").GetAttribute("xformOp:transform").Set(pxr.Gf.Matrix4d(1)))
    assert not found and [line.split(":")[0] for line in found.not_carried] == ["/World/A/B/aoi"]


# ------------------------------------------------------------------------------------------------ parts and materials


def test_parts_in_the_designs_terms(folder: Path) -> None:
    from pxr import Gf, Sdf

    def change(stage: Any) -> None:
        one = stage.GetPrimAtPath(f"{BENCH}/Product/Parts/R1")
        one.GetAttribute("xformOp:transform").Set(
            Gf.Matrix4d().SetRotate(Gf.Rotation((0, 0, 1), 30)) * Gf.Matrix4d(one.GetAttribute("xformOp:transform").Get())
        )
        stage.GetPrimAtPath("/World/Unit/Parts/R2").GetReferences().SetReferences(
            [Sdf.Reference(primPath="/World/Prototypes/large")]
        )
        stage.GetPrimAtPath("/World/Unit/Parts/C1").SetActive(False)
        new = stage.DefinePrim("/World/Unit/Parts/R9", "Xform")
        new.GetReferences().AddReference("", "/World/Prototypes/small")
        pxr.UsdGeom.Xformable(new).AddTranslateOp().Set((2e-3, 3e-3, 1e-4))

    found = edit(folder, change)
    by_name = {e.reference: e for e in found.parts}
    assert by_name["R1"].turn == pytest.approx(math.pi / 6) and by_name["R1"].move == (0, 0)
    assert by_name["R2"].like == "C1" and by_name["C1"].removed
    assert (by_name["R9"].like, by_name["R9"].at) == ("R1", pytest.approx((2e-3, 3e-3, 0)))
    assert not found.not_carried and any("lands, paste and holes" in line for line in found.approximated)


def test_what_a_design_cannot_say_of_a_part_is_told(folder: Path) -> None:
    from pxr import UsdGeom

    def change(stage: Any) -> None:
        parts = f"{BENCH}/Product/Parts"
        for name, (place, turn, size) in {"R1": ((0, 0, 1e-3), 0, 1), "R2": ((0, 0, 0), 10, 1), "C1": ((0, 0, 0), 0, 2)}.items():
            form = UsdGeom.Xformable(stage.GetPrimAtPath(f"{parts}/{name}"))
            form.AddTranslateOp().Set(place)
            form.AddRotateXOp().Set(turn)
            form.AddScaleOp().Set((size, size, size))

    found = edit(folder, change)
    assert not found.parts
    assert [any(f"/{r}: was raised" in line for line in found.not_carried) for r in ("R1", "R2", "C1")] == [True, True, False]
    assert any("/C1: is scaled" in line for line in found.not_carried)


def test_materials_and_who_wears_them(folder: Path) -> None:
    from pxr import Sdf, UsdShade

    def change(stage: Any) -> None:
        UsdShade.Shader(stage.GetPrimAtPath("/World/Looks/tin/Surface")).GetInput("roughness").Set(0.75)
        stage.GetPrimAtPath("/World/Looks/fr4").GetAttribute("twin:thermal:conductivity").Set(0.5)
        for name in ("lime", "lonely"):
            made = UsdShade.Material.Define(stage, f"/World/Looks/{name}")
            shader = UsdShade.Shader.Define(stage, f"/World/Looks/{name}/Surface")
            shader.CreateIdAttr("UsdPreviewSurface")
            shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set((0.1, 0.8, 0.05))
            made.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
        mesh = stage.GetPrimAtPath("/World/Prototypes/small/epoxy_black_body")
        UsdShade.MaterialBindingAPI(mesh).Bind(UsdShade.Material(stage.GetPrimAtPath("/World/Looks/lime")))
        UsdShade.Shader(stage.GetPrimAtPath("/World/Looks/solder_mask/Surface")).GetInput("diffuseColor").Set((1, 0, 0))

    found = edit(folder, change)
    by_name = {m.name: m for m in found.materials}
    assert set(by_name) == {"tin", "fr4", "lime"} and by_name["tin"].roughness == 0.75 and by_name["fr4"].conductivity == 0.5
    assert by_name["lime"].like == "epoxy_black" and by_name["lime"].base_color == (0.1, 0.8, 0.05)
    (paint,) = found.paints
    assert (paint.parts, paint.was, paint.now) == (("R1", "R2"), "epoxy_black", "lime")
    told = "\n".join(found.not_carried)
    assert "lonely: is new and none of the board's parts wears it" in told
    assert "solder_mask: base_color changed; the recipe's section 'look'" in told
    assert "tin: roughness changed; of exposed pads" in told and len(found.not_carried) == 3


# ------------------------------------------------------------------------------------------- nothing is silently dropped


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda s: s.DefinePrim("/World/Extra", "Cube"), "/World/Extra"),
        (
            lambda s: s.GetPrimAtPath(f"{BENCH}/Product/Board/fr4_board").GetAttribute("points").Set([(0, 0, 0)] * 8),
            f"{BENCH}/Product/Board/fr4_board",
        ),
        (
            lambda s: s.GetPrimAtPath("/World/Prototypes/small/tin_lead").GetAttribute("points").Set([(0, 0, 0)] * 8),
            "/World/Prototypes/small/tin_lead",
        ),
        (
            lambda s: s.GetPrimAtPath("/World/PhysicsScene").GetAttribute("physics:gravityMagnitude").Set(1.62),
            "/World/PhysicsScene",
        ),
        (lambda s: s.RemovePrim("/World/PhysicsScene"), "/World/PhysicsScene"),
        (lambda s: s.GetPrimAtPath("/World/A/B/axi").SetActive(False), "/World/A/B/axi/Bench"),
        (
            lambda s: s.GetPrimAtPath(f"{BENCH}/Camera_top_0").CreateAttribute("fStop", pxr.Sdf.ValueTypeNames.Float).Set(2.8),
            f"{BENCH}/Camera_top_0",
        ),
        (
            lambda s: (
                s.GetPrimAtPath(f"{BENCH}/Light_dome").CreateAttribute("inputs:diffuse", pxr.Sdf.ValueTypeNames.Float).Set(0.5)
            ),
            f"{BENCH}/Light_dome",
        ),
        (lambda s: s.GetPrimAtPath("/World/A").SetMetadata("kind", "assembly"), "/World/A"),
        (
            lambda s: s.GetPrimAtPath(f"{BENCH}/Product/Parts/R1").GetAttribute("twin:instance").Set(77),
            f"{BENCH}/Product/Parts/R1",
        ),
    ],
)
def test_every_other_change_is_told_by_its_path(change: Callable[[Any], Any], path: str, folder: Path) -> None:
    found = edit(folder, change)
    assert not found
    assert any(line.startswith(f"{path}: ") for line in found.not_carried), found.not_carried
    assert all("\n" not in line and ";" in line for line in found.not_carried)


def test_notes_and_an_editors_own_prims_are_no_edits(folder: Path) -> None:
    def change(stage: Any) -> None:
        stage.GetRootLayer().customLayerData = {"cameraSettings": {"Perspective": {"radius": 1.0}}}
        stage.DefinePrim("/OmniverseKit_Persp", "Camera")
        stage.GetPrimAtPath("/World/A").SetDocumentation("checked by me")

    assert edit(folder, change) == Edits()


def test_edits_in_any_layer_and_in_a_flattened_stage(folder: Path) -> None:
    """Who edits look.usda, or saves all of it as one file, has made the same edit."""
    from pxr import Usd, UsdShade

    def change(stage: Any) -> None:
        UsdShade.Shader(stage.GetPrimAtPath("/World/Looks/tin/Surface")).GetInput("metallic").Set(0.5)

    found = edit(folder, change, "look.usda")
    assert [(m.name, m.metallic) for m in found.materials] == [("tin", 0.5)] and not found.not_carried
    Usd.Stage.Open(str(folder / "line.usda")).Flatten().Export(str(folder / "flat.usdc"))
    flat = Scene.read(folder / "flat.usdc").edits
    assert flat.materials == found.materials and not flat.parts and not flat.cameras and not flat.lights


# --------------------------------------------------------------------------------------------------- not ours, or not safe


def _linked(file: Path) -> None:
    file.unlink()
    file.symlink_to("/etc/passwd")


def _instead(old: str, new: str) -> Callable[[Path], Any]:
    """Put other text into line.usda."""
    return lambda f: (f / "line.usda").write_text((f / "line.usda").read_text().replace(old, new))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_instead("./station.usda", "/etc/station.usda"), "outside"),
        (_instead("./station.usda", "../../x.usda"), "outside"),
        (_instead("./station.usda", "http://x/y.usda"), "outside"),
        (_instead("authored/scene.yaml", "../../../etc/passwd"), "outside"),
        (_instead("metersPerUnit = 1", "metersPerUnit = 0.01"), "metersPerUnit"),
        (lambda f: (f / "line.usda").write_text("#usda 1.0\nthis is no layer"), "not a readable layer"),
        (lambda f: (f / "line.usda").write_text('#usda 1.0\ndef Xform "World" {}\n'), "does not say which scene"),
        (lambda f: shutil.rmtree(f / "authored"), "keep the folder 'authored' beside"),
        (lambda f: (f / "authored" / "scene.yaml").write_text(SCENE.replace("boards/b.kicad_pcb", "/etc/passwd")), "outside"),
        (lambda f: _linked(f / "authored" / "boards" / "b.kicad_pcb"), "outside"),
        (lambda f: (f / "authored" / "scene.yaml").write_text("- 1\n"), "a scene is a mapping"),
        (lambda f: (f / "authored" / "scene.yaml").write_text(SCENE + "edits: {parts: 3}\n"), "edits.parts"),
    ],
)
def test_a_stage_that_is_not_ours_or_reaches_outside_is_refused_in_one_line(
    spoil: Callable[[Path], Any], told: str, folder: Path
) -> None:
    spoil(folder)
    with pytest.raises((SceneError, AssetError), match=told) as error:
        Scene.read(folder / "line.usda")
    assert "\n" not in str(error.value)


def test_changes_that_were_not_saved_are_not_thrown_away(folder: Path) -> None:
    from pxr import Usd

    stage = Usd.Stage.Open(str(folder / "line.usda"))
    stage.DefinePrim("/World/Mine", "Cube")
    with pytest.raises(SceneError, match="not saved"):
        Scene.read(folder / "line.usda")
    assert stage.GetPrimAtPath("/World/Mine")
    stage.Save()
    assert Scene.read(folder / "line.usda").edits.not_carried == ("/World/Mine: is new; no part of a scene",)


def test_paths_elsewhere_are_gathered_beside_the_stage(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "b.kicad_pcb").write_text("(kicad_pcb)")
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "s.yaml").write_text(SCENE.replace("boards/", "../far/"))
    keep(write(tiny(), tmp_path / "stage"), Scene.read(tmp_path / "near" / "s.yaml"))
    scene = Scene.read(tmp_path / "stage" / "line.usda")
    assert scene.product.board == (tmp_path / "stage" / "authored" / "files" / "0" / "b.kicad_pcb").resolve()
    assert scene.edits == Edits()
