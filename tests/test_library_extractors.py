"""Pictures are read once, and described by colors, textures and networks."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import numpy as np
import pytest

pytest.importorskip("django", reason="pip install -e '.[web]'")
from image_folders import make_image
from PIL import Image

import minicnn as mc
from minicnn.apps.library.color_features import ColorFeatures, lab
from minicnn.apps.library.extractors import color_and_texture, default_network, network_extractor
from minicnn.apps.library.network_features import NetworkFeatures
from minicnn.apps.library.reading import read_picture
from minicnn.apps.library.texture_features import TextureFeatures, patterns
from minicnn.data.images import decode
from minicnn.data.tools.fingerprints import look_bits
from minicnn.errors import ArgumentError, ImageReadError

TAKEN, OFFSET, ORIENTATION = 0x9003, 0x9011, 0x0112


def similarity(extractor, first, second):
    a, b = extractor.describe([first, second])
    return float(a.vector.astype(np.float64) @ b.vector.astype(np.float64))


def full(color, side=64):
    return np.full((side, side, 3), color, np.uint8)


def save_with_exif(path, tags, size=(60, 40)):
    exif = Image.Exif()
    exif[ORIENTATION] = tags.pop(ORIENTATION, 1)
    exif.get_ifd(0x8769).update(tags)
    make_image(1, *size).save(path, exif=exif)
    return path


def test_a_picture_is_known_by_its_content(tmp_path):
    path = tmp_path / "a.png"
    make_image(3, 40, 60).save(path)
    found = read_picture(path, color_and_texture())
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (found.width, found.height, found.orientation, found.taken) == (60, 40, 1, None)
    assert {name: image.shape for name, image in found.images.items()} == {
        "color": (64, 64, 3),
        "texture": (128, 128, 1),
    }
    assert read_picture(path.read_bytes(), []).perceptual_hash == found.perceptual_hash


def test_the_perceptual_hash_is_that_of_the_tools_as_a_signed_number(tmp_path):
    path = tmp_path / "a.png"
    make_image(4, 32, 32).save(path)
    gray = np.asarray(Image.open(path).convert("L"), np.float32)
    found = read_picture(path, []).perceptual_hash
    assert -(2**63) <= found < 2**63
    assert np.int64(found).view(np.uint64) == look_bits(gray)


@pytest.mark.parametrize("name", ["photo-small", "color"])
def test_an_extractor_gets_the_image_that_decode_gives(tmp_path, name):
    extractor = network_extractor(name) if name == "photo-small" else ColorFeatures()
    path = tmp_path / "a.jpg"
    make_image(5, 300, 200).save(path)
    wanted = decode(path, **extractor.reading._asdict())
    np.testing.assert_array_equal(read_picture(path, [extractor]).images[name], wanted)


def test_a_picture_looks_the_same_whichever_other_extractors_read_it(tmp_path):
    path = tmp_path / "large.jpg"
    make_image(6, 1500, 2000).save(path)
    network = network_extractor("photo-small")
    alone = read_picture(path, [ColorFeatures()]).images["color"]
    together = read_picture(path, [network, ColorFeatures()]).images["color"]
    np.testing.assert_array_equal(alone, together)


@pytest.mark.parametrize("ending", ["jpg", "png", "tif"])
def test_width_and_height_are_those_of_the_upright_picture(tmp_path, ending):
    path = save_with_exif(tmp_path / f"a.{ending}", {ORIENTATION: 6})
    found = read_picture(path, [TextureFeatures()])
    assert (found.width, found.height, found.orientation) == (60, 40, 6)  # stored as 40 x 60
    assert decode(path).shape == (40, 60, 3)
    upright = decode(path, (128, 128), "grayscale", "box")
    np.testing.assert_array_equal(found.images["texture"], upright)


@pytest.mark.parametrize(
    ("tags", "taken"),
    {
        "local": ({TAKEN: "2025:07:14 18:30:00"}, datetime(2025, 7, 14, 18, 30, tzinfo=UTC)),
        "zone": (
            {TAKEN: "2025:07:14 18:30:00", OFFSET: "+02:00"},
            datetime(2025, 7, 14, 16, 30, tzinfo=UTC),
        ),
        "bad zone": (
            {TAKEN: "2025:07:14 18:30:00", OFFSET: "noon"},
            datetime(2025, 7, 14, 18, 30, tzinfo=UTC),
        ),
        "never set": ({TAKEN: "0000:00:00 00:00:00"}, None),
        "beyond": (
            {TAKEN: "0001:01:01 00:00:00", OFFSET: "+23:59"},
            datetime(1, 1, 1, tzinfo=UTC),
        ),
    }.values(),
    ids=["local", "zone", "bad zone", "never set", "beyond"],
)
def test_when_a_picture_was_taken(tmp_path, tags, taken):
    assert read_picture(save_with_exif(tmp_path / "a.jpg", dict(tags)), []).taken == taken


def test_a_file_that_is_no_image_is_an_error_with_its_name(tmp_path):
    path = tmp_path / "notes.jpg"
    path.write_text("no image")
    with pytest.raises(ImageReadError, match=r"notes\.jpg"):
        read_picture(path, [])
    with pytest.raises(FileNotFoundError):
        read_picture(tmp_path / "none.jpg", [])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_pixels_is_read(tmp_path, mode):
    path = tmp_path / f"a.{'tif' if mode in ('CMYK', 'I;16') else 'png'}"
    image = make_image(7).convert("L") if mode == "I;16" else make_image(7)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 256)
    else:
        image = image.convert(mode)
    image.save(path)
    images = read_picture(path, color_and_texture()).images
    assert images["color"].shape == (64, 64, 3) and images["texture"].std() > 0


# sRGB's primaries in CIE Lab (D65), as tables of color science give them.
PRIMARIES = {
    (255, 0, 0): (53.24, 80.09, 67.20),
    (0, 255, 0): (87.73, -86.18, 83.18),
    (0, 0, 255): (32.30, 79.19, -107.86),
    (255, 255, 255): (100.0, 0.0, 0.0),
    (0, 0, 0): (0.0, 0.0, 0.0),
}


@pytest.mark.parametrize("color", PRIMARIES, ids=str)
def test_colors_have_the_known_places_in_lab(color):
    np.testing.assert_allclose(lab(np.array(color) / 255), PRIMARIES[color], atol=0.05)


def test_colors_are_compared_as_people_see_them():
    color = ColorFeatures()
    red = full((200, 30, 30))
    assert similarity(color, red, red) == pytest.approx(1, abs=2e-3)
    assert similarity(color, red, full((30, 30, 200))) == 0
    slightly, clearly = full((190, 36, 34)), full((140, 60, 60))
    assert 1 > similarity(color, red, slightly) > similarity(color, red, clearly) > 0
    half = red.copy()
    half[:32] = (30, 30, 200)
    assert similarity(color, red, half) == pytest.approx(np.sqrt(0.5), abs=2e-3)


def test_where_a_color_is_does_not_matter():
    picture = np.asarray(make_image(8, 64, 64))
    turned = np.ascontiguousarray(picture[::-1, ::-1])
    assert similarity(ColorFeatures(), picture, turned) == pytest.approx(1, abs=2e-3)


def test_patterns_by_hand():
    """Neighbors at least as bright are bits, clockwise from the top left corner."""
    gray = np.array([[5, 9, 1], [1, 5, 6], [1, 1, 4]])
    assert patterns(gray).tolist() == [[0b00001011]]
    assert patterns(np.zeros((4, 5))).tolist() == [[255] * 3] * 2


def test_texture_ignores_light_and_sees_direction():
    texture = TextureFeatures()
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 100, (128, 128, 1), np.uint8)
    stripes = np.tile(np.uint8([0, 0, 80, 80]), 32)[:, None, None].repeat(128, 1)
    across = np.ascontiguousarray(stripes.swapaxes(0, 1))
    assert similarity(texture, noise, noise + 100) == pytest.approx(1, abs=2e-3)
    assert similarity(texture, noise, stripes) < 0.8
    assert similarity(texture, stripes, across) < 0.8


@pytest.mark.parametrize("extractor", color_and_texture(), ids=lambda one: one.name)
def test_vectors_are_of_length_one(extractor):
    side, mode = extractor.reading.size[0], extractor.reading.color_mode
    image = np.asarray(make_image(9, side, side).convert("L" if mode == "grayscale" else "RGB"))
    (found,) = extractor.describe([image.reshape(side, side, -1)])
    assert found.vector.dtype == np.float16 and found.vector.shape == (extractor.dimensions,)
    assert np.linalg.norm(found.vector.astype(np.float64)) == pytest.approx(1, abs=2e-3)
    assert found.top == ()


def tiny_network(seed=0, *, dense=True, calibrated=False):
    mc.random.set_random_seed(seed)
    x = inputs = mc.layers.Input((8, 8, 3))
    x = mc.layers.Conv2D(4, 3, activation="relu")(x)
    x = mc.layers.GlobalAveragePooling2D()(x)
    if dense:
        x = mc.layers.Dense(3, activation="softmax")(x)
    model = mc.Model(inputs, x)
    model.preprocess = mc.data.Preprocess((8, 8))
    model.class_names = ["a", "b", "c"] if dense else None
    if calibrated:
        model.calibration = mc.metrics.Calibration(3.0, [0.9], [True])
    return model


def test_features_are_what_the_last_layer_reads():
    model = tiny_network()
    image = np.asarray(make_image(1, 8, 8))
    (found,) = NetworkFeatures("tiny", model).describe([image])
    x = model.preprocess(image[None])
    features = mc.Model(model.inputs[0], model.layers[-2].output).predict(x, verbose=0)[0]
    wanted = features / np.linalg.norm(features)
    np.testing.assert_allclose(found.vector, wanted, atol=1e-3)
    answers = model.predict(x, verbose=0)[0]
    assert [label for label, _ in found.top] == ["abc"[i] for i in np.argsort(-answers)]
    assert found.top[0][1] == pytest.approx(answers.max(), rel=1e-5)


def test_answers_are_calibrated():
    image = np.asarray(make_image(1, 8, 8))
    sure = NetworkFeatures("tiny", tiny_network()).probabilities([image])
    calibrated = NetworkFeatures("tiny", tiny_network(calibrated=True)).probabilities([image])
    roots = sure ** (1 / 3)
    np.testing.assert_allclose(calibrated, roots / roots.sum(), rtol=1e-5)


def test_the_hash_is_that_of_weights_and_preprocessing():
    one, same, other = tiny_network(0), tiny_network(0), tiny_network(1)
    hashes = [NetworkFeatures("tiny", model).sha256 for model in (one, same, other)]
    assert hashes[0] == hashes[1] != hashes[2]
    same.preprocess = mc.data.Preprocess((8, 8), scale=1.0)
    assert NetworkFeatures("tiny", same).sha256 != hashes[0]


def test_a_file_is_named_after_itself(tmp_path):
    path = tmp_path / "scene 2.mcnn"
    tiny_network().save(path)
    found = network_extractor(str(path))
    assert (found.name, found.source, found.dimensions) == ("scene 2", str(path), 4)
    assert found.class_names == ["a", "b", "c"]


def test_networks_that_cannot_describe_pictures_are_refused():
    bare, headless = tiny_network(), tiny_network(dense=False)
    bare.preprocess = None
    with pytest.raises(ArgumentError, match="no preprocessing"):
        NetworkFeatures("bare", bare)
    headless.class_names = ["a", "b", "c", "d"]
    with pytest.raises(ArgumentError, match="must end in a Dense layer"):
        NetworkFeatures("headless", headless)


def test_many_images_are_described_as_one_by_one():
    extractor = NetworkFeatures("tiny", tiny_network())
    images = [np.asarray(make_image(i, 8, 8)) for i in range(35)]
    together, alone = extractor.describe(images), [extractor.describe([one])[0] for one in images]
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_allclose(a.vector, b.vector, atol=1e-3)


def test_the_default_network_can_be_loaded():
    assert network_extractor(default_network()).dimensions in (160, 1280)
