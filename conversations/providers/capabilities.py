"""What a model can do, in the words that people use. Pure, no I/O."""

from collections.abc import Iterable

from django.utils.translation import gettext_noop

_WORDS = {  # where a provider's own name for it says little
    "completion_chat": gettext_noop("chat"),
    "chat": gettext_noop("chat"),
    "completion_fim": gettext_noop("code completion"),
    "function_calling": gettext_noop("tools"),
    "tools": gettext_noop("tools"),
    "strict_tools": gettext_noop("strict tools"),
    "tool_choice": gettext_noop("choice of tools"),
    "fine_tuning": gettext_noop("tuning"),
    "ocr": gettext_noop("reading scans"),
    "json_mode": gettext_noop("JSON"),
    "json_schema": gettext_noop("JSON by a schema"),
    "logprobs": gettext_noop("probabilities"),
    "audio_transcription": gettext_noop("transcription"),
}


def worded(names: Iterable[str]) -> tuple[str, ...]:
    """The capabilities called `names` by a provider, each once: what it can hold a chat with comes first."""
    words = sorted({_WORDS.get(name, name.replace("_", " ")) for name in names})
    return tuple(sorted(words, key=lambda word: word != "chat"))
