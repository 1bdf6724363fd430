"""Reading and writing images."""

from __future__ import annotations

import errno
import io
import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from image_folders import save_ramp
from PIL import Image, JpegImagePlugin

import minicnn as mc
from minicnn.data import (
    ImageDataGenerator,
    array_to_img,
    decode,
    img_to_array,
    load_img,
    read_images,
    save_img,
)
from minicnn.errors import ArgumentError, ImageReadError, ShapeError

MODES = {"rgb": 3, "grayscale": 1, "rgba": 4}


@pytest.mark.parametrize("color_mode", MODES)
@pytest.mark.parametrize("ending", [".jpg", ".png", ".bmp", ".gif", ".tif", ".webp", ".ppm"])
def test_every_format_in_every_mode(tmp_path, ending, color_mode):
    path = save_ramp(tmp_path / f"a{ending}")
    pixels = decode(path, (6, 5), color_mode)
    assert pixels.shape == (6, 5, MODES[color_mode]) and pixels.dtype == np.uint8
    assert load_img(path, color_mode, (6, 5)).size == (5, 6)


def test_nearest_is_what_pillow_gives(tmp_path):
    path = save_ramp(tmp_path / "a.png", (31, 17))
    with Image.open(path) as image:
        expected = np.asarray(image.resize((9, 14), Image.Resampling.NEAREST))
    np.testing.assert_array_equal(decode(path, (14, 9), interpolation="nearest"), expected)
    np.testing.assert_array_equal(img_to_array(load_img(path, target_size=(14, 9))), expected)


def test_a_large_jpeg_is_decoded_small(tmp_path):
    path = save_ramp(tmp_path / "a.jpg", (640, 480))
    small, whole = decode(path, (80, 60)), img_to_array(load_img(path, "rgb", (80, 60), "bilinear"))
    assert np.abs(small - whole).max() <= 3


# What a camera that was held so wrote into the file, of an image that should look like `upright`.
HELD = {
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: lambda upright: upright.transpose(1, 0, 2),
    6: np.rot90,  # show it turned clockwise by 90 degrees
    7: lambda upright: np.rot90(upright.transpose(1, 0, 2), 2),
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("orientation", HELD)
def test_the_camera_s_note_is_obeyed(tmp_path, orientation):
    upright = np.random.default_rng(0).integers(0, 256, (8, 4, 3), dtype=np.uint8)
    held, note = HELD[orientation](upright), Image.Exif()
    note[0x0112] = orientation
    Image.fromarray(held).save(tmp_path / "a.png", exif=note)
    np.testing.assert_array_equal(decode(tmp_path / "a.png"), upright)
    np.testing.assert_array_equal(img_to_array(load_img(tmp_path / "a.png")), upright)
    np.testing.assert_array_equal(decode(tmp_path / "a.png", upright=False), held)
    as_it_lies = load_img(tmp_path / "a.png", upright=False)
    np.testing.assert_array_equal(img_to_array(as_it_lies), held)


@pytest.mark.parametrize(
    "note", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM" + b"\xff" * 40]
)
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_damaged_note_of_the_camera_turns_nothing(tmp_path, note):
    save_ramp(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        image.save(tmp_path / "b.jpg", exif=note, quality=100)
    assert decode(tmp_path / "b.jpg").shape == (12, 10, 3)


def test_the_largest_centered_part_keeps_proportions(tmp_path):
    wide = np.zeros((4, 12, 3), np.uint8)
    wide[:, 4:8] = 200
    Image.fromarray(wide).save(tmp_path / "a.png")
    cut = decode(tmp_path / "a.png", (2, 2), "rgb", "nearest", keep_aspect_ratio=True)
    assert (cut == 200).all()
    assert (decode(tmp_path / "a.png", (2, 2), "rgb", "nearest") == 0).all()


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_sixteen_bit_grays_are_scaled(tmp_path, ending):
    grays = np.arange(0, 65536, 1, np.uint16).reshape(512, 128)  # more rows than a strip has
    Image.fromarray(grays).save(tmp_path / f"a{ending}")
    expected = grays.astype(np.int64) * 255 // 65535
    pixels = decode(tmp_path / f"a{ending}", None, "grayscale")
    np.testing.assert_array_equal(pixels[..., 0], expected)


def test_thirty_two_bit_grays_beyond_sixteen_are_refused(tmp_path):
    Image.fromarray(np.array([[0, 65536]], np.int32)).save(tmp_path / "a.tif")
    with pytest.raises(ImageReadError, match=r"its gray levels are not in 0\.\.\.65535"):
        decode(tmp_path / "a.tif")


def test_a_12_bit_image_in_16_bits_is_said_to_be_nearly_black(tmp_path):
    grays = np.linspace(0, 4095, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(grays).save(tmp_path / "12.png")
    with pytest.warns(UserWarning, match=r"all below 4,096.*Multiply the levels.*by 16"):
        pixels = decode(tmp_path / "12.png", None, "grayscale")
    assert pixels.max() == 15
    Image.fromarray(grays * 16).save(tmp_path / "16.png")  # what the warning says to do
    assert decode(tmp_path / "16.png", None, "grayscale").max() == 254
    Image.fromarray(grays * 0).save(tmp_path / "0.png")  # black it is
    assert decode(tmp_path / "0.png", None, "grayscale").max() == 0


def peak_bytes(function):
    """Return the peak memory of Python and NumPy, which excludes Pillow's pixels."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_sixteen_bits_take_one_byte_a_pixel_more(tmp_path):
    side = 2000
    Image.fromarray(np.full((side, side), 5000, np.uint16)).save(tmp_path / "a.png")
    read = peak_bytes(lambda: decode(tmp_path / "a.png", (32, 32), "grayscale"))
    assert read < 3 * side**2  # 8 bits of each, Pillow's copy of them, strips; int64 would be 8


@pytest.mark.parametrize(("size", "expected"), [((60, 80), (120, 160)), (None, (960, 1280))])
@pytest.mark.parametrize("keep", [False, True])
def test_a_large_jpeg_is_never_whole_in_memory(tmp_path, monkeypatch, size, expected, keep):
    save_ramp(tmp_path / "a.jpg", (960, 1280))
    loaded = []
    whole = JpegImagePlugin.JpegImageFile.load

    def load(image):
        loaded.append(image.size[::-1])
        return whole(image)

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", load)
    load_img(tmp_path / "a.jpg", "rgb", size, "nearest", keep)
    assert set(loaded) == {expected}


def test_more_pixels_are_read_by_who_asks_for_them(tmp_path):
    path = save_ramp(tmp_path / "a.png", (100, 100))
    mc.set_pixel_limit(9_999)
    try:
        with pytest.raises(ImageReadError, match=r"more than 9,999 pixels; mc\.set_pixel_limit"):
            decode(path)
        mc.set_pixel_limit(10_000)
        assert decode(path).shape == (100, 100, 3)
    finally:
        mc.set_pixel_limit(50_000_000)
    for wrong in (0, 1.5, 10**10, True):
        with pytest.raises(ArgumentError, match="pixels must be an integer"):
            mc.set_pixel_limit(wrong)


def test_a_palette_with_transparency_is_read_without_a_warning(tmp_path):
    palette = Image.new("P", (3, 2), 1)
    palette.putpalette([0, 0, 0, 9, 8, 7])
    palette.save(tmp_path / "a.png", transparency=b"\x00\xff")
    assert decode(tmp_path / "a.png")[0, 0].tolist() == [9, 8, 7]


def jpeg(size=(64, 64)):
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "JPEG")
    return file.getvalue()


def png_of(width, height):
    """Return a PNG header that declares a size, without pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 9) + b"IDAT"


BAD = {
    "empty": (b"", "empty"),
    "cut off": (jpeg()[:900], "truncated.*900 bytes"),
    "text": (b"GIF is a format", "not an image"),
    "a page": (b"<html><body>not found</body></html>", "not an image"),
    "too many pixels": (png_of(30_000, 30_000), "more than 50,000,000 pixels"),
}


@pytest.mark.parametrize(("data", "reason"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("read", [decode, load_img])
@pytest.mark.filterwarnings("ignore:Image size")
def test_a_bad_file_is_named_with_a_reason(tmp_path, read, data, reason):
    path = tmp_path / "bad.jpg"
    path.write_bytes(data)
    with pytest.raises(ImageReadError, match=reason) as caught:
        read(path)
    assert caught.value.path == str(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    path = save_ramp(tmp_path / "a/1.png").with_name("2.png")
    os.mkfifo(path)
    for read in (decode, load_img):
        with pytest.raises(ImageReadError, match="is a device, a pipe or a socket"):
            read(path)
    _, kept, failures = read_images([path], 4)
    assert len(kept) == 0 and failures[0][0] == path
    batches = ImageDataGenerator().flow_from_directory(tmp_path, 4, allow_unreadable=0.5)
    assert batches.n == 1 and batches.bad_files[0][0] == path
    with pytest.raises(ImageReadError):
        decode("a\0b.png")


def test_what_is_not_there_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        decode(tmp_path / "a.jpg")
    with pytest.raises(IsADirectoryError):
        load_img(tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [{"color_mode": "hsv"}, {"interpolation": "cubic"}, {"target_size": (0, 5)},
     {"target_size": (5, 5, 3)}],
)  # fmt: skip
def test_wrong_arguments(tmp_path, arguments):
    with pytest.raises(ArgumentError):
        load_img(save_ramp(tmp_path / "a.png"), **arguments)


# --- many ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 3])
def test_read_images_leaves_out_what_it_cannot_read(tmp_path, threads):
    paths = [save_ramp(tmp_path / f"{i}.png", shade=10 * i) for i in range(8)]
    paths[2].write_bytes(b"")
    paths[5] = tmp_path / "no such file.png"
    seen = []
    images, kept, failures = read_images(
        paths, (6, 5), threads=threads, progress=lambda done, count: seen.append((done, count))
    )
    assert kept.tolist() == [0, 1, 3, 4, 6, 7] and images.dtype == np.uint8
    for image, i in zip(images, kept, strict=True):
        np.testing.assert_array_equal(image, decode(paths[i], (6, 5)))
    assert [path for path, _ in failures] == [paths[2], paths[5]]
    assert [reason for _, reason in failures] == ["the file is empty", "No such file or directory"]
    assert seen == [(i + 1, 8) for i in range(8)]


# --- arrays and images --------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_image_and_its_array(channels):
    x = np.random.default_rng(0).integers(0, 256, (5, 4, channels), dtype=np.uint8)
    back = img_to_array(array_to_img(x, scale=False))
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, x)


def test_array_to_img_scales_to_the_full_range():
    x = np.array([[-1.0, 0.0], [1.0, 3.0]])[..., None]
    assert np.asarray(array_to_img(x)).tolist() == [[0, 63], [127, 255]]
    assert np.asarray(array_to_img(np.zeros((1, 2)))).tolist() == [[0, 0]]
    with pytest.raises(ShapeError):
        array_to_img(np.zeros((3, 4, 2)))


def test_save_and_load(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (5, 4, 4), dtype=np.uint8)
    save_img(tmp_path / "a.png", x, scale=False)
    np.testing.assert_array_equal(img_to_array(load_img(tmp_path / "a.png", "rgba")), x)
    save_img(tmp_path / "a.jpg", x, scale=False)  # a JPEG has no transparency
    assert load_img(tmp_path / "a.jpg").size == (4, 5)


def test_an_image_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path, x = tmp_path / "a.png", np.zeros((4, 5, 3), np.uint8)
    save_img(path, x)
    before = path.read_bytes()

    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=f"No space left on device: '{path}'$"):
        save_img(path, x + 9)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["a.png"]


@pytest.mark.parametrize(("name", "file_format"), [("a.xyz", None), ("a", None), ("a.png", "odd")])
def test_an_extension_that_is_not_an_image(tmp_path, name, file_format):
    with pytest.raises(ArgumentError, match=r"image format, such as \.png or \.jpg"):
        save_img(tmp_path / name, np.zeros((4, 5, 3), np.uint8), None, file_format)
    assert os.listdir(tmp_path) == []


def test_the_format_may_be_another_than_the_ending(tmp_path):
    save_img(tmp_path / "a.dat", np.zeros((4, 5, 3), np.uint8), file_format="PNG")
    save_img(tmp_path / "b", np.zeros((4, 5, 3), np.uint8), file_format="jpg", quality=50)
    for name, kind in (("a.dat", "PNG"), ("b", "JPEG")):
        with Image.open(tmp_path / name) as image:
            assert image.format == kind
