"""inspection: what SPI, AOI and AXI machines report of a unit: the acceptance rules, applied to what the machine sees.

A machine measures the true state with errors that follow from its instrument, is blind to what its light or rays cannot show,
and then judges by the same profile as the truth. What it reports and no rule finds is a false call; what a rule finds and it
does not report is an escape. Lamps, tubes and lenses that age change the errors, and with them calls and escapes. They never
change the unit.

Edges are located with the Cramér–Rao bound of a step edge of contrast C, blurred by σ, in noise σ_n on pixels of size p,
averaged over N rows: σ_x² = 2√π σ p σ_n² / (C² N). Defocus blurs by NA·|dz|/2, as in ``generators/imaging``. A line of width w
keeps erf(w / (2√2 σ)) of its contrast. Numbers without a source are engineering defaults of a common machine, set so that a
healthy AOI makes about a thousand false calls per million opportunities (domain reference 6.3).
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scenes.errors import RecipeError
from scenes.family import Call
from scenes.smt.acceptance import defects, void_share
from scenes.smt.layout import layout as layout_of
from scenes.smt.profile import Profile
from scenes.smt.reflow import ROUGHNESS
from scenes.smt.state import UPRIGHT, Assembly, Balls, Bridges, Residues, Scratches, UnitState, Voids
from scenes.smt.taxonomy import DEFECTS

F64 = NDArray[np.float64]

METHODS = ("spi", "aoi", "axi")
INSTRUMENT: Mapping[str, tuple[float, float, float]] = {                  # healthy, least, greatest
    "lamp_flux": (1.0, 0.01, 2.0),             # [1] of the light that the machine was taught with
    "focus_error": (0.0, 0.0, 20e-3),          # [m]
    "xray_flux": (1.0, 0.01, 2.0),             # [1]
}
"""What an instrument may have come to."""

BLIND: Mapping[str, frozenset[str]] = {
    "spi": frozenset(d.name for d in DEFECTS) - {"insufficient", "excess", "bridge"},
    "aoi": frozenset(d.name for d in DEFECTS if "rgb" in d.hidden_from),
    "axi": frozenset(d.name for d in DEFECTS if "xray" in d.hidden_from) | {"cold_joint", "wrong_part"},
}
"""What a machine cannot report, whatever is there: nothing of it reaches its sensor, or too little to judge."""

PIXEL = 15e-6                                  # [m] of the AOI camera on the board
APERTURE = 0.05                                # [1] its numerical aperture
SHARP = 5e-6                                   # [m] standard deviation of its point spread in focus
ELECTRONS = 5_000.0                            # at middle grey with new lamps
CONTRAST, PATTERN = 0.3, 0.01                  # [1] of an edge; fixed noise of surfaces
BODY = (15e-6, np.radians(0.4))                # [m], [rad] how well bodies and leads show where their part lies
FILLET = (0.13, 0.6e-3)                        # [1] spread of a volume read off a fillet; [m] of blur that would double a volume
GLOSS = (0.012, 100e-6)                        # [1] spread of a roughness; [m] width of the highlight it is read from
GAP = 8e-6                                     # [m] spread of a lifted lead's height, read from its shadow
SURE = 3.5                                     # [1] spreads, as taught, that a gap must be above nothing to be reported
LINE = 0.35                                    # [1] of a bright line's contrast that must be left for it to be reported
STROKE, READ = 60e-6, (0.30, 0.09)             # [m] stroke of a marking; least contrast to read it and its spread with new lamps
PASTE = 0.03                                   # [1] repeatability of SPI's volume
STRUCTURE, PHOTONS = 0.08, 0.06                # [1] spread of AXI's volume: what lies behind a joint; photons of a new tube
RAY_EDGE = (12e-6, 8e-6)                       # [m] of a shadow's place: structure; photons of a new tube
VOID = (0.012, 0.010)                          # [1] of the projected share: structure; photons of a new tube
PILLOW = (4e-6, 3e-6)                          # [m] of a ball's gap, seen as its waist: structure; photons of a new tube


@dataclass(frozen=True)
class _Errors:
    """Standard deviations and biases of one machine in one condition."""
    place: float                               # [m] per axis
    turn: float                                # [rad]
    volume: float                              # [1]
    gap: float                                 # [m]
    dull: float = 1.0                          # factor on roughness
    blur: float = SHARP                        # [m]
    noise: float = 0.0                         # [1] of a line's contrast


def _aoi(flux: float, focus: float) -> _Errors:
    """Less light is more shot noise, and everything looks duller than it was taught; out of focus, so does every highlight."""
    blur = float(np.hypot(SHARP, APERTURE * focus / 2))
    noise = float(np.hypot(np.sqrt(1 / (ELECTRONS * flux)), PATTERN)) / CONTRAST
    edge = np.sqrt(2 * np.sqrt(np.pi) * blur * PIXEL / 20) * noise
    spread = float(np.hypot(1.0, blur / GLOSS[1]) / np.hypot(1.0, SHARP / GLOSS[1]))
    volume = float(np.hypot(FILLET[0], np.hypot(noise / 4, blur / FILLET[1])))
    return _Errors(float(np.hypot(BODY[0], edge)), float(np.hypot(BODY[1], edge / 0.5e-3)), volume,
                   float(np.hypot(GAP, blur / 4)), float(np.sqrt(spread / flux)), blur, noise)


def _axi(flux: float) -> _Errors:
    def spread(both: tuple[float, float]) -> float:
        return float(np.hypot(both[0], both[1] / np.sqrt(flux)))
    return _Errors(spread(RAY_EDGE), np.radians(0.3), spread((STRUCTURE, PHOTONS)), spread(PILLOW))


def seen(assembly: Assembly, state: UnitState, method: str, instrument: Mapping[str, float],
         rng: np.random.Generator) -> UnitState:
    """The state as a machine measures it: the truth with its errors, and the design where it sees nothing.

    Draws: fixed numbers per component, joint and loose thing of the state, whatever the instrument.
    """
    layout, rows, parts = layout_of(assembly), assembly.joints, len(assembly.components)
    moved, turned, read = rng.standard_normal((parts, 2)), rng.standard_normal(parts), rng.standard_normal(parts)
    amount, shine, height = rng.standard_normal((3, len(rows)))
    neck = rng.standard_normal(len(state.bridges.width))
    groove = rng.standard_normal(len(state.scratches.width))
    hole = rng.standard_normal(len(rows))
    value = {name: instrument.get(name, healthy) for name, (healthy, _, _) in INSTRUMENT.items()}
    if method == "spi":
        paste = np.where(layout.printed, state.volume * (1 + PASTE * amount), rows.nominal_volume)
        healthy = np.full(len(rows), ROUGHNESS[0])
        return replace(_nothing(state), present=np.ones(parts, bool), offset=np.zeros((parts, 2)), rotation=np.zeros(parts),
                       lift=np.zeros(parts), orientation=np.full(parts, UPRIGHT, np.int32),
                       substitute=np.full(parts, -1, np.int32), substitutes=(), volume=np.maximum(paste, 0),
                       wetted=np.ones(len(rows), bool), land_wetted=np.ones(len(rows), bool), gap=np.zeros(len(rows)),
                       roughness=healthy, bridges=state.bridges)
    errors = _aoi(value["lamp_flux"], value["focus_error"]) if method == "aoi" else _axi(value["xray_flux"])
    offset, rotation = state.offset + errors.place * moved, state.rotation + errors.turn * turned
    volume = np.maximum(state.volume * (1 + errors.volume * amount), 0)
    gap = np.where(layout.ball | layout.gullwing, state.gap + errors.gap * height, 0.0)
    gap = np.where(gap > SURE * (_aoi(1.0, 0.0) if method == "aoi" else _axi(1.0)).gap, gap, 0.0)
    if method == "axi":
        share = np.hypot(VOID[0], VOID[1] / np.sqrt(value["xray_flux"])) * hole
        return replace(state, offset=offset, rotation=rotation, volume=volume, gap=gap,
                       roughness=np.full(len(rows), ROUGHNESS[0]),
                       voids=_voids(assembly, state, share), bridges=_lines(state.bridges, np.ones(len(neck), bool)))
    hidden = layout.under | layout.flat
    wrong = _misread(assembly, layout.polarised, read, errors)
    substitute = np.where(state.present & (state.substitute < 0) & wrong, len(state.substitutes), state.substitute)
    roughness = np.where(hidden, ROUGHNESS[0], state.roughness * errors.dull + GLOSS[0] * shine)
    left = _contrast(state.bridges.width, errors.blur) + errors.noise * neck > LINE
    grooves = _contrast(state.scratches.width, errors.blur) + errors.noise * groove > LINE
    s = state.scratches
    return replace(state, offset=offset, rotation=rotation, roughness=roughness,
                   volume=np.where(hidden, rows.nominal_volume, volume),
                   gap=np.where(layout.ball, 0.0, gap), substitute=substitute.astype(np.int32),
                   substitutes=(*state.substitutes, *assembly.packages[:1]), voids=_nothing(state).voids,
                   bridges=_lines(state.bridges, left),
                   scratches=Scratches(s.start[grooves], s.end[grooves], s.bend[grooves], s.width[grooves], s.depth[grooves]))


def _contrast(width: F64, blur: float) -> F64:
    """Contrast that a line keeps [1]."""
    from scipy.special import erf  # late: few processes inspect

    found: F64 = erf(width / (2 * np.sqrt(2) * blur))
    return found


def _misread(assembly: Assembly, polarised: NDArray[np.bool_], read: F64, errors: _Errors) -> NDArray[np.bool_]:
    """Which marked parts the machine takes for others, (C,)."""
    marked = np.array([p.marked and p.body[0] * p.body[1] > 2e-6 for p in assembly.packages], bool) | polarised
    spread = READ[1] * errors.noise / _aoi(1.0, 0.0).noise
    return marked & (float(_contrast(np.array(STROKE), errors.blur)) + spread * read < READ[0])


def _lines(bridges: Bridges, keep: NDArray[np.bool_]) -> Bridges:
    return Bridges(bridges.first[keep], bridges.second[keep], bridges.width[keep], bridges.height[keep])


def _voids(assembly: Assembly, state: UnitState, error: F64) -> Voids:
    """Voids drawn larger or smaller, so that the share that they fill of their ball is off by ``error``, (J,) [1]."""
    true, voids = void_share(assembly, state), state.voids
    scale = np.sqrt(np.divide(np.maximum(true + error, 0), true, out=np.ones(len(true)), where=true > 0))
    return Voids(voids.joint, voids.center, voids.radius * scale[voids.joint])


def _nothing(state: UnitState) -> UnitState:
    """The same without anything loose."""
    none, flat = np.zeros(0), np.zeros((0, 2))
    index = np.zeros(0, np.int32)
    return replace(state, bridges=Bridges(index, index, none, none), voids=Voids(index, np.zeros((0, 3)), none),
                   balls=Balls(flat, none), residues=Residues(flat, flat, none, none, none, np.zeros(0, np.uint32)),
                   scratches=Scratches(flat, flat, none, none, none))


def inspect(assembly: Assembly, profile: Profile, state: UnitState, method: str, instrument: Mapping[str, float],
            rng: np.random.Generator) -> tuple[Call, ...]:
    """What one machine reports of one unit, and what it should have.

    Args:
        method: "spi", "aoi" or "axi".
        instrument: What the machine has come to, by the names of INSTRUMENT; healthy where left out.

    Returns:
        One Call per defect and place that is reported or real, in the order of the taxonomy's rules; hits, escapes, then false
        calls.

    Raises:
        RecipeError: a method or an instrument value that is not known.
    """
    if method not in METHODS:
        raise RecipeError(f"inspection: '{method}' is no machine; known: {', '.join(METHODS)}")
    for name, number in instrument.items():
        if name not in INSTRUMENT or not INSTRUMENT[name][1] <= number <= INSTRUMENT[name][2]:
            raise RecipeError(f"inspection.{name}: {number!r} cannot be; known: "
                              + ", ".join(f"{n} {low:g} … {high:g}" for n, (_, low, high) in INSTRUMENT.items()))
    true, reported = defects(assembly, (state, seen(assembly, state, method, instrument, rng)), profile)
    real = {(f.defect, f.host, f.pads): f.severity for f in true}
    called = {(f.defect, f.host, f.pads): f.severity for f in reported if f.defect not in BLIND[method]}
    out_of_sight = {(f.defect, f.host, f.pads) for f in true
                    if f.defect in BLIND[method] or (method == "aoi" and _under(assembly, f.instances))}
    both = [Call(*key, key in called, True, key not in out_of_sight, called.get(key, np.nan)) for key in real]
    return (*both, *(Call(*key, True, False, True, value) for key, value in called.items() if key not in real))


def _under(assembly: Assembly, instances: tuple[int, ...]) -> bool:
    """Whether these are joints that lie under their body."""
    layout, first = layout_of(assembly), 2 + len(assembly.components)
    hidden = layout.under | layout.flat
    return bool(instances) and all(first <= i < first + len(hidden) and hidden[i - first] for i in instances)


__all__ = ["BLIND", "INSTRUMENT", "METHODS", "inspect", "seen"]
