"""manual: a maintenance manual and a spec sheet for every station, written from the scene's own parameters.

    for document in documents(scene):
        Path(f"{document.id}.pdf").write_bytes(render(document).pdf)      # pdf.py

Every number comes from the scene, its line or its process settings; the vocabulary file holds words only.
"""
from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from generators.text.document import Block, Cell, Document, Fact, Figure, Schematic, Section, Steps, Table, Text, fact
from generators.text.entry import Language
from generators.text.hangul import particles
from generators.text.knowledge import DRIFTS, OTHER_SERIES, SERIES
from generators.text.settings import settings
from scenes.errors import SceneError
from scenes.line.model import Drift, Line, StationFlow
from scenes.scene import Scene, Station
from scenes.smt.process import Process

ORDER = ("identification", "safety", "description", "flow", "settings", "instrument", "sensors", "supplies", "wear", "procedures",
         "troubleshooting", "spares")
SPEC = ("identification", "flow", "settings", "instrument", "sensors", "supplies", "wear")
UNITS = {"degC": "°C", "1": "", "m3/s": "m³/s", "m/s2": "m/s²"}
"""Of channels, as print has them; others stand as they are."""


@lru_cache
def vocabulary(language: Language) -> dict[str, Any]:
    """Words, headings and procedures of a language."""
    path = Path(__file__).parent / f"manual_{language}.yaml"
    words: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return words


def documents(scene: Scene, process: Process | None = None, *, languages: tuple[Language, ...] = ("en",)) -> tuple[Document, ...]:
    """A manual and a spec sheet per station and language.

    Args:
        scene: Stations, instruments and, where the line lives, its flow, drifts and sensors.
        process: Machine settings; by default the healthy ones.
        languages: "en", "ko".

    Raises:
        SceneError: no language, or an unknown one.
    """
    if not languages or set(languages) - {"en", "ko"}:
        raise SceneError(f"languages: {list(languages)!r} cannot be written; give 'en', 'ko' or both")
    process = process or Process()
    return tuple(_Writer(scene, station, process, language).document(kind)
                 for language in languages for station in scene.stations for kind in ("manual", "spec"))


class _Writer:
    """One station in one language. Methods named after sections return their blocks; none: no such section."""

    def __init__(self, scene: Scene, station: Station, process: Process, language: Language) -> None:
        self.scene, self.station, self.process, self.language = scene, station, process, language
        self.words = vocabulary(language)
        self.line: Line | None = scene.production
        self.flow_: StationFlow | None = self.line.station(station.id) if self.line else None
        drifts = self.line.drifts if self.line else ()
        self.drifts = tuple(d for d in drifts if d.station == station.id and d.kind in DRIFTS)
        self.kinds = tuple(dict.fromkeys(d.kind for d in self.drifts))
        self.kind_name: str = self.words["kinds"].get(station.kind, self.words["kinds"]["other"])
        self.numbers: dict[str, str] = {}

    def document(self, kind: str) -> Document:
        """Sections in order, numbered, empty ones left out."""
        wanted = ORDER if kind == "manual" else SPEC
        found = [(key, blocks) for key in wanted if (blocks := tuple(getattr(self, f"_{key}")()))]
        sections: list[Section] = []
        self.numbers = {key: str(n) for n, (key, _) in enumerate(found, 1)}
        for key, _ in found:
            number = self.numbers[key]
            if key == "procedures":
                sections.append(Section(key, number, self.words["headings"][key], (Text(self.words["note_tolerance"]),)))
                sections += self._each_procedure(number)
            else:
                sections.append(Section(key, number, self.words["headings"][key], tuple(getattr(self, f"_{key}")())))
        title = self.words["titles"]["manual" if kind == "manual" else "spec"]
        suffix = "" if self.language == "en" else f"-{self.language}"
        return Document(
            f"{self.station.id}-{kind}{suffix}", "manual" if kind == "manual" else "spec", self.language, self.station.id,
            f"{self.kind_name} – {title}", self.station.path, self.words["simulated"].format(scene=self.scene.name),
            self.words["contents"], self.words["page"], tuple(sections))

    # --- sections -----------------------------------------------------------------------------------------------

    def _identification(self) -> Iterator[Block]:
        words = self.words["words"]
        rows = [self._row("station", self.station.id), self._row("kind", self.kind_name), self._row("path", self.station.path),
                self._row("product", self.scene.product.board.stem)]
        if self.line and self.flow_:
            after = [s.station for s in self.line.stations if self.station.id in s.after]
            for key, names, none in (("feeds_from", self.flow_.after, "first"), ("feeds_to", after, "last")):
                rows.append(self._row(key, ", ".join(names)) if names else (self.words["values"][key]["name"], words[none]))
        yield self._two_columns("identification", rows)

    def _safety(self) -> Iterator[Block]:
        yield Steps((*self.words["safety"]["all"], *self.words["safety"].get(self.station.kind, ())), numbered=False)

    def _description(self) -> Iterator[Block]:
        yield Text(self.words["describe"].get(self.station.kind, self.words["describe"]["other"]))
        channels = tuple(s.channel.removeprefix(f"{self.station.id}/") for s in self._channels())
        picture = Schematic(self.station.kind, self.station.id, self.flow_, channels, self.process.oven.zones)
        yield Figure(self.words["figures"]["schematic"].format(title=self.kind_name), f"{self.station.id}-schematic", picture)

    def _flow(self) -> Iterator[Block]:
        f, line = self.flow_, self.line
        if f is None or line is None:
            return
        rows = [fact("cycle", f.cycle, "s"), fact("cycle_std", f.cycle_std, "s"), fact("interval", f.interval, "s"),
                fact("slots", f.slots), fact("buffer", f.buffer), fact("share", f.share * 100, "%"),
                fact("takt", line.takt, "s")]
        if math.isfinite(f.mtbf):
            rows += [fact("mtbf", f.mtbf / 3600, "h"), fact("mttr", f.mttr / 60, "min")]
        yield self._two_columns("flow", [self._fact_row(r) for r in rows if r.value or r.key in ("buffer",)])

    def _settings(self) -> Iterator[Block]:
        for title, rows in settings(self.station, self.scene, self.process, "settings"):
            yield self._two_columns(title, [self._fact_row(r) for r in rows])
        if self.station.kind == "reflow":
            yield from self._zones()

    def _zones(self) -> Iterator[Block]:
        zones, words = self.process.oven.zones, self.words
        hot = zones.index(max(zones)) + 1                                 # behind the hottest zone the board cools
        rows = tuple((f"{words['values']['zone']['name']} {i}", words["words"]["heating" if i <= hot else "cooling"],
                      fact("zone", z, "°C", item=str(i))) for i, z in enumerate(zones, 1))
        yield Table(words["tables"]["zones"], tuple(words["columns"][c] for c in ("zone", "type", "set")), rows, (0.3, 0.3, 0.4))
        yield Figure(words["figures"]["zones"], f"{self.station.id}-zones", self.process.oven)

    def _instrument(self) -> Iterator[Block]:
        for title, rows in settings(self.station, self.scene, self.process, "instrument"):
            yield self._two_columns(title, [self._fact_row(r) for r in rows])

    def _sensors(self) -> Iterator[Block]:
        rows: list[tuple[Cell, ...]] = []
        for s in self._channels():
            unit = UNITS.get(s.unit, s.unit)
            low: Cell = fact("range_low", s.low, unit, item=s.channel) if math.isfinite(s.low) else "–"
            high: Cell = fact("range_high", s.high, unit, item=s.channel) if math.isfinite(s.high) else "–"
            step: Cell = fact("resolution", s.resolution, unit, item=s.channel) if s.resolution else "–"
            rows.append((s.channel, low, high, step, fact("rate", s.rate, "Hz", item=s.channel)))
        columns = (self.words["columns"]["channel"], self.words["values"]["range_low"]["name"],
                   self.words["values"]["range_high"]["name"], self.words["columns"]["resolution"], self.words["columns"]["rate"])
        if rows:
            yield Table(self.words["tables"]["sensors"], columns, tuple(rows), (0.36, 0.18, 0.18, 0.16, 0.12))

    def _supplies(self) -> Iterator[Block]:
        if self.flow_ is None or not self.flow_.supplies:
            return
        words, rows = self.words, []
        for s in self.flow_.supplies:
            rows.append((s.name, fact("refill", s.units, words["words"]["boards"], item=s.name),
                         fact("refill_time", s.seconds, "s", item=s.name), words["words"]["crew" if s.crew else "machine"]))
        yield Table(words["tables"]["supplies"], tuple(words["columns"][c] for c in ("supply", "every", "takes", "who")),
                    tuple(rows), (0.3, 0.25, 0.2, 0.25))

    def _wear(self) -> Iterator[Block]:
        from scenes.line.drifts import KINDS  # scipy: only where something wears
        words, rows = self.words, []
        for d in self.drifts:
            cycles = KINDS[d.kind].counts == "cycles"
            life = d.life or KINDS[d.kind].life
            name = self._item(d)
            warn: Cell = fact("warn", d.alarm, item=name) if d.alarm <= 1 else "–"
            renew: Cell = words["words"]["failure"]
            if math.isfinite(d.maintain):
                renew = fact("renew", d.maintain, item=name)
            unit, per = (words["words"]["cycles"], 1.0) if cycles else ("h", 3600.0)
            nominal = fact("life", life / per, unit, item=name)
            takes = fact("duration", d.repair / 60, "min", item=name)
            rows.append((name, nominal, warn, renew, takes, *self._procedure(d, name)))
        if rows:
            names = ("part", "life", "warn", "renew", "duration", "procedure")[:len(rows[0])]   # a spec sheet has no procedures
            yield Text(words["note_tolerance"])
            yield Table(words["tables"]["wear"], tuple(words["columns"][c] for c in names), tuple(rows),
                        (0.3, 0.18, 0.13, 0.13, 0.13, 0.13) if len(names) == 6 else (0.36, 0.19, 0.15, 0.15, 0.15))

    def _procedures(self) -> Iterator[Block]:
        if self.kinds:
            yield Text(self.words["note_tolerance"])

    def _troubleshooting(self) -> Iterator[Block]:
        words, rows = self.words, []
        for kind in self.kinds:
            for fault in words["troubleshooting"][kind]:
                rows.append((fault["see"], fault["check"], f"{words['columns']['procedure']} {self._number(kind)}"))
        if rows:
            columns = tuple(words["columns"][c] for c in ("observation", "check", "remedy"))
            yield Table(words["tables"]["troubleshooting"], columns, tuple(rows), (0.42, 0.38, 0.2))

    def _spares(self) -> Iterator[Block]:
        words, rows = self.words, []
        for kind in self.kinds:
            for n, (_, name) in enumerate(words["items"][kind]["parts"].items(), 1):
                code = f"LT-{SERIES.get(self.station.kind, OTHER_SERIES) + DRIFTS[kind].code}-{n}"
                rows.append((name, Fact("part_number", code, code, item=name), words["items"][kind]["name"]))
        if rows:
            columns = tuple(words["columns"][c] for c in ("name", "number", "part"))
            yield Table(words["tables"]["spares"], columns, tuple(rows), (0.45, 0.25, 0.3))

    # --- pieces -------------------------------------------------------------------------------------------------

    def _each_procedure(self, number: str) -> Iterator[Section]:
        words = self.words
        values = {f.key: f.printed for part in ("settings", "instrument")
                  for _, rows in settings(self.station, self.scene, self.process, part) for f in rows}
        for n, kind in enumerate(self.kinds, 1):
            procedure = words["procedures"][kind]
            modules = {d.module for d in self.drifts if d.kind == kind}
            word = words["modules"].get(DRIFTS[kind].module, "")
            one = next(iter(modules)) if len(modules) == 1 else ""
            slots = {"module": word or one, **values}
            minutes = sorted({d.repair / 60 for d in self.drifts if d.kind == kind})
            lines = [f"{words['columns']['duration']}: {', '.join(f'{m:g}' for m in minutes)} min. "
                     f"{words['tools']}: {procedure['tools']}."]
            parts = words["items"][kind]["parts"].values()
            if parts:
                lines.append(f"{words['headings']['spares']}: {', '.join(parts)}.")
            steps = Steps(tuple(particles(s.format_map(slots)) for s in procedure["steps"]), numbered=True)
            yield Section(kind, f"{number}.{n}", procedure["title"], (*(Text(t) for t in lines), steps))

    def _number(self, kind: str) -> str:
        return f"{self.numbers.get('procedures', '')}.{self.kinds.index(kind) + 1}"

    def _procedure(self, drift: Drift, name: str) -> tuple[Cell, ...]:
        if "procedures" not in self.numbers:
            return ()
        return (Fact("procedure", self._number(drift.kind), self._number(drift.kind), item=name),)

    def _item(self, drift: Drift) -> str:
        """What wears, with its module: "nozzle tip, nozzle3"."""
        name: str = self.words["items"][drift.kind]["name"]
        return f"{name}, {drift.module}" if drift.module else name

    def _channels(self) -> list[Any]:
        return [s for s in self.line.sensors if s.station == self.station.id] if self.line else []

    def _row(self, key: str, text: str) -> tuple[Cell, Cell]:
        asked = "ask" in self.words["values"][key]
        return self.words["values"][key]["name"], Fact(key, text, text) if asked else text

    def _fact_row(self, value: Fact) -> tuple[Cell, Cell]:
        return self.words["values"][value.key]["name"], value

    def _two_columns(self, title: str, rows: list[tuple[Cell, Cell]]) -> Table:
        return Table(self.words["tables"][title], (self.words["columns"]["item"], self.words["columns"]["value"]), tuple(rows),
                     (0.55, 0.45))


__all__ = ["documents", "vocabulary"]
