"""Verdict: a tally held against limits, as a Report for people and pipelines.

A limit is met when the one-sided 95 % bound is on its right side, missed when the opposite bound is on its wrong side,
and undecided between: more units would tell.
"""
from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from generators.reports import Check, Figure, Picture, Report, Section, Table
from generators.reports.plots import curve, histogram
from training_bridge.judge import Judged, Tally
from training_bridge.layout import CROP, Layout
from training_bridge.score import Seen
from training_bridge.stats import Auroc, Rate, shipped_ppm

INCOMING = 2000e-6         # defect rate before inspection that shipped ppm is stated for
SHOWN = 12                 # pictures per gallery
ZOOM = 3
CAVEAT = ("Bounds are exact binomial (Clopper–Pearson), one-sided, 95 %, and hold for independent units of this simulated line. "
          "They do not transfer to a real line.")

IN_PLACE = "In place: a window that answers for the defect was called. Unit: any window was."
ESCAPES = f"Visible defects not called: at most {SHOWN}, lowest scores first; its golden reference on the right."
FALSE_CALLS = f"Good units that were called: at most {SHOWN}, highest scores first; golden reference on the right."

Look = Callable[[int], Seen]                   # position in the stream → what its windows show


@dataclass(frozen=True)
class Limits:
    """What a model must show. Rates [1], latency [s]; None leaves a question open."""
    escape: float | None = 0.25                # of units with a visible defect
    false_call: float | None = 0.15            # of good units
    auroc: float | None = 0.85                 # good units against every defective unit, hidden defects included
    latency: float | None = 0.5                # p99 per unit


def verdict_report(layout: Layout, judged: Sequence[Judged], tally: Tally, limits: Limits, facts: Mapping[str, str], look: Look,
                   notes: Sequence[str] = (), checks: tuple[Check, ...] = ()) -> Report:
    """The report of a virtual line test.

    Args:
        layout: Where the model looked.
        judged: The stream, in order.
        tally: Its counts.
        limits: What they are held against.
        facts: What was tested.
        look: Gives what a unit's windows show again, by its position in ``judged``.
        notes: Sentences shown at the top.
        checks: Answers to more questions than the limits ask.
    """
    return Report("Virtual line test", (*_checks(tally, limits), *checks), _figures(tally), facts,
                  (Section("What was counted", " ".join([*notes, CAVEAT]), (_rates(tally),)),
                   Section("Recall per defect", IN_PLACE, (_recall(tally), *_hidden(tally))),
                   Section("Scores", "", (), _plots(judged)),
                   Section("Escapes", ESCAPES, (), _escapes(layout, judged, look)),
                   Section("False calls", FALSE_CALLS, (), _false_calls(layout, judged, look))))


# ------------------------------------------------------------------------------------------------ checks and figures

def _checks(tally: Tally, limits: Limits) -> tuple[Check, ...]:
    checks = [
        _at_most("escape", "units with a visible defect that were not called", tally.escape_visible, limits.escape,
                 "train on more units with the defects that escape"),
        _at_most("false_call", "good units that were called", tally.false_call, limits.false_call,
                 "train on more good units, or on units that look like these"),
        _auroc_check(tally.auroc, limits.auroc),
    ]
    if limits.latency is not None:
        p99 = tally.latency["p99"]
        advice = "" if p99 <= limits.latency else "; use a faster core or a smaller model"
        checks.append(Check("latency", p99 <= limits.latency,
                            f"p99 {1e3 * p99:.1f} ms per unit, limit {1e3 * limits.latency:.0f} ms{advice}"))
    return tuple(c for c in checks if c is not None)


def _at_most(name: str, what: str, rate: Rate, limit: float | None, remedy: str) -> Check | None:
    if limit is None:
        return None
    passed = True if rate.upper <= limit else False if rate.lower > limit else None
    advice = {True: "", False: f"; {remedy}", None: "; validate on more units to decide"}[passed]
    value = f"{rate.value:.1%}" if rate.trials else "none tried"
    return Check(name, passed, f"{rate.hits} of {rate.trials} {what} ({value}, 95 % between {rate.lower:.1%} and "
                 f"{rate.upper:.1%}, one-sided each), limit {limit:.1%}{advice}", {name: _ratio(rate)})


def _auroc_check(area: Auroc | None, limit: float | None) -> Check | None:
    if limit is None:
        return None
    if area is None:
        return Check("auroc", None, "needs good and defective units; validate on more units")
    passed = True if area.low >= limit else False if area.high < limit else None
    advice = {True: "", False: "; train longer or on more units", None: "; validate on more units to decide"}[passed]
    return Check("auroc", passed, f"{area.value:.3f} (95 % {area.low:.3f} to {area.high:.3f}, DeLong) over {area.good} good and "
                 f"{area.bad} defective units, limit {limit:.2f}{advice}")


def _ratio(rate: Rate, formula: str = "") -> Figure:
    return Figure(rate.value, "ratio", rate.lower, rate.upper, 0.95, rate.trials, formula)


def _figures(tally: Tally) -> dict[str, Figure]:
    figures = {name: _ratio(rate, formula) for name, formula, rate in _named(tally)}
    parts = tally.component_false_call
    figures["component.false_call_ppm"] = Figure(1e6 * parts.value, "ppm", None, 1e6 * parts.upper, 0.95, parts.trials,
                                                 "10⁶ × good parts called / good parts")
    if tally.escape.trials:
        figures["shipped_ppm"] = Figure(
            shipped_ppm(tally.escape.value, INCOMING), "ppm", None, shipped_ppm(tally.escape.upper, INCOMING), 0.95,
            tally.escape.trials,
            f"defective units among those passed, at {1e6 * INCOMING:.0f} ppm incoming: i e / (i e + 1 − i)")
    for name, area in (("auroc", tally.auroc), ("auroc.visible", tally.auroc_visible)):
        if area is not None:
            figures[name] = Figure(area.value, "", area.low, area.high, 0.95, area.good + area.bad,
                                   "chance that a defective unit scores above a good one, DeLong")
    for name in ("p50", "p99", "max"):
        figures[f"latency.{name}"] = Figure(1e3 * tally.latency[name], "ms", n=tally.units, formula="decoded picture → verdict")
    return figures


# ------------------------------------------------------------------------------------------------ sections

def _named(tally: Tally) -> tuple[tuple[str, str, Rate], ...]:
    """Every rate with its name and formula."""
    return (
        ("escape.visible", "units with a visible defect not called / units with a visible defect", tally.escape_visible),
        ("escape.all", "defective units not called / defective units, hidden defects included", tally.escape),
        ("false_call", "good units called / good units", tally.false_call),
        ("component.escape", "parts with a visible defect not called / such parts", tally.component_escape),
        ("component.false_call", "good parts called / good parts", tally.component_false_call),
    )


def _rates(tally: Tally) -> Table:
    return Table(("rate", "formula", "count", "of", "%", "lower 95 %", "upper 95 %", "ppm"), tuple(
        (name, formula, r.hits, r.trials, 100 * r.value, 100 * r.lower, 100 * r.upper, 1e6 * r.value)
        for name, formula, r in _named(tally)),
        f"{tally.units} units. {tally.touched} parts that only show pixels of a neighbour's defect, or hide one, are left out "
        f"of the component rates. {tally.hidden_only} defective units show nothing to any camera.")


def _recall(tally: Tally) -> Table:
    return Table(("defect", "units", "found in place", "%", "lower 95 %", "unit called", "severity seen"), tuple(
        (r.defect, r.in_place.trials, r.in_place.hits, 100 * r.in_place.value, 100 * r.in_place.lower, r.unit.hits,
         f"{r.severity[0]:.3g} to {r.severity[1]:.3g}" if r.severity else "") for r in tally.recalls),
        "Visible defects; severity in the taxonomy's unit (m, rad or 1).")


def _hidden(tally: Tally) -> tuple[Table, ...]:
    if not tally.hidden:
        return ()
    return (Table(("hidden defect", "units", "unit called"), tuple((name, r.trials, r.hits) for name, r in tally.hidden),
                  "No camera of this station sees these. A call comes from another defect on the unit, or is a false call."),)


def _plots(judged: Sequence[Judged]) -> tuple[Picture, ...]:
    good = np.array([j.verdict.score for j in judged if not j.truth.bad])
    bad = np.array([j.verdict.score for j in judged if j.truth.bad])
    every = np.concatenate([good, bad])
    low, high = float(every.min()), float(every.max()) + 1e-6
    shown = [Picture(histogram(np.histogram(group, 24, (low, high))[0].tolist(), low, high, title=title), title)
             for group, title in ((good, "score of good units"), (bad, "score of defective units")) if len(group)]
    if len(good) and len(bad):
        cuts = np.concatenate([[np.inf], np.sort(every)[::-1]])
        lines = {"model": ([float((good >= c).mean()) for c in cuts], [float((bad >= c).mean()) for c in cuts])}
        drawing = curve(lines, x_label="good units called", y_label="defective units called", diagonal=True)
        shown.append(Picture(drawing, "operating curve"))
    return tuple(shown)


def _escapes(layout: Layout, judged: Sequence[Judged], look: Look) -> tuple[Picture, ...]:
    found = []
    for position, unit in enumerate(judged):
        for defect in unit.truth.defects:
            if not defect.hidden and len(defect.windows):
                worst = int(defect.windows[unit.verdict.logit[defect.windows].argmax()])
                if unit.verdict.logit[worst] <= unit.verdict.threshold:
                    where = f"{defect.defect} on {defect.component or 'the board'}"
                    found.append((float(unit.verdict.logit[worst]), position, worst, where))
    return _gallery(layout, judged, look, sorted(found)[:SHOWN])


def _false_calls(layout: Layout, judged: Sequence[Judged], look: Look) -> tuple[Picture, ...]:
    found = [(-unit.verdict.score, position, int(unit.verdict.logit.argmax()), "good")
             for position, unit in enumerate(judged) if not unit.truth.bad and unit.verdict.called]
    return _gallery(layout, judged, look, sorted(found)[:SHOWN])


def _gallery(layout: Layout, judged: Sequence[Judged], look: Look,
             found: Sequence[tuple[float, int, int, str]]) -> tuple[Picture, ...]:
    shown = []
    for _, position, window, what in found:
        seen = look(position)
        row = int(np.flatnonzero(seen.windows == window)[0])
        pair = np.concatenate([seen.crops[row], np.clip(np.rint(seen.golden[row]), 0, 255).astype(np.uint8)], axis=2)
        image = Image.fromarray(np.ascontiguousarray(pair.transpose(1, 2, 0)))
        image = image.resize((2 * CROP * ZOOM, CROP * ZOOM), Image.Resampling.LANCZOS)
        data = io.BytesIO()
        image.save(data, "PNG")
        unit = judged[position]
        text = f"unit {unit.index}, {layout.names[window]}: {what}, logit {unit.verdict.logit[window]:.1f}"
        shown.append(Picture(data.getvalue(), text))
    return tuple(shown)


__all__ = ["INCOMING", "Limits", "verdict_report"]
