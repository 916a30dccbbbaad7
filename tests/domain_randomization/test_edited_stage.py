"""A stage edited with pxr alone shows every edit in the next picture, as much as physics says it should."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import edited_stage as hand
import numpy as np
import pytest

from domain_randomization.recipe import Recipe
from domain_randomization.sampling import Context, make_sample
from domain_randomization.stage import contents
from scenes.errors import RecipeError
from scenes.scene import Scene
from scenes.usd.authored import keep
from scenes.usd.write import write

pytest.importorskip("pxr")
Picture = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Iterator[tuple[Path, Context]]:
    """A stage as ``linetwin scene usd`` writes it (without machines), and the context that it was written from."""
    folder = tmp_path_factory.mktemp("authored")
    (folder / "boards").mkdir()
    shutil.copyfile(examples / "boards" / "inspector.kicad_pcb", folder / "boards" / "inspector.kicad_pcb")
    (folder / "scene.yaml").write_text(hand.SCENE)
    scene = Scene.read(folder / "scene.yaml")
    with Context(scene, Recipe.parse(hand.STILL)) as context:
        keep(write(contents(context, textures=False, machines=False), folder / "stage"), scene)
        yield folder / "stage", context


@pytest.fixture(scope="module")
def plain(line: tuple[Path, Context]) -> Any:
    """What the scene shows without edits."""
    return look(line[1].scene, line[1])


@pytest.fixture
def stage(line: tuple[Path, Context], tmp_path: Path) -> Path:
    """A copy to edit."""
    shutil.copytree(line[0], tmp_path / "stage")
    return tmp_path / "stage"


def look(scene: Scene, base: Context, recipe: str = hand.STILL) -> Any:
    """The first sample of a scene; the renderer is the one that is open."""
    same = not (scene.edits.parts or scene.edits.materials or scene.edits.paints)
    context = Context(scene, Recipe.parse(recipe), "gl", base.product if same else None)
    context.__dict__["renderer"] = base.renderer
    return make_sample(context, 0)


class Label(NamedTuple):
    category: str
    defect: str
    box: tuple[int, int, int, int]  # x, y, w, h of what is visible
    area: int


def labels(sample: Any) -> dict[str, Label]:
    """Reference designator → its label."""
    out = {}
    for found in (i for i in sample.instances if i.component):
        rows, columns = np.nonzero(found.visible)
        box = (int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
        out[found.component] = Label(found.category, found.defect, box, len(rows))
    return out


def linear(rgb: Picture) -> Picture:
    """IEC 61966-2-1."""
    c = rgb.astype(float) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(value: Picture) -> Picture:
    """CIE L*a*b* (D65) of linear sRGB, (..., 3)."""
    xyz = (
        value
        @ np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]).T
    )
    t = xyz / np.array([0.95047, 1.0, 1.08883])
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def test_a_stage_that_nobody_edited_is_the_scene_itself(line: tuple[Path, Context]) -> None:
    folder, context = line
    again = Scene.read(folder / "line.usda")
    assert again.digest() == context.scene.digest() and again.product_digest() == context.scene.product_digest()
    assert again.edits == context.scene.edits and again.text == context.scene.text
    assert Recipe.parse(hand.STILL).digest(again) == context.digest


def test_a_moved_camera_shifts_the_picture_by_whole_pixels(line: tuple[Path, Context], plain: Any, stage: Path) -> None:
    usd = hand.opened(stage)
    hand.moved(usd.GetPrimAtPath(f"{hand.BENCH}/Camera_top"), 50 * hand.PIXEL, -25 * hand.PIXEL)
    usd.Save()
    scene = Scene.read(stage / "line.usda")
    assert [e.camera for e in scene.edits.cameras] == ["Camera_top"] and not scene.edits.not_carried
    before, after = plain.frames[0], look(scene, line[1]).frames[0]
    # the camera went right and down: what was 50 columns and 25 rows further is here now
    old, new = before.labels["instance"][25:, 50:], after.labels["instance"][:-25, :-50]
    assert np.mean(old == new) > 0.9995 and len(np.unique(old)) > 50
    assert np.median(np.abs(before.images["rgb"][25:, 50:].astype(int) - after.images["rgb"][:-25, :-50])) <= 2
    assert np.mean(before.labels["instance"] == after.labels["instance"]) < 0.9


def test_a_longer_lens_and_a_raised_camera(line: tuple[Path, Context], plain: Any, stage: Path) -> None:
    """Perspective: at height h the field is w·h/f, so f doubled and h up by a half is a picture 4/3 as large."""
    from pxr import UsdGeom

    usd = hand.opened(stage)
    camera = UsdGeom.Camera(usd.GetPrimAtPath(f"{hand.BENCH}/Camera_top"))
    camera.GetProjectionAttr().Set("perspective")
    camera.GetFocalLengthAttr().Set(2 * camera.GetFocalLengthAttr().Get())
    hand.moved(camera.GetPrim(), 0, 0, z=0.1)
    usd.Save()
    scene = Scene.read(stage / "line.usda")
    (edit,) = scene.edits.cameras
    assert edit.model == "perspective" and edit.pixel_size == pytest.approx(hand.PIXEL / 2) and edit.distance is None
    sample = look(scene, line[1])
    depth, instance = sample.frames[0].labels["depth"], sample.frames[0].labels["instance"]
    assert np.median(depth[instance == 1]) == pytest.approx(0.3, abs=1e-4)  # nothing is cut off: it was 0.2 m away
    wide, then = labels(sample), labels(plain)
    for host in ("U1", "U2", "U6"):  # body tops are 1 mm nearer than the board
        assert wide[host].box[2] / then[host].box[2] == pytest.approx(4 / 3, rel=0.02)


def test_a_new_camera_is_one_more_view(line: tuple[Path, Context], stage: Path) -> None:
    """A pinhole: a point p metres beside the axis at depth z is at f·p/z on the sensor, which is horizontalAperture wide."""
    from pxr import Gf, UsdGeom

    eye, target = np.array([0.02, -0.09, 0.12]), np.array([0.02, 0.013, 0.0])
    usd = hand.opened(stage)
    camera = UsdGeom.Camera.Define(usd, f"{hand.BENCH}/Camera_oblique")
    view = Gf.Matrix4d().SetLookAt(Gf.Vec3d(*eye.tolist()), Gf.Vec3d(*target.tolist()), Gf.Vec3d(0, 0, 1))
    camera.AddTransformOp().Set(view.GetInverse())
    camera.CreateHorizontalApertureAttr(0.2)  # tenths of a metre: 20 mm
    camera.CreateFocalLengthAttr(0.5)  # 50 mm
    usd.Save()
    scene = Scene.read(stage / "line.usda")
    sample = look(scene, line[1], hand.STILL.replace("margin_mm: 1", "margin_mm: 1, tiles: all"))
    assert [f.camera for f in sample.frames] == ["top", "oblique"]
    height, width = sample.frames[1].images["rgb"].shape[:2]
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.array([1.0, 0.0, 0.0])
    seen = next(i for i in sample.instances if i.frame == 1 and i.component == "U2").visible
    middle = np.array([28e-3, 16e-3, 1e-3]) - eye  # of its top, as the board file places it
    depth = middle @ forward
    column = width / 2 + middle @ right / depth * 50e-3 / 20e-3 * width
    row = height / 2 - middle @ np.cross(right, forward) / depth * 50e-3 / 20e-3 * width
    rows, columns = np.nonzero(seen)
    assert (columns.mean(), rows.mean()) == pytest.approx((column, row), abs=0.006 * width)


def test_a_second_lamp_doubles_the_light(line: tuple[Path, Context], stage: Path) -> None:
    """Light adds up: two equal lamps, or one of twice the intensity, give twice the picture of one, whatever the surface."""
    from pxr import UsdLux

    def seen(edit: Any) -> tuple[Picture, Scene]:
        folder = stage.parent / edit.__name__
        shutil.copytree(stage, folder)
        usd = hand.opened(folder)
        usd.GetPrimAtPath(f"{hand.BENCH}/Light_dome").SetActive(False)
        edit(usd)
        usd.Save()
        scene = Scene.read(folder / "line.usda")
        return linear(look(scene, line[1]).frames[0].images["rgb"]), scene

    def one(usd: Any) -> None:
        pass

    def brighter(usd: Any) -> None:
        lamp = UsdLux.DistantLight(usd.GetPrimAtPath(f"{hand.BENCH}/Light_directional_0"))
        lamp.GetExposureAttr().Set(1.0)  # one stop

    def another(usd: Any) -> None:
        new = UsdLux.DistantLight.Define(usd, f"{hand.BENCH}/Key")
        old = UsdLux.DistantLight(usd.GetPrimAtPath(f"{hand.BENCH}/Light_directional_0"))
        new.CreateIntensityAttr(old.GetIntensityAttr().Get())
        new.CreateColorAttr(old.GetColorAttr().Get())
        new.CreateNormalizeAttr(True)
        new.AddTransformOp().Set(old.GetPrim().GetAttribute("xformOp:transform").Get())
        UsdLux.ShadowAPI.Apply(new.GetPrim()).CreateShadowEnableAttr(False)

    single, scene = seen(one)
    assert scene.stations[0].lighting is not None and scene.stations[0].lighting.dome == (0, 0, 0)
    for edit in (brighter, another):
        double, scene = seen(edit)
        assert not scene.edits.not_carried and not scene.edits.approximated
        clear = (double.max(axis=2) < 0.9) & (single.min(axis=2) > 0.02)
        assert clear.mean() > 0.1
        assert np.median(double[clear] / single[clear]) == pytest.approx(2, rel=0.01)


def test_a_recoloured_material_has_its_new_colour(line: tuple[Path, Context], plain: Any, stage: Path) -> None:
    """Diffuse light is linear in the base colour: new = old + (c' − c) · k with one k, here from the red channel."""
    color = (0.25, 0.05, 0.4)
    usd = hand.opened(stage)
    hand.recolour(usd, "epoxy_black", color)
    usd.Save()
    scene = Scene.read(stage / "line.usda")
    assert scene.edits.materials[0].base_color == color and not scene.edits.parts
    before, after = plain, look(scene, line[1])
    assert np.array_equal(before.frames[0].labels["instance"], after.frames[0].labels["instance"])
    old, new = (linear(s.frames[0].images["rgb"]) for s in (before, after))
    x, y, w, h = labels(before)["U1"].box
    inside = np.s_[y + 2 * h // 5 : y + 3 * h // 5, x + 2 * w // 5 : x + 3 * w // 5]
    then, now = np.median(old[inside], axis=(0, 1)), np.median(new[inside], axis=(0, 1))
    from scenes.materials import TABLE, index

    change = np.array(color) - TABLE[index("epoxy_black")].base_color
    k = (now - then)[0] / change[0]
    # a level white diffuser: dome 0.3 and lamp 0.2 · sin 60°, less what a dielectric reflects at its surface (F0 0.04)
    assert k == pytest.approx(0.3 + 0.2 * np.sin(np.pi / 3), rel=0.08)
    assert np.linalg.norm(lab(then + change * k) - lab(now)) < 1.0  # ΔE*ab between predicted and seen
    assert np.linalg.norm(lab(then) - lab(now)) > 20
    board = before.frames[0].labels["instance"] == 1
    assert np.median(np.abs(old - new)[board]) < 2e-3


def test_a_new_material_is_worn_by_one_part_alone(line: tuple[Path, Context], stage: Path) -> None:
    from pxr import UsdShade

    usd = hand.opened(stage)
    lime = hand.material(usd, "lime", (0.1, 0.8, 0.05))
    part = usd.GetPrimAtPath("/World/Unit/Parts/U4")
    UsdShade.MaterialBindingAPI.Apply(part).Bind(lime, UsdShade.Tokens.strongerThanDescendants)
    usd.Save()
    scene = Scene.read(stage / "line.usda")
    assert {(p.parts, p.now) for p in scene.edits.paints} == {(("U4",), "lime")} and not scene.edits.not_carried
    sample = look(scene, line[1])
    for host, green in (("U4", True), ("U5", False)):
        x, y, w, h = labels(sample)[host].box
        red, lush, _ = np.median(
            linear(sample.frames[0].images["rgb"])[y + h // 3 : y + 2 * h // 3, x + w // 3 : x + 2 * w // 3], axis=(0, 1)
        )
        assert (lush > 3 * red) == green


def test_parts_moved_replaced_and_taken_away_change_the_labels(line: tuple[Path, Context], plain: Any, stage: Path) -> None:
    usd = hand.opened(stage)
    hand.replace_part(usd, "R20", "R1")  # an 0805 becomes an 0402
    hand.moved(usd.GetPrimAtPath(f"{hand.BENCH}/Product/Parts/U5"), -20 * hand.PIXEL, -10 * hand.PIXEL)
    hand.moved(usd.GetPrimAtPath("/World/Unit/Parts/C2"), 0, 0, turn_deg=90)
    usd.GetPrimAtPath("/World/Unit/Parts/C1").SetActive(False)
    usd.Save()
    scene = Scene.read(stage / "line.usda")
    assert {e.reference for e in scene.edits.parts} == {"R20", "U5", "C2", "C1"} and not scene.edits.not_carried
    before, after = labels(plain), labels(look(scene, line[1]))
    assert "C1" in before and "C1" not in after and set(before) - set(after) == {"C1"}
    chip = 1.0e-3 * 0.5e-3 / hand.PIXEL**2  # EIA 0402 from above, [px]
    assert after["R20"].area == pytest.approx(chip, rel=0.06) and before["R20"].area == pytest.approx(5 * chip, rel=0.06)
    assert after["R20"].category == "chip_resistor"
    # without C1 every draw of placing differs: a few µm
    shift = after["U5"].box[0] - before["U5"].box[0], after["U5"].box[1] - before["U5"].box[1]
    assert shift == pytest.approx((-20, 10), abs=1) and after["U5"].area == pytest.approx(before["U5"].area, rel=0.02)
    assert after["C2"].box[2:] == pytest.approx(before["C2"].box[3:1:-1], abs=1)  # width and height change places
    assert all(not a.defect for a in after.values())  # a changed design is no defect


def test_heat_and_x_rays_take_a_materials_other_numbers(line: tuple[Path, Context], stage: Path) -> None:
    """A bare-metal body hides its warmth, and aluminium lets through what it lets through."""
    from pxr import Vt

    usd = hand.opened(stage)
    body = usd.GetPrimAtPath("/World/Looks/epoxy_black")
    body.GetAttribute("twin:thermal:emissivity").Set(0.1)
    body.GetAttribute("twin:xray:elements").Set(Vt.StringArray(["Al"]))
    body.GetAttribute("twin:xray:mass_fractions").Set(Vt.DoubleArray([1.0]))
    body.GetAttribute("twin:thermal:density").Set(2699.0)
    usd.Save()
    scene = Scene.read(stage / "line.usda")
    assert not scene.edits.not_carried
    from generators.imaging.xray import coefficients
    from generators.imaging.xray_beam import beam
    from scenes.materials import TABLE, index

    machine = scene.stations[2].xray
    assert machine is not None
    rows = coefficients(machine, scene.edits.table())
    dark, bright = (rows[index(n)] @ beam(machine).attenuation for n in ("epoxy_black", "aluminium"))  # µ [1/m]
    assert dark == pytest.approx(bright, rel=1e-4)
    others = [k for k in range(len(TABLE)) if k != index("epoxy_black")]
    assert np.array_equal(rows[others], coefficients(machine)[others])
    warm = hand.STILL + "modalities: [thermal]\n"
    before, after = (look(s, line[1], warm) for s in (line[1].scene, scene))
    x, y, w, h = labels(before)["U1"].box
    inside = np.s_[y + h // 4 : y + 3 * h // 4, x + w // 4 : x + 3 * w // 4]
    room = 298.15
    hot, cool = (np.median(s.frames[0].images["thermal"][inside]) - room for s in (before, after))
    assert hot > 5 and cool / hot == pytest.approx(0.1 / 0.93, abs=0.06)


def test_edits_are_in_the_digest_and_what_is_not_carried_is_not(line: tuple[Path, Context], stage: Path) -> None:
    recipe = Recipe.parse(hand.STILL)
    digests = {line[1].digest}
    for edit in (
        lambda u: u.DefinePrim("/World/Marker", "Cube"),
        lambda u: hand.recolour(u, "copper", (0.5, 0.5, 0.5)),
        lambda u: hand.moved(u.GetPrimAtPath(f"{hand.BENCH}/Camera_top"), 1e-3, 0),
        lambda u: hand.moved(u.GetPrimAtPath("/World/Unit/Parts/R1"), 1e-4, 0),
    ):
        usd = hand.opened(stage)
        edit(usd)
        usd.Save()
        scene = Scene.read(stage / "line.usda")
        assert Scene.read(stage / "line.usda").digest() == scene.digest()
        digests.add(recipe.digest(scene))
        assert scene.edits.not_carried == ("/World/Marker: is new; no part of a scene",)
    assert len(digests) == 4  # the marker changed nothing
    assert scene.product_digest() != line[1].scene.product_digest()


def test_frames_that_the_edited_camera_does_not_have_are_refused(line: tuple[Path, Context], stage: Path) -> None:
    usd = hand.opened(stage)
    hand.moved(usd.GetPrimAtPath(f"{hand.BENCH}/Camera_top"), 1e-3, 0)
    usd.Save()
    scene = Scene.read(stage / "line.usda")
    with pytest.raises(RecipeError, match="were edited in the scene's stage") as error:
        look(scene, line[1], hand.STILL.replace("{margin_mm: 1}", "{view: tiles, width: 256, height: 256}"))
    assert "\n" not in str(error.value)
    finer = look(scene, line[1], hand.STILL.replace("{margin_mm: 1}", "{margin_mm: 1, pixel_um: 80}"))
    assert finer.frames[0].view["pixel_size"] == pytest.approx(80e-6)
    assert finer.frames[0].view["pose"][3] == pytest.approx(21e-3, abs=1e-9)  # the middle of 40 mm, and one more


def test_the_example_of_the_documentation(stage: Path, examples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (examples.parent / "docs" / "simulation-engineers.md").read_text()
    monkeypatch.chdir(stage.parent)
    exec(text.split("## Editing a stage by hand")[1].split("```python\n")[1].split("```")[0], {})
    edits = Scene.read(stage / "line.usda").edits
    assert [c.pose[3] for c in edits.cameras if c.pose] == [pytest.approx(22e-3)]
    assert [e.light for e in edits.lights] == ["Key"] and [m.name for m in edits.materials] == ["epoxy_black"]
    assert {(p.reference, p.removed, p.like) for p in edits.parts} == {("C1", True, ""), ("R20", False, "R1")}
    assert not edits.not_carried and len(edits.approximated) == 2
