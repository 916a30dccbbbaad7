"""What sensors would see: closed forms of lag and noise, physics at rest, and only what is touched moves."""
import numpy as np
import pytest

from scenes.errors import SceneError
from scenes.line import couplings
from scenes.line.drifts import KINDS
from scenes.line.model import Drift, Event, Line, Run, Sensor, State, StationFlow
from scenes.line.quantities import QUANTITIES, UNITS, channels, check, quantity, touches, true_values
from scenes.line.timeline import View, held, lagged, wander

WAY = (("printer", "printer"), ("spi", "spi"), ("p1", "placement"), ("p2", "placement"), ("reflow", "reflow"), ("aoi", "aoi"),
       ("axi", "axi"), ("test", "test"))
MODULES = {"": "", "nozzle": "nozzle3", "feeder": "feeder2", "zone": "zone7"}
TAKT, UNITS_MADE = 24.0, 300


def line(*drifts: Drift) -> Line:
    flows = tuple(StationFlow(i, k, f"L/{i}", () if n == 0 else (WAY[n - 1][0],), 20.0) for n, (i, k) in enumerate(WAY))
    return Line("L", TAKT, flows, drifts)


def drift_of(kind: str) -> Drift:
    station = {"placement": "p1"}.get(KINDS[kind].station, KINDS[kind].station)
    return Drift(kind, kind, station, MODULES[KINDS[kind].module])


def run_of(here: Line, severity: float, *events: Event) -> Run:
    """Three hundred units, one per takt, the oven full."""
    start = np.arange(UNITS_MADE)[:, None] * TAKT + np.full(len(WAY), 1.0)
    finish = start + np.array([240.0 if k == "reflow" else 20.0 for _, k in WAY])
    looks = np.arange(0, UNITS_MADE * TAKT, 60.0)
    level = np.full((len(looks), len(here.drifts)), severity)
    return Run(here, UNITS_MADE * TAKT, start, start, finish, finish, events, looks, level, 1 - level,
               np.full(UNITS_MADE, 3, np.int32))


TIMES = np.arange(UNITS_MADE * TAKT)


def truth(here: Line, run: Run, channel: str, unit: str = "", times: np.ndarray = TIMES) -> np.ndarray:
    station = channel.split("/")[0]
    q = quantity(channel, here.station(station).kind)
    seed = [7, *channel.encode()]
    return true_values(here, run, Sensor(channel, station, q.name, unit or q.unit), times, np.random.default_rng(seed))


# --- the table ------------------------------------------------------------------------------------------------------

def test_a_line_has_more_than_110_channels_and_all_are_told():
    names = channels(line())
    assert len(names) == len(set(names)) > 110
    for q in QUANTITIES.values():
        assert q.unit in q.units and UNITS[q.unit][q.unit] == (1.0, 0.0), q.pattern


def test_drifts_and_quantities_agree_on_what_is_touched():
    for name, kind in KINDS.items():
        from_drift = {t.replace("{module}", kind.module + "*") for t in kind.touches}
        from_quantities = {q.pattern for q in QUANTITIES.values() if name in q.touched + q.touched_elsewhere}
        assert from_drift == from_quantities, name


@pytest.mark.parametrize(("sensor", "kind", "message"), [
    (Sensor("reflow/zone7/temprature", "reflow", "temprature", "°C"), "reflow", r"did you mean 'zone1…10/temperature'"),
    (Sensor("reflow/zone11/temperature", "reflow", "temperature", "°C"), "reflow", r"measures nothing that a 'reflow' has"),
    (Sensor("reflow/zone7/temperature", "reflow", "temperature", "Pa"), "reflow", r"\.unit: 'Pa' is no unit .* known: °C"),
    (Sensor("oven/zone7/temperature", "reflow", "temperature", "K"), "reflow", r"begins with another station"),
    (Sensor("reflow/zone7/temperature", "reflow", "duty", "K"), "reflow", r"\.quantity: 'duty' is not the last part"),
    (Sensor("printer/nozzle3/vacuum", "printer", "vacuum", "Pa"), "printer", r"sensors\.printer/nozzle3/vacuum: ")])
def test_impossible_sensors_are_refused(sensor, kind, message):
    with pytest.raises(SceneError, match=message):
        check(sensor, kind)


@pytest.mark.parametrize("module", ["zone07", "zone٧", "zone７", "zone7\n", "zone0", "zone", "Zone7", "zone-7",
                                    "zone" + "7" * 5000])
def test_a_module_has_one_spelling(module):
    """Else two channels would read one zone, and one of them would pass for a negative control."""
    with pytest.raises(SceneError, match="measures nothing that a 'reflow' has") as error:
        quantity(f"reflow/{module}/temperature", "reflow")
    assert "\n" not in str(error.value) and len(str(error.value)) < 1500


# --- the grid -------------------------------------------------------------------------------------------------------

def test_values_hold_until_the_next():
    times = np.arange(6.0)
    assert held(times, np.array([1.0, 2.5, 2.7, 9.0, np.nan]), [10, 20, 30, 40, 50], 5).tolist() == [5, 10, 10, 30, 30, 30]
    assert held(times, np.zeros(0), [], 2.0).tolist() == [2.0] * 6


def test_a_lag_is_an_exponential_and_a_wander_is_first_order():
    times = np.arange(0, 500.0, 2.0)
    step = np.where(times >= 100, 1.0, 0.0)
    assert lagged(times, step, 30.0)[times >= 100] == pytest.approx(1 - np.exp(-(times[times >= 100] - 98) / 30), abs=1e-12)
    z = wander(np.arange(400_000.0), 2.0, 20.0, np.random.default_rng(1))
    assert z.std() == pytest.approx(2.0, rel=0.03)                        # 10,000 independent stretches: 4 SE are 2.8 %
    assert np.corrcoef(z[:-20], z[20:])[0, 1] == pytest.approx(np.exp(-1), abs=0.03)


def test_units_inside_are_counted_as_they_come_and_go():
    here = line()
    oven = View(run_of(here, 0.0), "reflow", TIMES)
    assert oven.inside[1000:6000].min() == 10 == oven.inside.max()
    printer = View(run_of(here, 0.0), "printer", TIMES).inside
    assert printer[48:72].tolist() == [0] + [1] * 20 + [0] * 3           # in at 1 s of the takt, out at 21 s


# --- physics --------------------------------------------------------------------------------------------------------

def test_every_channel_is_finite_repeatable_and_its_own():
    here = line(*(drift_of(k) for k in KINDS))
    run = run_of(here, 0.6)
    seen = set()
    for channel in channels(here):
        values = truth(here, run, channel)
        assert values.shape == TIMES.shape and np.isfinite(values).all(), channel
        assert np.array_equal(values, truth(here, run, channel)), channel
        seen.add(values.tobytes())
    assert len(seen) == len(channels(here))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_drift_moves_what_it_touches_and_no_other_channel(kind):
    """Bit for bit: the exact form of a negative control."""
    here = line(drift_of(kind))
    new, worn = run_of(here, 0.0), run_of(here, 1.0)
    for channel in channels(here):
        station = channel.split("/")[0]
        sensor = Sensor(channel, station, channel.rsplit("/", 1)[-1], "")
        same = np.array_equal(truth(here, new, channel, times=TIMES[:3000]), truth(here, worn, channel, times=TIMES[:3000]))
        assert same != touches(here.drifts[0], sensor, here), (kind, channel)


def test_a_zone_that_works_is_at_its_setpoint_and_one_that_cannot_is_as_the_units_have_it():
    here = line(drift_of("zone_heater"), drift_of("zone_blower_bearing"))
    steady = slice(2000, 7000)
    assert truth(here, run_of(here, 0.0), "reflow/zone7/temperature")[steady].mean() == pytest.approx(248, abs=1)
    worn = run_of(here, 0.9)
    offset = couplings.process_drifts(here, np.array([0.9, 0.9]), 3)["oven.zone7_offset_c"]
    assert truth(here, worn, "reflow/zone7/temperature")[steady].mean() == pytest.approx(248 + offset, abs=1)
    assert truth(here, worn, "reflow/zone7/duty")[steady].min() == 1.0
    kelvin = truth(here, worn, "reflow/zone7/temperature", "K")
    assert kelvin == pytest.approx(truth(here, worn, "reflow/zone7/temperature") + 273.15)


def test_a_nozzle_holds_as_hard_as_its_parts_are_held():
    here = line(drift_of("nozzle_wear"))
    values = truth(here, run_of(here, 1.0), "p1/nozzle3/vacuum", "kPa")
    working = View(run_of(here, 1.0), "p1", TIMES).inside > 0
    assert values[working].mean() == pytest.approx(-55, abs=0.3) and values[~working].max() == pytest.approx(-0.5)


@pytest.mark.parametrize("stencil", [80e-6, 160e-6])
def test_paste_inspection_sees_the_printer_of_each_board_and_its_stencil(stencil):
    """Two printers side by side, the second one worn out: a blade that lifts the stencil by g prints 1 + g / t as much."""
    flows = (StationFlow("left", "printer", "L/left", (), 20.0), StationFlow("right", "printer", "L/right", (), 20.0),
             StationFlow("spi", "spi", "L/spi", ("left", "right"), 20.0),
             StationFlow("last", "printer", "L/last", ("spi",), 20.0))
    drifts = tuple(Drift(s, "squeegee_wear", s) for s in ("right", "last"))
    here = Line("L", TAKT, flows, drifts, stencil=stencil)
    first = np.arange(UNITS_MADE) * TAKT
    start = np.column_stack([first, first, first + 40, first + 80])
    start[::2, 1] = start[1::2, 0] = np.nan                               # every other board
    looks = np.arange(0, UNITS_MADE * TAKT, 60.0)
    run = Run(here, UNITS_MADE * TAKT, start, start, start + 20, start + 20, (), looks, np.ones((len(looks), 2)),
              np.zeros((len(looks), 2)), np.full(UNITS_MADE, 3, np.int32))
    volume = truth(here, run, "spi/board/volume_mean", times=start[:, 2] + 1)
    gasket, loss = (KINDS["squeegee_wear"].parameters[name].default for name in ("gasket", "force_loss"))
    assert volume[::2].mean() == pytest.approx(1.0, abs=0.004)            # 4 SE of 1.2 % over 150 boards
    assert volume[1::2].mean() == pytest.approx((1 + gasket / stencil) * (1 - 0.25 * loss), rel=0.004)
    sensor = Sensor("spi/board/volume_mean", "spi", "volume_mean", "1")
    assert [touches(d, sensor, here) for d in drifts] == [True, False]    # the last printer comes after it


def test_a_station_that_is_down_or_off_uses_little():
    here = line()
    off = Event(2400.0, "p1", "state", str(int(State.NON_SCHEDULED)))
    down = Event(4800.0, "p1", "state", str(int(State.UNSCHEDULED_DOWN)))
    power = truth(here, run_of(here, 0.0, off, down), "p1/power")
    first, second, third = (power[s].mean() for s in (slice(100, 2390), slice(2410, 4790), slice(4810, 7000)))
    assert first == pytest.approx((20 * 2600 + 4 * 900) / 24, rel=0.02) and second == pytest.approx(27, rel=0.05)
    assert third == pytest.approx(900, rel=0.02)
    cold = truth(here, run_of(here, 0.0, Event(0.0, "reflow", "state", "6000")), "reflow/zone8/temperature")
    assert cold.max() < 30


def test_each_reading_of_a_unit_is_held_until_the_next():
    force = truth(line(), run_of(line(), 0.0), "printer/squeegee/force")
    steps = np.flatnonzero(np.diff(force)) + 1
    assert set((steps - 1) % 24) == {0} and len(steps) == UNITS_MADE
    assert np.unique(force).std() == pytest.approx(1.0, rel=0.2)


def test_the_day_is_warmest_in_the_afternoon():
    here = line()
    day = np.arange(0, 86400.0, 60.0)
    run = run_of(here, 0.0)
    air = truth(here, run, "printer/ambient/temperature", times=day)
    smooth = np.convolve(air, np.ones(120) / 120, "same")[120:-120]
    assert 13 < day[120:-120][smooth.argmax()] / 3600 < 17 and 22.5 < air.min() < air.max() < 28
