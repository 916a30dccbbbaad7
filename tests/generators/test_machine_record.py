"""Records of machines: one clock, the same bytes again, and every fault seen where physics says, and only there."""
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from generators.dataset.recordings import read_recordings, write_recordings
from generators.dataset.schema import TRACES
from generators.reports.machine import envelope_spectrum, machine_report, save_record
from generators.traces.machine_record import record
from scenes.errors import DatasetError, InputError, SceneError
from scenes.machines.machine import Machine
from scenes.machines.model import TYPES, Fault

EXAMPLES = Path(__file__).parents[2] / "examples" / "machines"
QUIET = ("sound", "sound_level")


def read(name, *only, sound=False):
    """An example, without its microphones unless they are wanted; or only some of its quantities."""
    machine = Machine.read(EXAMPLES / f"{name}.yaml")
    if only:
        return replace(machine, sensors=tuple(s for s in machine.sensors if s.quantity in only))
    return machine if sound else replace(machine, sensors=tuple(s for s in machine.sensors if s.quantity not in QUIET))


def take(machine, *faults, seconds=2.0, seed=1, start=0.0):
    return record(machine, seconds, np.random.default_rng(seed), faults=faults, start=start)


def values(taken, end):
    return next(t for t in taken.traces if t.channel.endswith(end)).values.astype(np.float64)


@pytest.mark.parametrize("name", TYPES)
def test_all_channels_on_one_clock(name):
    pytest.importorskip("pyroomacoustics")
    machine = read(name, sound=True)
    taken = record(machine, 1.5, np.random.default_rng(3), start=100.0)
    assert [t.channel for t in taken.traces] == [s.channel for s in machine.sensors]
    for trace, sensor in zip(taken.traces, machine.sensors, strict=True):
        assert (trace.unit, trace.sample_rate, trace.start_ns) == (sensor.unit, sensor.rate, 100_000_000_000)
        assert len(trace.values) == round(1.5 * sensor.rate)
        assert trace.values.dtype == np.float32 and np.isfinite(trace.values).all()
        assert trace.values.min() >= sensor.low and trace.values.max() <= sensor.high
    again = record(machine, 1.5, np.random.default_rng(3), start=100.0)
    assert all(np.array_equal(a.values, b.values) for a, b in zip(taken.traces, again.traces, strict=True))
    assert taken.truth == again.truth
    assert json.loads(json.dumps(taken.truth))["faults"][0]["kind"] == machine.faults[0].kind


def test_a_level_needs_a_reading_of_its_own():
    """A second of sound has 25,600 values whatever the level's rate; 0.4 s hold no level at 1 Hz."""
    machine = read("motor", "sound", sound=True)
    level = replace(machine, sensors=tuple(replace(s, quantity="sound_level", rate=1.0) for s in machine.sensors))
    with pytest.raises(InputError, match=r"0\.4 s at 1 Hz is not 1 to 16777216 values; change the duration"):
        take(level, seconds=0.4)


def test_a_clock_that_is_fast_moves_the_stamp_and_nothing_else():
    machine = read("motor")
    fast = replace(machine, sensors=tuple(replace(s, clock_offset=0.25) for s in machine.sensors))
    right, wrong = take(machine), take(fast)
    assert {t.start_ns for t in wrong.traces} == {250_000_000}
    assert all(np.array_equal(a.values, b.values) for a, b in zip(right.traces, wrong.traces, strict=True))


@pytest.mark.parametrize("name", TYPES)
def test_kinematics_of_the_truth(name):
    """BPFO + BPFI = n·fr at any contact angle; the 6205 at φ ≤ 12° lies within 0.6 % of 3.5848 and 5.4152."""
    machine = read(name)
    truth = take(machine).truth
    for bearing in machine.bearings:
        found = truth["bearings"][bearing.id]
        assert found["outer_hz"] + found["inner_hz"] == pytest.approx(bearing.elements * truth["speed_hz"], rel=1e-12)
        if bearing.type == "6205":
            assert found["outer_hz"] / truth["speed_hz"] == pytest.approx(3.5848, rel=6e-3)
            assert found["inner_hz"] / truth["speed_hz"] == pytest.approx(5.4152, rel=6e-3)


@pytest.mark.parametrize(("kind", "line"), [("bearing_outer", "outer_hz"), ("bearing_inner", "inner_hz")])
def test_a_spall_is_seen_at_its_bearing_only(kind, line):
    machine = read("motor")
    taken = take(machine, Fault(kind, 0.5, "drive_end"), seconds=8.0)
    truth = taken.truth["bearings"]["drive_end"]

    def height(place, frequency):
        f, size = envelope_spectrum(values(taken, f"{place}/horizontal/vibration"), 25_600.0, (2000, 4500))
        near = np.abs(f / frequency - 1) < 0.01
        return size[near].max() / np.median(size[(f > 20) & (f < 500)])

    assert height("drive_end", truth[line]) > 15
    assert height("fan_end", truth[line]) < 8
    f, size = envelope_spectrum(values(taken, "drive_end/horizontal/vibration"), 25_600.0, (2000, 4500))
    near = np.abs(f / truth[line] - 1) < 0.01
    assert f[near][np.argmax(size[near])] == pytest.approx(truth[line], rel=0.005)


def test_a_spall_warms_its_bearing():
    sound, spalled = (take(read("motor"), *f) for f in ((), (Fault("bearing_outer", 1.0, "drive_end"),)))
    rise = [values(t, "drive_end/temperature").mean() - 24 for t in (sound, spalled)]
    assert rise[1] / rise[0] == pytest.approx(4.0, rel=0.05)              # friction at severity 1
    assert values(sound, "winding/temperature").mean() == pytest.approx(values(spalled, "winding/temperature").mean(), abs=0.2)


def test_a_fault_does_not_change_the_specimen():
    sound, spalled = (take(read("motor"), *f) for f in ((), (Fault("bearing_outer", 0.5, "drive_end"),)))
    assert sound.truth["bearings"] == spalled.truth["bearings"]
    assert np.array_equal(values(sound, "fan_end/horizontal/vibration"), values(spalled, "fan_end/horizontal/vibration"))


def test_blocked_cooling_heats_winding_and_housing():
    """Housing rise over 1 − 0.65·0.5; the bearing does not feel it."""
    clean, dirty = (take(read("motor"), *f) for f in ((), (Fault("cooling_blocked", 0.5),)))
    housing = [values(t, "housing/temperature").mean() - 24 for t in (clean, dirty)]
    assert housing[1] / housing[0] == pytest.approx(1 / (1 - 0.65 * 0.5), rel=0.01)
    assert values(dirty, "winding/temperature").mean() > values(clean, "winding/temperature").mean() + 10
    assert values(dirty, "drive_end/temperature").mean() == pytest.approx(values(clean, "drive_end/temperature").mean(), abs=0.2)


def test_unbalance_raises_the_first_order():
    clean, dirty = (take(read("fan"), *f, seconds=4.0) for f in ((), (Fault("unbalance", 0.5),)))

    def order(taken, k):
        x = values(taken, "drive_end/horizontal/vibration")
        spectrum, f = np.abs(np.fft.rfft(x * np.hanning(len(x)))), np.fft.rfftfreq(len(x), 1 / 25_600.0)
        return spectrum[np.abs(f - k * taken.truth["speed_hz"]) < 1.0].max()

    assert order(dirty, 1) > 4 * order(clean, 1)
    assert order(dirty, 2) < 1.5 * order(clean, 2)


def test_broken_bars_are_seen_in_the_current():
    taken = take(read("fan", "current"), Fault("broken_bar", 1.0), seconds=20.0)
    current = values(taken, "current")
    spectrum, f = np.abs(np.fft.rfft(current * np.hanning(len(current)))), np.fft.rfftfreq(len(current), 1e-4)
    side = 50 * (1 - 2 * taken.truth["slip"])
    found = 20 * np.log10(spectrum[np.abs(f - side) < 0.2].max() / spectrum[np.abs(f - 50) < 0.2].max())
    assert -45 < found < -25                                              # clear beside the mains


def test_a_blocked_strainer_makes_the_pump_cavitate():
    """Suction falls, the cavitation number with it; noise first, then 3 % of the head; flow ∝ √head."""
    pump = read("pump")
    runs = [take(pump, Fault("suction_blocked", s)) for s in (0.0, 0.6, 1.0)]
    numbers = [r.truth["cavitation_number"] for r in runs]
    assert numbers[0] > pump.fluid.inception > numbers[1] > pump.fluid.breakdown > numbers[2]
    loud = [values(r, "drive_end/horizontal/vibration").std() for r in runs]
    assert loud[0] * 3 < loud[1] < loud[2]
    rise = [r.truth["rise_pa"] for r in runs]
    assert rise[1] == pytest.approx(rise[0], rel=0.01)
    assert rise[2] < 0.97 * rise[0]
    assert runs[2].truth["flow_m3_s"] / runs[0].truth["flow_m3_s"] == pytest.approx(math.sqrt(rise[2] / rise[0]))
    pressure = [values(r, "pressure").mean() for r in runs]
    assert pressure[0] - pressure[2] > (runs[0].truth["suction_pa"] - runs[2].truth["suction_pa"]) * 0.95


def test_pressure_beats_with_the_blades():
    """Six vanes at the shaft's speed; 1 % of the rise, RMS."""
    taken = take(read("pump"), seconds=5.0)
    x = values(taken, "pressure")
    spectrum, f = np.abs(np.fft.rfft((x - x.mean()) * np.hanning(len(x)))), np.fft.rfftfreq(len(x), 1e-3)
    at = f[np.argmax(spectrum * (f > 20))]
    assert at == pytest.approx(6 * taken.truth["speed_hz"], abs=0.3)
    line = spectrum[np.abs(f - at) < 1]
    assert math.sqrt((line ** 2).sum() * 2 / (len(x) * (np.hanning(len(x)) ** 2).sum())) == pytest.approx(2600, rel=0.05)


def test_a_clogged_filter_moves_the_fan_along_its_curve():
    """p = p_max·(1 − (q / q_max)²) and p = R·q² meet at q² = p_max / (R + p_max / q_max²)."""
    fan = read("fan", "flow", "pressure", "current")
    clean, clogged = (take(fan, *f, seconds=20.0) for f in ((), (Fault("filter_clogged", 1.0),)))
    for taken, resistance in ((clean, 180.0), (clogged, 1680.0)):
        q = math.sqrt(900 / (resistance + 900 / 2.4 ** 2))
        assert values(taken, "flow").mean() == pytest.approx(q, rel=0.01)
        assert values(taken, "pressure").mean() == pytest.approx(resistance * q * q, rel=0.01)
    assert clogged.truth["speed_hz"] > clean.truth["speed_hz"]            # less torque, less slip
    assert values(clogged, "current").std() < 0.95 * values(clean, "current").std()


def test_a_leak_is_heard_and_shortens_the_compressors_rest():
    air = read("compressor", "pressure", "flow", "ultrasonic_level", "temperature")
    tight, leaking = (take(air, *f, seconds=60.0) for f in ((), (Fault("air_leak", 1.0),)))
    assert leaking.truth["loaded_share"] > tight.truth["loaded_share"] + 0.1
    assert values(tight, "ultrasonic_level").mean() == pytest.approx(30.0, abs=0.3)
    assert values(leaking, "ultrasonic_level").mean() > 60
    assert values(leaking, "flow").mean() - values(tight, "flow").mean() == pytest.approx(leaking.truth["leak_m3_s"], rel=0.1)
    pressure = values(leaking, "pressure")
    assert pressure.min() > air.fluid.on - 2000 and pressure.max() < air.fluid.off + 2000
    assert values(leaking, "winding/temperature").mean() > values(tight, "winding/temperature").mean() + 3


def test_sound_carries_the_machine_into_the_room():
    """A louder machine is louder at the microphone; a sound level is the level of the sound."""
    pytest.importorskip("pyroomacoustics")
    pump = read("pump", sound=True)
    ear = next(s for s in pump.sensors if s.quantity == "sound")
    level = replace(ear, channel="pump1/room/sound_level", quantity="sound_level", unit="dB", rate=1.0, low=0.0, high=140.0,
                    resolution=0.0, noise=0.0)
    both = replace(pump, sensors=(replace(ear, noise=0.0), level))
    quiet, loud = (take(both, *f, seconds=3.0) for f in ((), (Fault("suction_blocked", 1.0),)))
    assert values(loud, "/sound").std() > 1.15 * values(quiet, "/sound").std()
    heard = values(quiet, "/sound")
    seconds = 10 * np.log10(np.square(heard).reshape(3, -1).mean(axis=1) / 4e-10)
    assert values(quiet, "sound_level") == pytest.approx(seconds, abs=0.2)     # the anti-alias filter takes the rest


@pytest.mark.parametrize(("faults", "message"), [
    ((Fault("filter_clogged", 0.5),), "a pump has no fault 'filter_clogged'"),
    ((Fault("bearing_outer", 0.5, "nowhere"),), "say which bearing"),
    ((Fault("unbalance", 2.0),), "severity 2 is outside 0 to 1"),
])
def test_faults_that_cannot_be(faults, message):
    with pytest.raises(SceneError, match=message):
        take(read("pump"), *faults)


@pytest.mark.parametrize("seconds", [1e-9, 1e5, math.nan])
def test_durations_that_cannot_be(seconds):
    with pytest.raises(InputError, match="change the duration"):
        take(read("pump"), seconds=seconds)


def test_parquet_has_the_columns_of_a_shard(tmp_path):
    import pyarrow.parquet as pq
    taken = take(read("motor"), Fault("unbalance", 0.2), start=7.0)
    path = write_recordings([taken, taken], tmp_path / "a" / "traces.parquet")
    assert pq.read_schema(path).field("traces").type.value_type == TRACES
    rows = read_recordings(path)
    assert [r["id"] for r in rows] == ["Site/Assembly/Line 1/motor1"] * 2
    assert rows[1]["time_ns"] == 7_000_000_000
    assert json.loads(rows[0]["conditions"])["faults"] == [{"kind": "unbalance", "place": "", "severity": 0.2}]
    for trace, stored in zip(taken.traces, rows[1]["traces"], strict=True):
        assert stored["channel"] == trace.channel and np.array_equal(stored["values"], trace.values)
    first = path.read_bytes()
    assert write_recordings([taken, taken], path).read_bytes() == first
    assert [p.name for p in path.parent.iterdir()] == ["traces.parquet"]
    (tmp_path / "no.parquet").write_text("no")
    with pytest.raises(DatasetError, match="not a file of records"):
        read_recordings(tmp_path / "no.parquet")


def test_report(tmp_path):
    taken = take(read("pump"), Fault("bearing_outer", 0.4, "drive_end"))
    report = machine_report(taken)
    assert report.passed
    assert report.figures["shaft speed"].value == pytest.approx(48.6)
    titles = [s.title for s in report.sections]
    assert titles[0] == "Truth" and titles[-1] == "Slow channels" and "pump1/drive_end/horizontal/vibration" in titles
    files = save_record(taken, tmp_path)
    assert files["html"].read_text(encoding="utf-8").count("<svg") > 10
    assert read_recordings(files["traces.parquet"])[0]["id"] == "Site/Utilities/Cooling/pump1"


def test_a_dead_channel_fails_the_report():
    machine = read("motor")
    dead = replace(machine, sensors=(replace(machine.sensors[0], resolution=1e3), replace(machine.sensors[1], dropout=0.9)))
    report = machine_report(take(dead))
    assert not report.passed
    assert [c.id for c in report.checks if not c.passed] == ["channels.present", "channels.alive"]
