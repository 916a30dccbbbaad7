"""A stage as pxr sees it: what it holds equals what it was made from, layer by layer."""
from __future__ import annotations

import math

import numpy as np
import pytest
from stage_fixture import FILM_ID, SHORT_ID, contents

from scenes.geometry import PartKind
from scenes.materials import TABLE
from scenes.usd import prim_name, stage_text, write
from scenes.usd.write_unit import part_prims

pxr = pytest.importorskip("pxr")
LINE = "/World/Demo/SMT/Line_1"
BENCH = f"{LINE}/aoi/Bench"


@pytest.fixture(scope="module")
def told(examples):
    return contents(examples)


@pytest.fixture(scope="module")
def folder(told, tmp_path_factory):
    return write(told, tmp_path_factory.mktemp("stage") / "out").parent


@pytest.fixture(scope="module")
def stage(folder):
    from pxr import Usd

    return Usd.Stage.Open(str(folder / "line.usda"))


@pytest.mark.parametrize("name", ["line.usda", "station.usda", "equipment.usda", "product.usda", "look.usda"])
def test_every_layer_opens_alone(folder, name):
    from pxr import Usd, UsdGeom, UsdPhysics

    alone = Usd.Stage.Open(str(folder / name))
    assert alone.GetCompositionErrors() == []
    assert UsdGeom.GetStageMetersPerUnit(alone) == 1.0
    assert UsdPhysics.GetStageKilogramsPerUnit(alone) == 1.0 and alone.HasAuthoredMetadata("kilogramsPerUnit")
    assert UsdGeom.GetStageUpAxis(alone) == "Z"
    assert alone.GetDefaultPrim().GetPath() == "/World"


def test_paths_are_isa_95_ids(told, stage):
    for place in told.places:
        prim = stage.GetPrimAtPath("/World/" + "/".join(prim_name(s) for s in place.path.split("/")))
        assert prim.GetAttribute("twin:path").Get() == place.path
        assert prim.GetKind() == "component"
    assert [stage.GetPrimAtPath(p).GetKind() for p in ("/World", LINE)] == ["assembly", "group"]
    assert [c.GetName() for c in stage.GetPrimAtPath(LINE).GetChildren()][: len(told.places)] == [p.id for p in told.places]


def test_same_contents_same_bytes(told, folder, tmp_path):
    write(told, tmp_path)
    files = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    assert sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file()) == files
    assert [f for f in files if (folder / f).read_bytes() != (tmp_path / f).read_bytes()] == []
    assert stage_text(told) == stage_text(told)


def test_layers_stay_texts_that_people_read(folder):
    for file in folder.glob("*.usda"):
        assert max(map(len, file.read_text().splitlines())) < 5000


def test_only_relative_names_in_the_layers(folder):
    from pxr import UsdUtils

    for file in [*folder.glob("*.usda"), *folder.glob("*.usdc")]:
        for group in UsdUtils.ExtractExternalReferences(str(file), UsdUtils.ExtractExternalReferencesParams()):
            assert all(name.startswith("./") and (folder / name).is_file() for name in group)


def test_parts_are_instances_at_their_poses(told, stage):
    from pxr import UsdGeom

    names = part_prims([told.unit])
    assert len(told.unit.parts) >= 55
    for part in told.unit.parts:
        prim = stage.GetPrimAtPath(f"{BENCH}/Product/Parts/{names[part.instance]}")
        assert prim.IsInstance()
        assert np.array(UsdGeom.Xformable(prim).GetLocalTransformation()).T == pytest.approx(part.pose, rel=1e-12, abs=1e-15)
        assert prim.GetAttribute("twin:instance").Get() == part.instance
    assert len(stage.GetPrototypes()) <= len(told.unit.packages) + len(told.prototypes)


def test_labels_by_taxonomy(told, stage):
    from pxr import Usd, UsdSemantics

    def direct(path, taxonomy):
        query = UsdSemantics.LabelsQuery(taxonomy, Usd.TimeCode.Default())
        return list(query.ComputeUniqueDirectLabels(stage.GetPrimAtPath(path)))

    product = f"{BENCH}/Product"
    assert direct(f"{product}/Board", "class") == ["board"]
    assert direct(f"{product}/Parts/U1", "class") == ["component"]
    assert direct(f"{product}/Parts/U1", "reference") == ["U1"]
    assert direct(f"{product}/Parts/U1", "kind") == ["qfn"]
    joint = told.unit.solder[0]
    assert direct(f"{product}/Solder/id_{joint.instance}", "class") == ["joint"]
    assert direct(f"{product}/Solder/id_{joint.instance}/{joint.pieces[0].name}", "part") == ["joint"]
    for prim in Usd.PrimRange(stage.GetPrimAtPath(product), Usd.TraverseInstanceProxies()):
        if prim.GetTypeName() == "Mesh":
            assert prim.GetAttribute("twin:part").Get() in {k.name.lower() for k in PartKind}
            assert prim.GetAttribute("twin:material").Get() in {m.name for m in TABLE}


def test_camera_matrices_equal_the_renderers(told, stage):
    """Gf's own frustum, read from the stage, gives the projection that the renderer uses (to USD's float32 lenses)."""
    from pxr import Usd, UsdGeom

    count = 0
    for place in told.places:
        for view in place.views:
            prim = UsdGeom.Camera(stage.GetPrimAtPath(f"{LINE}/{place.id}/Bench/{view.prim}"))
            gf = prim.GetCamera(Usd.TimeCode.Default())
            assert np.array(gf.frustum.ComputeProjectionMatrix()).T == pytest.approx(view.camera.projection(), rel=2e-6, abs=1e-6)
            local = np.array(prim.GetLocalTransformation()).T
            assert local == pytest.approx(view.camera.pose, rel=1e-12, abs=1e-15)
            product = stage.GetPrimAtPath(f"{LINE}/{place.id}/Bench/Product")
            cache = UsdGeom.XformCache()
            between = np.array(cache.GetLocalToWorldTransform(prim.GetPrim())) @ np.linalg.inv(
                np.array(cache.GetLocalToWorldTransform(product)))
            assert between.T == pytest.approx(view.camera.pose, rel=1e-9, abs=1e-12)
            count += 1
    assert count == 4


def test_lamps_give_the_irradiance_of_the_scene(told, stage):
    """A flat white board: a tier of radiance L between zenith angles a and b gives E = π L (sin² b − sin² a)."""
    from pxr import UsdGeom, UsdLux

    lighting = told.places[3].lighting
    for number, ring in enumerate(lighting.rings):
        total = 0.0
        for prim in stage.GetPrimAtPath(f"{BENCH}/Light_ring_{number}").GetChildren():
            light, pose = UsdLux.DiskLight(prim), np.array(UsdGeom.Xformable(prim).GetLocalTransformation()).T
            offset = pose[:3, 3] - (0.02, 0.015, 0.0)
            far = np.linalg.norm(offset)
            assert pose[:3, 2] == pytest.approx(offset / far, abs=1e-7)           # it shines along −z, at the board's middle
            solid = math.pi * light.GetRadiusAttr().Get() ** 2 / far**2
            total += light.GetColorAttr().Get()[1] * light.GetIntensityAttr().Get() * solid * offset[2] / far
        expected = math.pi * ring.radiance[1] * (math.sin(ring.zenith_max) ** 2 - math.sin(ring.zenith_min) ** 2)
        assert total == pytest.approx(expected, rel=1e-5)
    lamp = UsdLux.DistantLight(stage.GetPrimAtPath(f"{BENCH}/Light_directional_0"))
    assert lamp.GetNormalizeAttr().Get() is True
    assert np.array(UsdGeom.Xformable(lamp).GetLocalTransformation())[2, :3] == pytest.approx(lighting.directional[0].direction)
    dome = UsdLux.DomeLight(stage.GetPrimAtPath(f"{BENCH}/Light_dome"))
    assert tuple(dome.GetColorAttr().Get()) == pytest.approx(lighting.dome)


def test_materials_carry_what_infrared_and_xray_need(told, stage):
    record = next(m for m in TABLE if m.name == "solder_sac305")
    prim = stage.GetPrimAtPath("/World/Looks/solder_sac305")
    assert prim.GetAttribute("twin:thermal:conductivity").Get() == record.conductivity == 58
    assert prim.GetAttribute("twin:thermal:emissivity").Get() == record.emissivity
    assert list(zip(prim.GetAttribute("twin:xray:elements").Get(), prim.GetAttribute("twin:xray:mass_fractions").Get(),
                    strict=True)) == [("Sn", 0.965), ("Ag", 0.03), ("Cu", 0.005)]
    names = {p.GetAttribute("twin:material").Get() for p in stage.GetPrimAtPath("/World/Looks").GetChildren()} - {None}
    assert names == {m.name for m in told.materials}


def test_the_artwork_lies_where_the_board_is(told, folder, stage):
    """The texel that a corner of the top reads is the picture's texel at that place: row 0 is the largest y."""
    from PIL import Image
    from pxr import UsdGeom, UsdShade

    prim = stage.GetPrimAtPath(f"{BENCH}/Product/Board/fr4_board_top")
    points = np.array(UsdGeom.Mesh(prim).GetPointsAttr().Get())
    st = np.array(UsdGeom.PrimvarsAPI(prim).GetPrimvar("st").Get())
    assert points[:, 2] == pytest.approx(0)
    assert st == pytest.approx(points[:, :2] / (0.04, 0.03), abs=1e-6)
    look = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()[0]
    surface = look.ComputeSurfaceSource()[0]
    texture = UsdShade.Shader(surface.GetInput("diffuseColor").GetConnectedSources()[0][0].source)
    asset = texture.GetInput("file").Get()
    assert asset.path == "./textures/board_color.png" and asset.resolvedPath
    with Image.open(asset.resolvedPath) as picture:
        assert np.array_equal(np.asarray(picture), told.artwork.color)
    with Image.open(folder / "textures" / "board_surface.png") as picture:
        packed = np.asarray(picture)
    assert np.array_equal(packed[..., 2], told.artwork.surface[..., 0])           # metallic in blue, roughness in green
    assert np.array_equal(packed[..., 1], told.artwork.surface[..., 1])


def test_variants_hold_only_what_differs(told, folder, stage):
    from pxr import Sdf

    unit = Sdf.Layer.FindOrOpen(str(folder / "product.usda")).GetPrimAtPath("/World/Unit")
    inside = {name: {child.name for group in variant.primSpec.nameChildren for child in group.nameChildren}
              for name, variant in unit.variantSets["unit"].variants.items()}
    gone = {p.instance for p in told.unit.parts} - {p.instance for p in told.states[0][1].parts}
    assert len(gone) == 1
    assert inside == {"healthy": {part_prims([told.unit])[gone.pop()]}, "bridge": {f"id_{SHORT_ID}", f"id_{FILM_ID}"}}
    product = stage.GetPrimAtPath(f"{BENCH}/Product")
    assert product.GetVariantSet("unit").GetVariantSelection() == "healthy"
    assert not stage.GetPrimAtPath(f"{BENCH}/Product/Solder/id_{SHORT_ID}")


def test_a_station_can_hold_another_state(folder):
    from pxr import Usd, UsdSemantics

    stage = Usd.Stage.Open(str(folder / "line.usda"))
    product = stage.GetPrimAtPath(f"{BENCH}/Product")
    product.GetVariantSet("unit").SetVariantSelection("bridge")
    bridge = stage.GetPrimAtPath(f"{BENCH}/Product/Solder/id_{SHORT_ID}")
    assert UsdSemantics.LabelsQuery("class", Usd.TimeCode.Default()).ComputeUniqueDirectLabels(bridge) == ["bridge"]
    assert not stage.GetPrimAtPath(f"{LINE}/axi/Bench/Product/Solder/id_{SHORT_ID}")
    stage.GetRootLayer().Reload(force=True)


def test_the_unit_stands_at_the_stations_that_look(told, folder, stage):
    from pxr import Usd

    assert stage.GetPrimAtPath("/World/Unit").IsAbstract()
    assert not Usd.Stage.Open(str(folder / "product.usda")).GetPrimAtPath("/World/Unit").IsAbstract()
    for place in told.places:
        product = stage.GetPrimAtPath(f"{LINE}/{place.id}/Bench/Product")
        assert bool(product) == place.looks
        if place.looks:
            assert not product.IsAbstract()
            found = {p.GetAttribute("twin:instance").Get() for p in product.GetChild("Solder").GetChildren()}
            assert found == {s.instance for s in told.unit.solder}


def test_what_moves_has_physics(told, stage):
    from pxr import UsdPhysics

    product = stage.GetPrimAtPath(f"{BENCH}/Product")
    assert UsdPhysics.RigidBodyAPI(product).GetKinematicEnabledAttr().Get() is True
    assert UsdPhysics.MassAPI(product).GetMassAttr().Get() == pytest.approx(told.unit.mass, rel=1e-6)
    assert UsdPhysics.MeshCollisionAPI(product.GetPrimAtPath("Board/fr4_board")).GetApproximationAttr().Get() == "convexHull"
    machine = f"{LINE}/printer/Machine"
    slide = UsdPhysics.PrismaticJoint(stage.GetPrimAtPath(f"{machine}/Beam/Joint"))
    assert (slide.GetLowerLimitAttr().Get(), slide.GetUpperLimitAttr().Get()) == pytest.approx((-0.3, 0.4))
    assert [str(t) for t in slide.GetBody0Rel().GetTargets()] == [machine]
    turn = UsdPhysics.RevoluteJoint(stage.GetPrimAtPath(f"{machine}/Head/Joint"))
    assert (turn.GetLowerLimitAttr().Get(), turn.GetUpperLimitAttr().Get()) == pytest.approx((-180, 180))
    assert [str(t) for t in turn.GetBody0Rel().GetTargets()] == [f"{machine}/Beam"]
    assert tuple(turn.GetLocalPos0Attr().Get()) == pytest.approx((0.0, 0.2, -0.1))   # of the head as seen from the beam
    assert stage.GetPrimAtPath(f"{machine}/Head/Roll").IsInstance()


def test_a_board_weighs_its_volume(told):
    """40 × 30 × 1.6 mm of FR4 with rounded corners and holes, under 1 % of which is gone, and some parts."""
    from scenes.usd.build import _mass

    board = _mass(told.unit.board, {m.name: m.density for m in told.materials})
    assert board == pytest.approx(0.04 * 0.03 * 1.6e-3 * 1850, rel=0.03) and board < 0.04 * 0.03 * 1.6e-3 * 1850
    assert 1.1 * board < told.unit.mass < 2 * board


def test_one_text_says_the_same_without_pictures(told):
    from pxr import Sdf, Usd

    layer = Sdf.Layer.CreateAnonymous(".usda")
    assert layer.ImportFromString(stage_text(told))
    flat = Usd.Stage.Open(layer)
    assert flat.GetPrimAtPath(f"{BENCH}/Product/Parts/U1").IsInstance()
    assert not flat.GetPrimAtPath("/World/Looks/artwork")
    assert set(layer.GetCompositionAssetDependencies()) <= {""} and list(layer.GetExternalAssetDependencies()) == []


def test_usd_validators_find_nothing(stage):
    from pxr import UsdValidation

    context = UsdValidation.ValidationContext(UsdValidation.ValidationRegistry().GetOrLoadAllValidators())
    assert [f"{e.GetName()}: {e.GetMessage()}" for e in context.Validate(stage)] == []
