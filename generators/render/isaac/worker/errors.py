"""Why a request cannot be met. The kinds are those that ``../failures.py`` has advice for."""
from __future__ import annotations

KINDS = ("python", "import", "eula", "extensions", "gpu", "protocol", "start", "stage", "edit", "capture", "mapping", "internal")


class Refused(Exception):
    """A request that cannot be met: its kind, and what is wrong in one line."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        assert kind in KINDS
        self.kind = kind


__all__ = ["KINDS", "Refused"]
