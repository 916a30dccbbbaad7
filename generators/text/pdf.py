"""pdf: documents set with reportlab, byte for byte the same each time, and on which page every value came to stand.

English uses the Vera fonts that reportlab brings along. Korean needs a TrueType font with Hangul; by default Nanum Gothic as
Debian's package fonts-nanum installs it (SIL Open Font Licence). The fonts are embedded as subsets.
"""
from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from generators.text.document import Block, Document, Fact, Figure, Steps, Table, Text, markdown, shown
from scenes.errors import AssetError, BackendUnavailable

try:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFError, TTFont
    from reportlab.platypus import BaseDocTemplate, Frame, KeepTogether, PageBreak, PageTemplate, Paragraph, Spacer
    from reportlab.platypus import Table as Grid
    from reportlab.platypus.tableofcontents import TableOfContents
except ImportError:
    raise BackendUnavailable("pdf: reportlab is not installed; pip install 'linetwin[text]'") from None

KOREAN = Path("/usr/share/fonts/truetype/nanum/NanumGothic.ttf")
STAND_INS = {"µ": "μ"}                         # the micro sign and the Greek letter: fonts often have one of them
ROWS = 22                                      # of a table in one piece; a piece never crosses pages
MARGIN = 20 * mm
GREY, INK = HexColor("#d9dee5"), HexColor("#1f2a37")


@dataclass(frozen=True)
class Rendered:
    """A set document. ``pages`` counts from 1, as a reader shows them."""
    document: Document
    pdf: bytes
    pages: dict[tuple[str, str, str], int]     # (section number, fact key, item): page
    page_count: int


def render(document: Document, *, font: str | Path | None = None) -> Rendered:
    """Set a document.

    Args:
        document: What to set.
        font: A TrueType file for all of the text; by default the language's own. A file "…Bold.ttf" beside it is used for
            headings, where there is one.

    Raises:
        AssetError: the font is missing, or no TrueType font.
    """
    face = _face(document, font)
    styles = _styles(face.plain, face.bold)
    out = io.BytesIO()
    template = _Template(out, document, face, invariant=1, title=document.title, author="linetwin", subject=document.subtitle)
    contents = TableOfContents(dotsMinLevel=0, levelStyles=[styles["contents"], styles["contents2"]])
    story: list[Any] = [Spacer(1, 30 * mm), Paragraph(face.text(document.title), styles["title"]),
                        Paragraph(face.text(document.subtitle), styles["subtitle"]), Spacer(1, 6 * mm),
                        Paragraph(face.text(document.notice), styles["notice"]), Spacer(1, 12 * mm)]
    if document.kind == "manual":
        story += [Paragraph(face.text(document.contents), styles["plain heading"]), contents, PageBreak()]
    else:
        story = story[1:]
    for section in document.sections:
        title, depth = f"{section.number}  {section.title}", section.number.count(".")
        heading = Paragraph(face.text(title), styles["heading2" if depth else "heading"])
        heading.entry = (depth, title)
        groups = [g for block in section.blocks for g in _groups(block, section.number, styles, face)]
        first = 2 if isinstance(section.blocks[0], Text) and len(groups) > 1 else 1   # a heading is followed by more than a line
        story += [KeepTogether([heading, *(f for g in groups[:first] for f in g)]), *(KeepTogether(g) for g in groups[first:])]
    template.multiBuild(story)
    return Rendered(document, out.getvalue(), dict(template.found), template.page)


def write(documents: Sequence[Document], folder: str | Path, *, font: str | Path | None = None) -> tuple[Path, ...]:
    """Write every document as ``<id>.pdf`` and ``<id>.md``, with the figures of the latter as SVG. Returns the PDF paths."""
    from generators.text.figures import svg
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for document in documents:
        path = folder / f"{document.id}.pdf"
        path.write_bytes(render(document, font=font).pdf)
        (folder / f"{document.id}.md").write_text(markdown(document), encoding="utf-8")
        for section in document.sections:
            for block in section.blocks:
                if isinstance(block, Figure):
                    (folder / f"{block.name}.svg").write_text(svg(block), encoding="utf-8")
        paths.append(path)
    return tuple(paths)


@dataclass(frozen=True)
class _Face:
    """Registered names of a plain and a bold font, and letters that others stand in for."""
    plain: str
    bold: str
    swaps: dict[int, str]

    def text(self, text: str) -> str:
        """As a paragraph wants it."""
        return escape(text.translate(self.swaps))


def _face(document: Document, font: str | Path | None) -> _Face:
    if font is None and document.language == "en":
        plain, bold = Path("Vera.ttf"), Path("VeraBd.ttf")                # reportlab finds its own
    else:
        plain = Path(font or KOREAN)
        if not plain.is_file():
            raise AssetError(f"{plain}: no such font, and {document.id} needs it; install it (apt-get install fonts-nanum) "
                             "or give 'font', a TrueType file with all the letters")
        near = plain.with_name(f"{plain.stem}Bold.ttf")
        bold = near if near.is_file() else plain
    swaps: dict[int, str] = {}
    for path in (plain, bold):
        name = f"linetwin-{path}"
        if name not in pdfmetrics.getRegisteredFontNames():
            try:
                pdfmetrics.registerFont(TTFont(name, str(path)))
            except TTFError:
                raise AssetError(f"{path}: not a TrueType font that can be embedded; give a .ttf file with outlines") from None
        glyphs = pdfmetrics.getFont(name).face.charToGlyph
        lacking = {c for c in _letters(document) if ord(c) not in glyphs}
        swaps |= {ord(c): STAND_INS[c] for c in lacking if ord(STAND_INS.get(c, "\0")) in glyphs}
        if missing := sorted(c for c in lacking if ord(c) not in swaps):
            raise AssetError(f"{path}: has no glyph for {''.join(missing[:12])!r}, which {document.id} needs; give another font")
    return _Face(f"linetwin-{plain}", f"linetwin-{bold}", swaps)


def _letters(document: Document) -> set[str]:
    """Every character that gets set."""
    return set(markdown(document) + document.contents + document.page + document.id) - {"\n"}


def _styles(plain: str, bold: str) -> dict[str, ParagraphStyle]:
    def style(name: str, size: float, font: str = plain, **more: Any) -> ParagraphStyle:
        return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.4, textColor=INK, wordWrap=None, **more)
    return {s.name: s for s in (
        style("title", 22, bold, spaceAfter=6), style("subtitle", 12),
        style("notice", 8.5, borderColor=GREY, borderWidth=1, borderPadding=5),
        style("plain heading", 14, bold, spaceAfter=6), style("heading", 14, bold, spaceBefore=14, spaceAfter=6),
        style("heading2", 11, bold, spaceBefore=10, spaceAfter=4), style("text", 9.5, spaceAfter=6),
        style("step", 9.5, leftIndent=16, bulletIndent=2, spaceAfter=3), style("cell", 8.5), style("head", 8.5, bold),
        style("caption", 8.5, bold, spaceBefore=4, spaceAfter=3), style("contents", 10, spaceBefore=3),
        style("contents2", 9, leftIndent=14))}


def _groups(block: Block, section: str, styles: dict[str, ParagraphStyle], face: _Face) -> list[list[Any]]:
    """A block as groups of flowables; a group stays on one page."""
    if isinstance(block, Text):
        return [[Paragraph(face.text(block.text), styles["text"])]]
    if isinstance(block, Steps):
        return [[Paragraph(face.text(item), styles["step"], bulletText=f"{i}." if block.numbered else "•")]
                for i, item in enumerate(block.items, 1)]
    if isinstance(block, Figure):
        from generators.text.figures import drawing
        return [[drawing(block, face.plain), Paragraph(face.text(block.title), styles["caption"])]]
    return [_piece(block, block.rows[i:i + ROWS], section, styles, face) for i in range(0, len(block.rows), ROWS)]


def _piece(table: Table, rows: Sequence[Sequence[Any]], section: str, styles: dict[str, ParagraphStyle],
           face: _Face) -> list[Any]:
    width = A4[0] - 2 * MARGIN
    data = [[Paragraph(face.text(c), styles["head"]) for c in table.columns],
            *([Paragraph(face.text(shown(c)), styles["cell"]) for c in row] for row in rows)]
    grid = Grid(data, colWidths=[width * share for share in table.widths], repeatRows=1, style=[
        ("GRID", (0, 0), (-1, -1), 0.4, GREY), ("BACKGROUND", (0, 0), (-1, 0), HexColor("#eef1f5")),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 3)])
    grid.facts = [(section, c.key, c.item) for row in rows for c in row if isinstance(c, Fact)]
    return [Paragraph(face.text(table.title), styles["caption"]), grid, Spacer(1, 8)]


class _Template(BaseDocTemplate):                                         # type: ignore[misc]
    """Header, footer, and a note of where headings and values come to stand."""

    def __init__(self, out: io.BytesIO, document: Document, face: _Face, **more: Any) -> None:
        super().__init__(out, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=22 * mm, bottomMargin=18 * mm, **more)
        self.document, self.face = document, face
        self.found: dict[tuple[str, str, str], int] = {}
        frame = Frame(MARGIN, 18 * mm, A4[0] - 2 * MARGIN, A4[1] - 40 * mm, 0, 0, 0, 0)
        self.addPageTemplates(PageTemplate("page", [frame], onPage=self._edge))

    def _edge(self, canvas: Any, _: Any) -> None:
        canvas.saveState()
        canvas.setFont(self.face.plain, 8)
        canvas.setFillColor(INK)
        canvas.drawString(MARGIN, A4[1] - 14 * mm, self.document.title.translate(self.face.swaps))
        canvas.drawRightString(A4[0] - MARGIN, A4[1] - 14 * mm, self.document.id)
        canvas.setStrokeColor(GREY)
        canvas.line(MARGIN, A4[1] - 16 * mm, A4[0] - MARGIN, A4[1] - 16 * mm)
        canvas.drawString(MARGIN, 11 * mm, self.document.subtitle)
        canvas.drawRightString(A4[0] - MARGIN, 11 * mm, f"{self.document.page} {canvas.getPageNumber()}")
        canvas.restoreState()

    def afterFlowable(self, flowable: Any) -> None:
        for key in getattr(flowable, "facts", ()):
            self.found[key] = self.page
        if entry := getattr(flowable, "entry", None):
            self.notify("TOCEntry", (*entry, self.page))


__all__ = ["KOREAN", "Rendered", "render", "write"]
