"""Files that people attach to a question: how bytes become text, what is refused and why.

What a file is, is seen by what it holds and not by its name. Nothing here trusts either: a name is one line that turns
nothing round, and the text is shown and sent as it stands. What becomes of the rows is in `attached.py`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from conversations.models import Attachment, Message
from conversations.refusals import Refused
from conversations.rendering import plaintext

MOST = 8  # files of a message
MOST_BYTES = 1024 * 1024  # of a file
TOTAL_BYTES = 2 * 1024 * 1024  # of all files of a message
NAME_CHARS = 100
UNNAMED = "file.txt"

# What is wrong, for the person. These say the numbers above.
KEPT = gettext_noop("Nothing was sent; your text and your files are kept.")
TOO_MANY = gettext_noop(
    "At most 8 files can go with a message. Take some away. Nothing was sent; your text and your files are kept."
)
TOO_MUCH = gettext_noop(
    "Your files are too large together: at most 2 MB can go with a message. Take some away. Nothing was sent; your "
    "text and your files are kept."
)
EMPTY = gettext_noop("“%(name)s” is empty.")
TOO_LARGE = gettext_noop("“%(name)s” is larger than 1 MB.")
NO_TEXT = gettext_noop("“%(name)s” is not a file of text, whatever its name says.")

_MEDIA_TYPES = {
    "md": "text/markdown",
    "markdown": "text/markdown",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "xml": "application/xml",
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "yaml": "application/yaml",
    "yml": "application/yaml",
}
# The longer ones first: UTF-32 begins as UTF-16 does.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NO_LETTERS = re.compile(
    "[\x00-\x06\x0e-\x1a\x1c-\x1f]"
)  # what stands in no text; escape codes stand in logs
_LATIN = re.compile("[a-zA-Z \n]")
_SIGNS = re.compile("[^\\S ]+|[\u200b\u2060\ufeff]+")


class Upload(Protocol):
    """A file as it came."""

    @property
    def name(self) -> str | None:
        """What it is called."""

    @property
    def size(self) -> int | None:
        """Bytes."""

    def read(self) -> bytes:
        """All of its bytes."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that was read. `size` is in bytes of its text."""

    name: str
    media_type: str
    text: str
    size: int


def read(uploads: Sequence[Upload]) -> list[File]:
    """The files of a form. Raises Refused with all that is wrong with them."""
    if len(uploads) > MOST:
        raise Refused(_(TOO_MANY), status=413, limit="attachments")
    files: list[File] = []
    problems: list[tuple[str, str]] = []
    for upload in uploads:
        file, problem = _read(upload)
        if problem:
            problems.append((file.name, problem))
        files.append(file)
    if problems:
        large = any(problem == TOO_LARGE for name, problem in problems)
        limit = "attachment_bytes" if large else ""
        said = [_(problem) % {"name": name} for name, problem in problems]
        raise Refused(" ".join([*said, _(KEPT)]), status=413 if large else 400, limit=limit)
    if sum(file.size for file in files) > TOTAL_BYTES:
        raise Refused(_(TOO_MUCH), status=413, limit="attachment_bytes")
    return list(apart(files))


def made(name: str, text: str) -> File:
    """A file of a text that is fit to be kept."""
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    return File(name, _MEDIA_TYPES.get(suffix, "text/plain"), text, len(text.encode()))


def text_of(data: bytes) -> str | None:
    """The text in a file's bytes, with plain line ends; None where they are no text.

    By its mark where it has one, else UTF-8, else what Windows wrote in Western Europe, where most of it is letters.
    """
    text = _decoded(data)
    if text is None or _NO_LETTERS.search(text):
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def named(name: str) -> str:
    """What a file is called: the last part of its name, on one line, without what would turn round the words beside
    it; cut before its suffix where it is too long."""
    name = re.split(r"[/\\]", name)[-1]
    name = " ".join(_SIGNS.sub(" ", plaintext.clean(name)).split())
    if not name.strip(" ."):
        return UNNAMED
    if len(name) <= NAME_CHARS:
        return name
    stem, dot, suffix = name.rpartition(".")
    tail = f"…{dot}{suffix}" if dot and stem and len(suffix) < 12 else "…"
    return name[: NAME_CHARS - len(tail)].rstrip() + tail


def apart(files: Iterable[File]) -> Iterator[File]:
    """The files, of which no two have the same name: a number tells those that had."""
    taken: set[str] = set()
    for file in files:
        name, number = file.name, 1
        while name in taken:
            number += 1
            stem, dot, suffix = file.name.rpartition(".")
            mark = f" ({number})"
            name = (
                f"{stem[: NAME_CHARS - 20]}{mark}{dot}{suffix}"
                if stem
                else f"{suffix[: NAME_CHARS - 9]}{mark}"
            )
        taken.add(name)
        yield replace(file, name=name)


def rows(question: Message, files: Iterable[File]) -> list[Attachment]:
    """What is to be stored of the files of a question."""
    return [
        Attachment(
            message=question,
            position=position,
            name=file.name,
            media_type=file.media_type,
            text=file.text,
            size=file.size,
        )
        for position, file in enumerate(files)
    ]


def copies(asked: Message, question: Message) -> list[Attachment]:
    """The files of one question for another that is asked instead of it."""
    return rows(
        question, [File(row.name, row.media_type, row.text, row.size) for row in asked.attachments.all()]
    )


def _read(upload: Upload) -> tuple[File, str]:
    """A file, and what is wrong with it where something is."""
    name = named(upload.name or "")
    data = upload.read() if (upload.size or 0) <= MOST_BYTES else None
    text = text_of(data) if data is not None else ""
    file = made(name, text or "")
    if data is None or file.size > MOST_BYTES:  # UTF-8 may take more room than what it was written in
        return file, TOO_LARGE
    if text is None:
        return file, NO_TEXT
    return file, "" if text.strip() else EMPTY


def _decoded(data: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _as(encoding, data[len(mark) :])
    text = _as("utf-8", data)
    if text is not None:
        return text
    text = _as("cp1252", data)
    return text if text is not None and 2 * len(_LATIN.findall(text)) > len(text) else None


def _as(encoding: str, data: bytes) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None
