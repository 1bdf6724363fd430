"""Image files that strangers could send: broken, lying, or something else under their names."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image, PngImagePlugin
from served_library import image_bytes

KINDS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
CUTS = (0.02, 0.2, 0.5, 0.9, 0.99)
FLIPS = 6  # files a format, each with some bytes replaced


def hostile_images() -> dict[str, bytes]:
    """Return all files, by what is wrong with them."""
    found = {f"{kind} cut at {cut:.0%}": _cut(kind, cut) for kind in KINDS for cut in CUTS}
    for kind in KINDS:
        found |= {f"{kind} with wrong bytes {n}": _flipped(kind, n) for n in range(FLIPS)}
    return found | _bombs() | _others() | _polyglots() | _metadata()


def _cut(kind: str, part: float) -> bytes:
    content = image_bytes(kind=kind)
    return content[: int(len(content) * part)]


def _flipped(kind: str, seed: int) -> bytes:
    content, draw = bytearray(image_bytes(kind=kind)), random.Random(f"{kind} {seed}")
    for _ in range(5 + 10 * seed):
        content[draw.randrange(len(content))] = draw.randrange(256)
    return bytes(content)


def png(width: int, height: int, data: bytes = b"", *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of 8-bit colors that declares this size, whatever its data is."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    every = [(b"IHDR", header), *chunks, (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in every
    )


def _bombs() -> dict[str, bytes]:
    """Return small files that declare, or unpack to, something very large."""
    zeros = zlib.compress(bytes(50_000_000), 9)
    jpeg = bytearray(image_bytes())
    start = jpeg.index(b"\xff\xc0")
    jpeg[start + 5 : start + 9] = struct.pack(">HH", 65_500, 65_500)
    huge = 2**31 - 1
    return {
        "PNG of 60,000 x 60,000": png(60_000, 60_000, zlib.compress(b"")),
        "PNG of 2**31 pixels a side": png(huge, huge),
        "PNG of 0 pixels": png(0, 0),
        "PNG whose data are longer": png(8, 8, zeros),
        "PNG as large as is allowed": png(7_000, 7_000, zlib.compress(bytes(147_007_000), 9)),
        "PNG with an endless text": png(8, 8, b"", (b"zTXt", b"a\0\0" + zeros)),
        "PNG with an endless profile": png(8, 8, b"", (b"iCCP", b"a\0\0" + zeros)),
        "JPEG of 65,500 x 65,500": bytes(jpeg),
        "JPEG of many scans": _many_scans(),
        "GIF of 65,535 x 65,535": b"GIF89a\xff\xff\xff\xff\x80\0\0" + bytes(6) + b",",
        "GIF of 2,000 frames": _animation("GIF", 2_000),
        "WEBP of 200 frames": _animation("WEBP", 200),
        "BMP of 2**31 pixels": _bmp(huge, 1),
        "BMP upside down": _bmp(100, -(2**31)),
        "PPM of 10**9 pixels": b"P6\n100000 10000\n255\n",
        "PPM of negative size": b"P6\n-10 10\n255\n" + bytes(300),
        "PPM of endless digits": b"P6\n" + b"9" * 100_000 + b" 1\n255\n",
        "PGM of 16 bits": b"P5\n4 4\n65535\n" + bytes(32),
        "TIFF of 100,000 x 100,000": _tiff({256: 100_000, 257: 100_000}),
        "TIFF with itself as next": _tiff({}, after=8),
        "TIFF of a strip outside": _tiff({273: 2**31}),
        "TIFF of a million strips": _tiff({278: 1, 257: 1_000_000}),
        "TIFF of 3,000 samples": _tiff({277: 3_000}),
        "WEBP of 16,383 x 16,383": _webp(16_383),
    }


def _others() -> dict[str, bytes]:
    """Return files that are no images, or of formats that are not read."""
    return {
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "SVG with entities": b'<!DOCTYPE x [<!ENTITY a "b">]><svg>&a;</svg>',
        "HTML": b"<!doctype html><title>x</title>",
        "PDF": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF",
        "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n/x {run} def\n%%EOF",
        "PSD": b"8BPS\0\1" + bytes(40),
        "ICO": _written("ICO"),
        "ICNS": b"icns" + bytes(60),
        "TGA": _written("TGA"),
        "PCX": _written("PCX"),
        "SGI": _written("SGI"),
        "DDS": b"DDS " + bytes(124),
        "FITS": b"SIMPLE  =                    T" + bytes(2_850),
        "XBM": b"#define x_width 9\n#define x_height 9\nstatic char x_bits[] = {0};",
        "MPO": _written("MPO"),
        "JPEG 2000": _written("JPEG2000"),
        "AVIF": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1",
        "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "WMF": b"\xd7\xcd\xc6\x9a" + bytes(40),
        "ZIP": _zip(),
        "gzip": zlib.compress(b"x", wbits=31),
        "ELF": b"\x7fELF\2\1\1" + bytes(100),
        "a shell script": b"#!/bin/sh\necho x\n",
        "a pickle": b"\x80\x04cos\nsystem\n(S'echo x'\ntR.",
        "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(100),
        "an MP4": b"\0\0\0\x20ftypisom" + bytes(100),
        "one byte": b"\xff",
        "zeros": bytes(10_000),
        "noise": random.Random(1).randbytes(10_000),
        "the head of a PNG alone": b"\x89PNG\r\n\x1a\n",
        "the head of a JPEG alone": b"\xff\xd8\xff",
        "the head of a GIF alone": b"GIF89a",
        "UTF-16": "not an image".encode("utf-16"),
    }


def _polyglots() -> dict[str, bytes]:
    """Return images that are something else, too."""
    script = b"<script>alert(1)</script>"
    noted = PngImagePlugin.PngInfo()
    noted.add_text("Comment", script.decode())
    return {
        "JPEG with a page at its end": image_bytes() + script,
        "JPEG with a page as a comment": image_bytes(comment=script),
        "JPEG with an archive at its end": image_bytes() + _zip(),
        "PNG with a page at its end": image_bytes(kind="PNG") + script,
        "PNG with a page as a text": image_bytes(kind="PNG", pnginfo=noted),
        "GIF that is a script": b"GIF89a/*" + image_bytes(kind="GIF")[8:] + b"*/=1;alert(1)",
        "BMP that is a script": b"BM" + b"=1;alert(1)//" + image_bytes(kind="BMP")[15:],
        "PDF with a JPEG in it": b"%PDF-1.7\n" + image_bytes(),
        "a page with a JPEG in it": script + image_bytes(),
    }


def _metadata() -> dict[str, bytes]:
    """Return images whose descriptions are wrong."""
    exif = b"Exif\0\0II*\0"
    return {
        "JPEG with noise for EXIF": image_bytes(exif=exif + random.Random(2).randbytes(500)),
        "JPEG with EXIF that points at itself": image_bytes(exif=exif + b"\x08\0\0\0\1\0\x69\x87"
                                                  b"\4\0\1\0\0\0\x08\0\0\0" + bytes(4)),
        "JPEG with an orientation of 99": image_bytes(exif=_orientation(99)),
        "JPEG with half of EXIF": image_bytes(exif=exif),
        "JPEG with a wrong profile": image_bytes(icc_profile=b"no profile" * 100),
        "PNG with EXIF": image_bytes(kind="PNG", exif=_orientation(6)),
        "WEBP with EXIF": image_bytes(kind="WEBP", exif=_orientation(8)),
    }  # fmt: skip


def _orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def _written(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(out, kind)
    return out.getvalue()


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../../a.txt", "x")
    return out.getvalue()


def _animation(kind: str, frames: int) -> bytes:
    out = io.BytesIO()
    images = [Image.new("RGB", (9, 9), (i % 251, i % 7, i % 11)) for i in range(frames)]
    images[0].save(out, kind, save_all=True, append_images=images[1:])
    return out.getvalue()


def _many_scans() -> bytes:
    """Return a progressive JPEG whose last scan comes 20,000 times.

    A scan of one color is short, however large the image, and decoding it takes as long as any.
    """
    out = io.BytesIO()
    Image.new("RGB", (7_000, 7_000)).save(out, "JPEG", progressive=True)
    content = out.getvalue()
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * 20_000 + b"\xff\xd9"


def _bmp(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, width, height, 1, 24,
                               0, 0, 0, 0, 0, 0)  # fmt: skip


def _webp(side: int) -> bytes:
    content = bytearray(image_bytes(kind="WEBP"))
    frame = content.index(b"\x9d\x01\x2a") + 3
    content[frame : frame + 4] = struct.pack("<HH", side, side)
    return bytes(content)


def _tiff(tags: dict[int, int], after: int = 0) -> bytes:
    """Return a TIFF of 8 x 8 gray pixels, with other values for some of its tags."""
    usual: dict[int, Any] = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: 200, 277: 1, 278: 8,
                             279: 64}  # fmt: skip
    every = usual | tags
    rows = [struct.pack("<HHII", tag, 4, 1, every[tag]) for tag in sorted(every)]
    head = b"II*\0" + struct.pack("<IH", 8, len(rows)) + b"".join(rows) + struct.pack("<I", after)
    return head.ljust(200, b"\0") + bytes(64)
