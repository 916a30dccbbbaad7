"""entry: one thing that somebody or some machine wrote, with the truth behind it."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

EntryKind = Literal["alarm", "shift_log", "note", "work_order"]
Language = Literal["en", "ko"]

FACTS = ("module", "symptom", "cause", "action", "part", "minutes")
"""What an entry can be about, beside its station."""


@dataclass(frozen=True)
class Entry:
    """One entry of a log.

    ``station`` to ``minutes`` say what was the case, as far as its writer could know when it was written; ``drift`` and
    ``drift_kind`` name what is really behind it, which the writer need not know. ``mentions`` says which of it can be read in
    ``text``.
    """
    time: float                                # [s] when it was written
    source: str                                # ISA-95 id of a machine, or a role: "operator", "technician", "lead"
    author: str                                # of people a constant sign, "operator 2-1": shift and number; "" for machines
    kind: EntryKind
    language: Language
    text: str
    at: float                                  # [s] when what it tells of began
    event: int = -1                            # index in Run.events; −1 where it tells of no single event
    station: str = ""                          # id; "" where it is about the whole line
    module: str = ""
    drift: str = ""                            # id
    drift_kind: str = ""
    symptom: str = ""                          # keys of knowledge.py
    cause: str = ""                            # a drift kind, once it has been found
    action: str = ""
    part: str = ""
    minutes: float = math.nan                  # stop or work, exact; people write it rounded
    order: int = 0                             # number of the work order, 0 for none
    values: tuple[tuple[str, float], ...] = ()   # counts of a handover: "units", "stops", "down" [min]
    mentions: tuple[str, ...] = ()             # names of slots that the text has: "station", "module", "symptom", …, sorted
    stated: str = ""                           # module as the text says, "" where it says none
    correct: bool = True                       # False where the text names the wrong module

    @property
    def complete(self) -> bool:
        """Whether the text says all that its writer knew: every fact that is there, and where it happened."""
        known = [n for n in FACTS if getattr(self, n) and not (n == "minutes" and math.isnan(self.minutes))]
        place = not self.station or bool({"station", "module"} & set(self.mentions))
        return place and set(known) <= set(self.mentions)


__all__ = ["FACTS", "Entry", "EntryKind", "Language"]
