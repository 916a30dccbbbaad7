"""Does ``api.json`` still say what the reference digest says? python tests/standin/check_api.py REFERENCE

The reference (replicator_api.json: what was read in NVIDIA's wheels, documentation and repositories) is not part of this
repository. Prints one line per difference; exit code 1 if there is one.
"""
from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

OURS = Path(__file__).with_name("api.json")
LEFT_OUT = {"layout", "schema"}                # files on disk, and what pxr itself offers
SINCE = {"": "", "4.5": "4.5", "1.11": "4.5", "1.11.x+": "4.5", "1.12": "5.0", "5.0": "5.0", "5.x": "5.0", "5.x/6.x": "5.0",
         "1.12 (5.x), documented path in 6.x": "5.0", "5.0 (deprecated 6.0)": "5.0", "6.0": "6.0", "6.2": "6.2"}
BETTER = {                                     # where ours is finer than the digest's column "since", and why
    "isaacsim.SimulationApp.launch_config": "the notes say which keys are of 6.x; the others were there before",
    "omni.replicator.core.orchestrator.step": "only the keyword wait_for_render is of 6.x",
    "omni.replicator.core.open_stage": "", "carb.settings:/exts/omni.replicator.core/enableWriteToFabric": "the notes say 6.x"}


def word(confidence: str) -> str:
    """One of four words for the digest's sentence. What is recalled in part counts as recalled."""
    if "recalled" in confidence:
        return "recalled"
    return next((w for w in ("tried", "observed-call", "read") if confidence.startswith(w)), "read")


def differences(ours: dict[str, Any], reference: dict[str, Any]) -> list[str]:
    """What does not fit, one line each."""
    known = {(e["module"], e["name"]): e for e in reference["entries"]}
    out, used = [], set()
    for row in ours["entries"]:
        key = tuple(row.get("digest", ()))
        if not key:
            if row["confidence"] not in ("observed-call", "recalled"):
                out.append(f"{row['name']}: not in the digest, yet called {row['confidence']}")
            continue
        if key not in known:
            out.append(f"{row['name']}: the digest has no entry {' '.join(key)}")
            continue
        used.add(key)
        entry = known[key]
        text = f"{entry['signature']} {entry['notes']}"
        for p in row.get("parameters", []):
            if p.get("only") not in ("rest", "position") and not _named(p["name"], text):
                out.append(f"{row['name']}: parameter {p['name']} is not in the digest")
            elif "default" in p and p["default"] not in ([], [1.0, 1000000.0], [1, 1, 1]) and not _default(p, text):
                out.append(f"{row['name']}: default {p['name']}={p['default']!r} is not in the digest")
        if row["confidence"] != word(entry["confidence"]):
            out.append(f"{row['name']}: called {row['confidence']}, the digest says {entry['confidence']}")
        since = SINCE.get(entry["since"])
        if row["name"] not in BETTER and since != row.get("since", ""):
            out.append(f"{row['name']}: since {row.get('since', '')!r}, the digest says {entry['since']!r}")
    out += [f"{' '.join(key)}: in the digest and not in ours" for key, e in known.items()
            if key not in used and e["kind"] not in LEFT_OUT]
    return out


def _named(name: str, text: str) -> bool:
    """The digest also writes ``prim(s)``, and ``position_x/y/z``."""
    return bool(re.search(rf"\b{name}\b", text)) or f"{name.rstrip('s')}(s)" in text or f"{name[:-1]}x/y/z" in text


def _default(parameter: dict[str, Any], text: str) -> bool:
    """``name=value``, ``name: type=value`` or, in the list of launch options, ``name(value)``."""
    name, value = re.escape(parameter["name"]), parameter["default"]
    forms = {repr(value), *([f"{value:g}"] if isinstance(value, float) else [])}
    return any(re.search(rf"\b{name}\b(/\w+)?(:[^,=]*|)(=|\(){re.escape(form)}", text) for form in forms)


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__.splitlines()[0])
        return 2
    found = differences(json.loads(OURS.read_text()), json.loads(Path(sys.argv[1]).read_text()))
    print("\n".join(found) or "no differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
