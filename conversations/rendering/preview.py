"""How the open end of an answer is read before it is complete.

A reader must not see half of a marker: `**bol` is shown bold, a link is shown by its text until its
address is there, a lone `-` waits for its item. What is made here is shown for a moment only and
then replaced by the rendering of the real text, so it may guess; it may never fail.
"""

import re
from typing import Final

# A last line that is nothing yet: it becomes a heading, an item, a rule, a fence or a quote with the
# next characters, or turns the line above it into a heading or a table.
_UNDECIDED: Final = re.compile(
    r"[ \t>]*(?:#{1,6}|[-+*_=~`]+|\d{1,9}[.)]?|(?:`{3,}|~{3,})[^`\n]*|(?:[-+*]|\d{1,9}[.)])[ \t]+\[[ xX]?\]?"
    r"|\[[^\]\n]+\]:|\|)?[ \t]*"
)
_DANGLING: Final = " \t\n*_~`\\!<["
_HALF_ENTITY: Final = re.compile(r"&#?\w{0,8}$")
_FENCE: Final = re.compile(r"^[ \t>]*((?:[-+*]|\d{1,9}[.)])[ \t]+)?(`{3,}|~{3,})(.*)", re.MULTILINE)
_RUN_START: Final = re.compile(r"\n[ \t]*\n|\n[ \t>]*(?:#{1,6}|[-+*]|\d{1,9}[.)])[ \t]|\n[ \t]*\|")
_TOKEN: Final = re.compile(r"\\.|(`+|\$\$?)|(\*+|_+|~~)|(!?\[)|(\])")
_TABLE_HEAD: Final = re.compile(r" {0,3}(?P<head>\|[^\n]*)(?:\n[|:\- ]*)?")
_ESCAPED_PIPE: Final = re.compile(r"\\.")
_LONGEST_RUN: Final = 8_192


def preview(source: str) -> str:
    """`source` with its last line held back or its open markers closed, for showing now."""
    if table := _table_head(source):
        return table
    start = source.rfind("\n") + 1
    if _UNDECIDED.fullmatch(source, start):
        source = source[:start].rstrip()
    if _inside_fence(source):
        return source
    begins = _run_start(source)
    return source[:begins] + _closed(source[begins:])


def _table_head(source: str) -> str | None:
    """The first line of a table as a table, before the line arrives that makes it one."""
    match = _TABLE_HEAD.fullmatch(source)
    if match is None:
        return None
    head = match["head"].rstrip()
    cells = _ESCAPED_PIPE.sub("", head[1:]).rstrip("|").count("|") + 1
    return f"{head}\n{'|---' * cells}|" if head.strip("|") else ""


def _inside_fence(source: str) -> bool:
    """Whether the source ends inside a code block of a list or a quote."""
    opened = ""
    for match in _FENCE.finditer(source):
        item, mark, info = match.groups()
        if item or not opened:
            opened = mark
        elif mark.startswith(opened) and not info.strip():
            opened = ""
    return bool(opened)


def _run_start(source: str) -> int:
    """Where the last run of inline text begins: markers are closed within it only."""
    begins = max(0, len(source) - _LONGEST_RUN)
    for match in _RUN_START.finditer(source, begins):
        begins = match.end()
    return begins


def _closed(run: str) -> str:
    """A run of inline text with its open code span, emphasis and link brought to an end."""
    run = run.rstrip(_DANGLING)
    if half := _HALF_ENTITY.search(run, max(0, len(run) - 10)):
        run = run[: half.start()].rstrip(_DANGLING)
    open_marks: list[str] = []
    brackets: list[int] = []
    position = 0
    while match := _TOKEN.search(run, position):
        position = match.end()
        fence, mark, bracket, closing = match.groups()
        if fence:
            end = run.find(fence, position)
            if end < 0 and fence[0] == "`":
                run += fence
                break
            # A formula that is still open stands there as it was written.
            position = max(position, end + len(fence))
        elif mark:
            _toggle(open_marks, mark, run, match)
        elif bracket:
            brackets.append(match.start())
        elif closing and brackets:
            begun = brackets.pop()
            position = _after_link(run, match.end())
            if position < 0:
                # The address is still arriving: until then the words stand without it.
                run = run[:begun] + run[begun : match.start()].lstrip("![")
                position = len(run)
    if brackets:
        last = brackets[-1]
        run = run[:last] + run[last:].lstrip("![")
    return run + "".join(reversed(open_marks))


def _toggle(open_marks: list[str], mark: str, run: str, match: re.Match[str]) -> None:
    before = run[match.start() - 1 : match.start()]
    after = run[match.end() : match.end() + 1]
    if mark in open_marks and before and not before.isspace():
        del open_marks[open_marks.index(mark) :]
    elif after and not after.isspace() and not (mark[0] == "_" and before.isalnum()) and len(mark) < 4:
        open_marks.append(mark)


def _after_link(run: str, position: int) -> int:
    """Behind the address of a link whose text ends at `position`; -1 while the address is open."""
    if position == len(run):
        return -1
    if run[position] != "(":
        return position
    return run.find(")", position) + 1 or -1
