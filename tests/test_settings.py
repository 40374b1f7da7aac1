"""Reading the environment: defaults that work, and a loud stop on what cannot be meant."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatsite import env

ROOT = Path(__file__).resolve().parents[1]


def ask(folder: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `code` under the settings that `environment` makes."""
    return subprocess.run(
        [sys.executable, "-c", f"from django.conf import settings as s; {code}"],
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "chatsite.settings",
            "DATA_DIR": str(folder),
        }
        | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_secret_key_is_made_once_and_kept_to_oneself(tmp_path: Path) -> None:
    first, second = (ask(tmp_path, "print(s.SECRET_KEY)") for _ in range(2))
    assert first.stdout == second.stdout
    assert len(first.stdout) > 50
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_the_key_of_secrets_at_rest_is_one_of_its_own(tmp_path: Path) -> None:
    code = "print(s.ENCRYPTION_KEYS, s.SECRET_KEY not in s.ENCRYPTION_KEYS)"
    first, second = (ask(tmp_path, code) for _ in range(2))
    assert first.stdout == second.stdout
    assert first.stdout.endswith(" True\n")
    assert stat.S_IMODE((tmp_path / "encryption-key").stat().st_mode) == 0o600
    several = ask(tmp_path, "print(s.ENCRYPTION_KEYS)", ENCRYPTION_KEY=f"{'n' * 32}, {'o' * 32}")
    assert several.stdout == f"['{'n' * 32}', '{'o' * 32}']\n"
    refused = ask(tmp_path, "s.DEBUG", ENCRYPTION_KEY="a-short-canary")
    assert "a-short-canary" not in refused.stderr


def test_servers_are_listed_by_host_and_port(tmp_path: Path) -> None:
    listed = {"UPSTREAM_HOSTS": "a.example.com, b:8443", "LOCAL_UPSTREAMS": "ollama:11434,[::1]:8080"}
    done = ask(tmp_path, "print(s.UPSTREAM_HOSTS + s.LOCAL_UPSTREAMS)", **listed)
    assert done.stdout == "['a.example.com', 'b:8443', 'ollama:11434', '[::1]:8080']\n"


def test_https_follows_the_trusted_origins(tmp_path: Path) -> None:
    code = "print(s.SESSION_COOKIE_SECURE, s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS > 0)"
    assert ask(tmp_path, code).stdout.split() == ["False"] * 3
    https = ask(tmp_path, code, CSRF_TRUSTED_ORIGINS="https://chat.example.com")
    assert https.stdout.split() == ["True"] * 3


def test_over_https_no_other_host_can_plant_a_cookie(tmp_path: Path) -> None:
    code = "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME)"
    assert ask(tmp_path, code).stdout.split() == ["sessionid", "csrftoken"]
    https = ask(tmp_path, code, CSRF_TRUSTED_ORIGINS="https://chat.example.com")
    assert https.stdout.split() == ["__Host-sessionid", "__Host-csrftoken"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"),
        ("MESSAGES_PER_MINUTE", "many"),
        ("MESSAGES_PER_MINUTE", "-1"),
        ("COMPANY_ANSWERS_AT_ONCE", "-1"),
        ("PERSON_SOCKETS", "ten"),
        ("CURRENCY", "dollars"),
        ("CURRENCY", "€€€"),
        ("UPSTREAM_CONNECT_TIMEOUT", "0"),
        ("UPSTREAM_CONNECT_TIMEOUT", "inf"),
        ("MISTRAL_BASE_URL", "api.mistral.ai"),
        ("REDIS_URL", "127.0.0.1:6379"),
        ("TIME_ZONE", "Berlin"),
        ("TIME_ZONE", "../../etc/passwd"),
        ("DATABASE_URL", "mysql://localhost/chat"),
        ("DATABASE_URL", "nonsense"),
        ("MISTRAL_API_KEY_FILE", "/does/not/exist"),
        ("MISTRAL_BASE_URL", "https://api.mistral.ai:99999"),
        ("ENCRYPTION_KEY", "short"),
        ("ENCRYPTION_KEY", "k" * 40 + ",short"),
        ("ENCRYPTION_KEY", ","),
        ("ENCRYPTION_KEY_FILE", "/does/not/exist"),
        ("UPSTREAM_HOSTS", "https://llm.example.com"),
        ("UPSTREAM_HOSTS", "*.example.com"),
        ("UPSTREAM_HOSTS", "llm.example.com:0"),
        ("UPSTREAM_HOSTS", "llm.example.com/v1"),
        ("LOCAL_UPSTREAMS", "ollama"),
        ("LOCAL_UPSTREAMS", "ollama:99999"),
        ("LOCAL_UPSTREAMS", "[::1"),
        ("LOCAL_UPSTREAMS", "[:::1]:80"),
        ("LOCAL_UPSTREAMS", "127.0.0.0/8:80"),
    ],
)
def test_a_bad_value_stops_the_start_by_name(tmp_path: Path, name: str, value: str) -> None:
    done = ask(tmp_path, "s.DEBUG", **{name: value})
    assert done.returncode != 0
    assert name.removesuffix("_FILE") in done.stderr.splitlines()[-1]


def test_a_secret_comes_from_a_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_text("  s3cret\n")
    monkeypatch.setenv("SOME_KEY_FILE", str(file))
    assert env.envsecret("SOME_KEY") == "s3cret"
    monkeypatch.setenv("SOME_KEY", "other")
    with pytest.raises(ImproperlyConfigured) as problem:
        env.envsecret("SOME_KEY")
    assert "s3cret" not in str(problem.value)
    assert "other" not in str(problem.value)


def test_the_deployment_checks_speak_up(tmp_path: Path) -> None:
    def check(**environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", "check", "--deploy"],
            env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)} | environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    assert "no issues" in check(
        ALLOWED_HOSTS="chat.example.com",
        CSRF_TRUSTED_ORIGINS="https://chat.example.com",
        SECRET_KEY="k" * 30 + "abcdef" * 5,
    )
    assert "conversations.W001" in check(ALLOWED_HOSTS="chat.example.com")
    assert "conversations.E001" in check(ALLOWED_HOSTS="*")
