"""NVIDIA's own files and code from the wheel isaacsim-replicator against ours: no Isaac Sim runs, no GPU is needed.

* Genuine Replicator output: our importer reads every folder of it.
* A genuine scene: NVIDIA's PoseWriter test renders three cubes, and says where they stand. We render them with ``gl`` and hand
  the result to NVIDIA's unmodified PoseWriter; it must write what RTX wrote, by NVIDIA's own comparison, and our masks must
  lie on RTX's pixels.
* NVIDIA's call sites: every name and keyword of Replicator that we use is used there too.

Skipped without the wheels; see conftest.py.
"""
from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path

import golden_cubes as cubes
import numpy as np
import pose_writer_shim as shim
import pytest
import replicator_calls
from PIL import Image
from scipy import ndimage

from generators.dataset import Dataset
from generators.exports import payload
from generators.imports import import_folder, read_folder
from scenes.errors import InputError
from scenes.optics import Lighting, Look, looking_down

ROOT = Path(__file__).resolve().parents[2]
OURS = ("generators/render/isaac", "examples/isaac")
BASIC, COSMOS, POSE = "BasicWriter", "CosmosWriter", "PoseWriter"
# folder → writer, events, cameras, frames, instances; as listed in the wheel of Isaac Sim 6.2.0.0
GOLDEN = {
    "_out_behaviors_sdg": (BASIC, 4, 1, 4, 0), "_out_deformable_drop": (BASIC, 4, 1, 4, 0),
    "_out_cosmos_simple": (COSMOS, 1, 1, 3, 6), "_out_cosmos_warehouse": (COSMOS, 2, 1, 6, 0),
    "_out_scene_based_sdg": (BASIC, 4, 3, 12, 0), "_out_object_reconstruction_assets_drop": (BASIC, 4, 1, 4, 4),
    "_out_obj_based_sdg_pose_writer": (POSE, 4, 2, 8, 0), "_out_test_pose_writer_pinhole": (POSE, 1, 2, 2, 0),
    "_out_test_pose_writer_pinholeOpenCV": (POSE, 1, 2, 2, 0), "_out_test_pose_writer_fisheyePolynomial": (POSE, 1, 2, 2, 0),
    "_out_test_pose_writer_generalizedProjection": (POSE, 1, 2, 2, 0), "_out_augm_writer_numpy": (BASIC, 2, 1, 2, 0),
    "_out_augm_writer_warp": (BASIC, 2, 1, 2, 0), "_out_nav_sdg_demo": (BASIC, 2, 2, 4, 0),
    "_out_rand_lights": (BASIC, 3, 1, 3, 0), "_out_rand_sphere_scan": (BASIC, 3, 2, 6, 0),
    "_out_rand_textures": (BASIC, 3, 1, 3, 0), "_out_box_stacking_env_none": (BASIC, 1, 1, 1, 0),
    "_out_box_stacking_env_warehouse": (BASIC, 1, 1, 1, 0), "_out_simready_assets": (BASIC, 2, 1, 2, 0),
}
NOT_A_WRITERS = {                              # refused, and the message says what to do
    "_out_augm_annot_numpy": "name the output's own folder",       # written by an example's own code: annot_rgb_0.png
    "_out_augm_annot_warp": "name the output's own folder",
    "_out_motion_blur": "import them one by one",                  # four outputs in a folder
}
MOTION_BLUR = 4
# what we use of Replicator that no Python file of the wheels uses, with where it is known from; docs/isaac.md lists it
UNPROVEN_NAMES: dict[str, str] = {}
UNPROVEN_TEXTS = {"KittiWriter": "NVIDIA's documentation, config_kitti_writer.yaml of isaac-sim/IsaacSim",
                  "CocoWriter": "NVIDIA's documentation, config_coco_writer.yaml of isaac-sim/IsaacSim"}
UNPROVEN_KEYWORDS = {"coco_categories": "config_coco_writer.yaml of isaac-sim/IsaacSim"}
UNPROVEN_SETTINGS = {"/app/extensions/registryEnabled": "not in NVIDIA's files as one path, but seen to work: test_real_start.py"}
OWN_WRITER = {"twins", "products"}               # keywords of TwinWriter, which is ours


def golden(wheels: Path, name: str) -> Path:
    """An output folder in the wheels; skips where this version of them does not hold it."""
    found = folders(wheels)
    if name not in found:
        pytest.skip(f"{name}: is not in this version of the wheel isaacsim-replicator; 6.2.0.0 has it")
    return found[name]


def folders(wheels: Path) -> dict[str, Path]:
    """Every output folder in the wheels, by name."""
    return {p.name: p for p in wheels.glob("isaacsim.replicator.*/isaacsim/replicator/*/tests/data/golden/_out*") if p.is_dir()}


# ------------------------------------------------------------------------------------------------ genuine output

def test_nothing_genuine_is_left_out(wheels):
    """Another version of the wheel may bring more; then this says so."""
    assert {"_out_behaviors_sdg", "_out_test_pose_writer_pinhole"} <= set(folders(wheels)) <= {*GOLDEN, *NOT_A_WRITERS}


@pytest.mark.parametrize("name", GOLDEN)
def test_importer_reads_genuine_output(wheels, name, tmp_path):
    writer, events, cameras, frames, instances = GOLDEN[name]
    folder = golden(wheels, name)
    found = read_folder(folder)
    assert (found.writer, len(found.events), len(found.cameras), found.strange) == (writer, events, cameras, ())
    report = import_folder(folder, tmp_path / "dataset")
    assert (report.samples, report.frames, report.instances) == (events, frames, instances)
    pictures = sorted(np.asarray(Image.open(folder / v.files["rgb.png"]).convert("RGB")).tobytes()
                      for e in found.events for v in e.views)
    with Dataset.read(tmp_path / "dataset") as dataset:
        stored = sorted(row.rgb(k).tobytes() for row in dataset.rows() for k in range(len(row.frames)))
    assert stored == pictures                  # every pixel of every picture, through PIL and through our shards


def test_outputs_of_one_example_are_imported_one_by_one(wheels, tmp_path):
    parts = sorted(p for p in golden(wheels, "_out_motion_blur").iterdir() if p.is_dir())
    assert len(parts) == MOTION_BLUR
    for part in parts:
        report = import_folder(part, tmp_path / part.name)
        assert report.writer == BASIC and report.frames == len(list(part.glob("rgb_*.png"))) > 0


@pytest.mark.parametrize("name", NOT_A_WRITERS)
def test_what_no_writer_wrote_is_refused(wheels, name, tmp_path):
    with pytest.raises(InputError, match=NOT_A_WRITERS[name]):
        import_folder(golden(wheels, name), tmp_path / "dataset")
    assert not (tmp_path / "dataset").exists()


def test_genuine_depth_comes_through(wheels, tmp_path):
    """float32 metres along the axis, bit for bit."""
    folder = golden(wheels, "_out_behaviors_sdg")
    import_folder(folder, tmp_path / "depth")
    with Dataset.read(tmp_path / "depth") as dataset:
        for row, path in zip(dataset.rows(), sorted(folder.glob("*.npy")), strict=True):
            assert np.array_equal(row.label("depth"), np.load(path))


def test_genuine_boxes_come_through(wheels, tmp_path):
    """Boxes keep their transform, translation in the last row; our payload's type is the genuine one."""
    folder = golden(wheels, "_out_deformable_drop")
    files = sorted(folder.glob("bounding_box_3d_*.npy"))
    if not files:
        pytest.skip("this version of the wheel isaacsim-replicator holds no boxes; 6.2.0.0 does")
    import_folder(folder, tmp_path / "boxes")
    with Dataset.read(tmp_path / "boxes") as dataset:
        for row, path in zip(dataset.rows(), files, strict=True):
            rows, ours = np.load(path), row.frames[0].view["bounding_box_3d"]
            assert rows.dtype == payload.BOX_3D
            assert np.array([o["local_to_world"] for o in ours], np.float32).reshape(-1, 4, 4) == pytest.approx(rows["transform"])


# ------------------------------------------------------------------------------------------------ PoseWriter

def seen(gl, product: str):
    geometry, camera = cubes.geometry(), cubes.camera(product)
    buffers = gl.render(geometry, camera, Lighting(dome=(1.0, 1.0, 1.0)), Look(), outputs={"rgb", "depth", "instance"})
    alone = gl.silhouettes(geometry, camera, sorted(cubes.PRIMS))
    return buffers, payload.render_product(buffers, geometry, camera, cubes.PRIMS, alone)


def written(wheels, monkeypatch, product: str, data: Mapping, **options):
    """What NVIDIA's PoseWriter makes of a payload: its JSON, read back, and everything that it wrote by path."""
    backend = shim.BaseBackend()
    shim.pose_writer(wheels, monkeypatch)(backend=backend, **options).write({"renderProducts": {product: data}})
    return json.loads(json.dumps(backend.kept["000000.json"], default=float)), backend.kept


@pytest.mark.parametrize("product", cubes.EYES)
def test_nvidias_pose_writer_writes_what_rtx_wrote(gl, wheels, monkeypatch, product):
    """All numbers of NVIDIA's golden file to 1e-5, by NVIDIA's comparison: poses, keypoints, projections, visibility."""
    theirs = json.loads((golden(wheels, "_out_test_pose_writer_pinhole") / product / "000000.json").read_text())
    ours, kept = written(wheels, monkeypatch, product, seen(gl, product)[1], write_debug_images=True)
    assert ours["camera_data"]["intrinsics"]["fx"] == pytest.approx(24.0 / 20.955 * 512)
    # USD's default vertical aperture; pixels are square all the same, so it means nothing, and ours says what is seen
    wide, high = theirs["camera_data"].pop("aperture")
    assert high == pytest.approx(15.2908) and ours["camera_data"].pop("aperture") == pytest.approx([wide, wide])
    assert shim.compare(wheels)(ours, theirs) is None
    assert kept["000000_overlay.png"].size == (512, 512)


@pytest.mark.parametrize("product", cubes.EYES)
def test_our_masks_lie_on_rtx_pixels(gl, wheels, product):
    """Genuine RTX pixels of the three cubes against gl's instance masks: the same to a pixel's width."""
    picture = Image.open(golden(wheels, "_out_test_pose_writer_pinhole") / product / "000000.png")
    grey = np.asarray(picture.convert("L")).astype(int)
    theirs = grey < grey[0, 0] - 12            # the cubes are darker than the dome behind them
    ours = seen(gl, product)[0].instance > 0
    away = ~(ndimage.binary_dilation(ours, iterations=1) & ~ndimage.binary_erosion(ours, iterations=1))
    assert (theirs & ours).sum() / (theirs | ours).sum() > 0.994
    assert np.array_equal(theirs[away], ours[away])
    assert 11_000 < ours.sum() < 15_000        # they are there at all


def test_location_in_nvidias_camera_frame_is_not_the_cubes(wheels):
    """A fault of PoseWriter 0.2.0: it multiplies view and object the wrong way round, so ``location_camera_frame`` and the
    rotations beside it hold only for objects that commute with the view. The keypoints are right; take their centre."""
    data = json.loads((golden(wheels, "_out_test_pose_writer_pinhole") / "rp1" / "000000.json").read_text())
    view = np.array(data["camera_data"]["camera_view_matrix"])
    for thing in data["objects"]:
        matrix = np.array(thing["local_to_world_transform"])
        right, told = (matrix @ view)[3, :3], np.array(thing["location_camera_frame"])
        assert thing["cuboid_keypoints_camera_frame"][0] == pytest.approx(right, abs=1e-5)
        assert told == pytest.approx((view @ matrix)[3, :3], abs=1e-5)
        assert (thing["label"] == "cube") == np.allclose(told, right, atol=1e-5)


@pytest.mark.parametrize("model", ["perspective", "telecentric"])
def test_a_whole_board_through_pose_writer(gl, wheels, monkeypatch, examples, model):
    """The shipped scene's unit: the golden file's keys, fx by the closed form, centres where our camera projects them."""
    from scenes.scene import Scene
    from scenes.smt.family import FAMILY

    product = FAMILY.product(Scene.read(examples / "inspector.scene.yaml"))
    state = FAMILY.simulate(product, FAMILY.process(product, {}), np.random.default_rng(3))
    geometry = FAMILY.geometry(product, state, Look())
    camera = looking_down("top", (0.02, 0.015), 60e-6, 700, 500, model=model)
    ids = sorted({int(i) for g in geometry.instances for i in g.instance})
    prims = {i: payload.Prim(f"/World/Line/aoi/Bench/Product/Parts/id_{i}", {"class": "component"}) for i in ids}
    buffers = gl.render(geometry, camera, Lighting(dome=(1.0, 1.0, 1.0)), Look(), outputs={"rgb", "depth", "instance"})
    data = payload.render_product(buffers, geometry, camera, prims, gl.silhouettes(geometry, camera, ids))
    ours, _ = written(wheels, monkeypatch, "top", data)
    theirs = json.loads((golden(wheels, "_out_test_pose_writer_pinhole") / "rp1" / "000000.json").read_text())
    assert set(ours) == set(theirs) and set(ours["camera_data"]) == set(theirs["camera_data"])
    assert len(ours["objects"]) > 40
    assert all(set(o) == set(theirs["objects"][0]) for o in ours["objects"])
    if model == "perspective":                 # fx = focal length / (aperture / width) = distance / pixel size
        assert ours["camera_data"]["intrinsics"]["fx"] == pytest.approx(camera.distance / camera.pixel_size, rel=1e-6)
    centres = np.array([o["cuboid_keypoints_world_frame"][0] for o in ours["objects"]])
    told = np.array([o["cuboid_keypoints_projected"][0] for o in ours["objects"]])
    assert np.abs(told - camera.project(centres)).max() <= 0.5 + 1e-3      # PoseWriter rounds to whole pixels


# ------------------------------------------------------------------------------------------------ names

@pytest.fixture(scope="module")
def theirs(wheels) -> replicator_calls.Calls:
    """Every use of Replicator in the wheels' Python files."""
    tops = (wheels, wheels.parent / "extsDeprecated", wheels.parent / "skills")
    files = [p for top in tops for p in top.rglob("*.py") if "pip_prebundle" not in p.parts]
    found = replicator_calls.calls_in(p for p in files if b"omni.replicator" in p.read_bytes())
    for name in [n for n in found.names if n.removesuffix("_async") in found.names]:
        found.names[name.removesuffix("_async")] |= found.names[name]          # two forms of one function
    return found


@pytest.fixture(scope="module")
def ours() -> replicator_calls.Calls:
    return replicator_calls.calls_in(p for top in OURS for p in sorted((ROOT / top).rglob("*.py")))


def test_every_name_and_keyword_is_nvidias(ours, theirs):
    assert len(theirs.names) > 100 and len(ours.names) >= 6
    strangers = {n for n in ours.names if n not in theirs.names} - set(UNPROVEN_NAMES)
    assert not strangers
    for name, keywords in ours.names.items():
        if name not in UNPROVEN_NAMES:
            assert keywords <= theirs.names[name], name
    for method in (".attach", ".detach", ".destroy", ".initialize", ".get_data"):
        assert ours.methods[method] - OWN_WRITER - set(UNPROVEN_KEYWORDS) <= theirs.methods[method], method


def test_every_annotator_and_writer_is_nvidias(ours, theirs):
    known = theirs.given["annotators.get"] | theirs.given["writers.get"] | theirs.texts
    own = {n.name for p in sorted((ROOT / OURS[0]).rglob("*.py")) for n in ast.walk(ast.parse(p.read_text()))
           if isinstance(n, ast.ClassDef)}
    asked = ours.given["annotators.get"] | (ours.given["writers.get"] - own) | set(_annotators())
    assert len(asked) >= 8
    assert asked - known == set(UNPROVEN_TEXTS)


def test_every_setting_is_nvidias(wheels, ours):
    """Paths of settings in our code occur, with or without the leading slash, in the wheels' Python, TOML or .kit files.

    The others are listed, each with where it is known from."""
    paths = {t.lstrip("-").split("=")[0] for t in ours.texts if t.lstrip("-").startswith(("/omni/", "/rtx/", "/exts/", "/app/"))}
    assert len(paths) >= 5
    texts = []
    for top in (wheels, wheels.parent / "apps", wheels.parent / "extsDeprecated", wheels.parent / "skills"):
        texts += [p.read_text(encoding="utf-8", errors="replace") for kind in ("*.py", "*.toml", "*.kit", "*.md")
                  for p in top.rglob(kind) if "pip_prebundle" not in p.parts]
    whole = "\n".join(texts)
    missing = {p for p in paths if p.lstrip("/") not in whole and p.lstrip("/").replace("/", ".") not in whole}
    assert missing == set(UNPROVEN_SETTINGS)


def _annotators() -> list[str]:
    from generators.render.isaac.worker import replicator

    return list(replicator.ANNOTATORS.values())
