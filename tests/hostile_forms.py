"""Requests whose form is broken or odd, with an image in it that is fine."""

from __future__ import annotations

from served_library import image_bytes

IMAGE = image_bytes()
NAMES = {
    "a path upward": "../../../../tmp/x.jpg",
    "an absolute path": "/etc/passwd",
    "a path of Windows": "C:\\\\windows\\\\x.jpg",
    "a zero byte": "x\0.jpg",
    "from right to left": "\u202egpj.exe",
    "4,000 letters": "a" * 4_000 + ".jpg",
    "a tag": "<img src=x onerror=alert(1)>.jpg",
    "dots": "..",
    "nothing": "",
    "a script": "x.php",
    "a quote": 'x\\".jpg',
    "a percent": "%2e%2e%2fx.jpg",
    "emoji": "😀.jpg",
    "a lone surrogate": "\udcff.jpg",
    "a device": "CON",
    "a line": "x%0d%0aSet-Cookie: a=b.jpg",
}
FORM = "multipart/form-data; boundary=b"
END = b"\r\n--b--\r\n"


def part(
    content: bytes = IMAGE, name: str = "image", file: str = "a.jpg", head: bytes = b""
) -> bytes:
    """Return one part of a form with the boundary `b`."""
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{file}"'
    lines = b"--b\r\n" + disposition.encode(errors="surrogateescape") + b"\r\n"
    return lines + head + b"\r\n" + content


def hostile_forms() -> dict[str, tuple[str, bytes]]:
    """Return {what is wrong: (content type, body)}."""
    named = {f"a file called {what}": (FORM, part(file=n) + END) for what, n in NAMES.items()}
    return named | _broken() | _many() | _types()


def _broken() -> dict[str, tuple[str, bytes]]:
    return {
        "no body": (FORM, b""),
        "no boundary": ("multipart/form-data", part() + END),
        "an empty boundary": ("multipart/form-data; boundary=", part() + END),
        "another boundary": ("multipart/form-data; boundary=c", part() + END),
        "a long boundary": (f"multipart/form-data; boundary={'b' * 5_000}", part() + END),
        "a boundary of spaces": ('multipart/form-data; boundary="  "', part() + END),
        "a boundary that is not ASCII": ("multipart/form-data; boundary=\xe9", part() + END),
        "no end": (FORM, part()),
        "cut in the head": (FORM, part()[:40]),
        "cut in the image": (FORM, part()[:-200]),
        "no head": (FORM, b"--b\r\n\r\n" + IMAGE + END),
        "a head without a name": (FORM, part(head=b"").replace(b'name="image"; ', b"") + END),
        "a head of 100 KB": (FORM, part(head=b"X: " + b"y" * 100_000 + b"\r\n") + END),
        "1,000 heads": (FORM, part(head=b"X: y\r\n" * 1_000) + END),
        "a flood of lines": (FORM, b"\r\n" * 500_000),
        "a flood of boundaries": (FORM, b"--b\r\n" * 100_000),
        "base64": (FORM, part(b"AAAA", head=b"Content-Transfer-Encoding: base64\r\n") + END),
        "wrong base64": (FORM, part(b"\xff*", head=b"Content-Transfer-Encoding: base64\r\n") + END),
        "half of base64": (FORM, part(b"A", head=b"Content-Transfer-Encoding: base64\r\n") + END),
        "a wrong length": (FORM, part(head=b"Content-Length: 99999999999\r\n") + END),
        "a negative length": (FORM, part(head=b"Content-Length: -1\r\n") + END),
        "a length in words": (FORM, part(head=b"Content-Length: x\r\n") + END),
        "a form in a form": (FORM, part(part() + END, head=b"Content-Type: " + FORM.encode()
                                        + b"\r\n") + END),
    }  # fmt: skip


def _many() -> dict[str, tuple[str, bytes]]:
    field = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n'
    return {
        "two images": (FORM, part() + b"\r\n" + part() + END),
        "four files": (FORM, b"\r\n".join([part()] * 4) + END),
        "1,001 files": (FORM, b"\r\n".join([part()] * 1_001) + END),
        "1,001 fields": (FORM, field * 1_001 + part() + END),
        "a field of 1 MB": (FORM, b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n'
                            + b"y" * 1_000_000 + END),
        "an address of 1 MB": (FORM, part(b"x" * 1_000_000, "address") + END),
        "10 MB": (FORM, part(bytes(10_000_001)) + END),
        "11 MB": (FORM, part(bytes(11_000_000)) + END),
        "25 MB": (FORM, part(bytes(25_000_000)) + END),
    }  # fmt: skip


def _types() -> dict[str, tuple[str, bytes]]:
    body = part() + END
    kinds = [
        "", "image/jpeg", "text/plain", "application/json", "multipart/mixed; boundary=b",
        "application/x-www-form-urlencoded", "application/octet-stream", "multipart/form-data;",
        "multipart/form-data; boundary=b; charset=no-such", FORM + "; charset=utf-16",
        FORM + "; charset=utf-7", FORM + "; boundary=c", "MULTIPART/FORM-DATA; BOUNDARY=b",
        "multipart/form-data; boundary*=utf-8''b", "application/x-www-form-urlencoded; charset=x",
    ]  # fmt: skip
    return {f"of type {kind!r}": (kind, body) for kind in kinds}
