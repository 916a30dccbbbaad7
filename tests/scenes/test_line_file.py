"""The line in a scene file: read as written, and a malformed one refused with its place and the mend."""
from __future__ import annotations

import copy
import math
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from scenes.errors import SceneError
from scenes.line.drifts import KINDS
from scenes.line.model import Line
from scenes.scene import Scene

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "living_line.scene.yaml"
SMALL = {
    "linetwin": 1, "name": "small", "line": "Site/Area/Line 7", "product": {"board": "b.kicad_pcb"},
    "production": {"takt_s": 24},
    "stations": [
        {"id": "printer", "kind": "printer", "flow": {"cycle_s": 18, "buffer": 0, "mtbf_h": 8, "mttr_min": 5,
                                                      "supplies": [{"name": "wipe", "units": 10, "refill_s": 8, "crew": False}]},
         "drifts": [{"id": "clog", "kind": "stencil_clog", "life_cycles": 2500, "maintain": 0.9, "repair_min": 10}]},
        {"id": "reflow", "kind": "reflow", "flow": {"cycle_s": 300, "interval_s": 18, "slots": 16},
         "drifts": [{"id": "heat", "kind": "zone_heater", "module": "zone7", "life_h": 900}],
         "sensors": [{"quantity": "temperature", "modules": ["zone6", "zone7"], "unit": "°C", "noise": 0.2,
                      "clock_offset_s": 1.5}]},
        {"id": "axi", "kind": "axi", "flow": {"cycle_s": 60, "share": 0.2}},
        {"id": "test", "kind": "test", "flow": {"cycle_s": 20}},
    ]}


def read(tmp_path: Path, data: dict) -> Scene:
    path = tmp_path / "small.scene.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return Scene.read(path)


def test_a_line_is_read_as_written(tmp_path):
    found = read(tmp_path, SMALL).production
    assert found is not None and (found.path, found.takt, found.crew) == ("Site/Area/Line 7", 24.0, 2)
    assert [s.station for s in found.stations] == ["printer", "reflow", "axi", "test"]
    assert [s.after for s in found.stations] == [(), ("printer",), ("reflow",), ("axi",)]
    printer, oven = found.stations[:2]
    assert (printer.mtbf, printer.mttr, printer.buffer, printer.path) == (8 * 3600.0, 300.0, 0, "Site/Area/Line 7/printer")
    assert (oven.mtbf, oven.slots, oven.interval) == (math.inf, 16, 18.0)
    clog, heat = found.drifts
    assert (clog.life, clog.maintain, clog.repair, clog.station) == (2500, 0.9, 600.0, "printer")
    assert (heat.life, heat.maintain, heat.module) == (900 * 3600.0, math.inf, "zone7")
    assert [s.channel for s in found.sensors] == ["reflow/zone6/temperature", "reflow/zone7/temperature"]
    assert (found.sensors[1].noise, found.sensors[1].clock_offset, found.sensors[1].rate) == (0.2, 1.5, 1.0)


def test_a_line_has_the_stencil_of_its_product_and_older_lines_that_of_then(tmp_path):
    data = copy.deepcopy(SMALL)
    data["product"]["stencil_um"] = 80
    found = read(tmp_path, data).production
    assert found is not None and found.stencil == 80e-6
    usual = read(tmp_path, SMALL).production                              # 120 µm, where a product does not say
    assert usual is not None
    written = TypeAdapter(Line).dump_python(usual)
    del written["stencil"]                                                # as runs were written before
    assert TypeAdapter(Line).validate_python(written) == usual


def test_stations_are_put_in_the_order_of_the_units(tmp_path):
    data = copy.deepcopy(SMALL)
    data["stations"][1]["flow"]["after"] = ["test"]
    data["stations"][3]["flow"]["after"] = ["printer"]
    found = read(tmp_path, data).production
    assert found is not None and [s.station for s in found.stations] == ["printer", "test", "reflow", "axi"]


def test_a_scene_without_flow_stands_still(tmp_path):
    data = copy.deepcopy(SMALL)
    del data["production"]
    data["stations"] = [{"id": s["id"], "kind": s["kind"]} for s in data["stations"]]
    assert read(tmp_path, data).production is None


GONE = object()
MALFORMED = {
    # what: (block, change of it, place in the message, what is wrong or the mend)
    "circle": ("stations.1.flow", {"after": ["test"]}, "stations.1.flow.after", "reflow → axi → test → reflow; take"),
    "own feeder": ("stations.1.flow", {"after": ["reflow"]}, "stations.1.flow.after", "reflow → reflow"),
    "circle through the first": ("stations.0.flow", {"after": ["test"]}, "stations.0.flow.after", "in a circle"),
    "no flow on one": ("stations.2", {"flow": GONE}, "stations.2.flow", "missing on 'axi' while 'printer' has one; add flow"),
    "no cycle time": ("stations.2.flow", {"cycle_s": GONE}, "stations.2.flow.cycle_s", "missing; add it"),
    "cycle time of 0": ("stations.2.flow", {"cycle_s": 0}, "stations.2.flow.cycle_s", "greater than or equal to 0.1"),
    "takt of a microsecond": ("production", {"takt_s": 1e-6}, "production.takt_s", "greater than or equal to 0.1"),
    "stops without end": ("stations.0.flow", {"mtbf_h": 1e-12, "mttr_min": 0}, "stations.0.flow.mtbf_h", "equal to 0.0003"),
    "life of no time": ("stations.1.drifts.0", {"life_h": 1e-10, "repair_min": 0}, "stations.1.drifts.0.life_h", "to 0.0003"),
    "life of no cycle": ("stations.0.drifts.0", {"life_cycles": 0.01}, "stations.0.drifts.0.life_cycles", "equal to 1"),
    "endless noise": ("stations.1.sensors.0", {"noise": math.inf}, "stations.1.sensors.0.noise", "finite number"),
    "parameter that is none": ("stations.1.drifts.0", {"parameters": {"loss": math.nan}}, "stations.1.drifts.0.parameters.loss",
                               "finite number"),
    "no takt": ("production", {"takt_s": GONE}, "production.takt_s", "missing; add it"),
    "no production": ("", {"production": GONE}, "production", "add production: {takt_s: 24}"),
    "production alone": ("", {"stations": [{"id": "aoi"}]}, "production", "or leave it out"),
    "drifts alone": ("", {"stations": [{"id": "aoi", "drifts": [{"id": "x", "kind": "y"}]}]}, "stations.0.drifts", "add flow"),
    "negative buffer": ("stations.3.flow", {"buffer": -1}, "stations.3.flow.buffer", "-1 places; give 0 for none"),
    "share of 0": ("stations.2.flow", {"share": 0}, "stations.2.flow.share", "greater than 0"),
    "half a stop": ("stations.0.flow", {"mttr_min": GONE}, "stations.0.flow.mttr_min", "both mtbf_h and mttr_min"),
    "unknown feeder": ("stations.3.flow", {"after": ["axl"]}, "stations.3.flow.after.0", "did you mean 'axi'?"),
    "feeder twice": ("stations.3.flow", {"after": ["axi", "axi"]}, "stations.3.flow.after.1", "name it once"),
    "not reached": ("stations.2.flow", {"after": []}, "stations.2.flow.after", "nothing reaches 'axi'"),
    "station twice": ("stations.3", {"id": "axi"}, "stations", "id 'axi' is used 2 times"),
    "supply twice": ("stations.0.flow", {"supplies": [{"name": "wipe", "units": 1, "refill_s": 1}] * 2},
                     "stations.0.flow.supplies.1.name", "'wipe' is used twice"),
    "drift twice": ("stations.1.drifts.0", {"id": "clog"}, "stations.1.drifts.0.id", "'clog' is used twice"),
    "drift elsewhere": ("stations.1.drifts.0", {"kind": "tube_ageing"}, "stations.1.drifts.0.kind", "happens on a 'axi'"),
    "unknown drift": ("stations.1.drifts.0", {"kind": "zone_heatr"}, "stations.1.drifts.0.kind", "did you mean 'zone_heater'?"),
    "unknown zone": ("stations.1.drifts.0", {"module": "zone11"}, "stations.1.drifts.0.module", "give zone1 … zone"),
    "life in the wrong count": ("stations.0.drifts.0", {"life_h": 3}, "stations.0.drifts.0.life_h", "write life_cycles"),
    "one part with two drifts": ("stations.1", {"drifts": [
        {"id": name, "kind": "zone_heater", "module": "zone7", "life_h": 900} for name in ("heat", "heat2")]},
        "stations.1.drifts.1", "'heat' is the same 'zone_heater' of zone7; a part wears once, give it one drift"),
    "zone with a nought": ("stations.1.sensors.0", {"modules": ["zone07"]}, "stations.1.sensors.0.modules.0", "match pattern"),
    "zone in other digits": ("stations.1.sensors.0", {"modules": ["zone٧"]}, "stations.1.sensors.0.modules.0", "match pattern"),
    "zone and a line": ("stations.1.sensors.0", {"modules": ["zone7\n"]}, "stations.1.sensors.0.modules.0", "match pattern"),
    "zone of many digits": ("stations.1.sensors.0", {"modules": ["zone" + "7" * 5000]}, "stations.1.sensors.0.modules.0",
                            "at most 40 characters"),
    "quantity and a line": ("stations.1.sensors.0", {"quantity": "duty\n"}, "stations.1.sensors.0.quantity", "match pattern"),
    "unknown parameter": ("stations.1.drifts.0", {"parameters": {"los": 0.5}}, "stations.1.drifts.0.parameters.los", "known: "),
    "unknown unit": ("stations.1.sensors.0", {"unit": "degF"}, "stations.1.sensors.0.unit", "known: °C"),
    "unknown quantity": ("stations.1.sensors.0", {"quantity": "temprature"}, "stations.1.sensors.0", "zone1…10/temperature"),
    "sensor twice": ("stations.1.sensors.0", {"modules": ["zone6", "zone6"]}, "stations.1.sensors.0", "is there already"),
    "empty range": ("stations.1.sensors.0", {"low": 5, "high": 5}, "stations.1.sensors.0.high", "low < high"),
    "module and modules": ("stations.1.sensors.0", {"module": "zone1"}, "stations.1.sensors.0.modules", "one of the two"),
    "misspelt key": ("stations.0.flow", {"mtbf_hours": 3}, "stations.0.flow.mtbf_hours", "did you mean 'mtbf_h'?"),
    "misspelt block": ("", {"prodution": {}}, "prodution", "did you mean 'production'?"),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_line_is_refused_with_the_place_and_the_mend(tmp_path, what):
    block, change, place, mend = MALFORMED[what]
    data = copy.deepcopy(SMALL)
    target = data
    for key in block.split(".") if block else ():
        target = target[int(key) if key.isdigit() else key]
    for key, value in change.items():
        if value is GONE:
            del target[key]
        else:
            target[key] = value
    with pytest.raises(SceneError) as error:
        read(tmp_path, data)
    message = str(error.value)
    assert "\n" not in message and message.startswith(str(tmp_path / "small.scene.yaml") + ": ")
    assert message.split(": ")[1] == place
    assert mend in message


def test_the_example_lives():
    line = Scene.read(EXAMPLE).production
    assert line is not None and line.takt <= 24
    assert {d.kind for d in line.drifts} == set(KINDS)
    assert len(line.sensors) >= 100 and {s.rate for s in line.sensors} == {1.0}
    assert [s.kind for s in line.stations] == ["printer", "spi", "placement", "placement", "aoi", "reflow", "aoi", "axi", "test"]
