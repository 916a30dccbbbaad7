"""people: who writes, and how: in which language, how politely, how hastily. A person keeps a style for the whole run."""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from generators.text.entry import Language
from generators.text.hangul import close_gap, particles, swap_vowel
from generators.text.words import Words

Role = Literal["operator", "technician", "lead"]
ROLES: tuple[Role, ...] = ("operator", "technician", "lead")
SHIFTS = 3
_EACH = {"operator": 2, "technician": 2, "lead": 1}
_SIGNS = {"en": ("JK", "MS", "TB", "ah", "R.L.", "dw", "PN", "SO", "km", "E.V.", "lc", "HB", "yt", "FJ", "gr"),
          "ko": ("김", "이", "박", "최", "정", "강", "조", "윤", "장", "임", "한", "오", "서", "신", "권")}


@dataclass(frozen=True)
class Person:
    """A writer. Shares are probabilities per entry, those of slips per ten words."""
    role: Role
    shift: int
    number: int                                # within role and shift, from 1
    language: Language
    sign: str
    signs: float
    polite: bool                               # Korean: 했습니다 instead of 함; English: whole sentences keep their capitals
    lower: bool                                # English without capitals
    shorten: float                             # share of known words that are abbreviated
    slip: float                                # typing errors
    omit: float                                # leaves out which module
    wrong: float                               # names the neighbour of the module

    @property
    def author(self) -> str:
        return f"{self.role} {self.shift + 1}-{self.number}"


def crew(base: int, languages: tuple[Language, ...]) -> tuple[Person, ...]:
    """Everybody of three shifts. Languages take turns, so that each is written by somebody in every shift."""
    out: list[Person] = []
    for shift in range(SHIFTS):
        turn = shift
        for role in ROLES:
            for number in range(1, _EACH[role] + 1):
                rng = np.random.default_rng([base, 1, len(out)])
                language = languages[turn % len(languages)]
                turn += 1
                signs = _SIGNS[language]
                u = rng.random(7)
                out.append(Person(
                    role, shift, number, language, signs[len(out) % len(signs)], 0.5 if u[0] < 0.3 else 0.0, bool(u[1] < 0.4),
                    bool(u[2] < 0.35), 0.5 * u[3]**2, 0.25 * u[4]**2, 0.05 + 0.2 * u[5]**2, 0.003 + 0.02 * u[6]**2))
    return tuple(out)


def in_hand(text: str, person: Person, words: Words, rng: np.random.Generator) -> str:
    """The sentence as this person writes it. Digits are never touched."""
    text = _shorten(text, person, words, rng)
    if person.language == "ko":                                           # after shortening: 불량으로, but NG로
        text = particles(text)
    if person.language == "en":
        text = text.lower() if person.lower else _capital(text)
    for _ in range(rng.binomial(max(1, len(text) // 40), person.slip)):
        text = _slip(text, person.language, rng)
    if person.language == "en" and not person.polite and rng.random() < 0.6:
        text = text.rstrip(".")
    if rng.random() < person.signs:
        text += f" {'/' if rng.random() < 0.5 else '-'}{person.sign}"
    return text


def _shorten(text: str, person: Person, words: Words, rng: np.random.Generator) -> str:
    for long, short in words.abbreviations.items():
        pattern = rf"\b{long}\b" if person.language == "en" else re.escape(long)
        if person.shorten and re.search(pattern, text, re.IGNORECASE) and rng.random() < person.shorten:
            text = re.sub(pattern, short, text, flags=re.IGNORECASE)
    return text


def _capital(text: str) -> str:
    """Sentences and lines begin with a capital letter."""
    return re.sub(r"(^|(?<!maint)(?<! no)[.!?] |\n)([a-z])", lambda m: m[1] + m[2].upper(), text)


def _slip(text: str, language: Language, rng: np.random.Generator) -> str:
    if language == "ko":
        return close_gap(text, rng) if rng.random() < 0.7 else swap_vowel(text, rng)
    found = [m for m in re.finditer(r"[a-z]{5,}", text)]
    if not found:
        return text
    word = found[int(rng.integers(len(found)))]
    i = int(rng.integers(word.start() + 1, word.end() - 1))
    how = int(rng.integers(3))
    if how == 0:
        return text[:i] + text[i + 1] + text[i] + text[i + 2:]            # two letters change places
    return text[:i] + text[i + 1:] if how == 1 else text[:i] + text[i] + text[i:]   # one is lost, or struck twice


__all__ = ["ROLES", "SHIFTS", "Person", "Role", "crew", "in_hand"]
