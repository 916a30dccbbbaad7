"""Centroid (pick-and-place) and bill-of-materials tables: read in the usual spellings, written in KiCad's.

A table that we write holds millimetres from the lower left corner of the outline, y up, and degrees counter-clockwise
seen from the front: the board frame, and KiCad's own habit for both sides.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scenes.board.model import Board, Side
from scenes.errors import AssetError, SceneError

MAX_BYTES = 20_000_000
MAX_ROWS = 100_000
UNITS = {
    "mm": 1e-3,
    "mil": 25.4e-6,
    "mils": 25.4e-6,
    "thou": 25.4e-6,
    "in": 25.4e-3,
    "inch": 25.4e-3,
    "inches": 25.4e-3,
    "um": 1e-6,
    "µm": 1e-6,
    "m": 1.0,
    '"': 25.4e-3,
}
CENTROID = {
    "reference": ("ref", "designator", "refdes", "reference", "referencedesignator", "part", "component", "name"),
    "value": ("val", "value", "comment"),
    "package": ("package", "footprint", "pattern", "device"),
    "x": ("posx", "midx", "centerx", "centrex", "x", "locationx", "refx", "xpos", "xmm", "xcoord"),
    "y": ("posy", "midy", "centery", "centrey", "y", "locationy", "refy", "ypos", "ymm", "ycoord"),
    "angle": ("rot", "rotation", "angle", "orientation", "rotate"),
    "side": ("side", "layer", "tb", "boardside", "mountside"),
}
BOM = {
    "reference": (
        "references",
        "reference",
        "designator",
        "designators",
        "refdes",
        "refs",
        "ref",
        "referencedesignator",
        "parts",
    ),
    "value": ("value", "val", "comment"),
    "package": ("footprint", "package", "pattern"),
    "unplaced": ("dnp", "dnf", "dni", "donotpopulate", "donotplace", "excludefromboard", "donotfit"),
    "description": ("description", "desc"),
    "library": ("library", "footprintlibrary"),
}
BACK = ("bottom", "bot", "back", "b", "bottomlayer", "b.cu", "solder", "bottomside")
FRONT = ("top", "front", "f", "t", "toplayer", "f.cu", "component", "topside")


@dataclass(frozen=True)
class Placement:
    """One row of a centroid table, in the table's own frame."""

    reference: str
    value: str
    package: str
    x: float  # [m]
    y: float  # [m]
    angle: float  # [rad]
    side: Side
    line: int


@dataclass(frozen=True)
class BomRow:
    """What a bill of materials says about one reference."""

    value: str
    package: str
    placed: bool = True
    description: str = ""
    library: str = ""


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Cells of every line that is not empty, with its line number. Delimiter by the header: , ; tab, else blanks."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise AssetError(f"{path}: more than the {MAX_BYTES / 1e6:.0f} MB allowed; is this a table?")
        raw = path.read_bytes()
    except OSError as error:
        raise AssetError(f"{path}: cannot be read ({error.strerror or error}); give a CSV file") from None
    wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = raw.decode("utf-16" if wide else "utf-8-sig", errors="replace").replace("\0", "")
    sample = [line for line in text.splitlines()[:40] if line.strip()]
    counts = {d: max((line.count(d) for line in sample), default=0) for d in (",", ";", "\t")}
    delimiter = max(counts, key=lambda d: counts[d])
    if counts[delimiter] < 2:  # KiCad's ASCII .pos file
        return [(i, re.split(r"\s{2,}|\s", line.strip())) for i, line in enumerate(text.splitlines(), 1) if line.strip()]
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, [cell.strip() for cell in row]))
            if len(rows) > MAX_ROWS:
                raise SceneError(f"{path}: more than {MAX_ROWS} rows; is this a table of one board?")
    except csv.Error as error:
        raise SceneError(f"{path}:{reader.line_num}: not a CSV table ({error}); export it again") from None
    return rows


def _key(title: str) -> tuple[str, str]:
    """A column's title without decoration, and the unit it names."""
    unit = re.search(r"[(\[]\s*([a-zµ]+)\s*[)\]]", title.lower())
    plain = re.sub(r"[(\[].*?[)\]]", "", title.lower())
    return re.sub(r"[^a-z0-9]", "", plain), unit[1] if unit and unit[1] in UNITS else ""


def _header(
    path: Path,
    rows: Sequence[tuple[int, list[str]]],
    wanted: dict[str, tuple[str, ...]],
    needed: tuple[str, ...],
) -> tuple[int, dict[str, int], dict[str, str]]:
    """Index of the header's row, the column of each field, and units that titles name."""
    for index, (_, cells) in enumerate(rows[:40]):
        titles = [_key(cell.lstrip("#")) for cell in cells]
        if cells and cells[0] == "#":  # "# Ref Val …" of an ASCII file: the mark is a cell of its own
            titles = titles[1:]
        columns = {}
        for field, names in wanted.items():
            for name in names:
                found = [i for i, (title, _) in enumerate(titles) if title == name]
                if found:
                    columns[field] = found[0]
                    break
        if all(field in columns for field in needed):
            return index, columns, {f: titles[c][1] for f, c in columns.items()}
    missing = ", ".join(f"{f} ({'/'.join(wanted[f][:3])})" for f in needed)
    raise SceneError(f"{path}: no header row with the columns {missing} found; export the table with its header")


def _length(text: str, unit: str, where: str) -> float:
    match = re.fullmatch(r"\s*([-+]?[\d.,]+(?:e[-+]?\d+)?)\s*([a-zµ\"]*)\s*", text.lower())
    number = match[1].replace(",", ".") if match else ""
    suffix = (match[2] or unit or "mm") if match else ""
    try:
        return float(number) * UNITS[suffix]
    except (ValueError, KeyError):
        raise SceneError(f"{where}: {text!r} is no length; write a number, with mm, mil or in where it is not mm") from None


def read_centroid(path: Path) -> tuple[Placement, ...]:
    """Read a centroid table: KiCad's (Ref, Val, Package, PosX, PosY, Rot, Side), JLC's, Altium's and their like.

    Raises:
        AssetError: the file is missing, unreadable or too large.
        SceneError: no header with reference, x and y, a number that is none, a side that is none, a reference twice.
            Names file and line.
    """
    rows = _rows(path)
    start, columns, units = _header(path, rows, CENTROID, ("reference", "x", "y"))
    declared = next(
        (m[1].lower() for _, cells in rows[: start + 1] if (m := re.search(r"unit\w*\s*[=:]\s*(\w+)", " ".join(cells), re.I))), ""
    )
    default = declared if declared in UNITS else ""
    out: list[Placement] = []
    seen: dict[str, int] = {}
    for line, cells in rows[start + 1 :]:
        if cells[0].startswith("#"):
            continue
        where = f"{path}:{line}"

        def cell(field: str, cells: list[str] = cells) -> str:
            column = columns.get(field)
            return cells[column] if column is not None and column < len(cells) else ""

        reference = cell("reference")
        if not reference:
            continue
        if reference in seen:
            raise SceneError(f"{where}: reference {reference} was in line {seen[reference]} already; keep one of the two")
        seen[reference] = line
        side = cell("side").lower().replace(" ", "")
        if side and side not in BACK and side not in FRONT:
            raise SceneError(f"{where}: side {cell('side')!r} of {reference} is neither top nor bottom")
        try:
            angle = math.radians(float((cell("angle") or "0").lower().replace("deg", "").replace("°", "").replace(",", ".")))
        except ValueError:
            raise SceneError(f"{where}: rotation {cell('angle')!r} of {reference} is no number of degrees") from None
        out.append(
            Placement(
                reference,
                cell("value"),
                cell("package").rpartition(":")[2],
                _length(cell("x"), units.get("x") or default, where),
                _length(cell("y"), units.get("y") or default, where),
                angle,
                "back" if side in BACK else "front",
                line,
            )
        )
    if not out:
        raise SceneError(f"{path}: the table has a header and no rows; export it with the board's parts")
    return tuple(out)


def read_bom(path: Path) -> dict[str, BomRow]:
    """Read a bill of materials, one row a part or one row for several (``"C1, C2"``, ``R1-R4``).

    Raises:
        AssetError: the file is missing, unreadable or too large.
        SceneError: no header with a column of references.
    """
    rows = _rows(path)
    start, columns, _ = _header(path, rows, BOM, ("reference",))
    out: dict[str, BomRow] = {}
    for _, cells in rows[start + 1 :]:

        def cell(field: str, cells: list[str] = cells) -> str:
            column = columns.get(field)
            return cells[column] if column is not None and column < len(cells) else ""

        unplaced = cell("unplaced").lower() not in ("", "0", "no", "false", "n", "excluded from dnp")
        library, _, package = cell("package").rpartition(":")
        row = BomRow(cell("value"), package, not unplaced, cell("description"), cell("library") or library)
        for reference in _references(cell("reference")):
            out[reference] = row
    return out


def _references(text: str) -> list[str]:
    out = []
    for part in re.split(r"[,;\s]+", text):
        span = re.fullmatch(r"([A-Za-z_]+)(\d+)-(?:\1)?(\d+)", part)
        if span and 0 < int(span[3]) - int(span[2]) < 1000:
            out += [f"{span[1]}{n}" for n in range(int(span[2]), int(span[3]) + 1)]
        elif part:
            out.append(part)
    return out


def write_centroid(board: Board, path: Path) -> None:
    """Write the components' poses with KiCad's columns, in the order of the board."""
    _write(
        path,
        ("Ref", "Val", "Package", "PosX", "PosY", "Rot", "Side"),
        [
            (
                c.reference,
                c.value,
                c.package,
                f"{c.x * 1e3:.6f}",
                f"{c.y * 1e3:.6f}",
                f"{math.degrees(c.angle) % 360:.6f}",
                "top" if c.side == "front" else "bottom",
            )
            for c in board.components
        ],
    )


def write_bom(board: Board, path: Path) -> None:
    """Write one row per component; ``DNP`` is 1 for what the line does not place."""
    _write(
        path,
        ("Reference", "Value", "Footprint", "DNP", "Description"),
        [
            (c.reference, c.value, f"{c.library}:{c.package}" if c.library else c.package, "" if c.placed else "1", c.description)
            for c in board.components
        ],
    )


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_text(buffer.getvalue(), encoding="utf-8")


__all__ = ["BomRow", "Placement", "read_bom", "read_centroid", "write_bom", "write_centroid"]
