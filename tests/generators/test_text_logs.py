"""Logs: tied to events, no cause before its time, both languages, varied."""
from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import text_run

from generators.inspect.line_checks import finished
from generators.text.knowledge import DRIFTS
from generators.text.logs import Entry, write_log
from generators.text.occasions import repairs
from scenes.errors import SceneError
from scenes.line.model import Line, Run, StationFlow

# Written here, apart from the vocabulary: what only somebody who has opened the machine can say.
CAUSES = {
    "stencil_clog": r"clog|dried|blocked|plugged|막힘|굳은|고착", "squeegee_wear": r"\bworn|\bwear|마모|찍힘",
    "nozzle_wear": r"\bworn|\bwear|chipped|마모|깨짐", "feeder_pitch": r"sprocket|\bworn|스프로킷|스프라켓|마모",
    "air_leak": r"leak|cracked|chafed|fitting|누설|누기|리크|피팅|갈라짐|새는",
    "zone_heater": r"element|burnt|open circuit|열화|단선|소손",
    "zone_blower_bearing": r"bearing|\bbrg|베어링|마모", "conveyor_bearing": r"bearing|\bbrg|베어링|마모",
    "tube_ageing": r"aged|end of life|filament|노후|열화|수명", "lamp_ageing": r"aged|노후|열화|노화|수명",
    "camera_focus": r"loose|had moved|drifted|풀림|이탈",
}


@pytest.fixture(scope="module")
def run() -> Run:
    return text_run.make(30)


@pytest.fixture(scope="module")
def log(run) -> tuple[Entry, ...]:
    return write_log(run, np.random.default_rng(7))


def people(log: tuple[Entry, ...], language: str | None = None) -> list[Entry]:
    return [e for e in log if e.kind != "alarm" and language in (None, e.language)]


def test_the_same_run_and_seed_give_the_same_log(run, log):
    assert write_log(run, np.random.default_rng(7)) == log
    assert [e.text for e in write_log(run, np.random.default_rng(8))] != [e.text for e in log]


def test_one_draw_is_taken(run):
    a, b = np.random.default_rng(3), np.random.default_rng(3)
    write_log(run, a)
    b.integers(1 << 62)
    assert a.random() == b.random()


def test_entries_are_in_order_and_within_the_run(run, log):
    times = [e.time for e in log]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= run.duration


def test_every_entry_follows_what_it_tells_of(run, log):
    for entry in log:
        assert entry.at <= entry.time
        if entry.event >= 0:
            event = run.events[entry.event]
            assert event.time <= entry.time
            assert event.station == entry.station or event.kind == "changeover"
            assert event.drift == entry.drift
        else:
            assert entry.drift or entry.values or not (entry.cause or entry.action)


def test_every_fault_and_warning_is_printed_by_its_machine_at_once(run, log):
    alarms = {e.event: e for e in log if e.kind == "alarm"}
    wanted = {i for i, e in enumerate(run.events) if e.kind in ("fault", "alarm") and e.time + 1 < run.duration}
    assert wanted == set(alarms)
    for i, entry in alarms.items():
        assert 0 < entry.time - run.events[i].time <= 1
        assert entry.source == f"{text_run.PATH}/{run.events[i].station}"
        assert entry.author == ""


def test_a_machine_prints_the_same_thing_for_the_same_trouble(log):
    """Terse and regular: one text for one trouble of one module."""
    seen: dict[tuple, set[str]] = {}
    for e in log:
        if e.kind == "alarm":
            seen.setdefault((e.station, e.symptom, e.module, e.text[:1] == "E" or "E" in e.text[:3]), set()).add(e.text)
    assert max(len(texts) for texts in seen.values()) <= 2               # as warning and as error


def test_nobody_names_a_cause_before_it_was_found(run, log):
    """Neither in the fields nor in the words: a part must have been mended since it began to wear."""
    mended = {d.id: [r.done for r in repairs(run) if run.events[r.found].drift == d.id] for d in run.line.drifts}
    early = [e for e in log if e.drift and not e.cause]
    assert len(early) > 200
    for entry in early:
        assert not re.search(CAUSES[entry.drift_kind], entry.text, re.IGNORECASE), entry.text
        assert not (entry.action or entry.part)
        assert not {"cause", "action", "part"} & set(entry.mentions)
    for entry in (e for e in log if e.cause):
        assert any(entry.at <= done <= entry.time for done in mended[entry.drift])


def test_a_closed_order_names_the_cause_in_words(log):
    closed = [e for e in log if e.kind == "work_order" and e.cause]
    assert len(closed) > 60
    found = [bool(re.search(CAUSES[e.cause], e.text, re.IGNORECASE)) for e in closed]
    assert np.mean(found) > 0.9                                          # the rest are typing errors and synonyms


def test_nobody_sees_what_the_severity_does_not_show_yet(run, log):
    order = [d.id for d in run.line.drifts]
    for entry in log:
        if entry.drift and not math.isnan(entry.at) and entry.kind != "alarm":
            severity = run.severity[max(np.searchsorted(run.times, entry.at) - 1, 0), order.index(entry.drift)]
            assert DRIFTS[entry.drift_kind].symptoms[entry.symptom] <= severity + 0.01, entry


def test_nobody_complains_about_what_has_been_mended(run, log):
    done = {d.id: sorted(r.done for r in repairs(run) if run.events[r.found].drift == d.id) for d in run.line.drifts}
    for entry in (e for e in log if e.drift and not e.cause and e.kind != "alarm"):
        mended = [t for t in done[entry.drift] if t >= entry.at]
        assert not mended or entry.time <= mended[0]


def test_work_orders_open_and_close_under_one_number(log):
    orders: dict[int, list[Entry]] = {}
    for e in log:
        assert (e.order > 0) == (e.kind == "work_order")
        if e.order:
            assert str(e.order) in e.text
            orders.setdefault(e.order, []).append(e)
    assert max(map(len, orders.values())) == 2
    pairs = [o for o in orders.values() if len(o) == 2]
    assert len(pairs) > 20
    for first, second in pairs:
        assert first.drift == second.drift != ""
        assert not first.cause and second.cause


@pytest.mark.parametrize("language", ["en", "ko"])
def test_each_language_can_be_written_alone(run, language):
    log = write_log(run, np.random.default_rng(1), languages=(language,))
    assert {e.language for e in log} == {language}
    hangul = np.mean([bool(re.search("[가-힣]", e.text)) for e in log])
    assert hangul == 0 if language == "en" else hangul > 0.99


def test_both_languages_write_everything(log):
    for kind in ("alarm", "shift_log", "note", "work_order"):
        assert Counter(e.language for e in log if e.kind == kind).keys() == {"en", "ko"}, kind
    assert all(re.search("[가-힣]", e.text) for e in log if e.language == "ko")


def test_koreans_mix_in_english_words(log):
    mixed = np.mean([bool(re.search("[A-Za-z]{3,}", e.text)) for e in people(log, "ko") if e.symptom])
    assert 0.2 < mixed < 0.95


def test_no_placeholder_is_left(log):
    for e in log:
        text = e.text if e.kind != "alarm" else e.text.replace("[", "").replace("]", "")
        assert not re.search(r"[{}\[\]<]|\w>", text), e.text
        assert not re.search(r"을/를|이/가|은/는|으로/로|  |\bnan\b|None|^[^\w※*#]|^$| [.,]", text), e.text
        assert e.text.encode("utf-8").decode() == e.text == e.text.strip()


def test_handovers_count_right(run, log):
    """Boards that left the last station which takes all of them, counted again here; and the numbers stand in the text."""
    gone = run.leave[:, [s.station for s in run.line.stations].index("aoi")]
    handovers = [e for e in log if e.values]
    assert len(handovers) in (89, 90)                                    # three a day; the last is written after the end
    for e in handovers:
        begin, end, values = e.at, e.at + 8 * 3600.0, dict(e.values)
        assert e.time >= end
        assert values["units"] == np.sum((gone >= begin) & (gone < end))
        assert values["stops"] == sum(begin <= v.time < end for v in run.events if v.kind == "fault")
        assert re.search(rf"(?<!\d){values['units']:.0f}(?!\d)", e.text)
        if "down" in e.mentions:
            assert re.search(rf"(?<!\d){values['down']:.0f}(?!\d)", e.text)


def test_quiet_shifts_are_told_as_quiet():
    run = text_run.make(2)
    quiet = replace(run, events=tuple(e for e in run.events if e.kind != "fault" and e.kind != "repair"))
    for e in write_log(quiet, np.random.default_rng(2)):
        if e.values:
            assert dict(e.values)["stops"] == 0
            assert not re.search(r"[1-9]\d* (stop|min)|정지 [1-9]", e.text)


def test_a_line_that_rests_at_night_hands_over_twice_a_day():
    run = text_run.make(7)
    resting = replace(run, line=replace(run.line, hours_a_day=14.0, days_a_week=5))
    handovers = [(e.at, e.time) for e in write_log(resting, np.random.default_rng(3)) if e.values]
    assert [begin for begin, _ in handovers] == [d * 86400.0 + k * 8 * 3600.0 for d in range(5) for k in (0, 1)]
    assert all(written % 86400 >= (8 if begin % 86400 == 0 else 14) * 3600 for begin, written in handovers)


def test_what_was_found_goes_with_what_was_done(run):
    """Nobody replaces the hose for a leaking fitting."""
    for seed in range(3):
        for e in write_log(run, np.random.default_rng(seed)):
            if e.action == "change_fitting" and "cause" in e.mentions:
                assert not re.search(r"\bhose|호스", e.text), e.text
            if e.action == "change_hose" and "cause" in e.mentions:
                assert not re.search(r"fitting|피팅", e.text), e.text


def test_what_is_said_of_modules_is_known(log):
    """A module that counts as mentioned can be read off the text; who names the wrong one is rare, and marked."""
    with_module = [e for e in people(log) if e.module]
    said = [e for e in with_module if e.stated]
    for e in said:
        assert "module" in e.mentions
        number = e.stated.lstrip("nozlefdr")
        assert re.search(rf"(?<!\d){number}(?!\d)", e.text), (e.stated, e.text)
        assert e.correct == (e.stated == e.module)
    wrong = np.mean([not e.correct for e in said])
    assert 0 < wrong < 0.05
    assert 0.05 < np.mean(["module" not in e.mentions for e in with_module]) < 0.6
    assert all(e.correct for e in log if not e.stated)


def test_minutes_are_rounded_as_people_do(log):
    said = [e for e in people(log) if "minutes" in e.mentions]
    assert len(said) > 100
    for e in said:
        numbers = [int(n) for n in re.findall(r"(\d+) ?(?:min|분)", e.text)]
        rounded = 2.5 if e.minutes > 12 else 0.5
        assert any(abs(n - e.minutes) <= rounded + 0.01 or n == 1 for n in numbers), (e.minutes, e.text)


def test_people_write_some_time_later(log):
    waits = np.array([e.time - e.at - (0 if math.isnan(e.minutes) else 60 * e.minutes) for e in people(log) if e.event >= 0])
    assert 5 * 60 < np.median(waits) < 60 * 60
    assert waits.min() > -1


def test_not_all_entries_are_complete(log):
    share = np.mean([e.complete for e in people(log) if e.cause])
    assert 0.05 < share < 0.6


def test_a_month_of_texts_is_varied(log):
    """Several hundred phrasings in each language, numbers and names of modules aside; few texts come twice."""
    for language in ("en", "ko"):
        texts = [e.text for e in people(log, language)]
        assert len({re.sub(r"\d+", "0", t) for t in texts}) > 300
        assert 1 - len(set(texts)) / len(texts) < 0.15
        pairs = [p for t in texts for p in zip(t.split(), t.split()[1:], strict=False)]
        assert len(set(pairs)) / len(pairs) > 0.5


def test_a_writer_keeps_a_language(log):
    hands = {(e.author, e.language) for e in people(log)}
    assert len(hands) == len({a for a, _ in hands}) <= 15


def test_clock_times_follow_the_start_of_the_day():
    run = text_run.make(3)
    for start in (0.0, 22 * 3600.0):
        for e in write_log(run, np.random.default_rng(4), start_of_day=start):
            if e.kind != "alarm" and "clock" in e.mentions:
                told = [int(h) * 60 + int(m) for h, m in re.findall(r"\b(\d\d):(\d\d)", e.text)]
                true = (e.at + start) / 60 % 1440
                assert any(min(abs(t - true), 1440 - abs(t - true)) <= 3 for t in told), (e.text, true)


def test_shifts_are_called_by_their_time_of_day():
    names = [r"early|day|1st", r"late|evening|2nd", r"night|3rd"]
    run, count = text_run.make(6), 0
    for start, first in ((6.0, 0), (14.0, 1), (22.0, 2), (23.5, 2), (4.0, 0), (1.0, 2)):
        for e in write_log(run, np.random.default_rng(4), languages=("en",), start_of_day=start * 3600.0):
            if e.values and "shift" in e.mentions:
                right = (first + round(e.at % 86400 / 28800)) % 3
                told = [k for k, words in enumerate(names) if re.search(rf"\b({words})\b", e.text, re.IGNORECASE)]
                assert not told or right in told, (start, e.text)
                count += bool(told)
    assert count > 40


def test_units_that_end_at_parallel_stations_are_all_handed_over():
    """Two testers behind one oven: a unit goes through one of them. And a sampling station behind one tester ends some ways."""
    from scenes.line.flow import simulate_line
    flow = {"oven": ("reflow", (), 1.0), "test1": ("test", ("oven",), 1.0), "test2": ("test", ("oven",), 1.0),
            "sample": ("axi", ("test2",), 0.3)}
    stations = tuple(StationFlow(n, kind, f"L/{n}", after, 30.0 if after else 14.0, 1.0, share=share)
                     for n, (kind, after, share) in flow.items())
    for count in (3, 4):
        run = simulate_line(Line("L", 15.0, stations[:count]), 8.5 * 3600.0, np.random.default_rng(2))
        handover, = [e for e in write_log(run, np.random.default_rng(2)) if e.values]
        ways = run.leave[:, 1:count]
        out = [np.nanmax(w) for w, came in zip(ways, run.arrive[:, 1:count], strict=True)
               if np.isfinite(w).any() and np.isfinite(w[np.isfinite(came)]).all()]
        assert dict(handover.values)["units"] == np.sum(np.array(out) < 8 * 3600) > 1500
        assert np.isfinite(finished(run)).sum() == len(out)               # and so does the report
        assert min(np.isfinite(ways).sum(axis=0)[:2]) > 500               # both work


@pytest.mark.parametrize("languages", [(), ("de",), ("en", "fr")])
def test_unknown_languages_are_refused(languages):
    with pytest.raises(SceneError, match=r"languages: .* give 'en', 'ko' or both"):
        write_log(text_run.make(1), np.random.default_rng(0), languages=languages)


def test_a_run_of_the_line_itself_can_be_told():
    """The line's own simulation, half a day: events come in the form that it gives them."""
    from scenes.line.flow import simulate_line
    run = simulate_line(text_run.line(), 12 * 3600.0, np.random.default_rng(2))
    log = write_log(run, np.random.default_rng(2))
    assert len([e for e in log if e.kind == "alarm"]) == sum(e.kind in ("fault", "alarm") for e in run.events)
    assert [dict(e.values)["units"] > 500 for e in log if e.values] == [True]
