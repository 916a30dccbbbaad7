"""The measures of the realism benchmark, against published pairs and made-up ground truth."""
from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def realism():
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "realism.py"
    spec = importlib.util.spec_from_file_location("realism", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["realism"] = module
    spec.loader.exec_module(module)
    return module


# Sharma, Wu, Dalal: The CIEDE2000 color-difference formula (2005), table 1: hue wrap-around, greys, large and small differences.
PAIRS = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425), ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669), ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0009), 7.1792),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0011), 7.2195), ((50.0, -0.0010, 2.4900), (50.0, 0.0011, -2.4900), 4.7461),
    ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065), ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((50.0, 2.5, 0.0), (56.0, -27.0, -3.0), 31.9030), ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


def test_delta_e2000_gives_the_published_values(realism):
    first, second, expected = (np.array(v) for v in zip(*PAIRS, strict=True))
    assert realism.delta_e2000(first, second) == pytest.approx(expected, abs=1e-4)
    assert realism.delta_e2000(second, first) == pytest.approx(expected, abs=1e-4)


def test_lab_of_the_srgb_primaries(realism):
    colours = np.array([[255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [0, 0, 0]])
    expected = [[100, 0, 0], [53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86], [0, 0, 0]]
    assert realism.lab(realism.to_linear(colours)) == pytest.approx(np.array(expected), abs=0.02)
    assert realism.to_srgb(realism.to_linear(colours)) == pytest.approx(colours, abs=1e-6)


def test_a_homography_is_recovered(realism):
    true = np.array([[40000.0, 300, 270], [350, -39000, 1050], [0.8, -0.5, 1]])
    points = np.random.default_rng(3).uniform(0, 0.025, (12, 2))
    found = realism.homography(points[:6], realism.project(true, points[:6]))
    assert realism.project(found, points[6:]) == pytest.approx(realism.project(true, points[6:]), abs=1e-6)


@pytest.mark.boards
def test_half_of_the_digitised_pads_predict_the_other_half_within_a_tenth_of_a_millimetre(realism, boards):
    from scenes.board import read_board

    board = read_board(boards / "rp2040_stamp" / "rp2040_stamp.kicad_pcb")
    pads, pixels = realism.digitised(board)
    assert len(pads) == 40
    half = realism.homography(pads[::2], pixels[::2])
    off = np.linalg.norm(realism.project(np.linalg.inv(half), pixels[1::2]) - pads[1::2], axis=1)
    assert off.max() < 0.1e-3
