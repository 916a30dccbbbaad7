"""A Report as JSON, JUnit XML and HTML."""
from __future__ import annotations

import base64
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from generators.reports import Report, figure_text


def to_dict(report: Report) -> dict[str, Any]:
    return {
        "title": report.title, "verdict": report.verdict, "passed": report.passed, "facts": dict(report.facts),
        "figures": {name: _figure(f) for name, f in report.figures.items()},
        "checks": [{"id": c.id, "status": c.status, "message": c.message, "examples": list(c.examples),
                    "figures": {name: _figure(f) for name, f in c.figures.items()}} for c in report.checks],
    }


def to_json(report: Report) -> str:
    return json.dumps(to_dict(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_junit(report: Report) -> str:
    states = [c.status for c in report.checks]
    suite = ElementTree.Element("testsuite", name=_xml(report.title), tests=str(len(states)), errors="0",
                                failures=str(states.count("failed")), skipped=str(states.count("inconclusive")))
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in report.facts.items():
        ElementTree.SubElement(properties, "property", name=_xml(name), value=_xml(str(value)))
    for name, figure in report.figures.items():
        ElementTree.SubElement(properties, "property", name=_xml(name), value=_xml(figure_text(figure)))
    for check in report.checks:
        case = ElementTree.SubElement(suite, "testcase", classname=_xml(report.title.replace(".", " ")), name=_xml(check.id))
        if check.status == "failed":
            body = ElementTree.SubElement(case, "failure", message=_xml(check.message))
            body.text = _xml("\n".join(check.examples))
        elif check.status == "inconclusive":
            ElementTree.SubElement(case, "skipped", message=_xml(check.message))
        ElementTree.SubElement(case, "system-out").text = _xml(
            "\n".join([check.message, *(f"{n}: {figure_text(f)}" for n, f in check.figures.items())]))
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def to_html(report: Report) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def picture(data: bytes | str) -> Markup:
        if isinstance(data, str):
            return Markup(data)  # noqa: S704    our own drawing: plots.py escapes every text in it
        kind = "png" if data[:4] == b"\x89PNG" else "jpeg"
        return Markup(f'<img loading="lazy" alt="" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">')  # noqa: S704

    environment = Environment(loader=PackageLoader("generators.reports"), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(picture=picture, figure=figure_text, cell=_cell)
    environment.filters["number_like"] = _number
    environment.tests["number"] = _number
    style = environment.get_template("report.css").render()
    return environment.get_template("report.html.j2").render(report=report, style=Markup(style))  # noqa: S704    our own file


def write(report: Report, out: Path) -> dict[str, Path]:
    from generators.dataset.shards import write_file

    files = {"html": out / "index.html", "json": out / "report.json", "junit": out / "junit.xml"}
    write_file(files["html"], to_html(report))
    write_file(files["json"], to_json(report))
    write_file(files["junit"], to_junit(report))
    return files


def _figure(figure: Any) -> dict[str, Any]:
    return {key: (None if isinstance(value, float) and not math.isfinite(value) else value)
            for key, value in asdict(figure).items() if value is not None and value != ""}


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:,.4g}"
    return str(value)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _xml(text: str) -> str:
    """Without the control characters that XML 1.0 does not allow."""
    return "".join(c for c in text if c in "\t\n" or ord(c) >= 32)


__all__ = ["to_dict", "to_html", "to_json", "to_junit", "write"]
