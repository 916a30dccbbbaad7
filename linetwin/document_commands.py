"""What ``linetwin line documents`` does: manuals, spec sheets, an assembly drawing, and questions with checkable answers."""
from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scenes.errors import InputError


def languages_of(text: str) -> tuple[str, ...]:
    """What an option ``--languages`` asks for. Raises InputError."""
    wanted = tuple(text.split(","))
    if set(wanted) - {"en", "ko"}:
        raise InputError(f"--languages {text}: give en, ko or en,ko")
    return wanted


def run_documents(scene: Path, out: Path, *, languages: str, font: Path | None, seed: int) -> dict[str, Any]:
    """Write the documents of a scene.

    OUT/ holds ``<station>-manual.pdf`` and ``.md``, ``<station>-spec.pdf`` and ``.md``, ``questions.json``, and for
    surface-mount products ``assembly.png``, ``assembly.svg`` and ``assembly.json`` (what every callout points at).
    """
    from generators.dataset.shards import write_file
    from generators.text.manual import documents
    from generators.text.pdf import write
    from generators.text.questions import questions
    from scenes.scene import Scene

    wanted = languages_of(languages)
    read = Scene.read(scene)
    made = documents(read, languages=wanted)               # type: ignore[arg-type]  # checked above
    paths = write(made, out, font=font)
    asked = questions(made, font=font)
    write_file(out / "questions.json", json.dumps([asdict(q) for q in asked], ensure_ascii=False, indent=1) + "\n")
    result: dict[str, Any] = {"out": str(out), "documents": len(paths), "questions": len(asked)}
    if read.product.family == "smt":
        result["callouts"] = _drawing(read, out, seed)
    return result


def _drawing(scene: Any, out: Path, seed: int) -> int:
    """The assembly drawing of the side that is made; how many callouts it has."""
    import numpy as np
    from PIL import Image

    from domain_randomization.sampling import find_family
    from generators.dataset.shards import write_file
    from generators.text.drawing import assembly_drawing

    drawing = assembly_drawing(find_family(scene).product(scene).assembly, np.random.default_rng(seed))
    Image.fromarray(drawing.image).save(out / "assembly.png")
    write_file(out / "assembly.svg", drawing.svg)
    truth = {"scale_px_m": drawing.scale, "origin_px": drawing.origin, "callouts": [asdict(c) for c in drawing.callouts],
             "parts": [asdict(p) for p in drawing.parts]}
    write_file(out / "assembly.json", json.dumps(truth, ensure_ascii=False, indent=1) + "\n")
    return len(drawing.callouts)


__all__ = ["languages_of", "run_documents"]
