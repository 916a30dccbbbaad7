"""Temperatures of a surface-mount unit: what a defect does to them, on the shipped board."""
from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from scenes.conduction import steady
from scenes.family import Target
from scenes.heat import Cooling, Powered, TemperatureField
from scenes.scene import Scene
from scenes.smt.family import SmtFamily
from scenes.smt.heat import powered_network, powers, void_share
from scenes.smt.heat_board import plate
from scenes.smt.heat_parts import is_ground, is_rail
from scenes.smt.layout import layout
from scenes.smt.reflow import ball_radius
from scenes.smt.state import Bridges, UnitState, Voids

FAMILY = SmtFamily()


@pytest.fixture(scope="module")
def product(examples):
    return FAMILY.product(Scene.read(examples / "inspector.scene.yaml"))


@pytest.fixture(scope="module")
def healthy(product) -> UnitState:
    return FAMILY.simulate(product, FAMILY.process(product, {}), np.random.default_rng(3))


def number(product, reference: str) -> int:
    return [c.reference for c in product.assembly.components].index(reference)


def joints(product, reference: str) -> np.ndarray:
    return np.flatnonzero(product.assembly.joints.component == number(product, reference))


def part(field: TemperatureField, product, reference: str) -> float:
    return field.of(2 + number(product, reference))


def edge(field: TemperatureField, product, reference: str) -> float:
    return float(field.mean[number(product, reference)])


def changed(state: UnitState, name: str, where, value) -> UnitState:
    array = getattr(state, name).copy()
    array[where] = value
    return replace(state, **{name: array})


def opened(state: UnitState, joint, gap: float = 100e-6) -> UnitState:
    return changed(changed(state, "gap", joint, gap), "wetted", joint, False)


def bytes_of(field: TemperatureField) -> bytes:
    return b"".join(np.ascontiguousarray(getattr(field, f.name)).tobytes() for f in fields(field))


# --- the healthy unit -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", [Powered(), Powered(film=25.0, total=3.0), Powered(air=320.0)])
def test_what_flows_in_flows_out(product, healthy, mode):
    network, source = powered_network(product.assembly, healthy, mode)
    assert (network.loss * steady(network, source)).sum() == pytest.approx(source.sum(), rel=1e-9)     # bar: 0.1 %
    assert (network.conductance >= 0).all() and (network.loss > 0).all() and (network.capacity > 0).all()


def test_total_power_is_shared_out(product, healthy):
    every, rule = (powers(product.assembly, healthy, mode) for mode in (Powered(total=2.0), Powered()))
    assert every.sum() == pytest.approx(2.0, rel=1e-3)                    # contact resistances add their own microwatts
    assert np.allclose(every / every.sum(), rule / rule.sum(), atol=1e-4)


def test_a_powered_board_is_as_warm_as_such_boards_are(product, healthy):
    field = FAMILY.heat(product, healthy, Powered())
    hottest = max(part(field, product, c.reference) for c in product.assembly.components)
    assert 303 < field.board.min() < field.board.max() < hottest < 360
    assert part(field, product, "U2") > field.board.mean() + 2            # a processor stands out …
    assert abs(part(field, product, "C12") - edge(field, product, "C12")) < 0.5   # … a capacitor does not


def test_heat_spreads_by_the_copper_of_every_layer(product):
    board = product.board
    made = plate(board)
    bare = plate(replace(board, layers=tuple(a for a in board.layers if a.kind != "copper")))
    front = plate(replace(board, layers=tuple(a for a in board.layers if a.kind != "copper" or a.side == "front")))
    assert 10 < (made.sheet[made.solid] / board.thickness).mean() < 50    # W/(m K), domain reference 4.2
    assert (made.sheet >= front.sheet - 1e-12).all() and (front.sheet >= bare.sheet - 1e-12).all()
    assert made.sheet.sum() > 1.3 * front.sheet.sum() > 3 * bare.sheet.sum()
    assert bare.sheet[made.solid].max() == pytest.approx(0.3 * board.thickness)


def test_equal_states_give_equal_bytes(product, healthy):
    for mode in (Powered(), Cooling()):
        assert bytes_of(FAMILY.heat(product, healthy, mode)) == bytes_of(FAMILY.heat(product, healthy, mode))


def test_net_names():
    assert all(is_ground(n) for n in ("GND", "AGND", "/GND", "PGND1", "VSS", "GNDA"))
    assert all(is_rail(n) for n in ("3V3", "+3.3V", "+5V", "/+5V_USB", "VCC", "VBUS", "VIN", "VDD_IO", "1.8V", "AVDD"))
    assert not any(is_rail(n) or is_ground(n) for n in ("", "SDA", "VOICE", "NRST", "Net-(D3-K)", "LED1", "VSENSE"))


# --- defects ----------------------------------------------------------------------------------------------------------

def test_a_missing_part_is_no_hot_spot(product, healthy):
    before = FAMILY.heat(product, healthy, Powered())
    after = FAMILY.heat(product, changed(healthy, "present", number(product, "U2"), False), Powered())
    place = product.assembly.position[number(product, "U2")]
    rest = np.delete(before.board, 0).mean() - np.delete(after.board, 0).mean()
    assert before.on_board(place) - after.on_board(place) > rest + 0.5    # colder here than what the board lost on average
    assert part(before, product, "U2") - part(after, product, "U2") > 4
    assert powers(product.assembly, changed(healthy, "present", number(product, "U2"), False), Powered())[
        number(product, "U2")] == 0


@pytest.mark.parametrize("mode", [Powered(), Cooling()])
@pytest.mark.parametrize("reference", ["R13", "C5"])
def test_the_lifted_end_of_a_tombstone_is_colder(product, healthy, mode, reference):
    c, (down, up) = number(product, reference), joints(product, reference)
    rows, package = product.assembly.joints, product.assembly.packages[c]
    state = opened(healthy, up, 1.5e-3)
    state = changed(state, "lift", c, np.radians(70))
    state = changed(state, "lift_axis", c, package.terminals[rows.terminal[down]].direction)
    field = FAMILY.heat(product, state, mode)
    gradient = field.gradient[c]
    assert gradient[2] < 0                                                # it stands: the upper end is the free one
    drop = np.linalg.norm(gradient) * package.body[np.argmax(package.body[:2])]
    assert drop > (0.2 if reference == "R13" else 1.0)                    # alumina evens out, a capacitor's ceramic does not
    if isinstance(mode, Powered) and reference == "R13":
        assert part(FAMILY.heat(product, healthy, mode), product, reference) - part(field, product, reference) > 2   # no current


@pytest.mark.parametrize("reference", ["R13", "R4", "U3"])
def test_cold_and_thin_joints_leave_a_part_warmer(product, healthy, reference):
    j = joints(product, reference)
    before, cold, thin, much = (part(FAMILY.heat(product, state, Powered()), product, reference) for state in (
        healthy, changed(healthy, "roughness", j, 0.40), changed(healthy, "volume", j, 0.1 * healthy.volume[j]),
        changed(healthy, "volume", j, 2.0 * healthy.volume[j])))
    assert cold - before > 0.05 and thin - before > 0.02
    assert abs(much - before) < 0.2 * (cold - before)


def test_a_void_raises_the_junction_temperature_steadily(product, healthy):
    balls = joints(product, "U2").astype(np.int32)
    radius = ball_radius(product.assembly, healthy.standoff)[balls]
    seen = []
    for share in (0.0, 0.1, 0.25, 0.4):
        state = replace(healthy, voids=Voids(balls, np.zeros((len(balls), 3)), np.sqrt(share) * radius))
        assert np.allclose(void_share(product.assembly, state)[balls], share)
        seen.append(part(FAMILY.heat(product, state, Powered()), product, "U2"))
    assert (np.diff(seen) > 1e-3).all()
    # solder in series with everything else: the rise follows 1 / (1 − f)
    excess = 1 / (1 - np.array([0.1, 0.25, 0.4])) - 1
    assert np.allclose((np.array(seen[1:]) - seen[0]) / excess, (seen[3] - seen[0]) / excess[2], rtol=0.05)


def test_an_open_supply_leaves_the_part_cold_and_an_open_signal_does_not(product, healthy):
    rows = product.assembly.joints
    rail = [j for j in joints(product, "U4") if is_rail(rows.net[j])]
    signal = [j for j in joints(product, "U4") if not is_rail(rows.net[j]) and not is_ground(rows.net[j])]
    before = FAMILY.heat(product, healthy, Powered())
    dead = FAMILY.heat(product, opened(healthy, rail), Powered())
    alive = FAMILY.heat(product, opened(healthy, signal[0]), Powered())
    assert part(before, product, "U4") - part(dead, product, "U4") > 2
    assert part(alive, product, "U4") >= part(before, product, "U4")
    # the land of a lifted lead is no longer heated by its part
    identity = 2 + len(product.assembly.components) + signal[0]
    assert alive.of(identity) < before.of(identity)


def test_head_in_pillow_opens_a_ball(product, healthy):
    ball = joints(product, "U2")[0]
    before, after = (FAMILY.heat(product, s, Powered()) for s in (healthy, opened(healthy, ball, 10e-6)))
    assert part(after, product, "U2") > part(before, product, "U2")


def test_a_turned_diode_blocks(product, healthy):
    c = number(product, "D1")
    turned = changed(changed(healthy, "rotation", c, np.pi), "offset", c, 2 * layout(product.assembly).centroid[c])
    before, after = (FAMILY.heat(product, s, Powered()) for s in (healthy, turned))
    assert powers(product.assembly, turned, Powered())[c] == 0
    assert part(before, product, "D1") - part(after, product, "D1") > 3


def test_a_bridge_between_rails_is_a_hot_line(product, healthy):
    rows, pairs = product.assembly.joints, layout(product.assembly)
    k = next(k for k in range(len(pairs.first)) if {rows.net[pairs.first[k]], rows.net[pairs.second[k]]} == {"GND", "3V3"})
    a, b = pairs.first[k:k + 1], pairs.second[k:k + 1]
    state = replace(healthy, bridges=Bridges(a, b, np.array([150e-6]), np.array([60e-6])))
    before, after = (FAMILY.heat(product, s, Powered()) for s in (healthy, state))
    neck = after.of(int(after.ids[-1]))
    middle = (rows.land_center[a[0]] + rows.land_center[b[0]]) / 2
    assert after.on_board(middle) - before.on_board(middle) > 1
    assert neck > after.on_board(middle) + 0.3
    far = np.abs(after.board - before.board).min()
    assert after.on_board(middle) - before.on_board(middle) > 2 * far
    # unpowered there is no current, and no source
    cool = FAMILY.heat(product, state, Cooling())
    assert abs(cool.of(int(cool.ids[-1])) - cool.on_board(middle)) < 0.5


def test_a_bridge_on_one_net_carries_nothing(product, healthy):
    rows, pairs = product.assembly.joints, layout(product.assembly)
    k = next(k for k in range(len(pairs.first)) if rows.net[pairs.first[k]] != "")
    same = product.assembly.joints.net
    joint = pairs.first[k]
    twin = next(j for j in range(len(same)) if j != joint and same[j] == same[joint])
    state = replace(healthy, bridges=Bridges(np.array([joint], np.int32), np.array([twin], np.int32), np.array([150e-6]),
                                             np.array([60e-6])))
    network, source = powered_network(product.assembly, state, Powered())
    assert source[:len(network.loss) - len(product.assembly.components)].sum() == 0


@pytest.mark.parametrize("defect", [d.name for d in FAMILY.taxonomy.defects])
def test_every_defect_has_finite_temperatures_between_the_room_and_the_oven(product, defect):
    rng = np.random.default_rng(11)
    host = FAMILY.hosts(product, defect)[0]
    process = FAMILY.condition(product, FAMILY.process(product, {}), Target(defect, host=host), rng)
    state = FAMILY.simulate(product, process, rng)
    for mode in (Powered(), Cooling()):
        field = FAMILY.heat(product, state, mode)
        points = np.concatenate([field.middle + field.reach[:, None] * v for v in np.eye(3)])
        seen = np.concatenate([field.board.ravel(), field.mean, field.mean + field.rise,
                               *(field.at(int(i), points) for i in field.ids[::40])])
        assert np.isfinite(seen).all() and seen.min() > mode.air - 1e-6 and seen.max() < 430
        assert len(field.ids) == len(product.assembly.components) + len(product.assembly.joints) + len(state.bridges.first)
        assert (np.diff(field.ids.astype(int)) > 0).all() and (field.reach > 0).all()
        assert mode == Powered() or seen.max() < mode.start


# --- after the oven ---------------------------------------------------------------------------------------------------

def test_heavy_parts_lag_and_everything_cools(product, healthy):
    early, late = (FAMILY.heat(product, healthy, Cooling(after=t)) for t in (5.0, 120.0))
    assert early.board.min() > late.board.max() > 298.15
    heavy = number(product, "J2")
    assert part(early, product, "J2") > early.on_board(product.assembly.position[heavy]) + 0.5
    gone = FAMILY.heat(product, changed(healthy, "present", heavy, False), Cooling(after=5.0))
    place = product.assembly.position[heavy]
    assert early.on_board(place) - gone.on_board(place) > 0.3             # it kept the board warm


def test_long_after_the_oven_all_is_at_room_temperature(product, healthy):
    field = FAMILY.heat(product, healthy, Cooling(after=3600.0))
    assert np.allclose(field.board, 298.15, atol=1.0)


def test_the_field_is_found_by_id_and_place(product, healthy):
    field = FAMILY.heat(product, healthy, Powered())
    rows = len(field.board)
    x0, y0 = field.origin
    corner = np.array([x0 + 0.5 * field.cell, y0 + (rows - 0.5) * field.cell])
    assert field.on_board(corner) == pytest.approx(field.board[0, 0])
    between = corner + np.array([0.5 * field.cell, 0.0])
    assert field.on_board(between) == pytest.approx(field.board[0, :2].mean())
    assert field.at(10**6, np.array([*corner, 0.0])) == pytest.approx(field.board[0, 0])
    c = number(product, "U2")
    assert field.at(2 + c, field.middle[c]) == pytest.approx(field.of(2 + c))
    with pytest.raises(ValueError, match="no such thing"):
        field.of(10**6)
