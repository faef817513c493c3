"""Are the links, anchors and commands in the Markdown documents true?

Owns the reading of Markdown as far as links go: inline links and images, headings' anchors as
GitHub makes them, `bin/…` commands. Refuses nothing; `problems` lists what is wrong, one line
each. Addresses on the web are not visited: tests and CI have no network.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from urllib.parse import unquote

_LINK = re.compile(r"!?\[(?:[^\]\\]|\\.)*\]\(\s*<?([^)<>\s]+)>?(?:\s+[\"'][^\"']*[\"'])?\s*\)")
_SOURCE = re.compile(r"<(?:img|a)\b[^>]*?\b(?:src|href)=[\"']([^\"']+)[\"']")
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*$", re.M)
_FENCE = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1\s*$", re.M | re.S)
_COMMAND = re.compile(r"(?<![\w./-])bin/[a-z_][\w.-]*")
_CODE = re.compile(r"`[^`\n]*`")


def documents(root: Path) -> list[Path]:
    """The Markdown files that people read: those at the root and all under docs/."""
    return sorted([*root.glob("*.md"), *root.glob("docs/**/*.md")])


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading (ASCII and Japanese alike)."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    kept = [
        c for c in text.lower() if c in " -_" or unicodedata.category(c)[0] in "LNM"
    ]
    return "".join(kept).replace(" ", "-")


@cache
def _anchors(path: Path) -> frozenset[str]:
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    seen: dict[str, int] = {}
    found = set(re.findall(r"<a\s+(?:name|id)=[\"']([^\"']+)", text))
    for heading in _HEADING.findall(text):
        name = anchor(heading)
        count = seen.get(name, 0)
        seen[name] = count + 1
        found.add(f"{name}-{count}" if count else name)
    return frozenset(found)


def problems(root: Path) -> list[str]:
    """`file: what is wrong`, for every document under `root`."""
    wrong = []
    for path in documents(root):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(root)
        prose = _CODE.sub("", _FENCE.sub("", text))
        for target in [*_LINK.findall(prose), *_SOURCE.findall(prose)]:
            if re.match(r"[a-z][a-z0-9+.-]*:", target) or target.startswith("//"):
                continue
            file, _, fragment = target.partition("#")
            linked = (path.parent / unquote(file)).resolve() if file else path
            if not linked.exists():
                wrong.append(f"{name}: no such file: {target}")
            elif fragment and linked.suffix == ".md" and unquote(fragment) not in _anchors(linked):
                wrong.append(f"{name}: no such heading: {target}")
        for command in sorted(set(_COMMAND.findall(text))):
            if not (root / command.rstrip(".")).exists():
                wrong.append(f"{name}: no such command: {command}")
    return wrong
