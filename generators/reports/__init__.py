"""Report: measured results with intervals, a verdict, and the reason for it.

    report = Report("Dataset gate", checks=(Check("labels", True, "5,012 instances agree with their masks"),))
    print(report); report.write(Path("report")); sys.exit(0 if report.passed else 1)

One report becomes JSON for programs, JUnit XML for release pipelines and one HTML file for people (no server, no network).
A failed check is not an error; nothing is raised. Used by the dataset gate and by the virtual line test.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Verdict = Literal["passed", "failed", "inconclusive"]


@dataclass(frozen=True)
class Figure:
    """A number with what is needed to trust it. ``formula`` says how it is computed, in symbols."""
    value: float
    unit: str = ""
    low: float | None = None                   # confidence interval; one-sided where only one end is given
    high: float | None = None
    confidence: float | None = None            # 0.95
    n: int | None = None                       # sample size
    formula: str = ""

    def __str__(self) -> str:
        return figure_text(self)


@dataclass(frozen=True)
class Check:
    """One question and its answer. ``passed`` None: the data cannot say, see the message."""
    id: str                                    # stable, dotted: "labels.box"
    passed: bool | None
    message: str                               # one line: what was found, and what to do where it failed
    figures: Mapping[str, Figure] = field(default_factory=dict)
    examples: tuple[str, ...] = ()             # ids or places of the first few failures

    @property
    def status(self) -> Verdict:
        return "inconclusive" if self.passed is None else "passed" if self.passed else "failed"


@dataclass(frozen=True)
class Table:
    """A table for people. Cells are text or numbers."""
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture inside the HTML: encoded JPEG or PNG bytes, or an SVG drawing of ``generators.reports.plots``."""
    data: bytes | str
    caption: str = ""
    wide: bool = False                         # a row of its own
    half: bool = False                         # two in a row
    heading: str = ""                          # starts a new row under this heading


@dataclass(frozen=True, eq=False)
class Section:
    """A part of the HTML: text, tables and pictures in this order."""
    title: str
    text: str = ""
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, eq=False)
class Report:
    """Checks, figures, and the sections that show them. ``facts`` says what was tested (digests, versions, counts)."""
    title: str
    checks: tuple[Check, ...]
    figures: Mapping[str, Figure] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Failed where any check failed; inconclusive where none failed and one could not be decided."""
        states = [c.status for c in self.checks]
        return "failed" if "failed" in states else "inconclusive" if "inconclusive" in states else "passed"

    @property
    def passed(self) -> bool:
        return self.verdict == "passed"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: everything but the sections."""
        from generators.reports import formats

        return formats.to_dict(self)

    def to_json(self) -> str:
        from generators.reports import formats

        return formats.to_json(self)

    def to_junit(self) -> str:
        """JUnit XML: one test case per check; undecided ones are skipped cases."""
        from generators.reports import formats

        return formats.to_junit(self)

    def to_html(self) -> str:
        """One HTML file with everything inside it."""
        from generators.reports import formats

        return formats.to_html(self)

    def write(self, out: Path) -> dict[str, Path]:
        """Write index.html, report.json and junit.xml into a folder. Raises StorageError."""
        from generators.reports import formats

        return formats.write(self, Path(out))

    def __str__(self) -> str:
        marks = {"passed": "ok  ", "failed": "FAIL", "inconclusive": "?   "}
        lines = [f"{self.title}: {self.verdict.upper()}"]
        for check in self.checks:
            lines.append(f"  {marks[check.status]} {check.id:<24} {check.message}")
            lines += [f"       {'':<24} {example}" for example in check.examples[:3]]
        lines += [f"       {name:<24} {figure}" for name, figure in self.figures.items()]
        return "\n".join(lines)


def figure_text(figure: Figure) -> str:
    """``1.2 % (95 %: ≤ 2.1 %, n = 300)``. The unit "ratio" is shown in percent."""
    scale = 100.0 if figure.unit == "ratio" else 1.0
    unit = " %" if figure.unit == "ratio" else f" {figure.unit}" if figure.unit else ""

    def number(value: float) -> str:
        value *= scale
        return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:,.4g}"

    notes = []
    if figure.low is not None or figure.high is not None:
        level = f"{100 * figure.confidence:g} %: " if figure.confidence is not None else ""
        if figure.low is None and figure.high is not None:
            notes.append(f"{level}≤ {number(figure.high)}{unit}")
        elif figure.high is None and figure.low is not None:
            notes.append(f"{level}≥ {number(figure.low)}{unit}")
        elif figure.low is not None and figure.high is not None:
            notes.append(f"{level}{number(figure.low)} to {number(figure.high)}{unit}")
    if figure.n is not None:
        notes.append(f"n = {figure.n:,}")
    return f"{number(figure.value)}{unit}" + (f" ({', '.join(notes)})" if notes else "")


__all__ = ["Check", "Figure", "Picture", "Report", "Section", "Table", "Verdict", "figure_text"]
