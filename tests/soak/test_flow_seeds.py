"""The flow's known answers over fifty seeds, and the reference's heavy loads as means over many runs.

SOAK_SEEDS makes it shorter or longer. Every run must be within four of its own standard errors, and those within 2 %.
"""
from __future__ import annotations

import math
import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scenes"))

from line_known import CASES, HEAVY, MORE

pytestmark = pytest.mark.soak
SEEDS = int(os.environ.get("SOAK_SEEDS", "50"))


@pytest.mark.parametrize("name", [*CASES, *MORE])
def test_no_seed_misses_the_known_answer(name):
    runs = np.array([(CASES | MORE)[name](seed) for seed in range(SEEDS)])
    found, error, known = runs.T
    off = (found - known) / error
    print(f"\n{name}: known {known[0]:.6f}, mean of {SEEDS} seeds {found.mean():.6f}, four standard errors at most "
          f"{4 * (error / known).max():.2%}, errors at most {np.abs(off).max():.2f}, RMS {np.sqrt((off**2).mean()):.2f} of one")
    assert (4 * error <= 0.02 * known).all()
    assert (np.abs(off) <= 4).all()


@pytest.mark.parametrize("name", HEAVY)
def test_heavy_loads_meet_the_printed_answers(name):
    """Long waits forget slowly: only the mean over independent runs has an error that small."""
    run, known = HEAVY[name]
    found = np.array([run(seed)[0] for seed in range(SEEDS)])
    error = found.std(ddof=1) / math.sqrt(SEEDS)
    print(f"\n{name}: known {known:.5f}, mean of {SEEDS} seeds {found.mean():.5f}, four standard errors {4 * error / known:.2%}")
    assert 4 * error <= 0.02 * known
    assert abs(found.mean() - known) <= 4 * error
