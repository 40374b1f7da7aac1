"""Calls that start together, in threads of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def at_once(*calls: Callable[[], T]) -> list[T]:
    """What the calls give back, made in threads that start together."""
    results: dict[int, T] = {}
    barrier = threading.Barrier(len(calls))

    def call(index: int) -> None:
        barrier.wait(10)
        try:
            results[index] = calls[index]()
        finally:
            connection.close()

    threads = [threading.Thread(target=call, args=[index]) for index in range(len(calls))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return [results[index] for index in range(len(calls))]
