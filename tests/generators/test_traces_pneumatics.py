"""Compressed air and vacuum: P1 and the closed forms of ISO 6358, other waveforms against scipy's solver."""
import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from generators.traces import pneumatics as air
from generators.traces import vacuum
from generators.traces.pneumatics import ATMOSPHERE, Compressor, Orifice, Regulator
from generators.traces.vacuum import Cycle, Ejector, Nozzle
from scenes.errors import InputError

SUPPLY = 500e3 + ATMOSPHERE


def test_leak_of_the_reference_volume():
    """P1: 0.5 L that lose 1 kPa in 60 s leak 8.33 mPa·m³/s = 4.93 sccm."""
    leak = air.leak_rate(0.5e-3, 1e3, 60.0)
    assert leak == pytest.approx(8.33e-3, rel=0.01)
    assert air.sccm(leak) == pytest.approx(4.93, rel=0.01)


def test_a_laminar_leak_decays_exponentially():
    """The same leak at 6 bar gauge: τ = V / G, e⁻¹ after it, and the first minute loses 1 kPa."""
    volume, gauge = 0.5e-3, 6e5
    conductance = 8.3333e-3 / gauge
    tau = volume / conductance
    pressure = air.laminar_decay([0.0, 60.0, tau, 3 * tau], ATMOSPHERE + gauge, volume, conductance) - ATMOSPHERE
    assert pressure[0] == gauge
    assert pressure[0] - pressure[1] == pytest.approx(1e3, rel=0.01)
    assert pressure[2] / gauge == pytest.approx(math.exp(-1))
    assert pressure[3] / gauge == pytest.approx(math.exp(-3))


def test_iso_6358_flow():
    """Choked Q = C·p1, at 65 % of the way from b to 1 less by √(1 − 0.5²); √(293.15 / T1) with temperature."""
    way = Orifice(2e-9, 0.3)
    assert air.flow(way, 7e5, 1e5) == pytest.approx(1.4e-3)
    assert air.flow(way, 7e5, 2.1e5) == pytest.approx(1.4e-3)
    assert air.flow(way, 1e5, 0.65e5) == pytest.approx(2e-4 * math.sqrt(0.75))
    assert air.flow(way, 1e5, 1e5) == 0.0
    assert air.flow(way, 1e5, 2e5) == 0.0
    assert air.flow(way, 7e5, 1e5, 4 * 293.15) == pytest.approx(0.7e-3)


def test_conductance_of_a_hole():
    """An ideal nozzle passes 0.2 dm³/(s·bar) per mm² (ISO 6358); discharge 0.65 takes its share."""
    hole = air.orifice_of_hole(math.sqrt(4 / math.pi) * 1e-3, discharge=1.0)
    assert hole.conductance == pytest.approx(0.2e-8, rel=0.01)
    assert air.orifice_of_hole(1e-3).conductance == pytest.approx(0.65 * math.pi / 4 * 0.2e-8, rel=0.01)


def test_relax_is_exact_for_a_linear_volume():
    times = np.linspace(0, 5, 400)
    found = air.relax(lambda p: -(p - 3e4) / 0.7, 9e4, 3e4, times)
    assert found == pytest.approx(3e4 + 6e4 * np.exp(-times / 0.7), abs=0.05)


def test_choked_discharge_is_exponential_until_it_is_subsonic():
    """dp/dt = −p·C·p_ref / V while p > p_atm / b."""
    way, volume = Orifice(1e-9, 0.4), 1e-3
    tau = volume / (way.conductance * 1e5)

    def slope(p):
        return -1e5 / volume * air.flow(way, p, ATMOSPHERE)

    times = np.linspace(0, tau, 50)                                       # 8 bar to 2.9 bar: choked above 2.53 bar
    assert air.relax(slope, 8e5, ATMOSPHERE, times) == pytest.approx(8e5 * np.exp(-times / tau), rel=1e-5)


def test_receiver_cycles_without_leak():
    """500 L from 6.5 to 7.5 bar at 13.5 − 6 L/s: V·Δp / (p_ref·Q) = 66.67 s loaded, 83.33 s unloaded."""
    run = air.supply_history(3600.0, Compressor(0.0135, 0.5), 0.006)
    length = np.diff(run.switch)[:-1]
    assert length[~run.loaded[:-1]] == pytest.approx(0.5 * 1e5 / (1e5 * 0.006))
    assert length[run.loaded[:-1]] == pytest.approx(0.5 * 1e5 / (1e5 * 0.0075))
    pressure = run.pressure(np.arange(0, 3600, 1.0))
    assert pressure.min() >= 650e3 + ATMOSPHERE - 1 and pressure.max() <= 750e3 + ATMOSPHERE + 1
    assert run.loaded_share(1500.0) == pytest.approx(66.6667 / 150, rel=1e-6)


def test_receiver_cycles_with_a_leak():
    """Phases are exponentials: against scipy's solver, and lengths τ·ln((p0 − p∞) / (p1 − p∞))."""
    c, leak, demand = Compressor(0.0135, 0.5), Orifice(5e-9, 0.4), 0.004
    run = air.supply_history(600.0, c, demand, leak)
    tau = 0.5 / (5e-9 * 1e5)
    rest = -1e5 / 0.5 * demand * tau
    assert run.switch[1] == pytest.approx(tau * math.log((c.off - rest) / (c.on - rest)))
    solved = solve_ivp(lambda t, p: [1e5 / 0.5 * (-demand - float(air.flow(leak, p[0], ATMOSPHERE)))], (0, run.switch[1]),
                       [c.off], rtol=1e-10, t_eval=[10.0, 20.0])
    assert run.pressure([10.0, 20.0]) == pytest.approx(solved.y[0], rel=1e-7)


def test_leaks_that_the_compressor_cannot_feed():
    c, leak = Compressor(0.0135, 0.5), Orifice(1.2e-8, 0.4)
    run = air.supply_cycle(600.0, c, 0.006, leak, 0.3)
    assert run.loaded.all()                                               # p∞ = (Qc − Qd) / C, below the upper switch point
    assert run.pressure([0.0, 500.0]) == pytest.approx([0.0075 / 1.2e-8] * 2)
    with pytest.raises(InputError, match=r"demand 0\.02 .* must lie between"):
        air.supply_history(10.0, c, 0.02)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.54, 0.8, 0.999])
def test_a_cycle_begins_where_it_is_told(share):
    """The periodic state: after one period everything is as at the beginning."""
    c, leak = Compressor(0.0135, 0.5), Orifice(2e-9, 0.4)
    run = air.supply_cycle(1000.0, c, 0.006, leak, share)
    whole = air.supply_history(1000.0, c, 0.006, leak)
    period = float(whole.switch[2])
    times = np.linspace(0, 300, 100)
    assert run.pressure(times) == pytest.approx(whole.pressure(times + share * period), rel=1e-6)
    assert run.pressure(period) == pytest.approx(float(run.pressure(0.0)), rel=1e-6)


def test_regulator():
    regulator = Regulator()
    assert regulator.outlet(8e5) == pytest.approx(500e3 + ATMOSPHERE)
    assert regulator.outlet(4e5) == pytest.approx(4e5 - 15e3)
    assert regulator.outlet(8e5, 1e-3) == pytest.approx(500e3 + ATMOSPHERE - 8e3)
    assert regulator.outlet(0.0) == ATMOSPHERE


# ------------------------------------------------------------------------------------------------ vacuum

def test_vacuum_levels():
    """A new nozzle holds −80 kPa (domain reference 6.4); open it stays far above; a weak supply gives less."""
    nozzle = Nozzle()
    held, open_ = vacuum.held_vacuum(nozzle, SUPPLY), vacuum.held_vacuum(nozzle, SUPPLY, nozzle.bore)
    assert held == pytest.approx(-80e3, abs=500)
    assert -30e3 < open_ < -15e3
    assert vacuum.held_vacuum(nozzle, 250e3 + ATMOSPHERE) == pytest.approx(-80e3 * 250 / 450, rel=0.05)
    assert vacuum.held_vacuum(nozzle, ATMOSPHERE) == 0.0


@pytest.mark.parametrize("gauge", [-82e3, -70e3, -55e3, -30e3])
def test_leak_for_vacuum_is_the_inverse(gauge):
    nozzle = Nozzle()
    leak = vacuum.leak_for_vacuum(nozzle, SUPPLY, gauge)
    assert vacuum.held_vacuum(nozzle, SUPPLY, leak) == pytest.approx(gauge, abs=1.0)


def test_leak_for_a_vacuum_that_no_ejector_reaches():
    with pytest.raises(InputError, match=r"the ejector reaches -84000 Pa; ask for less"):
        vacuum.leak_for_vacuum(Nozzle(), SUPPLY, -90e3)


def test_evacuation_against_a_solver():
    """Vacuum on at 10 ms with the nozzle on a part from 30 ms: the line's own equation, solved by scipy."""
    nozzle, cycle = Nozzle(), Cycle()
    times = np.linspace(0.03, 0.19, 33)
    found = vacuum.placement_pressure(times, nozzle, SUPPLY, cycle)

    def rhs(t, p):
        way = nozzle.bore if t < cycle.touch else nozzle.leak
        share = (ATMOSPHERE - p[0]) / nozzle.ejector.vacuum
        return [1e5 / nozzle.volume * (float(air.flow(way, ATMOSPHERE, p[0])) - nozzle.ejector.suction * (1 - share))]

    first = solve_ivp(rhs, (0.01, 0.03), [ATMOSPHERE], rtol=1e-9, atol=1e-3, max_step=1e-3)
    second = solve_ivp(rhs, (0.03, 0.19), [first.y[0, -1]], rtol=1e-9, atol=1e-3, max_step=1e-3, t_eval=times)
    assert found + ATMOSPHERE == pytest.approx(second.y[0], abs=5.0)


def test_linear_ejector_on_a_closed_line():
    """Without any leak the vacuum rises as 1 − exp(−t / τ), τ = V·v_max / (p_ref·Q_max)."""
    nozzle = Nozzle(bore=Orifice(0.0, 0.4), leak=Orifice(0.0, 0.4), volume=5e-6, ejector=Ejector(80e3, 1e-4))
    tau = 5e-6 * 80e3 / (1e5 * 1e-4)
    times = np.linspace(0, 0.2, 81)
    found = vacuum.placement_pressure(times, nozzle, SUPPLY, Cycle(0.0, 0.01, 10.0, 0.01, 11.0))
    assert found == pytest.approx(-80e3 * (1 - np.exp(-times / tau)), abs=5.0)


def test_a_cycle_picks_holds_and_releases():
    times = np.arange(7680) / 25_600
    held = vacuum.placement_pressure(times, Nozzle(), SUPPLY)
    missing = vacuum.placement_pressure(times, Nozzle(), SUPPLY, picked=False)
    assert held[times < 0.01].max() == 0.0
    assert held[(times > 0.15) & (times < 0.2)].mean() == pytest.approx(-80e3, abs=500)
    free = vacuum.held_vacuum(Nozzle(), SUPPLY, Nozzle().bore)
    assert missing[(times > 0.15) & (times < 0.2)].mean() == pytest.approx(free, abs=50)
    assert held[(times > 0.2) & (times < 0.22)].max() > 5e3               # it blows the part off
    assert abs(held[-1]) < 100
    worn = Nozzle(leak=vacuum.leak_for_vacuum(Nozzle(), SUPPLY, -55e3))
    assert vacuum.placement_pressure(times, worn, SUPPLY)[5000] == pytest.approx(-55e3, abs=200)


def test_flow_sensor_lag():
    step = np.concatenate([np.zeros(1), np.ones(999)])
    found = air.flow_sensor(step, 1000.0, 0.05)
    assert found[51] == pytest.approx(1 - math.exp(-1), rel=1e-6)
