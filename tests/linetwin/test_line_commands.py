"""The command line of the living line: what it leaves behind, and what it refuses."""
from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest
import yaml

from generators.events.cfx import read as read_messages
from generators.events.channels import ChannelFile
from generators.events.found import read_found
from generators.events.tables import read_outcomes, read_run, read_start
from generators.text.table import read_entries
from linetwin.cli import main


def call(*arguments: str) -> int:
    """Run a command; its exit code."""
    with pytest.raises(SystemExit) as left:
        main([str(a) for a in arguments])
    return int(left.value.code or 0)


@pytest.fixture(scope="module")
def told(examples, tmp_path_factory):
    out = tmp_path_factory.mktemp("line")
    scene = examples / "living_line.scene.yaml"
    assert call("line", "run", scene, "-o", out, "--hours", 1.5, "--seed", 4, "--languages", "en,ko", "--json") == 0
    return out


def test_a_run_leaves_its_whole_history(told):
    run, outcomes = read_run(told), read_outcomes(told)
    assert run.duration == 5400 and len(run.start) > 150
    assert read_start(told) == datetime(2026, 1, 1, 6, tzinfo=UTC)             # what its messages and its servers count from
    found, log = read_found(told / "found.parquet"), read_entries(told / "log.parquet")
    assert outcomes is not None and outcomes.calls is not None
    assert np.array_equal(np.bincount([f.unit for f in found], minlength=len(run.start)), outcomes.defects)
    assert all(e.time <= 5400 for e in log)
    with ChannelFile(told) as channels:
        times, values = channels.read(["reflow/zone7/temperature"])
        assert len(channels.channels) >= 100
    assert times[-1] == 5399 and 150 < np.nanmean(values) < 300


def test_its_messages_tell_what_inspections_called(told):
    outcomes, inspected = read_outcomes(told), {}
    for message in read_messages(told / "messages.ndjson"):
        assert message.Source.startswith("SIMULATED.")
        if message.MessageName.endswith("UnitsInspected"):
            for unit in message.MessageBody.InspectedUnits:
                inspected[message.Source.rsplit(".", 1)[1]] = inspected.get(message.Source.rsplit(".", 1)[1], 0) + sum(
                    len(i.DefectsFound) for i in unit.Inspections)
    assert sum(inspected.values()) == len(outcomes.calls)
    report = json.loads((told / "report" / "report.json").read_text())
    assert report["verdict"] == "passed" and {c["id"] for c in report["checks"]} >= {"line.clock", "line.little"}
    page = (told / "report" / "index.html").read_text()
    assert "What wore" in page and "escaped them all" in page


def test_only_stations_that_judge_have_verdicts(told):
    """The line has an AOI before the oven, which nobody's rules are about."""
    messages = read_messages(told / "messages.ndjson")
    assert {m.Source.rsplit(".", 1)[1] for m in messages if m.MessageName.endswith("UnitsInspected")} == {"spi", "aoi", "axi"}
    table = (told / "report" / "index.html").read_text().split("false calls in 1,000 units")[1].split("</table>")[0]
    assert "aoi" in table and "aoi-pre" not in table


def test_the_oven_says_what_it_is_set_to(told):
    """Setpoints are those of the recipe (domain reference 3.4) and 0.70 m/min, readings are what the sensors read of it."""
    ovens = [m.MessageBody.CommonProcessData for m in read_messages(told / "messages.ndjson")
             if m.MessageName.endswith("UnitsProcessed") and m.Source.endswith(".reflow")]
    assert len(ovens) > 100
    for oven in ovens:
        assert oven.ConveyorSpeedSetpoint == pytest.approx(70.0) != oven.ConveyorSpeed
        assert [z.Setpoints[0].Setpoint for z in oven.ZoneData] == [110, 140, 160, 175, 190, 225, 248, 252, 130, 60]
        assert [z.Zone.ReflowZoneType for z in oven.ZoneData] == ["PreHeat"] * 2 + ["Soak"] * 3 + ["Reflow"] * 3 + ["Cool"] * 2


def test_a_line_without_a_sensor_of_one_hertz_runs(examples, tmp_path, capsys):
    """No table of channels then, and none that an older run left; the result counts what was left out."""
    scene = yaml.safe_load((examples / "living_line.scene.yaml").read_text())
    scene["product"]["board"] = str(examples / "boards" / "inspector.kicad_pcb")
    for station in scene["stations"]:
        for sensor in station.get("sensors", ()):
            sensor["rate_hz"] = 0.5
    (tmp_path / "slow.yaml").write_text(yaml.safe_dump(scene))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "channels.parquet").write_bytes(b"of an older run")
    assert call("line", "run", tmp_path / "slow.yaml", "-o", tmp_path / "out", "--hours", 0.2, "--no-inspect", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["channels"] == 0 and result["channels_of_other_rates"] >= 100 and result["messages"] > 100
    assert not (tmp_path / "out" / "channels.parquet").exists()


def test_a_recipe_with_a_scenario_runs_too(examples, tmp_path):
    recipe = tmp_path / "night.yaml"
    recipe.write_text(f"scene: {examples}/living_line.scene.yaml\ncount: 1\nseed: 4\nscenario: {{hours: 0.5, others: false}}\n")
    assert call("line", "run", recipe, "-o", tmp_path / "out", "--no-channels", "--no-messages", "--no-inspect") == 0
    assert read_run(tmp_path / "out").severity.max() == 0
    assert not (tmp_path / "out" / "channels.parquet").exists()


@pytest.mark.parametrize(("arguments", "message"), [
    (("line", "run", "{examples}/inspector.scene.yaml", "-o", "{out}"), "has no 'production:'"),
    (("line", "run", "{examples}/living_line.scene.yaml", "-o", "{out}", "--languages", "fr"), "give en, ko or en,ko"),
    (("line", "run", "{examples}/inspector.recipe.yaml", "-o", "{out}"), "a recipe without 'scenario:'"),
    (("line", "run", "{out}/none.yaml", "-o", "{out}"), "cannot be read"),
    (("line", "serve", "{out}/none"), "run.json: cannot be read"),
    (("line", "serve", "{out}", "--to", "smoke"), "known: opcua, sparkplug"),
    (("line", "serve", "{out}", "--port", "70000"), "'--port': Input should be less than or equal to 65535"),
    (("line", "serve", "{out}", "--port", "-1"), "'--port': Input should be greater than or equal to 0"),
    (("line", "documents", "{examples}/living_line.scene.yaml", "-o", "{out}", "--languages", "fr"), "give en, ko or en,ko"),
    (("machine", "record", "{examples}/machines/fan.yaml", "-o", "{out}", "--fault", "unbalance"), "is not kind=severity"),
    (("machine", "record", "{examples}/machines/fan.yaml", "-o", "{out}", "--fault", "unbalnce=1"), "did you mean 'unbalance'"),
])
def test_what_cannot_be_is_one_line_and_an_exit_code(arguments, message, examples, tmp_path, capsys):
    assert call(*(a.format(examples=examples, out=tmp_path) for a in arguments)) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1 and "Traceback" not in said


@pytest.mark.parametrize(("text", "message"), [
    ("name: 2026-02-30\n", "s.yaml:1: not valid YAML; a value that cannot be"),
    ("x: " + "[" * 3000, "nested too deeply"),
    ("scene: a.yaml\nscene: b.yaml\n", "s.yaml:2: not valid YAML; the key 'scene' is there twice"),
    ("#" * (5 << 20), "larger than 4 MiB"),
])
def test_a_file_that_is_no_yaml_is_told_before_it_is_a_scene_or_a_recipe(text, message, tmp_path, capsys):
    (tmp_path / "s.yaml").write_text(text)
    assert call("line", "run", tmp_path / "s.yaml", "-o", tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1 and "Traceback" not in said


def test_documents_have_questions_whose_answers_stand_in_them(examples, tmp_path):
    assert call("line", "documents", examples / "living_line.scene.yaml", "-o", tmp_path) == 0
    asked = json.loads((tmp_path / "questions.json").read_text())
    manual = (tmp_path / "printer-manual.md").read_text()
    own = [q for q in asked if q["document"] == "printer-manual" and q["kind"] == "lookup"]
    assert own and all(place["printed"] in manual for q in own for place in q["places"])
    drawing = json.loads((tmp_path / "assembly.json").read_text())
    assert len(drawing["callouts"]) > 4 and (tmp_path / "assembly.png").stat().st_size > 10_000


def test_a_machine_is_recorded_with_its_truth(examples, tmp_path):
    fan = examples / "machines" / "fan.yaml"
    assert call("machine", "record", fan, "-o", tmp_path, "--seconds", 1, "--fault", "unbalance=0.5") == 0
    assert "unbalance" in (tmp_path / "index.html").read_text() and (tmp_path / "traces.parquet").exists()
