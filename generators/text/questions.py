"""questions: about manuals and spec sheets, with answers that can be checked: value, unit, tolerance, document, page, section.

A *lookup* stands in a table. A *computed* answer follows from values in the document by a formula that the question names; its
``inputs`` are where to find them.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from generators.text.document import Document, Fact, Section
from generators.text.entry import Language
from generators.text.hangul import particles
from generators.text.manual import vocabulary
from generators.text.pdf import Rendered, render


@dataclass(frozen=True)
class Place:
    """Where a value stands, and how it is printed there."""
    page: int                                  # from 1
    section: str                               # "4"
    printed: str


@dataclass(frozen=True)
class Question:
    """A question about one document."""
    id: str                                    # "printer-manual/cycle"
    document: str
    language: Language
    kind: Literal["lookup", "computed"]
    text: str
    answer: float | str
    unit: str
    tolerance: float                           # in ``unit``; 0 for texts
    places: tuple[Place, ...]                  # where it stands; of a computed answer, where its inputs stand

    def accepts(self, answer: float | str) -> bool:
        """Whether an answer is right. Texts are compared without case and outer spaces; numbers are in ``unit``."""
        if isinstance(self.answer, str):
            return isinstance(answer, str) and answer.strip().casefold() == self.answer.casefold()
        return not isinstance(answer, str) and abs(answer - self.answer) <= self.tolerance


def questions(documents: Sequence[Document], *, font: str | Path | None = None) -> tuple[Question, ...]:
    """Every question that these documents answer, in reading order. Sets the documents, to know the pages."""
    return tuple(q for document in documents for q in _of(render(document, font=font)))


def _of(rendered: Rendered) -> Iterator[Question]:
    document = rendered.document
    words = vocabulary(document.language)
    station = words["words"]["station"].format(id=document.station)
    values: dict[str, tuple[Section, Fact]] = {}
    refills: list[tuple[Section, Fact]] = []
    for section, fact in document.facts():
        ask = words["values"][fact.key].get("ask")
        if not fact.item:
            values[fact.key] = section, fact
        if fact.key == "refill":
            refills.append((section, fact))
        if ask:
            name = f"{fact.key}/{fact.item}" if fact.item else fact.key
            text = particles(ask.format(station=station, item=fact.item))
            yield Question(f"{document.id}/{name}", document.id, document.language, "lookup", text, fact.value, fact.unit,
                           fact.tolerance, (_place(rendered, section, fact),))
    yield from _computed(rendered, values, refills, words)


def _place(rendered: Rendered, section: Section, fact: Fact) -> Place:
    return Place(rendered.pages[section.number, fact.key, fact.item], section.number, fact.printed)


def _computed(rendered: Rendered, values: dict[str, tuple[Section, Fact]], refills: list[tuple[Section, Fact]],
              words: dict[str, Any]) -> Iterator[Question]:
    """Answers that take a step of arithmetic. Tolerance 1 %, for what a reader rounds on the way."""
    document = rendered.document
    station = words["words"]["station"].format(id=document.station)

    def ask(name: str, answer: float, unit: str, used: list[tuple[Section, Fact]], item: str = "") -> Question:
        key = f"{name}/{item}" if item else name
        return Question(f"{document.id}/{key}", document.id, document.language, "computed",
                        particles(words["computed"][name].format(station=station, item=item)), answer, unit, 0.01 * abs(answer),
                        tuple(_place(rendered, *u) for u in used))

    def have(*keys: str) -> list[tuple[Section, Fact]]:
        return [values[k] for k in keys] if set(keys) <= set(values) else []

    def number(found: tuple[Section, Fact]) -> float:
        return float(found[1].value)

    if both := have("mtbf", "mttr"):
        up, down = number(both[0]) * 60, number(both[1])
        yield ask("availability", 100 * up / (up + down), "%", both)
    if (one := have("cycle", "slots")) and number(one[1]) == 1:           # else the interval may limit it
        yield ask("capacity", 3600 / number(one[0]), "1/h", one[:1])
    if both := have("cycle", "takt"):
        yield ask("load", 100 * number(both[0]) / number(both[1]), "%", both)
    if both := have("source_object", "source_detector"):
        yield ask("magnification", number(both[1]) / number(both[0]), "", both)
    if three := have("zone_count", "zone_length", "belt_speed"):
        yield ask("transit", 60 * number(three[0]) * number(three[1]) / number(three[2]), "s", three)
    if takt := have("takt"):
        for refill in refills:
            yield ask("paste_hours", number(refill) * number(takt[0]) / 60, "min", [refill, *takt], refill[1].item)


__all__ = ["Place", "Question", "questions"]
