"""Reading files safely, writing them atomically, and locks."""

from __future__ import annotations

import ast
import errno
import os
import re
import signal
import socket
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

import minicnn
from minicnn.errors import FolderInUseError, FormatError, SizeLimitError
from minicnn.support import atomic_files, files, locks
from minicnn.support.atomic_files import (
    Journal,
    append_line,
    new_temporary,
    sweep,
    write_atomically,
    write_text,
)
from minicnn.support.files import open_below, open_regular, read_text, read_whole
from minicnn.support.locks import FolderLock

PACKAGE = Path(minicnn.__file__).parent

# The only modules that may open files themselves.
FILE_MODULES = {"support/files.py", "support/atomic_files.py", "support/locks.py"}
OPENING = {
    "open", "read_text", "read_bytes", "write_text", "write_bytes", "copy", "copy2", "copyfile",
    "copytree", "load", "loadtxt", "genfromtxt", "fromfile", "tofile", "memmap", "save", "savetxt",
    "savez", "savez_compressed", "savefig",
}  # fmt: skip
PICTURES = ("np", "image", "picture", "sheet")  # what else has a `save` writes by the door
OTHERS = (
    "archive.open(entry)",  # a file inside a zip archive
    "found.read_text('direct_url.json')",  # a distribution's, of its own files
    "os.open(os.devnull, os.O_WRONLY)",
    "os.open(os.devnull, os.O_RDWR)",
    "self.preview.open()",  # dialogs
    "question.open()",
)


def openings(tree: ast.AST) -> set[str]:
    """{"read_text"} for `path.read_text()`: the calls that open a file by its name."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name) and function.id == "open":
            found.add("open")
        elif (
            isinstance(function, ast.Attribute)
            and function.attr in OPENING
            and not _has_an_open_file(function, node)
        ):
            found.add(function.attr)
    return found


def _has_an_open_file(function: ast.Attribute, call: ast.Call) -> bool:
    """Return whether the call is a method of arrays or models, or gets an opened file."""
    first = call.args[0] if call.args else None
    named = {keyword.arg for keyword in call.keywords}
    owner = function.value.id if isinstance(function.value, ast.Name) else ""
    return (
        (function.attr == "copy" and owner != "shutil")
        or (function.attr == "save" and owner not in PICTURES)
        or (function.attr == "load" and owner != "np")
        or "fileobj" in named
        or (isinstance(first, ast.Name) and first.id in ("file", "buffer", "content", "stream"))
        or ast.unparse(call) in OTHERS
    )


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_files_are_opened_in_one_module_only(path):
    name = path.relative_to(PACKAGE).as_posix()
    if name not in FILE_MODULES:
        found = openings(ast.parse(path.read_text()))
        assert not found, f"{name}: use minicnn.support.files or minicnn.support.atomic_files"


@pytest.mark.parametrize(
    "source", ["open(path)", "path.open('rb')", "Path(p).read_text()", "Image.open(path)",
               "np.load(path)", "np.save(path, x)", "shutil.copy2(a, b)", "tarfile.open(path)",
               "figure.savefig(path)", "image.save(path)"]
)  # fmt: skip
def test_the_net_catches_an_opened_name(source):
    assert openings(ast.parse(source))


# --- reading ------------------------------------------------------------------------------------


def no_file(kind: str, folder: Path) -> Path:
    """Make a name that is not a regular file."""
    path = folder / "p.jpg"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link to a pipe":
        os.mkfifo(folder / "pipe")
        path.symlink_to(folder / "pipe")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    else:
        path = Path("/dev/zero")
    return path


NO_FILES = ["pipe", "link to a pipe", "socket", "device"]


@pytest.mark.parametrize("reader", [open_regular, lambda p: read_whole(p, 9), read_text])
@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_regular_file_is_refused_unread(reader, kind, tmp_path):
    path = no_file(kind, tmp_path)
    with pytest.raises(FormatError, match=f"^{re.escape(str(path))}: is a device, a pipe or a"):
        reader(path)


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_regular_file_is_not_written_to(kind, tmp_path):
    path = no_file(kind, tmp_path)
    with pytest.raises(FormatError, match="is a device, a pipe or a socket"):
        append_line(path, "a")


@pytest.mark.parametrize("reader", [open_regular, lambda p: read_whole(p, 9), read_text])
def test_errors_of_the_system_name_the_path(reader, tmp_path):
    for path, error in ((tmp_path, IsADirectoryError), (tmp_path / "no", FileNotFoundError)):
        with pytest.raises(error) as caught:
            reader(path)
        assert os.fspath(caught.value.filename) == str(path)


def test_a_name_that_no_file_can_have(tmp_path):
    with pytest.raises(FormatError, match=r"^'a\\x00b': cannot be the name of a file"):
        open_regular("a\0b")


def test_the_limit_holds_also_where_the_system_gives_no_size(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_whole(path, 5) == b"12345"
    with pytest.raises(SizeLimitError, match="holds 5 bytes, and at most 4 are read"):
        read_whole(path, 4)
    status = Path("/proc/self/status")
    if status.exists():  # regular, of size 0
        with pytest.raises(SizeLimitError, match="holds more than 4 bytes"):
            read_whole(status, 4)


@pytest.fixture(params=["step by step", "whole paths"])
def opening(request, monkeypatch):
    """Open below a folder as systems do that can open step by step, and as the others do."""
    if request.param == "whole paths":
        monkeypatch.setattr(os, "supports_dir_fd", set())


def test_a_file_below_a_folder_is_opened(opening, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_text("x")
    (tmp_path / "link").symlink_to("a")
    for folder in (tmp_path / "a", tmp_path / "link", f"{tmp_path}/a/"):
        with open_below(folder, "b/c") as file:
            assert file.read() == b"x"
    with pytest.raises(FileNotFoundError):
        open_below(tmp_path, "a/b/none")


OUTSIDE = ["", ".", "..", "../secret", "a/../../secret", "/secret", "//secret", "link", "a\0",
           "folder/secret", "folder/../../secret", "a", "pipe", "loop"]  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out_of_the_folder_or_to_no_file(opening, tmp_path, path):
    folder = tmp_path / "inside"
    (folder / "a").mkdir(parents=True)
    (tmp_path / "secret").write_text("x")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "folder").symlink_to("..")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe")
    with pytest.raises((FormatError, OSError)):
        open_below(folder, path)


def test_text_without_its_mark(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffä\n".encode())
    assert read_text(path) == "ä\n"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_text_that_is_no_utf8_is_refused_with_its_place(mark, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(mark + b"a\nb\nc\xe9\n")
    with pytest.raises(FormatError, match="line 3 has the byte 0xe9") as caught:
        read_text(path)
    assert caught.value.offset == len(mark) + 5


# --- writing ------------------------------------------------------------------------------------


class FullDisk:
    """`os` with one function that fails after some calls."""

    def __init__(self, name: str, calls: int = 0):
        self.name, self.left = name, calls

    def __getattr__(self, name):
        return self._full if name == self.name else getattr(os, name)

    def _full(self, *arguments, **keywords):
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return getattr(os, self.name)(*arguments, **keywords)


@pytest.mark.parametrize("name", ["open", "write", "fsync", "replace"])
def test_a_full_disk_names_the_file(name, tmp_path, monkeypatch):
    path = tmp_path / "a"
    monkeypatch.setattr(atomic_files, "os", FullDisk(name))
    with pytest.raises(OSError, match=f"No space left on device: '{path}'$") as caught:
        write_atomically(path, [b"new"])
    assert caught.value.filename == str(path) and os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_written_to_is_named_by_the_file(tmp_path, monkeypatch):
    def refuse(path, *_):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    system = FullDisk("open")
    system._full = refuse
    monkeypatch.setattr(atomic_files, "os", system)
    with pytest.raises(PermissionError) as caught:
        write_atomically(tmp_path / "a", [b"new"])
    assert caught.value.filename == str(tmp_path / "a")  # and not the temporary one


KILLED = """
import os, signal, sys
from minicnn.support import atomic_files
class Killed:
    def __getattr__(self, name): return getattr(os, name)
    def replace(self, *_): os.kill(os.getpid(), signal.SIGKILL)
atomic_files.os = Killed()
atomic_files.write_atomically(sys.argv[1], [b"half"])
"""


def test_what_a_killed_writer_left_is_swept_at_the_next_save(tmp_path):
    path = tmp_path / "a"
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=PACKAGE.parent)
        assert done.returncode == -signal.SIGKILL
        assert len(os.listdir(tmp_path)) == 1  # the second took the first's away, and left its own
    atomic_files._swept.clear()
    write_atomically(path, [b"new"])
    assert os.listdir(tmp_path) == ["a"]


def test_the_sweep_looks_through_a_folder_once(tmp_path, monkeypatch):
    swept = []
    monkeypatch.setattr(atomic_files, "sweep", swept.append)
    for i in range(9):
        write_atomically(tmp_path / f"{i}", [b""])
    assert swept == [str(tmp_path)]


def aged(path: Path, days: float) -> Path:
    """Return the file after setting its time back by some days."""
    then = path.lstat().st_mtime - days * 24 * 60 * 60
    os.utime(path, (then, then), follow_symlinks=False)
    return path


def test_the_sweep_removes_only_files_that_no_process_writes(tmp_path):
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, check=True).stdout.decode().strip()  # fmt: skip
    here, elsewhere, token = atomic_files.machine_mark(), "0" * 8, "0123456789abcdef"
    kept = {
        f".minicnn-{here}-{os.getppid()}-{token}.tmp": 2.0,  # its process lives
        f".minicnn-{elsewhere}-{gone}-{token}.tmp": 0.1,  # who knows
        f".minicnn-{token}.tmp": 0.1,
        f".minicnn-{token}.jpg": 9.0,  # a picture that a renaming put aside
        f"minicnn-{here}-{gone}-{token}.tmp": 9.0,
        "notes.tmp": 9.0,
    }
    swept = {
        f".minicnn-{here}-{gone}-{token}.tmp": 0.0,
        f".minicnn-{here}-{os.getpid()}-{token}.tmp": 0.0,  # of an earlier one with this number
        f".minicnn-{elsewhere}-{gone}-{token}.tmp"[:-5] + "0.tmp": 1.1,
        f".minicnn-{token[::-1]}.tmp": 1.1,
    }
    for name, days in {**kept, **swept}.items():
        (tmp_path / name).write_bytes(b"")
        aged(tmp_path / name, days)
    folder = tmp_path / f".minicnn-{here}-{gone}-{'f' * 16}.tmp"
    (folder / "train").mkdir(parents=True)
    link = tmp_path / f".minicnn-{here}-{gone}-{'e' * 16}.tmp"
    link.symlink_to(tmp_path / "notes.tmp")
    with new_temporary(tmp_path) as name:
        Path(name).write_bytes(b"")
        sweep(tmp_path)
        assert {*os.listdir(tmp_path)} == {*kept, os.path.basename(name), link.name}


def test_lines_are_added_whole(tmp_path, monkeypatch):
    path = tmp_path / "a.log"
    append_line(path, "one")
    path.write_bytes(path.read_bytes() + b"tor")  # killed in the middle of a line
    append_line(path, "two")
    assert path.read_bytes() == b"one\ntor\ntwo\n"
    with Journal(path) as journal:
        journal.add("three")
        with monkeypatch.context() as patch:
            patch.setattr(atomic_files, "os", FullDisk("fsync"))
            with pytest.raises(OSError, match=f"No space left on device: '{path}'$"):
                journal.add("four")
        journal.add("five", end="\r\n")
    assert path.read_bytes() == b"one\ntor\ntwo\nthree\nfive\r\n"


def test_text_keeps_names_that_are_no_utf8(tmp_path):
    write_text(tmp_path / "a", "ä \udcff\n")
    assert (tmp_path / "a").read_bytes() == b"\xc3\xa4 \xff\n"


# --- locks --------------------------------------------------------------------------------------

HOLDER = """
import sys, time
from minicnn.support.locks import FolderLock
with FolderLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[bytes]:
    """Start another process that holds the lock until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PACKAGE.parent,
    )  # fmt: skip
    assert process.stdout.readline() == b"held\n"
    return process


@pytest.mark.skipif(locks.fcntl is None, reason="the system has no such locks")
def test_two_processes_cannot_be_in_one_folder(tmp_path):
    with holder(tmp_path) as process:
        with pytest.raises(
            FolderInUseError, match=rf"process {process.pid} is working in this folder"
        ):
            FolderLock(tmp_path).acquire()
        process.stdin.close()
    with FolderLock(tmp_path), pytest.raises(FolderInUseError) as caught:
        FolderLock(tmp_path).acquire()
    assert caught.value.process == os.getpid()
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(locks.fcntl is None, reason="the system has no such locks")
def test_the_lock_of_a_killed_process_is_taken_over(tmp_path):
    with holder(tmp_path) as process:
        process.kill()
    assert os.listdir(tmp_path) == [locks.NAME]
    with FolderLock(tmp_path):
        assert (tmp_path / locks.NAME).read_text() == f"{os.getpid()}\n"
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(locks.fcntl is None, reason="the system has no such locks")
def test_of_two_takers_one_gets_it(tmp_path, monkeypatch):
    """The previous owner removes the file just after the next one has opened it."""
    opened = []

    def open_handle(path, flags):
        handle = files.open_handle(path, flags)
        if not opened:
            os.unlink(path)
        opened.append(handle)
        return handle

    monkeypatch.setattr(locks, "open_handle", open_handle)
    with FolderLock(tmp_path), pytest.raises(FolderInUseError):
        FolderLock(tmp_path).acquire()
    assert len(opened) == 3 and os.listdir(tmp_path) == []


@pytest.mark.skipif(locks.fcntl is None, reason="the system has no such locks")
def test_a_lock_that_a_full_disk_spoils_is_let_go_of(tmp_path, monkeypatch):
    lock = FolderLock(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(locks, "os", FullDisk("write"))
        with pytest.raises(OSError, match="No space left") as caught:
            lock.acquire()
    assert caught.value.filename == str(tmp_path / locks.NAME)
    with FolderLock(tmp_path):  # though the first one is still there
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_does_not_keep_the_lock(tmp_path):
    with FolderLock(tmp_path):
        child = os.fork()
        if child == 0:
            signal.pause()
    try:
        with FolderLock(tmp_path):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_small_file_takes_little_memory_whatever_its_limit(tmp_path):
    (tmp_path / "small").write_bytes(b"x" * 1000)
    tracemalloc.start()
    assert read_whole(tmp_path / "small", 2**32) == b"x" * 1000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20
    assert b"Name" in read_whole("/proc/self/status", 1 << 20)  # of which the system says size 0
