"""The stage opens, validates, and says the same as the geometry it was made from."""
from __future__ import annotations

import numpy as np
import pytest

from scenes.geometry import PartKind
from scenes.optics import looking_down
from scenes.scene import Scene
from scenes.usd import prim_name, stage_text

pxr = pytest.importorskip("pxr")


@pytest.fixture(scope="module")
def told(examples):
    """The shipped scene's healthy unit, and its stage as text."""
    from scenes.optics import Look
    from scenes.smt.family import FAMILY

    scene = Scene.read(examples / "inspector.scene.yaml")
    product = FAMILY.product(scene)
    state = FAMILY.simulate(product, FAMILY.process(product, {}), np.random.default_rng(3))
    geometry = FAMILY.geometry(product, state, Look())
    names = {i: f.host for f in FAMILY.findings(product, state, product.profile) if f.host for i in f.instances}
    camera = looking_down("top", (0.02, 0.015), 30e-6, 1400, 1000)
    lighting = scene.camera_station().lighting
    return geometry, names, camera, stage_text(scene, geometry, names, [camera], lighting), scene, lighting


@pytest.fixture(scope="module")
def stage(told):
    from pxr import Sdf, Usd

    layer = Sdf.Layer.CreateAnonymous(".usda")
    assert layer.ImportFromString(told[3])
    return Usd.Stage.Open(layer)


def test_units_and_root(stage):
    from pxr import UsdGeom

    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    assert UsdGeom.GetStageUpAxis(stage) == "Z"
    assert stage.GetDefaultPrim().GetPath() == "/World"


def test_parts_are_instances_at_their_poses(told, stage):
    from pxr import UsdGeom

    geometry, names, *_ = told
    count = 0
    for group in geometry.instances:
        for pose, instance in zip(group.pose, group.instance, strict=True):
            prim = stage.GetPrimAtPath(f"/World/Product/Parts/{prim_name(names[int(instance)])}")
            assert prim.IsInstance()
            matrix = np.array(UsdGeom.Xformable(prim).GetLocalTransformation())
            assert matrix.T == pytest.approx(np.asarray(pose), rel=1e-12, abs=1e-15)
            count += 1
    assert count >= 55


def test_every_solder_joint_is_there_with_its_id(told, stage):
    geometry = told[0]
    expected = {int(i) for i in np.unique(geometry.soup.instance)}
    found = {p.GetAttribute("twin:instance").Get() for p in stage.GetPrimAtPath("/World/Product/Solder").GetChildren()}
    assert found == expected
    assert {int(k) for k in np.unique(geometry.soup.part)} <= {int(k) for k in PartKind}


def test_camera_matrices_equal_the_renderers(told, stage):
    """Gf's own frustum, read from the stage, gives the projection that the renderer uses (to USD's float32 lenses)."""
    from pxr import Usd, UsdGeom

    camera = told[2]
    prim = UsdGeom.Camera(stage.GetPrimAtPath("/World/Line/aoi/Camera_top"))
    gf = prim.GetCamera(Usd.TimeCode.Default())
    assert np.array(gf.frustum.ComputeProjectionMatrix()).T == pytest.approx(camera.projection(), rel=2e-6, abs=1e-6)
    assert np.array(gf.frustum.ComputeViewMatrix()).T == pytest.approx(camera.view(), abs=1e-9)


def test_usd_validators_find_nothing(stage):
    from pxr import UsdValidation

    registry = UsdValidation.ValidationRegistry()
    context = UsdValidation.ValidationContext(registry.GetOrLoadAllValidators())
    errors = context.Validate(stage)
    assert [f"{e.GetName()}: {e.GetMessage()}" for e in errors] == []


def test_same_arguments_same_text(told):
    geometry, names, camera, text, scene, lighting = told
    assert stage_text(scene, geometry, names, [camera], lighting) == text
