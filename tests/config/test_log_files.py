from __future__ import annotations

import sys
from pathlib import Path

from config import processes
from tests.waiting import until

CHATTY = "import sys, time\nfor n in range(10**6): print(n, 'x' * 100, flush=True); time.sleep(0.001)"


def test_a_program_that_goes_on_writing_has_a_bounded_log(tmp_path: Path) -> None:
    log, previous = tmp_path / "chatty.log", tmp_path / "chatty.previous"
    program = processes.start((sys.executable, "-c", CHATTY), output=log)
    try:
        until(lambda: log.stat().st_size > 2000)
        processes.bound_logs(tmp_path, 2000)
        kept = previous.read_text()
        until(lambda: log.stat().st_size > 200)
        fresh = log.read_text()
    finally:
        processes.stop(program, processes.signal.SIGKILL, 5)
    assert kept.startswith("0 xxx")
    assert "\0" not in fresh
    assert int(fresh.split()[0]) >= len(kept.splitlines()) - 1


def test_a_short_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "calm.log"
    log.write_text("one line\n")
    processes.bound_logs(tmp_path, 2000)
    assert [path.name for path in tmp_path.iterdir()] == ["calm.log"]
    assert log.read_text() == "one line\n"


def test_a_log_that_cannot_be_kept_is_emptied_all_the_same(tmp_path: Path) -> None:
    log = tmp_path / "long.log"
    log.write_text("x" * 3000)
    (tmp_path / "long.previous").mkdir()  # in the way, as a full disk is
    processes.bound_logs(tmp_path, 2000)
    assert log.stat().st_size == 0


def test_what_the_run_before_printed_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "program.log"
    for word in ("first", "second"):
        processes.start((sys.executable, "-c", f"print('{word}')"), output=log).wait()
    assert (log.read_text(), log.with_suffix(".previous").read_text()) == ("second\n", "first\n")
