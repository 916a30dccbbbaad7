"""family: surface-mount assembly behind the ``Family`` protocol."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scenes.board.model import Board
from scenes.errors import SceneError
from scenes.family import Call, Finding, Target, Taxonomy
from scenes.geometry import Geometry, Slab
from scenes.heat import Cooling, Powered, TemperatureField
from scenes.optics import Look
from scenes.scene import Scene
from scenes.smt.acceptance import defects as wrong
from scenes.smt.acceptance import findings as find
from scenes.smt.assembly import assemble, placeable
from scenes.smt.condition import condition as cause
from scenes.smt.condition import hosts as possible
from scenes.smt.layout import layout as layout_of
from scenes.smt.process import Process, drifted, from_dict, to_dict
from scenes.smt.profile import Profile, load_profile
from scenes.smt.reflow import ANGLE, ROUGHNESS
from scenes.smt.simulate import simulate as make
from scenes.smt.simulate import simulate_units as make_units
from scenes.smt.state import Assembly, Balls, Bridges, Residues, Scratches, UnitState, Voids
from scenes.smt.taxonomy import TAXONOMY

TEXEL = (8e-6, 60e-6)                          # [m] finest and coarsest artwork
TEXELS_MOST = 40_000_000                       # artwork of one side: 160 MB

PLACED = frozenset({"missing", "shift", "rotation", "tombstone", "billboard", "wrong_part"})     # undone by placing it anew
TURNED = frozenset({"flipped", "polarity"})    # parts that lie where they should, the wrong way round: their joints are sound
JOINT_DEFECTS = frozenset({"insufficient", "excess", "cold_joint", "head_in_pillow", "bga_void", "lifted_lead"})


@dataclass(frozen=True, eq=False)
class SmtProduct:
    """A board side ready to be made: compared by identity, prepared once per worker."""
    assembly: Assembly
    slab: Slab
    profile: Profile
    board: Board                               # turned so that the side to assemble is the front; a panel where one is asked for


def texel_size(scene: Scene, board: Board) -> float:
    """Texel of the artwork [m]: the finest camera pixel of the scene, within TEXEL and TEXELS_MOST for the whole side."""
    pixels = [s.camera.pixel_size for s in scene.stations if s.camera is not None]
    width, height = board.size
    least = float(np.sqrt(width * height / TEXELS_MOST))
    return max(min(max(min(pixels, default=20e-6), TEXEL[0]), TEXEL[1]), least)


class SmtFamily:
    """Every method is a pure function of its arguments; see ``scenes.family.Family``."""

    name = "smt"
    taxonomy: Taxonomy = TAXONOMY

    def product(self, scene: Scene) -> SmtProduct:
        """Read the scene's board, make the panel, turn its side up, describe the parts, assemble, rasterise the artwork."""
        from scenes.board import check, read_board
        from scenes.board.artwork import coverage, slab
        from scenes.board.panel import panelise
        from scenes.cad.models import check_models
        from scenes.parts import describe
        from scenes.smt.redesign import redesigned, repainted

        spec = scene.product
        board = read_board(spec.board, centroid=spec.centroid, bom=spec.bom, thickness=spec.thickness)
        check(board)
        check_models(board, spec.models)
        if spec.panel is not None:
            board = panelise(board, spec.panel)
        board = redesigned(board.seen_from(spec.side), scene.edits.parts)
        parts, materials = placeable(board), scene.edits.table()
        packages = repainted(parts, [describe(c, models=spec.models) for c in parts], scene.edits.paints, materials)
        if not packages:
            raise SceneError(f"{spec.board}: no placed part on the {spec.side}; choose the other side in product.side")
        assembly = replace(assemble(board, spec.side, packages, spec.stencil_thickness), materials=materials)
        return SmtProduct(assembly, slab(board, coverage(board, texel_size(scene, board))), load_profile(spec.acceptance), board)

    def with_insides(self, product: SmtProduct) -> SmtProduct:
        """With the copper layers below the front and all holes. Takes about a second, and memory: see ``scenes.board.buried``."""
        from scenes.board.buried import buried

        if product.slab.buried is not None:
            return product
        return replace(product, slab=replace(product.slab, buried=buried(product.board)))

    def box(self, product: SmtProduct) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = product.board.outline.bounds
        return float(x0), float(y0), float(x1), float(y1)

    def process(self, product: SmtProduct, drifts: Mapping[str, float]) -> Process:
        """Healthy process with drifts; ``scenes.smt.process.DRIFTS`` names them."""
        return drifted(Process(), drifts)

    def hosts(self, product: SmtProduct, defect: str) -> tuple[str, ...]:
        return tuple("" if c < 0 else product.assembly.components[c].reference for c in possible(product.assembly, defect))

    def condition(self, product: SmtProduct, process: Process, target: Target, rng: np.random.Generator) -> Process:
        return cause(product.assembly, product.profile, process, target, rng)

    def simulate(self, product: SmtProduct, process: Process, rng: np.random.Generator) -> UnitState:
        return make(product.assembly, process, rng)

    def simulate_units(self, product: SmtProduct, process: Process, rngs: Sequence[np.random.Generator]) -> tuple[UnitState, ...]:
        """Units of one process, bit for bit what ``simulate`` makes of them; some five times as fast in blocks of 32."""
        return make_units(product.assembly, process, rngs)

    def findings(self, product: SmtProduct, state: UnitState, profile: Profile | None = None) -> tuple[Finding, ...]:
        """What the profile says; None is the product's own."""
        return find(product.assembly, state, profile or product.profile)

    def defects(self, product: SmtProduct, states: Sequence[UnitState],
                profile: Profile | None = None) -> tuple[tuple[Finding, ...], ...]:
        """What ``findings`` says of each unit, without its good parts."""
        return wrong(product.assembly, states, profile or product.profile)

    def inspect(self, product: SmtProduct, state: UnitState, method: str, instrument: Mapping[str, float],
                rng: np.random.Generator) -> tuple[Call, ...]:
        """What a machine reports, and what it should have: see ``scenes.smt.inspection``."""
        from scenes.smt.inspection import inspect

        return inspect(product.assembly, product.profile, state, method, instrument, rng)

    def golden(self, product: SmtProduct, state: UnitState, findings: Sequence[Finding]) -> UnitState:
        """The same unit with what the findings name undone, and nothing else: see ``undo``."""
        return undo(product.assembly, state, findings)

    def geometry(self, product: SmtProduct, state: UnitState, look: Look) -> Geometry:
        from scenes.smt.geometry import build

        return build(product.assembly, product.slab, state, look)

    def heat(self, product: SmtProduct, state: UnitState, mode: Powered | Cooling) -> TemperatureField:
        from scenes.smt.heat import heat

        return heat(product.assembly, state, mode)

    def process_to_dict(self, process: Process) -> dict[str, Any]:
        return to_dict(process)

    def process_from_dict(self, data: Mapping[str, Any]) -> Process:
        return from_dict(data)


def undo(assembly: Assembly, state: UnitState, findings: Sequence[Finding]) -> UnitState:
    """The same unit with what the findings name undone. Findings without a defect are passed over.

    A part that was placed wrongly goes to its nominal pose, and its joints get nominal solder, healthy and closed. One that
    lies the wrong way round is turned over where it lies. Of single joints only what was wrong with them changes: too much or
    too little solder becomes the nominal volume at a healthy angle, a cold surface becomes a healthy one, a gap closes, a void
    fills. Necks, balls, films and grooves go. Everything else keeps its values, bit for bit.
    """
    parts, rows = len(assembly.components), assembly.joints
    references = {c.reference: i for i, c in enumerate(assembly.components)}
    part, flipped, reversed_ = (np.zeros(parts, bool) for _ in range(3))
    named = {name: np.zeros(len(rows), bool) for name in sorted(JOINT_DEFECTS)}
    loose: set[int] = set()
    for finding in findings:
        if finding.defect in PLACED:
            part[references[finding.host]] = True
        elif finding.defect in TURNED:
            (flipped if finding.defect == "flipped" else reversed_)[references[finding.host]] = True
        elif finding.defect in JOINT_DEFECTS:
            named[finding.defect][[identity - 2 - parts for identity in finding.instances]] = True
        elif finding.defect:
            loose.update(finding.instances)
    whole = part[rows.component]
    amount = whole | named["insufficient"] | named["excess"]
    cold = whole | named["cold_joint"]
    volume = np.where(amount, rows.nominal_volume, state.volume)
    closed = amount | cold | named["head_in_pillow"] | named["lifted_lead"]
    wets = closed & (volume > 0)
    printed = rows.aperture_area > 0
    back = reversed_ & ~part
    turn = np.angle(np.exp(1j * state.rotation))
    offset = np.where(back[:, None], state.offset - 2 * layout_of(assembly).centroid, state.offset)

    def keep(first: int, count: int) -> np.ndarray:
        return np.array([first + i not in loose for i in range(count)], bool)

    first = 2 + parts + len(rows)
    b, s, r, g = state.bridges, state.balls, state.residues, state.scratches
    kept = [keep(first, len(b.width))]
    for count in (len(s.diameter), len(r.alpha), len(g.width)):
        first += len(kept[-1])
        kept.append(keep(first, count))
    bridge, ball, film, groove = kept
    hollow = ~named["bga_void"][state.voids.joint]
    return replace(
        state, present=state.present | part, offset=np.where(part[:, None], 0.0, offset),
        rotation=np.where(part, 0.0, np.where(back, turn - np.copysign(np.pi, turn), state.rotation)),
        lift=np.where(part, 0.0, state.lift),
        lift_axis=np.where(part, 0.0, state.lift_axis),
        orientation=np.where(part | flipped, 0, state.orientation).astype(np.int32),
        substitute=np.where(part, -1, state.substitute).astype(np.int32), volume=volume,
        contact_angle=np.where(amount | cold, ANGLE[0], state.contact_angle),
        wetted=state.wetted | wets, land_wetted=state.land_wetted | wets, gap=np.where(closed, 0.0, state.gap),
        roughness=np.where(cold & printed, ROUGHNESS[0], state.roughness),
        bridges=Bridges(b.first[bridge], b.second[bridge], b.width[bridge], b.height[bridge]),
        voids=Voids(state.voids.joint[hollow], state.voids.center[hollow], state.voids.radius[hollow]),
        balls=Balls(s.center[ball], s.diameter[ball]),
        residues=Residues(r.center[film], r.radius[film], r.angle[film], r.thickness[film], r.alpha[film], r.shape_seed[film]),
        scratches=Scratches(g.start[groove], g.end[groove], g.bend[groove], g.width[groove], g.depth[groove]))


FAMILY = SmtFamily()

__all__ = ["FAMILY", "SmtFamily", "SmtProduct", "texel_size", "undo"]
