"""An index of the ledger; the search index, and the triggers by which documents leave it with what they were made of.

SQLite loses the triggers of a table that it makes anew. A later migration that alters the ledger in a way for which
Django does that runs SQLITE_TRIGGERS again; the tests of the search fail where it was forgotten.

Every ended answer is marked to be filed anew, which is how those that ended before come into the index.
"""

from django.db import migrations, models

SQLITE = (
    # Our words hold letters, digits and dots, and whatever is beyond ASCII is a part of a word for this tokenizer.
    """CREATE VIRTUAL TABLE conversations_search USING fts5(
        tags, words, wholes, columnsize=0, tokenize="ascii tokenchars '.'"
    )""",
)
SQLITE_TRIGGERS = (
    """CREATE TRIGGER forget_deleted_record AFTER DELETE ON conversations_answerrecord
        BEGIN DELETE FROM conversations_search WHERE rowid = OLD.id; END""",
    """CREATE TRIGGER forget_deleted_message AFTER UPDATE OF message_id ON conversations_answerrecord
        WHEN NEW.message_id IS NULL BEGIN DELETE FROM conversations_search WHERE rowid = OLD.id; END""",
)
POSTGRESQL = (
    # The pairs are those of words that follow one another, as numbers: they find the candidates for a phrase.
    """CREATE TABLE conversations_search (
        record_id bigint PRIMARY KEY, words tsvector NOT NULL, pairs integer[] NOT NULL
    )""",
    # In the row and not beside it: common words are found by walking the rows from the newest on.
    "ALTER TABLE conversations_search ALTER words SET STORAGE MAIN, SET (toast_tuple_target = 8160)",
    # What was added last waits in a list that each search reads, so that list is kept short.
    """CREATE INDEX conversations_search_words ON conversations_search
        USING gin (words) WITH (gin_pending_list_limit = 256)""",
    """CREATE INDEX conversations_search_pairs ON conversations_search
        USING gin (pairs) WITH (gin_pending_list_limit = 256)""",
    # So that filters that are never true together are known for it.
    """CREATE STATISTICS conversations_ledger_facets (dependencies, mcv) ON company_id, persona_id, version_id, model,
        finish_reason, error_kind FROM conversations_answerrecord""",
    """CREATE FUNCTION conversations_search_forget() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN DELETE FROM conversations_search WHERE record_id = OLD.id; RETURN NULL; END $$""",
    """CREATE FUNCTION conversations_search_forget_all() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN DELETE FROM conversations_search; RETURN NULL; END $$""",
    """CREATE TRIGGER forget_deleted_record AFTER DELETE ON conversations_answerrecord
        FOR EACH ROW EXECUTE FUNCTION conversations_search_forget()""",
    """CREATE TRIGGER forget_deleted_message AFTER UPDATE OF message_id ON conversations_answerrecord
        FOR EACH ROW WHEN (NEW.message_id IS NULL) EXECUTE FUNCTION conversations_search_forget()""",
    """CREATE TRIGGER forget_all_records AFTER TRUNCATE ON conversations_answerrecord
        EXECUTE FUNCTION conversations_search_forget_all()""",
)
SQLITE_DROP = (
    "DROP TRIGGER forget_deleted_record",
    "DROP TRIGGER forget_deleted_message",
    "DROP TABLE conversations_search",
)
POSTGRESQL_DROP = (
    "DROP STATISTICS conversations_ledger_facets",
    "DROP FUNCTION conversations_search_forget() CASCADE",
    "DROP FUNCTION conversations_search_forget_all() CASCADE",
    "DROP TABLE conversations_search",
)


def create(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in (*SQLITE, *SQLITE_TRIGGERS) if sqlite else POSTGRESQL:
        schema_editor.execute(statement)
    ended = apps.get_model("conversations", "Generation").objects.filter(finished_at__isnull=False)
    ended.update(filed=False)


def drop(apps, schema_editor):
    for statement in SQLITE_DROP if schema_editor.connection.vendor == "sqlite" else POSTGRESQL_DROP:
        schema_editor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0007_reviewing'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='answerrecord',
            index=models.Index(condition=models.Q(('error_kind__isnull', False)), fields=['company', 'id'], name='records_with_errors'),
        ),
        migrations.RunPython(create, drop),
    ]
