"""What a file is, by its first bytes; of its name only the extensions of RAW files count."""

from __future__ import annotations

from minicnn.support.files import read_head

HEAD_BYTES = 32
IMAGE, HEIC, RAW, OTHER = "image", "HEIC", "RAW", "other"

# Most RAW formats are TIFF files inside, so that only their names tell them from pictures.
RAW_EXTENSIONS = (
    ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos",
    ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw",
    ".x3f",
)  # fmt: skip
BEGINNINGS = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"II*\0",  # TIFF
    b"MM\0*",
    *(b"P%d%c" % (kind, space) for kind in range(1, 7) for space in b" \t\r\n"),  # PPM
)
BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)  # bytes, of all versions of the format
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def kind_of_file(path: str) -> str:
    """Return IMAGE, HEIC, RAW or OTHER; raises as `read_head` does."""
    head = read_head(path, HEAD_BYTES)
    return RAW if path.lower().endswith(RAW_EXTENSIONS) else kind_of(head)


def kind_of(head: bytes) -> str:
    """Return IMAGE, HEIC or OTHER for the first bytes of a file.

    >>> kind_of(b"GIF89a..."), kind_of(b"....ftypheic...."), kind_of(b"Dear diary")
    ('image', 'HEIC', 'other')
    """
    if head.startswith(BEGINNINGS) or _is_bmp(head):
        return IMAGE
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return IMAGE
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
        return HEIC
    return OTHER


def _is_bmp(head: bytes) -> bool:
    return head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in BMP_HEADERS
