"""Files that are not what they should be: a clear answer to each, the rest kept, and nobody else the slower for it."""

from __future__ import annotations

import gc
import io
import json
import struct
import tracemalloc
import uuid
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from conversations import importing
from conversations.database import aside, in_database
from conversations.importing import elements, source, writing
from conversations.models import Conversation, Import, Message
from tests.answers import ended
from tests.conftest import Cast
from tests.importing import Turn, brought_in, chatgpt, conversation, node, question_and_answer, send, zipped
from tests.test_lag import LATE, TRIES, measured
from tests.test_person_export import client_of, my_data

GOOD = [question_and_answer(1), question_and_answer(2)]


@pytest.fixture
def me(live_cast: Cast) -> User:
    return live_cast.member


def with_bad(text: str) -> bytes:
    """An export in which something bad stands between two good ones."""
    one, other = map(json.dumps, GOOD)
    return f"[{one},\n{text}\n,{other}]".encode("utf-8", "surrogatepass")


def problem(file: Import) -> str:
    (told,) = file.problems
    return str(told["why"])


# -- Bad entries among good ones ------------------------------------------------------------------------


def changed(**more: Any) -> str:
    return json.dumps(question_and_answer(9) | more)


def in_mapping(**nodes: Any) -> str:
    entry = question_and_answer(9)
    entry["mapping"] |= nodes
    return json.dumps(entry)


CIRCLE = in_mapping(x=node("x", "user", "y", "x"), y=node("y", "user", "x", "y"))
ALONE = in_mapping(x=node("x", "user", "x", "x"))


def with_time(text: str) -> str:
    return changed(create_time="x").replace('"create_time": "x"', f'"create_time": {text}')


NO_AUTHOR = {"parent": "a", "message": {"author": "me", "content": {}}}
BAD = {
    "a number": ("17", "no conversation"),
    "a text": ('"]}[,"', "no conversation"),
    "null": ("null", "no conversation"),
    "another object": ('{"a": {"b": [1, 2, 3]}}', "no conversation"),
    "no JSON": ("{'title': 1}", "no valid JSON"),
    "garbage": ('{"title": "x"} oops', "no valid JSON"),
    "not a number": (with_time("NaN"), "no valid JSON"),
    "infinity": (with_time("-Infinity"), "no valid JSON"),
    "a number without end": (with_time("9" * 5_000), "no valid JSON"),
    "a circle": (CIRCLE, "lead in a circle"),
    "a node above itself": (ALONE, "lead in a circle"),
    "nodes that are none": (in_mapping(x=5), "not made as a chat"),
    "a parent that is none": (in_mapping(x={"parent": [], "message": None}), "not made as a chat"),
    "a message that is none": (in_mapping(x={"parent": "a", "message": 7}), "not made as a chat"),
    "an author that is none": (in_mapping(x=NO_AUTHOR), "not made as a chat"),
    "no name": (changed(conversation_id=None), "not made as a chat"),
    "a name of another kind": (changed(conversation_id={"$ne": 1}), "not made as a chat"),
    "a long name": (changed(conversation_id="x" * 5_000), "not made as a chat"),
    "a mapping that is a list": (changed(mapping=[1]), "no conversation"),
    "nothing said": (json.dumps(conversation()), "Nobody says anything"),
    "deep": (changed(x=0).replace('"x": 0', '"x": ' + "[" * 100_000 + "]" * 100_000), "nested too deeply"),
    "a long message": (in_mapping(x=node("x", "user", "a", "x" * 600_000)), "longer than 512 KB"),
    "bytes": (chr(0xDC80) * 9, "no valid JSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_entry_is_listed_and_the_rest_is_kept(live_cast: Cast, me: User, name: str) -> None:
    text, why = BAD[name]
    file = brought_in(me, live_cast.guide, with_bad(text))
    assert (file.status, file.sentence, file.chats, file.bad) == ("done", "", 2, 1)
    assert why in problem(file)
    page = client_of(me).get(reverse("chat_files")).content.decode()
    assert why in page
    assert "1 entry could not be read" in page


def test_a_huge_entry_is_passed_over_without_being_kept(
    live_cast: Cast, me: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elements, "MOST", 200_000)
    file = brought_in(me, live_cast.guide, with_bad(changed(junk="x" * 500_000)))
    assert (file.chats, problem(file)) == (2, elements.TOO_LONG)
    monkeypatch.setattr(elements, "MOST_SIGNS", 50_000)
    file = brought_in(me, live_cast.guide, with_bad(changed(junk=[[]] * 100_000)))
    assert (file.known, problem(file)) == (2, elements.TOO_LONG)


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_entries_are_found_wherever_the_chunks_end(chunk: int) -> None:
    whole = [{"a": '"\\"[]{},\\\\'}, ["x,", {"y": []}], "é\u2028,", 5, {}]
    text = f" \n[{','.join(json.dumps(each, ensure_ascii=False) for each in whole)} ]\n[ 6 ]".encode()
    cut = (text[at : at + chunk] for at in range(0, len(text), chunk))
    found = [each for each in elements.elements(cut) if isinstance(each, bytes)]
    assert [json.loads(each) for each in found] == [*whole, 6]


def test_of_a_name_that_stands_twice_the_last_counts(live_cast: Cast, me: User) -> None:
    text = json.dumps(question_and_answer(9)).replace('"title": ', '"title": "first", "title": ')
    file = brought_in(me, live_cast.guide, f"[{text}]".encode())
    assert (file.status, file.chats) == ("done", 1)
    assert Conversation.objects.get().title == "Number 9"


def test_odd_characters_times_and_titles_are_put_right(live_cast: Cast, me: User) -> None:
    entry = conversation(
        ("q", "user", None, "zero \0 half \ud800 \U0001f600"),
        ("a", "assistant", "q", "\udc00answer\0"),
        title="\0\n" + "long " * 100_000 + "\ud83d",
        create_time=-1e300,
        update_time="yesterday",
    )
    entry["mapping"]["q"]["message"]["create_time"] = True
    entry["mapping"]["a"]["message"]["create_time"] = 1e18
    file = brought_in(me, live_cast.guide, json.dumps([entry]).encode())
    assert (file.status, file.chats, file.bad) == ("done", 1, 0)
    chat = Conversation.objects.get()
    assert chat.title == ("long " * 24).strip()
    assert 2000 < chat.created_at.year < 2200
    assert sorted(Message.objects.values_list("text", flat=True)) == ["?answer", "zero  half ? \U0001f600"]


def test_a_long_run_of_answers_costs_no_more_than_its_length(live_cast: Cast, me: User) -> None:
    nodes = {"n0": node("n0", "user", None, "Go")}
    for number in range(1, 8_000):
        nodes[f"n{number}"] = node(f"n{number}", "assistant", f"n{number - 1}", "word " * 10)
    entry = question_and_answer(3) | {"mapping": nodes, "current_node": "n7999"}
    file = brought_in(me, live_cast.guide, chatgpt(entry))
    assert (file.chats, file.messages) == (1, 2)
    for number in range(1, 8_000):  # and each of them has a question below it
        nodes[f"q{number}"] = node(f"q{number}", "user", f"n{number}", "?")
    file = brought_in(me, live_cast.guide, chatgpt(entry | {"conversation_id": "other"}))
    assert "longer than 512 KB" in problem(file)


# -- Files that end, or begin, otherwise than they should ------------------------------------------------

HALF = chatgpt(*GOOD, question_and_answer(3))[:-60]


def test_what_stands_before_a_cut_is_kept(live_cast: Cast, me: User) -> None:
    file = brought_in(me, live_cast.guide, HALF)
    assert (file.status, file.chats) == ("done", 2)
    assert file.sentence == f"{elements.CUT} What came before that was kept."


def test_lines_that_are_cut_are_kept_as_far_as_they_go(live_cast: Cast, me: User) -> None:
    for number in range(3):
        ended(live_cast, "x" * 100, question=f"Question {number}")
    data = my_data(me)
    Conversation.objects.all().delete()
    for cut in (data[:-200], b"\n".join(data.splitlines()[:-1])):
        file = brought_in(me, live_cast.guide, cut)
        assert (file.status, elements.CUT in file.sentence) == ("done", True)
    assert Conversation.objects.count() == 3


def test_broken_lines_are_the_chat_s_that_they_stand_in(live_cast: Cast, me: User) -> None:
    for number in range(3):
        ended(live_cast, question=f"Question {number}")
    text = my_data(me).splitlines()
    at = [number for number, line in enumerate(text) if b'"kind":"conversation"' in line][1]
    Conversation.objects.all().delete()
    for broken in (
        b"{",
        b"[]",
        b'{"kind":"message","role":"system","id":"x","text":"x"}',
        b'{"kind":"message","role":"user","id":"x","text":5}',
        b'{"kind":"message","role":"user","id":"x","text":"x","parent":"gone"}',
    ):
        file = brought_in(me, live_cast.guide, b"\n".join([*text[: at + 1], broken, *text[at + 1 :]]))
        assert (file.status, file.chats + file.known, file.bad) == ("done", 2, 1), broken
        assert file.problems[0]["title"].startswith("Question")


def damaged(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def lying(length: int) -> bytes:
    """A zip that says a length of what is inside which is not true."""
    data = zipped(conversations_json=chatgpt(*GOOD))
    at = data.rindex(b"PK\x01\x02")
    return damaged(data, at + 24, struct.pack("<L", length))


def packed(method: int, name: str = "conversations.json") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(name, chatgpt(*GOOD))
    return file.getvalue()


def locked() -> bytes:
    data = zipped(conversations_json=chatgpt(*GOOD))
    central = data.rindex(b"PK\x01\x02")
    return damaged(damaged(data, central + 8, b"\x01"), 6, b"\x01")


GOOD_ZIP = zipped(conversations_json=chatgpt(*GOOD))
IN_LIST = GOOD_ZIP.rindex(b"PK\x01\x02")  # where it lists what is inside
UNUSABLE = {
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(2_000), "neither an export"),
    "text": (b"Dear diary", "neither an export"),
    "UTF-16": ("[]".encode("utf-16"), "neither an export"),
    "blanks": (b" " * 100_000, "neither an export"),
    "an empty list": (b"[]", "no chats in this file"),
    "an empty object": (b"{}", "Nothing in this file can be read as a chat"),
    "a list of lists": (b"[[],[],[]]", "Nothing in this file can be read as a chat"),
    "never closed": (b"[" * 200_000, "ends in the middle"),
    "a text without end": (b'["' + b"\\" * 200_001, "ends in the middle"),
    "another version": (b'{"kind":"export","format":"person/2"}\n', "of a kind that is not known"),
    "half a zip": (GOOD_ZIP[: len(GOOD_ZIP) // 2], "damaged"),
    "a zip without conversations": (zipped(notes_txt=b"x"), "no conversations.json in this zip"),
    "a name that only ends so": (zipped(xconversations_json=b"[]"), "no conversations.json in this zip"),
    "a zip that claims four gigabytes": (lying(2**32 - 2), "unpacks to more than"),
    "a zip that claims less": (lying(30), "damaged"),
    "a zip behind a password": (locked(), "locked by a password"),
    "packed by bzip2": (packed(zipfile.ZIP_BZIP2), "packed in an unusual way"),
    "packed by lzma": (packed(zipfile.ZIP_LZMA), "packed in an unusual way"),
    "packed by nobody knows what": (damaged(GOOD_ZIP, IN_LIST + 10, b"\x63"), "packed in an unusual way"),
    "a zip of the long kind": (damaged(GOOD_ZIP, len(GOOD_ZIP) - 10, b"\xff\xff\xff\x7f"), "more files than"),
    "the end of a zip": (b"PK\x05\x06" + bytes(18), "no conversations.json in this zip"),
    "the beginning of a zip": (b"PK\x03\x04", "damaged"),
    "a zip in pieces": (damaged(GOOD_ZIP, IN_LIST, b"XX"), "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_file_of_which_nothing_can_be_kept_says_why(live_cast: Cast, me: User, name: str) -> None:
    data, why = UNUSABLE[name]
    file = brought_in(me, live_cast.guide, data, name="conversations.json")
    assert file.status == "failed", (file.status, file.sentence)
    assert why in file.sentence
    assert file.sentence.endswith(" Nothing was kept.")
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("name", ["x.zip", "x.exe", "..\\..\\x", "\0", "x" * 5_000, ""])
def test_a_file_is_what_it_holds_and_not_what_it_is_called(live_cast: Cast, me: User, name: str) -> None:
    assert brought_in(me, live_cast.guide, chatgpt(*GOOD), name=name).chats == 2
    assert brought_in(me, live_cast.guide, GOOD_ZIP, name=name).known == 2


def test_nobody_goes_on_with_what_is_bad_throughout(
    live_cast: Cast, me: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_BAD", 200)
    file = brought_in(me, live_cast.guide, b"[" + b"1," * 5_000 + b"2]")
    assert (file.status, writing.HOPELESS in file.sentence, file.bad < 400) == ("failed", True, True)
    assert len(file.problems) == writing.PROBLEMS


def test_a_fault_of_ours_ends_it_and_is_told(
    live_cast: Cast, me: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("conversations.importing.chatgpt.chat", broken)
    file = brought_in(me, live_cast.guide, chatgpt(*GOOD))
    assert (file.status, "a reason that is ours" in file.sentence) == ("failed", True)


# -- Nobody else the slower for it -----------------------------------------------------------------------


def bomb(sign: bytes = b"[", before: bytes = b"") -> bytes:
    """Three hundred megabytes in less than one."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("conversations.json", "w") as inside,
    ):
        inside.write(before)
        for _ in range(280):
            inside.write(sign * (1024 * 1024))
    return file.getvalue()


def long_export() -> bytes:
    """Some fifteen megabytes of many chats and one that is as long as an entry may be."""
    # Few words, and long: how they are cut is not what is measured, and takes very long while it is.
    said = "word " * 10 + "x" * 1_950
    turns: list[Turn] = [("m0", "user", None, said)]
    turns += [(f"m{n}", ("user", "assistant")[n % 2], f"m{n - 1}", said) for n in range(1, 3_000)]
    return chatgpt(
        conversation(*turns, name="long"),
        *(question_and_answer(number, said * 5) for number in range(500)),
    )


def hostile_entry() -> bytes:
    """What the parser is slowest at, as much of it as an entry may hold."""
    return b"[" + b",".join(b'{"a":[' + b"0," * 200_000 + b"0]}" for _ in range(12)) + b"]"


@pytest.fixture
def collected() -> Iterator[None]:
    """Garbage looked for as in a process that serves (`asgi.py`): not among all that a test has loaded."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("make", [long_export, hostile_entry])
async def test_the_event_loop_goes_on_while_a_file_is_read(live_cast: Cast, make: Any) -> None:
    data = make()
    late = []
    for _ in range(TRIES):
        await in_database(Conversation.objects.all().delete)
        await in_database(send, live_cast.member, live_cast.guide, data)
        async with measured() as lag:
            while await aside(importing.work):
                pass
        late.append(max(lag.own, lag.process))
        file = await in_database(Import.objects.latest, "pk")
        assert file.status in {"done", "failed"}
        if late[-1] < LATE:
            return
    raise AssertionError(late)


def read_in_bounds(file: Import, most: int) -> Import:
    tracemalloc.start()
    try:
        while importing.work():
            _, peak = tracemalloc.get_traced_memory()
            assert peak < most, peak
    finally:
        tracemalloc.stop()
    file.refresh_from_db()
    return file


def test_memory_is_bounded(live_cast: Cast, me: User) -> None:
    file = send(me, live_cast.guide, long_export())
    file = read_in_bounds(file, 90_000_000)  # of which most is the one entry of 7 MB while it is taken apart
    assert (file.status, file.chats, file.bad) == ("done", 501, 0)


def test_a_bomb_is_passed_over_in_little_memory(
    live_cast: Cast, me: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = read_in_bounds(send(me, live_cast.guide, bomb(b"a", b'["')), 40_000_000)
    assert (file.status, elements.NO_END in file.sentence) == ("failed", True)
    monkeypatch.setattr(elements, "ENDLESS", 1)  # each sign takes its time while memory is measured
    file = read_in_bounds(send(me, live_cast.guide, bomb()), 40_000_000)
    assert (file.status, elements.NO_END in file.sentence) == ("failed", True)
    monkeypatch.setattr(source, "MOST_UNPACKED", 8_000_000)
    file = read_in_bounds(send(me, live_cast.guide, bomb()), 20_000_000)
    assert (file.status, source.TOO_MUCH in file.sentence) == ("failed", True)
    blanks = io.BytesIO()
    with zipfile.ZipFile(blanks, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", b"[" + b"{}," * 2_500_000 + b"{}]")
    file = read_in_bounds(send(me, live_cast.guide, blanks.getvalue()), 30_000_000)
    assert (file.status, writing.HOPELESS in file.sentence) == ("failed", True)


def test_a_zip_of_very_many_files_is_refused_before_they_are_listed(live_cast: Cast, me: User) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(40_000):
            archive.writestr(f"{number:060}", b"")
    read = read_in_bounds(send(me, live_cast.guide, file.getvalue()), 20_000_000)
    assert (read.status, "more files than" in read.sentence) == ("failed", True)
    assert uuid.UUID(int=0) != read.person_id
