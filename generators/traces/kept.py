"""kept: arrays that belong to a length and a rate, made once for windows of one length and not hoarded for long records."""
from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T", bound=NDArray[Any])
_Maker = TypeVar("_Maker", bound=Callable[..., Any])

KEPT = 16                                      # arrays of one kind
LONGEST = 1 << 18                              # [readings] 10 s at 25.6 kHz: 1 MiB of single-precision spectrum


def kept(make: _Maker) -> _Maker:
    """Keep what a function makes for its (hashable) arguments; the first is the number of readings. Read-only for callers."""
    @lru_cache(maxsize=KEPT)
    def again(*args: Any) -> Any:
        found = make(*args)
        found.flags.writeable = False
        return found

    def either(count: int, *args: Any) -> Any:
        return again(count, *args) if count <= LONGEST else make(count, *args)

    either.__doc__ = make.__doc__
    return either                                                          # type: ignore[return-value]


@kept
def frequencies(count: int, rate: float) -> NDArray[np.float64]:
    """[Hz] of the lines of a spectrum of ``count`` readings at ``rate`` [Hz], (count // 2 + 1,)."""
    return np.arange(count // 2 + 1, dtype=np.float64) * (rate / count)


__all__ = ["KEPT", "LONGEST", "frequencies", "kept"]
