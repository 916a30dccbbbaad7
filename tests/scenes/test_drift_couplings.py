"""From severity to the process: closed forms, the same constants on both sides, and only what is touched moves."""
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.stats import binom, norm
from smt_fixture import MM, board_of, chip, example

from scenes.line import couplings
from scenes.line.drifts import KINDS
from scenes.line.model import Drift, Line, StationFlow
from scenes.smt import placement, printing
from scenes.smt.assembly import assemble
from scenes.smt.layout import layout
from scenes.smt.oven import Oven, reflow_profile
from scenes.smt.process import DRIFTS, FEEDERS, NOZZLES, Placement, Printer, Process, drifted, from_dict, to_dict
from scenes.smt.simulate import simulate

STATIONS = tuple(StationFlow(i, k, f"L/{i}", (), 20.0) for i, k in (
    ("printer", "printer"), ("p1", "placement"), ("p2", "placement"), ("reflow", "reflow"), ("aoi", "aoi"), ("axi", "axi")))
MODULES = {"": "", "nozzle": "nozzle3", "feeder": "feeder2", "zone": "zone7"}


def line(*drifts: Drift, stations=STATIONS) -> Line:
    return Line("L", 24.0, stations, drifts)


def one(kind: str, station: str = "") -> Drift:
    own = {"placement": "p1"}.get(KINDS[kind].station, KINDS[kind].station)
    return Drift(kind + station, kind, station or own, MODULES[KINDS[kind].module])


# --- names and constants --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_severity_is_a_process_or_an_instrument_condition(kind):
    here, healthy = line(one(kind)), drifted(Process(), couplings.process_drifts(line(), np.zeros(0), 3))
    assert drifted(Process(), couplings.process_drifts(here, np.zeros(1), 3)) == healthy
    for s in (1e-6, 0.3, 0.7, 1.0):
        names = couplings.process_drifts(here, np.array([s]), 40)
        assert set(names) <= set(DRIFTS)
        process = drifted(Process(), names)                               # refuses what is out of range
        instrument = couplings.instrument_drifts(here, np.array([s]))
        assert (KINDS[kind].acts == "instrument") == bool(instrument)
        if KINDS[kind].acts == "instrument":
            assert process == drifted(Process(), couplings.process_drifts(line(), np.zeros(0), 40))
    assert from_dict(to_dict(process)) == process


def test_line_and_process_have_the_same_constants():
    assert couplings.SETPOINTS == Oven().zones and couplings.SHAKE == Oven().shake
    assert (couplings.NOZZLES, couplings.FEEDERS) == (NOZZLES, FEEDERS)
    assert couplings.VACUUM == Placement().vacuum and couplings.WORN_VACUUM == placement.WORN_VACUUM
    assert (couplings.REGULATED, couplings.FULL_VACUUM) == placement.SUPPLY
    assert (couplings.VACUUM_LIMIT, couplings.VACUUM_SCALE) == (placement.VACUUM_LIMIT, placement.VACUUM_SCALE)
    assert (couplings.FORCE, couplings.OFFSET) == (Printer().force, Printer().offset_std) and printing.FORCE[0] == couplings.FORCE
    assert couplings.AMBIENT == Oven().ambient and couplings.BELT_SPEED == Oven().speed / 60
    a = example()
    for wear in (0.0, 1.0, 1.3):                                          # new, worn, and beyond: −47.5 kPa
        placed = placement.place(a, layout(a), Process(placement=Placement(wear=(wear,) * 8)), np.random.default_rng(1))
        fall = 1 / (1 + np.exp(-(placed.vacuum - couplings.VACUUM_LIMIT) / couplings.VACUUM_SCALE))
        assert placed.retries / len(a.components) == pytest.approx(couplings.RETRIES + couplings.FALL_RETRIES * fall, rel=1e-9)


def test_spi_volume_is_the_printers():
    a = example()
    settings = Printer(clog=0.3, gasket=20e-6, force=80 * 0.93, noise_low=0.0, noise_high=0.0)
    now, then = (printing.expected_volume(a, Process(printer=p)) for p in (settings, Printer()))
    share = couplings.paste_share(a.joints.aperture_ratio, 0.3, 20e-6 / a.stencil_thickness, 0.07)
    assert share == pytest.approx(now / then, rel=1e-9)


def test_samples_that_are_stored_keep_their_form():
    """What was added later is written only where it is not healthy."""
    assert set(to_dict(Process())["oven"]) == {"zones", "zone_length", "speed", "convection", "thermal_mass", "ambient",
                                               "imbalance", "warpage", "moisture"}
    assert "pitch" in to_dict(drifted(Process(), {"placement.feeder2_pitch_um": 50}))["placement"]


def test_a_bad_roller_shakes_and_slows_the_belt():
    names = couplings.process_drifts(line(one("conveyor_bearing")), np.array([0.5]), 3)
    assert names["oven.shake_m_s2"] == pytest.approx(np.hypot(0.2, 0.5 * KINDS["conveyor_bearing"].parameters["shake"].default))
    assert names["oven.speed_factor"] == pytest.approx(1 - 0.5 * couplings.BELT_SLIP)


# --- compressed air -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("leak", [0.0, 3e-9, 8e-9, 1.2e-8, 1.8e-8, 5e-8, 1e-7])
def test_air_in_is_air_out(leak):
    """ISO 6358 written out: through the line flows what the machine uses and the leak loses, unless the regulator throttles."""
    pressure, flow = (float(v) for v in couplings.supply(leak))
    p1, p2, b = couplings.HEADER + 101325, pressure + 101325, couplings.CRITICAL
    ratio = p2 / p1
    could = couplings.LINE_CONDUCTANCE * p1 * (1.0 if ratio <= b else np.sqrt(1 - ((ratio - b) / (1 - b))**2))
    out = couplings.CONSUMPTION + leak * p2
    assert flow == pytest.approx(out, rel=1e-9)
    if pressure > 0.99 * couplings.REGULATED - 2e4 and leak < 1e-8:
        assert could >= out * (1 - 1e-9)                                  # the line could give more: the regulator holds
    elif pressure > 0:
        assert could == pytest.approx(out, rel=1e-6)


def test_a_leak_shows_in_flow_before_pressure_before_vacuum():
    leak = np.linspace(0, 1.8e-8, 200)
    pressure, flow = couplings.supply(leak)
    vacuum = couplings.vacuum(0.0, pressure)
    first = [int(np.argmax(np.abs(x / x[0] - 1) > 0.1)) for x in (flow, pressure, vacuum)]
    assert 0 < first[0] < first[1] < first[2]
    assert (np.diff(pressure) <= 1e-9).all() and (np.diff(flow) >= -1e-12).all() and -80e3 == vacuum[0] < vacuum[-1] < -45e3


# --- oven -----------------------------------------------------------------------------------------------------------

def test_a_tired_blower_against_a_numerical_integration():
    oven = drifted(Process(), {"oven.zone7_blower_factor": 0.5, "oven.zone4_blower_factor": 0.8, "oven.zone7_offset_c": -9}).oven
    tau = 1850 * 1100 * 1.6e-3 / (2 * 55.0 * np.array([1, 1, 1, 0.8, 1, 1, 0.5, 1, 1, 1.0]))
    gas, stay = np.array(oven.zones), 0.35 / (0.70 / 60)
    assert gas[6] == 239.0
    at = 25.0
    curve = [np.array([at])]
    for k in range(10):
        run = solve_ivp(lambda t, y, k=k: (gas[k] - y) / tau[k], (0, stay), [at], rtol=1e-10, atol=1e-10,
                        t_eval=np.linspace(0, stay, 3001))
        curve.append(run.y[0])
        at = float(run.y[0, -1])
    whole = np.concatenate(curve)
    profile = reflow_profile(oven)
    assert profile.peak == pytest.approx(whole.max(), abs=1e-6)
    assert profile.start[-1] == pytest.approx(at, abs=1e-6)
    assert profile.above == pytest.approx((whole > 217).mean() * 10 * stay, abs=0.1)
    soak = ((whole > 150) & (whole < 200))[:whole.argmax()].sum() * stay / 3000
    assert profile.soak == pytest.approx(soak, abs=0.1)


def test_blowers_at_full_speed_change_no_bit():
    before, after = reflow_profile(Oven()), reflow_profile(replace(Oven(), zone_convection=(1.0,) * 10))
    assert before.peak == after.peak and before.above == after.above and np.array_equal(before.start, after.start)
    all_slow = reflow_profile(replace(Oven(), zone_convection=(0.8,) * 10))
    assert all_slow.above == pytest.approx(reflow_profile(replace(Oven(), convection=44.0)).above, rel=1e-12)


def test_a_heater_holds_its_zone_until_its_power_is_used_up():
    lost = np.array([0.0, 0.2, 0.299, 0.31, 0.5])
    held = couplings.heat_held(lost)
    assert held[:3] == pytest.approx(1.0) and held[3] < 1
    assert couplings.zone_sag(held[4], 1.0, 248.0) == pytest.approx((1 - 0.5 / 0.7) * 223)
    assert couplings.zone_sag(1.0, 0.5, 248.0) == pytest.approx(couplings.PLENUM_DROP)


# --- placement ------------------------------------------------------------------------------------------------------

def many(process: Process, count: int, seed: int) -> np.ndarray:
    """Placement errors [m], (count · C, 2), of parts too small to matter."""
    a = example()
    plan = layout(a)
    made = [placement.place(a, plan, process, np.random.default_rng([seed, i])).offset[~plan.pinned] for i in range(count)]
    return np.concatenate(made)


def test_drift_example_of_the_reference():
    """Limit 75 µm, σ = 15 µm: centred 0.6 ppm, 40 µm off 9815 ppm (domain reference 3.2); binomial interval at 99.9 %."""
    exact = Placement(std=15e-6, bias_x=(0.0,) * 8, bias_y=(0.0,) * 8)
    assert 2 * norm.sf(75 / 15) * 1e6 == pytest.approx(0.6, abs=0.03)
    assert (norm.sf(35 / 15) + norm.sf(115 / 15)) * 1e6 == pytest.approx(9815, abs=1)
    for off, ppm in ((0.0, 0.6), (40e-6, 9815)):
        x = many(Process(placement=replace(exact, offset_x=off)), 2000, 3)[:, 0]
        low, high = binom.ppf([0.0005, 0.9995], len(x), ppm * 1e-6)
        assert low <= (np.abs(x) > 75e-6).sum() <= high


def test_a_nozzle_wears_alone_and_machines_are_numbered_through():
    a = example()
    plan = layout(a)
    drifts = couplings.process_drifts(line(one("nozzle_wear", "p2")), np.array([1.0]), 3)
    assert drifts["placement.nozzle11_wear"] == 1.0 and drifts["placement.machines"] == 2
    process, healthy = drifted(Process(), drifts), drifted(Process(), {"placement.machines": 2})
    worn, good = (placement.place(a, plan, p, np.random.default_rng(4)) for p in (process, healthy))
    moved = np.flatnonzero((worn.offset != good.offset).any(axis=1))
    assert np.array_equal(moved, np.flatnonzero(np.arange(len(a.components)) % 16 == 10))
    assert set(placement.machine_of(len(a.components), 16)[moved]) == {1}
    alone = line(one("nozzle_wear"), stations=tuple(s for s in STATIONS if s.station != "p2"))
    assert couplings.process_drifts(alone, np.array([0.5]), 3)["placement.nozzle3_wear"] == 0.5


def test_a_unit_that_passed_by_is_not_touched():
    here = line(one("nozzle_wear"), one("air_leak", "p2"))
    full = couplings.process_drifts(here, np.array([0.5, 1.0]), 3)
    part = couplings.process_drifts(here, np.array([0.5, 1.0]), 3, visited={"printer", "p2", "reflow"})
    assert "placement.nozzle3_wear" in full and "placement.nozzle3_wear" not in part
    assert part["placement.supply2_loss_kpa"] == full["placement.supply2_loss_kpa"] > 150


def test_a_feeder_off_its_pitch_loses_parts_by_the_normal_tail():
    a = example()
    plan = layout(a)
    process = drifted(Process(), {"placement.feeder1_pitch_um": 150})
    failed, badly = placement.badly_held(plan, process)
    mine = plan.reel % FEEDERS == 0
    assert mine.any() and (failed[~mine] == 0).all() and (badly[~mine] == 0).all()
    reach = placement.CATCH * plan.size[mine, :2].min(axis=1)
    assert failed[mine] == pytest.approx(2 * norm.sf(reach / 150e-6), rel=1e-9)
    assert badly[mine] == pytest.approx(2 * norm.sf(placement.HELD_BADLY[0] * reach / 150e-6), rel=1e-9)
    board, packages = board_of([("R1", chip("0402"), 30, 20, 0.0)])
    small = assemble(board, "front", packages, 0.12 * MM)
    expected = float(placement.HELD_BADLY[1] * placement.badly_held(layout(small), process)[1][0])
    lost = sum(not placement.place(small, layout(small), process, np.random.default_rng([1, i])).present[0] for i in range(4000))
    low, high = binom.ppf([0.0005, 0.9995], 4000, expected)
    assert low <= lost <= high


def test_a_part_slides_only_where_the_paste_does_not_hold_it():
    """Yield stress × wetted area / mass: a tall heavy part goes first, a chip resistor stays."""
    a = example()
    plan = layout(a)
    calm, shaken = (placement.place(a, plan, drifted(Process(), {"oven.shake_m_s2": v}), np.random.default_rng(2))
                    for v in (0.05, 5.0))
    healthy = placement.place(a, plan, Process(), np.random.default_rng(2))
    assert np.array_equal(calm.offset, healthy.offset)
    moved = (shaken.offset != healthy.offset).any(axis=1)
    assert np.array_equal(moved, placement.CREST * 5.0 > plan.tack)
    assert 0 < moved.sum() < len(moved)
    c = int(np.flatnonzero(moved)[0])
    area = plan.overlap[plan.start[c]:plan.start[c + 1]].sum()
    assert plan.tack[c] == pytest.approx(100.0 * area / a.packages[c].mass)


def test_each_process_drift_makes_its_own_defects():
    """Worn out against new, on the made-up board: what the kind says it raises comes, without being decreed."""
    from scenes.smt.acceptance import findings
    from scenes.smt.profile import load_profile

    a, profile = example(), load_profile("class2")
    stations = tuple(s for s in STATIONS if s.station != "p2")
    modules = {"feeder": "feeder2", "zone": "zone7", "nozzle": "nozzle3", "": ""}
    for kind in KINDS.values():
        if kind.acts != "process":
            continue
        where = "p1" if kind.station == "placement" else kind.station
        here = line(Drift("d", kind.name, where, modules[kind.module]), stations=stations)
        counts = []
        for s in (0.0, 1.0):
            process = drifted(Process(), couplings.process_drifts(here, np.array([s]), 5))
            units = 60 if kind.name in ("nozzle_wear", "feeder_pitch") else 12
            states = [simulate(a, process, np.random.default_rng([9, i])) for i in range(units)]
            counts.append(sum(f.defect in kind.defects for state in states for f in findings(a, state, profile)))
        assert counts[1] >= counts[0] + 3, (kind.name, counts)
