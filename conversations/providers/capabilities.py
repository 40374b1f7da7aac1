"""What a model can do, in the words that people use. Pure, no I/O."""

from collections.abc import Iterable

_WORDS = {  # where a provider's own name for it says little
    "completion_chat": "chat",
    "chat": "chat",
    "completion_fim": "code completion",
    "function_calling": "tools",
    "tools": "tools",
    "strict_tools": "strict tools",
    "tool_choice": "choice of tools",
    "fine_tuning": "tuning",
    "ocr": "reading scans",
    "json_mode": "JSON",
    "json_schema": "JSON by a schema",
    "logprobs": "probabilities",
    "audio_transcription": "transcription",
}


def worded(names: Iterable[str]) -> tuple[str, ...]:
    """The capabilities called `names` by a provider, each once: what it can hold a chat with comes first."""
    words = sorted({_WORDS.get(name, name.replace("_", " ")) for name in names})
    return tuple(sorted(words, key=lambda word: word != "chat"))
