"""The grammar, Korean particles, and the vocabulary files against each other."""
from __future__ import annotations

import re

import numpy as np
import pytest

from generators.text import grammar, knowledge
from generators.text.hangul import close_gap, final, particles, swap_vowel
from generators.text.manual import vocabulary
from generators.text.words import split, words
from scenes.errors import InvariantError
from scenes.line.drifts import KINDS


@pytest.mark.parametrize(("written", "right"), [
    ("노즐을/를 교체", "노즐을 교체"), ("피더을/를 교체", "피더를 교체"), ("마모이/가 원인", "마모가 원인"),
    ("막힘이/가 원인", "막힘이 원인"), ("알람은/는", "알람은"), ("히터은/는", "히터는"),
    ("진공 저하으로/로 정지", "진공 저하로 정지"), ("막힘으로/로 정지", "막힘으로 정지"),
    ("노즐으로/로", "노즐로"),                  # after ㄹ the short form
    ("7으로/로", "7로"), ("3으로/로", "3으로"), ("6을/를", "6을"), ("2을/를", "2를"), ("10을/를", "10을"),
    ("SPI이/가", "SPI가"), ("AXI으로/로", "AXI로"), ("PM을/를", "PM을"), ("nozzle을/를", "nozzle을"), ("feeder은/는", "feeder는"),
    ("마모(끝단)이/가", "마모(끝단)이"), ("진공 낮음 현상 있음", "진공 낮음 확인"), ("소음 현상 있음", "소음 현상 있음"),
])
def test_particles_follow_the_sound_before_them(written, right):
    assert particles(written) == right


def test_final_consonants_as_unicode_numbers_them():
    """UAX #15: (code − AC00) mod 28; ㄹ is the eighth."""
    assert [final(w) for w in ("가", "각", "갈", "칠", "8", "L", "b")] == [0, 1, 8, 8, 8, 8, 0]


def test_slips_are_slips_of_one_place():
    rng = np.random.default_rng(1)
    assert swap_vowel("교체", rng) == "교채"
    assert swap_vowel("재고", rng) == "제고"
    assert swap_vowel("없음", rng) == "없음"
    assert close_gap("이상 없음", rng) == "이상없음"
    assert close_gap("SPI NG", rng) == "SPI NG"


def test_a_sentence_uses_what_there_is_and_says_so():
    rules = {"s": ("{a} [and {b}|but {c}|]", "<t>"), "t": ("{a} only",)}
    seen = {grammar.write("s", {"a": ("A",), "b": ("B",)}, rules, np.random.default_rng(k)) for k in range(60)}
    assert seen == {("A and B", frozenset("ab")), ("A", frozenset("a")), ("A only", frozenset("a"))}
    with pytest.raises(InvariantError, match="nothing can be written"):
        grammar.write("t", {"b": ("B",)}, rules, np.random.default_rng(0))


@pytest.mark.parametrize("text", ["a ] b", "a [b|c", "{a", "<A>"])
def test_a_broken_rule_is_refused(text):
    with pytest.raises(InvariantError, match=r"grammar: "):
        grammar.write("s", {}, {"s": (text,)}, np.random.default_rng(0))


@pytest.mark.parametrize("table", ["stations", "modules", "vague", "symptoms", "causes", "actions", "parts", "alarms", "supplies",
                                   "telling", "alarm_modules"])
def test_both_languages_have_words_for_the_same_things(table):
    assert set(getattr(words("en"), table)) == set(getattr(words("ko"), table))


def test_every_piece_of_knowledge_has_words():
    troubles = {**knowledge.DRIFTS, **knowledge.STOPS}.values()
    vocabulary_ = words("ko")
    assert {s for t in troubles for s in t.symptoms} == set(vocabulary_.symptoms)
    assert {a for t in troubles for a in t.actions} == set(vocabulary_.actions)
    assert {p for t in troubles for ps in t.actions.values() for p in ps} == set(vocabulary_.parts)
    assert {t.alarm for t in troubles} == set(vocabulary_.alarms)
    assert set(knowledge.DRIFTS) == set(KINDS) == {c.partition('/')[0] for c in vocabulary_.causes} == set(vocabulary_.telling)
    assert all(t.alarm in t.symptoms for t in troubles)
    for kind, _, action in (c.partition("/") for c in vocabulary_.causes):
        assert not action or action in knowledge.DRIFTS[kind].actions
    assert all(KINDS[k].module in ("", t.module) for k, t in knowledge.DRIFTS.items())


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_alternative_of_the_vocabulary_can_be_written(language):
    """Each text of each table, with every slot there: no stray bracket, no unknown rule or slot."""
    vocabulary_ = words(language)
    names = "station module symptom cause action part minutes clock code order supply supplied units stops down shift id n"
    slots = {name: ("X",) for name in names.split()}
    rng = np.random.default_rng(3)
    for table in ("stations", "modules", "vague", "symptoms", "causes", "actions", "parts", "alarms", "supplies", "rules"):
        for key, texts in getattr(vocabulary_, table).items():
            for text in texts:
                for _ in range(4):
                    out, _ = grammar.write("it", slots, {**vocabulary_.rules, "it": (text,)}, rng)
                    assert not re.search(r"[{}\[\]<]|\w>", out), (key, out)


def test_modules_are_words_with_numbers():
    assert split("nozzle3") == ("nozzle", "3")
    assert split("zone10") == ("zone", "10")
    assert split("spindle") == ("spindle", "")
    assert "nozzle 3" in words("en").module("nozzle3")
    assert "3번 노즐" in words("ko").module("nozzle3")
    assert words("en").module("left_arm") == ["left_arm"]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_manuals_have_a_procedure_for_every_drift(language):
    book = vocabulary(language)
    for table in ("procedures", "items", "troubleshooting"):
        assert set(book[table]) == set(KINDS), table
    for kind, item in book["items"].items():
        used = {p for parts in knowledge.DRIFTS[kind].actions.values() for p in parts}
        assert set(item["parts"]) == used, kind                          # what a work order uses can be ordered
