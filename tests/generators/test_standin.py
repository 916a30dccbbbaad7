"""The stand-in for Isaac Sim: as strict as it says, and its pictures are those of a closed form."""
from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest
from standin_child import READY, STANDIN, START, child, ran

CHECK = STANDIN / "check_api.py"


def check_api():
    spec = importlib.util.spec_from_file_location("check_api", CHECK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_api_says_what_the_reference_says():
    reference = os.environ.get("LINETWIN_REPLICATOR_API")
    if not reference:
        pytest.skip("LINETWIN_REPLICATOR_API is not set: names the digest that api.json was taken from")
    assert check_api().differences(json.loads((STANDIN / "api.json").read_text()), json.loads(Path(reference).read_text())) == []


def test_api_is_whole_and_the_check_finds_what_was_changed():
    ours = json.loads((STANDIN / "api.json").read_text())
    names = [row["name"] for row in ours["entries"]]
    assert len(names) == len(set(names)) > 200
    words = {row["confidence"] for row in ours["entries"]}
    assert words == set(ours["confidence"]) and all(0 <= row["evidence"] < len(ours["evidence"]) for row in ours["entries"])
    step = next(row for row in ours["entries"] if row["name"].endswith("orchestrator.step"))
    assert [p["name"] for p in step["parameters"]] == ["rt_subframes", "pause_timeline", "delta_time", "wait_for_render"]
    entry = {"module": step["digest"][0], "name": step["digest"][1], "kind": "function", "since": "6.x", "notes": "",
             "signature": "step(rt_subframes: int=-1, delta_time: float=None, wait_for_render: bool=False)",
             "confidence": "recalled"}
    found = check_api().differences({"entries": [step]}, {"entries": [entry]})
    assert [line.partition(": ")[2] for line in found] == [
        "parameter pause_timeline is not in the digest", "default wait_for_render=True is not in the digest",
        "called read, the digest says recalled"]


def test_whatever_is_not_known_raises(tmp_path):
    out = ran(tmp_path, READY + '''
import carb.settings
print("---")
print(refusal(lambda: rep.orchestrator.stepp))
print(refusal(lambda: rep.nothing))
print(refusal(lambda: app.play()))
print(refusal(rep.orchestrator.step, subframes=3))
print(refusal(rep.orchestrator.step, 1, True, 0.0, True, 5))
print(refusal(rep.create.render_product, "/World/Pinhole", (8, 8), True, None, None, 1))
print(refusal(rep.create.render_product, "/World/Plate", (8, 8)))
print(refusal(rep.create.render_product, "/World/Pinhole", (8,)))
print(refusal(rep.annotators.get, "rgbd"))
print(refusal(rep.annotators.get, "rgb", init_params={"colorize": True}))
print(refusal(rep.functional.create.cube, position=(0, 0, 0)))
print(refusal(rep.functional.create.cube, (0, 0, 0)))
print(refusal(rep.randomizer.color, [1]))
print(refusal(rep.modify.visibility, True))
print(refusal(carb.settings.get_settings().set, "/rtx/no/such/thing", 1))
print(refusal(__import__, "omni.syntheticdata"))
print(refusal(__import__, "scenes"))
print(refusal(__import__, "linetwin"))
''').splitlines()
    want = [
        "AttributeError: module 'omni.replicator.core.orchestrator' has no attribute 'stepp'",
        "AttributeError: module 'omni.replicator.core' has no attribute 'nothing'", "AttributeError: 'SimulationApp'",
        "TypeError: omni.replicator.core.orchestrator.step(rt_subframes=-1, pause_timeline=True", "too many positional arguments",
        "too many positional arguments", "StandInError: create.render_product: no camera at /World/Plate",
        "is not (width, height)", "annotator 'rgbd': unknown", "init_params has no colorize",
        "NotImplementedError: omni.replicator.core.functional.create.cube", "NotImplementedError",
        "NotImplementedError: omni.replicator.core.randomizer.color",
        "NotImplementedError: omni.replicator.core.modify.visibility", "in no public source",
        "ModuleNotFoundError: No module named 'omni.syntheticdata'", "ImportError: scenes: linetwin is not",
        "ImportError: linetwin"]
    assert len(out) == len(want)
    for line, part in zip(out, want, strict=True):
        assert part in line, (part, line)


def test_the_order_of_calls_is_kept(tmp_path):
    out = ran(tmp_path, START + '''
print("---")
step = lambda **k: refusal(rep.orchestrator.step, delta_time=0.0, **k)
print(step())
rep.orchestrator.set_capture_on_play(False)
print(step())
rep.set_global_seed(1)
print(step())
product = rep.create.render_product("/World/Pinhole", (24, 12))
print(step())
rgb = rep.annotators.get("rgb")
print(refusal(rgb.get_data))
rgb.attach([product])
print(refusal(rgb.get_data))
print(refusal(rgb.attach, product))
print(step(), step(rt_subframes=4), rgb.get_data().shape)
print(refusal(rgb.detach))
print(refusal(app.close))
rep.orchestrator.wait_until_complete()
print(refusal(product.destroy))
rgb.detach()
product.destroy()
print(step())
print(refusal(product.destroy))
print(refusal(SimulationApp, {}))
app.close()
print(step())
''').splitlines()
    want = ["capture on play is on", "no seed", "there is no render product", "no annotator is attached",
            "while it is not attached", "get_data before the first step", "attached to /Render", "no error no error (12, 24, 4)",
            "detach before orchestrator.wait_until_complete", "are not destroyed", "destroy before rgb is detached",
            "there is no render product, or all are destroyed", "destroyed already", "there is one already",
            "the application is closed"]
    assert len(out) == len(want)
    for line, part in zip(out, want, strict=True):
        assert part in line, (part, line)


def test_an_older_version_lacks_what_came_later(tmp_path):
    code = READY + '''
print("---")
product = rep.create.render_product("/World/Pinhole", (24, 12))
rgb = rep.annotators.get("rgb")
rgb.attach([product])
print(refusal(rep.orchestrator.step, wait_for_render=True))
'''
    assert ran(tmp_path, code, LINETWIN_STANDIN_VERSION="6.2").startswith("no error")
    assert "unexpected keyword argument 'wait_for_render'" in ran(tmp_path, code, LINETWIN_STANDIN_VERSION="5.1")
    done = child(tmp_path, "from isaacsim import SimulationApp\nSimulationApp({'renderer': 'RealTimePathTracing'})",
                 LINETWIN_STANDIN_VERSION="5.1")
    assert done.returncode == 1 and "known: PathTracing, RaytracedLighting" in done.stderr
    done = child(tmp_path, "import pxr.Usd\nfrom isaacsim import SimulationApp\nSimulationApp({})")
    assert "pxr imported before it" in done.stderr
    assert "construct isaacsim.SimulationApp first" in child(tmp_path, "import isaacsim, omni.usd").stderr
    done = child(tmp_path, "from isaacsim import SimulationApp\nSimulationApp({'headles': 1})")
    assert "launch_config has no headles" in done.stderr


PICTURES = READY + '''
names = ["rgb", "distance_to_image_plane", "distance_to_camera", "normals", "semantic_segmentation", "instance_segmentation_fast",
         "instance_id_segmentation_fast", "bounding_box_2d_tight", "bounding_box_2d_loose", "bounding_box_3d", "occlusion",
         "camera_params", "motion_vectors"]
import pickle
with Usd.EditContext(stage, stage.GetSessionLayer()):
    first = taken("/World/Pinhole", names)
    flat = taken("/World/Telecentric", names[:7])
    UsdGeom.Imageable(stage.GetPrimAtPath("/World/Plate/Chip")).MakeInvisible()
    stage.GetPrimAtPath("/World/Plate/Ramps").GetChildren()[0].GetAttribute("xformOp:translate").Set(Gf.Vec3d(0.006, 0, 0))
    edited = taken("/World/Telecentric", ["distance_to_image_plane", "instance_segmentation"])
pickle.dump({"pinhole": first, "flat": flat, "edited": edited}, open("out.pickle", "wb"))
'''


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    import pickle

    folder = tmp_path_factory.mktemp("standin")
    ran(folder, PICTURES, LINETWIN_STANDIN_CALLS=str(folder / "calls.jsonl"))
    calls = [json.loads(line) for line in (folder / "calls.jsonl").read_text().splitlines()]
    return {**pickle.loads((folder / "out.pickle").read_bytes()), "calls": calls}


def pixels(width=240, height=120, size=1e-4):
    """Middles of pixels in the plane 0.1 m below the camera [m]: x right, y up."""
    return np.meshgrid((np.arange(width) + 0.5 - width / 2) * size, (height / 2 - 0.5 - np.arange(height)) * size)


def test_depth_is_that_of_a_closed_form(pictures):
    x, y = pixels()
    flat = pictures["flat"]["distance_to_image_plane"]
    chip, plate = (np.abs(x - 5e-3) < 2e-3) & (np.abs(y) < 2e-3), (np.abs(x) < 10e-3) & (np.abs(y) < 5e-3)
    ramps = [(np.abs(x + 5e-3) < 1e-3) & (np.abs(y - at) < 1e-3) for at in (2e-3, -3e-3)]
    z = np.where(plate, 0.1, np.inf)
    z[chip] = 0.098
    for ramp, at in zip(ramps, (2e-3, -3e-3), strict=True):
        z[ramp] = (0.1 - (1e-3 + (y - at + 1e-3)))[ramp]
    assert flat.dtype == np.float32 and flat.shape == (120, 240)
    assert np.array_equal(np.isinf(flat), np.isinf(z))
    assert np.allclose(flat[plate], z[plate], rtol=1e-6)
    # a pinhole sees the chip's top larger by 0.1 / 0.098, and rays are longer than their depth
    seen, far = pictures["pinhole"]["distance_to_image_plane"], pictures["pinhole"]["distance_to_camera"]
    top = (np.abs(x * 0.98 - 5e-3) < 2e-3) & (np.abs(y * 0.98) < 2e-3)
    assert np.allclose(seen[top], 0.098, rtol=1e-6)
    assert np.allclose(far[top], (seen * np.sqrt(1 + (x / 0.1) ** 2 + (y / 0.1) ** 2))[top], rtol=1e-6)


def test_normals_ids_and_labels(pictures):
    x, y = pixels()
    flat = pictures["flat"]
    normals, ramp = flat["normals"], (np.abs(x + 5e-3) < 1e-3) & (np.abs(y - 2e-3) < 1e-3)
    assert normals.shape == (120, 240, 4) and normals.dtype == np.float32
    assert np.allclose(normals[ramp][:, :3], (0, -(0.5**0.5), 0.5**0.5), atol=1e-6)        # in the world's frame
    ids = flat["instance_id_segmentation_fast"]
    assert ids["data"].dtype == np.uint32
    at = {path: int(n) for n, path in ids["info"]["idToLabels"].items()}
    assert {"BACKGROUND", "UNLABELLED", "/World/Plate/top", "/World/Plate/Chip/body", "/World/Plate/Ramps/a/slope",
            "/World/Plate/Ramps/b/slope"} == set(at)
    other = pictures["pinhole"]["instance_id_segmentation_fast"]["info"]["idToLabels"]
    assert set(other.values()) == set(at) and other != ids["info"]["idToLabels"]       # ids hold for one step only
    assert (ids["data"][ramp] == at["/World/Plate/Ramps/a/slope"]).all() and (ids["data"][0] == at["BACKGROUND"]).all()
    things = flat["instance_segmentation_fast"]["info"]
    assert sorted(things["idToLabels"].values()) == sorted(["BACKGROUND", "UNLABELLED", "/World/Plate", "/World/Plate/Chip",
                                                            "/World/Plate/Ramps/a", "/World/Plate/Ramps/b"])
    chip = next(n for n, path in things["idToLabels"].items() if path == "/World/Plate/Chip")
    assert things["idToSemantics"][chip] == {"class": "board,component", "reference": "U3"}     # nested labels in one list
    semantic = flat["semantic_segmentation"]
    words = [v["class"] for v in semantic["info"]["idToLabels"].values()]
    assert sorted(words) == ["BACKGROUND", "UNLABELLED", "board", "board,component", "board,ramp"]
    assert semantic["info"]["idToLabels"]["0"] == {"class": "BACKGROUND"}


def test_boxes_and_occlusion(pictures):
    seen = pictures["pinhole"]
    tight, loose, solid = (seen[f"bounding_box_{kind}"] for kind in ("2d_tight", "2d_loose", "3d"))
    assert tight["data"].dtype == np.dtype([("semanticId", "<u4"), ("x_min", "<i4"), ("y_min", "<i4"), ("x_max", "<i4"),
                                            ("y_max", "<i4"), ("occlusionRatio", "<f4")])
    paths = tight["info"]["primPaths"]
    assert paths == ["/World/Plate", "/World/Plate/Chip", "/World/Plate/Ramps/a", "/World/Plate/Ramps/b"]
    things = seen["instance_segmentation_fast"]
    for row, path in zip(tight["data"], paths, strict=True):
        number = next(int(n) for n, p in things["info"]["idToLabels"].items() if p == path)
        y, x = np.nonzero(things["data"] == number)
        assert (row["x_min"], row["y_min"], row["x_max"], row["y_max"]) == (x.min(), y.min(), x.max(), y.max())
    assert tuple(loose["data"][0])[1:5] == (20, 10, 219, 109)          # the plate as a whole: 200 × 100 pixels
    hidden = 1 - (things["data"] > 0).sum() / (200 * 100)
    assert 0 < loose["data"][0]["occlusionRatio"] < 0.2 and hidden < 0.01
    chip = solid["data"][1]
    assert np.allclose([chip[f"{a}_{e}"] for e in ("min", "max") for a in "xyz"], [-2e-3, -2e-3, 0, 2e-3, 2e-3, 2e-3], atol=1e-9)
    assert np.allclose(chip["transform"][3], (5e-3, 0, 0, 1)) and chip["transform"].dtype == np.float32
    assert seen["occlusion"].dtype.names == ("instanceId", "semanticId", "occlusionRatio")
    params = seen["camera_params"]
    projection, view = params["cameraProjection"].reshape(4, 4), params["cameraViewTransform"].reshape(4, 4)
    corner = np.array([0.01, 0.005, 0, 1]) @ view @ projection
    assert np.allclose(corner[:2] / corner[3], (0.01 / 0.012, 0.005 / 0.006)) and params["metersPerSceneUnit"] == 1.0
    assert params["renderProductResolution"].tolist() == [240, 120]


def test_colour_of_a_diffuser_under_a_dome(pictures):
    """A red Lambertian plate under 750 cd/m² is half of white in linear light, and dielectrics add some 4 % of the dome."""
    rgb = pictures["flat"]["rgb"]
    assert rgb.shape == (120, 240, 4) and rgb.dtype == np.uint8
    linear = ((rgb[60, 60, :3] / 255 + 0.055) / 1.055) ** 2.4
    assert np.allclose(linear, (0.5 + 0.5 * 0.04, 0.02, 0.02), atol=0.006)
    assert (rgb[0, 0, :3] == rgb[0, 0, 0]).all() and rgb[0, 0, 0] == 188       # the dome itself: half of white
    grey = rgb[60, 170, :3].astype(int)
    assert np.ptp(grey) == 0 and 130 < grey[0] < 145


def test_edits_of_the_session_layer_are_drawn(pictures):
    x, y = pixels()
    z = pictures["edited"]["distance_to_image_plane"]
    ramp = (np.abs(x - 6e-3) < 1e-3) & (np.abs(y) < 1e-3)
    assert np.allclose(z[ramp], (0.1 - (1e-3 + y + 1e-3))[ramp], rtol=1e-6)    # moved
    assert np.allclose(z[(np.abs(x - 4e-3) < 0.9e-3) & (np.abs(y) < 2e-3)], 0.1)       # and the chip is gone
    assert "/World/Plate/Chip" not in pictures["edited"]["instance_segmentation"]["info"]["idToLabels"].values()


def test_calls_are_told(pictures):
    names = {row["name"] for row in pictures["calls"]}
    assert "omni.replicator.core.orchestrator.step" in names and "omni.replicator.core.annotators.Annotator.get_data" in names
    assert {row["confidence"] for row in pictures["calls"]} <= {"tried", "read", "observed-call"}


def test_textures_films_and_cut_outs(tmp_path):
    """A picture on the plate keeps its corners; half a film over it mixes; what is cut out is not there."""
    from PIL import Image

    picture = np.zeros((2, 2, 4), np.uint8)
    picture[..., 3], picture[0, 0], picture[1, 1] = 255, (255, 255, 255, 255), (0, 0, 0, 0)
    Image.fromarray(picture).save(tmp_path / "p.png")
    out = ran(tmp_path, READY + '''
def shader(path, kind):
    made = UsdShade.Shader.Define(stage, path)
    made.CreateIdAttr(kind)
    return made
surface = UsdShade.Shader(stage.GetPrimAtPath("/World/Red/Surface"))
st = shader("/World/Red/st", "UsdPrimvarReader_float2")
st.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
map = shader("/World/Red/map", "UsdUVTexture")
map.CreateInput("file", Sdf.ValueTypeNames.Asset).Set("./p.png")
map.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(st.CreateOutput("result", Sdf.ValueTypeNames.Float2))
for wrap in ("wrapS", "wrapT"):
    map.CreateInput(wrap, Sdf.ValueTypeNames.Token).Set("clamp")
surface.GetInput("diffuseColor").ConnectToSource(map.CreateOutput("rgb", Sdf.ValueTypeNames.Float3))
surface.CreateInput("opacity", Sdf.ValueTypeNames.Float).ConnectToSource(map.CreateOutput("a", Sdf.ValueTypeNames.Float))
surface.CreateInput("opacityThreshold", Sdf.ValueTypeNames.Float).Set(0.5)
body = UsdGeom.Mesh(stage.GetPrimAtPath("/World/Plate/Chip/body"))
UsdGeom.Imageable(stage.GetPrimAtPath("/World/Plate/Ramps")).MakeInvisible()
clear = taken("/World/Telecentric", ["rgb", "instance_id_segmentation"])
body.CreateDisplayColorAttr([(0, 0, 0)])
body.CreateDisplayOpacityAttr([0.5])
film = taken("/World/Telecentric", ["rgb", "instance_id_segmentation"])
at = lambda data, x, y: data["rgb"][60 - y, 120 + x, :3].tolist()
print("---")
number = clear["instance_id_segmentation"]["data"]
import json
print(json.dumps({"corners": [at(clear, x, y) for x, y in ((-90, 40), (90, 40), (90, -40), (-90, -40))],
                  "empty": [bool(number[row, 210] == number[0, 0]) for row in (100, 20)],
                  "chip": [at(clear, 50, 10), at(film, 50, 10)],
                  "film": film["instance_id_segmentation"]["info"]["idToLabels"][
                      str(film["instance_id_segmentation"]["data"][50, 170])]}))
''')
    told = json.loads(out)
    upper_left, upper_right, hole, lower_left = told["corners"]
    assert min(upper_left) > 185 and max(upper_right) < 60 and hole == [188] * 3 and max(lower_left) < 60
    assert told["empty"] == [True, False] and told["film"] == "/World/Plate/Chip/body"
    before, after = told["chip"]
    assert 20 < after[0] < before[0]


@pytest.mark.parametrize(("fault", "code", "text"), [
    ("exit55", 55, "Exiting app because of dependency solver failure"), ("exit139", 139, ""), ("segfault", -11, ""),
    ("no-gpu", 1, "ERROR_INCOMPATIBLE_DRIVER"), ("nonsense", 1, "unknown fault")])
def test_the_start_fails_as_asked(tmp_path, fault, code, text):
    done = child(tmp_path, '''
try:
    from isaacsim import SimulationApp
    SimulationApp({})
finally:
    print("finally", flush=True)
''', LINETWIN_STANDIN_FAULTS=fault)
    assert done.returncode == code and text in done.stdout + done.stderr
    assert ("finally" in done.stdout) == (fault in ("exit55", "nonsense"))     # SystemExit(1) runs it, yet the status is 55


def test_the_licence(tmp_path):
    code = "from isaacsim import SimulationApp\nprint('imported')"
    ended = child(tmp_path, code, stdin="", OMNI_KIT_ACCEPT_EULA="")
    assert ended.returncode == 1 and "EULA not accepted" in ended.stderr
    refused = child(tmp_path, code, stdin='{"id": 1}\n', OMNI_KIT_ACCEPT_EULA="")
    assert refused.returncode == 0 and "imported" not in refused.stdout        # status 0 says nothing
    assert "imported" in child(tmp_path, code, stdin="Yes\n", OMNI_KIT_ACCEPT_EULA="").stdout


def test_steps_fail_as_asked(tmp_path):
    code = READY + '''
product = rep.create.render_product("/World/Telecentric", (24, 12))
rgb, ids = rep.annotators.get("rgb"), rep.annotators.get("instance_id_segmentation")
rgb.attach([product]), ids.attach([product])
print("---")
for k in range(3):
    rep.orchestrator.step(rt_subframes=2)
    print(k, int(np.asarray(rgb.get_data())[..., :3].max()), sorted(ids.get_data()["info"]["idToLabels"].values())[-1])
'''
    black = ran(tmp_path, code, LINETWIN_STANDIN_FAULTS="black=4").splitlines()
    assert [line.split()[1] for line in black][:2] == ["0", "0"] and int(black[2].split()[1]) > 100
    bare = ran(tmp_path, code, LINETWIN_STANDIN_FAULTS="no-instance-labels,garbage")
    assert "slope" not in bare and "{not json" in bare
    empty = child(tmp_path, code, LINETWIN_STANDIN_FAULTS="no-data")
    assert empty.returncode == 1                                               # get_data gave no array of two axes
    assert child(tmp_path, code, LINETWIN_STANDIN_FAULTS="die=2").returncode == -9
    assert child(tmp_path, code, LINETWIN_STANDIN_FAULTS="exit139-step=1").returncode == 139
    assert "device lost" in child(tmp_path, code, LINETWIN_STANDIN_FAULTS="raise=3").stderr
