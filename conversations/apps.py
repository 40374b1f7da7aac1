"""The application: companies, personas, conversations, and how an answer is made and kept."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class ConversationsConfig(AppConfig):
    name = "conversations"
    verbose_name = gettext_lazy("Personas and people")  # the heading in the administration
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from conversations import checks  # noqa: F401  (registers the system checks)
