"""The address that the web server answers on: opened before anything else starts, asked until it is ready."""

from __future__ import annotations

import errno
import http.client
import ipaddress
import socket

BACKLOG = 128
_REASONS = {
    errno.EADDRINUSE: "is in use by another program: stop it, or choose another PORT",
    errno.EACCES: "may not be opened by this user: choose a PORT above 1023",
    errno.EADDRNOTAVAIL: "cannot be opened: HOST is not an address of this machine",
}


class ListenError(Exception):
    """One sentence for the person who starts the program."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, which outlives the web server: callers wait while that starts again."""
    family, address = _resolved(host, port)
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = _REASONS.get(error.errno or 0, f"cannot be opened: {error.strerror}")
        raise ListenError(f"Port {port} on {host} {reason}.") from error
    return listener


def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, family=socket.AF_INET, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ListenError(f"HOST {host} is not an IPv4 address or name of this machine.") from error
    return found[0][0], (str(found[0][4][0]), port)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(socket.gethostbyname(host)).is_loopback
    except OSError:
        return False


def url(host: str, port: int) -> str:
    return f"http://{host}:{port}/"


def what_is_missing(host: str, port: int, host_header: str) -> str:
    """Empty when /readyz answers 200; otherwise what it said, or why it did not answer."""
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=5)
    try:
        connection.request("GET", "/readyz", headers={"Host": host_header})
        answer = connection.getresponse()
        said = " ".join(answer.read(200).decode(errors="replace").split())
    except (OSError, http.client.HTTPException) as error:
        return f"the web server does not answer ({error})."
    finally:
        connection.close()
    return "" if answer.status == http.HTTPStatus.OK else f"/readyz answers {answer.status}: {said}"


def _reachable(host: str) -> str:
    return "127.0.0.1" if ipaddress.ip_address(socket.gethostbyname(host)).is_unspecified else host
