"""``linetwin bench``: what the tool costs, measured as a user would meet it, with a peer in the same run.

Whole commands are timed from outside (a process each), so nothing is warm that would not be. Ratios against pyrender come
from :mod:`linetwin.bench_renderers`, in turns, where pyrender is installed.
"""
from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from linetwin.bench_modalities import compare_modalities
from linetwin.bench_renderers import compare_renderers
from linetwin.demo import example
from scenes.errors import BackendError, InputError

_RECIPE = """\
linetwin: 1
scene: scene.yaml
seed: 7
count: {count}
shard_size: {shard}
frames: {{view: {view}, tiles: cycle, pixel_um: {pixel}, width: 1024, height: 1024}}
execution: {{recycle_shards: 0}}
"""


def default_board() -> Path:
    """ESP32-PoE rev M1 where LINETWIN_BOARDS has it, else the shipped board."""
    real = Path(os.environ.get("LINETWIN_BOARDS", "")) / "esp32_poe" / "rev_m1.kicad_pcb"
    return real if os.environ.get("LINETWIN_BOARDS") and real.is_file() else example("boards/inspector.kicad_pcb")


def run_bench(board: Path | None, *, frames: int, soak: bool) -> tuple[dict[str, Any], str]:
    """All figures, as JSON and as a table.

    Args:
        board: KiCad file; None takes :func:`default_board`.
        frames: Of the end-to-end run on two workers.
        soak: Also 2,000 frames by one worker, for the growth of its memory.
    """
    board = board or default_board()
    folder = Path(tempfile.mkdtemp(prefix="linetwin-bench-"))
    try:
        _command(["scene", "new", str(board), "-o", str(folder / "scene.yaml")])
        result: dict[str, Any] = {
            "machine": {"cores": len(os.sched_getaffinity(0)), "python": platform.python_version(),
                        "system": platform.platform()},
            "board": str(board.name),
            "import_s": import_seconds(),
            "first_sample_s": first_sample_seconds(folder),
            "generate": generate_rate(folder, frames, workers=2),
            "generate_one_worker": generate_rate(folder, max(frames // 2, 4), workers=1),
            "whole_board": generate_rate(folder, max(frames // 2, 4), workers=2, view="board", pixel=40),
            "renderers": compare_renderers(folder / "scene.yaml", frames=max(frames // 2, 4), peer_frames=max(frames // 15, 1),
                                           processes=(1, 2)),
            "modalities": compare_modalities(folder / "scene.yaml", max(frames // 2, 4)),
        }
        if soak:
            result["memory"] = memory_growth(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return result, _text(result)


def import_seconds(runs: int = 7) -> float:
    """Median time of ``import linetwin`` in a fresh interpreter [s]."""
    code = "import time; t = time.perf_counter(); import linetwin; print(time.perf_counter() - t)"
    timed = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(runs)]
    return statistics.median(float(run.stdout) for run in timed)


def first_sample_seconds(folder: Path) -> float:
    """From the command until the first sample is committed, two workers, a fresh target [s]."""
    recipe, out = folder / "first.yaml", folder / "first"
    recipe.write_text(_RECIPE.format(count=2, shard=1, view="tiles", pixel=20))
    begun = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "linetwin.cli", "generate", str(recipe), "-o", str(out),
                                "--workers", "2", "--json"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while not list((out / "data").glob("shard-*.parquet")) and process.poll() is None:
        time.sleep(0.02)
    took = time.perf_counter() - begun
    _, error = process.communicate()
    if process.returncode:
        raise BackendError(f"linetwin generate: ended with {process.returncode}; {error.decode().strip()[-300:]}")
    shutil.rmtree(out)
    return took


def generate_rate(folder: Path, frames: int, *, workers: int, view: str = "tiles", pixel: float = 20) -> dict[str, float]:
    """Frames per second committed, all labels, encoded. See :func:`steady_rate`; the rate with start-up is beside it."""
    shard = max(frames // (6 * workers), 1)
    recipe, out = folder / "rate.yaml", folder / "rate"
    recipe.write_text(_RECIPE.format(count=frames, shard=shard, view=view, pixel=pixel))
    begun = time.perf_counter()
    _command(["generate", str(recipe), "-o", str(out), "--workers", str(workers), "--json"])
    total = time.perf_counter() - begun
    events = [json.loads(line) for line in (out / "log" / "run.jsonl").read_text().splitlines()]
    shards = [e for e in events if e["event"] == "shard"]
    size = sum(p.stat().st_size for p in (out / "data").glob("*.parquet"))
    shutil.rmtree(out)
    return {"frames": frames, "workers": workers, "frames_per_s": steady_rate(events),
            "with_start_up_per_s": frames / total, "worker_rss_mb": max(e["rss"] for e in shards) / 1e6,
            "bytes_per_frame": size / frames}


def steady_rate(events: Sequence[Mapping[str, Any]]) -> float:
    """Frames per second that the workers of a run commit once they are warm, from the run's log.

    While Ray starts, the driver makes shards on its own; that is start-up. Steady is from the moment when the last worker
    has committed its first shard until the first worker has nothing left to do. Without Ray: from the first shard on.
    """
    driver = next(e["pid"] for e in events if e["event"] == "begin")
    shards = [e for e in events if e["event"] == "shard"]
    of: dict[int, list[Mapping[str, Any]]] = {}
    for event in shards:
        of.setdefault(event["pid"], []).append(event)
    if len(of) > 1:
        of.pop(driver, None)
    begin, end = max(made[0]["time"] for made in of.values()), min(made[-1]["time"] for made in of.values())
    if end <= begin:
        raise BackendError("bench: too few shards for a steady rate; ask for more --frames")
    rows = 0.0
    for made in of.values():
        for event in made:                     # a shard counts by the share of its making that lies within
            start = event["time"] - event["seconds"]
            rows += event["rows"] * max(min(event["time"], end) - max(start, begin), 0.0) / event["seconds"]
    return float(rows / (end - begin))


def memory_growth(folder: Path, frames: int = 2000) -> dict[str, float]:
    """Resident memory of one unrecycled worker over its second thousand frames [MB], between shards, its growth [%], and the
    peak over all frames."""
    recipe, out = folder / "memory.yaml", folder / "memory"
    recipe.write_text(_RECIPE.format(count=frames, shard=20, view="tiles", pixel=20))
    _command(["generate", str(recipe), "-o", str(out), "--workers", "1", "--json"])
    shards = [e for e in map(json.loads, (out / "log" / "run.jsonl").read_text().splitlines()) if e["event"] == "shard"]
    half = [e["resident"] for e in shards[len(shards) // 2:]]
    shutil.rmtree(out)
    first, last = statistics.mean(half[:5]), statistics.mean(half[-5:])
    return {"start_mb": first / 1e6, "end_mb": last / 1e6, "growth_percent": (last / first - 1) * 100,
            "peak_mb": max(e["rss"] for e in shards) / 1e6}


def _command(arguments: list[str]) -> None:
    run = subprocess.run([sys.executable, "-m", "linetwin.cli", *arguments], capture_output=True, text=True)
    if run.returncode == 2:
        raise InputError(run.stderr.strip().removeprefix("linetwin: "))
    if run.returncode:
        raise BackendError(f"linetwin {arguments[0]}: ended with {run.returncode}; {run.stderr.strip()[-300:]}")


def _text(result: dict[str, Any]) -> str:
    machine = result["machine"]
    lines = [f"{machine['cores']} cores, Python {machine['python']}, {machine['system']}; board {result['board']}",
             f"import linetwin          {result['import_s']:.3f} s", f"first sample committed   {result['first_sample_s']:.1f} s"]
    for key, name in (("generate", "1024² at 20 µm, 2 workers"), ("generate_one_worker", "1024² at 20 µm, 1 worker"),
                      ("whole_board", "whole board at 40 µm, 2 workers")):
        found = result[key]
        lines.append(f"{name:32s} {found['frames_per_s']:.2f} frames/s ({found['with_start_up_per_s']:.2f} with start-up), "
                     f"{found['worker_rss_mb']:.0f} MB per worker, {found['bytes_per_frame'] / 1e6:.2f} MB per frame")
    if "memory" in result:
        memory = result["memory"]
        lines.append(f"memory, frames 1,000 to 2,000: {memory['start_mb']:.0f} → {memory['end_mb']:.0f} MB "
                     f"({memory['growth_percent']:+.2f} %), peak {memory['peak_mb']:.0f} MB")
    both = result["modalities"]
    lines.append(f"colour, infrared and X-ray at 1024²  {both['all_ms']:.0f} ms CPU a sample, "
                 f"colour alone {both['rgb_ms']:.0f} ms: {both['ratio']:.2f} times")
    return "\n".join([*lines, *_renderer_lines(result["renderers"])])


def _renderer_lines(found: dict[str, Any]) -> list[str]:
    lines = []
    for key, rows in found.items():
        if not key.endswith("_processes"):
            continue
        for name in ("gl", "pyrender"):
            if name in rows:
                row = rows[name]
                rate = statistics.median(row["rates"])
                lines.append(f"rendering alone, {row['processes']} process(es), {name:9s} {rate:6.2f} frames/s, "
                             f"{row['cpu_ms']:5.0f} ms CPU per frame, {row['resident_mb']:.0f} MB")
        if "ratio" in rows:
            lines.append(f"  ratio {rows['ratio']['median']:.1f} ({rows['ratio']['low']:.1f}–{rows['ratio']['high']:.1f}), "
                         f"by CPU time {rows['ratio_cpu']:.1f}")
    edges = ", ".join(f"{k} {v:.2f}" for k, v in found["edges"].items())
    return [*lines, f"edges against 8 × 8 samples [sRGB codes]: {edges}"]


__all__ = ["default_board", "run_bench"]
