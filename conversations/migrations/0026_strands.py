"""Where each message stands: its strand, and how many messages are above it.

`left_out` counts these from now on; before, it did not count answers without a word.

In the search titles have words of their own, by being filed again; on PostgreSQL each document is found by its eras,
too: by so many ids that follow one another.
"""

from collections import defaultdict

from django.db import migrations, models
from django.db.models import F, Q

PLACE = """
    WITH RECURSIVE placed (id, strand, depth) AS (
        SELECT id, id, 0 FROM conversations_message WHERE parent_id IS NULL
        UNION ALL
        SELECT reply.id, CASE WHEN reply.id = (
                SELECT first.id FROM conversations_message first WHERE first.parent_id = placed.id
                ORDER BY first.created_at, first.id LIMIT 1
            ) THEN placed.strand ELSE reply.id END, placed.depth + 1
        FROM placed JOIN conversations_message reply ON reply.parent_id = placed.id
    )
    UPDATE conversations_message SET strand = placed.strand, depth = placed.depth
    FROM placed WHERE placed.id = conversations_message.id
"""

ERAS = [2_048 * 4**level for level in range(6)]
# A table made anew, and not changed: the index of words is quick only where it begins with what is there.
MARK_ERAS = (
    "ALTER TABLE conversations_search RENAME TO conversations_search_before",
    """CREATE TABLE conversations_search (LIKE conversations_search_before INCLUDING STORAGE)
        WITH (toast_tuple_target = 8160)""",
    f"""INSERT INTO conversations_search SELECT record_id, words || concat_ws(' ', {", ".join(
        f"quote_literal(' era{size}-' || record_id / {size})" for size in ERAS
    )})::tsvector, pairs FROM conversations_search_before ORDER BY record_id""",
    "DROP TABLE conversations_search_before",
    "ALTER TABLE conversations_search ADD PRIMARY KEY (record_id)",
    """CREATE INDEX conversations_search_words ON conversations_search
        USING gin (words) WITH (gin_pending_list_limit = 256)""",
    """CREATE INDEX conversations_search_pairs ON conversations_search
        USING gin (pairs) WITH (gin_pending_list_limit = 256)""",
)


def change_search(apps, schema_editor):
    postgresql = schema_editor.connection.vendor == "postgresql"
    key = "record_id" if postgresql else "rowid"
    schema_editor.execute(f"DELETE FROM conversations_search WHERE {key} < 0")
    for statement in MARK_ERAS if postgresql else ():
        schema_editor.execute(statement)
    records = apps.get_model("conversations", "AnswerRecord").objects
    firsts = records.values("conversation").annotate(first=models.Min("pk")).values("first")
    entitled = records.filter(pk__in=firsts, trial=False).values("message")
    apps.get_model("conversations", "Generation").objects.filter(message__in=entitled).update(filed=False)


def recount(apps, schema_editor):
    """Of the few answers for which messages were left out, those in conversations with a wordless answer."""
    Generation = apps.get_model("conversations", "Generation")
    Message = apps.get_model("conversations", "Message")
    wordless = Message.objects.filter(text="", conversation=models.OuterRef("conversation"))
    cut = Generation.objects.filter(models.Exists(wordless), left_out__gt=0)
    of_conversation = defaultdict(list)
    for pk, conversation, message, left_out in cut.values_list("pk", "conversation_id", "message_id", "left_out"):
        of_conversation[conversation].append((pk, message, left_out))
    for conversation, answers in of_conversation.items():
        rows = Message.objects.filter(conversation_id=conversation).values_list("pk", "parent_id", "depth", "text")
        messages = {pk: further for pk, *further in rows}
        for pk, message, left_out in answers:
            spoken = []
            while message is not None:
                message, depth, text = messages[message]
                if text.strip():
                    spoken.append(depth)
            Generation.objects.filter(pk=pk).update(left_out=spoken[-1 - left_out])


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0025_daily_use'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='strand',
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='message',
            name='depth',
            field=models.PositiveIntegerField(editable=False, null=True),
        ),
        migrations.RunSQL(PLACE, migrations.RunSQL.noop),
        migrations.RunPython(recount, migrations.RunPython.noop),
        migrations.RunPython(change_search, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='message',
            name='strand',
            field=models.UUIDField(editable=False),
        ),
        migrations.AlterField(
            model_name='message',
            name='depth',
            field=models.PositiveIntegerField(editable=False, help_text='How many messages stand above it.'),
        ),
        migrations.AlterField(
            model_name='generation',
            name='left_out',
            field=models.PositiveIntegerField(default=0, help_text='How many messages stand above those that were sent, for lack of room.'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(fields=('strand', 'depth'), name='one_message_a_place_of_a_strand'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=Q(('id', F('strand'))), fields=['conversation'], name='beginnings_of_strands'),
        ),
        migrations.RemoveIndex(
            model_name='conversation',
            name='chats_of_a_folder',
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(condition=Q(('archived_at', None), ('folder__isnull', False)), fields=['folder', '-active_at', '-id'], name='chats_of_a_folder'),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(condition=Q(('folder__isnull', False)), fields=['folder'], name='chats_in_a_folder'),
        ),
    ]
