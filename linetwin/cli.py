"""The command line: ``linetwin …``. Thin: every command calls one function of a room and prints what it returns.

Exit codes: 0 success, 1 a gate or verdict failed, 2 bad input, 3 a backend is unavailable or failed, 4 storage,
5 inconclusive, 70 a bug of ours, 130 interrupted.
"""
from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from scenes.errors import LinetwinError, SceneError

# One thread per worker: set before any numerical library or GL driver is loaded.
for _name in ("LP_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")     # Arrow's own pool keeps some 80 MB that it has freed

app = typer.Typer(name="linetwin", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Digital twin of production lines and generator of labelled synthetic defect data.")
scene_app = typer.Typer(no_args_is_help=True, help="Author and look at scenes.")
app.add_typer(scene_app, name="scene")

line_app = typer.Typer(no_args_is_help=True, help="Run a line by itself: flow, wear, sensors, messages, log.")
app.add_typer(line_app, name="line")
machine_app = typer.Typer(no_args_is_help=True, help="Pumps, motors, fans and compressors by themselves.")
app.add_typer(machine_app, name="machine")

Json = Annotated[bool, typer.Option("--json", help="Machine-readable result on standard output.")]


def emit(result: dict[str, Any], as_json: bool, text: str | None = None) -> None:
    """Print a result: JSON, or the given text (default: one ``key: value`` line each)."""
    if as_json:
        typer.echo(json.dumps(result, indent=2, sort_keys=True, allow_nan=False))
    else:
        typer.echo(text if text is not None else "\n".join(f"{k}: {v}" for k, v in result.items()))


def progress_bar(as_json: bool) -> Any:
    """A progress callback ``f(done, total, note)`` for a terminal, or None where nobody looks."""
    if as_json or not sys.stderr.isatty():
        return None
    from linetwin.progress import Bar

    return Bar()


# ---------------------------------------------------------------------------------------------------------------- scene

@scene_app.command("new")
def scene_new(board: Annotated[Path, typer.Argument(help="a .kicad_pcb file, or a folder of Gerber and Excellon files")],
              out: Annotated[Path, typer.Option("--out", "-o", help="scene file to write")] = Path("scene.yaml"),
              side: Annotated[str, typer.Option(help="front or back")] = "front",
              centroid: Annotated[Path | None, typer.Option(help="pick-and-place CSV, for Gerber boards")] = None,
              bom: Annotated[Path | None, typer.Option(help="bill of materials CSV, for Gerber boards")] = None,
              force: Annotated[bool, typer.Option(help="overwrite")] = False, as_json: Json = False) -> None:
    """Start a scene from a board file: one AOI station over it, with a good light."""
    from linetwin.scene_commands import new_scene

    emit(new_scene(board, out, side=side, centroid=centroid, bom=bom, force=force), as_json)


@scene_app.command("import")
def scene_import(board: Annotated[Path, typer.Argument(help="board file or folder")],
                 centroid: Annotated[Path | None, typer.Option()] = None, bom: Annotated[Path | None, typer.Option()] = None,
                 as_json: Json = False) -> None:
    """Read a board and say what is on it: layers, components by package, what was not understood."""
    from linetwin.scene_commands import describe_board, summary_text

    result = describe_board(board, centroid=centroid, bom=bom)
    emit(result, as_json, summary_text(result))


@scene_app.command("check")
def scene_check(scene: Annotated[Path, typer.Argument(help="scene YAML, or the line.usda of a stage")],
                stage: Annotated[bool, typer.Option(help="check the OpenUSD stage as well")] = True,
                as_json: Json = False) -> None:
    """Check a scene: files, board, packages, cameras, acceptance profile, and its OpenUSD stage."""
    from linetwin.scene_commands import check_scene, check_text

    found = check_scene(scene, stage=stage)
    emit(found, as_json, check_text(found))


@scene_app.command("usd")
def scene_usd(scene: Annotated[Path, typer.Argument()],
              out: Annotated[Path, typer.Option("--out", "-o", help="folder; its line.usda is the stage")] = Path("stage"),
              states: Annotated[str, typer.Option(help="variants of the unit: 'bridge,missing', all or none")] = "",
              machines: Annotated[bool, typer.Option(help="with the machines of the line")] = True,
              as_json: Json = False) -> None:
    """Write the scene as an OpenUSD stage: the line, its stations with cameras and lamps, and a unit at each that looks."""
    from linetwin.stage_commands import write_usd

    emit(write_usd(scene, out, states=states, machines=machines), as_json)


@scene_app.command("preview")
def scene_preview(scene: Annotated[Path, typer.Argument()],
                  out: Annotated[Path, typer.Option("--out", "-o", help="PNG to write")] = Path("preview.png"),
                  pixel_um: Annotated[float | None, typer.Option(help="pixel size; default the camera's")] = None,
                  modality: Annotated[str, typer.Option(help="rgb, thermal or xray")] = "rgb",
                  of: Annotated[str, typer.Option(help="product, line (all machines) or cameras (what each sees)")] = "product",
                  station: Annotated[str | None, typer.Option(help="with --of line: this machine alone, larger")] = None,
                  renderer: Annotated[str, typer.Option()] = "gl", as_json: Json = False) -> None:
    """A healthy unit, the whole product in one picture, as the first station with that instrument sees it; or the line."""
    from linetwin.line_preview import preview_cameras, preview_line
    from linetwin.scene_commands import preview

    if of == "line":
        emit(preview_line(scene, out, station=station), as_json)
    elif of == "cameras":
        emit(preview_cameras(scene, out, renderer=renderer), as_json)
    elif of == "product":
        emit(preview(scene, out, pixel_um=pixel_um, renderer=renderer, modality=modality), as_json)
    else:
        raise SceneError(f"--of {of}: not one of product, line, cameras")


@scene_app.command("schema")
def scene_schema(kind: Annotated[str, typer.Argument(help="scene, recipe or acceptance")] = "scene") -> None:
    """Print a JSON Schema for editors."""
    from linetwin.scene_commands import schema

    typer.echo(json.dumps(schema(kind), indent=2, sort_keys=True))


# ----------------------------------------------------------------------------------------------------------------- line

@line_app.command("run")
def line_run(source: Annotated[Path, typer.Argument(help="scene YAML, or a recipe with a scenario")],
             out: Annotated[Path, typer.Option("--out", "-o", help="folder for the history and its report")] = Path("line"),
             hours: Annotated[float, typer.Option(min=0.01, help="of production; a recipe has its own")] = 24.0,
             seed: Annotated[int, typer.Option(min=0, help="a recipe has its own")] = 0,
             languages: Annotated[str, typer.Option(help="of what people write: en, ko or en,ko")] = "en",
             channels: Annotated[bool, typer.Option(help="write the slow sensors, second by second")] = True,
             messages: Annotated[bool, typer.Option(help="write the CFX messages")] = True,
             inspect: Annotated[bool, typer.Option(help="let SPI, AOI and AXI judge every unit")] = True,
             as_json: Json = False) -> None:
    """Let a line work: units, stops, wear, what sensors read, what machines and people say. Renders nothing."""
    from linetwin.line_commands import run_line

    result, text = run_line(source, out, hours=hours, seed=seed, languages=languages, channels=channels, messages=messages,
                            inspect=inspect, progress=progress_bar(as_json))
    emit(result, as_json, text)


@line_app.command("documents")
def line_documents(scene: Annotated[Path, typer.Argument()],
                   out: Annotated[Path, typer.Option("--out", "-o")] = Path("documents"),
                   languages: Annotated[str, typer.Option(help="en, ko or en,ko")] = "en",
                   font: Annotated[Path | None, typer.Option(help="TrueType file; Korean needs one that has it")] = None,
                   seed: Annotated[int, typer.Option(min=0, help="of what the callouts are about")] = 0,
                   as_json: Json = False) -> None:
    """Manuals and spec sheets of every station (PDF, Markdown), the assembly drawing, questions with checkable answers."""
    from linetwin.document_commands import run_documents

    emit(run_documents(scene, out, languages=languages, font=font, seed=seed), as_json)


@line_app.command("serve")
def line_serve(run: Annotated[Path, typer.Argument(help="folder that 'linetwin line run' has written")],
               to: Annotated[str, typer.Option(help="opcua: listen as a server; sparkplug: publish to an MQTT broker")] = "opcua",
               host: Annotated[str, typer.Option(help="where to listen, or where the broker is")] = "127.0.0.1",
               port: Annotated[int | None, typer.Option(min=0, max=65535, help="default 4840 or 1883; 0: any (opcua)")] = None,
               speed: Annotated[float, typer.Option(min=0.001, help="seconds of the run in a second")] = 1.0,
               begin: Annotated[float, typer.Option(min=0, help="where in the run to begin [s]")] = 0.0,
               truth: Annotated[bool, typer.Option(help="show how far drifts have gone; a model must not see it")] = False,
               as_json: Json = False) -> None:
    """Replay a run live, every value marked as simulated. Ends with the run, or with Ctrl-C. Needs linetwin[live]."""
    from linetwin.line_commands import run_serve

    emit(run_serve(run, to, host=host, port=port, speed=speed, begin=begin, truth=truth, progress=progress_bar(as_json)), as_json)


@machine_app.command("record")
def machine_record(machine: Annotated[Path, typer.Argument(help="machine YAML, see examples/machines")],
                   out: Annotated[Path, typer.Option("--out", "-o", help="folder for traces and plots")] = Path("record"),
                   seconds: Annotated[float, typer.Option(min=0.1, max=600)] = 10.0,
                   seed: Annotated[int, typer.Option(min=0)] = 0,
                   fault: Annotated[list[str] | None, typer.Option(help="instead of the file's: kind=severity, or "
                                                                   "kind@bearing=severity")] = None,
                   as_json: Json = False) -> None:
    """Record every channel of a machine: vibration, sound, pressure, flow, temperature, current, with the truth beside them."""
    from linetwin.line_commands import run_record

    result, text = run_record(machine, out, seconds=seconds, seed=seed, faults=fault or [])
    emit(result, as_json, text)


# ----------------------------------------------------------------------------------------------------------------- data

@app.command()
def generate(recipe: Annotated[Path, typer.Argument(help="recipe YAML")],
             out: Annotated[Path, typer.Option("--out", "-o", help="dataset folder; resumed if it exists")] = Path("dataset"),
             workers: Annotated[int | None, typer.Option(help="Ray workers; 0: in this process; default one per core")] = None,
             renderer: Annotated[str, typer.Option(help="gl, pyrender or isaac")] = "gl",
             address: Annotated[str | None, typer.Option(help="a running Ray cluster, e.g. ray://head:10001 or auto")] = None,
             plan: Annotated[bool, typer.Option("--plan", help="print counts, time and disk; render nothing")] = False,
             as_json: Json = False) -> None:
    """Generate a dataset from a recipe. Run again on the same target to resume."""
    from linetwin.data_commands import run_generate, run_plan

    if plan:
        result, text = run_plan(recipe)
        emit(result, as_json, text)
        return
    emit(run_generate(recipe, out, workers=workers, renderer=renderer, address=address, progress=progress_bar(as_json)),
         as_json)


@app.command()
def inspect(dataset: Annotated[Path, typer.Argument()],
            limit: Annotated[int | None, typer.Option(help="look at the first N samples only")] = None,
            as_json: Json = False) -> None:
    """The dataset gate: label invariants, coverage, duplicates, leaks, unreadable bytes; writes an HTML report."""
    from linetwin.data_commands import run_inspect

    result, text, code = run_inspect(dataset, limit=limit, progress=progress_bar(as_json))
    emit(result, as_json, text)
    raise typer.Exit(code)


@app.command()
def export(dataset: Annotated[Path, typer.Argument()],
           format: Annotated[str, typer.Option("--format", "-f", help="coco, yolo, mvtec, hf, kitti, webdataset, changenet, "
                                                 "replicator, or mp4 for clips")],
           out: Annotated[Path, typer.Option("--out", "-o")],
           as_json: Json = False) -> None:
    """Export a dataset to another format."""
    from linetwin.data_commands import run_export

    result, text = run_export(dataset, format, out, progress=progress_bar(as_json))
    emit(result, as_json, text)


@app.command("import")
def import_(folder: Annotated[Path, typer.Argument(help="output folder of Replicator's BasicWriter, CosmosWriter or PoseWriter")],
            out: Annotated[Path, typer.Option("--out", "-o", help="dataset folder, new or empty")],
            format: Annotated[str, typer.Option(help="replicator or auto")] = "auto",
            name: Annotated[str, typer.Option(help="of the dataset; default the folder's")] = "",
            license: Annotated[str, typer.Option(help="SPDX name of the pictures' licence")] = "unknown",
            split: Annotated[str, typer.Option(help="train, val or test: where everything goes")] = "train",
            defect: Annotated[list[str] | None, typer.Option(help="a class that is a defect; repeatable")] = None,
            merged: Annotated[str, typer.Option(help="labels 'palette,stack': keep, first or last")] = "keep",
            taxonomy: Annotated[str, typer.Option(help="whose labels are the classes, where objects have several")] = "class",
            rate_hz: Annotated[float | None, typer.Option(help="frames per second of clips")] = None,
            strict: Annotated[bool, typer.Option("--strict", help="refuse mappings that name ids without a pixel")] = False,
            as_json: Json = False) -> None:
    """Import another tool's output as a dataset: what is there, and a list of what is not."""
    from linetwin.data_commands import run_import

    result, text = run_import(folder, out, format=format, name=name, license=license, split=split, defects=defect or [],
                              merged=merged, taxonomy=taxonomy, rate_hz=rate_hz, strict=strict, progress=progress_bar(as_json))
    emit(result, as_json, text)


# ---------------------------------------------------------------------------------------------------------------- model

@app.command()
def train(dataset: Annotated[Path, typer.Argument()],
          out: Annotated[Path, typer.Option("--out", "-o", help="model folder; an existing one is resumed")] = Path("model"),
          epochs: Annotated[int, typer.Option(min=1)] = 12, seed: Annotated[int, typer.Option(min=0)] = 0,
          shuffle_labels: Annotated[bool, typer.Option(help="one run of the control, see 'linetwin control'")] = False,
          as_json: Json = False) -> None:
    """Train the compact image model on component crops."""
    from linetwin.model_commands import run_train

    emit(run_train(dataset, out, epochs=epochs, seed=seed, shuffle_labels=shuffle_labels, progress=progress_bar(as_json)),
         as_json)


@app.command()
def control(dataset: Annotated[Path, typer.Argument(help="what the model was trained on")],
            units: Annotated[Path, typer.Option(help="fresh units: the folder 'units' that validate leaves")],
            out: Annotated[Path, typer.Option("--out", "-o", help="report and models; run again to resume")] = Path("control"),
            seeds: Annotated[int, typer.Option(min=2, help="shuffled runs")] = 8,
            epochs: Annotated[int, typer.Option(min=1)] = 12, as_json: Json = False) -> None:
    """The control: train on shuffled labels with several seeds; the mean AUROC on fresh units must be that of chance."""
    from linetwin.model_commands import run_control

    result, text, code = run_control(dataset, units, out, seeds=seeds, epochs=epochs, progress=progress_bar(as_json))
    emit(result, as_json, text)
    raise typer.Exit(code)


@app.command()
def validate(model: Annotated[Path, typer.Argument()],
             scene: Annotated[Path, typer.Option(help="scene YAML")],
             out: Annotated[Path, typer.Option("--out", "-o")] = Path("verdict"),
             units: Annotated[int, typer.Option(min=10, help="fresh units to run")] = 320,
             seed: Annotated[int, typer.Option(min=0, help="seed of the fresh stream; never the training set's")] = 1001,
             recipe: Annotated[Path | None, typer.Option(help="recipe that shapes the stream; default the model's own")] = None,
             renderer: Annotated[str, typer.Option(help="gl, pyrender or isaac")] = "gl",
             allow_drift: Annotated[bool, typer.Option("--allow-drift", help="judge although the scene around the product, pixel "
                                    "size, renderer or version is not the training data's; the report names it")] = False,
             workers: Annotated[int | None, typer.Option()] = None, as_json: Json = False) -> None:
    """The virtual line test: run a model over fresh units of the scene and give a verdict."""
    from linetwin.model_commands import run_validate

    result, text, code = run_validate(model, scene, out, units=units, seed=seed, recipe=recipe, renderer=renderer,
                                      allow_drift=allow_drift, workers=workers, progress=progress_bar(as_json))
    emit(result, as_json, text)
    raise typer.Exit(code)


@app.command()
def demo(out: Annotated[Path, typer.Option("--out", "-o")] = Path("build/demo"),
         samples: Annotated[int, typer.Option(min=352, help="the demo recipe's quotas need 352")] = 352,
         units: Annotated[int, typer.Option(min=10)] = 300,
         workers: Annotated[int | None, typer.Option()] = None, as_json: Json = False) -> None:
    """The whole chain on the shipped board: import, generate, inspect, train, validate."""
    from linetwin.demo import run_demo

    result, text, code = run_demo(out, samples=samples, units=units, workers=workers, as_json=as_json)
    emit(result, as_json, text)
    raise typer.Exit(code)


@app.command()
def bench(board: Annotated[Path | None, typer.Option(help="board file; default ESP32-PoE in LINETWIN_BOARDS, else ours")] = None,
          frames: Annotated[int, typer.Option(min=4)] = 120, quick: Annotated[bool, typer.Option(help="a short run")] = False,
          soak: Annotated[bool, typer.Option(help="2,000 frames for the memory figure")] = False, as_json: Json = False) -> None:
    """Throughput, memory and start-up, against pyrender where it is installed."""
    from linetwin.bench import run_bench

    result, text = run_bench(board, frames=8 if quick else frames, soak=soak)
    emit(result, as_json, text)


def fail(message: str, code: int) -> NoReturn:
    """Print an error and leave with its exit code."""
    sys.stderr.write(f"linetwin: {message}\n")
    raise SystemExit(code)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. Every error that we raise on purpose is one line and an exit code, never a traceback."""
    try:
        code = app(args=arguments, prog_name="linetwin", standalone_mode=False)
    except typer.Abort:
        fail("interrupted; what was committed stays, run the same command again to resume", 130)
    except typer.TyperException as usage:
        message = usage.format_message() if hasattr(usage, "format_message") else str(usage)
        if not message:                        # the help was shown: nothing was asked for
            raise SystemExit(2) from None
        fail(f"{message.rstrip('.')}; see 'linetwin --help'", 2)
    except LinetwinError as error:
        fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        fail("interrupted; what was committed stays, run the same command again to resume", 130)
    except OSError as error:
        fail(f"{error.filename or ''}: {error.strerror or error}; check the path and the disk", 4)
    except Exception:
        traceback.print_exc()
        fail("unexpected error: a bug of ours; please report the lines above with the command that you ran", 70)
    raise SystemExit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
