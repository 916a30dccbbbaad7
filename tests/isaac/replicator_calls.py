"""Which names of Replicator a piece of Python uses, and with which keywords: by its syntax tree, nothing is run.

A name is followed from its import: ``import omni.replicator.core as rep`` makes ``rep.create.render_product`` the name
``create.render_product``. Methods of objects (``writer.attach``) have no import to follow; they are kept as ``.attach``.
"""
from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

CORE = "omni.replicator.core"
SAME = {"AnnotatorRegistry.get_annotator": "annotators.get", "WriterRegistry.get": "writers.get",
        "WriterRegistry.register": "writers.register_writer"}         # NVIDIA's own aliases of one function


@dataclass
class Calls:
    """Keywords by name, and the text constants that are given to each name first."""
    names: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    methods: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    given: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    texts: set[str] = field(default_factory=set)           # every text constant

    def add(self, other: Calls) -> None:
        for mine, theirs in ((self.names, other.names), (self.methods, other.methods), (self.given, other.given)):
            for name, found in theirs.items():
                mine[name] |= found
        self.texts |= other.texts


def calls_of(text: str) -> Calls:
    """Of one file; empty where it does not use Replicator. Text constants are kept in any case."""
    tree, found = ast.parse(text), Calls()
    known = _imports(tree)
    found.texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    constants = {t.id: n.value.value for n in ast.walk(tree) if isinstance(n, ast.Assign) for t in n.targets
                 if isinstance(t, ast.Name) and isinstance(n.value, ast.Constant) and isinstance(n.value.value, str)}
    if not known:
        return found
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and (name := _name(node, known)):
            found.names[SAME.get(name, name)]              # touch: it is used
        if not isinstance(node, ast.Call):
            continue
        keywords = {k.arg for k in node.keywords if k.arg}
        name = _name(node.func, known)
        if name:
            name = SAME.get(name, name)
            found.names[name] |= keywords
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.given[name].add(first.value)
            if isinstance(first, ast.Name) and first.id in constants:
                found.given[name].add(constants[first.id])
        elif isinstance(node.func, ast.Attribute):
            found.methods["." + node.func.attr] |= keywords
    return found


def calls_in(files: Iterable[Path]) -> Calls:
    """Of many files."""
    found = Calls()
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        found.add(calls_of(text))
    return found


def _imports(tree: ast.AST) -> dict[str, str]:
    """Local name → dotted name below ``omni.replicator.core`` ("" is the module itself)."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == CORE or alias.name.startswith(CORE + "."):
                    if alias.asname:
                        known[alias.asname] = alias.name[len(CORE):].lstrip(".")
                    else:
                        known["omni"] = "omni"             # the full name is spelled out
        elif isinstance(node, ast.ImportFrom) and node.module and (node.module + ".").startswith(CORE + "."):
            head = node.module[len(CORE):].lstrip(".")
            for alias in node.names:
                known[alias.asname or alias.name] = f"{head}.{alias.name}".lstrip(".")
    return known


def _name(node: ast.AST, known: dict[str, str]) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in known:
        return None
    full = ".".join([known[node.id], *reversed(parts)]).strip(".")
    if known[node.id] == "omni":
        if not full.startswith(CORE + "."):
            return None
        full = full[len(CORE) + 1:]
    return full or None
