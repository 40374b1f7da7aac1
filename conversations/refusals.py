"""What a verb raises that was not done, in words for the person who asked. Knows nothing of ours."""

from __future__ import annotations


class Refused(Exception):
    """Something was not done, for a reason that the person can act on.

    `status` is the HTTP status to answer with, `limit` the name of the limit that it ran into, as the metrics call it,
    and `retry_after` the seconds until it may go well; zero where nobody knows.
    """

    def __init__(self, sentence: str, *, status: int, limit: str = "", retry_after: int = 0) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
        self.limit = limit
        self.retry_after = retry_after
