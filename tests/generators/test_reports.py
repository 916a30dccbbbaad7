"""Report: one result in three formats, verdicts, and no way for its content to break out of them."""
from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import pytest

from generators.reports import Check, Figure, Picture, Report, Section, Table
from generators.reports.plots import bars, curve, histogram, nice_ticks

NASTY = '<script>alert("x")</script> & ]]> \x07'


def report(*states, **more):
    checks = (Check(f"check.{i}", s, f"message {i}", {"n": Figure(3)}, ("here",)) for i, s in enumerate(states))
    return Report("Test", tuple(checks), **more)


@pytest.mark.parametrize(("states", "verdict"), [
    ((True, True), "passed"), ((True, False, None), "failed"), ((True, None), "inconclusive")])
def test_the_verdict_is_the_worst_state(states, verdict):
    made = report(*states)
    assert made.verdict == verdict and made.passed == (verdict == "passed")
    data = json.loads(made.to_json())
    assert data["verdict"] == verdict and [c["status"] == "passed" for c in data["checks"]] == [s is True for s in states]
    suite = ElementTree.fromstring(made.to_junit())
    assert int(suite.get("failures")) == states.count(False) == len(suite.findall(".//failure"))
    assert int(suite.get("skipped")) == states.count(None) == len(suite.findall(".//skipped"))
    assert f'class="verdict">{verdict}<' in made.to_html()


@pytest.mark.parametrize(("figure", "text"), [
    (Figure(0.012, "ratio", None, 0.021, 0.95, 300), "1.2 % (95 %: ≤ 2.1 %, n = 300)"),
    (Figure(0.91, "", 0.9, 0.92, 0.95), "0.91 (95 %: 0.9 to 0.92)"), (Figure(0.9, "", 0.8), "0.9 (≥ 0.8)"),
    (Figure(12345), "12,345"), (Figure(3.14159, "ms", n=7), "3.142 ms (n = 7)")])
def test_figures_say_their_interval(figure, text):
    assert str(figure) == text


def test_nothing_breaks_out_of_a_format(tmp_path):
    plots = (bars([(NASTY, {NASTY: 1.0})], unit=NASTY), histogram([1], 0, 1, title=NASTY),
             curve({NASTY: ([0, 1], [0, 1])}, x_label=NASTY, y_label=NASTY))
    check = Check(NASTY, False, NASTY, {NASTY: Figure(float("nan"))}, (NASTY,))
    section = Section(NASTY, NASTY, (Table((NASTY,), ((NASTY,),), NASTY),), tuple(Picture(p, NASTY) for p in plots))
    made = Report(NASTY, (check,), {NASTY: Figure(1.0, formula=NASTY)}, {NASTY: NASTY}, (section,))
    page = made.to_html()
    assert "<script" not in page and "&lt;script&gt;" in page
    assert ElementTree.fromstring(made.to_junit()).get("failures") == "1"
    assert json.loads(made.to_json())["checks"][0]["figures"][NASTY] == {"value": None}
    files = made.write(tmp_path / "report")
    written = {p.name for p in (tmp_path / "report").iterdir()}
    assert written == {"index.html", "report.json", "junit.xml"} == {p.name for p in files.values()}
    for plot in plots:
        ElementTree.fromstring(plot.replace("\x07", ""))                     # well-formed


@pytest.mark.parametrize(("low", "high", "ticks"), [
    (0, 10, [0, 2, 4, 6, 8, 10]), (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (3, 3, [3]), (0, 47, [0, 10, 20, 30, 40, 50])])
def test_ticks_are_round_numbers(low, high, ticks):
    assert nice_ticks(low, high) == pytest.approx(ticks)


def test_text_for_a_terminal():
    text = str(report(True, False, figures={"escape rate": Figure(0.0, "ratio", None, 0.01, 0.95, 299)}))
    assert text.splitlines()[0] == "Test: FAILED" and "FAIL check.1" in text and "0 % (95 %: ≤ 1 %, n = 299)" in text
