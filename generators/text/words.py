"""words: a language's vocabulary file, and the names of stations and modules in it."""
from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from generators.text.entry import Language
from scenes.line.model import Line

FILES = {"en": "english.yaml", "ko": "korean.yaml"}


@dataclass(frozen=True)
class Words:
    """A vocabulary: tables of grammar texts by the keys of ``knowledge.py``. See the comments in the files."""
    language: Language
    stations: dict[str, list[str]]
    modules: dict[str, list[str]]
    vague: dict[str, list[str]]
    shifts: list[list[str]]
    symptoms: dict[str, list[str]]
    causes: dict[str, list[str]]
    actions: dict[str, list[str]]
    parts: dict[str, list[str]]
    alarms: dict[str, list[str]]
    alarm_modules: dict[str, str]
    supplies: dict[str, list[str]]
    rules: dict[str, list[str]]
    abbreviations: dict[str, str]
    telling: dict[str, list[str]]

    def station(self, line: Line, identity: str) -> list[str]:
        """What people call a station: by its kind, by its id where the line has several of that kind."""
        kinds = Counter(s.kind for s in line.stations)
        kind = line.station(identity).kind
        names = self.stations.get(kind, self.stations["other"])
        if kinds[kind] > 1:
            names = [identity, identity.replace("_", " ").upper()]
        return [name.replace("{id}", identity) for name in names]

    def module(self, module: str) -> list[str]:
        """What people call a module: "nozzle3" and its kind and number."""
        return self._numbered(self.modules, module)

    def no_module(self, module: str) -> list[str]:
        """What people say who do not say which module."""
        return self.vague.get(split(module)[0], self.vague["other"])

    def alarm_module(self, module: str) -> str:
        """How a machine prints a module."""
        return self._numbered({k: [v] for k, v in self.alarm_modules.items()}, module)[0]

    @staticmethod
    def _numbered(table: dict[str, list[str]], module: str) -> list[str]:
        word, number = split(module)
        names = table[word] if word in table and number else table["other"]
        return [n.replace("{n}", number).replace("{id}", module) for n in names]


def split(module: str) -> tuple[str, str]:
    """Word and number of a module: ("nozzle", "3"); the number is "" where there is none."""
    match = re.fullmatch(r"([a-z]+)[_-]?(\d+)", module)
    return (match[1], match[2]) if match else (module, "")


@lru_cache
def words(language: Language) -> Words:
    """The vocabulary that is shipped for a language."""
    data: dict[str, Any] = yaml.safe_load((Path(__file__).parent / FILES[language]).read_text(encoding="utf-8"))
    return Words(**data)


__all__ = ["FILES", "Words", "split", "words"]
