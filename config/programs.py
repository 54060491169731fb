"""The programs that serve the site, as `up` runs them."""

from __future__ import annotations

import os
import socket
import sys

from django.conf import settings

from config.supervisor import Program

# Stopping everything may take 15 s; the servers after these need the rest.
WEB_STOP_SECONDS = 2.0
WORKER_STOP_SECONDS = 8.0
WORKER_STATEMENT_TIMEOUT_MS = "30000"
WEBSOCKET_MESSAGE_BYTES = "65536"


def programs(listener: socket.socket) -> list[list[Program]]:
    """In the order of stopping: nobody asks for more work, then the work itself ends."""
    workers = [_worker(number) for number in range(1, settings.WORKERS + 1)]
    return [[_web(listener)], [_scheduler(), *workers]]


def _web(listener: socket.socket) -> Program:
    # Verbosity 0: an access log would keep the download tokens of URLs.
    command = (
        *(sys.executable, "-m", "config.web", "--verbosity", "0", "--no-server-name"),
        *("--websocket-max-message-size", WEBSOCKET_MESSAGE_BYTES),
        *("--websocket-max-frame-size", WEBSOCKET_MESSAGE_BYTES),
        *("--fd", str(listener.fileno()), settings.ASGI_APPLICATION.replace(".application", ":application")),
    )
    return Program("web", command, WEB_STOP_SECONDS, _environment(), (listener.fileno(),))


def _scheduler() -> Program:
    return _command("scheduler", "sweep_exports", "--repeat", "15")


def _worker(number: int) -> Program:
    """RQ names each worker itself: a killed one's name stays taken for a while."""
    return _command(
        f"worker-{number}",
        *("rqworker", "exports", "--worker-class", "exports.worker.ExportWorker"),
        *("--serializer", "rq.serializers.JSONSerializer", "--worker-ttl", "30"),
    )


def _command(name: str, *arguments: str) -> Program:
    environment = {"STATEMENT_TIMEOUT_MS": WORKER_STATEMENT_TIMEOUT_MS} | _environment()
    return Program(name, (sys.executable, "manage.py", *arguments), WORKER_STOP_SECONDS, environment)


def _environment() -> dict[str, str]:
    """SUPERVISED: `manage.py` leaves the servers to `up`. DATA_DIR may have been given relative to another folder."""
    return os.environ | {"SUPERVISED": "true", "DATA_DIR": str(settings.DATA_DIR), "PYTHONUNBUFFERED": "1"}
