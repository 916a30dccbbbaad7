"""machines: the rotating machines of a line, and a test rig, as their accelerometers know them.

Bearings are those whose defect orders are published (``bearings.CATALOGUE``). Modes, masses and forces are engineering
defaults, set so that a sound machine lies in zone A of ISO 10816-1 class I and the rig's levels come near the CWRU records
(domain reference 5.2: sound 0.073 g, seeded faults of 0.007 to 0.021 inch 0.3 to 0.7 g).
"""
from __future__ import annotations

import math

from generators.traces.bearings import CATALOGUE
from generators.traces.gears import Gear
from generators.traces.structure import Mode
from generators.traces.vibration import Knock, Machine

_LOW = (Mode(620.0, 0.04, 9.0, (0.8, 1.0, 0.4)), Mode(1400.0, 0.035, 5.0, (1.0, 0.5, 0.3)))

RIG = Machine("bearing rig", 1797 / 60, 6.0, (
    Mode(85.0, 0.05, 30.0, (1.0, 0.0, 0.0)), Mode(120.0, 0.05, 30.0, (0.0, 1.0, 0.0)), Mode(150.0, 0.05, 30.0, (0.0, 0.0, 1.0)),
    *_LOW, Mode(2800.0, 0.035, 0.2, (0.6, 1.0, 0.3)), Mode(3600.0, 0.04, 0.3, (1.0, 0.7, 0.5))),
    CATALOGUE["6205"], clearance=1.5, coupling=5.0, roughness=4e-4, ripple=5e-4)

BLOWER = Machine("zone blower", 2800 / 60, 3.0, (
    Mode(70.0, 0.06, 25.0, (1.0, 0.0, 0.0)), Mode(85.0, 0.06, 25.0, (0.0, 1.0, 0.0)), Mode(110.0, 0.06, 25.0, (0.0, 0.0, 1.0)),
    *_LOW, Mode(2800.0, 0.035, 2.0, (0.6, 1.0, 0.3)), Mode(3600.0, 0.04, 2.8, (1.0, 0.7, 0.5))),
    CATALOGUE["6205"], clearance=0.8, coupling=6.0, roughness=4e-3, ripple=1e-3)

_BELT, _LENGTH, _ROLLER, _MOTOR = 0.7 / 60, 8.0, 40e-3, 1400 / 60     # [m/s], [m] of chain, [m] roller, [Hz] of the gear motor

CONVEYOR = Machine("conveyor drive", _MOTOR, 1.0, (
    Mode(65.0, 0.06, 20.0, (1.0, 0.0, 0.0)), Mode(80.0, 0.06, 20.0, (0.0, 1.0, 0.0)), Mode(95.0, 0.06, 20.0, (0.0, 0.0, 1.0)),
    Mode(350.0, 0.05, 20.0, (0.6, 1.0, 0.3)), Mode(1400.0, 0.035, 8.0, (1.0, 0.5, 0.3)),
    Mode(2800.0, 0.035, 0.75, (0.6, 1.0, 0.3)), Mode(3600.0, 0.04, 1.0, (1.0, 0.7, 0.5))),
    CATALOGUE["6203"], coupling=0.5, gear=Gear(17, 0.8),
    knocks=(Knock(_BELT / _LENGTH / _MOTOR, 1.5e-4), Knock(_BELT / (math.pi * _ROLLER) / _MOTOR, 7e-5),
            Knock(_BELT / 12.7e-3 / _MOTOR, 5e-5)), roughness=5e-4, ripple=2e-3)
# splice of the chain, rollers, and links of half an inch

MACHINES = {m.name: m for m in (RIG, BLOWER, CONVEYOR)}

__all__ = ["BLOWER", "CONVEYOR", "MACHINES", "RIG"]
