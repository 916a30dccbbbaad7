"""The command line of the living line: what it leaves behind, and what it refuses."""
from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest

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
    (("line", "documents", "{examples}/living_line.scene.yaml", "-o", "{out}", "--languages", "fr"), "give en, ko or en,ko"),
    (("machine", "record", "{examples}/machines/fan.yaml", "-o", "{out}", "--fault", "unbalance"), "is not kind=severity"),
    (("machine", "record", "{examples}/machines/fan.yaml", "-o", "{out}", "--fault", "unbalnce=1"), "did you mean 'unbalance'"),
])
def test_what_cannot_be_is_one_line_and_an_exit_code(arguments, message, examples, tmp_path, capsys):
    assert call(*(a.format(examples=examples, out=tmp_path) for a in arguments)) == 2
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
