"""document: a manual or a spec sheet before it is set: sections of texts, steps, tables and figures. And as Markdown.

A number that comes from the scene is a ``Fact``: it knows its name, value and unit, so that a question about it has an answer.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from generators.text.entry import Language
from scenes.line.model import StationFlow
from scenes.smt.oven import Oven


@dataclass(frozen=True)
class Fact:
    """A value as it is printed. ``key`` is one of the vocabulary's ``values``; ``item`` says of what, where there are several."""
    key: str
    printed: str                               # "20 s"
    value: float | str                         # 20.0, in ``unit``
    unit: str = ""
    item: str = ""                             # channel, wear item, zone number, …
    tolerance: float = 0.0                     # half a unit of the last printed digit, at most 0.5 %


Cell = str | Fact


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Steps:
    """Numbered where order matters, else points."""
    items: tuple[str, ...]
    numbered: bool


@dataclass(frozen=True)
class Table:
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...]                  # shares of the page's width


@dataclass(frozen=True)
class Schematic:
    """What a station's picture shows."""
    kind: str
    station: str
    flow: StationFlow | None
    channels: tuple[str, ...]                  # without the station's id
    zones: tuple[float, ...]                   # [°C] of the oven


@dataclass(frozen=True)
class Figure:
    """A drawing, made in figures.py: a station's schematic, or the zones of an oven."""
    title: str
    name: str                                  # file name without suffix
    data: Schematic | Oven


Block = Text | Steps | Table | Figure


@dataclass(frozen=True)
class Section:
    key: str
    number: str                                # "4", "9.2"
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    id: str                                    # "printer-manual", also the file name
    kind: Literal["manual", "spec"]
    language: Language
    station: str
    title: str
    subtitle: str
    notice: str                                # that all of it is simulated
    contents: str                              # heading of the table of contents
    page: str                                  # word for a page
    sections: tuple[Section, ...]

    def facts(self) -> Iterator[tuple[Section, Fact]]:
        """Every value with the section that it stands in, in reading order."""
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, Table):
                    yield from ((section, cell) for row in block.rows for cell in row if isinstance(cell, Fact))


def number(value: float, digits: int = 6) -> str:
    """A number without exponent: "0.00001", "25600"."""
    return np.format_float_positional(float(f"{value:.{digits}g}"), trim="-")


def fact(key: str, value: float, unit: str = "", *, item: str = "", digits: int = 6) -> Fact:
    """A numeric value, printed with at most ``digits`` significant digits; its value is what is printed."""
    text = number(value, digits)
    places = len(text.partition(".")[2])
    return Fact(key, f"{text} {unit}".strip(), float(text), unit, item, min(0.5 * 10.0**-places, 0.005 * abs(float(text))))


def shown(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell.printed


def markdown(document: Document) -> str:
    """The document as Markdown. Figures are files beside it, ``<name>.svg``."""
    out = [f"# {document.title}", "", document.subtitle, "", f"> {document.notice}", ""]
    for section in document.sections:
        out += [f"{'#' * (2 + section.number.count('.'))} {section.number} {section.title}", ""]
        for block in section.blocks:
            out += [*_lines(block), ""]
    return "\n".join(out)


def _lines(block: Block) -> list[str]:
    if isinstance(block, Text):
        return [block.text]
    if isinstance(block, Steps):
        return [f"{f'{i}.' if block.numbered else '-'} {item}" for i, item in enumerate(block.items, 1)]
    if isinstance(block, Figure):
        return [f"![{block.title}]({block.name}.svg)"]
    rows = [" | ".join(shown(c).replace("|", "\\|") for c in row) for row in block.rows]
    return [f"**{block.title}**", "", f"| {' | '.join(block.columns)} |", "|" + " --- |" * len(block.columns),
            *(f"| {row} |" for row in rows)]


__all__ = ["Block", "Cell", "Document", "Fact", "Figure", "Schematic", "Section", "Steps", "Table", "Text", "fact", "markdown",
           "number", "shown"]
