"""The conduction solver against closed forms (domain reference, verification table H1 to H3)."""
from __future__ import annotations

from math import erfc, sqrt

import numpy as np
import pytest
from scipy.special import k0

from scenes.conduction import Network, cells, steady, transient
from scenes.errors import InputError


def rod(count: int, length: float, conductivity: float = 1.0, heat: float = 1.0) -> tuple[Network, float]:
    """A rod of unit width and thickness in ``count`` square cells, and the size of a cell. Nothing leaves it."""
    step = length / count
    _, first, second, conductance = cells(np.ones((1, count), bool), np.full((1, count), conductivity))
    return Network(first, second, conductance, np.zeros(count), np.full(count, heat * step**2)), step


def held(network: Network, *ends: int, conductivity: float = 1.0) -> Network:
    """The same with the outer faces of cells held at θ = 0: half a cell of the rod lies between."""
    loss = network.loss.copy()
    loss[list(ends)] = 2 * conductivity
    return Network(network.first, network.second, network.conductance, loss, network.capacity)


def test_semi_infinite_solid_follows_erfc():
    diffusivity, conductivity, count = 1.474e-7, 0.6, 1000
    network, step = rod(count, 0.02, conductivity, conductivity / diffusivity)
    theta = transient(held(network, 0, conductivity=conductivity), np.ones(count), np.zeros(count), 60.0, 40)
    x = (np.arange(count) + 0.5) * step
    exact = [1 - erfc(v / 2 / sqrt(diffusivity * 60)) for v in x]
    assert np.abs(theta - exact).max() < 1e-4                             # bar: 1e-3


@pytest.mark.parametrize(("fourier", "expected"), [(0.2, 0.77231), (1.0, 0.10798)])
def test_slab_centre_at_infinite_biot_number(fourier, expected):
    network, _ = rod(201, 2.0)
    theta = transient(held(network, 0, 200), np.ones(201), np.zeros(201), fourier, 100)
    assert theta[100] == pytest.approx(expected, abs=1e-4)                # bar: 1e-3


def test_steady_fin_with_an_adiabatic_tip():
    count, length, film, power = 400, 0.05, 25.0, 0.3                     # sheet 0.02 W/K, both faces
    sheet, width = 0.02, length / count
    network, step = rod(count, length, sheet)
    loss = np.full(count, 2 * film * step * step)
    source = np.zeros(count)
    source[0] = power
    theta = steady(Network(network.first, network.second, network.conductance, loss, network.capacity), source)
    m = sqrt(2 * film / sheet)
    x = (np.arange(count) + 0.5) * step
    exact = power / (sheet * width * m * np.tanh(m * length)) * np.cosh(m * (length - x)) / np.cosh(m * length)
    assert np.abs(theta / exact - 1).max() < 1e-3
    assert (loss * theta).sum() == pytest.approx(power, rel=1e-9)         # bar: 0.1 %


def test_steady_spreader_around_a_point_is_a_bessel_function():
    side, step, sheet, film = 161, 1e-3, 0.02, 60.0
    _, first, second, conductance = cells(np.ones((side, side), bool), np.full((side, side), sheet))
    loss = np.full(side * side, 2 * film * step**2)
    source = np.zeros(side * side)
    source[side * side // 2] = 1.0
    theta = steady(Network(first, second, conductance, loss, np.ones(side * side)), source).reshape(side, side)
    r = step * np.array([8, 12, 16, 20])
    exact = k0(r * sqrt(2 * film / sheet)) / (2 * np.pi * sheet)
    assert np.allclose(theta[side // 2, side // 2 + np.array([8, 12, 16, 20])], exact, rtol=2e-3)
    assert (loss * theta.ravel()).sum() == pytest.approx(1.0, rel=1e-9)


def test_flux_is_continuous_where_the_conductivity_jumps():
    sheet = np.array([[3.0] * 5 + [0.5] * 5])
    _, first, second, conductance = cells(np.ones((1, 10), bool), sheet)
    loss = np.zeros(10)
    loss[9] = 2 * 0.5
    source = np.zeros(10)
    source[0] = 7.0
    theta = steady(Network(first, second, conductance, loss, np.ones(10)), source)
    assert theta[0] == pytest.approx(7.0 * (4.5 / 3.0 + 5 / 0.5), rel=1e-12)   # resistances of the cells in series


def test_cells_without_plate_have_no_node_and_no_edge():
    solid = np.array([[True, False], [True, True]])
    number, first, second, conductance = cells(solid, np.ones((2, 2)))
    assert number.tolist() == [[0, -1], [1, 2]]
    assert sorted(zip(first.tolist(), second.tolist(), strict=True)) == [(0, 1), (1, 2)] and (conductance == 1).all()


def test_a_transient_of_no_duration_changes_nothing_and_a_long_one_is_steady():
    network, _ = rod(20, 1.0)
    network = held(network, 0)
    source = np.full(20, 0.1)
    start = np.linspace(1, 2, 20)
    assert np.array_equal(transient(network, start, source, 0.0, 4), start)
    assert np.allclose(transient(network, start, source, 1e3, 40), steady(network, source), rtol=1e-9)


def test_heat_that_cannot_leave_is_refused():
    network, _ = rod(4, 1.0)
    with pytest.raises(InputError, match="nothing loses heat to the air; give a film coefficient"):
        steady(network, np.ones(4))
