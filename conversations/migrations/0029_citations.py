"""What answers rest on. Null and without a default, so that no table is made anew for it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0028_attachments'),
    ]

    operations = [
        migrations.AddField(
            model_name='generation',
            name='citations',
            field=models.JSONField(help_text='Notes on what of the attached files it rests on, where the provider said so.', null=True),
        ),
    ]
