"""grammar: sentences from rules. Only what a drawn sentence really says counts as mentioned.

A text is a mix of

    [a|b|]      one of these, possibly nothing; may be nested
    <rule>      one of the alternatives of a rule
    {slot}      a value; its text may again use all of this

and literal characters. An alternative that needs a slot which is not there is never drawn. ``|`` outside brackets is itself.
"""
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from scenes.errors import InvariantError

Slots = Mapping[str, Sequence[str]]
Rules = Mapping[str, Sequence[str]]

_TOKEN = re.compile(r"[\[\]|]|<[a-z_0-9]+>|\{[a-z_0-9]+\}|[^\[\]|<{]+")


@dataclass(frozen=True)
class _Part:
    """One piece of a text: ``kind`` is "text", "slot", "rule" or "one of"."""
    kind: str
    text: str = ""
    choices: tuple[tuple[_Part, ...], ...] = ()


@lru_cache(maxsize=20_000)
def _parse(text: str) -> tuple[_Part, ...]:
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text:
        raise InvariantError(f"grammar: {text!r} has a stray bracket; write <rule>, {{slot}} or [a|b]")
    parts, rest = _sequence(tokens, 0, nested=False)
    if rest != len(tokens):
        raise InvariantError(f"grammar: {text!r} closes a bracket that it never opened")
    return parts


def _sequence(tokens: list[str], at: int, *, nested: bool) -> tuple[tuple[_Part, ...], int]:
    parts: list[_Part] = []
    while at < len(tokens):
        piece = tokens[at]
        if piece == "[":
            choices, at = _choices(tokens, at + 1)
            parts.append(_Part("one of", choices=choices))
        elif piece == "]" or (piece == "|" and nested):
            return tuple(parts), at
        else:
            kind = "rule" if piece[0] == "<" else "slot" if piece[0] == "{" else "text"
            parts.append(_Part(kind, piece if kind == "text" else piece[1:-1]))
            at += 1
    if nested:
        raise InvariantError(f"grammar: {''.join(tokens)!r} opens a bracket that it never closes")
    return tuple(parts), at


def _choices(tokens: list[str], at: int) -> tuple[tuple[tuple[_Part, ...], ...], int]:
    choices = []
    while True:
        parts, at = _sequence(tokens, at, nested=True)
        choices.append(parts)
        if tokens[at] == "]":
            return tuple(choices), at + 1
        at += 1


def possible(text: str, slots: Slots, rules: Rules) -> bool:
    """Whether all that this text needs is there."""
    return _possible(_parse(text), slots, rules)


def _possible(parts: tuple[_Part, ...], slots: Slots, rules: Rules) -> bool:
    for part in parts:
        if part.kind == "slot" and part.text not in slots:
            return False
        if part.kind == "rule" and not any(possible(a, slots, rules) for a in rules[part.text]):
            return False
        if part.kind == "one of" and not any(_possible(c, slots, rules) for c in part.choices):
            return False
    return True


def write(rule: str, slots: Slots, rules: Rules, rng: np.random.Generator) -> tuple[str, frozenset[str]]:
    """One sentence of ``rule``, and the names of the slots that it came to use.

    Raises InvariantError where no alternative can be written with these slots.
    """
    used: set[str] = set()
    text = _expand((_Part("rule", rule),), slots, rules, rng, used)
    return tidy(text), frozenset(used)


def _expand(parts: tuple[_Part, ...], slots: Slots, rules: Rules, rng: np.random.Generator, used: set[str]) -> str:
    out = []
    for part in parts:
        if part.kind == "text":
            out.append(part.text)
            continue
        if part.kind == "one of":
            choices = [c for c in part.choices if _possible(c, slots, rules)]
        else:
            texts = slots[part.text] if part.kind == "slot" else rules[part.text]
            choices = [_parse(t) for t in texts if possible(t, slots, rules)]
            if part.kind == "slot":
                used.add(part.text)
        if not choices:
            raise InvariantError(f"grammar: nothing can be written for {part.kind} '{part.text}' with {sorted(slots)}")
        out.append(_expand(choices[int(rng.integers(len(choices)))], slots, rules, rng, used))
    return "".join(out)


def tidy(text: str) -> str:
    """One space between words, none before a full stop."""
    text = re.sub(r"[ \t]+", " ", text)
    text = re.sub(r" +([.,;:!?)])", r"\1", text)
    text = re.sub(r"([.,;])(?:[.,;])+", r"\1", text)
    return "\n".join(line.strip(" ,;") for line in text.split("\n")).strip()


__all__ = ["Rules", "Slots", "possible", "tidy", "write"]
