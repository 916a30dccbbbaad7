"""The native path: TwinWriter fed by hand, and the example script whole against the stand-in of Isaac Sim, in a real child.

What this shows is that names, keywords, order and files are as written down, and that labels come through. It does not show
that Isaac Sim takes them: that has not been run.
"""
from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from generators.dataset import Dataset
from generators.exports import payload
from generators.imports import import_folder
from scenes.geometry import BOARD_ID
from scenes.optics import Lighting, Look

ROOT = Path(__file__).resolve().parents[2]
NATIVE = "generators.render.isaac.native"
STANDIN = ROOT / "tests" / "standin"


@pytest.fixture
def twin_writer(monkeypatch):
    """The module, imported over a stub of the two names that it takes from Replicator."""
    class Writer:
        pass

    annotators = types.SimpleNamespace(get=lambda name, init_params=None: name)
    core = {"Writer": Writer, "annotators": annotators}
    for name, values in (("omni", {}), ("omni.replicator", {}), ("omni.replicator.core", core)):
        module = types.ModuleType(name)
        module.__dict__.update(values)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(sys.modules["omni.replicator"], "core", sys.modules["omni.replicator.core"], raising=False)
    monkeypatch.delitem(sys.modules, f"{NATIVE}.twin_writer", raising=False)
    module = importlib.import_module(f"{NATIVE}.twin_writer")
    yield module
    sys.modules.pop(f"{NATIVE}.twin_writer", None)


# ------------------------------------------------------------------------------------------------ ids

@given(st.lists(st.integers(0, (1 << 24) - 1), min_size=1, max_size=64))
def test_colours_hold_every_label_id(values):
    """A picture of colours says the same as its ids, and its text keys are the colours of its pixels."""
    module = _module_without_replicator()
    ids = np.array(values, np.uint32)[None]
    shown = module.colors(ids)
    assert np.array_equal(shown[..., 0] | shown[..., 1].astype(np.uint32) << 8 | shown[..., 2].astype(np.uint32) << 16, ids)
    assert np.array_equal(shown[..., 3], np.where(ids > 0, 255, 0))
    assert all(module.color(int(i)) == str(tuple(int(c) for c in p)) for i, p in zip(ids[0], shown[0], strict=True) if i)


def _module_without_replicator():
    """The pure functions of twin_writer, for hypothesis: their source without the two imports of Replicator."""
    if "twin_writer_pure" not in sys.modules:
        text = (ROOT / NATIVE.replace(".", "/") / "twin_writer.py").read_text()
        module = types.ModuleType("twin_writer_pure")
        lines = [line for line in text.splitlines() if "omni.replicator" not in line or not line.startswith(("import", "from"))]
        module.__dict__["Writer"] = object
        sys.modules["twin_writer_pure"] = module
        exec(compile("\n".join(lines), "twin_writer_pure", "exec"), module.__dict__)
    return sys.modules["twin_writer_pure"]


def test_meshes_become_things():
    """A leaf belongs to the nearest prim above it with a label id. Machines are background; a product's parts without an id, and
    pixels of no prim, are errors."""
    things = _module_without_replicator().things
    known = {"/W/Board": (1, {"class": "board"}), "/W/Parts/U3": (7, {"class": "component"}), "/W/Parts/U3/Mark": (9, {})}
    names = {"0": "BACKGROUND", "1": "UNLABELLED", 2: "/W/Parts/U3/body", "3": "/W/Parts/U3/Mark/ink", 4: "/W/Board/top",
             "5": "/W/Machine/hood/lamp", 6: "/W/Parts/U31/body"}
    ids, seen = things(np.array([[0, 1, 2, 3, 4, 5]], np.uint32), names, known, ("/W/Parts", "/W/Board"))
    assert ids.tolist() == [[0, 0, 7, 9, 1, 0]]
    assert seen == {7: "/W/Parts/U3", 9: "/W/Parts/U3/Mark", 1: "/W/Board"}
    for strange, word in ((6, "/W/Parts/U31/body"), (77, "id 77")):
        with pytest.raises(ValueError, match=word):
            things(np.array([[2, strange]], np.uint32), names, known, ("/W/Parts",))
    with pytest.raises(ValueError, match="coloured"):
        things(np.zeros((2, 2, 4), np.uint8), names, known, ("/W/Parts",))


# ------------------------------------------------------------------------------------------------ by hand, from gl

@pytest.fixture(scope="module")
def told(examples):
    """Two units of the shipped board, one healthy and one placed badly, with their stage's contents."""
    from domain_randomization.portrait import healthy_state
    from domain_randomization.recipe import Frames, Recipe
    from domain_randomization.sampling import Context
    from domain_randomization.stage import contents
    from scenes.scene import Scene

    scene = Scene.read(examples / "inspector.scene.yaml")
    with Context(scene, Recipe(scene=scene.path, count=1, frames=Frames(pixel_um=150))) as context:
        family, product = context.family, context.product
        shifted = family.simulate(product, family.process(product, {"placement.offset_um": 160.0}), np.random.default_rng(3))
        states = {"healthy": healthy_state(context), "shifted": shifted}
        geometry = {name: family.geometry(product, state, Look()) for name, state in states.items()}
        return contents(context, states={"shifted": shifted}, textures=False, machines=False), geometry, context.cameras[0]


def test_twin_writer_and_importer_keep_gls_masks(gl, twin_writer, told, tmp_path):
    """gl's buffers as Replicator would hand them over → TwinWriter's files → import: every mask, class and name is gl's."""
    _, geometry, camera = told
    unit = geometry["healthy"]
    parts = {int(i) for g in unit.instances for i in g.instance}
    joints = {int(i) for i in np.unique(unit.soup.instance)}
    ids = sorted({BOARD_ID} | parts | joints)
    kind = {BOARD_ID: "board"} | dict.fromkeys(joints, "joint") | dict.fromkeys(parts, "component")
    prims = {i: payload.Prim(f"/World/L/aoi/Bench/Product/Things/id_{i}", {"class": kind[i], "reference": f"T{i}"}) for i in ids}
    buffers = gl.render(unit, camera, Lighting(dome=(1.0, 1.0, 1.0)), Look(), outputs={"rgb", "depth", "instance"})
    data = payload.render_product(buffers, unit, camera, prims, gl.silhouettes(unit, camera, ids))
    writer = twin_writer.TwinWriter(str(tmp_path / "twin"), {p.path: (i, p.labels) for i, p in prims.items()},
                                    ("/World/L/aoi/Bench/Product",))
    writer.write({"renderProducts": {"aoi_top": data}})
    report = import_folder(tmp_path / "twin", tmp_path / "dataset")
    seen = set(np.unique(buffers.instance).tolist()) - {0}
    assert report.instances == len(seen) > 100
    with Dataset.read(tmp_path / "dataset") as dataset:
        row, = dataset.rows()
        assert np.array_equal(row.rgb(0), buffers.rgb)
        assert np.array_equal(row.label("depth"), buffers.depth)
        for thing in row.instances:
            instance = int(thing.component[1:])
            assert thing.category == prims[instance].labels["class"]
            assert np.array_equal(thing.visible(), buffers.instance == instance)
        told_camera = row.frames[0].looking()
        points = np.array([[0.0, 0.0, 0.0], [0.03, 0.02, 0.001], [0.01, 0.025, 0.0]])
        assert told_camera.project(points) == pytest.approx(camera.project(points), abs=1e-3)


def test_a_pixel_that_nobody_knows_is_kept_as_the_failure(gl, twin_writer, told, tmp_path):
    _, geometry, camera = told
    unit = geometry["healthy"]
    prims = {BOARD_ID: payload.Prim("/World/Unit/Board", {"class": "board"})}
    buffers = gl.render(unit, camera, Lighting(dome=(1.0, 1.0, 1.0)), Look(), outputs={"rgb", "depth", "instance"})
    data = payload.render_product(buffers, unit, camera, prims, gl.silhouettes(unit, camera, [BOARD_ID]))
    writer = twin_writer.TwinWriter(str(tmp_path / "twin"), {"/World/Unit/Board": (1, {"class": "board"})}, ("/World/Unit",))
    with pytest.raises(ValueError, match=r"without a label id: .*unshare"):
        writer.write({"renderProducts": {"aoi_top": data}})
    assert isinstance(writer.failure, ValueError)              # Replicator would have swallowed it
    with pytest.raises(ValueError, match="is not empty"):
        (tmp_path / "twin" / "rgb").mkdir()
        twin_writer.TwinWriter(str(tmp_path / "twin"), {}, ())


# ------------------------------------------------------------------------------------------------ the example, whole

def run_example(stage: Path, out: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """``examples/isaac/first_dataset.py`` with the stand-in in the place of Isaac Sim, as a process of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LINETWIN_", "PYTHON"))}
    return subprocess.run([sys.executable, "-P", ROOT / "examples/isaac/first_dataset.py", stage, out, *options],
                          capture_output=True, text=True, timeout=180, cwd=out.parent,
                          env=kept | {"PYTHONPATH": str(STANDIN), "OMNI_KIT_ACCEPT_EULA": "yes"} | environment)


@pytest.fixture(scope="module")
def made(told, tmp_path_factory):
    """Two frames, one per state of the unit, by all writers: (folder, calls of Replicator). The stand-in forgets the labels of
    instanced prims, as Replicator has done, and talks on standard output."""
    from scenes.usd import write

    folder = tmp_path_factory.mktemp("native")
    write(told[0], folder / "stage")
    calls = folder / "calls.jsonl"
    ended = run_example(folder / "stage" / "line.usda", folder / "raw", "--frames", "2", "--subframes", "1", "--writers",
                        "twin,basic,pose,kitti,coco", LINETWIN_STANDIN_CALLS=str(calls),
                        LINETWIN_STANDIN_FAULTS="no-instance-labels,int-keys,garbage")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 frames of 1 cameras" in ended.stdout
    return folder, [json.loads(line) for line in calls.read_text().splitlines()]


def test_labels_of_the_stand_in_are_gls(gl, told, made):
    """Per state of the unit: the colours of TwinWriter are gl's label ids, away from edges, and the same things are seen."""
    _, geometry, camera = told
    for frame, state in enumerate(("healthy", "shifted")):     # the example goes through states by name
        path = made[0] / f"raw/twin/aoi_Camera_top/instance_segmentation/instance_segmentation_{frame:04d}.png"
        shown = np.asarray(Image.open(path)).astype(np.uint32)
        theirs = shown[..., 0] | shown[..., 1] << 8 | shown[..., 2] << 16
        ours = gl.render(geometry[state], camera, Lighting(dome=(1.0, 1.0, 1.0)), Look(), outputs={"instance"}).instance
        inner = ndimage.minimum_filter(ours, 3) == ndimage.maximum_filter(ours, 3)
        inner &= ours > BOARD_ID               # holes of the board are artwork, which a stage does not cut
        assert inner.sum() > 1500
        assert (theirs[inner] == ours[inner]).mean() > 0.995
        large = {int(i) for i, n in zip(*np.unique(ours, return_counts=True), strict=True) if n >= 12}
        assert large - {0} <= set(np.unique(theirs).tolist())
    first, second = (np.asarray(Image.open(p)) for p in sorted(made[0].glob("raw/twin/*/instance_segmentation/*.png")))
    assert not np.array_equal(first, second)   # the state did change


def test_import_takes_it(made, tmp_path):
    report = import_folder(made[0] / "raw" / "twin", tmp_path / "dataset")
    assert (report.samples, report.frames) == (2, 2)
    assert report.categories["board"] == 2 and report.categories["component"] > 100 and report.categories["joint"] > 300
    with Dataset.read(tmp_path / "dataset") as dataset:
        names = [{i.component for i in row.instances if i.category == "component"} for row in dataset.rows()]
        assert "U1" in names[0] & names[1]     # the reference designator is the thing's name
        assert all(20 < row.rgb(0).mean() < 200 for row in dataset.rows())        # neither black nor white


def test_calls_are_in_order_and_known(made):
    """The capture contract; what is used of recalled confidence is what docs/isaac.md lists."""
    calls = made[1]
    names = [c["name"].removeprefix("omni.replicator.core.") for c in calls]
    order = ["orchestrator.set_capture_on_play", "set_global_seed", "create.render_product", "Writer.attach", "orchestrator.step",
             "orchestrator.wait_until_complete", "Writer.detach", "create.RenderProduct.destroy", "isaacsim.SimulationApp.close"]
    places = [names.index(n) for n in order]
    assert places == sorted(places)
    last_step = max(k for k, n in enumerate(names) if n == "orchestrator.step")
    assert last_step < names.index("orchestrator.wait_until_complete")
    recalled = {n for n, c in zip(names, calls, strict=True) if c["confidence"] == "recalled"}
    told = (ROOT / "docs" / "isaac.md").read_text(encoding="utf-8")
    assert all(f"`{n}`" in told for n in recalled), recalled


def test_writers_are_told_the_classes(made):
    given = json.loads((made[0] / "raw/coco/given.json").read_text())["coco_categories"]
    assert set(given) >= {"board", "component", "joint"}
    assert sorted(c["id"] for c in given.values()) == list(range(1, len(given) + 1))
    assert len({tuple(c["color"]) for c in given.values()}) == len(given)


def test_the_example_ends_clearly(made, tmp_path):
    """A wrong file, station or writer: status 1 or 2 and one line on standard error."""
    stage = made[0] / "stage" / "line.usda"
    for arguments, status, words in (((tmp_path / "no.usda", tmp_path / "a"), 2, "no such file"),
                                     ((stage, tmp_path / "b", "--station", "oven"), 1, "no camera for 'rgb' at station 'oven'"),
                                     ((stage, tmp_path / "c", "--writers", "voc"), 1, "writer 'voc': unknown; there are: twin")):
        ended = run_example(*arguments)
        assert ended.returncode == status and words in ended.stderr and len(ended.stderr.strip().splitlines()) == 1
