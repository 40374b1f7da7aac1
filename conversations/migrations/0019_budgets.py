"""Prices, budgets, and the ledger of charges, which begins with what was used in the last month.

So a budget that is made right after counts what its period has used. What that cost is not known any more.
"""

import uuid
from datetime import timedelta

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q
from django.utils import timezone

MONTH = timedelta(days=31)
BATCH = 2_000


def begin_ledger(apps, schema_editor):
    """A settled charge for each answer of the last month of which tokens are known."""
    Charge = apps.get_model("conversations", "Charge")
    known = Q(prompt_tokens__isnull=False) | Q(completion_tokens__isnull=False)
    records = apps.get_model("conversations", "AnswerRecord").objects.filter(known)
    records = records.filter(ended_at__gte=timezone.now() - MONTH)
    rows = records.values_list("company", "persona", "person", "ended_at", "prompt_tokens", "completion_tokens")
    charges = []
    for company, persona, person, ended_at, prompt, completion in rows.iterator(BATCH):
        charges.append(
            Charge(
                id=uuid.uuid4(),
                company_id=company,
                persona_id=persona,
                person_id=person,
                day=timezone.localdate(ended_at, timezone.get_default_timezone()),
                made_at=ended_at,
                settled_at=ended_at,
                reserved_prompt=prompt or 0,
                reserved_completion=completion or 0,
                prompt_tokens=prompt or 0,
                completion_tokens=completion or 0,
            )
        )
    Charge.objects.bulk_create(charges, BATCH)


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0018_retention'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='answerrecord',
            name='cost',
            field=models.BigIntegerField(help_text='In millionths of the currency, as charged; null where the price is unknown.', null=True),
        ),
        migrations.AddField(
            model_name='generation',
            name='prompt_estimate',
            field=models.PositiveIntegerField(help_text='A guess at the tokens that were sent, made when the answer was taken on.', null=True),
        ),
        migrations.CreateModel(
            name='Budget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('unit', models.CharField(choices=[('tokens', 'Tokens'), ('money', 'Money')], max_length=6)),
                ('period', models.CharField(choices=[('day', 'A day'), ('month', 'A calendar month')], max_length=5)),
                ('soft', models.BigIntegerField(null=True)),
                ('hard', models.BigIntegerField(null=True)),
                ('began', models.DateField()),
                ('reserved', models.BigIntegerField(default=0)),
                ('spent', models.BigIntegerField(default=0)),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='budgets', to='conversations.company')),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='budgets', to=settings.AUTH_USER_MODEL)),
                ('persona', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='budgets', to='conversations.persona')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('persona', None), ('person', None), _connector='OR'), name='budget_of_a_persona_or_a_person'), models.CheckConstraint(condition=models.Q(('soft__isnull', False), ('hard__isnull', False), _connector='OR'), name='budget_says_something'), models.CheckConstraint(condition=models.Q(models.Q(('soft', None), ('soft__gte', 1), _connector='OR'), models.Q(('hard', None), ('hard__gte', 1), _connector='OR')), name='budget_above_zero'), models.CheckConstraint(condition=models.Q(('soft', None), ('hard', None), ('soft__lte', models.F('hard')), _connector='OR'), name='budget_told_before_its_end'), models.UniqueConstraint(condition=models.Q(('person', None), ('persona', None)), fields=('company', 'unit', 'period'), name='one_budget_a_company'), models.UniqueConstraint(condition=models.Q(('persona__isnull', False)), fields=('persona', 'unit', 'period'), name='one_budget_a_persona'), models.UniqueConstraint(condition=models.Q(('person__isnull', False)), fields=('company', 'person', 'unit', 'period'), name='one_budget_a_person')],
            },
        ),
        migrations.CreateModel(
            name='Charge',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('made_at', models.DateTimeField()),
                ('prompt_price', models.DecimalField(decimal_places=6, max_digits=12, null=True)),
                ('completion_price', models.DecimalField(decimal_places=6, max_digits=12, null=True)),
                ('reserved_prompt', models.BigIntegerField()),
                ('reserved_completion', models.BigIntegerField()),
                ('reserved_money', models.BigIntegerField(help_text='Null where the price is unknown.', null=True)),
                ('settled_at', models.DateTimeField(null=True)),
                ('prompt_tokens', models.BigIntegerField(null=True)),
                ('completion_tokens', models.BigIntegerField(null=True)),
                ('money', models.BigIntegerField(null=True)),
                ('estimated', models.BooleanField(default=False, help_text='Settled by a guess from the characters: the provider reported no tokens.')),
                ('company', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='conversations.company')),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('persona', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='conversations.persona')),
            ],
            options={
                'indexes': [models.Index(fields=['company', 'day'], name='charges_by_day'), models.Index(condition=models.Q(('settled_at', None)), fields=['company'], name='open_charges')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('completion_tokens', None), ('money', None), ('prompt_tokens', None), ('settled_at', None)), models.Q(('completion_tokens__isnull', False), ('prompt_tokens__isnull', False), ('settled_at__isnull', False)), _connector='OR'), name='settled_charges_have_figures')],
            },
        ),
        migrations.CreateModel(
            name='Price',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.CharField(help_text='As personas name it, such as mistral-large-latest. Another name is unknown.', max_length=200)),
                ('prompt', models.DecimalField(decimal_places=6, help_text='For a million tokens that are sent.', max_digits=12, validators=[django.core.validators.MinValueValidator(0)], verbose_name='tokens in')),
                ('completion', models.DecimalField(decimal_places=6, help_text='For a million tokens that are written, thinking included.', max_digits=12, validators=[django.core.validators.MinValueValidator(0)], verbose_name='tokens out')),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='prices', to='conversations.endpoint', verbose_name='provider')),
            ],
            options={
                'ordering': ['endpoint__name', 'model'],
                'constraints': [models.UniqueConstraint(fields=('endpoint', 'model'), name='one_price_a_model')],
            },
        ),
        migrations.RunPython(begin_ledger, migrations.RunPython.noop),
    ]
