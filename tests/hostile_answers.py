"""What a server must not be able to do to a download: answers that are wrong, slow or endless."""

from __future__ import annotations

import io
import zlib

from fetch_server import answer
from PIL import Image

BAD_REDIRECTS = {
    "private": ["http://127.0.0.1/", "http://10.0.0.1/", "http://[::1]/", "http://0x7f.1/",
                "http://2130706433/", "//169.254.169.254/latest/meta-data/", "http://localhost/"],
    "scheme": ["file:///etc/passwd", "ftp://example.com/", "data:image/png,x", "javascript:1",
               "gopher://example.com/"],
    "port": ["http://example.com:8080/", "http://example.com:22/", "//example.com:6379/"],
    "form": ["http://a@example.com/", "http://exam ple.com/", "http://[::1/", "\\\\127.0.0.1\\",
             "http://①②⑦.⓪.⓪.①/", "http://example.com\\@127.0.0.1/", "http://xn--.-/"],
}  # fmt: skip


def image_bytes(color="red", file_format="JPEG", size=(32, 24)):
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, file_format)
    return out.getvalue()


def endless(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def endless_chunks(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")


def endless_headers(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: y\r\n" * 1000)


def endless_continue(connection):
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def silence(connection):
    connection.recv(1)  # until the client goes


def bomb():
    deflated = zlib.compressobj(wbits=31)
    return deflated.compress(bytes(50_000_000)) + deflated.flush()


BAD_ANSWERS = {
    "endless": endless,
    "endless chunks": endless_chunks,
    "endless headers": endless_headers,
    "endless continue": endless_continue,
    "closed at once": lambda connection: None,
    "declared too long": answer(Content_Length="999999999999"),
    "too long": answer(bytes(200_000), Content_Length=""),
    "shorter than declared": answer(image_bytes(), Content_Length="5000"),
    "negative length": answer(image_bytes(), Content_Length="-5"),
    "a word for a length": answer(image_bytes(), Content_Length="abc"),
    "a length that is no integer": answer(image_bytes(), Content_Length="1e9"),
    "an Arabic length": answer(image_bytes(), Content_Length="\u0665"),
    "two lengths": answer(
        image_bytes(), Content_Length=f"{len(image_bytes())}\r\nContent-Length: 7"
    ),
    "gzip bomb": answer(bomb(), Content_Encoding="gzip"),
    "brotli": answer(b"x", Content_Encoding="br"),
    "two encodings": answer(b"x", Content_Encoding="identity, gzip"),
    "304": answer(status="304 Not Modified"),
    "206": answer(image_bytes(), status="206 Partial Content"),
    "204": answer(status="204 No Content"),
    "401": answer(status="401 Unauthorized"),
    "404": answer(status="404 Not Found"),
    "500": answer(status="500 Oops"),
    "302 to nowhere": answer(status="302 Found"),
    "status 99": answer(status="99 Odd"),
    "no number for a status": answer(status="OK"),
    "html": answer(b"<html>", kind="text/html; charset=utf-8"),
    "svg": answer(b"<svg/>", kind="image/svg+xml"),
    "pdf": answer(b"%PDF", kind="application/pdf"),
    "json": answer(b"{}", kind="application/json"),
    "no HTTP": b"\x16\x03\x01\x02\x00 hello\r\n\r\n",
    "HTTP/0.9": b"just bytes",
    "SSH": b"SSH-2.0-OpenSSH_9.0\r\n",
    "empty": b"",
    "half a status": b"HTTP/1.1 2",
    "half the headers": b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n",
    "a line too long": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    "101 headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n",
    "a broken chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
    "a cut chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
    "a huge chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\nabc",
    "zeros": bytes(1000),
}
