"""Bringing chats in from elsewhere: a person's own export of such a site, or that of ChatGPT.

A file arrives in pieces, which stand in the database until it has been read: any process can take the next piece, any
can go on reading, and a restart loses nothing. What is read has an identity that follows from the person and from what
the file calls it, so that reading it again changes nothing. Everything that comes out bears a mark and no version of a
persona: nobody here made it.

    receiving.py   a file and its pieces, as they arrive         source.py    its bytes, out of a zip or as they are
    elements.py    a long JSON array, entry by entry             chats.py     what an entry must be
    chatgpt.py, lines.py   the two formats                       working.py   from entries to rows, batch by batch
    marking.py     what was brought in, into the index of words
"""

from conversations.importing.receiving import MOST, PIECE, begin, drop, take
from conversations.importing.working import work

__all__ = ["MOST", "PIECE", "begin", "drop", "take", "work"]
