"""What is attached, as each wire sends it, and the citations that come back from the one that gives them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.providers import WIRES, ChatMessage, ChatRequest, Citation, Document, WireName, complete
from conversations.providers import chat as ask
from conversations.providers.intake import MOST_CITATIONS, Intake
from conversations.providers.passages import passages
from conversations.providers.recorded import RecordedServer, Script
from tests.providers.support import SSE, endpoint

NOTES = Document("a", "notes.md", "# Penguins\n\nEmperor penguins are the tallest.\n")
TABLE = Document("b", "data.csv", "name,metres\nemperor,1.2\n")
REQUEST = ChatRequest("a-model", (ChatMessage("user", "Which is tallest?", (NOTES, TABLE)),))


@pytest.mark.parametrize("wire", ["mistral", "openai"])
def test_files_stand_in_the_text(wire: WireName) -> None:
    body = WIRES[wire].body(REQUEST)
    assert body["messages"] == [
        {
            "role": "user",
            "content": "Which is tallest?\n\nAttached file: notes.md\n```\n# Penguins\n\nEmperor penguins are the "
            "tallest.\n```\n\nAttached file: data.csv\n```\nname,metres\nemperor,1.2\n```",
        }
    ]
    assert "documents" not in body


def test_cohere_is_sent_documents() -> None:
    body = WIRES["cohere"].body(REQUEST)
    assert body["messages"] == [{"role": "user", "content": "Which is tallest?"}]
    assert body["documents"] == [
        {"id": "1.1", "data": {"title": "notes.md, lines 1–3", "text": NOTES.text}},
        {"id": "2.1", "data": {"title": "data.csv, lines 1–2", "text": TABLE.text}},
    ]
    assert "documents" not in WIRES["cohere"].body(ChatRequest("a-model", (ChatMessage("user", "x"),)))


@given(st.lists(st.text(max_size=200), max_size=80), st.integers(min_value=1, max_value=3))
def test_passages_are_all_of_a_file_in_order(lines: list[str], times: int) -> None:
    text = "\n".join(lines) * times
    found = passages([ChatMessage("user", "x", (Document("a", "a.txt", text),))])
    assert "".join(each.text for each in found) == text
    assert len({each.id for each in found}) == len(found)
    count = len(text.splitlines())
    last = 1
    for each in found:
        assert last <= each.first <= each.last <= count
        last = each.last
    assert all(len(each.text) < 4 * 1_200 for each in found)


def test_much_text_is_cut_into_longer_passages() -> None:
    text = "".join(f"line {number}\n" for number in range(100_000))
    found = passages(
        [ChatMessage("user", "x", (Document("a", "a.txt", text), Document("b", "b.txt", "x" * 900_000)))]
    )
    assert len(found) <= 403
    assert found[0].first == 1
    assert "".join(each.text for each in found) == text + "x" * 900_000


def events(*payloads: dict[str, Any]) -> list[Any]:
    """What comes out of a stream of Cohere's."""
    intake = Intake(endpoint("cohere"), {"content-type": SSE}, now=lambda: 0.0, asked_at=0.0)
    text = "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in payloads)
    return intake.feed(text.encode())


def delta(index: int, **content: str) -> dict[str, Any]:
    return {"type": "content-delta", "index": index, "delta": {"message": {"content": content}}}


def cited(**citation: Any) -> dict[str, Any]:
    sources = citation.pop("sources", [{"type": "document", "id": "1.1", "document": {"id": "1.1"}}])
    return {
        "type": "citation-start",
        "index": 0,
        "delta": {"message": {"citations": {"sources": sources, **citation}}},
    }


def citations(*payloads: dict[str, Any]) -> list[Citation]:
    return [each for each in events(*payloads) if isinstance(each, Citation)]


def test_a_citation_may_come_between_words() -> None:
    found = events(
        delta(0, text="Emperor "), cited(start=0, end=7, text="Emperor"), delta(0, text="penguins.")
    )
    assert found[2] == Citation(0, 7, "Emperor", ("1.1",))
    assert found[3].text == "penguins."


def test_offsets_count_from_the_block_of_text() -> None:
    blocks = (delta(0, thinking="Hm."), delta(1, text="First. "), delta(2, text="Second."))
    assert citations(*blocks, cited(start=0, end=6, text="Second", content_index=2))[0].start == 7
    assert citations(*blocks, cited(start=0, end=5, text="First", content_index=1))[0].start == 0
    assert citations(*blocks, cited(start=0, end=5, text="First"))[0].start == 0


@pytest.mark.parametrize(
    "citation",
    [
        {},
        {"start": "0", "end": 3, "text": "x"},
        {"start": -1, "end": 3, "text": "x"},
        {"start": 0, "end": 3, "text": "x", "sources": []},
        {"start": 0, "end": 3, "text": "x", "sources": [{"id": None}, 5, {}]},
        {"start": 0, "end": 3, "text": "x", "sources": {"id": "1.1"}},
        {"start": 0, "end": 3, "text": "x", "type": "THINKING_CONTENT"},
        {"start": 0, "end": 3, "text": "x", "type": "PLAN"},
    ],
)
def test_what_is_out_of_shape_is_passed_over(citation: dict[str, Any]) -> None:
    assert citations(delta(0, text="x"), cited(**citation)) == []
    assert citations(delta(0, text="x"), {"type": "citation-start"}, {"type": "citation-end"}) == []


def test_text_out_of_shape_is_cleaned() -> None:
    assert citations(delta(0, text="x"), cited(start=0, end=1, text="a\0\ud83c"))[0].text == "a\ufffd"
    assert citations(delta(0, text="x"), cited(start=0, end=1, text=5))[0].text == ""


def test_there_is_an_end_to_them() -> None:
    many = [cited(start=0, end=1, text="x")] * (MOST_CITATIONS + 50)
    assert len(citations(delta(0, text="x"), *many)) == MOST_CITATIONS


async def test_they_come_from_a_real_server(server: RecordedServer) -> None:
    cites = (("tallest", 0), ("1.2 metres", 1), ("nothing", 7))
    script = Script(pieces=("The tallest ", "has 1.2 metres, ", "nothing more."), cites=cites)
    server.upstream.scripts.append(script)
    target = endpoint("cohere", server.base_url("cohere"))
    found = [each async for each in ask(target, REQUEST) if isinstance(each, Citation)]
    assert found == [Citation(4, 11, "tallest", ("1.1",)), Citation(16, 26, "1.2 metres", ("2.1",))]
    server.upstream.scripts.append(script)
    whole = await complete(target, REQUEST)
    assert whole.text.startswith("The tallest has")
