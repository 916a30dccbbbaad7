"""Units made and judged in blocks are the units made and judged one by one, bit for bit."""
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from smt_fixture import MM, board_of, example

from scenes.smt.acceptance import defects, findings
from scenes.smt.assembly import assemble, placeable
from scenes.smt.draws import normals, uniforms
from scenes.smt.family import FAMILY, SmtProduct
from scenes.smt.layout import layout
from scenes.smt.oven import Oven, reflow_profile
from scenes.smt.placement import place
from scenes.smt.printing import print_paste
from scenes.smt.process import DRIFTS, FAULTS, Fault, Process, drifted
from scenes.smt.profile import load_profile
from scenes.smt.reflow import coldness, lift_angle
from scenes.smt.simulate import simulate, simulate_units

CLASS2, CLASS3 = load_profile("class2"), load_profile("class3")
EVERY_FAULT = (
    Fault("clogged_aperture", 5, 10, values=(0.2,)), Fault("overprint", 6, 12, values=(1.9,)),
    Fault("smear", 40, 80, 81, (300e-6,)), Fault("missing_pick", 7), Fault("slip", 8, values=(3e-4, 1e-4, 0.1)),
    Fault("flipped", 10), Fault("billboard", 1), Fault("polarity", 36), Fault("wrong_reel", 12, values=(14.0,)),
    Fault("bent_lead", 40, 82, values=(200e-6,)), Fault("worn_nozzle", values=(3.0, 0.9)),
    Fault("uneven_heating", 2, 4, values=(6.0,)), Fault("cold_spot", 3, values=(25.0,)),
    Fault("cold_spot", 41, 95, values=(25.0,)), Fault("warpage", 43, values=(120e-6,)),
    Fault("outgassing", joint=130, values=(0.4,)),
    Fault("splash", values=(0.01, 0.01, 2e-4)), Fault("contamination", values=(0.01, 0.02, 2e-3, 1e-3, 0.3, 1e-5, 0.5)),
    Fault("handling_scratch", values=(0.01, 0.01, 0.02, 0.012, 1e-4, 1e-4, 1e-5)))
ROUGH = {"printer.clog": 0.3, "placement.pick_failure": 0.05, "placement.feeder_error": 0.2, "oven.imbalance_k": 6.0,
         "oven.warpage_um": 150.0, "oven.zone7_8_offset_c": -12.0, "handling.ball_rate": 10.0, "handling.residue_rate": 8.0,
         "handling.scratch_rate": 8.0}
PROCESSES = {
    "healthy": Process(), "faults": Process().with_faults(*EVERY_FAULT), "rough": drifted(Process(), ROUGH),
    "both": drifted(Process(), ROUGH).with_faults(*EVERY_FAULT), "unmolten": drifted(Process(), {"oven.zone7_8_offset_c": -80}),
    "no part": drifted(Process(), {"placement.pick_failure": 1.0})}


@pytest.fixture(scope="module")
def shipped(examples):
    """The shipped board's front, without artwork."""
    from scenes.board import read_board
    from scenes.parts import describe
    board = read_board(examples / "boards" / "inspector.kicad_pcb").seen_from("front")
    return assemble(board, "front", [describe(c) for c in placeable(board)], 0.12 * MM)


def streams(count, seed=0):
    return [np.random.default_rng([seed, i]) for i in range(count)]


def same(one, two):
    """Equal in every bit, type and shape; dictionaries in order."""
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and one.shape == two.shape and one.tobytes() == two.tobytes()
    if is_dataclass(one):
        return type(one) is type(two) and all(same(getattr(one, f.name), getattr(two, f.name)) for f in fields(one))
    if isinstance(one, dict):
        return list(one) == list(two) and all(type(one[k]) is type(two[k]) is float and repr(one[k]) == repr(two[k]) for k in one)
    return one == two


def as_text(found):
    """Findings as text, with every digit."""
    return [(f.category, f.defect, f.host, f.pads, f.instances, f.region and f.region.wkb_hex, repr(f.severity), f.rule,
             repr(dict(f.measured))) for f in found]


def test_the_faults_above_are_all_there_are():
    assert {f.kind for f in EVERY_FAULT} == set(FAULTS)


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("board", ["example", "shipped"])
def test_a_block_equals_its_units(board, name, request):
    assembly = example() if board == "example" else request.getfixturevalue("shipped")
    singles = [simulate(assembly, PROCESSES[name], rng) for rng in streams(9)]
    for size in (2, 9):
        rngs = streams(9)
        block = [s for i in range(0, 9, size) for s in simulate_units(assembly, PROCESSES[name], rngs[i:i + size])]
        for one, two in zip(singles, block, strict=True):
            assert same(one, two)
            assert one.digest() == two.digest()
    assert len({s.digest() for s in singles}) == 9


@pytest.mark.parametrize("end", [1, 2], ids=["least", "greatest"])
def test_a_block_equals_its_units_under_every_drift(end):
    for i, (name, drift) in enumerate(DRIFTS.items()):
        process = drifted(Process(), {name: drift[end]})
        one, two = (simulate(example(), process, rng) for rng in streams(2, i))
        assert all(map(same, (one, two), simulate_units(example(), process, streams(2, i)))), name


def test_units_keep_their_order_and_no_units_are_none():
    a = example()
    forth, back = simulate_units(a, PROCESSES["both"], streams(5)), simulate_units(a, PROCESSES["both"], streams(5)[::-1])
    assert [s.digest() for s in forth] == [s.digest() for s in back[::-1]]
    assert simulate_units(a, Process(), []) == () == defects(a, [], CLASS2)


def test_a_board_without_parts_has_units_too():
    board, packages = board_of([])
    empty = assemble(board, "front", packages, 0.12 * MM)
    states = simulate_units(empty, Process(), streams(3))
    assert [len(s.present) for s in states] == [0, 0, 0]
    assert all(map(same, states, (simulate(empty, Process(), rng) for rng in streams(3))))
    assert defects(empty, states, CLASS2) == ((), (), ())


@pytest.mark.parametrize("profile", [CLASS2, CLASS3], ids=lambda p: p.name)
def test_defects_are_the_findings_without_good_parts(profile):
    """In one block: units of every process, so that rules fire on some and not on others."""
    a = example()
    states = [s for p in PROCESSES.values() for s in simulate_units(a, p, streams(4))]
    found = defects(a, states, profile)
    assert len(found) == len(states)
    kinds = set()
    for state, block in zip(states, found, strict=True):
        single = findings(a, state, profile)
        assert as_text(block) == as_text([f for f in single if f.defect])
        assert [f.defect for f in single[len(block):]] == [""] * (len(single) - len(block))     # good parts come last
        kinds |= {f.defect for f in block}
    assert len(kinds) >= 15


def test_the_family_hands_both_on():
    product = SmtProduct(example(), None, CLASS2, example().board)
    states = FAMILY.simulate_units(product, PROCESSES["faults"], streams(3))
    assert all(map(same, states, (FAMILY.simulate(product, PROCESSES["faults"], rng) for rng in streams(3))))
    for profile in (None, CLASS3):
        wanted = [as_text(f for f in FAMILY.findings(product, s, profile) if f.defect) for s in states]
        assert [as_text(f) for f in FAMILY.defects(product, states, profile)] == wanted


# --- the stages below -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("draw", [normals, uniforms])
def test_draws_of_a_block_are_the_streams_own(draw):
    method = {normals: "standard_normal", uniforms: "random"}[draw]
    block = draw(streams(3), 4, 5)
    assert block.shape == (3, 4, 5)
    assert np.array_equal(block, [getattr(rng, method)((4, 5)) for rng in streams(3)])
    assert np.array_equal(draw(streams(1)[0], 4, 5), block[0])


@pytest.mark.parametrize("stage", [print_paste, place])
def test_a_stage_takes_one_stream_or_many(stage):
    a = example()
    block = stage(a, layout(a), PROCESSES["both"], streams(3))
    for i, rng in enumerate(streams(3)):
        one = stage(a, layout(a), PROCESSES["both"], rng)
        for f in fields(one):
            single, many = getattr(one, f.name), getattr(block, f.name)
            if isinstance(single, np.ndarray):
                assert np.array_equal(single, many[i] if many.ndim > single.ndim else many), f.name
            else:
                assert single == many, f.name


def test_time_above_is_exact_whatever_else_is_asked():
    """Zones that are never above any of the temperatures are passed over; that changes nothing."""
    thermal = reflow_profile(Oven())
    at = np.array([[60.0, 151.0, 217.0], [230.0, 245.0, 260.0]])
    alone = [[float(thermal.time_above(np.array(t))) for t in row] for row in at]
    assert np.array_equal(thermal.time_above(at), alone)
    assert (np.diff(np.ravel(alone)) < 0).all() and alone[1][2] == 0
    curve = np.concatenate([gas + (first - gas) * np.exp(-np.linspace(0, thermal.duration, 20001)[:-1] / thermal.tau)
                            for first, gas in zip(thermal.start, thermal.zone, strict=False)])
    counted = [(curve > t).mean() * thermal.duration * len(thermal.zone) for t in at.ravel()]
    assert np.ravel(alone) == pytest.approx(counted, abs=0.01)


def test_leading_axes_are_free():
    rng = np.random.default_rng(0)
    peak, above = rng.uniform(200, 250, (3, 4)), rng.uniform(0, 60, (3, 4))
    assert np.array_equal(coldness(peak, above)[1], coldness(peak[1], above[1]))
    ratio, delay = rng.uniform(0.5, 30, 4), rng.uniform(-9, 9, (3, 4))
    assert np.array_equal(lift_angle(ratio, delay)[2], lift_angle(ratio, delay[2]))
