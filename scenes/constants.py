"""constants: of nature, or agreed to be; the same wherever they are used."""
from __future__ import annotations

ATMOSPHERE = 101_325.0                         # [Pa] standard atmosphere (ISO 2533)
GRAVITY = 9.81                                 # [m/s²]

__all__ = ["ATMOSPHERE", "GRAVITY"]
