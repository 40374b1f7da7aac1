"""How log lines look."""

import logging

from conversations.trace import request_id


class BriefFormatter(logging.Formatter):
    """One line a record: no traceback, and no line break that the record's text may bring."""

    def format(self, record: logging.LogRecord) -> str:
        brief = logging.makeLogRecord(
            {**record.__dict__, "exc_info": None, "exc_text": None, "stack_info": None}
        )
        return " ".join(super().format(brief).splitlines())


class Numbered(logging.Filter):
    """Gives each record the number of the request that it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True
