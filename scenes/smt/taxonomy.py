"""taxonomy: the 18 defects of surface-mount assembly, in their fixed order, and the part classes.

Severity levels are three ranges, mild to gross, in the SI unit of the defect; () where a defect is all or nothing. They
are engineering defaults within the ranges of the domain reference (2.1.4).

A modality is in ``hidden_from`` where the contrast against a golden twin is within the noise at every level, measured with the
instruments of the shipped scene (benchmarks/contrast.py, docs/contrast.md): a contrast-to-noise of 0.5 or less.
"""
from __future__ import annotations

from math import radians
from typing import get_args

from scenes.family import Defect, Taxonomy
from scenes.parts.model import PackageKind

UM, MM = 1e-6, 1e-3


def _degrees(*levels: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    return tuple((radians(a), radians(b)) for a, b in levels)


def _length(unit: float, *levels: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    return tuple((a * unit, b * unit) for a, b in levels)


DEFECTS = (
    Defect("missing", "Missing part"),
    Defect("shift", "Shifted part", "greatest side or end overhang", "m", _length(UM, (100, 250), (250, 450), (450, 900))),
    Defect("rotation", "Rotated part", "angle against the design", "rad", _degrees((5, 12), (12, 25), (25, 45))),
    Defect("tombstone", "Tombstone", "lift angle", "rad", _degrees((30, 50), (50, 70), (70, 90))),
    Defect("billboard", "Part on its side"),
    Defect("flipped", "Part upside down", hidden_from=("xray",)),        # from above; at 45° its coat shows faintly
    Defect("polarity", "Reversed polarity", hidden_from=("xray",)),      # so does its lead frame
    Defect("wrong_part", "Wrong part"),
    Defect("bridge", "Solder bridge", "width of the neck", "m", _length(UM, (60, 130), (130, 220), (220, 400))),
    Defect("insufficient", "Insufficient solder", "share of the nominal volume", "1", ((0.35, 0.5), (0.2, 0.35), (0.05, 0.2))),
    Defect("excess", "Excess solder", "multiple of the nominal volume", "1", ((1.5, 1.8), (1.8, 2.2), (2.2, 2.6))),
    Defect("cold_joint", "Cold joint", "surface roughness α", "1", ((0.2, 0.27), (0.27, 0.34), (0.34, 0.44))),
    Defect("head_in_pillow", "Head in pillow", "gap between ball and paste", "m", _length(UM, (1, 7), (7, 13), (13, 20)),
           ("rgb",)),
    Defect("bga_void", "Void in a BGA ball", "projected share of the ball", "1", ((0.25, 0.31), (0.31, 0.36), (0.36, 0.42)),
           ("rgb", "thermal")),
    Defect("lifted_lead", "Lifted lead", "gap under the lead", "m", _length(UM, (20, 80), (80, 160), (160, 300))),
    Defect("solder_ball", "Solder ball", "diameter", "m", _length(UM, (130, 180), (180, 240), (240, 300))),
    Defect("residue", "Flux residue or dirt", "greatest extent", "m", _length(MM, (1, 2), (2, 4), (4, 8)), ("xray",)),
    Defect("scratch", "Scratch", "distance between its ends", "m", _length(MM, (1, 3), (3, 8), (8, 20)), ("thermal", "xray")),
)

TAXONOMY = Taxonomy(DEFECTS, tuple(get_args(PackageKind)))

__all__ = ["DEFECTS", "TAXONOMY"]
