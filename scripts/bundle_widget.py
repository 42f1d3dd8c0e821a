"""Print the digest of everything that static/widget.js is made of: the page's modules, styles and fonts, and this bundler."""

from __future__ import annotations

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "src" / "descend" / "lab" / "static"


def sources() -> list[Path]:
    """The files the bundle may hold, in a fixed order."""
    kinds = (".js", ".css", ".woff2")
    found = [p for p in STATIC.rglob("*") if p.suffix in kinds and p.name not in ("widget.js", "main.js")]
    return sorted([*found, ROOT / "scripts" / "bundle_widget.cjs"])


def digest() -> str:
    """Changes when any of them does."""
    told = hashlib.sha256()
    for path in sources():
        told.update(f"{path.relative_to(ROOT).as_posix()}\n".encode())
        told.update(path.read_bytes())
    return told.hexdigest()[:16]


if __name__ == "__main__":
    print(digest())
