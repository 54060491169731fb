"""Asking what may never answer: a server that hangs keeps a connection, and would keep the asker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from typing import Generic, TypeVar

from django.db import Error as DatabaseFault
from django.db import connections
from redis.exceptions import RedisError

Answer = TypeVar("Answer")
AWAY = (DatabaseFault, RedisError, OSError)


class Question(Generic[Answer]):
    """Asked in a thread of its own: one at a time, however many want to know and however long it hangs."""

    def __init__(self, ask: Callable[[], Answer]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked: Future[Answer] = Future()

    def begin(self) -> Future[Answer]:
        """The answer to come; to the question that is still under way, if there is one."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._asked = Future()
                self._thread = threading.Thread(
                    target=self._run, args=(self._asked,), name="question", daemon=True
                )
                self._thread.start()
            return self._asked

    def _run(self, asked: Future[Answer]) -> None:
        try:
            answer = self._ask()
        except AWAY as error:
            connections.close_all()
            asked.set_exception(error)
        else:
            connections.close_all()
            asked.set_result(answer)


def ask_all(questions: Mapping[str, Question[Answer]], seconds: float) -> dict[str, Answer | Exception]:
    """Ask all at once. What took longer than that is a TimeoutError, what is away its error."""
    deadline = time.monotonic() + seconds
    asked = {name: question.begin() for name, question in questions.items()}
    found: dict[str, Answer | Exception] = {}
    for name, each in asked.items():
        try:
            found[name] = each.result(max(deadline - time.monotonic(), 0))
        except (*AWAY, NoAnswer) as error:
            found[name] = error
    return found
