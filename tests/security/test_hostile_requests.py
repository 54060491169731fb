"""Whatever is put into an address, a header, a cookie or a form: an answer, never a fault, and a calm log."""

from __future__ import annotations

from itertools import cycle
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.listening import listening
from tests.security.rights import table
from tests.security.rights.asking import POSTED
from tests.security.rights.stage import Stage, undone

LINES = [
    line
    for line in [*table.lines(table.PAGES), *table.lines(table.API)]
    if line.template not in ("/readyz", "/metrics") and not line.template.endswith("/logout/")
]
FORMS = [line for line in LINES if line.method == "POST" and not line.template.startswith("/api/")]
NASTY = (
    *("", "\0", "a\0b", "\r\nSet-Cookie: a=b", "\ud800", "\ufeff", "\u202e", "e\u0301" * 50, "😀" * 90, "%00"),
    *("%", "%zz", "../" * 9, "' OR 1=1 --", "<script>", "{{7*7}}", "${7*7}", "\\", "//evil.example", "\x7f\x80"),
    *("-1", "0", "1e999", "NaN", "9" * 400, "1_000", "٣", "0x10", "true", "null", "[]", "{}", "[" * 3000, "x" * 9000),
    *("00000000-0000-0000-0000-000000000000", "urn:uuid:" + "0" * 32, "{" + "0" * 32 + "}", "٠" * 32),
)  # fmt: skip
KEYS = (
    *("page", "status", "project", "sort", "q", "search", "scope", "cursor", "limit", "like", "preset"),
    *("selectedImageIds", "image", "options", "token", "next", "language", "id", "from", "to", "format"),
)
HEADERS = (
    *("Cookie", "Accept-Language", "Accept", "Range", "If-Range", "If-None-Match", "If-Modified-Since"),
    *("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Request-ID", "Origin", "Referer"),
    *("Authorization", "Idempotency-Key", "X-CSRFToken", "Content-Type", "Content-Length", "User-Agent"),
)
nasty = st.sampled_from(NASTY) | st.text(max_size=20)
header_values = (st.sampled_from(NASTY) | st.text(st.characters(max_codepoint=255), max_size=30)).map(
    lambda text: text.encode("latin-1", "ignore").decode("latin-1")
)
fuzzed = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def answer(stage: Stage, method: str, address: str, content: str | bytes, kind: str, **headers: str) -> Any:
    client = stage.client("owner")
    if "Cookie" in headers:
        client.cookies.clear()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with undone():
        return client.generic(method, address, content, kind, headers=named)


def encoded(pairs: dict[str, str]) -> str:
    return urlencode([(as_bytes(key), as_bytes(value)) for key, value in pairs.items()])


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@fuzzed
@given(line=st.sampled_from(LINES), query=st.dictionaries(st.sampled_from(KEYS) | nasty, nasty, max_size=4))
def test_any_query_is_answered(stage: Stage, line: table.Line, query: dict[str, str]) -> None:
    address = stage.address("owner", line.template).partition("?")[0] + "?" + encoded(query)
    with listening() as log:
        assert answer(stage, line.method, address, b"", "application/json").status_code < 500
    assert log.alarms == []


@fuzzed
@given(
    line=st.sampled_from(LINES),
    headers=st.dictionaries(st.sampled_from(HEADERS), header_values, min_size=1, max_size=4),
)
def test_any_headers_are_answered(stage: Stage, line: table.Line, headers: dict[str, str]) -> None:
    address = stage.address("owner", line.template)
    with listening() as log:
        assert answer(stage, line.method, address, b"", "application/json", **headers).status_code < 500
    assert log.alarms == []


@fuzzed
@given(line=st.sampled_from(FORMS), changes=st.dictionaries(nasty, nasty, max_size=3), chosen=st.data())
def test_any_form_is_answered(
    stage: Stage, line: table.Line, changes: dict[str, str], chosen: st.DataObject
) -> None:
    form = dict(POSTED.get(line.template, {"username": "owner", "password": "x", "next": "/"}))
    spoilt = {name: chosen.draw(nasty) for name in form if chosen.draw(st.booleans())}
    content = encoded({name: str(value) for name, value in (form | spoilt | changes).items()})
    address = stage.address("owner", line.template)
    with listening() as log:
        status = answer(stage, "POST", address, content, "application/x-www-form-urlencoded").status_code
    assert status < 500
    assert log.alarms == []


BODIES = [
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=", b"--\r\n"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=\"a\r\n\r\n\0"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a; filename=../../x\r\n\r\ny\r\n--x--"),
    ("multipart/form-data; boundary=" + "x" * 300, b"--x"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: form-data; name=a\r\n\r\n!\r\n--x--"),
    ("application/x-www-form-urlencoded; charset=nonsense", b"a=%ff"),
    ("application/x-www-form-urlencoded; charset=utf-16", b"\xff\xfe"),
    ("application/x-www-form-urlencoded", b"%" * 1000),
    ("application/x-www-form-urlencoded", b"a=1&" * 30_000),
    ("text/plain", b"\xff" * 100),
    ("\xff\xfe", b"\xff"),
]  # fmt: skip


def test_a_body_of_any_kind_is_answered(stage: Stage) -> None:
    turns = [(line, body) for line, body in zip(cycle(FORMS), BODIES * 3, strict=False)]
    with listening() as log:
        for line, (kind, content) in turns:
            address = stage.address("owner", line.template)
            assert answer(stage, "POST", address, content, kind).status_code < 500, (line, kind)
    assert log.alarms == []


def test_any_id_in_an_address_is_not_found(stage: Stage) -> None:
    with_ids = sorted({line.template.partition("?")[0] for line in LINES if "{" in line.template})
    turns = zip(cycle(with_ids), [text for text in NASTY if text] * 4, strict=False)
    with listening() as log:
        for template, text in turns:
            spoilt = dict.fromkeys(stage.known["owner"], quote(as_bytes(text), safe=""))
            status = answer(stage, "GET", template.format(**spoilt), b"", "text/plain").status_code
            assert status in (301, 404, 405), (template, text)
    assert log.alarms == []
