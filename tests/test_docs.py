"""Every block of code in README.md and docs/ runs as it is written."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
import warnings
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pytest
from image_folders import save
from PIL import Image

import minicnn as mc
from minicnn.apps.cli import main, output
from minicnn.backends import device
from minicnn.data import Preprocess
from minicnn.layers import Conv2D, Dense, Flatten
from minicnn.models.feature_sample import FeatureSample

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCENES = ("buildings", "forest", "glacier", "mountain", "sea", "street")

# Blocks that train for minutes, as (page, one of their lines).
LONG = (
    ("README.md", "epochs=5"), ("data.md", "epochs=12"), ("explain.md", "epochs=12"),
    ("tune.md", "RandomSearch"),
)  # fmt: skip
# Commands that train, or that need a trained run.
TRAINING = ("train", "reproduce", "tune")


class Block(NamedTuple):
    """A block of code on a page."""

    page: str
    line: int
    language: str
    code: str

    @property
    def is_long(self) -> bool:
        """Whether the block takes minutes."""
        return any(self.page == page and line in self.code for page, line in LONG)


def blocks(page):
    text = page.read_text(encoding="utf-8")
    for found in FENCED.finditer(text):
        yield Block(page.name, text[: found.start()].count("\n") + 1, found[1], found[2])


def command_lines(page):
    """The lines that a reader types: shell code, and lines that begin with minicnn."""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        words = shlex.split(line, comments=True) if re.match(r"(    )?minicnn \w", line) else []
        if words:
            yield page.name, number, words


ALL = [block for page in PAGES for block in blocks(page)]
LINES = [line for page in PAGES for line in command_lines(page)]
OF_PYTHON = {
    page.name: found
    for page in PAGES
    if (found := [one for one in ALL if one.page == page.name and one.language == "python"])
}


def test_there_are_blocks_and_each_has_a_language():
    assert len(ALL) > 15 and len(LINES) > 25
    assert {block.language for block in ALL} <= {"python", "sh", "toml", "text"}


def save_image(path, color, size=(24, 20)):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(len(str(path)) + sum(color)).integers(0, 50, (*size, 3))
    Image.fromarray((np.array(color) + noise).astype(np.uint8)).save(path)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with all that the pages name, and us in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    mpl.rcParams["figure.max_open_warning"] = 0
    for number, name in enumerate(SCENES):
        for split, count in (("train", 4), ("test", 2)):
            for i in range(count):
                save_image(tmp_path / f"scenes/{split}/{name}/{split}{i}.png", (30 * number, i, 9))
    for i in range(20):
        save(tmp_path / f"photos/cats/c{i}.png", seed=i)  # with edges, which SIFT needs
        save(tmp_path / f"photos/dogs/d{i}.png", seed=100 + i)
    for name in ("photo.jpg", "a.jpg", "b.jpg", "holiday/1.jpg", "Pictures/1.jpg"):
        save_image(tmp_path / name, (100, 100, 100))
    for i in range(5):
        save_image(tmp_path / f"put-right/receipts/{i}.png", (250, 250, 200 + i))
    os.makedirs("images")
    os.symlink(tmp_path / "scenes", "images/scenes")
    os.symlink(tmp_path / "photos", "more-photos")
    mc.utils.set_random_seed(0)
    scene = mc.Sequential([mc.Input((24, 24, 3)), Conv2D(4, 3), Flatten(), Dense(6, "softmax")])
    scene.class_names, scene.preprocess = SCENES, Preprocess((24, 24))
    features = np.random.default_rng(0).random((12, scene.layers[-1].kernel.shape[0]))
    scene.feature_sample = FeatureSample(features, np.arange(12) % 6, np.arange(12) >= 6)
    scene.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    scene.save("scene.mcnn")
    main.run(["sort", "scene.mcnn", "holiday", "--apply", "--quiet"])  # what --undo takes back
    return tmp_path


@pytest.fixture(scope="session")
def trained_lenet(tmp_path_factory):
    """A model file as that of the LeNet example, but after a few training steps."""
    path = tmp_path_factory.mktemp("lenet") / "best.mcnn"
    (x, y), _ = mc.datasets.mnist.load_data()
    model = mc.zoo.lenet()
    model.class_names = [str(digit) for digit in range(10)]
    model.preprocess = Preprocess((28, 28), "grayscale", scale=1.0, background="dark")
    model.compile(mc.optimizers.SGD(0.02, momentum=0.9), "sparse_categorical_crossentropy")
    model.fit(x[:6400, ..., None], y[:6400], batch_size=64, epochs=2, verbose=0)
    model.save(path)
    return path


@pytest.fixture
def lenet_here(here, trained_lenet):
    """The same, and a digit on paper: the first of MNIST's test digits, a 7."""
    (here / "runs/lenet").mkdir(parents=True)
    os.symlink(trained_lenet, "runs/lenet/best.mcnn")
    _, (images, _) = mc.datasets.mnist.load_data()
    paper = Image.new("L", (300, 260), 225)
    ink = Image.fromarray(images[0]).resize((140, 140), Image.Resampling.BICUBIC)
    paper.paste(40, (30, 90), ink)
    paper.save("digit.png")
    return here


def run_python(page, blocks):
    names = {}
    for block in blocks:
        code = compile("\n" * block.line + block.code, str(ROOT / page), "exec")
        exec(code, names)
    return names


@pytest.mark.parametrize("page", OF_PYTHON)
def test_python_runs(lenet_here, page, capsys, monkeypatch):
    quick = [block for block in OF_PYTHON[page] if not block.is_long]
    if page == "gpu.md" and not device.has_driver():
        monkeypatch.delenv(device.SIMULATOR, raising=False)  # 60,000 digits are too many for it
        with pytest.raises(mc.errors.BackendError):
            run_python(page, quick)
        return
    names = run_python(page, quick)
    if page == "own-digits.md":  # of two answers for a 7 on paper the second is right
        assert "like-mnist.png: 7" in capsys.readouterr().out
    if page == "lenet.md":
        assert names["labels"][0] == 7


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page, _ in LONG])
def test_long_python_runs(lenet_here, page):
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        run_python(page, [block for block in OF_PYTHON[page] if block.is_long])


def command_of(words):
    """Split a line into its command and the remaining words."""
    command, rest = main.load(main.COMMANDS[words[1]]), words[2:]
    if hasattr(command, "commands"):
        return command.commands[rest[0]], rest[1:]
    return command, rest


ids = [f"{page}-{number}" for page, number, _ in LINES]


@pytest.mark.parametrize(("page", "number", "words"), LINES, ids=ids)
def test_lines_are_understood(page, number, words):
    command, rest = command_of(words)
    command.make_context(" ".join(words), rest).close()


RUNS = {"runs/scene-1": "scene", "runs/photo-1": "photo"}  # runs that the pages train
NEEDS_A_SCREEN = "gui"
NEVER_END = ("serve", "explore")
INDEXED = [["index", verb] for verb in ("stats", "duplicates", "verify")]  # they need a library
ELSEWHERE = ("postgresql://", "caffenet")  # lines with these words need what is not here


def can_run(words):
    here = not any(word in " ".join(words) for word in ELSEWHERE)
    return here and words[1] not in (NEEDS_A_SCREEN, *NEVER_END)


QUICK = [
    line
    for line in LINES
    if can_run(line[2]) and line[2][1] not in TRAINING and not {*line[2]} & {*RUNS}
]
NEEDS_THE_INTERNET = ("data", "fetch")


@pytest.mark.parametrize(
    ("page", "number", "words"),
    [line for line in QUICK if tuple(line[2][1:3]) != NEEDS_THE_INTERNET],
    ids=lambda value: value if isinstance(value, int | str) else value[1],
)
def test_quick_lines_do_it(lenet_here, capsys, page, number, words):
    assert_done(words, capsys)


def assert_done(words, capsys):
    """Exit code 3, a finding, is a success of `check` and `doctor`."""
    words = [os.path.expanduser(word) for word in words[1:]]
    if words[0] == "search" or words[:2] in INDEXED:
        main.run(["index", "photos", "--quiet"])
    code = main.run(words)
    finds = words[0] == "doctor" or words[:2] == ["data", "check"]
    assert code == 0 or (finds and code == 3), (words, capsys.readouterr().err)


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({page for page, _, _ in LINES}))
def test_trainings_do_it_one_after_the_other(lenet_here, capsys, page):
    """The lines of a page run in order, with fewer epochs: see `shorter`."""
    output.be_quiet()
    for run, model in RUNS.items():
        if any(run in words for name, _, words in LINES if name == page):
            data = "scenes" if page == "runs.md" else "photos"
            main.run(["train", "--data", data, "--model", model, "--epochs", "1", "--quiet"])
    for _, _, words in (line for line in LINES if line[0] == page):
        if tuple(words[1:3]) != NEEDS_THE_INTERNET and can_run(words):
            assert_done(shorter(words), capsys)


def shorter(words):
    """Limit a line that trains to one epoch and two trials."""
    words = list(words)
    for option, few in (("--epochs", "1"), ("--trials", "2")):
        if option in words:
            words[words.index(option) + 1] = few
        elif option in TAKES.get(words[1], {}).get(" ".join(words[2:3]), ()):
            words += [option, few]
    return words


TAKES = {
    "train": {name: ["--epochs"] for name in ("--data", "--from", "runs/scene-1/config.toml")},
    "reproduce": {name: ["--epochs"] for name in ("scene", "lenet")},
    "tune": {"search": ["--epochs"]},
}

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def test_install_lines_name_extras_that_there_are():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    lines = re.findall(r'pip install (?:-e )?"\.\[([\w,]+)\]"', text)
    assert len(lines) >= 4
    assert all(extra in EXTRAS for line in lines for extra in line.split(","))
    assert "minicnn-engine[" not in text  # on no package index


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), (page, target)
