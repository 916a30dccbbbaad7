"""A strict stand-in for NVIDIA's Isaac Sim and Omniverse Replicator, for tests of a worker on machines without an RTX GPU.

For: running worker code whole, in a real child process that has ``tests/standin`` on PYTHONPATH. The names, keywords and
orders are those of ``api.json``; whatever is not in it raises. Pictures are cast from the USD stage alone (embree).
Not for: telling whether NVIDIA's program accepts a call, or what its pixels look like.
May import: numpy, pxr, embreex, pillow. Never a room of linetwin: it stands for another company's program, and refuses
their import in its process.

Environment:
    LINETWIN_STANDIN_VERSION   Isaac Sim version whose names are offered: 6.2 (default) … 5.0
    LINETWIN_STANDIN_FAULTS    comma-separated faults, see faults.py
    LINETWIN_STANDIN_CALLS     a file that gets one JSON line per call: {"name", "confidence", "keywords"}
    OMNI_KIT_ACCEPT_EULA       as with Isaac Sim: without it the import asks on standard input

Start reading at api.py (strictness), then session.py (order of calls), scene.py and frame.py (pictures).
"""
from __future__ import annotations


def install_all(top: str) -> None:
    """Make the package ``top`` out of ``api.json``, with what there is behind it."""
    from importlib import import_module

    from twin_standin import api

    for name in {"isaacsim": ["app"], "omni": ["context", "products", "writers"], "carb": ["settings"]}[top]:
        import_module(f"twin_standin.{name}")  # each says what it implements; pxr comes after the application
    api.install(top)
