"""Copy the SQLite database while it is in use."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

PAGES = 1_000  # at a time; between two times who writes gets a turn


class Command(BaseCommand):
    help = "Copy the SQLite database to FILE as it is at one moment, while the site runs. For PostgreSQL, use pg_dump."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if connection.vendor != "sqlite":
            raise CommandError("This site is on PostgreSQL: use pg_dump --format=custom --file=FILE.")
        if not file.name or (file.exists() and not file.is_file()):
            raise CommandError(f"{str(file)!r} is not a file that could be replaced.")
        if file.exists() and file.samefile(connection.settings_dict["NAME"]):
            raise CommandError("This is the database itself. Name another file.")
        draft = file.with_name(f"{file.name}.part")
        connection.ensure_connection()
        try:
            draft.unlink(missing_ok=True)
            draft.touch(mode=0o600)
            with closing(sqlite3.connect(draft)) as copy:
                connection.connection.backup(copy, pages=PAGES)
                (found,) = copy.execute("PRAGMA quick_check").fetchone()
                if found != "ok":
                    raise CommandError(f"The copy is not sound: {found}")
            draft.replace(file)
        except (OSError, sqlite3.Error) as error:
            draft.unlink(missing_ok=True)
            raise CommandError(f"No copy was made: {error}") from error
        print(f"{file}: {file.stat().st_size:,} bytes")
