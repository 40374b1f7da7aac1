import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Coalesce


def fill(apps, schema_editor):
    """Reviews so far have the rubric of the grades they gave, and without any the one in use."""
    Judgement, Rubric = (apps.get_model("conversations", name) for name in ("Judgement", "Rubric"))
    graded = Judgement.objects.filter(review=models.OuterRef("pk"), grade__isnull=False).order_by("-pk")
    used = Rubric.objects.filter(company__queue=models.OuterRef("entry"), in_use=True)
    apps.get_model("conversations", "Review").objects.update(
        rubric=Coalesce(
            models.Subquery(graded.values("grade__rubric")[:1]), models.Subquery(used.values("pk")[:1])
        )
    )


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0009_reasons_again'),
    ]

    operations = [
        migrations.AddField(
            model_name='review',
            name='rubric',
            field=models.ForeignKey(help_text='The grades it began with, whichever are in use meanwhile.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='conversations.rubric'),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
