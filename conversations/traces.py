"""What deleted words leave behind in the database's own files, and getting rid of it, piece by piece.

SQLite overwrites what is deleted (`secure_delete`, in the settings), but its index of words keeps them in its older
parts until these are written anew, and its log until it is emptied. PostgreSQL keeps deleted rows until a VACUUM, and
some of their values in its statistics until an ANALYZE. No piece takes long, or locks anybody out for long.
"""

from __future__ import annotations

from django.db import connection

WAITING = "waiting"  # the name of a piece that cannot be done at the moment: try again in some seconds
BUSY_MS = 100  # milliseconds; while the log waits to be emptied nobody writes
PAGES = 200  # of the index of words, written at once: within some 50 ms
TABLES = (
    "conversations_message",
    "conversations_attachment",
    "conversations_generation",
    "conversations_conversation",
    "conversations_search",
    "conversations_note",
    "conversations_judgement",
    "conversations_feedback",
    "conversations_flag",
    "conversations_entryreason",
    "conversations_reading",
    "conversations_export",
    "conversations_hold",
    "conversations_folder",
    "conversations_import",
    "conversations_importpiece",
    "conversations_imported",
    "conversations_invitation",
    "conversations_signin",
    "account_emailaddress",
    "mfa_authenticator",
    "socialaccount_socialaccount",
    "django_session",
    "django_admin_log",
    "auth_user",
)
_MERGE = "INSERT INTO conversations_search(conversations_search, rank) VALUES ('merge', %s)"

_due = False
_done = ""  # the last piece of what is due


def due() -> None:
    """Have the traces of what was just deleted cleaned by `work`, where the database does not do so by itself."""
    global _due, _done
    _due, _done = connection.vendor == "sqlite", ""


def work(done: str | None = None) -> str | None:
    """Do the piece after `done`, which is empty before the first; gives back its name, None once there is none left.

    Without an argument: do a piece of what is `due`. Outside of any transaction.
    """
    global _due, _done
    if done is not None:
        return _next(done)
    if not _due:
        return None
    _done = _next(_done) or ""
    _due = bool(_done)
    return None if _done == WAITING else _done or None


def _next(done: str) -> str | None:
    return _of_sqlite(done) if connection.vendor == "sqlite" else _of_postgresql(done)


def _of_sqlite(done: str) -> str | None:
    """All parts of the index are written anew as one, as `optimize` does it at once; then the log is emptied."""
    if done == "log":
        return None
    with connection.cursor() as cursor:
        if done not in {"merged", WAITING}:
            before = connection.connection.total_changes
            # The first one says that all parts are to become one; by `total_changes` FTS5 says that they are.
            cursor.execute(_MERGE, [PAGES if done else -PAGES])
            return "merging" if not done or connection.connection.total_changes - before >= 2 else "merged"
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (busy, *_) = cursor.fetchone()
        finally:
            patience = connection.settings_dict["OPTIONS"].get("timeout", 5)
            cursor.execute(f"PRAGMA busy_timeout = {int(patience * 1_000)}")
    return WAITING if busy else "log"


def _of_postgresql(done: str) -> str | None:
    """One table after the other."""
    rest = TABLES[TABLES.index(done) + 1 :] if done else TABLES
    if not rest:
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {rest[0]}")
    return rest[0]
