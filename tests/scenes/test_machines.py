"""Machines as scenes: the examples are read, and what makes no sense is refused with the place and the mend."""
from pathlib import Path

import pytest
import yaml

from scenes.errors import SceneError
from scenes.machines.machine import Machine
from scenes.machines.model import FAULTS, TYPES, UNITS, AirCompressor, Fan, Pump

EXAMPLES = Path(__file__).parents[2] / "examples" / "machines"


def changed(tmp_path, name="pump", **keys):
    """An example with some keys replaced: 'a.b' = value, 'bearings.0.id' = value; None removes."""
    data = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"))
    for key, value in keys.items():
        *way, last = (int(p) if p.isdigit() else p for p in key.split("__"))
        at = data
        for step in way:
            at = at[step]
        if value is None:
            del at[last]
        else:
            at[last] = value
    path = tmp_path / "machine.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", TYPES)
def test_examples_are_read(name):
    machine = Machine.read(EXAMPLES / f"{name}.yaml")
    assert machine.type == name
    assert machine.path.endswith(machine.id) and machine.path.startswith("Site/")
    assert {s.unit for s in machine.sensors} <= set(UNITS.values())
    assert len({s.channel for s in machine.sensors}) == len(machine.sensors)
    assert all(s.channel.startswith(machine.id + "/") for s in machine.sensors)
    assert isinstance(machine.fluid, {"pump": Pump, "fan": Fan, "compressor": AirCompressor, "motor": type(None)}[name])
    assert len(machine.digest()) == 64


def test_values_are_si():
    pump = Machine.read(EXAMPLES / "pump.yaml")
    assert pump.fluid.flow == pytest.approx(30 / 3600)
    assert pump.fluid.rise == pytest.approx(2.6e5)
    assert pump.bearing("drive_end").ball == pytest.approx(7.94e-3)
    assert pump.drive.speed(1.0) == pytest.approx(50 * (1 - 0.035))
    air = Machine.read(EXAMPLES / "compressor.yaml").fluid
    assert (air.on, air.off) == (pytest.approx(6.5e5 + 101_325), pytest.approx(7.5e5 + 101_325))
    assert air.delivery == pytest.approx(1.0 / 60)
    assert air.receiver == pytest.approx(0.09)


def test_every_type_has_faults_of_its_own():
    assert {k.name for k in FAULTS.values() if k.types == ("pump",)} == {"suction_blocked"}
    assert all("bearing" in name for name, kind in FAULTS.items() if kind.bearing)


@pytest.mark.parametrize(("keys", "message"), [
    ({"bearngs": [], "bearings": None}, r"bearngs: unknown key; did you mean 'bearings'\?"),
    ({"drive__mains": 50}, r"drive\.mains: unknown key; did you mean 'mains_hz'\?"),
    ({"id": None}, "id: missing; add it"),
    ({"id": "../x"}, "id: String should match"),
    ({"type": "turbine"}, "type: Input should be"),
    ({"kind": "line"}, "not a machine; a machine file says 'kind: machine'"),
    ({"load": -1}, "load: Input should be greater than 0"),
    ({"load": float("nan")}, "load: Input should be a finite number"),
    ({"pump": None}, "pump: missing; describe it, or write 'pump: {}'"),
    ({"fan": {}}, "fan: this is a pump; remove 'fan', or write 'type: fan'"),
    ({"bearings__1__id": "drive_end"}, "id 'drive_end' is used 2 times"),
    ({"bearings__0__elements": 30}, "30 balls of 7.94 mm do not fit on a circle of 39.04 mm"),
    ({"pump__breakdown": 0.5}, "breakdown 0.5 must lie below inception 0.38"),
    ({"surroundings__machine_m": [3, 3, 9]}, "machine_m .* must lie inside size_m"),
    ({"faults__0__kind": "bearing_outr"}, r"unknown fault 'bearing_outr'; did you mean 'bearing_outer'\?"),
    ({"faults__0__kind": "filter_clogged"}, "a pump has no fault 'filter_clogged'; it can have"),
    ({"faults__0__place": "middle"}, "say which bearing: drive_end, impeller_end"),
    ({"faults__1__place": "drive_end"}, "belongs to the whole machine; leave 'place' out"),
    ({"faults__0__severity": 1.5}, "severity: Input should be less than or equal to 1"),
    ({"faults__1": {"kind": "bearing_outer", "severity": 0.1, "place": "drive_end"}}, "is there already; give one severity"),
    ({"sensors__0__quantity": "vibraton"}, r"unknown quantity 'vibraton'; did you mean 'vibration'\?"),
    ({"sensors__0__unit": "g"}, "unit 'g'; vibration is in m/s²"),
    ({"sensors__0__place": "drive_edn"}, r"vibration at 'drive_edn'; did you mean 'drive_end'\?"),
    ({"sensors__0__rate_hz": 100}, "rate_hz 100 is too slow for vibration"),
    ({"sensors__0__low": 600}, "low 600 must be below high 500"),
    ({"sensors__1__place": "drive_end"}, "channel 'pump1/drive_end/horizontal/vibration' is there already"),
    ({"sensors__3__position_m": None}, "position_m None; give a place inside the room"),
    ({"sensors__3__position_m": [20, 1, 1]}, "give a place inside the room"),
    ({"sensors__3__position_m": [3.2, 3.3, 0.8]}, "less than 0.3 m from the machine"),
    ({"sensors__3__rate_hz": 25600.5}, "sound needs whole hertz"),
    ({"sensors__0__bandwidth_hz": 1e-6}, "bandwidth_hz: Input should be greater than or equal to 1"),
    ({"sensors__3__quantity": "sound_level", "sensors__3__rate_hz": 48000}, "rate_hz 48000; levels are of sound at 25600 Hz"),
    ({"sensors__4__quantity": "ultrasonic_level"}, "a pump has no ultrasonic_level; remove the sensor"),
    ({"sensors": []}, "sensors: Tuple should have at least 1 item"),
])
def test_what_makes_no_sense_is_refused(tmp_path, keys, message):
    with pytest.raises(SceneError, match=message) as caught:
        Machine.read(changed(tmp_path, **keys))
    assert str(caught.value).startswith(str(tmp_path / "machine.yaml"))


@pytest.mark.parametrize(("keys", "message"), [
    ({"compressor__on_bar": 8}, "on_bar 8 must lie below off_bar 7.5"),
    ({"compressor__demand_l_min": 900}, "demand_l_min 900 is not below what worn valves still deliver, 600 l/min"),
])
def test_compressors_that_cannot_be(tmp_path, keys, message):
    with pytest.raises(SceneError, match=message):
        Machine.read(changed(tmp_path, "compressor", **keys))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(SceneError, match="cannot be read"):
        Machine.read(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("kind: [machine", encoding="utf-8")
    with pytest.raises(SceneError, match=r"bad\.yaml:\d+: not valid YAML"):
        Machine.read(tmp_path / "bad.yaml")
    (tmp_path / "evil.yaml").write_text("!!python/object/apply:os.system ['true']", encoding="utf-8")
    with pytest.raises(SceneError, match="not valid YAML"):
        Machine.read(tmp_path / "evil.yaml")
    (tmp_path / "list.yaml").write_text("- 1", encoding="utf-8")
    with pytest.raises(SceneError, match="a machine is a mapping"):
        Machine.read(tmp_path / "list.yaml")
    (tmp_path / "big.yaml").write_text("#" * (4 << 20) + "x", encoding="utf-8")
    with pytest.raises(SceneError, match="larger than 4 MiB"):
        Machine.read(tmp_path / "big.yaml")
