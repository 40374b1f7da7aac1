"""The colours of code: which languages are known, and one class name per kind of token.

What lives here: from a language and its source to escaped HTML, and the CSS for the classes used.
A language is never guessed, and a lexer that stalls or loses a character is not believed.
"""

import re
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from html import escape
from typing import Any, Final

from pygments.lexer import Lexer, RegexLexer
from pygments.lexers import find_lexer_class_by_name
from pygments.token import Token, _TokenType

LONGEST: Final = 16_000
LONGEST_LINE: Final = 1_000
SECONDS: Final = 0.1
# How far ahead one rule of a lexer may look, in characters. Some take the square or the cube of what they look through,
# and while one of them runs nothing else of the process does: no clock can end it.
AHEAD: Final = 1_000
# Nobody writes such a gap, and it is what those rules are slowest at.
_GAP: Final = re.compile(r"\s{100}")

# Pygments knows some six hundred languages; some of its rules take quadratic time on hostile input.
# These are the ones that answers are written in.
LANGUAGES: Final = frozenset(
    {
        *("bash", "c", "c#", "c++", "console", "cpp", "cs", "csharp", "css", "diff", "docker"),
        *("dockerfile", "elixir", "erlang", "go", "golang", "graphql", "groovy", "haskell", "hcl"),
        *("html", "http", "ini", "java", "javascript", "js", "json", "jsx", "kotlin", "lua"),
        *("make", "makefile", "mysql", "nginx", "nix", "objective-c", "ocaml", "perl", "php"),
        *("postgresql", "powershell", "protobuf", "ps1", "py", "py3", "pycon", "python"),
        *("python3", "r", "rb", "rs", "ruby", "rust", "scala", "scss", "sh", "shell", "sql"),
        *("swift", "terraform", "toml", "ts", "tsx", "typescript", "vim", "xml", "yaml"),
        *("yml", "zig", "zsh"),
    }
)

# From a Pygments token to the class that a stylesheet knows; the nearest ancestor decides.
_CLASSES: Final[dict[_TokenType, str]] = {
    Token.Comment: "c",
    Token.Comment.Preproc: "k",
    Token.Keyword: "k",
    Token.Keyword.Constant: "m",
    Token.Keyword.Type: "t",
    Token.Operator.Word: "k",
    Token.Name.Builtin: "f",
    Token.Name.Function: "f",
    Token.Name.Class: "t",
    Token.Name.Exception: "t",
    Token.Name.Namespace: "t",
    Token.Name.Tag: "k",
    Token.Name.Attribute: "a",
    Token.Name.Decorator: "a",
    Token.Name.Constant: "m",
    Token.Name.Variable: "v",
    Token.Literal.String: "s",
    Token.Literal.String.Escape: "e",
    Token.Literal.String.Interpol: "e",
    Token.Literal.Number: "m",
    Token.Generic.Deleted: "d",
    Token.Generic.Inserted: "i",
    Token.Generic.Heading: "k",
    Token.Generic.Subheading: "k",
    Token.Generic.Prompt: "c",
}

# Light and dark, each at least 4.5:1 on the code surfaces in `SURFACES`; held by a test.
PALETTE: Final[dict[str, tuple[str, str]]] = {
    "c": ("oklch(0.52 0.02 260)", "oklch(0.70 0.02 260)"),
    "k": ("oklch(0.48 0.19 300)", "oklch(0.78 0.13 300)"),
    "s": ("oklch(0.46 0.11 150)", "oklch(0.80 0.13 150)"),
    "e": ("oklch(0.48 0.10 195)", "oklch(0.82 0.10 195)"),
    "m": ("oklch(0.50 0.13 55)", "oklch(0.80 0.12 65)"),
    "f": ("oklch(0.47 0.15 255)", "oklch(0.79 0.11 250)"),
    "t": ("oklch(0.47 0.10 210)", "oklch(0.81 0.09 210)"),
    "a": ("oklch(0.48 0.14 340)", "oklch(0.79 0.12 340)"),
    "v": ("oklch(0.48 0.15 25)", "oklch(0.79 0.11 25)"),
    "d": ("oklch(0.48 0.18 27)", "oklch(0.77 0.14 25)"),
    "i": ("oklch(0.46 0.13 145)", "oklch(0.80 0.15 145)"),
}


def highlight(language: str, code: str) -> str | None:
    """Escaped HTML of `code` with a span for each coloured token; None where it stays uncoloured."""
    name = language.lower()
    if name not in LANGUAGES or len(code) > LONGEST:
        return None
    return _coloured(name, code)


@lru_cache(maxsize=128)
def _coloured(name: str, code: str) -> str | None:
    """Kept for the last blocks: an answer is rendered once as it arrives and once when it ends."""
    if max(map(len, code.split("\n"))) > LONGEST_LINE or _GAP.search(code):
        return None
    lexer = _lexer(name)
    if not isinstance(lexer, RegexLexer) and len(code) > AHEAD:
        return None  # sessions of a console, whose lexers hand each part to another one
    parts: list[str] = []
    length = 0
    for css, text in _runs(lexer, code):
        length += len(text)
        escaped = escape(text, quote=False)
        parts.append(f'<span class="{css}">{escaped}</span>' if css else escaped)
    return "".join(parts) if length == len(code) else None


def _runs(lexer: Lexer, code: str) -> Iterator[tuple[str, str]]:
    """Neighbouring tokens of one class joined; ends early, and so too short, when time is up."""
    deadline = time.thread_time() + SECONDS
    current, texts = "", list[str]()
    for token, text in lexer.get_tokens(code):
        css = _class_of(token) if not text.isspace() else current
        if css != current:
            yield current, "".join(texts)
            current, texts = css, []
        texts.append(text)
        if time.thread_time() > deadline:
            return
    yield current, "".join(texts)


def _lexer(name: str) -> Lexer:
    lexer = _lexer_class(name)(stripnl=False, ensurenl=False)
    if isinstance(lexer, RegexLexer):
        lexer._tokens = _rules(name)  # type: ignore[attr-defined]
    return lexer


@cache
def _lexer_class(name: str) -> type[Lexer]:
    return find_lexer_class_by_name(name)


@cache
def _rules(name: str) -> dict[str, list[tuple[Any, ...]]]:
    """The rules of a lexer by its states, none of which looks further than AHEAD.

    A comment that is longer loses its colour; no text is lost by it.
    """
    states = _lexer_class(name)()._tokens  # type: ignore[attr-defined]
    return {state: [(_nearby(match), *rest) for match, *rest in rules] for state, rules in states.items()}


def _nearby(match: Callable[..., Any]) -> Callable[..., Any]:
    def look(text: str, start: int, end: int = sys.maxsize) -> Any:
        return match(text, start, min(start + AHEAD, end))

    return look


@cache
def _class_of(token: _TokenType) -> str:
    for ancestor in reversed(token.split()):
        if ancestor in _CLASSES:
            return _CLASSES[ancestor]
    return ""


def code_css() -> str:
    """The rules of `static/css/code.css` for the token classes."""
    rules = [
        f".code .{css} {{ color: light-dark({light}, {dark}); }}" for css, (light, dark) in PALETTE.items()
    ]
    return "\n".join([*rules, ".code .c { font-style: italic; }", ""])
