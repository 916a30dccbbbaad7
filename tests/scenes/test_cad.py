"""CAD files: dimensions of real models, closed forms for made ones, and nothing read outside the roots."""
from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
import trimesh

from scenes.board.model import Board, Component, Model3D
from scenes.cad import check_models, find_model, load_mesh, load_urdf
from scenes.errors import AssetError


@pytest.fixture
def box(tmp_path):
    """A glTF of a box of 1 × 2 × 3 mm with its buffer beside it, in ``tmp/in``."""
    folder = tmp_path / "in"
    folder.mkdir()
    mesh = trimesh.creation.box([1e-3, 2e-3, 3e-3])
    for name, data in trimesh.exchange.gltf.export_gltf(trimesh.Scene(mesh)).items():
        (folder / name).write_bytes(data)
    (folder / "box.glb").write_bytes(trimesh.exchange.gltf.export_glb(trimesh.Scene(mesh)))
    return folder / "model.gltf"


@pytest.mark.boards
@pytest.mark.parametrize(("name", "size"), [("R_0402_1005Metric", (1.0, 0.5, 0.35)), ("C_0603_1608Metric", (1.6, 0.8, 0.8))])
def test_a_step_file_comes_in_metres_with_its_nominal_size(boards, name, size):
    folder = boards / "esp32_poe" / "packages3D"
    mesh = load_mesh(folder / f"{name}.step", [folder])
    assert mesh.extents == pytest.approx(np.array(size) * 1e-3, abs=1e-6)
    assert np.array_equal(mesh.vertices, load_mesh(folder / f"{name}.step", [boards]).vertices)


@pytest.mark.boards
def test_a_step_file_that_is_cut_off_or_garbled_is_one_line(boards, tmp_path, capfd):
    text = (boards / "esp32_poe" / "packages3D" / "R_0402_1005Metric.step").read_bytes()
    broken = {"cut.step": text[:len(text) // 2], "mangled.stp": text.replace(b"CLOSED_SHELL", b"CLOSED(SHELL"),
              "empty.step": b"", "text.step": b"hello\n",
              "hollow.step": b"ISO-10303-21;\nHEADER;\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n"}
    for name, data in broken.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(AssetError, match=rf"{name}: .*; .*") as caught:
            load_mesh(tmp_path / name, [tmp_path])
        assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")                       # the C++ library keeps quiet


def test_gltf_and_glb_keep_their_metres(box):
    for path in (box, box.with_name("box.glb")):
        assert load_mesh(path, [box.parent]).extents == pytest.approx([1e-3, 2e-3, 3e-3])
    assert load_mesh(box, [box.parent]).volume == pytest.approx(6e-9)


def test_a_file_outside_the_roots_is_refused_through_links_too(box, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(AssetError, match="outside the allowed folders"):
        load_mesh(box, [other])
    with pytest.raises(AssetError, match="outside the allowed folders"):
        load_mesh(other / ".." / "in" / "box.glb", [other])
    (other / "link.glb").symlink_to(box.with_name("box.glb"))
    with pytest.raises(AssetError, match="outside the allowed folders"):
        load_mesh(other / "link.glb", [other])
    with pytest.raises(AssetError, match="no folder at all"):
        load_mesh(box, [])
    with pytest.raises(AssetError, match="no such file"):
        load_mesh(other / "none.glb", [other])


def test_a_gltf_cannot_name_a_file_outside_the_roots(box, tmp_path):
    (tmp_path / "secret.bin").write_bytes(b"x" * 1000)
    tree = json.loads(box.read_text())
    for uri in ("../secret.bin", "%2e%2e/secret.bin", str(tmp_path / "secret.bin")):
        tree["buffers"][0]["uri"] = uri
        box.write_text(json.dumps(tree))
        with pytest.raises(AssetError, match=r"secret\.bin: lies outside"):
            load_mesh(box, [box.parent])


def test_files_of_the_wrong_kind_or_size_are_refused(tmp_path, monkeypatch):
    broken = {"a.gltf": b"{", "b.gltf": b"[]", "c.glb": b"glTF", "d.gltf": b'{"asset":{"version":"2.0"},"meshes":[]}'}
    for name, data in broken.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(AssetError, match=name) as caught:
            load_mesh(tmp_path / name, [tmp_path])
        assert "\n" not in str(caught.value)
    with pytest.raises(AssetError, match=r"'\.stl' is not read"):
        load_mesh(tmp_path / "x.stl", [tmp_path])
    with (tmp_path / "big.glb").open("wb") as file:
        file.truncate(65 * 2 ** 20)
    with pytest.raises(AssetError, match="simplify"):
        load_mesh(tmp_path / "big.glb", [tmp_path])


URDF = """<robot name="arm">
  <link name="base"><visual><geometry><box size="2 1 0.5"/></geometry></visual></link>
  <link name="post"><visual><origin xyz="0 0 1"/><geometry><cylinder radius="0.1" length="2"/></geometry></visual></link>
  <link name="hand"><visual><geometry><mesh filename="{mesh}" scale="1000 1000 1000"/></geometry></visual></link>
  <joint name="a" type="fixed"><parent link="base"/><child link="post"/><origin xyz="0.5 0 0.25"/></joint>
  <joint name="b" type="revolute"><parent link="post"/><child link="hand"/>
    <origin xyz="0 0 2" rpy="0 1.5707963267948966 0"/></joint>
</robot>"""


def test_a_urdf_stands_in_its_zero_position(box):
    path = box.with_name("arm.urdf")
    for name in ("box.glb", "package://anything/box.glb"):
        path.write_text(URDF.format(mesh=name))
        mesh = load_urdf(path, [box.parent])
        # The hand, 1 × 2 × 3 m, is turned by 90° about y: 3 m along x, 1 m along z, its middle at (0.5, 0, 2.25).
        assert mesh.bounds == pytest.approx(np.array([[-1.0, -1.0, -0.25], [2.0, 1.0, 2.75]]))
        assert mesh.volume == pytest.approx(1.0 + math.pi * 0.01 * 2 + 6.0, rel=1e-3)


@pytest.mark.parametrize(("text", "message"), [
    ("<robot>", "not well-formed"),
    ('<!DOCTYPE x [<!ENTITY a "b">]><robot/>', "document type"),
    ("<machine/>", "starts with <robot>"),
    ("<robot><link name='a'/></robot>", "no link has a <visual>"),
    ("<robot><link name='a'/><joint name='j'><parent link='a'/><child link='b'/></joint></robot>", "link 'b', which is not"),
    ("<robot><link name='a'/><joint name='j'><parent link='a'/><child link='a'/></joint></robot>", "form a loop"),
    ("<robot><link name='a'><visual><geometry><box size='1 2'/></geometry></visual></link></robot>", "should be 3 numbers"),
    ("<robot><link name='a'><visual><geometry><mesh filename='../x.glb'/></geometry></visual></link></robot>", "outside the"),
    ("<robot><link name='a'><visual><geometry><mesh filename='package://p'/></geometry></visual></link></robot>", "not found"),
])
def test_a_urdf_that_makes_no_sense_is_one_line(tmp_path, text, message):
    path = tmp_path / "m.urdf"
    path.write_text(text)
    with pytest.raises(AssetError, match=message) as caught:
        load_urdf(path, [tmp_path])
    assert "\n" not in str(caught.value)


@pytest.fixture
def library(tmp_path):
    """A board's folder with one model, and a declared root with another."""
    for name in ("board/packages3D/own.STEP", "lib/Resistor_SMD.3dshapes/R_0402_1005Metric.step", "secret/x.step"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def test_models_are_found_by_name_in_the_boards_folder_and_the_roots(library):
    board, roots = library / "board" / "b.kicad_pcb", [library / "lib"]
    expected = library / "lib" / "Resistor_SMD.3dshapes" / "R_0402_1005Metric.step"
    for path in ("${KICAD6_3DMODEL_DIR}/Resistor_SMD.3dshapes/R_0402_1005Metric.wrl", "$(KISYS3DMOD)/x/R_0402_1005Metric.step",
                 "Resistors_SMD/R_0402_1005METRIC.wrl", "C:\\lib\\R_0402_1005Metric.stp", ":alias:R_0402_1005Metric.step"):
        assert find_model(path, roots, board_file=board) == expected
    assert find_model("${KIPRJMOD}/packages3D/own.step", roots, board_file=board) == library / "board" / "packages3D" / "own.STEP"
    assert find_model("${KICAD6_3DMODEL_DIR}/a/none.wrl", roots, board_file=board) is None
    assert find_model("/home/somebody/x.step", roots, board_file=board) is None        # there is no such file: nothing leaves
    assert find_model("../lib/Resistor_SMD.3dshapes/R_0402_1005Metric.step", roots, board_file=board) == expected


def test_a_model_path_that_escapes_is_an_error_with_file_and_place(library):
    model = Model3D("../secret/x.step")
    part = Component("U7", "", "X", 0, 0, 0, "front", (), models=(model,))
    board = Board("b", shapely.box(0, 0, 1, 1), 1e-3, (), (), (), (part,), (), str(library / "board" / "b.kicad_pcb"), "test")
    for path in ("../secret/x.step", "${KIPRJMOD}/../secret/x.step", "..\\secret\\x.step", str(library / "secret" / "x.step")):
        with pytest.raises(AssetError, match=r"b\.kicad_pcb: footprint U7: model path .* leaves .*; .*models") as caught:
            check_models(replace(board, components=(replace(part, models=(replace(model, path=path),)),)), [library / "lib"])
        assert "\n" not in str(caught.value)
    check_models(replace(board, components=()), [])


def test_a_link_in_a_root_that_leads_out_is_not_followed(library):
    (library / "lib" / "trap.step").symlink_to(library / "secret" / "x.step")
    assert find_model("trap.wrl", [library / "lib"]) is None
