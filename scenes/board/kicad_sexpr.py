"""KiCad's s-expressions: text to nested lists that know where they stood, so that an error can name a line.

Written here because neither maintained reader could be used as it is (docs/adr/0010): sexpdata takes 2.4 s for a 2.8 MB
board; gerbonara's is fast but skips what it does not match, such as ``1e-05`` and unquoted ``4.7k``, and recurses.
The tests hold this reader to sexpdata's result on real boards, atom for atom.
"""

from __future__ import annotations

import re
from pathlib import Path

from scenes.errors import AssetError, SceneError

MAX_BYTES = 200_000_000  # a large motherboard is about 60 MB
MAX_DEPTH = 200  # KiCad 9 nests about 12 deep

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|(\()|(\))|([^\s()"]+)|(")', re.DOTALL)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_NAMED = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class Node(list):
    """One expression ``(name atom… node…)``. ``self[0]`` is the name; atoms are plain strings; ``position`` is its offset."""

    __slots__ = ("position",)
    position: int

    @property
    def name(self) -> str:
        return self[0] if self and isinstance(self[0], str) else ""

    def nodes(self, *names: str) -> list[Node]:
        """Children with one of these names, all child nodes where none is given."""
        return [c for c in self if isinstance(c, Node) and (not names or c.name in names)]

    def node(self, name: str) -> Node | None:
        """The first child of this name, or None."""
        for child in self:
            if isinstance(child, Node) and child and child[0] == name:
                return child
        return None

    def atoms(self) -> list[str]:
        """Plain atoms after the name."""
        return [c for c in self[1:] if isinstance(c, str)]

    def atom(self, index: int) -> str:
        """The atom at ``index``. Raises BadNode where there is none."""
        if index < len(self) and isinstance(self[index], str):
            return str(self[index])
        raise BadNode(self)

    def has(self, flag: str) -> bool:
        """Whether the flag is set in either spelling: bare ``hide`` (to KiCad 7) or ``(hide yes)`` (from KiCad 8)."""
        child = self.node(flag)
        return child[-1] != "no" if child is not None else flag in self[1:]

    def text(self, name: str, default: str = "") -> str:
        """The first atom of the child ``name``."""
        child = self.node(name)
        return child[1] if child is not None and len(child) > 1 and isinstance(child[1], str) else default

    def number(self, name: str, default: float = 0.0) -> float:
        """The first atom of the child ``name`` as a number. Raises ValueError with the child's position otherwise."""
        child = self.node(name)
        return default if child is None or len(child) < 2 else child.numbers(1)[0]

    def numbers(self, count: int) -> tuple[float, ...]:
        """The first ``count`` atoms as finite numbers. Raises BadNode where one is missing or is not a number."""
        try:
            values = tuple(float(a) for a in self[1 : count + 1])
        except (TypeError, ValueError):
            raise BadNode(self) from None
        if len(values) < count or not all(abs(v) < 1e9 for v in values):
            raise BadNode(self)
        return values


class BadNode(ValueError):
    """A number or a name is missing or unreadable in ``node``. The importer adds file and line."""

    def __init__(self, node: Node):
        super().__init__(" ".join(["(" + node.name, *(a for a in node.atoms()[:6])]) + ")")
        self.node = node


def line_of(text: str, position: int) -> int:
    """Line number, from 1, of an offset."""
    return text.count("\n", 0, position) + 1


def read_text(path: Path) -> str:
    """The file's text. Raises AssetError for a missing, unreadable or oversized file."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise AssetError(
                f"{path}: {size / 1e6:.0f} MB, more than the {MAX_BYTES / 1e6:.0f} MB allowed; is this a board file?"
            )
        return path.read_bytes().decode("utf-8", errors="replace")
    except OSError as error:
        raise AssetError(f"{path}: cannot be read ({error.strerror or error}); give the path of a .kicad_pcb file") from None


def _unescape(quoted: str) -> str:
    def one(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] == "x" and len(code) > 1:
            return chr(int(code[1:], 16))
        if code[0] in "01234567":
            return chr(int(code, 8))
        return _NAMED.get(code, code)

    return _ESCAPE.sub(one, quoted)


def parse(text: str, where: str) -> Node:
    """The one expression in ``text``.

    Args:
        text: The file's content.
        where: Its path, for messages.

    Raises:
        SceneError: truncated, unbalanced, absurdly nested, or more than one expression; names file and line.
    """
    root: Node | None = None
    stack: list[Node] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastindex
        if kind == 4:
            if not stack:
                raise SceneError(
                    f"{where}:{line_of(text, match.start())}: text outside the expression; this is no KiCad board file"
                )
            stack[-1].append(match[4])
        elif kind == 2:
            node = Node()
            node.position = match.start()
            if stack:
                stack[-1].append(node)
                if len(stack) >= MAX_DEPTH:
                    raise SceneError(
                        f"{where}:{line_of(text, match.start())}: nested more than {MAX_DEPTH} deep; "
                        "KiCad writes nothing like it, save the board again"
                    )
            elif root is None:
                root = node
            else:
                raise SceneError(
                    f"{where}:{line_of(text, match.start())}: a second expression follows the board; save the board again"
                )
            stack.append(node)
        elif kind == 3:
            if not stack:
                raise SceneError(f"{where}:{line_of(text, match.start())}: a closing parenthesis too many; save the board again")
            stack.pop()
        elif kind == 1:
            quoted = match[1]
            if not stack:
                raise SceneError(
                    f"{where}:{line_of(text, match.start())}: text outside the expression; this is no KiCad board file"
                )
            stack[-1].append(_unescape(quoted) if "\\" in quoted else quoted)
        else:
            raise SceneError(
                f"{where}:{line_of(text, match.start())}: a quoted text is never closed; "
                "the file is truncated or damaged, copy or save it again"
            )
    if root is None:
        raise SceneError(f"{where}:1: no expression found; this is no KiCad board file")
    if stack:
        raise SceneError(
            f"{where}:{line_of(text, len(text))}: the file ends inside ({stack[-1].name or '?'} …) that opened in line "
            f"{line_of(text, stack[-1].position)}; it is truncated, copy or save it again"
        )
    return root


__all__ = ["MAX_BYTES", "MAX_DEPTH", "BadNode", "Node", "line_of", "parse", "read_text"]
