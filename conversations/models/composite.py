"""Foreign keys over several columns, which hold rows of one company together. Django has none of its own."""

from __future__ import annotations

from typing import Any

from django.db.models import BaseConstraint


class References(BaseConstraint):
    """The `columns` of a row together stand in the columns `of` of one row of `table`, where they are unique.

    Looked at when the transaction commits, as Django's own foreign keys are. SQLite knows it from the table's
    definition, which Django writes anew for any constraint.
    """

    def __init__(self, *, name: str, columns: list[str], table: str, of: list[str]) -> None:
        super().__init__(name=name)
        self.columns, self.table, self.of = columns, table, of

    def constraint_sql(self, model: Any, schema_editor: Any) -> str:
        """The constraint as it stands in a table's definition."""
        quote = schema_editor.quote_name
        columns, of = (", ".join(map(quote, names)) for names in (self.columns, self.of))
        return (
            f"CONSTRAINT {quote(self.name)} FOREIGN KEY ({columns}) REFERENCES {quote(self.table)} ({of}) "
            "DEFERRABLE INITIALLY DEFERRED"
        )

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        """The statement that adds it to a table."""
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} ADD {self.constraint_sql(model, schema_editor)}"

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        """The statement that takes it from a table."""
        quote = schema_editor.quote_name
        return f"ALTER TABLE {quote(model._meta.db_table)} DROP CONSTRAINT {quote(self.name)}"

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the verbs that write such rows say in a sentence what is wrong, before the database does."""

    def deconstruct(self) -> Any:
        """How a migration writes it."""
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "columns": self.columns, "table": self.table, "of": self.of}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, References) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((self.name, self.table))
