"""Inspection as measurement: noise by closed forms, blindness, and instruments that change calls but never the unit."""
from collections import Counter

import numpy as np
import pytest
from smt_fixture import example

from scenes.errors import RecipeError
from scenes.smt import inspection
from scenes.smt.acceptance import defects
from scenes.smt.inspection import BLIND, inspect, seen
from scenes.smt.layout import layout
from scenes.smt.process import Fault, Process, drifted
from scenes.smt.profile import load_profile
from scenes.smt.simulate import simulate

PROFILE = load_profile("class2")


def units(process: Process, count: int):
    return [simulate(example(), process, np.random.default_rng([5, i])) for i in range(count)]


def calls(states, method: str, instrument=None) -> Counter:
    """(what, defect) → number: hit, escape, unseen, false."""
    found: Counter = Counter()
    for i, state in enumerate(states):
        for c in inspect(example(), PROFILE, state, method, instrument or {}, np.random.default_rng([6, i])):
            what = "false" if not c.real else "hit" if c.called else "escape" if c.visible else "unseen"
            found[what, c.defect] += 1
    return found


def total(found: Counter, what: str) -> int:
    return sum(n for (kind, _), n in found.items() if kind == what)


def test_an_edge_is_found_as_well_as_its_fisher_information_allows():
    """Cramér–Rao by summing the squared slope of a blurred edge over pixels, against the formula in use."""
    flux, focus = 0.6, 1.2e-3
    blur = np.hypot(inspection.SHARP, inspection.APERTURE * focus / 2)
    noise = np.hypot(np.sqrt(1 / (inspection.ELECTRONS * flux)), inspection.PATTERN)
    x = np.arange(-40, 41) * inspection.PIXEL
    slope = inspection.CONTRAST * np.exp(-x**2 / (2 * blur**2)) / (np.sqrt(2 * np.pi) * blur)
    bound = noise / np.sqrt(20 * (slope**2).sum())
    place = inspection._aoi(flux, focus).place
    assert np.sqrt(place**2 - inspection.BODY[0]**2) == pytest.approx(bound, rel=1e-3)


@pytest.mark.parametrize("flux", [1.0, 0.5, 0.2])
def test_photon_noise_of_a_tube_goes_with_one_over_root_flux(flux):
    state = simulate(example(), Process(), np.random.default_rng(1))
    ratio = np.concatenate([seen(example(), state, "axi", {"xray_flux": flux}, np.random.default_rng(i)).volume / state.volume
                            for i in range(120)])
    expected = np.sqrt(inspection.STRUCTURE**2 + inspection.PHOTONS**2 / flux)
    assert ratio.mean() == pytest.approx(1, abs=4 * expected / np.sqrt(len(ratio)))
    assert ratio.std() == pytest.approx(expected, rel=4 / np.sqrt(2 * len(ratio)))


def test_a_machine_reports_nothing_that_it_is_blind_to():
    u4 = next(i for i, p in enumerate(example().packages) if p.kind == "bga")
    ball = int(np.flatnonzero(layout(example()).ball)[3])
    hidden = Process().with_faults(Fault("outgassing", joint=ball, values=(0.4,)), Fault("warpage", u4, values=(150e-6,)))
    states = units(hidden, 20)
    aoi, axi, spi = (calls(states, m) for m in ("aoi", "axi", "spi"))
    assert aoi["unseen", "bga_void"] == axi["hit", "bga_void"] + axi["escape", "bga_void"] == 20
    assert axi["hit", "bga_void"] >= 19 and aoi["hit", "head_in_pillow"] == 0 < axi["hit", "head_in_pillow"]
    assert total(spi, "hit") == 0
    cold = units(drifted(Process(), {"oven.zone7_8_offset_c": -24}), 6)
    assert calls(cold, "axi")["hit", "cold_joint"] == 0 < calls(cold, "aoi")["hit", "cold_joint"]
    for method in ("spi", "aoi", "axi"):
        for (what, defect) in (*calls(cold, method), *calls(states, method)):
            assert what in ("escape", "unseen") or defect not in BLIND[method]


def test_gross_defects_are_found_by_every_machine_that_can_see_them():
    process = Process().with_faults(Fault("missing_pick", 4), Fault("clogged_aperture", 8, 16, values=(0.05,)))
    states = units(process, 20)
    for method, defect in (("aoi", "missing"), ("axi", "missing"), ("aoi", "insufficient"), ("axi", "insufficient"),
                           ("spi", "insufficient")):
        assert calls(states, method)["hit", defect] == 20, (method, defect)


def test_false_calls_of_a_healthy_aoi_are_of_the_fields_order():
    """1000 to 1500 ppm per opportunity in one plant (domain reference 6.3): within a factor of three of a thousand."""
    states = units(Process(), 150)
    opportunities = 150 * (len(example().components) + len(example().joints))
    assert 300e-6 < total(calls(states, "aoi"), "false") / opportunities < 3000e-6
    assert total(calls(states, "spi"), "false") == 0


@pytest.mark.parametrize(("method", "aged", "defect"), [
    ("aoi", {"lamp_flux": 0.5}, "cold_joint"), ("aoi", {"focus_error": 2e-3}, "lifted_lead"),
    ("axi", {"xray_flux": 0.3}, "excess")])
def test_ageing_makes_false_calls_and_no_defects(method, aged, defect):
    states = units(Process(), 60)
    before = [s.digest() for s in states]
    new, old = calls(states, method), calls(states, method, aged)
    assert old["false", defect] > 2 * new["false", defect] + 3
    assert [s.digest() for s in states] == before
    assert all(not found for found in defects(example(), states, PROFILE))


def test_more_is_missed_out_of_focus_and_with_a_dim_tube():
    states = units(drifted(Process(), {"printer.clog": 0.25}), 60)
    for method, aged in (("aoi", {"focus_error": 4e-3}), ("axi", {"xray_flux": 0.1})):
        new, old = calls(states, method), calls(states, method, aged)
        assert total(old, "escape") > 1.2 * total(new, "escape") > 0
        assert total(old, "escape") + total(old, "hit") == total(new, "escape") + total(new, "hit")


def test_equal_inputs_give_equal_calls_and_the_unknown_is_refused():
    state = simulate(example(), drifted(Process(), {"printer.clog": 0.35}), np.random.default_rng(3))
    one, two = (inspect(example(), PROFILE, state, "aoi", {}, np.random.default_rng(9)) for _ in range(2))
    assert [(c.defect, c.host, c.pads, c.called) for c in one] == [(c.defect, c.host, c.pads, c.called) for c in two]
    with pytest.raises(RecipeError, match="'ict' is no machine; known: spi, aoi, axi"):
        inspect(example(), PROFILE, state, "ict", {}, np.random.default_rng(9))
    with pytest.raises(RecipeError, match=r"inspection\.lamp_flux: 0\.0 cannot be"):
        inspect(example(), PROFILE, state, "aoi", {"lamp_flux": 0.0}, np.random.default_rng(9))
