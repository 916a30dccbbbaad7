"""Imports: what another tool wrote, as a Dataset. So far the output folders of Omniverse Replicator's writers.

    found = read_folder("_out_sdg")                       # names only: writer, events, cameras, annotators
    report = import_folder("_out_sdg", "data/imported")   # reads everything, writes a Dataset, or nothing at all
    Dataset.read("data/imported").inspect()

What the folder does not say is not invented: no severity, no physical cause, no board, no hidden pixels; the report names it.
The folder is untrusted: links are refused, sizes are bounded, nothing is unpickled. Start reading at layout.py, then
segmentation.py, then dataset.py.
"""
from __future__ import annotations

from typing import Any

__all__ = ["Found", "ImportReport", "import_folder", "read_folder"]

_HOME = {"Found": "layout", "read_folder": "layout", "ImportReport": "report", "import_folder": "dataset"}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(f"generators.imports.{_HOME[name]}"), name)
    raise AttributeError(f"module 'generators.imports' has no attribute '{name}'")
