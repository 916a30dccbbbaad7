"""Known failures of the real program, asked for by ``LINETWIN_STANDIN_FAULTS="name,name=value"``.

At the start:   slow-start=SECONDS, hang-start, exit55 (extensions missing: SystemExit(1), and the process ends with 55),
                exit139 (ended by a shell as after a segmentation fault), segfault (the signal itself), no-gpu (Vulkan refuses)
In a frame:     hang=K (the K-th step never returns, K from 1), die=K (killed in the K-th step), exit139-step=K,
                raise=K (step raises), black=N (the first N rendered subframes of each camera are black; inf: always),
                stale (one subframe shows the picture of before), no-data (get_data gives an empty array, once)
Labels:         no-instance-labels (isaac-sim/IsaacSim#253: instanced prims have no labels), int-keys (ids as int, not str)
Standard output: garbage (log lines and half lines at every step, from C as well as from Python)
"""
from __future__ import annotations

import os

KNOWN = ("slow-start", "hang-start", "exit55", "exit139", "segfault", "no-gpu", "hang", "die", "exit139-step", "raise", "black",
         "stale", "no-data", "no-instance-labels", "int-keys", "garbage")


def _read() -> dict[str, float]:
    out = {}
    for word in filter(None, os.environ.get("LINETWIN_STANDIN_FAULTS", "").split(",")):
        name, _, value = word.strip().partition("=")
        if name not in KNOWN:
            raise SystemExit(f"LINETWIN_STANDIN_FAULTS: unknown fault {name!r}; known: {', '.join(KNOWN)}")
        out[name] = float(value) if value else 1.0
    return out


_faults = _read()


def fault(name: str) -> float | None:
    """The value of a fault that was asked for, else None."""
    if name not in KNOWN:
        raise AssertionError(name)
    return _faults.get(name)
