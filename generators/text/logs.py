"""logs: what people and machines write about a run, on the run's own clock.

    entries = write_log(run, rng)

Alarms are terse and regular. People notice symptoms, some time after they show; they name a cause only after a repair or a
maintenance has ended. Who writes keeps a language and a hand (people.py); what can be written at all is in occasions.py; the
words are in english.yaml and korean.yaml.
"""
from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from generators.text.entry import Entry, EntryKind, Language
from generators.text.grammar import write
from generators.text.knowledge import OTHER_SERIES, SERIES, Trouble
from generators.text.occasions import DAY, SHIFT, Occasion, occasions, shifts
from generators.text.people import SHIFTS, Person, crew, in_hand
from generators.text.words import Words, split, words
from scenes.errors import SceneError
from scenes.line.model import Run

MACHINE_FORMS = (                              # how a machine prints: severity letter, number, text, module
    "[{letter}{code}] {text} {module}", "ALM{code} {text} {module}", "{code} {letter} {text} ({module})",
    "{letter}-{code}: {module} {text}", "{module} {text} [{code}]",
)
FIRST_ORDER = 24001                            # number of the run's first work order
EARLY = 6 * 3600.0                             # [s] of the day: the early shift begins


def write_log(run: Run, rng: np.random.Generator, *, languages: tuple[Language, ...] = ("en", "ko"),
              start_of_day: float = EARLY) -> tuple[Entry, ...]:
    """Write the log of a run.

    Args:
        run: Its events, drifts and units.
        rng: One draw is taken; every entry then has its own stream, so one event's text does not move another's.
        languages: Of people and machines: each keeps one. With both, every shift writes both.
        start_of_day: Time of day at run time 0 [s], for clock times in texts and for what a shift is called.

    Returns:
        Entries in the order in which they were written, none after the run's end.

    Raises:
        SceneError: no language, or an unknown one.
    """
    if not languages or set(languages) - {"en", "ko"}:
        raise SceneError(f"languages: {list(languages)!r} cannot be written; give 'en', 'ko' or both")
    base = int(rng.integers(1 << 62))
    people = crew(base, languages)
    found = []
    for occasion in occasions(run, base):
        stream = np.random.default_rng([base, *occasion.key])
        time = _written(run, occasion, stream)
        if time <= min(run.duration, occasion.until):
            found.append((time, occasion.key, occasion, stream))
    found.sort(key=lambda f: (f[0], f[1]))
    orders: dict[str, int] = {}
    out = []
    for time, _, occasion, stream in found:
        number = 0
        if occasion.order:                                                # opened and closed under one number
            number = orders.setdefault(occasion.order, FIRST_ORDER + len(orders))
        if occasion.writer == "machine":
            out.append(_alarm(run, occasion, time, base, languages))
        else:
            out.append(_entry(run, occasion, time, number, start_of_day, people, stream))
    return tuple(out)


def _written(run: Run, occasion: Occasion, rng: np.random.Generator) -> float:
    """When an occasion gets written: after a wait, but before its writer goes home."""
    if occasion.writer == "machine":
        return occasion.known + round(0.2 + 0.8 * float(rng.random()), 1)
    wait = float(rng.exponential(occasion.delay)) if occasion.delay else 0.0
    day, inside = divmod(occasion.known, DAY)
    close = day * DAY + min((inside // SHIFT + 1) * SHIFT, run.line.hours_a_day * 3600)
    if wait and occasion.known + wait > close > occasion.known and not occasion.values:
        wait = (close - occasion.known) * float(rng.uniform(0.5, 1))
    return occasion.known + wait


def _clock(time: float, start_of_day: float, precise: bool) -> str:
    minutes = int((time + start_of_day) % DAY // 60)
    if not precise:
        minutes = round(minutes / 5) * 5 % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _shift_name(shift: int, start_of_day: float) -> int:
    """Which of early, late and night (06:00, 14:00, 22:00) a shift is called: the one whose beginning is nearest to its own."""
    return (shift + int((start_of_day - EARLY + SHIFT / 2) % DAY // SHIFT)) % SHIFTS


def _code(run: Run, station: str, trouble: Trouble) -> str:
    return str(SERIES.get(run.line.station(station).kind, OTHER_SERIES) + trouble.code)


def _alarm(run: Run, o: Occasion, time: float, base: int, languages: tuple[Language, ...]) -> Entry:
    """A machine's own message: one form and one language for each machine."""
    column = next(k for k, s in enumerate(run.line.stations) if s.station == o.station)
    rng = np.random.default_rng([base, 8, column])
    language = languages[int(rng.integers(len(languages)))]
    form = MACHINE_FORMS[int(rng.integers(len(MACHINE_FORMS)))]
    vocabulary, trouble = words(language), o.trouble
    assert trouble is not None
    module = vocabulary.alarm_module(o.module) if o.module else ""
    text = form.format(letter="E" if o.rule == "fault" else "W", code=_code(run, o.station, trouble),
                       text=vocabulary.alarms[o.symptom][0], module=module)
    text = " ".join(text.replace("()", "").split()).replace(": :", ":").removeprefix(": ")
    mentions = ("code", "module", "symptom") if module else ("code", "symptom")
    return Entry(time, run.line.station(o.station).path, "", "alarm", language, text, o.at, o.event, o.station, o.module, o.drift,
                 o.drift_kind, o.symptom, mentions=mentions, stated=o.module)


def _person(run: Run, o: Occasion, time: float, people: tuple[Person, ...], rng: np.random.Generator) -> Person:
    """Who is there: of the shift in which it became known; the operator whom the event names, where it names one."""
    moment = o.known - 1.0 if o.values else o.known                       # a handover is written by those who leave
    shift = int(moment % DAY // SHIFT) % SHIFTS
    there = [p for p in people if p.role == o.writer and p.shift == shift]
    _, number = split(o.operator.replace(" ", ""))
    return there[(int(number) - 1) % len(there)] if number else there[int(rng.integers(len(there)))]


def _slots(run: Run, o: Occasion, person: Person, number: int, start_of_day: float, vocabulary: Words, stated: str, vague: bool,
           rng: np.random.Generator) -> dict[str, list[str]]:
    """All that can be said about an occasion. A slot that is not here cannot be written."""
    slots: dict[str, list[str]] = {}
    precise = person.role == "technician" or rng.random() < 0.3
    if o.station:
        names = vocabulary.station(run.line, o.station)                   # one name each, the same throughout an entry
        slots["station"] = [names[int(rng.integers(len(names)))]]
        names = vocabulary.module(stated) if stated and not vague else vocabulary.no_module(stated or _word(o))
        slots["module"] = [names[int(rng.integers(len(names)))]]
    if o.symptom:
        slots["symptom"] = vocabulary.symptoms[o.symptom]
    if o.trouble is not None:
        slots["code"] = [_code(run, o.station, o.trouble)]
    if o.cause:
        slots["cause"] = vocabulary.causes.get(f"{o.cause}/{o.action}", vocabulary.causes[o.cause])
    for name, table in (("action", vocabulary.actions), ("part", vocabulary.parts)):
        if key := getattr(o, name):
            slots[name] = table[key]
    if not math.isnan(o.minutes):
        exact = max(1, round(o.minutes))
        slots["minutes"] = [str(exact if precise or exact <= 12 else 5 * round(exact / 5))]
    if o.supply:
        slots["supply"] = [o.supply]
        slots["supplied"] = vocabulary.supplies.get(o.supply, vocabulary.supplies["other"])
    if number:
        slots["order"] = [str(number)]
    for name, value in o.values:
        slots[name] = [str(round(value))]
    if o.values:
        slots["shift"] = vocabulary.shifts[_shift_name(person.shift, start_of_day)]
    slots["clock"] = [_clock(o.at, start_of_day, precise)]
    return slots


def _word(o: Occasion) -> str:
    return o.trouble.module if o.trouble is not None else ""


def _entry(run: Run, o: Occasion, time: float, number: int, start_of_day: float, people: tuple[Person, ...],
           rng: np.random.Generator) -> Entry:
    """What a person writes."""
    person = _person(run, o, time, people, rng)
    vocabulary = words(person.language)
    vague = bool(rng.random() < person.omit)
    word, digits = split(o.module)
    wrong = bool(rng.random() < person.wrong) and bool(digits)
    stated = o.module
    if wrong:
        n = int(digits)
        stated = f"{word}{n + 1 if n == 1 or rng.random() < 0.5 else n - 1}"
    slots = _slots(run, o, person, number, start_of_day, vocabulary, stated, vague, rng)
    rule = o.rule
    if person.language == "ko" and person.polite and f"{rule}_polite" in vocabulary.rules:
        rule += "_polite"
    text, used = write(rule, slots, vocabulary.rules, rng)
    text = in_hand(text, person, vocabulary, rng)
    says_module = "module" in used and not vague and bool(o.module)
    mentions = sorted(used - (set() if says_module else {"module"}))
    entry = Entry(
        time, person.role, person.author, o.kind, person.language, text, o.at, o.event, o.station, o.module, o.drift,
        o.drift_kind, o.symptom, o.cause, o.action, o.part, o.minutes, number, o.values, tuple(mentions),
        stated if says_module else "", not (says_module and wrong))
    return replace(entry, station="") if o.values and "station" not in mentions else entry


__all__ = ["Entry", "EntryKind", "Language", "shifts", "write_log"]
