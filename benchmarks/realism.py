"""How close a render comes to a photograph of the same board.

    LINETWIN_BOARDS=… python benchmarks/realism.py [build/realism]          about 20 s on one core

Writes ``photo.png``, ``render.png`` (the same view), ``side_by_side.png``, ``regions.png`` and ``realism.json``. The photograph
(``rp2040_stamp/photo_front.jpg``) is of that very board and stays where it is; only measurements of it are kept here.

Geometry: the 40 inner castellation pads were digitised once (below). A homography fitted on every other one must put the
rest within 0.1 mm. Colour: median colours of eight kinds of surface on the right half of the board, photograph against
render, after one gain per linear channel (exposure and white balance) fitted on the silkscreen of the left half: ΔE2000 ≤ 10.

Medians in the photograph, sRGB as in the JPEG: mask over copper 15 104 64, mask over laminate 25 61 51, silkscreen
206 206 201, gold 85 67 44 (it mirrors a dark ceiling), tin 154 143 133, black bodies 55 52 52, capacitor bodies 148 122 93,
resistor coat 68 62 61. C6 and R6 changed places on the photographed boards, so both are left out.
"""
from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from scenes.board.artwork import coverage
from scenes.board.model import Board
from scenes.board.raster import rasterise
from scenes.optics import Lighting, Look, Ring

F64 = NDArray[np.float64]
TEXEL = 20e-6                                  # [m] of the rectified pictures
SWAPPED = ("C6", "R6")                         # not where the file says, on the photographed boards
LIMIT_MM, LIMIT_DE = 0.1, 10.0

# Centre [px] of the bright through hole in each inner castellation pad: centroid of the pixels above half its brightness.
DIGITISED: tuple[tuple[str, float, float], ...] = (
    ("J2.1", 407.3, 128.7), ("J2.2", 485.3, 130.2), ("J2.3", 563.1, 131.0), ("J2.4", 641.3, 132.0),
    ("J2.5", 719.1, 132.9), ("J2.6", 797.3, 134.0), ("J2.7", 875.0, 134.8), ("J2.8", 953.3, 136.0),
    ("J2.9", 1031.4, 137.0), ("J2.10", 1109.2, 138.1), ("J1.1", 397.3, 988.1), ("J1.2", 475.7, 988.7),
    ("J1.3", 553.9, 989.5), ("J1.4", 631.7, 990.2), ("J1.5", 709.9, 991.4), ("J1.6", 787.8, 992.3),
    ("J1.7", 866.1, 993.4), ("J1.8", 943.9, 994.2), ("J1.9", 1021.9, 994.9), ("J1.10", 1100.2, 996.6),
    ("J4.1", 328.8, 206.6), ("J4.2", 328.0, 284.8), ("J4.3", 326.5, 362.6), ("J4.4", 326.0, 440.7),
    ("J4.5", 325.0, 518.5), ("J4.6", 324.2, 597.1), ("J4.7", 323.2, 675.1), ("J4.8", 322.8, 752.6),
    ("J4.9", 321.5, 831.3), ("J4.10", 321.1, 908.8), ("J3.1", 1187.7, 216.6), ("J3.2", 1185.9, 295.3),
    ("J3.3", 1185.8, 372.7), ("J3.4", 1183.8, 449.9), ("J3.5", 1183.3, 529.6), ("J3.6", 1182.5, 606.6),
    ("J3.7", 1181.5, 684.7), ("J3.8", 1180.5, 762.9), ("J3.9", 1179.7, 840.9), ("J3.10", 1179.2, 919.3)
)

# A copy stand: two soft boxes low at the sides, and little light from above, which is why flat gold looks brown.
STAND = Lighting(rings=(Ring(0.0, 0.35, (0.05,) * 3), Ring(0.35, 0.75, (0.5,) * 3), Ring(0.75, 1.35, (1.5,) * 3)),
                 dome=(0.02,) * 3)
LOOK = Look(finish="enig", finish_roughness=0.22)


def homography(source: F64, target: F64) -> F64:
    """The plane projective map source (N, 2) → target (N, 2), N ≥ 4, least algebraic error on normalised points; (3, 3)."""
    def normal(points: F64) -> F64:
        centre, spread = points.mean(0), points.std() + 1e-30
        return np.array([[1 / spread, 0, -centre[0] / spread], [0, 1 / spread, -centre[1] / spread], [0, 0, 1]])

    a, b = normal(source), normal(target)
    rows = []
    for (x, y), (u, v) in zip(project(a, source), project(b, target), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y, -u], [0, 0, 0, x, y, 1, -v * x, -v * y, -v]]
    h = np.linalg.inv(b) @ np.linalg.svd(np.array(rows))[2][-1].reshape(3, 3) @ a
    return np.asarray(h / h[2, 2])


def project(h: F64, points: F64) -> F64:
    q = np.column_stack([points, np.ones(len(points))]) @ h.T
    return np.asarray(q[:, :2] / q[:, 2:])


def delta_e2000(a: F64, b: F64) -> F64:
    """CIEDE2000 between CIELAB colours (…, 3), by Sharma, Wu and Dalal (2005) with all weights 1."""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(np.asarray(a, float), -1, 0), np.moveaxis(np.asarray(b, float), -1, 0)
    mean_c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(mean_c ** 7 / (mean_c ** 7 + 25.0 ** 7)))
    c1, c2 = np.hypot((1 + g) * a1, b1), np.hypot((1 + g) * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(y, (1 + g) * x)) % 360 for x, y in ((a1, b1), (a2, b2)))
    grey = c1 * c2 == 0
    turn = np.where(grey, 0.0, (h2 - h1 + 180) % 360 - 180)
    turn = np.where((turn == -180) & (h2 > h1), 180.0, turn)
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    total = h1 + h2
    around = np.where(total < 360, total / 2 + 180, total / 2 - 180)
    mean_h = np.where(grey, total, np.where(np.abs(h1 - h2) <= 180, total / 2, around))
    t = (1 - 0.17 * np.cos(np.radians(mean_h - 30)) + 0.24 * np.cos(np.radians(2 * mean_h))
         + 0.32 * np.cos(np.radians(3 * mean_h + 6)) - 0.20 * np.cos(np.radians(4 * mean_h - 63)))
    twist = -np.sin(np.radians(60 * np.exp(-((mean_h - 275) / 25) ** 2))) * 2 * np.sqrt(mean_c ** 7 / (mean_c ** 7 + 25.0 ** 7))
    light = (l2 - l1) / (1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2))
    chroma, hue = (c2 - c1) / (1 + 0.045 * mean_c), dh / (1 + 0.015 * mean_c * t)
    return np.asarray(np.sqrt(light ** 2 + chroma ** 2 + hue ** 2 + twist * chroma * hue))


def to_linear(srgb: NDArray[Any]) -> F64:
    """sRGB 0 to 255 → linear 0 to 1 (IEC 61966-2-1)."""
    c = np.asarray(srgb, float) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: F64) -> F64:
    c = np.clip(linear, 0, 1)
    return np.asarray(255 * np.where(c <= 0.0031308, 12.92 * c, 1.055 * c ** (1 / 2.4) - 0.055))


def lab(linear: F64) -> F64:
    """Linear sRGB (…, 3) → CIELAB under D65."""
    xyz = np.clip(linear, 0, 1) @ np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                                            [0.0193339, 0.1191920, 0.9503041]]).T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def digitised(board: Board) -> tuple[F64, F64]:
    """Board [m] and photograph [px] positions of the digitised pads, each (40, 2)."""
    x0, y0, x1, y1 = board.outline.bounds
    inside = {f"{c.reference}.{p.number}": (p.x, p.y) for c in board.components for p in c.pads
              if p.kind == "through" and x0 + 1e-3 < p.x < x1 - 1e-3 and y0 + 1e-3 < p.y < y1 - 1e-3}
    return np.array([inside[name] for name, _, _ in DIGITISED]), np.array([(u, v) for _, u, v in DIGITISED])


def rectify(photo: NDArray[np.uint8], to_photo: F64, height: int, width: int) -> F64:
    """The photograph seen straight from above: (height, width, 3) sRGB, texels of the board frame."""
    row, column = np.mgrid[0:height, 0:width]
    board = np.column_stack([(column.ravel() + 0.5) * TEXEL, (height - row.ravel() - 0.5) * TEXEL])
    at = project(to_photo, board)[:, ::-1].T
    channels = [ndimage.map_coordinates(photo[..., i].astype(float), at, order=1) for i in range(3)]
    return np.stack(channels, axis=-1).reshape(height, width, 3)


def regions(board: Board) -> dict[str, NDArray[np.bool_]]:
    """Where each kind of surface is, by the board file and the packages' dimensions alone; (H, W) masks."""
    from scenes.parts import describe

    texels = coverage(board, TEXEL).texels
    height, width = texels.shape[:2]
    x0, y0 = board.outline.bounds[:2]

    def raster(shapes: list[shapely.Polygon]) -> NDArray[np.bool_]:
        return rasterise(shapes, (x0, y0), TEXEL, height, width) > 127

    black: list[shapely.Polygon] = []
    capacitors: list[shapely.Polygon] = []
    resistors: list[shapely.Polygon] = []
    tin: list[shapely.Polygon] = []
    near: list[shapely.Polygon] = []
    for part in board.components:
        if part.side != "front" or not part.placed:
            continue
        package = describe(part)
        near += [p.outline.buffer(0.3e-3) for p in part.pads if p.outline is not None]
        (long, wide, _), (cx, cy), c, s = package.body, package.center, np.cos(part.angle), np.sin(part.angle)

        def box(u0: float, u1: float, v: float, at=(part.x, part.y), m=(cx, cy), c=c, s=s) -> shapely.Polygon:
            corners = [(m[0] + u, m[1] + w) for u, w in ((u0, -v), (u1, -v), (u1, v), (u0, v))]
            return shapely.Polygon([(at[0] + c * x - s * y, at[1] + s * x + c * y) for x, y in corners])

        near.append(box(-long / 2, long / 2, wide / 2).buffer(0.35e-3))
        if part.reference in SWAPPED:
            continue
        if package.kind in ("qfn", "dfn", "sot", "sod"):
            black.append(box(-0.36 * long, 0.36 * long, 0.36 * wide))
        elif package.kind in ("chip_capacitor", "chip_resistor"):
            (capacitors if package.kind == "chip_capacitor" else resistors).append(box(-0.2 * long, 0.2 * long, 0.32 * wide))
            tin += [box(0.36 * long, 0.47 * long, 0.3 * wide), box(-0.47 * long, -0.36 * long, 0.3 * wide)]
    clear = (texels[..., 3] == 255) & ~raster(near)
    copper, opening, silk = (texels[..., i] for i in range(3))

    def core(mask: NDArray[np.bool_], texel_count: int) -> NDArray[np.bool_]:
        return np.asarray(ndimage.binary_erosion(mask, iterations=texel_count))

    bare = clear & (opening == 0) & (silk == 0)
    return {"mask over copper": core(bare & (copper == 255), 6), "mask over laminate": core(bare & (copper == 0), 4),
            "silkscreen": core(clear & (silk == 255), 4), "gold": core(clear & (opening == 255) & (copper == 255), 5),
            "tin": raster(tin), "black bodies": raster(black), "capacitor bodies": raster(capacitors),
            "resistor bodies": raster(resistors)}


def median(picture: F64, name: str, mask: NDArray[np.bool_]) -> F64:
    """Median linear colour of a region. Of a resistor only the darker half: the rest is its printed value."""
    values = picture[mask]
    if name == "resistor bodies":
        values = values[values.sum(1) <= np.median(values.sum(1))]
    return np.asarray(np.median(values, axis=0))


def render(board_file: Path, height: int, width: int, look: Look, lighting: Lighting) -> NDArray[np.uint8]:
    """The same board through the renderer, straight from above, at the texels of the rectified photograph."""
    from generators.render import open_renderer
    from scenes.optics import looking_down
    from scenes.scene import CameraSpec, Product, Scene, Station
    from scenes.smt.family import FAMILY

    spec = Product("smt", board_file, None, None, "front", None, (), "class2", 120e-6, 1.6e-3)
    camera = CameraSpec("top", "telecentric", TEXEL, width, height, "board", 0.2)
    station = Station("AOI", "aoi", "Bench", camera, lighting)
    product = FAMILY.product(Scene("realism", "Bench/Photo/Line 1", spec, (station,), (), board_file, ""))
    state = FAMILY.simulate(product, FAMILY.process(product, {}), np.random.default_rng(7))
    x0, y0, _, _ = product.board.outline.bounds
    centre = (x0 + width * TEXEL / 2, y0 + height * TEXEL / 2)
    renderer = open_renderer("gl")
    try:
        above = looking_down("top", centre, TEXEL, width, height)
        made = renderer.render(FAMILY.geometry(product, state, look), above, lighting, look, outputs=frozenset({"rgb"}))
    finally:
        renderer.close()
    assert made.rgb is not None
    return made.rgb


def main(out: Path) -> int:
    folder = os.environ.get("LINETWIN_BOARDS")
    if not folder:
        print("LINETWIN_BOARDS is not set: the realism benchmark needs rp2040_stamp/ from a folder of real boards")
        return 2
    from scenes.board import read_board

    board_file = Path(folder) / "rp2040_stamp" / "rp2040_stamp.kicad_pcb"
    photo = np.asarray(Image.open(board_file.with_name("photo_front.jpg")).convert("RGB"))
    board = read_board(board_file)
    pads, pixels = digitised(board)
    half = homography(pads[::2], pixels[::2])
    off = np.linalg.norm(project(np.asarray(np.linalg.inv(half), float), pixels[1::2]) - pads[1::2], axis=1) * 1e3
    masks = regions(board)
    height, width = next(iter(masks.values())).shape
    seen = rectify(photo, homography(pads, pixels), height, width)
    made = render(board_file, height, width, LOOK, STAND)
    left = np.arange(width)[None, :] < width / 2
    theirs, ours = to_linear(seen), to_linear(made)
    pairs = {n: [(median(theirs, n, m & side), median(ours, n, m & side)) for side in (left, ~left)] for n, m in masks.items()}
    white = pairs["silkscreen"][0]
    gain = white[0] / white[1]
    result = {name: {"photo": to_srgb(p[1][0]).round(1).tolist(), "render": to_srgb(p[1][1] * gain).round(1).tolist(),
                     "delta_e2000": round(float(delta_e2000(lab(p[1][0]), lab(p[1][1] * gain))), 2)} for name, p in pairs.items()}
    report = {"held_out_pads": len(off), "held_out_max_mm": round(float(off.max()), 4),
              "held_out_rms_mm": round(float(np.sqrt((off ** 2).mean())), 4),
              "gain": gain.round(4).tolist(), "colours": result}
    out.mkdir(parents=True, exist_ok=True)
    matched = to_srgb(ours * gain).astype(np.uint8)
    marked = seen.copy()
    for i, mask in enumerate(masks.values()):
        marked[mask] = 0.4 * marked[mask] + 0.6 * np.array([255 * (i & 1), 255 * (i >> 1 & 1), 255 * (i >> 2 & 1)])
    pictures: dict[str, NDArray[Any]] = {"photo": seen, "render": matched, "regions": marked,
                                         "side_by_side": np.hstack([seen, matched])}
    for name, picture in pictures.items():
        Image.fromarray(picture.astype(np.uint8)).save(out / f"{name}.png")
    (out / "realism.json").write_text(json.dumps(report, indent=2) + "\n")
    print(f"pads: {len(off)} held out, worst {off.max():.3f} mm (limit {LIMIT_MM})")
    for name, row in result.items():
        print(f"{name:20s} photo {row['photo']} render {row['render']} ΔE2000 {row['delta_e2000']} (limit {LIMIT_DE:g})")
    return int(off.max() > LIMIT_MM or any(row["delta_e2000"] > LIMIT_DE for row in result.values()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", default=Path("build/realism"), help="folder for pictures and figures")
    sys.exit(main(parser.parse_args().out))
