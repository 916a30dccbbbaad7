"""Checking a stage: nothing is found in ours; each thing that a twin needs is missed when it is gone."""
from __future__ import annotations

import dataclasses
import shutil

import pytest
from stage_fixture import contents

from scenes.usd import write
from scenes.usd.check import ALLOWED, check_stage

pxr = pytest.importorskip("pxr")
BENCH = "/World/Demo/SMT/Line_1/aoi/Bench"


@pytest.fixture(scope="module")
def written(examples, tmp_path_factory):
    """Some of the parts and joints: enough to check, and quick."""
    told = contents(examples)

    def fewer(unit):
        parts = unit.parts[10:16]
        return dataclasses.replace(unit, parts=parts, solder=unit.solder[-8:],
                                   packages=tuple(p for p in unit.packages if p.name in {q.package for q in parts}))

    told = dataclasses.replace(told, unit=fewer(told.unit), states=tuple((n, fewer(u)) for n, u in told.states))
    return write(told, tmp_path_factory.mktemp("stage")).parent


@pytest.fixture
def folder(written, tmp_path):
    return shutil.copytree(written, tmp_path / "stage")


def test_nothing_is_found_in_ours(written):
    pytest.importorskip("usd_validation_nvidia")
    found = check_stage(written / "line.usda")
    assert found.errors == () and found.warnings == ()
    assert found.skipped == () and len(found.checkers) == 3


def test_no_exception_is_allowed():
    assert ALLOWED == ()


def own(folder, change):
    """What our own rules say after a change of the composed stage."""
    from pxr import Usd

    from scenes.usd.check import _own

    stage = Usd.Stage.Open(str(folder / "line.usda"))
    change(stage)
    return list(_own(stage, folder / "line.usda"))


@pytest.mark.parametrize(("path", "attribute", "message"), [
    (f"{BENCH}/Camera_top", "twin:width", "Camera_top: twin:width is missing"),
    (f"{BENCH}/Camera_top", "twin:spec", "Camera_top: twin:spec is missing"),
    (BENCH.removesuffix("/Bench"), "twin:path", "aoi: no twin:path"),
    ("/World", "twin:line", "/World: no twin:line"),
    (f"{BENCH}/Product/Board", "twin:instance", "no Board with twin:instance 1"),
])
def test_what_is_missing_is_told(folder, path, attribute, message):
    found = own(folder, lambda s: s.GetPrimAtPath(path).GetAttribute(attribute).Block())
    assert [line for line in found if message in line] and not [line for line in found if "\n" in line]


def test_labels_ids_and_materials(folder):
    from pxr import UsdGeom, UsdShade

    def change(stage):
        first, second, *_ = stage.GetPrimAtPath(f"{BENCH}/Product/Parts").GetChildren()
        first.GetAttribute("semantics:labels:class").Set([])
        second.GetAttribute("twin:instance").Set(first.GetAttribute("twin:instance").Get())
        UsdGeom.Mesh.Define(stage, f"{BENCH}/Product/Solder/bare")
        UsdShade.MaterialBindingAPI(stage.GetPrimAtPath(f"{BENCH}/Product/Board/fr4_board")).GetDirectBindingRel().SetTargets(
            ["/World/Looks/gone"])

    text = "\n".join(own(folder, change))
    for message in ("no label of the taxonomy 'class'", "is also", "bare: no twin:instance", "bare: no material",
                    "/World/Looks/gone is not in the stage"):
        assert message in text


def test_units(folder):
    from pxr import UsdGeom, UsdPhysics

    def change(stage):
        UsdGeom.SetStageMetersPerUnit(stage, 0.01)
        UsdGeom.SetStageUpAxis(stage, "Y")
        UsdPhysics.SetStageKilogramsPerUnit(stage, 0.001)

    text = "\n".join(own(folder, change))
    assert "metersPerUnit is 0.01" in text and "upAxis is Y" in text and "kilogramsPerUnit" in text


def test_a_missing_texture(folder):
    (folder / "textures" / "board_color.png").unlink()
    assert [line for line in own(folder, lambda s: None) if "board_color.png" in line]
