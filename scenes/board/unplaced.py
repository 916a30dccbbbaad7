"""Which footprints a line does not place, by what people write into value and package."""

from __future__ import annotations

import re

# a part number may begin with the same letters (NC7SZ125), so a boundary has to follow
_VALUE = re.compile(r"(DNP|DNF|DNI|DNS|DNM|NF|NM|NA|N/A|NS|NP|NC)(?=$|[\s(/,;_-])|DO ?NOT ?(POPULATE|FIT|PLACE)", re.IGNORECASE)
_PACKAGE = re.compile(
    r"fiducial|mounting_?hole|solder_?jumper|net_?tie|test_?point|mouse_?bite|npth|logo|tooling_?hole", re.IGNORECASE
)


def is_unplaced(value: str, package: str) -> bool:
    """Whether the value says "do not populate", or the package is no part: a fiducial, a jumper of solder, a hole."""
    return bool(_VALUE.match(value) or _PACKAGE.search(package))


__all__ = ["is_unplaced"]
