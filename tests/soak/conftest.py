"""The toy line of tests/domain_randomization, for long checks."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "domain_randomization"))

from toy_line import plugins, toy

__all__ = ["plugins", "toy"]
