"""Files that people attach: which bytes are text, what a name becomes, and what is refused in which words."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations import attaching
from conversations.posting import Refused


@dataclass
class Came:
    """A file as a form brings it."""

    name: str
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self) -> bytes:
        return self.data


def archive() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("notes.txt", "words " * 500)
    return held.getvalue()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain\r\nlines\rof\n", "plain\nlines\nof\n"),
        ("Grüße, мир, 你好 🌍".encode(), "Grüße, мир, 你好 🌍"),
        (b"\xef\xbb\xbfmarked", "marked"),
        (b"\xff\xfe" + "wide ü".encode("utf-16-le"), "wide ü"),
        (b"\xfe\xff" + "wide ü".encode("utf-16-be"), "wide ü"),
        (b"\xff\xfe\0\0" + "wider".encode("utf-32-le"), "wider"),
        ("Müller, Äpfel und Öl – 5 €\n".encode("cp1252"), "Müller, Äpfel und Öl – 5 €\n"),
        (b"\x1b[31mred\x1b[0m\tin a log\n", "\x1b[31mred\x1b[0m\tin a log\n"),
        (b"", ""),
    ],
)
def test_bytes_that_are_text(data: bytes, text: str) -> None:
    assert attaching.text_of(data) == text


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"text and then a \0 in it",
        b"\xff\xfe" + b"\x00\xd8",  # UTF-16 that breaks off in a pair
        b"\xff\xfe" + "nothing \0 here".encode("utf-16-le"),
        bytes(range(128, 256)) * 20,
        b"\x01\x02\x03\x04",
        archive(),
    ],
)
def test_bytes_that_are_none(data: bytes) -> None:
    assert attaching.text_of(data) is None


@given(st.binary(max_size=300))
def test_whatever_is_read_can_be_kept(data: bytes) -> None:
    text = attaching.text_of(data)
    if text is not None:
        assert "\0" not in text
        assert "\r" not in text
        text.encode()


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("notes.txt", "notes.txt"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("../..", "file.txt"),
        ("", "file.txt"),
        ("   ", "file.txt"),
        ("a\u202egnp.txt", "agnp.txt"),
        ("two\nlines\t.txt", "two lines .txt"),
        ("\u200bin\u200bvisible.txt", "in visible.txt"),
        ("<img src=x onerror=alert(1)>.md", "<img src=x onerror=alert(1)>.md"),
        ("nul\0.txt", "nul.txt"),
        ("x" * 300 + ".json", "x" * 94 + "….json"),
        ("x" * 300, "x" * 99 + "…"),
    ],
)
def test_names_are_one_harmless_line(name: str, becomes: str) -> None:
    assert attaching.named(name) == becomes


@given(st.text(max_size=400))
def test_any_name_can_be_kept(name: str) -> None:
    kept = attaching.named(name)
    assert 0 < len(kept) <= attaching.NAME_CHARS
    assert kept == attaching.named(kept)
    kept.encode()


def test_files_of_one_name_are_told_apart() -> None:
    same = [Came("notes.txt", b"a"), Came("notes.txt", b"b"), Came("notes", b"c"), Came("notes", b"d")]
    assert [file.name for file in attaching.read(same)] == [
        "notes.txt",
        "notes (2).txt",
        "notes",
        "notes (2)",
    ]
    long = [Came("x" * 200 + ".txt", b"a")] * 2 + [Came("y" * 200, b"a")] * 2
    names = [file.name for file in attaching.read(long)]
    assert len(set(names)) == 4
    assert max(map(len, names)) <= attaching.NAME_CHARS


def test_the_kind_goes_by_the_name_and_is_only_told() -> None:
    kinds = {file.name: file.media_type for file in attaching.read([Came("a.MD", b"x"), Came("b.py", b"x")])}
    assert kinds == {"a.MD": "text/markdown", "b.py": "text/plain"}
    (file,) = attaching.read([Came("picture.png", b"words all the same")])  # what it holds counts
    assert file.media_type == "text/plain"


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Refused) as refused:
        attaching.read([Came("good.txt", b"x"), Came("photo.txt", b"\x89PNG\0"), Came("none.csv", b" \n")])
    assert refused.value.sentence == (
        "“photo.txt” is not a file of text, whatever its name says. “none.csv” is empty. "
        "Nothing was sent; your text and your files are kept."
    )
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("files", "sentence", "limit"),
    [
        (
            [Came("big.txt", b"x" * (attaching.MOST_BYTES + 1))],
            "“big.txt” is larger than 1 MB",
            "attachment_bytes",
        ),
        ([Came("a.txt", b"x" * 900_000)] * 3, attaching.TOO_MUCH, "attachment_bytes"),
        ([Came("a.txt", b"x")] * (attaching.MOST + 1), attaching.TOO_MANY, "attachments"),
    ],
)
def test_there_are_limits(files: list[Came], sentence: str, limit: str) -> None:
    with pytest.raises(Refused) as refused:
        attaching.read(files)
    assert refused.value.sentence.startswith(sentence)
    assert "are kept" in refused.value.sentence
    assert (refused.value.status, refused.value.limit) == (413, limit)


def test_what_is_just_within_them_goes() -> None:
    assert len(attaching.read([Came("a.txt", b"x" * attaching.MOST_BYTES)] * 2)) == 2
    assert len(attaching.read([Came("a.txt", b"x")] * attaching.MOST)) == attaching.MOST


def test_wide_text_is_measured_as_it_is_kept() -> None:
    wide = b"\xff\xfe" + ("你" * 500_000).encode("utf-16-le")  # a megabyte that is one and a half in UTF-8
    with pytest.raises(Refused):
        attaching.read([Came("wide.txt", wide)])
