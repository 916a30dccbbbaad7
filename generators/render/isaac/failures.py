"""What went wrong with the worker, in words: from its own answer, its exit status, or the last lines of its log.

Isaac Sim ends in ways that say little: status 55 for missing extensions, 139 for a start as root without leave, and 0 for a
licence that was declined. A status is therefore never taken as a success: only an answer is.
"""
from __future__ import annotations

import os
import re
import signal

from scenes.errors import BackendError, BackendUnavailable

OTHER = "or use --renderer gl"
KINDS = {
    "python": f"use the interpreter of Isaac Sim 5.x (Python 3.11) or 6.x (Python 3.12), {OTHER}",
    "import": "LINETWIN_ISAAC_PYTHON must name Isaac Sim's own interpreter: python.sh of an installation, or the python of an "
              f"environment with the isaacsim wheels, {OTHER}",
    "eula": f"read NVIDIA's licence and set OMNI_KIT_ACCEPT_EULA=yes if you accept it, {OTHER}",
    "extensions": "install Isaac Sim with its extension cache (pip install 'isaacsim[all,extscache]' from NVIDIA's index, or the "
                  f"binary package); LINETWIN_ISAAC_ONLINE=1 lets it fetch what is missing; {OTHER}",
    "gpu": f"Isaac Sim needs an NVIDIA GPU with RT cores and its Vulkan driver (check with nvidia-smi and vulkaninfo), {OTHER}",
    "root": "Isaac Sim's kernel ends like that when root starts it without leave: run as an ordinary user, or set "
            f"OMNI_KIT_ALLOW_ROOT=1, {OTHER}",
    "protocol": "host and worker are not of one version: install linetwin again, and start no other worker than its own",
    "start": f"see the log, {OTHER}",
    "stage": "the stage was not opened; see the log",
    "edit": "a change of the stage was refused; see the log",
    "capture": "Isaac Sim drew nothing that can be used; see the log",
    "mapping": "a pixel shows something that has no label id; labels would be wrong",
    "internal": "this is a bug of linetwin's worker; report it with the log",
}
UNAVAILABLE = frozenset({"python", "import", "eula", "extensions", "gpu", "root", "start"})

_SIGNS: tuple[tuple[str, str], ...] = (        # what a log says, in order of how sure it is
    ("eula", r"EULA"),
    ("extensions", r"dependency solver failure|Failed to solve some dependencies|No versions of \S+ that satisf"),
    ("gpu", r"vkCreateInstance failed|ERROR_INCOMPATIBLE_DRIVER|no (?:suitable|compatible|NVIDIA) GPU|"
            r"Failed to create any GPU|GPU Foundation is not initialized|No device could be created"),
)
TAIL_LINES, TAIL_CHARACTERS = 3, 300


def of_answer(kind: str, message: str, doing: str) -> BackendError:
    """The error for an answer that says ``ok: false``."""
    advice = KINDS.get(kind, KINDS["internal"])
    error = BackendUnavailable if kind in UNAVAILABLE else BackendError
    return error(f"renderer 'isaac': {doing}: {_one_line(message)}; {advice}")


def of_exit(status: int, log: str, doing: str, *, started: bool) -> BackendError:
    """The error for a worker that ended without an answer.

    Args:
        status: Of the process: an exit code, or minus a signal's number; a shell between gives 128 + the number.
        log: The end of what it wrote.
        doing: What it was asked for: "start", "capture", …
        started: Whether Isaac Sim had been up; if not, it is unavailable here.
    """
    killed = -status if status < 0 else status - 128 if 128 < status < 128 + 65 else 0
    kind = _sign(log)
    if status == 55:
        kind, what = "extensions", "Isaac Sim ended with status 55: extensions are missing"
    elif killed == signal.SIGSEGV:
        kind = kind or (None if started else "root" if os.geteuid() == 0 else "start")
        what = "Isaac Sim ended with a segmentation fault"
    elif killed:
        name = signal.Signals(killed).name if killed in set(signal.Signals) else str(killed)
        more = " (the system may have been out of memory)" if killed == signal.SIGKILL else ""
        what = f"the worker was killed by {name}{more}"
    elif status == 0 and not started:
        kind, what = kind or "eula", "Isaac Sim ended with status 0 before it was up, as it does when its licence is declined"
    else:
        what = f"the worker ended with status {status}"
    advice = KINDS[kind] if kind is not None else KINDS["start"] if not started else "run again: what was committed stays"
    said = tail(log)
    error = BackendError if started else BackendUnavailable
    return error(f"renderer 'isaac': {doing}: {what}{f' ({said})' if said else ''}; {advice}")


def of_time(seconds: float, log: str, doing: str, *, started: bool, hint: str) -> BackendError:
    """The error for a worker that did not answer in time and was killed."""
    said, kind = tail(log), _sign(log)
    error = BackendError if started else BackendUnavailable
    return error(f"renderer 'isaac': {doing}: no answer in {seconds:g} s, the worker was killed{f' ({said})' if said else ''}; "
                 f"if the machine is only slow, raise {hint}{f'; else {KINDS[kind]}' if kind else ''}")


def _sign(log: str) -> str | None:
    """The kind of failure that a log speaks of."""
    return next((kind for kind, sign in _SIGNS if re.search(sign, log)), None)


def tail(log: str) -> str:
    """The last lines that say something, as one."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return _one_line(" | ".join(lines[-TAIL_LINES:]))[-TAIL_CHARACTERS:]


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


__all__ = ["KINDS", "UNAVAILABLE", "of_answer", "of_exit", "of_time", "tail"]
