"""What ``linetwin line …`` does: run a line by itself, without a picture, and leave everything that it says behind."""
from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenes.errors import InputError, SceneError

if TYPE_CHECKING:
    from scenes.line.model import Line
    from scenes.machines.model import Fault

Progress = Callable[[int, int, str], None] | None


def run_line(source: Path, out: Path, *, hours: float, seed: int, languages: str, channels: bool, messages: bool, inspect: bool,
             progress: Progress) -> tuple[dict[str, Any], str]:
    """Run the line of a scene, or the scenario of a recipe, and write its history.

    OUT/ holds the run's tables, ``found.parquet``, ``log.parquet``, ``channels.parquet`` (sensors of 1 Hz, where there are any),
    ``messages.ndjson`` (CFX) and ``report/index.html``. What an older run left of these is replaced or removed.
    """
    from domain_randomization.recipe import Recipe
    from domain_randomization.sampling import find_family
    from domain_randomization.story import tell, write_told
    from generators.events.cfx import messages as told
    from generators.events.cfx import write as write_messages
    from generators.events.channels import ChannelFile, write_channels
    from generators.events.found import defects_by_unit
    from generators.inspect.line import run_sections
    from generators.inspect.line_checks import run_checks
    from generators.reports import Report
    from generators.traces.readings import all_hours
    from linetwin.document_commands import languages_of
    from scenes.scene import Scene

    if _is_recipe(source):
        recipe = Recipe.read(source)
        if recipe.scenario is None:
            raise SceneError(f"{source}: a recipe without 'scenario:'; give a scene, or a recipe with one")
        scene = Scene.read(recipe.scene)
    else:
        scene = Scene.read(source)
        asked = {"scene": str(source), "count": 1, "seed": seed,
                 "scenario": {"hours": hours, "languages": languages_of(languages)}}
        recipe = Recipe.parse(json.dumps(asked), Path("options"))          # checked like any recipe, with the same messages
    family = find_family(scene)
    story = tell(scene, recipe, family, family.product(scene), None if progress is None else
                 lambda made, units: progress(made, units, "the line runs"), inspect=inspect)
    run = story.living.run
    write_told(story, out, recipe.clock.start)
    slow = tuple(s for s in run.line.sensors if s.rate == 1.0)             # the table has one clock
    for name in ("channels.parquet", "messages.ndjson"):
        (out / name).unlink(missing_ok=True)
    if channels and slow:
        whole = math.ceil(run.duration / 3600)

        def hours_told() -> Any:
            for k, chunk in enumerate(all_hours(run, slow, recipe.seed), 1):
                yield chunk
                if progress is not None:
                    progress(k, whole, "channels")

        write_channels(out, run.line, hours_told(), slow)
    count = 0
    if messages:
        readings = ChannelFile(out) if channels and slow else None
        try:
            count = write_messages(out / "messages.ndjson", told(run, story.outcomes, recipe.clock.start, readings=readings,
                                                                 setpoints=_setpoints(run.line)))
        finally:
            if readings is not None:
                readings.close()
    report = Report(f"The line: {run.line.path}", run_checks(run), facts={"scene": str(scene.path), "seed": str(recipe.seed)},
                    sections=run_sections(run, story.found, story.log, recipe.seed, story.calls))
    report.write(out / "report")
    defects = defects_by_unit(story.found, len(run.start))
    result = {"out": str(out), "hours": run.duration / 3600, "units": len(run.start), "defective": int((defects > 0).sum()),
              "events": len(run.events), "entries": len(story.log),
              "calls": len(story.calls or ()), "messages": count,
              "channels": len(slow) if channels else 0, "channels_of_other_rates": len(run.line.sensors) - len(slow),
              "report": str(out / "report" / "index.html")}
    return result, "\n".join(f"{k}: {v}" for k, v in result.items())


def _setpoints(line: Line) -> dict[str, float]:
    """What the ovens of a line are set to, by channel: zones [°C] and belt [m/s]."""
    from scenes.line.couplings import SETPOINTS
    from scenes.smt.oven import Oven

    found: dict[str, float] = {}
    for oven in (s.station for s in line.stations if s.kind == "reflow"):
        found |= {f"{oven}/zone{n}/temperature": level for n, level in enumerate(SETPOINTS, 1)}
        found[f"{oven}/conveyor/speed"] = Oven().speed / 60
    return found


def run_serve(folder: Path, to: str, *, host: str, port: int | None, speed: float, begin: float, truth: bool,
              progress: Progress) -> dict[str, Any]:
    """Replay a run to an OPC UA server of ours or to an MQTT broker, until it ends or is interrupted."""
    import sys

    from domain_randomization.recipe import Clock
    from generators.events.channels import ChannelFile
    from generators.events.live import PORTS, serve
    from generators.events.tables import read_outcomes, read_run, read_start

    if to not in PORTS:
        raise InputError(f"--to {to}: is not a kind of server; known: {', '.join(PORTS)}")
    run = read_run(folder)
    readings = ChannelFile(folder) if (folder / "channels.parquet").exists() else None
    start = read_start(folder) or Clock().start
    try:
        shown = serve(run, to, start, readings=readings, outcomes=read_outcomes(folder), host=host, port=port,
                      speed=speed, begin=begin, truth=truth, ready=lambda url: print(f"live at {url}", file=sys.stderr),
                      progress=None if progress is None else lambda at, end: progress(round(at), round(end), "live"))
    finally:
        if readings is not None:
            readings.close()
    return {"run": str(folder), "moments": shown}


def run_record(machine: Path, out: Path, *, seconds: float, seed: int, faults: Sequence[str]) -> tuple[dict[str, Any], str]:
    """Record a machine. ``faults`` are ``kind=severity`` or ``kind@place=severity`` and replace those of the file."""
    import numpy as np

    from generators.reports.machine import save_record
    from generators.traces.machine_record import record
    from scenes.machines.machine import Machine

    made = record(Machine.read(machine), seconds, np.random.default_rng(seed), faults=[_fault(f) for f in faults] or None)
    save_record(made, out)
    result = {"out": str(out), "seconds": seconds, "channels": len(made.traces), "report": str(out / "index.html")}
    return result, "\n".join(f"{k}: {v}" for k, v in result.items())


def _fault(text: str) -> Fault:
    """Of a command line. Raises InputError."""
    from scenes.machines.model import Fault

    name, _, severity = text.partition("=")
    kind, _, place = name.partition("@")
    try:
        return Fault(kind, float(severity), place)
    except ValueError:
        raise InputError(f"--fault {text}: is not kind=severity; write for example bearing_outer@drive_end=0.4") from None


def _is_recipe(path: Path) -> bool:
    """A recipe names a scene; a scene has stations. Neither is checked here."""
    from scenes.scene import STAGES
    from scenes.yaml_file import mapping, read_text

    if path.suffix.lower() in STAGES:
        return False
    try:
        data = mapping(read_text(path, "a scene or a recipe", SceneError), path, "a scene or a recipe", SceneError, "give one")
    except SceneError:
        return False                           # whoever reads it says what is wrong
    return "scene" in data and "stations" not in data


__all__ = ["run_line", "run_record", "run_serve"]
