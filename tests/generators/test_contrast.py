"""The contrast benchmark: its measure against closed forms, and what physics hides on one unit each."""
from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def contrast():
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "contrast.py"
    spec = importlib.util.spec_from_file_location("contrast", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["contrast"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bench(contrast):
    bench = contrast.Bench(1, ("head_in_pillow", "bga_void", "residue"))
    yield bench
    bench.context.close()


def exposures(shape: tuple[int, ...], signal: float, noise: float, seed: int) -> list[np.ndarray]:
    """A, B, B' of a scene with structure of its own; a defect that adds ``signal`` cos(x), rms signal/√2, everywhere."""
    rng = np.random.default_rng(seed)
    scene = rng.uniform(20, 200, shape[1:])
    wave = signal * np.cos(2 * np.pi * np.arange(shape[1]) / 16).reshape(1, -1, *[1] * (len(shape) - 2))
    return [scene + wave * (k == 0) + rng.normal(0, noise, shape) for k in range(3)]


@pytest.mark.parametrize(("signal", "noise"), [(10.0, 1.0), (2.0, 2.0), (300.0, 0.5)])
@pytest.mark.parametrize("shape", [(1, 512, 512), (4, 256, 256), (1, 320, 320, 3)])
def test_the_ratio_is_that_of_the_closed_form(contrast, shape, signal, noise):
    mask = np.zeros(shape[1:3], bool)
    mask[:, 16:-16] = True
    got, s, n = contrast.cnr(*exposures(shape, signal, noise, 5), mask)
    assert n == pytest.approx(noise, rel=0.03)
    assert s == pytest.approx(signal / math.sqrt(2), rel=0.03)
    assert got == pytest.approx(signal / math.sqrt(2) / noise, rel=0.03)


def test_what_lies_outside_the_mask_does_not_count(contrast):
    a, b, c = exposures((1, 256, 256), 0.0, 1.0, 6)
    mask = np.zeros((256, 256), bool)
    mask[:, :128] = True
    a[:, :, 128:] += 1000
    assert contrast.cnr(a, b, c, mask)[0] < 0.2
    assert contrast.cnr(a, b, c, ~mask)[0] == pytest.approx(1000, rel=0.03)


def test_nothing_to_measure_is_not_a_number_and_no_noise_is_no_error(contrast):
    flat = np.full((1, 8, 8), 255.0)
    nothing = np.zeros((8, 8), bool)
    assert all(math.isnan(v) for v in contrast.cnr(flat, flat, flat, nothing))
    assert contrast.cnr(flat, flat, flat, ~nothing) == (0.0, 0.0, 0.0)
    assert contrast.cnr(flat - 1, flat, flat, ~nothing) == (math.inf, 1.0, 0.0)


def test_a_verdict_compares_the_median_with_the_limits(contrast):
    for expected, median in (("visible", 3.0), ("invisible", 0.5), ("weak", 1.0)):
        assert contrast.verdict(expected, median) == "as expected"
    assert contrast.verdict("visible", 2.9) == "CONTRADICTS: weak"
    assert contrast.verdict("invisible", 4.0) == "CONTRADICTS: visible"
    assert contrast.verdict("weak", 40.0) == "visible"


@pytest.mark.parametrize(("defect", "hidden_from", "seen_by"), [
    ("head_in_pillow", "rgb", "xray 45°"), ("bga_void", "rgb", "xray"), ("residue", "xray", "rgb")])
def test_physics_hides_a_defect_from_one_instrument_and_shows_it_to_another(bench, contrast, defect, hidden_from, seen_by):
    plan = bench.context.schedule
    index = next(i for i in range(bench.total) if plan.cells[plan.slot(i).cell].defect == defect)
    row, found = bench.measure(index)
    assert row["defect"] == defect and set(found) == set(contrast.COLUMNS)
    assert all(m.pixels > 0 for m in found.values())
    assert found[hidden_from].values[0] <= contrast.INVISIBLE
    assert found[seen_by].values[0] >= contrast.VISIBLE
