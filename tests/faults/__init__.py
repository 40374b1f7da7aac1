"""Faults, each with the outcome required of it: on SQLite alone, and on PostgreSQL and Redis with two processes."""

import pytest

pytest.register_assert_rewrite("tests.faults.acts")
