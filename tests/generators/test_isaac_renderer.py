"""Renderer ``isaac``: a real worker process on the strict stand-in for Isaac Sim. Proves what we call, not that it is taken."""
from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import render_scene as made
from scipy import ndimage

from generators.render import open_renderer
from generators.render.isaac import IsaacRenderer, exposure
from generators.render.isaac.arrays import taken
from generators.render.isaac.checks import check_frame
from generators.render.isaac.settings import from_environment
from generators.render.isaac.worker import replicator
from scenes.errors import BackendError, BackendUnavailable, InputError, StorageError
from scenes.geometry import PartKind, merge
from scenes.optics import Lighting, Look, Ring, looking_down

LIGHT = Lighting(rings=(Ring(0.2, 0.6, (0.5, 0.5, 0.5)),), dome=(0.4, 0.4, 0.4))
CAMERA = looking_down("top", (3e-3, 3e-3), 40e-6, 160, 128, roll=0.3)
STANDIN = Path(__file__).resolve().parent.parent / "standin"


@pytest.fixture(autouse=True)
def _logs_stay_here(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture(scope="module")
def board():
    return made.board(2)


@pytest.fixture
def start(isaac_environment, monkeypatch):
    """Opens the renderer with variables of the stand-in, and closes it."""
    opened = []

    def start(**variables: str) -> IsaacRenderer:
        if not isaac_environment:
            pytest.skip("LINETWIN_ISAAC_PYTHON is set: these tests are about the stand-in")
        for name, value in {**isaac_environment, **variables}.items():
            monkeypatch.setenv(name, value)
        opened.append(open_renderer("isaac"))
        return opened[-1]

    yield start
    for renderer in opened:
        renderer.close()


def agree(a, b):
    """Ids, parts, depth and normals of two pictures away from edges."""
    code = a.instance.astype(np.int64) * 16 + a.part
    inside = ndimage.maximum_filter(code, 3) == ndimage.minimum_filter(code, 3)
    assert inside.mean() > 0.4
    assert (a.instance == b.instance)[inside].mean() >= 0.999 and (a.part == b.part)[inside].mean() >= 0.998
    solid = inside & np.isfinite(a.depth) & np.isfinite(b.depth)
    assert np.array_equal(np.isinf(a.depth)[inside], np.isinf(b.depth)[inside])
    assert np.abs(a.depth[solid] / b.depth[solid] - 1).max() < 1e-4
    assert (np.abs(a.normal - b.normal)[solid].max(axis=-1) < 0.02).mean() >= 0.99
    assert set(np.unique(a.instance)) == set(np.unique(b.instance))


def test_labels_agree_with_gl_over_several_units(gl, start, board, tmp_path):
    """One product, six pictures: other units, cameras, lamps and looks, each by a delta; then the first one again."""
    calls = tmp_path / "calls"
    isaac = start(LINETWIN_STANDIN_CALLS=str(calls), LINETWIN_STANDIN_FAULTS="garbage,int-keys,no-instance-labels,no-data")
    assert "pixels are not repeatable" in isaac.build and isaac.name == "isaac"
    first = board.instances[0]
    bare = replace(board, instances=(replace(first, pose=first.pose[1:], instance=first.instance[1:], tint=first.tint[1:],
                                             marking=first.marking[1:]), *board.instances[1:]), decals=board.decals[:1],
                   soup=made.ball((2.5e-3, 2.2e-3, 0.3e-3), 0.3e-3, 9, part=PartKind.JOINT))
    bridged, balled = (replace(board, soup=merge([board.soup, made.ball((2.4e-3, 3e-3, 0.3e-3), size, 77, part=part)]))
                       for size, part in ((0.4e-3, PartKind.BRIDGE), (0.3e-3, PartKind.BALL)))
    near = replace(CAMERA, model="perspective", pixel_size=30e-6)
    red = Look(mask=(0.5, 0.0, 0.0))
    dome = Lighting(dome=(0.7, 0.7, 0.7))
    rounds = ((bridged, CAMERA, LIGHT, Look()), (board, CAMERA, LIGHT, Look()), (bare, CAMERA, LIGHT, Look()),
              (bare, near, dome, red), (board, CAMERA, LIGHT, Look()), (balled, CAMERA, LIGHT, Look()))
    seen = []
    for geometry, camera, lighting, look in rounds:
        ours = isaac.render(geometry, camera, lighting, look)
        agree(gl.render(geometry, camera, lighting, look), ours)
        seen.append(ours)
    first_seen, last_seen = seen.pop(0), seen.pop()            # id 77: a bridge, nothing, and a ball in its place
    assert {PartKind(p) for p in first_seen.part[first_seen.instance == 77]} == {PartKind.BRIDGE}
    assert {PartKind(p) for p in last_seen.part[last_seen.instance == 77]} == {PartKind.BALL}
    for name in ("instance", "part", "depth", "normal"):
        assert np.array_equal(getattr(seen[0], name), getattr(seen[3], name)), name
    assert np.abs(seen[0].rgb.astype(int) - seen[3].rgb).mean() < 5          # NVIDIA's own tolerance; the stand-in has no noise
    assert not np.array_equal(seen[1].instance, seen[0].instance) and np.abs(seen[2].rgb.astype(int) - seen[1].rgb).mean() > 5
    # the same board at a glance: gold is gold, lacquer is green
    gold, green = (seen[0].rgb[seen[0].part == kind].astype(int) for kind in (PartKind.PAD, PartKind.BOARD))
    assert gold[:, 0].mean() > gold[:, 2].mean() + 20 and np.median(green[:, 1] - green[:, 0]) > 0
    theirs = gl.render(board, CAMERA, LIGHT, Look()).rgb
    assert abs(theirs.astype(float).mean() - seen[0].rgb.mean()) < 12       # as bright, by the grey card
    isaac.close()
    called = [json.loads(line) for line in calls.read_text().splitlines()]
    core = {row["name"].removeprefix("omni.replicator.core.") for row in called if ".replicator." in row["name"]}
    objects = {name for name in core if ".Annotator." in name or ".RenderProduct." in name}
    assert core - objects == set(replicator.NAMES) and not replicator.RECALLED_NAMES
    assert not [row for row in called if "recalled" in row["confidence"]]
    assert [row["name"] for row in called][-1] == "isaacsim.SimulationApp.close"


def test_lands_and_holes_do_not_hang_on_depth(gl, start, board, monkeypatch):
    """From above, and tilted by 0.5 rad, where a side of the board is seen too. With a depth that is 1e-3 off, which the checks
    let pass, the labels are the same ones."""
    c, s = np.cos(0.5), np.sin(0.5)
    pose = np.array([[1, 0, 0, 0], [0, c, -s, 0], [0, s, c, 0], [0, 0, 0, 1.0]])
    pose[:3, 3] = np.array([2e-3, 1e-3, 0]) + 0.2 * pose[:3, 2]
    cameras = CAMERA, replace(CAMERA, pose=pose), replace(CAMERA, pose=pose, model="perspective")
    isaac = start()
    right = [isaac.render(board, camera, LIGHT, Look()) for camera in cameras]
    for camera, ours in zip(cameras, right, strict=True):
        agree(gl.render(board, camera, LIGHT, Look()), ours)
        assert (ours.part == PartKind.PAD).sum() > 500
        side = (ours.instance == 1) & (ours.normal @ camera.pose[2, :3] < 0.5)
        assert (side.sum() > 500) == (camera is not CAMERA) and (ours.part[side] == PartKind.BOARD).all()

    def off(*args):
        found = taken(*args)
        return found | {"depth": found["depth"] * np.float32(1.001)}

    monkeypatch.setattr("generators.render.isaac.renderer.arrays.taken", off)
    for camera, ours in zip(cameras, right, strict=True):
        wrong = isaac.render(board, camera, LIGHT, Look())
        solid = np.isfinite(ours.depth)
        assert (wrong.depth[solid] > ours.depth[solid] * 1.0005).all()
        assert np.array_equal(wrong.part, ours.part) and np.array_equal(wrong.instance, ours.instance)


def test_only_what_is_asked_for_and_nothing_that_cannot_be(start, board):
    isaac = start()
    found = isaac.render(board, CAMERA, LIGHT, Look(), outputs={"instance"})
    assert found.rgb is found.depth is found.normal is found.part is None and found.instance.dtype == np.uint32
    dark = isaac.render(board, CAMERA, Lighting(), Look(), outputs={"rgb"})        # lamps off: black is right
    assert int(dark.rgb[isaac.render(board, CAMERA, LIGHT, Look()).instance > 0].max()) <= 1
    with pytest.raises(InputError, match="thermal unknown"):
        isaac.render(board, CAMERA, LIGHT, Look(), outputs={"thermal"})
    again = isaac.render(board, CAMERA, LIGHT, Look(), outputs={"instance"})       # a bad question costs nothing
    assert np.array_equal(again.instance, found.instance)
    assert not list(isaac._worker.shared.glob("c*.npy")) and not list(isaac._worker.shared.glob("d*.npy"))
    assert len(list(isaac._worker.shared.glob("t*.png"))) <= 3
    isaac.close()
    with pytest.raises(BackendError, match="closed; open a new one"):
        isaac.render(board, CAMERA, LIGHT, Look())
    with pytest.raises(BackendError, match="closed; open a new one"):
        isaac.silhouettes(board, CAMERA, [1])


def test_another_product_and_many_edits(gl, start, board, monkeypatch):
    """Files of the product before go with it; a delta of many edits goes in several requests, and shows the same."""
    isaac = start()
    shared = isaac._worker.shared
    first = isaac.render(board, CAMERA, LIGHT, Look())
    assert not (shared / "card").exists()
    kept = sorted(p.name for p in shared.iterdir())
    monkeypatch.setattr("generators.render.isaac.renderer.EDITS_MOST", 3)
    asked, ask = [], isaac._worker.ask

    def counted(kind, **fields):
        asked.append((kind.__name__, len(fields.get("edits", ()))))
        return ask(kind, **fields)

    monkeypatch.setattr(isaac._worker, "ask", counted)
    again = isaac.render(replace(board, slab=made.slab()), CAMERA, LIGHT, Look())
    edits = [count for name, count in asked if name == "Delta"]
    assert len(edits) > 2 and set(edits[:-1]) == {3} and 0 < edits[-1] <= 3
    for name in ("instance", "part", "depth", "normal"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name
    left = sorted(p.name for p in shared.iterdir())
    assert len(left) == len(kept) and sum(name.startswith("stage-") for name in left) == 1
    assert not set(left) & set(kept) - {"worker.log"}


def test_a_full_disk_under_the_grey_card(start, monkeypatch):
    own = Path.write_text

    def full(path, *args, **options):
        if path.name == "card.usda":
            raise OSError(28, "No space left on device")
        return own(path, *args, **options)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(StorageError, match=r"cannot be written \(No space left on device\); free space there, or set TMPDIR"):
        start()


@pytest.mark.parametrize("version", ["5.0", "6.2"])
def test_both_generations(start, board, version):
    mode = "RaytracedLighting" if version == "5.0" else "PathTracing"
    isaac = start(LINETWIN_STANDIN_VERSION=version, LINETWIN_ISAAC_MODE=mode, LINETWIN_ISAAC_SUBFRAMES="2")
    assert {1, 2, 3} <= set(np.unique(isaac.render(board, CAMERA, LIGHT, Look()).instance))
    assert mode in isaac.build and "2 subframes" in isaac.build


@pytest.mark.parametrize(("fault", "says"), [
    ("exit55", r"extensions? .*extscache"), ("exit139", "segmentation fault"), ("no-gpu", "NVIDIA GPU with RT cores"),
    ("hang-start", "start: no answer in 4 s"),
])
def test_failures_of_the_start(start, fault, says):
    limit = {"LINETWIN_ISAAC_START_S": "4"} if fault == "hang-start" else {}
    with pytest.raises(BackendUnavailable, match=says) as caught:
        start(LINETWIN_STANDIN_FAULTS=fault, **limit)
    assert caught.value.exit_code == 3 and "\n" not in str(caught.value)


def test_licence_not_accepted(start, monkeypatch):
    with pytest.raises(BackendUnavailable, match=r"licence is not accepted.*OMNI_KIT_ACCEPT_EULA=yes"):
        start(OMNI_KIT_ACCEPT_EULA="no")


@pytest.mark.parametrize(("fault", "says"), [
    ("hang=5", "capture: no answer in 8 s, the worker was killed"), ("die=5", "capture: the worker was killed by SIGKILL"),
    ("exit139-step=5", "capture: Isaac Sim ended with a segmentation fault"),
    ("raise=5", "device lost.*drew nothing that can be used"),
])
def test_failures_of_a_picture(start, board, fault, says):
    """In the fifth step: the grey card takes some, then each picture one."""
    isaac = start(LINETWIN_STANDIN_FAULTS=fault, LINETWIN_ISAAC_LIMIT_S="8" if "hang" in fault else "60")
    with pytest.raises(BackendError, match=says) as caught:
        for _ in range(5):
            isaac.render(board, CAMERA, LIGHT, Look())
    assert type(caught.value) is BackendError
    with pytest.raises(BackendError, match="stopped after an error; open a new one"):
        isaac.render(board, CAMERA, LIGHT, Look())


def test_black_once_is_drawn_again_and_black_for_good_is_an_error(start, board):
    isaac = start(LINETWIN_STANDIN_FAULTS="black=8")
    assert isaac.render(board, CAMERA, LIGHT, Look()).rgb.max() > 50
    isaac.close()
    with pytest.raises(BackendError, match=r"grey renders as 0\.0%"):
        start(LINETWIN_STANDIN_FAULTS="black=inf")


def test_a_picture_that_stays_black_is_an_error(start, board, monkeypatch):
    monkeypatch.setattr(IsaacRenderer, "_expose", lambda self: 1000.0)
    isaac = start(LINETWIN_STANDIN_FAULTS="black=inf")
    with pytest.raises(BackendError, match="stays black, also with 32 subframes, although 7 things are in view"):
        isaac.render(board, CAMERA, LIGHT, Look())


# ------------------------------------------------------------------------------------------------ what the host checks

def test_pictures_of_another_frame_are_refused(gl, board):
    seen = gl.render(board, CAMERA, LIGHT, Look())
    check_frame(seen.instance, seen.depth, board, CAMERA)
    first = board.instances[0]
    elsewhere = first.pose.copy()
    elsewhere[0, 0, 3] += 5 * CAMERA.pixel_size
    with pytest.raises(BackendError, match=r"label id 2 is drawn \d px beside where it is"):
        moved = replace(board, instances=(replace(first, pose=elsewhere), board.instances[1]))
        check_frame(seen.instance, seen.depth, moved, CAMERA)
    with pytest.raises(BackendError, match="label id 2 is seen, but the unit has none of it"):
        check_frame(seen.instance, seen.depth, replace(board, instances=board.instances[1:]), CAMERA)
    for wrong in (replace(CAMERA, pixel_size=50e-6), looking_down("x", (3.3e-3, 3e-3), 40e-6, 160, 128, roll=0.3)):
        with pytest.raises(BackendError, match="beside where it is"):
            check_frame(seen.instance, seen.depth, board, wrong)
    with pytest.raises(BackendError, match=r"depth is .*% off"):
        check_frame(seen.instance, seen.depth * np.float32(100), board, CAMERA)
    with pytest.raises(BackendError, match="without a depth"):
        check_frame(seen.instance, np.full_like(seen.depth, np.inf), board, CAMERA)


@pytest.mark.parametrize("model", ["telecentric", "perspective"])
def test_depth_is_checked_under_tilted_cameras(gl, board, model):
    """A camera tilted by 0.2 rad: the plane's depth varies over the picture, and still fits."""
    c, s = np.cos(0.2), np.sin(0.2)
    tilt = np.array([[1, 0, 0, 0], [0, c, -s, 0], [0, s, c, 0], [0, 0, 0, 1.0]])
    pose = CAMERA.pose @ tilt
    pose[:3, 3] = np.array([3e-3, 3e-3, 0]) + 0.2 * pose[:3, 2]
    camera = replace(CAMERA, pose=pose, model=model)
    seen = gl.render(board, camera, LIGHT, Look())
    check_frame(seen.instance, seen.depth, board, camera)


def test_arrays_from_the_worker_are_read_as_from_a_stranger(tmp_path):
    good = np.arange(6, dtype=np.uint32).reshape(2, 3)
    np.save(tmp_path / "good.npy", good)
    assert np.array_equal(taken({"instance": "good.npy"}, tmp_path, {"instance"}, (2, 3))["instance"], good)
    assert not (tmp_path / "good.npy").exists()
    np.save(tmp_path / "wide.npy", good.astype(np.uint64))
    np.save(tmp_path / "tall.npy", good.T)
    np.save(tmp_path / "object.npy", np.array([[{}] * 3] * 2, object), allow_pickle=True)
    np.save(tmp_path / "real.npy", good)
    (tmp_path / "link.npy").symlink_to(tmp_path / "real.npy")
    (tmp_path / "folder.npy").mkdir()
    (tmp_path / "text.npy").write_bytes(b"x" * 152)
    import os

    os.mkfifo(tmp_path / "pipe.npy")
    head = (tmp_path / "real.npy").read_bytes().replace(b"(2, 3), }", b"(1099511627776, 3), }")[:128]
    (tmp_path / "vast.npy").write_bytes(head + bytes(24))            # its header claims 12 TiB
    for name in ("wide", "tall", "object", "link", "folder", "text", "pipe", "gone", "vast"):
        with pytest.raises(BackendError, match=rf"{name}\.npy"):
            taken({"instance": f"{name}.npy"}, tmp_path, {"instance"}, (2, 3))
    with pytest.raises(BackendError, match="capture gave rgb instead of instance"):
        taken({"rgb": "real.npy"}, tmp_path, {"instance"}, (2, 3))


# ------------------------------------------------------------------------------------------------ the grey card

def found_gain(answer):
    """What the search ends with for a renderer that shows ``answer(intensity)``, and after how many pictures."""
    intensity = exposure.FIRST
    for step in range(exposure.STEPS):
        further = exposure.next_intensity(intensity, min(max(answer(intensity), 0.0), 1.0))
        if further is None:
            return intensity, step
        intensity = further
    raise exposure.refused(answer(intensity))


@pytest.mark.parametrize("scale", [1e-9, 1e-6, 1e-3, 1.0, 50.0])
def test_the_gain_of_a_linear_film(scale):
    gain, steps = found_gain(lambda i: i * scale)
    assert gain * scale == pytest.approx(exposure.GREY, rel=exposure.TOLERANCE) and steps < exposure.STEPS


def test_the_gain_of_a_bent_film():
    """Reinhard's curve: x / (1 + x)."""
    gain, _ = found_gain(lambda i: i * 1e-4 / (1 + i * 1e-4))
    assert gain * 1e-4 / (1 + gain * 1e-4) == pytest.approx(exposure.GREY, rel=exposure.TOLERANCE)


def test_automatic_exposure_is_found_out():
    with pytest.raises(BackendError, match=r"18% grey renders as 30\.0% whatever its light; .*histogram/enabled=false"):
        found_gain(lambda _: 0.30)


def test_the_card_is_a_stage(tmp_path):
    from pxr import Usd, UsdGeom

    (tmp_path / "card.usda").write_text(exposure.STAGE)
    stage = Usd.Stage.Open(str(tmp_path / "card.usda"))
    assert UsdGeom.Camera(stage.GetPrimAtPath(exposure.CAMERA))
    assert stage.GetPrimAtPath(exposure.DOME).GetTypeName() == "DomeLight"
    rgb = np.full((64, 64, 3), 118, np.uint8)                        # sRGB 118 is 18 % (IEC 61966-2-1)
    assert exposure.level(rgb) == pytest.approx(0.18, abs=0.002)


def test_the_worker_imports_no_room_of_ours():
    import ast

    for file in sorted((Path(replicator.__file__).parent).glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else (
                [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else [])
            strange = {n.split(".")[0] for n in names} & {"scenes", "generators", "domain_randomization", "linetwin", "pydantic"}
            assert not strange, file


def test_from_environment_is_what_opens_it(isaac_environment):
    if isaac_environment:
        assert from_environment(isaac_environment).paths == (str(STANDIN),)
