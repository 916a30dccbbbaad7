"""Renderer ``isaac``: NVIDIA Isaac Sim and Omniverse Replicator, in a worker process with an interpreter of its own.

For: drawing the same recipes with RTX, with the same labels and layout as ``gl`` gives. Tested against a strict stand-in of
Replicator's interface, on machines without an RTX GPU; not yet run on one.
Not for: X-ray and infrared pictures, lens distortion; ``gl`` draws those.
May import: scenes, generators.render, generators.imaging, generators.masks. Never isaacsim or omni: those live in ``worker/``,
which in turn imports nothing of ours.
Promise: labels are a function of geometry and camera; colours differ a little from run to run, and ``build`` says so.
Start reading at messages.py (what the two say to each other), then renderer.py. Settings are in settings.py.
"""
from __future__ import annotations

from generators.render.isaac.renderer import IsaacRenderer, open
from generators.render.isaac.settings import Setup

__all__ = ["IsaacRenderer", "Setup", "open"]
