"""Links that share chats; files that are brought in, and the marks on what came out of them, with the triggers by which
what was brought in leaves the index of words.

That a time of creation may be given is Django's business alone: no table is made anew for it.
"""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


IMPORTED = 2**61  # as in conversations/search/documents.py
SQLITE = (
    f"""CREATE TRIGGER forget_deleted_import AFTER DELETE ON conversations_imported
        BEGIN DELETE FROM conversations_search WHERE rowid IN (OLD.id + {IMPORTED}, -OLD.id - {IMPORTED}); END""",
)
POSTGRESQL = (
    f"""CREATE FUNCTION conversations_search_forget_import() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            DELETE FROM conversations_search WHERE record_id IN (OLD.id + {IMPORTED}, -OLD.id - {IMPORTED});
            RETURN NULL;
        END $$""",
    """CREATE TRIGGER forget_deleted_import AFTER DELETE ON conversations_imported
        FOR EACH ROW EXECUTE FUNCTION conversations_search_forget_import()""",
)


def create(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    """The trigger of SQLite goes with its table."""
    key = "rowid" if schema_editor.connection.vendor == "sqlite" else "record_id"
    schema_editor.execute(f"DELETE FROM conversations_search WHERE {key} > {IMPORTED} OR {key} < -{IMPORTED}")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION conversations_search_forget_import() CASCADE")


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0026_strands'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name='conversation',
                    name='created_at',
                    field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                migrations.AlterField(
                    model_name='message',
                    name='created_at',
                    field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
            ],
        ),
        migrations.CreateModel(
            name='Import',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('size', models.PositiveBigIntegerField(help_text='Bytes.')),
                ('received', models.PositiveBigIntegerField(default=0, help_text='Bytes.')),
                ('read', models.PositiveBigIntegerField(default=0, help_text='Bytes.')),
                ('status', models.CharField(choices=[('arriving', 'Arriving'), ('waiting', 'waiting or being read'), ('done', 'Done'), ('failed', 'Failed')], default='arriving', max_length=8)),
                ('step', models.PositiveIntegerField(default=0)),
                ('position', models.PositiveIntegerField(default=0)),
                ('chats', models.PositiveIntegerField(default=0)),
                ('messages', models.PositiveIntegerField(default=0)),
                ('known', models.PositiveIntegerField(default=0, help_text='Chats that were here before, with all of it.')),
                ('too_old', models.PositiveIntegerField(default=0, help_text='Chats past the days that they are kept for.')),
                ('bad', models.PositiveIntegerField(default=0, help_text='Entries that could not be read.')),
                ('problems', models.JSONField(default=list, help_text='The first of those: title and reason.')),
                ('sentence', models.TextField(blank=True, help_text='How it ended, where it did not end well.')),
                ('changed_at', models.DateTimeField()),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='imports', to=settings.AUTH_USER_MODEL)),
                ('persona', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='conversations.persona')),
            ],
        ),
        migrations.CreateModel(
            name='Imported',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.CharField(max_length=200)),
                ('sentence', models.TextField(blank=True)),
                ('filed', models.BooleanField(default=False, help_text='Whether the index of words has it.')),
                ('message', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='imported', to='conversations.message')),
            ],
            options={
                'verbose_name': 'mark of an import',
                'verbose_name_plural': 'marks of imports',
            },
        ),
        migrations.CreateModel(
            name='ImportPiece',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('data', models.BinaryField()),
                ('file', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='pieces', to='conversations.import')),
            ],
        ),
        migrations.CreateModel(
            name='SharedLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token_hash', models.CharField(editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
                ('conversation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shared_links', to='conversations.conversation')),
                ('head', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='conversations.message')),
            ],
        ),
        migrations.AddConstraint(
            model_name='import',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ['arriving', 'waiting'])), fields=('person',), name='one_import_a_person'),
        ),
        migrations.AddIndex(
            model_name='imported',
            index=models.Index(condition=models.Q(('filed', False)), fields=['id'], name='imported_to_file'),
        ),
        migrations.AddConstraint(
            model_name='importpiece',
            constraint=models.UniqueConstraint(fields=('file', 'number'), name='piece_once_a_file'),
        ),
        migrations.RunPython(create, drop),
    ]
