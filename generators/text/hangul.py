"""hangul: Korean particles that fit the word before them, and the slips of a hurried writer.

A particle is written with both its forms, "노즐을/를"; which one stays depends on the sound that the word ends with.
"""
from __future__ import annotations

import re

import numpy as np

PAIRS = {"을/를": ("을", "를"), "이/가": ("이", "가"), "은/는": ("은", "는"), "과/와": ("과", "와"), "으로/로": ("으로", "로"),
         "이라/라": ("이라", "라")}
"""Form after a closed syllable, form after an open one."""

_DIGITS = "영일이삼사오육칠팔구"
# how the letters are called; those not listed end open
_LETTERS = {"L": "엘", "M": "엠", "N": "엔", "R": "알"}
# words that Korean shop floors write in Latin letters, as they are said
_WORDS = {
    "nozzle": "노즐", "feeder": "피더", "blower": "블로워", "heater": "히터", "bearing": "베어링", "vacuum": "배큠", "zone": "존",
    "stencil": "스텐실", "squeegee": "스퀴지", "conveyor": "컨베이어", "air": "에어", "lamp": "램프", "tube": "튜브",
    "focus": "포커스", "reel": "릴", "sensor": "센서", "mask": "마스크", "roller": "롤러", "fitting": "피팅", "pitch": "피치",
    "tip": "팁", "alarm": "알람", "reset": "리셋", "line": "라인", "board": "보드", "head": "헤드", "fan": "팬", "motor": "모터",
    "led": "엘이디", "low": "로우", "temp": "템프", "volume": "볼륨", "error": "에러", "mounter": "마운터", "reflow": "리플로우",
}


# 높음, 많음 and the like are no phenomena: "진공 낮음 현상 있음" is said "진공 낮음 확인"
_PLAIN = re.compile(r"([높낮많적잦없]음|약함|심함|큼|어려움|미달|필요) (현상이 있습니다|현상 있음|현상 확인)")


def final(text: str) -> int:
    """Index of the last syllable's final consonant, 0 for none, 8 for ㄹ, as Unicode counts them (0 … 27)."""
    text = text.rstrip(" )]'\"”’.")
    if not text:
        return 0
    last = text[-1]
    if last.isascii() and last.isalpha():
        word = re.findall(r"[A-Za-z]+$", text)[0]
        if word.lower() in _WORDS:
            last = _WORDS[word.lower()][-1]
        else:
            last = _LETTERS.get(last.upper(), "이")
    elif last.isdigit() and last.isascii():
        last = _DIGITS[int(last)]
    code = ord(last) - 0xAC00
    return code % 28 if 0 <= code < 11172 else 0


def particles(text: str) -> str:
    """Choose every particle by the word before it, and the plain ending after words that want it."""
    def choose(match: re.Match[str]) -> str:
        end = final(text[:match.start()])
        closed, open_ = PAIRS[match.group()]
        if match.group() == "으로/로" and end == 8:
            return open_
        return closed if end else open_
    text = re.sub("|".join(PAIRS), choose, text)
    return _PLAIN.sub(lambda m: f"{m[1]} " + ("확인했습니다" if m[2] == "현상이 있습니다" else "확인"), text)


def swap_vowel(text: str, rng: np.random.Generator) -> str:
    """ㅐ written for ㅔ or the other way round in one syllable, a common misspelling. Unchanged where there is none."""
    at = [i for i, c in enumerate(text) if 0xAC00 <= ord(c) <= 0xD7A3 and (ord(c) - 0xAC00) % 588 // 28 in (1, 5)]
    if not at:
        return text
    i = at[int(rng.integers(len(at)))]
    code = ord(text[i])
    code += 4 * 28 if (code - 0xAC00) % 588 // 28 == 1 else -4 * 28
    return text[:i] + chr(code) + text[i + 1:]


def close_gap(text: str, rng: np.random.Generator) -> str:
    """One space between two Hangul syllables left out, as hurried writers do."""
    at = [m.start() for m in re.finditer(r"(?<=[가-힣]) (?=[가-힣])", text)]
    if not at:
        return text
    i = at[int(rng.integers(len(at)))]
    return text[:i] + text[i + 1:]


__all__ = ["PAIRS", "close_gap", "final", "particles", "swap_vowel"]
