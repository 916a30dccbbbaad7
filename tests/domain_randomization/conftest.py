"""Fixtures of this folder; tests/soak uses them too."""
from toy_line import plugins, toy

__all__ = ["plugins", "toy"]
