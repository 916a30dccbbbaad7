"""Machines in a stage: where the layout has them, joints that hold together, what repeats is shared, the unit on its belts."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_usd_edits import tiny

from scenes.equipment import board_of, line_layout
from scenes.optics import Look
from scenes.scene import Scene
from scenes.smt.family import FAMILY
from scenes.usd.build import contents_of, views_of
from scenes.usd.equipment import furnish
from scenes.usd.write import write

pytest.importorskip("pxr")


@pytest.fixture(scope="module")
def told(examples, tmp_path_factory):
    from pxr import Usd

    from scenes.optics import looking_down

    scene = Scene.read(examples / "inspector.scene.yaml")
    product = FAMILY.product(scene)
    state = FAMILY.simulate(product, FAMILY.process(product, {}), np.random.default_rng(3))
    geometry = FAMILY.geometry(product, state, Look())
    box = FAMILY.box(product)
    furniture = furnish(scene, box, geometry.slab.thickness)
    camera = looking_down("top", (0.02, 0.015), 30e-6, 1400, 1000)
    contents = contents_of(scene, geometry, {}, {"aoi": views_of([camera], "rgb")}, **vars(furniture))
    root = write(contents, tmp_path_factory.mktemp("stage"))
    placed = line_layout(scene, board_of(box, geometry.slab.thickness))
    return Usd.Stage.Open(str(root)), placed, furniture, box, geometry.slab.thickness


def matrix(prim):
    from pxr import Usd, UsdGeom

    return np.array(UsdGeom.Xformable(prim).ComputeLocalToWorldTransform(Usd.TimeCode.Default())).T


def test_stations_and_conveyors_stand_where_the_layout_has_them(told):
    stage, placed, *_ = told
    for item in placed:
        name = item.path.rsplit("/", 1)[-1]
        path = f"/World/Demo/SMT/Line_1/{name}/Machine" if item.station else f"/World/Demo/SMT/Line_1/Equipment/{name}"
        prim = stage.GetPrimAtPath(path)
        assert prim, path
        assert matrix(prim) == pytest.approx(item.pose, abs=1e-12)
        assert prim.GetAttribute("semantics:labels:class").Get() == [item.label]


def test_meshes_are_the_machines(told):
    """Every triangle of a machine, drawn through USD's own instancing, is where the layout's mesh has it."""
    from pxr import Usd, UsdGeom

    stage, placed, *_ = told
    item = next(p for p in placed if p.station == "aoi")
    found = []
    for prim in Usd.PrimRange(stage.GetPrimAtPath("/World/Demo/SMT/Line_1/aoi/Machine"), Usd.TraverseInstanceProxies()):
        if prim.IsA(UsdGeom.Mesh):
            mesh = UsdGeom.Mesh(prim)
            corners = np.array(mesh.GetPointsAttr().Get())[np.array(mesh.GetFaceVertexIndicesAttr().Get())]
            found.append((np.column_stack([corners, np.ones(len(corners))]) @ matrix(prim).T)[:, :3])
    known = np.concatenate([s.points[s.faces.ravel()] + np.array(b.origin) + item.pose[:3, 3]
                            for b in item.machine.bodies for s in b.shapes])
    found = np.concatenate(found)
    assert len(found) == len(known)
    for axis in range(3):
        assert np.sort(found[:, axis]) == pytest.approx(np.sort(known[:, axis]), abs=2e-6)


def test_joints_hold_bodies_where_they_are(told):
    """The two frames of a joint coincide at rest, its limits are the machine's, a carried body hangs on its carrier."""
    from pxr import UsdPhysics

    stage, placed, *_ = told
    count = 0
    for item in placed:
        name = item.path.rsplit("/", 1)[-1]
        root = f"/World/Demo/SMT/Line_1/{name}/Machine" if item.station else f"/World/Demo/SMT/Line_1/Equipment/{name}"
        for body in item.machine.bodies:
            prim = stage.GetPrimAtPath(f"{root}/{body.name}")
            assert prim.HasAPI(UsdPhysics.RigidBodyAPI) == (body.joint is not None)
            if body.joint is None:
                continue
            assert UsdPhysics.RigidBodyAPI(prim).GetKinematicEnabledAttr().Get() is True
            assert UsdPhysics.MassAPI(prim).GetMassAttr().Get() == pytest.approx(body.mass, rel=1e-6)
            joint = UsdPhysics.Joint(prim.GetChild("Joint"))
            (first,), (second,) = joint.GetBody0Rel().GetTargets(), joint.GetBody1Rel().GetTargets()
            assert first == (f"{root}/{body.joint.carrier}" if body.joint.carrier else root)
            assert second == prim.GetPath()
            ends = [matrix(stage.GetPrimAtPath(p)) @ [*at.Get(), 1] for p, at in
                    ((first, joint.GetLocalPos0Attr()), (second, joint.GetLocalPos1Attr()))]
            assert ends[0] == pytest.approx(ends[1], abs=1e-6)
            kind = UsdPhysics.PrismaticJoint if body.joint.kind == "prismatic" else UsdPhysics.RevoluteJoint
            made = kind(joint.GetPrim())
            assert made.GetAxisAttr().Get() == body.joint.axis.upper()
            if body.joint.kind == "prismatic":
                assert made.GetLowerLimitAttr().Get() == pytest.approx(body.joint.lower, abs=1e-6)
                assert made.GetUpperLimitAttr().Get() == pytest.approx(body.joint.upper, abs=1e-6)
            count += 1
    assert count > 150


def test_machines_with_one_name_stand_side_by_side(examples, tmp_path):
    """A station called unloader has a conveyor as the line's end has one; a robot may be called loader."""
    from scenes.usd.write import layers

    (tmp_path / "arm.urdf").write_text('<robot name="a"><link name="b"><visual><geometry><box size="1 1 1"/></geometry></visual>'
                                       "</link></robot>")
    text = (examples / "inspector.scene.yaml").read_text().replace("boards/inspector", f"{examples}/boards/inspector")
    text = text.replace("id: aoi", "id: unloader") + "\nequipment: [{id: loader, model: arm.urdf}]\n"
    scene = Scene.parse(text, tmp_path / "scene.yaml", tmp_path)
    found = furnish(scene, (0.0, 0.0, 0.08, 0.05), 0.0016)
    names = [node.name for node in found.equipment]
    assert names[0] == "loader" and names[-2:] == ["unloader", "loader_2"]
    assert [n for n in names if n.startswith("conveyor_unloader")] == ["conveyor_unloader", "conveyor_unloader_2"]
    contents = replace(tiny(), equipment=found.equipment, prototypes=found.prototypes,
                       materials=(*tiny().materials, *found.materials))
    layer = layers(contents)["equipment.usda"]
    assert sorted(layer.GetPrimAtPath("/World/A/B/Equipment").nameChildren.keys()) == sorted(names)


def test_what_repeats_is_shared(told):
    stage, _, furniture, *_ = told
    drawn = sum(len(p.points) for n in furniture.prototypes for p in n.pieces)
    assert len(furniture.prototypes) > 10 and drawn > 0
    reels = [p for p in stage.Traverse() if p.GetName() == "Shape" and p.GetParent().GetName().startswith("reel_")]
    assert len(reels) > 40 and all(p.IsInstance() for p in reels)
    assert len({str(p.GetPrototype().GetPath()) for p in reels}) <= 8


def test_panes_are_transparent_and_nothing_glows(told):
    from pxr import UsdShade

    stage, *_ = told
    glass = UsdShade.Shader(stage.GetPrimAtPath("/World/Looks/equipment_glass_clear/Surface"))
    assert glass.GetInput("opacity").Get() == pytest.approx(0.10)
    for prim in stage.GetPrimAtPath("/World/Looks").GetChildren():
        shader = UsdShade.Shader(prim.GetChild("Surface"))
        assert not shader.GetInput("emissiveColor")        # light in a stage is its lamps' alone


def test_the_unit_lies_on_the_belts_under_its_camera(told):
    stage, placed, _, box, thickness = told
    bench = matrix(stage.GetPrimAtPath("/World/Demo/SMT/Line_1/aoi/Bench"))
    underside = bench @ [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, -thickness, 1]
    item = next(p for p in placed if p.station == "aoi")
    assert underside == pytest.approx(item.pose @ [*item.machine.stop, 1], abs=1e-9)
    assert underside[2] == pytest.approx(0.95)
