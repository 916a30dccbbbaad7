"""What is kept beside a stage: all that the scene names and nothing else, and never at the cost of what is there."""
from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from test_usd_edits import SCENE, tiny

from scenes.cad import load_mesh, load_urdf
from scenes.errors import AssetError, SceneError, StorageError
from scenes.scene import Scene
from scenes.usd.authored import keep, refuse, write_kept
from scenes.usd.write import write

pytest.importorskip("pxr")


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "b.kicad_pcb").write_text("(kicad_pcb)")
    (tmp_path / "scene.yaml").write_text(SCENE)
    return tmp_path / "scene.yaml"


def _files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _triangle(folder: Path, buffer: str) -> bytes:
    """A glTF of one triangle; its numbers lie in a file of their own."""
    import numpy as np

    data = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32).tobytes()
    (folder / buffer).parent.mkdir(parents=True, exist_ok=True)
    (folder / buffer).write_bytes(data)
    view = {"buffer": 0, "byteOffset": 0, "byteLength": 36}
    points = {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 0]}
    return json.dumps({"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
                       "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}], "accessors": [points],
                       "bufferViews": [view], "buffers": [{"uri": buffer, "byteLength": 36}]}).encode()


def test_a_stage_is_not_written_over_itself(scene: Path, tmp_path: Path) -> None:
    """Its board lies in the folder that would be replaced: nothing is lost, because nothing is done."""
    out = tmp_path / "stage"
    root = write_kept(tiny(), out, Scene.read(scene))
    before = _files(out)
    for again in (lambda: write_kept(tiny(), out, Scene.read(root)), lambda: keep(root, Scene.read(root)),
                  lambda: refuse(out, Scene.read(root)), lambda: refuse(out, Scene.read(out / "authored" / "scene.yaml"))):
        with pytest.raises(SceneError, match="which writing there replaces; choose another folder") as error:
            again()
        assert "\n" not in str(error.value)
    with pytest.raises(SceneError, match="belongs to the stage"):
        write_kept(tiny(), out / "authored", Scene.read(root))
    assert _files(out) == before
    assert Scene.read(root).digest() == Scene.read(scene).digest()
    # the scene itself may be written there again, and a copy of the stage elsewhere
    write_kept(tiny(), out, Scene.read(scene))
    assert _files(out) == before
    write_kept(tiny(), tmp_path / "other", Scene.read(root))
    assert Scene.read(tmp_path / "other" / "line.usda").digest() == Scene.read(scene).digest()


def test_a_folder_authored_that_is_not_ours_stays(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "authored").mkdir(parents=True)
    (out / "authored" / "novel.txt").write_text("chapter 1")
    for write_it in (lambda: write_kept(tiny(), out, Scene.read(scene)), lambda: keep(out / "line.usda", Scene.read(scene))):
        with pytest.raises(StorageError, match="came with no stage of ours"):
            write_it()
    assert _files(out) == {"authored/novel.txt": b"chapter 1"}
    shutil.rmtree(out / "authored")
    shutil.copytree(write_kept(tiny(), tmp_path / "other", Scene.read(scene)).parent / "authored", tmp_path / "mine")
    (out / "authored").symlink_to(tmp_path / "mine")
    with pytest.raises(StorageError, match="came with no stage of ours"):
        write_kept(tiny(), out, Scene.read(scene))
    assert (tmp_path / "mine" / "boards" / "b.kicad_pcb").is_file()


def test_a_scene_that_cannot_be_gathered_leaves_the_stage_as_it_was(scene: Path, tmp_path: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "stage"
    write_kept(tiny(), out, Scene.read(scene))
    before = _files(out)
    told = Scene.read(scene)
    monkeypatch.setattr("scenes.usd.gathered.FILES_MOST", 3)
    with pytest.raises(SceneError, match="over 0 MiB"):
        write_kept(tiny(), out, told)
    (tmp_path / "boards" / "b.kicad_pcb").unlink()
    with pytest.raises(AssetError, match=r"b\.kicad_pcb: no such file"):
        write_kept(tiny(), out, told)
    assert _files(out) == before
    (out / "authored.new").mkdir()
    with pytest.raises(StorageError, match="left of a run that was interrupted"):
        write_kept(tiny(), out, told)


def test_files_of_one_name_from_two_folders_are_both_there(tmp_path: Path) -> None:
    for name, text in (("a/parts.csv", "CENTROID"), ("b/parts.csv", "BOM"), ("s/b.kicad_pcb", "(kicad_pcb)"),
                       ("s/files/0/rules.yaml", "RULES")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    product = "{board: b.kicad_pcb, centroid: ../a/parts.csv, bom: ../b/parts.csv, acceptance: files/0/rules.yaml}"
    (tmp_path / "s" / "scene.yaml").write_text(SCENE.replace("{family: smt, board: boards/b.kicad_pcb}", product))
    root = write_kept(tiny(), tmp_path / "stage", Scene.read(tmp_path / "s" / "scene.yaml"))
    kept = _files(root.parent / "authored")
    told = yaml.safe_load(kept["scene.yaml"])["product"]
    assert {k: kept[v] for k, v in told.items()} == {
        "board": b"(kicad_pcb)", "centroid": b"CENTROID", "bom": b"BOM", "acceptance": b"RULES"}
    assert told["board"] == "b.kicad_pcb" and told["acceptance"] == "files/0/rules.yaml"       # these kept their places
    read = Scene.read(root).product
    assert read.centroid is not None and read.centroid.read_text() == "CENTROID"


def test_of_a_machine_only_its_model_and_what_that_names_are_kept(scene: Path, tmp_path: Path) -> None:
    for name in (".env", "secrets/key.pem", "robots/.git/config", "robots/notes.txt", "far/unrelated.glb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("secret")
    (tmp_path / "desk.gltf").write_bytes(_triangle(tmp_path, "desk data.bin"))
    (tmp_path / "robots" / "arm.gltf").write_bytes(_triangle(tmp_path / "robots", "data/arm.bin"))
    (tmp_path / "far" / "meshes").mkdir()
    (tmp_path / "far" / "meshes" / "leg.gltf").write_bytes(_triangle(tmp_path / "far" / "meshes", "leg.bin"))
    (tmp_path / "far" / "urdf").mkdir()
    (tmp_path / "far" / "urdf" / "walker.urdf").write_text(
        "<robot name='w'><link name='a'><visual><geometry><mesh filename='../meshes/leg.gltf'/></geometry></visual></link>"
        "</robot>")
    (tmp_path / "robots" / "arm.urdf").write_text(
        "<robot name='r'><link name='a'><visual><geometry><mesh filename='package://robots/arm.gltf'/></geometry></visual>"
        "</link></robot>")
    (tmp_path / "near").mkdir()
    shutil.move(tmp_path / "boards", tmp_path / "near" / "boards")
    for name in ("desk.gltf", "desk data.bin", "robots", "far"):
        shutil.move(tmp_path / name, tmp_path / "near" / name)
    (tmp_path / "near" / "scene.yaml").write_text(SCENE + (
        "equipment:\n  - {id: desk, model: desk.gltf}\n  - {id: arm, model: robots/arm.urdf}\n"
        f"  - {{id: walker, model: {tmp_path}/near/far/urdf/walker.urdf}}\n"))
    root = write_kept(tiny(), tmp_path / "stage", Scene.read(tmp_path / "near" / "scene.yaml"))
    assert {n for n in _files(root.parent / "authored") if not n.endswith((".usda", ".usdc"))} == {
        "scene.yaml", "boards/b.kicad_pcb", "desk.gltf", "desk data.bin", "robots/arm.urdf", "robots/robots/arm.gltf",
        "robots/robots/data/arm.bin", "files/0/urdf/walker.urdf", "files/0/meshes/leg.gltf", "files/0/meshes/leg.bin"}
    folder = root.parent
    desk, arm, walker = (e.model for e in Scene.read(root).equipment)
    assert len(load_mesh(desk, [folder]).faces) == len(load_urdf(arm, [folder, arm.parent]).faces) == 1
    assert len(load_urdf(walker, [folder, walker.parent.parent]).faces) == 1


@pytest.mark.parametrize(("model", "named"), [
    ("a.gltf", '{"buffers": [{"uri": "/etc/passwd"}]}'), ("a.gltf", '{"images": [{"uri": "../../x.png"}]}'), ("a.gltf", "{"),
    ("a.urdf", "<robot><link name='a'><visual><geometry><mesh filename='file:///etc/x.glb'/></geometry></visual></link></robot>"),
])
def test_a_model_that_names_what_is_elsewhere_is_refused(model: str, named: str, scene: Path, tmp_path: Path) -> None:
    (tmp_path / model).write_text(named)
    scene.write_text(SCENE + f"equipment: [{{id: a, model: {model}}}]\n")
    with pytest.raises(AssetError) as error:
        write_kept(tiny(), tmp_path / "stage", Scene.read(scene))
    assert "\n" not in str(error.value) and not _files(tmp_path / "stage")


@pytest.mark.parametrize(("section", "told"), [
    (r'product: {board: "a\0b"}', "a NUL in it"),
    ("product: {board: " + "x" * 5000 + "}", "is no path"),
    ("product: {board: ../../../../../../../..}", "lies outside"),
    ("product: {board: b.kicad_pcb, models: [/]}", "lies outside"),
    ("product: {board: [1, 2]}", "product.board"),
    ("product: {board: b.kicad_pcb}\nequipment: [{id: a, model: ../x.step}]", "lies outside"),
    ("product: {board: b.kicad_pcb}\nequipment: 7", "equipment"),
])
def test_a_kept_scene_names_nothing_outside(section: str, told: str, scene: Path, tmp_path: Path) -> None:
    root = keep_at(scene, tmp_path / "stage")
    text = SCENE.replace("product: {family: smt, board: boards/b.kicad_pcb}", section)
    (root.parent / "authored" / "scene.yaml").write_text(text)
    with pytest.raises((SceneError, AssetError), match=told) as error:
        Scene.read(root)
    assert "\n" not in str(error.value) and len(str(error.value)) < 800


def keep_at(scene: Path, folder: Path) -> Path:
    root = write(tiny(), folder)
    keep(root, Scene.read(scene))
    return root
