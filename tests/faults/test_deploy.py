"""What `deploy/` gives: a proxy that holds the limits, restarts that nobody notices, backups that can be restored."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest
import yaml

from conversations.providers.recorded import Pace, Script
from tests.conftest import missing
from tests.e2e.conftest import Providers
from tests.e2e.site import Site
from tests.faults.installation import Installation
from tests.faults.people import Person
from tests.faults.services import Postgres, program, until
from tests.faults.topology import NEEDED, Topology, topology
from tests.servers import ROOT, Daphne

PEOPLE = 20
ANSWERS = Pace(0.05, 30)


@pytest.fixture(scope="module")
def deployed(provided: dict[str, str]) -> Iterator[Topology]:
    for name in NEEDED:
        if program(name) is None:
            missing(name)
    with topology(**provided) as made:
        yield made
    assert "Traceback" not in made.log(), made.log()


def asked(url: str, path: str, made: Topology, **headers: str) -> tuple[int, Message, bytes]:
    """What the proxy answers."""
    request = urllib.request.Request(url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10, context=made.nginx.tls) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read()


async def test_a_restart_of_both_while_answers_run(
    deployed: Topology, providers: Providers, words: object
) -> None:
    """None is lost and none doubled: each process in turn is told to end and comes again."""
    pieces = tuple(f"word{number} " for number in range(240))
    people = [
        Person(deployed.url, "member", random.Random(number), tls=deployed.nginx.tls)
        for number in range(PEOPLE)
    ]
    try:
        await asyncio.gather(*[person.sign_in() for person in people])
        questions = [
            providers.on(f"roll {number}", Script(pieces=pieces, pace=ANSWERS)) for number in range(PEOPLE)
        ]
        await asyncio.gather(*[p.open(q) for p, q in zip(people, questions, strict=True)])
        for place in (0, 1):
            await asyncio.to_thread(deployed.servers[place].end)
            server = await asyncio.to_thread(deployed.restart, place)
            await asyncio.to_thread(server.wait, "/readyz")
        async with asyncio.timeout(30):
            ends = await asyncio.gather(*[person.ends() for person in people])
        assert ends == ["done"] * PEOPLE
        for person, question in zip(people, questions, strict=True):
            assert person.page.text(person.answer).split() == [piece.strip() for piece in pieces]
            assert (await person.served()).text(person.answer) == person.page.text(person.answer)
            (seen,) = providers.asked(question)
            assert seen.tokens == len(pieces)
    finally:
        await asyncio.gather(*[person.close() for person in people])


async def test_questions_asked_during_a_restart(deployed: Topology, providers: Providers) -> None:
    """Go to the process that stays: nobody is refused."""
    async with (
        Person(deployed.url, "member2", random.Random(1), tls=deployed.nginx.tls) as person,
        Person(deployed.url, "member2", random.Random(2), tls=deployed.nginx.tls) as other,
    ):
        await person.sign_in()
        slow = providers.on("hold it open", Script(pieces=("word ",) * 240, pace=Pace(0, 40)))
        await person.open(slow)
        holder = [server for server in deployed.servers if _running(server)]
        assert len(holder) == 1
        place = deployed.servers.index(holder[0])
        ending = asyncio.create_task(asyncio.to_thread(holder[0].end))
        await asyncio.to_thread(until, lambda: not _ready(holder[0]), 5)
        await other.sign_in()
        for number in range(6):
            await other.open(providers.on(f"meanwhile {number}", Script(pieces=("Yes.",))))
            async with asyncio.timeout(10):
                assert await other.ends() == "done"
        assert other.refusals == []
        await other.close()
        await ending
        await asyncio.to_thread(deployed.restart, place)
        async with asyncio.timeout(10):
            assert await person.ends() == "done"


def _running(server: Daphne) -> bool:
    """Whether a process writes an answer."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=5) as reply:
        return "chat_answers_running 0.0" not in reply.read().decode()


def _ready(server: Daphne) -> bool:
    try:
        with urllib.request.urlopen(f"{server.url}/readyz", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def test_the_proxy_keeps_to_itself_what_is_the_machines(deployed: Topology) -> None:
    for path in ("/metrics", "/readyz"):
        assert asked(deployed.url, path, deployed)[0] == 404
    status, headers, _ = asked(deployed.url, "/accounts/login/", deployed)
    assert status == 200
    assert headers["Server"] == "nginx"


@pytest.mark.parametrize(
    ("path", "further", "status"),
    [("/accounts/login/", {}, 200), ("/metrics", {}, 404), ("/", {"Cookie": "x" * 70_000}, 400)],
)
def test_every_answer_has_its_headers_once(
    deployed: Topology, path: str, further: dict[str, str], status: int
) -> None:
    """Those that the proxy makes itself too."""
    found, headers, _ = asked(deployed.url, path, deployed, **further)
    assert found == status
    once = {
        name: headers.get_all(name)
        for name in ("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy")
    }
    assert list(once.values()) == [["nosniff"], ["DENY"], ["same-origin"]]
    (policy,) = headers.get_all("Content-Security-Policy") or []
    assert "default-src 'none'" in policy
    assert len(headers.get_all("Strict-Transport-Security") or []) == 1


def test_the_proxy_believes_no_client(deployed: Topology) -> None:
    """Not in which place the site stands, nor over what it came, nor by which number it goes."""
    lies = {
        "Daphne-Root-Path": "/elsewhere",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-For": "127.0.0.1",
        "X-Request-ID": "a-number-of-my-own",
        "Forwarded": "for=127.0.0.1;proto=http",
    }
    status, headers, body = asked(deployed.url, "/accounts/login/", deployed, **lies)
    assert status == 200
    assert b"/elsewhere" not in body
    assert headers["X-Request-ID"] != lies["X-Request-ID"]


def test_the_proxys_log_opens_nothing_and_has_nobodys_words(deployed: Topology) -> None:
    """Whoever reads it gets no link that lets somebody in, and not what people look for."""
    paths = {
        "/accounts/invitation/zqsecret/?zqwords": "/accounts/invitation/-",
        "/accounts/new-password/zqsecret/": "/accounts/new-password/-",
        "/accounts/company/zqsecret/back/?code=zqsecret": "/accounts/company/-",
        "/s/zqsecret/": "/s/-",
        "/?q=zqwords": "/",
    }
    for path in paths:
        asked(deployed.url, path, deployed, Referer=f"{deployed.url}/accounts/invitation/zqsecret/")
    with socket.create_connection(("127.0.0.1", deployed.nginx.plain), timeout=5) as line:
        line.sendall(
            b"GET /accounts/invitation/zqsecret/ HTTP/1.1\r\nHost: chat\r\nConnection: close\r\n\r\n"
        )
        assert b"301" in line.recv(100)
    log = deployed.nginx.folder / "access.log"
    until(lambda: log.read_text().count('"GET /accounts/invitation/- HTTP/1.1" 301') == 1, 5)
    text = log.read_text()
    assert "zq" not in text + (deployed.nginx.folder / "error.log").read_text()
    assert all(f'"GET {logged} HTTP/1.1"' in text for logged in paths.values())


def test_the_proxy_refuses_what_is_too_much(deployed: Topology) -> None:
    request = urllib.request.Request(f"{deployed.url}/start/", data=b"x" * (5 * 2**20))
    with pytest.raises((urllib.error.HTTPError, urllib.error.URLError)) as refused:
        urllib.request.urlopen(request, timeout=10, context=deployed.nginx.tls)
    if isinstance(refused.value, urllib.error.HTTPError):
        assert refused.value.code == 413
        refused.value.close()
    assert asked(deployed.url, "/accounts/login/", deployed, Cookie="x" * 70_000)[0] == 400


def test_slow_headers_are_not_waited_for(deployed: Topology) -> None:
    """A client that never comes to the end of its headers is let go, and costs the site nothing meanwhile."""
    address = ("127.0.0.1", deployed.nginx.port)
    with (
        socket.create_connection(address, timeout=15) as plain,
        deployed.nginx.tls.wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        line.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        assert line.recv(1) in (b"", b"H")
    assert asked(deployed.url, "/healthz", deployed)[0] == 200


def test_plain_http_is_sent_to_https(deployed: Topology) -> None:
    with socket.create_connection(("127.0.0.1", deployed.nginx.plain), timeout=5) as line:
        line.sendall(b"GET /c/ HTTP/1.1\r\nHost: chat\r\nConnection: close\r\n\r\n")
        assert b"301" in line.recv(100)


def test_the_settings_are_fit_for_the_world(deployed: Topology) -> None:
    said = deployed.site.manage("check", "--deploy", "--fail-level", "WARNING", "--database", "default")
    assert "no issues (0 silenced)" in said


async def test_a_backup_taken_under_load_is_a_working_site(
    deployed: Topology, provided: dict[str, str], providers: Providers, tmp_path: Path
) -> None:
    """PostgreSQL: dumped while answers run, restored into another server."""
    people = [
        Person(deployed.url, "member", random.Random(number), tls=deployed.nginx.tls) for number in range(5)
    ]
    try:
        await asyncio.gather(*[person.sign_in() for person in people])
        await asyncio.gather(*[_chat(person, providers, f"dump {n}") for n, person in enumerate(people)])
        dump = tmp_path / "chat.dump"
        assert deployed.postgres is not None
        await asyncio.to_thread(
            _run, "pg_dump", "--format=custom", f"--file={dump}", f"--dbname={deployed.postgres.url}"
        )
        await asyncio.gather(*[_stopped(person) for person in people])
    finally:
        await asyncio.gather(*[person.close() for person in people])
    folder = deployed.folder / "restored"
    folder.mkdir()
    postgres = Postgres(folder)
    postgres.start()
    try:
        await asyncio.to_thread(_run, "pg_restore", "--no-owner", f"--dbname={postgres.url}", str(dump))
        site = Site(tmp_path, DATABASE_URL=postgres.url, SECRET_KEY="of the restored site " * 3, **provided)
        site.manage("collectstatic", "--noinput")
        await _works(site, providers)
    finally:
        postgres.close()


async def test_a_copy_of_sqlite_taken_under_load_is_a_working_site(
    alone: Installation, provided: dict[str, str], providers: Providers, tmp_path: Path
) -> None:
    async with Person(alone.url, "member", random.Random(1)) as person:
        await person.sign_in()
        await _chat(person, providers, "copy me")
        (tmp_path / "new").mkdir()
        await asyncio.to_thread(alone.site.manage, "backup", str(tmp_path / "new" / "chat.sqlite3"))
        await _stopped(person)
    site = Site(tmp_path / "new", **provided)
    site.manage("collectstatic", "--noinput")
    await _works(site, providers)


async def _chat(person: Person, providers: Providers, question: str) -> None:
    """Have an answer that ended, and one that runs longer than any copy takes."""
    await person.open(providers.on(f"{question}, first", Script(pieces=("An answer. ",) * 20)))
    assert await person.ends() == "done"
    slow = Script(pieces=tuple(f"word{number} " for number in range(4800)), pace=Pace(0.05, 40))
    await person.ask(providers.on(f"{question}, second", slow))


async def _stopped(person: Person) -> None:
    await person.stop()
    async with asyncio.timeout(30):
        assert await person.ends() == "stopped"


async def _works(site: Site, providers: Providers) -> None:
    """See that a restored site has what was there, says honestly what ran at that moment, and answers again."""
    site.start()
    try:
        async with Person(site.url, "member", random.Random(3)) as person:
            await person.sign_in()
            await _goes_on(person, providers)
    finally:
        site.close()


async def _goes_on(person: Person, providers: Providers) -> None:
    html = await person._got("/")
    found = re.search(r'href="(/c/[0-9a-f-]+/)"', html)
    assert found
    person.path = found[1]
    await person.load()
    first, second = person.page.answers
    assert person.page.text(first).split() == ["An", "answer."] * 20
    assert person.page.status == {first: "done", second: "interrupted"}
    shown = person.page.text(second).split()
    assert shown == [f"word{number}" for number in range(len(shown))]
    await person.ask(providers.on("and now", Script(pieces=("Here I am.",))))
    async with asyncio.timeout(10):
        assert await person.ends() == "done"


def _run(name: str, *arguments: str) -> None:
    done = subprocess.run([str(program(name)), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_files_of_deploy_fit_together() -> None:
    """No engine for containers runs here; what they are told can be compared with what there is."""
    folder = ROOT / "deploy"
    compose = yaml.safe_load((folder / "compose.yaml").read_text())
    services = compose["services"]
    assert set(services) == {"app1", "app2", "database", "migrate", "proxy", "redis"}
    for service in services.values():
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
        assert set(service.get("depends_on", [])) <= set(services)
        if build := service.get("build"):
            assert (folder / build["context"] / build["dockerfile"]).is_file()
    nginx = (folder / "nginx.conf").read_text()
    for number in (1, 2):
        assert f"s/127.0.0.1:800{number}/app{number}:8000/" in services["proxy"]["command"][2]
        assert f"server 127.0.0.1:800{number} " in nginx
    started = "--no-server-name --verbosity 0 --websocket-max-message-size 65536 chatsite.asgi:application"
    assert started in (folder / "chat@.service").read_text()
    assert started in (folder / "Containerfile").read_text().replace('", "', " ")
    for copied in re.findall(r"^COPY (?!--from)(\S+) ", (folder / "Containerfile").read_text(), re.MULTILINE):
        assert (ROOT / copied).exists()
