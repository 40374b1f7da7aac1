"""What each kind of Markdown becomes."""

import pytest
from django.utils.translation import get_language, override

from conversations.rendering import markdown, markup
from conversations.rendering.highlight import LANGUAGES, PALETTE, code_css, highlight
from conversations.rendering.markdown import read_only, render
from tests.rendering.dom import parse

REL = 'target="_blank" rel="noopener noreferrer nofollow"'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# One\n## Two\n#### Four\n", '<h3 dir="auto">One</h3>\n<h4 dir="auto">Two</h4>\n<h6 dir="auto">Four</h6>\n'),
        ("a **b** *c* ~~d~~ `e`", '<p dir="auto">a <strong>b</strong> <em>c</em> <del>d</del> <code>e</code></p>\n'),
        ("a  \nb\nc", '<p dir="auto">a<br>\nb\nc</p>\n'),
        ("> a", '<blockquote dir="auto">\n<p>a</p>\n</blockquote>\n'),
        ("3. a\n4. b", '<ol start="3" dir="auto">\n<li>a</li>\n<li>b</li>\n</ol>\n'),
        ("---", "<hr>\n"),
        ("a[^1]", '<p dir="auto">a<sup>1</sup></p>\n'),
        ("[^1]: a", '<div class="footnote" dir="auto"><sup>1</sup>\n<p>a</p>\n</div>\n'),
        ("a [^a-z] b", '<p dir="auto">a [^a-z] b</p>\n'),
        ("a <b>b</b>", '<p dir="auto">a &lt;b&gt;b&lt;/b&gt;</p>\n'),
        ("<div>\n*a*\n</div>", '<p class="plain" dir="auto">&lt;div&gt;\n*a*\n&lt;/div&gt;</p>\n'),
        ("", ""),
        ("\x00a\u202eb\r\nc\rd", '<p dir="auto">ab\nc\nd</p>\n'),
        ("\ud83da", '<p dir="auto">\ufffda</p>\n'),
    ],
)  # fmt: skip
def test_elements(text: str, html: str) -> None:
    assert parse(render(text)).html() == parse(html).html()


def test_task_list_says_its_state() -> None:
    html = render("- [x] a\n- [ ] b")
    assert '<li><span class="task" role="img" aria-label="Done">☑</span> a</li>' in html
    assert '<li><span class="task" role="img" aria-label="Not done">☐</span> b</li>' in html


def test_table_scrolls_by_keyboard_and_keeps_alignment() -> None:
    html = render("| a | b |\n|---|--:|\n| 1 | 2 |")
    assert html.startswith(
        '<div class="table" tabindex="0" role="region" aria-label="Table"><table dir="auto">'
    )
    assert '<th class="right">b</th>' in html
    assert '<td>1</td><td class="right">2</td>' in html
    assert html.endswith("</tbody></table></div>\n")


@pytest.mark.parametrize(
    ("text", "href", "shown"),
    [
        ("[words](https://Example.com/a?b=c&d)", "https://example.com/a?b=c&d", "words example.com"),
        ("[example.com](https://evil.example/)", "https://evil.example/", "example.com evil.example"),
        ("[example.com.evil](https://example.com/)", "https://example.com/", "example.com.evil example.com"),
        ("[example.com](https://www.example.com/a)", "https://www.example.com/a", "example.com"),
        (
            "[https://example.com/a](https://example.com/a/b)",
            "https://example.com/a/b",
            "https://example.com/a",
        ),
        ("<https://example.com/a>", "https://example.com/a", "https://example.com/a"),
        ("<me@example.com>", "mailto:me@example.com", "me@example.com"),
        ("[mail me](mailto:me@example.com)", "mailto:me@example.com", "mail me me@example.com"),
        ("[x](https://пример.рф/я)", "https://xn--e1afmkfd.xn--p1ai/%D1%8F", "x xn--e1afmkfd.xn--p1ai"),
        ("(https://example.com/a_(b)).", "https://example.com/a_(b)", "https://example.com/a_(b)"),
        ("![a *logo*](https://example.com/i.png)", "https://example.com/i.png", "a logo example.com"),
        ("![a <b>](https://example.com/i.png)", "https://example.com/i.png", "a <b> example.com"),
        ("![](https://example.com/i.png)", "https://example.com/i.png", "Image example.com"),
        ("[![a](https://a.example/i)](https://b.example)", "https://b.example", "a b.example"),
        ('[a](https://e.example/"<b>)', "https://e.example/%22%3Cb%3E", "a e.example"),
    ],
)
def test_links(text: str, href: str, shown: str) -> None:
    links = [element for element in parse(render(text)).walk() if element.tag == "a"]
    assert [link.attributes["href"] for link in links] == [href]
    assert links[0].text() == shown
    assert REL in render(text)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "javascript:alert(1)",
            "JAVASCRIPT:x",
            "java&#x09;script:x",
            "&#1;javascript:x",
            "data:text/html,x",
        ),
        *(
            "vbscript:x",
            "file:///etc/passwd",
            "//e.example",
            "/admin/",
            "?q",
            "#a",
            "https:e.example",
            "https://",
        ),
        *("https://a.example@e.example/", "https://a.example\\@e.example", "https://[::1", "https://.../"),
        *(
            "mailto:",
            "mailto:a@b@c",
            "ftp://e.example",
            "https://e.example:99999999/",
            "https://" + "a" * 2_100,
        ),
    ],
)
def test_no_link(address: str) -> None:
    html = render(f"[words](<{address}>)")
    assert "<a" not in html
    assert "words" in html


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("```python\nx = '<b>'\n```", "x = <span class=\"s\">'&lt;b&gt;'\n</span>"),
        ("```PYTHON title=x\nif\n```", '<span class="k">if\n</span>'),
        ("```python\nx = '<b>'", "x = '&lt;b&gt;'"),
        ("```\nif\n```", "if\n"),
        ("```whatever\nif\n```", "if\n"),
        ("    if", "if"),
        ("```python\n" + "if\n" * 9_000 + "```", "if\n" * 9_000),
        ("```python\n" + "(" * 2_000 + "\n```", "(" * 2_000 + "\n"),
        ("> ```python\n> if\n> ```", '<span class="k">if\n</span>'),
        ("- ~~~python\n  if\n  ~~~~", '<span class="k">if\n</span>'),
    ],
)
def test_code(text: str, code: str) -> None:
    html = render(text)
    assert f'<pre tabindex="0"><code>{code}</code></pre></figure>' in html
    assert html.count("<figure") == 1


def test_code_names_its_language() -> None:
    head = '<figcaption><span class="language">{}</span><button type="button" data-wrap-code'
    assert head.format("python") in render("```python\n```")
    assert head.format("&lt;b&gt;") in render("```<b>\n```")
    assert head.format("text") in render("    x")


def test_every_language_has_a_lexer_that_loses_nothing() -> None:
    code = 'def f(x):\n    return "a" + 1 # <b> é\n'
    for language in LANGUAGES:
        html = highlight(language, code)
        assert html is not None, language
        assert parse(html).text() == code
        assert {span.attributes["class"] for span in parse(html).walk()} <= set(PALETTE)


def test_every_token_class_has_a_colour() -> None:
    css = code_css()
    assert all(f".code .{name} {{ color: light-dark(" in css for name in PALETTE)


def test_nested_too_deep_is_plain_but_its_neighbours_are_not() -> None:
    html = render("Some *text*\n\n" + "> " * 60 + "deep <b>\n\nMore *text*")
    assert html.count("<em>text</em>") == 2
    assert '<p class="plain" dir="auto">&gt; &gt; ' in html
    assert "deep &lt;b&gt;" in html


def test_twenty_levels_are_not_too_deep() -> None:
    html = render("\n".join("  " * level + "- x" for level in range(20)))
    assert html.count("<li>") == 20


def test_too_long_is_plain() -> None:
    text = "*a* <b>\n" * 70_000
    html = render(text)
    assert html.startswith('<p class="plain" dir="auto">*a* &lt;b&gt;\n')
    assert html.count("<") == 2


def test_out_of_time_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown.render_clean, "__defaults__", (1e-9,))
    assert markdown.render("*a* " * 500).startswith('<p class="plain" dir="auto">*a* *a* ')


def test_what_stands_around_the_words_is_in_the_language_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "_", lambda words: f"{get_language()} <{words}")
    monkeypatch.setattr(markup, "pgettext", lambda _, words: f"{get_language()} <{words}")
    source = "- [x] a\n- [ ] b\n\n|a|\n|-|\n|1|\n\n```\nDone\n```\n"
    markup._words.cache_clear()
    try:
        for language in ("de", "fr", "de"):
            with override(language):
                html, read = render(source), read_only(source)
            for words in ("Done", "Not done", "Table"):
                assert f' aria-label="{language} &lt;{words}"' in html
            for words in ("Wrap lines", "Copy", "text"):
                assert f">{language} &lt;{words}</" in html
            assert "<button" in html
            assert "<button" not in read
    finally:
        markup._words.cache_clear()
