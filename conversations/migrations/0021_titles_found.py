"""Titles in the search index, under the negative ids of the records whose deletion takes them out again.

Every ended answer is marked to be filed anew, which is how the titles that there are come into the index.
"""

from django.db import migrations

SQLITE_TRIGGERS = (
    "DROP TRIGGER IF EXISTS forget_deleted_record",
    "DROP TRIGGER IF EXISTS forget_deleted_message",
    """CREATE TRIGGER forget_deleted_record AFTER DELETE ON conversations_answerrecord
        BEGIN DELETE FROM conversations_search WHERE rowid IN (OLD.id, -OLD.id); END""",
    """CREATE TRIGGER forget_deleted_message AFTER UPDATE OF message_id ON conversations_answerrecord
        WHEN NEW.message_id IS NULL
        BEGIN DELETE FROM conversations_search WHERE rowid IN (OLD.id, -OLD.id); END""",
)
POSTGRESQL = """CREATE OR REPLACE FUNCTION conversations_search_forget() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM conversations_search WHERE record_id IN (OLD.id, -OLD.id); RETURN NULL; END $$"""


def create(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in SQLITE_TRIGGERS if sqlite else (POSTGRESQL,):
        schema_editor.execute(statement)
    ended = apps.get_model("conversations", "Generation").objects.filter(finished_at__isnull=False)
    ended.update(filed=False)


def drop(apps, schema_editor):
    """The triggers take out what may be there no more."""
    key = "rowid" if schema_editor.connection.vendor == "sqlite" else "record_id"
    schema_editor.execute(f"DELETE FROM conversations_search WHERE {key} < 0")


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0020_accounts'),
    ]

    operations = [migrations.RunPython(create, drop)]
