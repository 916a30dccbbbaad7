"""cfx_names: how CFX writes ids, moments, durations and senders. Each of these is made for every message, so they are plain."""
from __future__ import annotations

import hashlib
from datetime import datetime, timedelta, timezone
from uuid import UUID

from scenes.line.model import Line

_VARIANT = {c: "89ab"[int(c, 16) & 3] for c in "0123456789abcdef"}        # the two top bits of a UUID's ninth byte are 10
_DAY = 86_400_000_000                          # [µs]


class Ids:
    """UUIDs of version 5 in one namespace: the same as ``uuid.uuid5``, without its objects."""

    def __init__(self, namespace: UUID) -> None:
        self._begun = hashlib.sha1(namespace.bytes, usedforsecurity=False)

    def of(self, name: str) -> str:
        sha = self._begun.copy()
        sha.update(name.encode())
        text = sha.hexdigest()
        return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


class Clock:
    """Seconds of the run as ISO 8601 with microseconds, in the offset from UTC that holds at its start."""

    def __init__(self, start: datetime) -> None:
        offset = start.utcoffset() or timedelta(0)
        local = start.astimezone(timezone(offset))
        self._midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        self._zero = (local - self._midnight) // timedelta(microseconds=1)
        self._offset = local.isoformat()[-6:]
        self._days: dict[int, str] = {}

    def at(self, seconds: float) -> str:
        day, micros = divmod(self._zero + round(seconds * 1e6), _DAY)
        date = self._days.get(day)
        if date is None:
            date = self._days[day] = (self._midnight + timedelta(days=day)).date().isoformat()
        whole, micros = divmod(micros, 1_000_000)
        minutes, second = divmod(whole, 60)
        hour, minute = divmod(minutes, 60)
        return f"{date}T{hour:02d}:{minute:02d}:{second:02d}.{micros:06d}{self._offset}"


def span(seconds: float) -> str:
    """A .NET TimeSpan: days only where there are any, and microseconds."""
    day, micros = divmod(max(0, round(seconds * 1e6)), _DAY)
    whole, micros = divmod(micros, 1_000_000)
    text = f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{micros:06d}"
    return f"{day}.{text}" if day else text


def handle(path: str) -> str:
    """CFX handle of an ISA-95 id: dots between its levels, no blanks, and the mark of a simulation."""
    return "SIMULATED." + path.replace(".", "_").replace(" ", "_").replace("/", ".")


def unit_id(line: Line, unit: int) -> str:
    """Identifier of a unit on a line: "SIM-Line_3-0000017"."""
    return f"SIM-{line.path.rsplit('/', 1)[-1].replace(' ', '_')}-{unit:07d}"


__all__ = ["Clock", "Ids", "handle", "span", "unit_id"]
