import uuid

import django.db.models.deletion
import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models

import conversations.models.composite
import conversations.models.persona

EVERYBODY = uuid.UUID(int=0)


def say_whose(apps, schema_editor):
    """Versions that there are belong to their persona's company, and their providers to everybody."""
    version = apps.get_model("conversations", "PersonaVersion")
    persona = apps.get_model("conversations", "Persona").objects.filter(pk=models.OuterRef("persona_id"))
    version.objects.update(company_id=models.Subquery(persona.values("company_id")), endpoint_whose=EVERYBODY)
    # PostgreSQL alters no table while foreign keys of its rows wait to be looked at.
    schema_editor.connection.check_constraints()


class Migration(migrations.Migration):

    dependencies = [
        ("conversations", "0016_live_answers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="endpoint",
            name="company",
            field=models.ForeignKey(blank=True, help_text="Empty: every company can choose it. Else only this one, and no other hears of it.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name="endpoints", to="conversations.company"),
        ),
        migrations.AlterField(
            model_name="endpoint",
            name="name",
            field=models.CharField(help_text="What people are shown, such as Mistral.", max_length=100),
        ),
        migrations.AlterField(
            model_name="endpoint",
            name="base_url",
            field=models.CharField(blank=True, help_text="Leave empty to use the address of the environment.", max_length=300, validators=[conversations.models.persona.check_address], verbose_name="address"),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="whose",
            field=models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Coalesce("company", models.Value(EVERYBODY, output_field=models.UUIDField())), output_field=models.UUIDField()),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.UniqueConstraint(fields=("company", "name"), name="provider_name_once_a_company"),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.UniqueConstraint(condition=models.Q(("company", None)), fields=("name",), name="provider_name_once_for_all"),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.UniqueConstraint(fields=("id", "whose"), name="provider_and_whose"),
        ),
        migrations.AddConstraint(
            model_name="persona",
            constraint=models.UniqueConstraint(fields=("id", "company"), name="persona_and_company"),
        ),
        migrations.AddField(
            model_name="personaversion",
            name="company",
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="conversations.company"),
        ),
        migrations.AddField(
            model_name="personaversion",
            name="endpoint_whose",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.RunPython(say_whose, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="personaversion",
            name="company",
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="conversations.company"),
        ),
        migrations.AlterField(
            model_name="personaversion",
            name="endpoint_whose",
            field=models.UUIDField(editable=False),
        ),
        migrations.AlterField(
            model_name="personaversion",
            name="endpoint",
            field=models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, related_name="versions", to="conversations.endpoint", verbose_name="provider"),
        ),
        migrations.AddConstraint(
            model_name="personaversion",
            constraint=conversations.models.composite.References(columns=["persona_id", "company_id"], name="version_in_its_personas_company", of=["id", "company_id"], table="conversations_persona"),
        ),
        migrations.AddConstraint(
            model_name="personaversion",
            constraint=conversations.models.composite.References(columns=["endpoint_id", "endpoint_whose"], name="version_knows_whose_provider", of=["id", "whose"], table="conversations_endpoint"),
        ),
        migrations.AddConstraint(
            model_name="personaversion",
            constraint=models.CheckConstraint(condition=models.Q(("endpoint_whose", EVERYBODY), ("endpoint_whose", models.F("company")), _connector="OR"), name="version_of_a_provider_of_its_company"),
        ),
        migrations.CreateModel(
            name="ProviderKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sealed", models.TextField(editable=False)),
                ("last4", models.CharField(blank=True, editable=False, max_length=4)),
                ("set_at", models.DateTimeField()),
                ("company", models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="provider_keys", to="conversations.company")),
                ("endpoint", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="keys", to="conversations.endpoint")),
                ("set_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("endpoint", "company"), name="one_key_a_company_and_provider"),
                    models.UniqueConstraint(condition=models.Q(("company", None)), fields=("endpoint",), name="one_key_a_provider_for_all"),
                ],
            },
        ),
        migrations.AddField(
            model_name="generation",
            name="key_of",
            field=models.CharField(choices=[("environment", "the environment's"), ("provider", "the provider's, for every company"), ("company", "the company's own")], help_text="By whose key it was asked for, and so who pays; null where there was none.", max_length=11, null=True),
        ),
    ]
