"""What pages and mails about an error may show of the values at hand: none that can hold a key or a question.

Django hides settings and headers by their names, and what views mark, but while DEBUG is on not even that. A key on
its way to a provider stands in the frames of whatever carries it, also of libraries, so these show no value at all.
"""

from __future__ import annotations

from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

_SILENT = (
    "aiohttp",
    "conversations.admin.key_forms",
    "conversations.catalogue",
    "conversations.endpoints",
    "conversations.keys",
    "conversations.providers",
    "conversations.sealing",
    "cryptography",
    "django.forms",
    "httpx",
    "httpx_aiohttp",
)


class Discreet(SafeExceptionReporterFilter):
    """Django's own filter, at work while DEBUG is on too, and silent about the frames of what carries secrets."""

    def is_active(self, request: HttpRequest | None) -> bool:
        """Always."""
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> Any:
        """What was sent, without keys and passwords, also where no view was reached that marks them."""
        return self._without_secrets(super().get_post_parameters(request))

    def get_cleansed_multivaluedict(self, request: HttpRequest, multivaluedict: Any) -> Any:
        """A form's data in a frame, likewise."""
        return self._without_secrets(super().get_cleansed_multivaluedict(request, multivaluedict))

    def _without_secrets(self, sent: Any) -> Any:
        """A copy; sent is what a form sends, by the names of its fields."""
        named = [name for name in sent if self.hidden_settings.search(name)]
        if not named:
            return sent
        cleansed = sent.copy()
        for name in named:
            cleansed[name] = self.cleansed_substitute
        return cleansed

    def get_traceback_frame_variables(self, request: Any, tb_frame: FrameType) -> Any:
        """The values of a frame; of one that may hold a secret, their names alone."""
        module = str(tb_frame.f_globals.get("__name__", ""))
        if module.startswith(tuple(f"{name}." for name in _SILENT)) or module in _SILENT:
            return [(name, self.cleansed_substitute) for name in tb_frame.f_locals]
        return super().get_traceback_frame_variables(request, tb_frame)
