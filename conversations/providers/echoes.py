"""A provider's words about a request, without what they repeat of it.

Some servers put what they were sent into what they complain of. That would be shown to who asked, and logged: a system
prompt is for neither, and a question is not for a log.
"""

from typing import Final

from conversations.providers.events import ChatRequest

REPLACEMENT: Final = "[…]"
# Characters in a row that are no coincidence.
RUN: Final = 20
_SHORTEST: Final = 8
ENDS: Final = 16_384  # characters of a file: all of it would be looked through for each run


def without(message: str, request: ChatRequest) -> str:
    """Return `message` on one line, without the runs of it that stand in the system prompt, in the last question, or at
    either end of what is attached to it."""
    last = request.messages[-1:]
    files = [
        text for each in last for file in each.documents for text in (file.text[:ENDS], file.text[-ENDS:])
    ]
    for sent in (request.system, *(each.text for each in last), *files):
        message = _without(_line(message), _line(sent))
    return message


def _line(text: str) -> str:
    """Return `text` with its white space, also where it was escaped, as single spaces."""
    return " ".join(text.replace("\\n", " ").replace("\\t", " ").replace("\\", "").split())


def _without(message: str, sent: str) -> str:
    run = min(RUN, len(sent))
    if run < _SHORTEST:
        return message
    kept: list[str] = []
    at = 0
    while at < len(message):
        end = at + run
        if end > len(message) or message[at:end] not in sent:
            kept.append(message[at])
            at += 1
            continue
        while end < len(message) and message[at : end + 1] in sent:
            end += 1
        kept.append(REPLACEMENT)
        at = end
    return "".join(kept)
