"""SimulationApp: the licence, the start with its failures, ticks, and the end."""
from __future__ import annotations

import atexit
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

from twin_standin.api import VERSION, StandInError, implements, signature, strict_methods
from twin_standin.faults import fault
from twin_standin.session import ROOMS, SESSION, our_rooms
from twin_standin.settings import assign, defaults

MODES = ("RealTimePathTracing", "PathTracing", "RaytracedLighting", "MinimalRendering")


def say(text: str) -> None:
    """A line of Kit's log: written by C to descriptor 1, whatever Python's ``sys.stdout`` is."""
    os.write(1, (text + "\n").encode())


def ask_for_the_licence() -> None:
    """What importing ``isaacsim`` does without OMNI_KIT_ACCEPT_EULA: it reads standard input."""
    loaded = our_rooms()
    if loaded:
        raise StandInError(f"{', '.join(loaded)} of linetwin are loaded in Isaac Sim's process; the worker must stand alone")
    if not any(isinstance(finder, _NoRooms) for finder in sys.meta_path):
        sys.meta_path.insert(0, _NoRooms())
    if os.environ.get("OMNI_KIT_ACCEPT_EULA", "").lower() in ("y", "yes", "1"):
        return
    sys.stdout.write("By using this software you agree to the licence. Do you accept the EULA? (Yes/No): ")
    sys.stdout.flush()
    answer = sys.stdin.readline()
    if not answer:
        sys.exit("Unable to bootstrap inner kit kernel: EULA not accepted, set OMNI_KIT_ACCEPT_EULA=YES")
    if answer.strip().lower() not in ("y", "yes", "1"):
        sys.stdout.write("The licence was not accepted.\n")
        sys.exit(0)


def needs_an_application(name: str) -> None:
    """omni and carb can be imported once the application runs, not earlier."""
    if SESSION.launch is None:
        raise ModuleNotFoundError(f"No module named {name!r} (construct isaacsim.SimulationApp first)", name=name)


class _NoRooms:
    """Refuses to import linetwin's rooms."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> None:
        if name.split(".")[0] in ROOMS:
            raise ImportError(f"{name}: linetwin is not installed in Isaac Sim's interpreter; the worker must stand alone")


@strict_methods("isaacsim.SimulationApp")
class SimulationApp:
    """The application. One per process."""
    __slots__ = ("_close_status",)

    def update(self) -> None:
        SESSION.running("SimulationApp.update")
        SESSION.ticks += 1

    def is_running(self) -> bool:
        return not SESSION.closed

    def is_exiting(self) -> bool:
        return SESSION.closed

    def set_setting(self, setting: str, value: Any) -> None:
        SESSION.running("SimulationApp.set_setting")
        assign(setting, value)

    def close(self, wait_for_replicator: bool = True, skip_cleanup: bool = False, exit_code: int = 0) -> None:
        """Ends the process here and now, unless fast_shutdown was turned off."""
        SESSION.running("SimulationApp.close")
        SESSION.may_close()
        SESSION.closed = True
        say("Simulation App Shutting Down")
        sys.stdout.flush()
        sys.stderr.flush()
        assert SESSION.launch is not None
        if SESSION.launch.get("fast_shutdown", True):
            os._exit(exit_code)


@implements("isaacsim.SimulationApp")
def simulation_app(launch_config: dict[str, Any] | None = None, experience: str = "") -> SimulationApp:
    if SESSION.launch is not None:
        raise StandInError("SimulationApp: there is one already; one per process")
    early = [name for name in ("pxr", "omni", "carb") if name in sys.modules]
    if early:
        raise StandInError(f"SimulationApp: {', '.join(early)} imported before it; Isaac Sim brings its own")
    launch = dict(launch_config or {})
    known = signature("isaacsim.SimulationApp.launch_config")
    assert known is not None
    unknown = sorted(set(launch) - set(known.parameters))
    if unknown:
        raise StandInError(f"SimulationApp: launch_config has no {', '.join(unknown)} in Isaac Sim {VERSION}; "
                           f"known: {', '.join(known.parameters)}")
    modes = MODES if VERSION >= "6" else ("PathTracing", "RaytracedLighting")
    if launch.get("renderer", modes[0]) not in modes:
        raise StandInError(f"SimulationApp: renderer {launch['renderer']!r}; known: {', '.join(modes)}")
    if not launch.get("headless", True):
        raise StandInError("SimulationApp: headless is False and there is no display")
    if experience and not os.path.isfile(experience):
        raise StandInError(f"SimulationApp: no experience file {experience}")
    SESSION.settings = defaults()
    for argument in launch.get("extra_args", []):
        if argument.startswith("--/"):
            name, _, value = argument[2:].partition("=")
            assign(name, _typed(value))
        elif argument not in ("--allow-root", "--no-window"):
            raise StandInError(f"SimulationApp: extra argument {argument!r} is not known here")
    say(f"[0.020s] Starting kit application with the following args: {['--no-window', *launch.get('extra_args', [])]}")
    _fail()
    SESSION.launch = launch
    say(f"[0.412s] [ext: omni.kit.async_engine-0.0.0] startup\n[1.870s] Isaac Sim {VERSION} stand-in is loaded")
    if launch.get("create_new_stage", True):
        from pxr import Usd

        SESSION.stage = Usd.Stage.CreateInMemory()
    return SimulationApp()


def _typed(text: str) -> bool | int | float | str:
    """A setting's value from the command line."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _fail() -> None:
    """The ways in which the start is known to fail."""
    slow = fault("slow-start")
    if slow is not None:
        time.sleep(slow)
    if fault("hang-start") is not None:
        time.sleep(1e6)
    if fault("exit55") is not None:
        say("Failed to solve some dependencies locally, syncing with extension registry...\n"
            f"No versions of isaacsim.anim.robot.schema that satisfies: isaacsim.exp.base-{VERSION} ...\n"
            "Exiting app because of dependency solver failure...")
        atexit.register(os._exit, 55)          # handlers that were registered earlier do not run, as with the real one
        raise SystemExit(1)
    if fault("exit139") is not None:
        os._exit(139)
    if fault("segfault") is not None:
        os.kill(os.getpid(), signal.SIGSEGV)
    if fault("no-gpu") is not None:            # the message is NVIDIA's; with what status it ends is not established
        os.write(2, b"[Error] [carb.graphics-vulkan.plugin] vkCreateInstance failed: ERROR_INCOMPATIBLE_DRIVER\n")
        os._exit(1)


__all__ = ["SimulationApp", "ask_for_the_licence", "needs_an_application", "say"]
