"""Whose row an entry of the administration's histories is about, and where an erasure has to look for a name; that
somebody is being handed a file; and the estimates by which answers without a report of their tokens were charged."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

BATCH = 500


def keep(apps, schema_editor):
    """The companies of the entries that there are: by the row that they are about, of a place that somebody lost by
    the name of the company, which nothing else tells."""
    get = apps.get_model
    companies = get("conversations", "Company").objects
    entries = get("admin", "LogEntry").objects
    kept = get("conversations", "CompanyEntry")
    named = {f" at {name}": pk for pk, name in companies.values_list("pk", "name")}
    for name in ("persona", "membership", "invitation", "endpoint", "companysignin"):
        rows = get("conversations", name).objects.filter(company__isnull=False)
        company_of = {str(pk): company for pk, company in rows.values_list("pk", "company_id")}
        about = entries.filter(content_type__app_label="conversations", content_type__model=name)
        found = []
        for pk, row, said in about.values_list("pk", "object_id", "object_repr").iterator(BATCH):
            company = company_of.get(row)
            if company is None and name == "membership":
                company = named.get(said[said.find(" at ") :])
            if company is not None:
                found.append(kept(entry_id=pk, company_id=company))
        kept.objects.bulk_create(found, BATCH)
    # What is under way took no note of it: as before, it looks everywhere.
    under_way = get("conversations", "Erasure").objects.filter(finished_at=None)
    under_way.filter(company=None).update(companies=[str(pk) for pk in named.values()])
    for erasure in under_way.filter(company__isnull=False):
        erasure.companies = [str(erasure.company_id)]
        erasure.save(update_fields=["companies"])


def estimate(apps, schema_editor):
    """What answers that are in the ledger by now were charged by. What was removed since is known no more."""
    records = apps.get_model("conversations", "AnswerRecord").objects
    charges = apps.get_model("conversations", "Charge").objects.filter(estimated=True).order_by("pk")
    figures = dict((pk, rest) for pk, *rest in charges.values_list("pk", "prompt_tokens", "completion_tokens"))
    generations = apps.get_model("conversations", "Generation").objects
    for begin in range(0, len(figures), BATCH):
        some = generations.filter(pk__in=list(figures)[begin : begin + BATCH]).values_list("message", "pk")
        charged = dict(some)
        rows = list(records.filter(message__in=charged, prompt_tokens=None))
        for row in rows:
            row.estimated_prompt, row.estimated_completion = figures[charged[row.message_id]]
        records.bulk_update(rows, ["estimated_prompt", "estimated_completion"])


class Migration(migrations.Migration):
    dependencies = [
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("conversations", "0023_waiting_sign_ins"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CompanyEntry",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="of",
                        serialize=False,
                        to="admin.logentry",
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="conversations.company",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="erasure",
            name="companies",
            field=models.JSONField(default=list, help_text="In whose histories the name may stand."),
        ),
        migrations.CreateModel(
            name="Download",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("token", models.UUIDField(help_text="Which of the person's it is.")),
                ("until", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="answerrecord",
            name="estimated_prompt",
            field=models.PositiveIntegerField(
                help_text="By which it was charged where the provider reported no tokens.", null=True
            ),
        ),
        migrations.AddField(
            model_name="answerrecord",
            name="estimated_completion",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="note",
            field=models.CharField(
                blank=True,
                help_text="Whom it is for, such as a name or an e-mail address. Nothing is sent; only the managers see "
                "it, and it is forgotten where nobody uses the link in its time.",
                max_length=200,
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="closed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)), fields=["closed_at"], name="chats_closed"
            ),
        ),
        migrations.RunPython(estimate, migrations.RunPython.noop),
        migrations.RunPython(keep, migrations.RunPython.noop),
    ]
