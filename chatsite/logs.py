"""How log lines look."""

import logging


class BriefFormatter(logging.Formatter):
    """One line a record: no traceback, and no line break that the record's text may bring."""

    def format(self, record: logging.LogRecord) -> str:
        brief = logging.makeLogRecord(
            {**record.__dict__, "exc_info": None, "exc_text": None, "stack_info": None}
        )
        return " ".join(super().format(brief).splitlines())
