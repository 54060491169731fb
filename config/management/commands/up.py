"""What `make run` runs: one process that holds servers, web, workers and scheduler together."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import OperationalError, connection, connections

from config import embedded, processes
from config.listening import ListenError, is_loopback, listen, url, what_is_missing
from config.programs import programs
from config.supervisor import Supervisor

TICK_SECONDS = 0.2
# Servers that another process started cost a connection at each look.
SERVER_CHECK_SECONDS = 2.0
# How often it says why it is not ready yet.
COMPLAINT_SECONDS = 15.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(BaseCommand):
    help = "Runs everything: the embedded servers, the web server, the workers and the scheduler."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        _stop_on_signals()
        if "MAKELEVEL" in os.environ:
            # A make that was killed would leave us behind, and its next run would find the port in use.
            processes.die_with(os.getppid(), signal.SIGKILL)
        with ExitStack() as stack:
            try:
                self._run(stack)
            except KeyboardInterrupt:
                self._say("Stopping.")
            except (ListenError, embedded.EmbeddedServerError) as error:
                raise SystemExit(str(error)) from error
            except (OSError, OperationalError) as error:
                raise SystemExit(f"The start failed: {str(error).strip().splitlines()[0]}.") from error
            finally:
                # From here on everything is being stopped; a second Ctrl-C must not cut that short.
                for number in STOP_SIGNALS:
                    signal.signal(number, signal.SIG_IGN)
        self._say("Stopped.")

    def _run(self, stack: ExitStack) -> None:
        listener = stack.enter_context(listen(settings.HOST, settings.PORT))
        servers = self._servers()
        stack.callback(servers.stop, patience=0.0)
        servers.wait_until_unused(seconds=5.0)
        servers.start_missing()
        self._prepare_database()
        supervisor = self._supervisor(listener)
        stack.callback(supervisor.stop)
        # Closed before the web server is stopped, so that no new caller waits for an answer in vain.
        stack.callback(listener.close)
        supervisor.start()
        self._watch(servers, supervisor)

    def _servers(self) -> embedded.Servers:
        return embedded.Servers(
            settings.DATA_DIR,
            log=self._say,
            postgres=not os.environ.get("DATABASE_URL"),
            redis=not os.environ.get("REDIS_URL"),
            durable=True,
        )

    def _prepare_database(self) -> None:
        with connection.cursor() as cursor:
            # The time limit is for answers to people; a migration may take as long as it needs.
            cursor.execute("SET statement_timeout = 0")
        began = time.monotonic()
        call_command("migrate", interactive=False, verbosity=0)
        self._say(f"Database schema brought up to date in {time.monotonic() - began:.1f} s.")
        if not settings.DEBUG:
            call_command("collectstatic", interactive=False, verbosity=0)
            self._say(f"Static files collected in {settings.STATIC_ROOT}.")
        self._load_demo()
        connections.close_all()

    def _load_demo(self) -> None:
        if _is_for_developer() and not get_user_model().objects.exists():
            began = time.monotonic()
            call_command("load_demo", verbosity=0)
            self._say(f"Demo project loaded in {time.monotonic() - began:.1f} s.")
        elif not _is_for_developer() and _has_known_passwords():
            raise SystemExit(
                "This database holds the demo users, whose passwords everyone knows: use another DATA_DIR or"
                " DATABASE_URL, change their passwords, or stay in development mode on this machine."
            )

    def _supervisor(self, listener: socket.socket) -> Supervisor:
        logs = settings.DATA_DIR / "logs"
        groups = programs(listener)
        names = ", ".join(program.name for group in groups for program in group)
        self._say(f"Starting {names}; what they print is in {logs}.")
        return Supervisor(groups, folder=settings.BASE_DIR, logs=logs, log=self._say)

    def _watch(self, servers: embedded.Servers, supervisor: Supervisor) -> None:
        """Only an interrupt or an error of the servers ends this."""
        keep = _Keeper(servers, supervisor)
        complain_at = time.monotonic() + COMPLAINT_SECONDS
        while missing := what_is_missing(settings.HOST, settings.PORT, _host_header()):
            if time.monotonic() > complain_at:
                self._say(f"Not ready yet: {missing}")
                complain_at += COMPLAINT_SECONDS
            keep.running()
        self._say(_ready_line())
        while True:
            keep.running()

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()


def _stop_on_signals() -> None:
    for number in STOP_SIGNALS:
        is_under_nohup = number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN
        if not is_under_nohup:
            signal.signal(number, signal.default_int_handler)


class _Keeper:
    """One tick of watching, again and again."""

    def __init__(self, servers: embedded.Servers, supervisor: Supervisor) -> None:
        self._servers = servers
        self._supervisor = supervisor
        self._servers_due = 0.0

    def running(self) -> None:
        self._supervisor.keep_running()
        if time.monotonic() >= self._servers_due:
            self._servers.start_missing()
            processes.bound_logs(settings.DATA_DIR / "logs")
            self._servers_due = time.monotonic() + SERVER_CHECK_SECONDS
        time.sleep(TICK_SECONDS)


def _ready_line() -> str:
    ready = f"Ready: {url(settings.HOST, settings.PORT)}"
    return f"{ready}  (user demo, password demo)" if _is_for_developer() and _demo_exists() else ready


def _is_for_developer() -> bool:
    return bool(settings.DEBUG) and is_loopback(settings.HOST)


def _demo_exists() -> bool:
    exists = get_user_model().objects.filter(username="demo").exists()
    connections.close_all()
    return exists


def _has_known_passwords() -> bool:
    """Whether somebody could log in as a demo user; each check takes a quarter of a second."""
    from projects.management.commands.load_demo import USERS  # with OpenCV, which this process does not need

    demo = get_user_model().objects.filter(username__in=USERS, is_active=True)
    return any(user.check_password(user.username) for user in demo)


def _host_header() -> str:
    """A name that the web server accepts when the numeric address is not among them."""
    allowed = [host.lstrip(".") for host in settings.ALLOWED_HOSTS if host != "*"]
    return allowed[0] if allowed else "localhost"
