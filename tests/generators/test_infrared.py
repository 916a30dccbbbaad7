"""Infrared: band radiance, the camera, and the whole chain on the shipped board (domain reference 4.2, I1 to I3)."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from generators.imaging.infrared import display, expose, see_labelled
from generators.imaging.palette import INFERNO
from generators.imaging.planck import band_of, band_radiance
from scenes.errors import BackendUnavailable, InputError
from scenes.geometry import BOARD_ID, PartKind
from scenes.heat import Cooling, Powered
from scenes.instruments.infrared import InfraredCamera
from scenes.optics import Lighting, Look, looking_down
from scenes.scene import Scene
from scenes.smt.family import SmtFamily
from scenes.smt.layout import layout
from scenes.smt.state import Bridges

LONG, ROOM = (8e-6, 14e-6), 298.15
QUIET = InfraredCamera(netd=0.0, fixed_pattern=0.0, blur=0.0)


# --- Planck -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("band", "kelvin", "expected"), [
    (LONG, 273.15, 35.15), (LONG, 293.15, 49.37), (LONG, 300.0, 54.93), (LONG, 323.15, 76.39), (LONG, 353.15, 110.33),
    (LONG, 373.15, 136.78), (LONG, 500.0, 369.12), ((7.5e-6, 13e-6), 273.15, 32.06), ((7.5e-6, 13e-6), 300.0, 51.48),
    ((7.5e-6, 13e-6), 373.15, 135.37), ((7.5e-6, 13e-6), 500.0, 386.58), ((3e-6, 5e-6), 300.0, 1.866),
])
def test_band_radiance(band, kelvin, expected):
    assert float(band_radiance(kelvin, band)) == pytest.approx(expected, rel=3e-4)     # as printed; bar: 0.1 %


def test_the_slope_and_the_share_of_all_emission():
    band = band_of(LONG)
    assert band.slope(300.0) == pytest.approx(0.838, abs=5e-4)
    assert np.pi * float(band_radiance(300.0, LONG)) / 459.3 == pytest.approx(0.37574, rel=2e-4)


def test_a_temperature_survives_the_way_there_and_back():
    kelvin = np.linspace(200, 650, 5001)
    back = band_of(LONG).temperature(band_radiance(kelvin, LONG).astype(np.float32))
    assert np.abs(back - kelvin).max() < 2e-3
    assert band_of(LONG).temperature(np.array([-1.0, 1e6], np.float32)).tolist() == [150.0, 750.0]


# --- the camera -------------------------------------------------------------------------------------------------------

def grey(emissivity: float, kelvin: float, shape=(8, 8)) -> np.ndarray:
    band = band_of(LONG)
    return np.full(shape, emissivity * band.of(kelvin) + (1 - emissivity) * band.of(ROOM), np.float32)


@pytest.mark.parametrize(("emissivity", "celsius"), [
    (0.95, 77.7), (0.9, 75.4), (0.6, 60.6), (0.3, 44.1), (0.1, 31.7), (0.05, 28.4)])
def test_apparent_temperature_of_80_degrees_in_a_room_of_25(emissivity, celsius):
    seen = expose(grey(emissivity, 353.15), QUIET, np.random.default_rng(0))
    assert seen.dtype == np.float32 and seen[0, 0] - 273.15 == pytest.approx(celsius, abs=0.06)     # bar: 0.1 K


def test_the_emissivity_setting_undoes_it():
    seen = expose(grey(0.6, 353.15), replace(QUIET, emissivity=0.6), np.random.default_rng(0))
    assert seen[0, 0] == pytest.approx(353.15, abs=0.01)


def test_temporal_noise_is_the_netd():
    camera, rng = InfraredCamera(netd=0.04, fixed_pattern=0.0), np.random.default_rng(5)
    frames = np.stack([expose(grey(1.0, 300.0, (120, 160)), camera, rng) for _ in range(40)])
    assert frames.std(axis=0).mean() == pytest.approx(0.04, rel=0.03)
    assert frames.mean() == pytest.approx(300.0, abs=1e-3)
    hot = np.stack([expose(grey(1.0, 373.15, (120, 160)), camera, rng) for _ in range(10)])
    assert 0.5 * 0.04 < hot.std(axis=0).mean() < 0.75 * 0.04              # dL/dT is larger there


def test_the_fixed_pattern_stays_and_belongs_to_the_camera():
    camera, rng = InfraredCamera(netd=0.04, fixed_pattern=0.1, blur=0.0), np.random.default_rng(6)

    def mean(c):
        return np.mean([expose(grey(1.0, 300.0, (64, 96)), c, rng) for _ in range(50)], axis=0)
    one, again, other = mean(camera), mean(camera), mean(replace(camera, serial=1))
    assert one.std() == pytest.approx(0.1, rel=0.1)
    assert np.corrcoef(one.ravel(), again.ravel())[0, 1] > 0.98 and abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.1


@pytest.mark.parametrize("blur", [0.3, 0.6, 1.5])
def test_blur_keeps_the_energy_and_has_the_width_asked(blur):
    point = np.zeros((41, 41), np.float32)
    point[20, 20] = 50.0
    band = band_of(LONG)
    seen = expose(point + 50, replace(QUIET, blur=blur), np.random.default_rng(0))
    spread = band.of(seen.astype(np.float64)) - 50
    spread = spread[12:29, 12:29]                                         # float32 kelvin are grainy: far pixels would add up
    y, x = np.mgrid[-8:9, -8:9]
    assert spread.sum() == pytest.approx(50.0, rel=2e-3)
    assert (spread * x**2).sum() / spread.sum() == pytest.approx(blur**2, rel=0.02)
    assert (spread * y**2).sum() / spread.sum() == pytest.approx(blur**2, rel=0.02)


def test_a_noiseless_camera_draws_as_much():
    a, b = np.random.default_rng(1), np.random.default_rng(1)
    expose(grey(1.0, 300.0), QUIET, a)
    expose(grey(1.0, 300.0), InfraredCamera(), b)
    assert a.random() == b.random()


def test_a_picture_needs_two_axes():
    with pytest.raises(InputError, match="give one band"):
        expose(np.zeros((4, 4, 3), np.float32), QUIET, np.random.default_rng(0))


def test_display_spans_the_palette():
    kelvin = np.linspace(300, 340, 256, dtype=np.float32).reshape(16, 16)
    fixed = display(kelvin, (300.0, 340.0))
    assert fixed.dtype == np.uint8 and fixed.shape == (16, 16, 3)
    assert np.array_equal(fixed[0, 0], INFERNO[0]) and np.array_equal(fixed[-1, -1], INFERNO[255])
    assert np.array_equal(display(kelvin + 100, (300.0, 340.0))[0, 0], INFERNO[255])
    light = fixed.reshape(-1, 3).astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) >= -2).all() and light[-1] - light[0] > 200     # brighter is hotter, everywhere
    assert len(np.unique(display(np.full((8, 8), 300, np.float32)).reshape(-1, 3), axis=0)) == 1
    with pytest.raises(InputError, match="second must be larger"):
        display(kelvin, (340.0, 300.0))


def test_the_palette_is_matplotlibs():
    maps = pytest.importorskip("matplotlib").colormaps
    assert np.array_equal(np.round(np.array(maps["inferno"].colors) * 255).astype(np.uint8), INFERNO)


# --- the whole chain on the shipped board -----------------------------------------------------------------------------

FAMILY, LOOK = SmtFamily(), Look()


@pytest.fixture(scope="module")
def product(examples):
    return FAMILY.product(Scene.read(examples / "inspector.scene.yaml"))


@pytest.fixture(scope="module")
def healthy(product):
    return FAMILY.simulate(product, FAMILY.process(product, {}), np.random.default_rng(3))


CAMERA = looking_down("infrared", (0.020, 0.015), 100e-6, 420, 320)


def look_at(gl, product, state, instrument=QUIET, camera=CAMERA):
    field = FAMILY.heat(product, state, instrument.mode)
    kelvin, labels = see_labelled(gl, FAMILY.geometry(product, state, LOOK), camera, field, instrument, LOOK,
                                  np.random.default_rng(7))
    return kelvin, labels, field


@pytest.fixture(scope="module")
def seen(gl, product, healthy):
    return look_at(gl, product, healthy)


def number(product, reference: str) -> int:
    return [c.reference for c in product.assembly.components].index(reference)


def changed(state, name: str, where, value):
    array = getattr(state, name).copy()
    array[where] = value
    return replace(state, **{name: array})


def inside(mask: np.ndarray, by: int) -> np.ndarray:
    """The mask without its rim."""
    from scipy.ndimage import binary_erosion

    return binary_erosion(mask, iterations=by)


def test_labels_of_the_same_pass_are_those_of_a_colour_picture(gl, product, healthy, seen):
    plain = gl.render(FAMILY.geometry(product, healthy, LOOK), CAMERA, Lighting(), LOOK, outputs={"instance", "part"})
    assert np.array_equal(seen[1].instance, plain.instance) and np.array_equal(seen[1].part, plain.part)


def test_radiances_are_those_of_the_field(product, seen):
    """Pixel by pixel on a package: ε·L(T) + (1 − ε)·L(room) of the temperature that the field has there."""
    kelvin, labels, field = seen
    band, c = band_of(LONG), number(product, "U6")
    package = product.assembly.packages[c]
    top = inside((labels.instance == 2 + c) & (labels.part == PartKind.BODY), 6)
    rows, columns = np.nonzero(top)
    x = 0.020 + (columns + 0.5 - CAMERA.width / 2) * CAMERA.pixel_size
    y = 0.015 - (rows + 0.5 - CAMERA.height / 2) * CAMERA.pixel_size
    points = np.column_stack([x, y, np.full(len(x), package.body[2] + 1e-4)])
    expected = band.temperature((0.93 * band.of(field.at(2 + c, points)) + 0.07 * band.of(ROOM)).astype(np.float32))
    assert len(rows) > 500 and np.abs(kelvin[top] - expected).max() < 0.15     # the marked top lies a little lower or higher
    board = inside((labels.instance == BOARD_ID) & (labels.part == PartKind.BOARD), 4)
    rows, columns = np.nonzero(board)
    x = 0.020 + (columns + 0.5 - CAMERA.width / 2) * CAMERA.pixel_size
    y = 0.015 - (rows + 0.5 - CAMERA.height / 2) * CAMERA.pixel_size
    black = band.of(field.on_board(np.column_stack([x, y])))
    low, high = (band.temperature((e * black + (1 - e) * band.of(ROOM)).astype(np.float32)) for e in (0.92, 0.93))
    lacquer = (kelvin[board] > low - 0.02) & (kelvin[board] < high + 0.02)
    assert lacquer.mean() > 0.97


def test_bare_metal_looks_cold(product, seen):
    kelvin, labels, _ = seen
    board = np.median(kelvin[labels.part == PartKind.BOARD])
    for kind in (PartKind.LEAD, PartKind.PAD):
        assert np.median(kelvin[inside(labels.part == kind, 1)]) < ROOM + 0.3 * (board - ROOM)
    joint = kelvin[labels.part == PartKind.JOINT]
    assert np.percentile(joint, 10) < ROOM + 0.2 * (board - ROOM)
    steep = np.percentile(joint, 95)
    assert steep > ROOM + 0.6 * (board - ROOM)                            # steep solder mirrors the warm board
    assert abs(kelvin[labels.instance == 0].mean() - ROOM) < 0.1


def test_a_powered_part_is_hot_and_cold_where_it_is_missing(gl, product, healthy, seen):
    c = number(product, "U2")
    body = inside(seen[1].instance == 2 + c, 4)
    around = inside(seen[1].part == PartKind.BOARD, 2)
    assert np.median(seen[0][body]) > np.median(seen[0][around]) + 2
    gone = look_at(gl, product, changed(healthy, "present", c, False))[0]
    assert np.median(seen[0][body]) - np.median(gone[body]) > 4


def test_a_tombstone_has_a_cold_end(gl, product, healthy):
    c = number(product, "C5")
    rows = product.assembly.joints
    down, up = np.flatnonzero(rows.component == c)
    state = changed(changed(healthy, "lift", c, np.radians(45)), "gap", up, 1.1e-3)
    state = changed(changed(state, "wetted", up, False), "lift_axis", c,
                    product.assembly.packages[c].terminals[rows.terminal[down]].direction)
    camera = looking_down("infrared", tuple(rows.land_center[[down, up]].mean(axis=0)), 20e-6, 160, 160)
    kelvin, labels, _ = look_at(gl, product, state, replace(QUIET, mode=Cooling()), camera)
    body = inside((labels.instance == 2 + c) & (labels.part == PartKind.BODY), 2)
    y, x = np.nonzero(body)
    pixels = camera.project(np.column_stack([rows.land_center[[down, up]], np.zeros(2)]))
    axis = pixels[1] - pixels[0]
    along = (np.column_stack([x, y]) - pixels[0]) @ axis / (axis @ axis)
    far, near = along > np.quantile(along, 0.8), along < np.quantile(along, 0.2)
    assert kelvin[y[near], x[near]].mean() - kelvin[y[far], x[far]].mean() > 1


def test_a_bridge_between_rails_glows_through_the_lacquer_beside_it(gl, product, healthy, seen):
    rows, pairs = product.assembly.joints, layout(product.assembly)
    chip = np.array([product.assembly.components[c].reference == "C16" for c in rows.component[pairs.first]])
    k = int(np.flatnonzero(chip & [{rows.net[i], rows.net[j]} == {"GND", "3V3"}
                                   for i, j in zip(pairs.first, pairs.second, strict=True)])[0])
    a, b = pairs.first[k:k + 1], pairs.second[k:k + 1]
    state = replace(healthy, bridges=Bridges(a, b, np.array([150e-6]), np.array([60e-6])))
    after, labels, _ = look_at(gl, product, state)
    y, x = np.mgrid[:CAMERA.height, :CAMERA.width]
    at = CAMERA.project(np.array([[*(rows.land_center[a[0]] + rows.land_center[b[0]]) / 2, 0.0]]))[0]
    near = (np.hypot(x - at[0], y - at[1]) < 15) & (labels.part == PartKind.BOARD) & (seen[1].part == PartKind.BOARD)
    rise = after - seen[0]
    assert np.median(rise[near]) > 3 * 0.04 and np.median(rise[near]) > 1.5 * np.median(rise[labels.part == PartKind.BOARD])


def test_cold_solder_is_duller_and_so_warmer_to_see(gl, product, healthy, seen):
    rows = product.assembly.joints
    j = np.flatnonzero(rows.component == number(product, "R13"))
    after = look_at(gl, product, changed(healthy, "roughness", j, 0.40))[0]
    mask = np.isin(seen[1].instance, 2 + len(product.assembly.components) + j)
    assert mask.sum() > 20 and (after - seen[0])[mask].mean() > 1


@pytest.mark.parametrize("mode", [Powered(), Cooling()])
def test_equal_units_give_equal_bytes(gl, product, healthy, mode):
    camera = InfraredCamera(mode=mode)
    one, two = (look_at(gl, product, healthy, camera)[0] for _ in range(2))
    assert one.dtype == np.float32 and one.shape == (CAMERA.height, CAMERA.width) and one.tobytes() == two.tobytes()


def test_more_samples_agree_with_one(gl, product, healthy, seen):
    finer, labels, _ = look_at(gl, product, healthy, replace(QUIET, samples=2))
    assert np.array_equal(labels.instance, seen[1].instance)
    assert abs(finer.mean() - seen[0].mean()) < 0.1
    flat = inside(seen[1].part == PartKind.BOARD, 3)
    assert np.abs((finer - seen[0])[flat]).mean() < 0.05


def test_after_the_oven_heavy_parts_are_hotter_than_the_board(gl, product, healthy):
    kelvin, labels, _ = look_at(gl, product, healthy, replace(QUIET, mode=Cooling(after=5.0)))
    heavy = inside(labels.instance == 2 + number(product, "J2"), 4)
    assert np.median(kelvin[heavy]) > np.median(kelvin[labels.part == PartKind.BOARD]) + 0.5
    assert np.median(kelvin[labels.part == PartKind.BOARD]) > 350


def test_a_perspective_camera_sees_the_same_temperatures(gl, product, healthy, seen):
    camera = looking_down("infrared", (0.020, 0.015), 100e-6, 420, 320, model="perspective")
    kelvin, labels, _ = look_at(gl, product, healthy, camera=camera)
    board = PartKind.BOARD
    assert np.median(kelvin[labels.part == board]) == pytest.approx(np.median(seen[0][seen[1].part == board]), abs=0.1)


def test_a_renderer_without_infrared_says_so(product, healthy):
    class Plain:
        name = "plain"

    with pytest.raises(BackendUnavailable, match="renderer 'plain': draws no infrared; use 'gl'"):
        see_labelled(Plain(), FAMILY.geometry(product, healthy, LOOK), CAMERA, FAMILY.heat(product, healthy, Powered()), QUIET,
                     LOOK, np.random.default_rng(0))
