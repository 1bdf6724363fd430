"""Compile the window's design and its translations, after a change of either or of a text.

    python tools/compile_window.py

Makes `minicnn/apps/window/design.py` from `design.ui`, brings the texts of the program into
`translations/*.ts`, and compiles these to the `.qm` files that the program reads. A text that is
new in a .ts file is marked `unfinished` there until somebody translates it: with Qt Linguist
(`pyside6-linguist FILE.ts`) or any editor. Another language is one more entry of `LANGUAGES`. Needs
the extras `gui` and `dev`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WINDOW = Path(__file__).parents[1] / "minicnn" / "apps" / "window"
TRANSLATIONS = WINDOW / "translations"
# English needs no translation but plurals: "1 image found", "2 images found".
LANGUAGES = {"en": ["-pluralonly"], "ru": []}


def run(*command: str | Path) -> None:
    """Run a program, and end at its failure."""
    subprocess.run([str(word) for word in command], check=True)


def compile_design() -> None:
    """Write design.py from design.ui, without what the compiler adds in vain."""
    target = WINDOW / "design.py"
    run("pyside6-uic", WINDOW / "design.ui", "-o", target)
    lines = target.read_text().splitlines(keepends=True)
    target.write_text("".join(line for line in lines if not line.startswith(("#if", "#endif"))))
    lint = ["--fix-only", "--quiet", "--select", "F401,I,UP"]
    run(sys.executable, "-m", "ruff", "check", *lint, target)
    run(sys.executable, "-m", "ruff", "format", "--quiet", target)


def update_translations(language: str, options: list[str]) -> None:
    """Bring the texts of all sources into a .ts file; those that are gone are left out."""
    sources = [WINDOW / "design.ui", *sorted(WINDOW.glob("*.py"))]
    sources.remove(WINDOW / "design.py")
    options = [*options, "-locations", "none", "-no-obsolete", "-target-language", language]
    target = TRANSLATIONS / f"minicnn_{language}.ts"
    run("pyside6-lupdate", "-source-language", "en", *options, *sources, "-ts", target)


def compile_translations(language: str) -> None:
    """Write a .qm file from a .ts file."""
    target = TRANSLATIONS / f"minicnn_{language}.ts"
    run("pyside6-lrelease", target, "-qm", target.with_suffix(".qm"))


def main() -> None:
    """Compile everything."""
    compile_design()
    for language, options in LANGUAGES.items():
        update_translations(language, options)
        compile_translations(language)


if __name__ == "__main__":
    main()
