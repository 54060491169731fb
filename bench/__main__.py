"""`python -m bench`: the standard projects S and M; tables on stdout, numbers in bench/results, news on stderr."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from bench import goals, machine, report
from bench.place import prepared
from bench.runs import Run, measured
from bench.sizes import SIZES

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    wanted = _arguments()
    started = datetime.now(UTC)
    facts = machine.facts()
    with prepared(_say) as place:
        runs = {name: measured(place, SIZES[name], wanted.repeat, _say) for name in wanted.sizes}
    for name, sides in runs.items():
        print(report.table(SIZES[name], sides), end="\n\n")
    for goal in goals.judged(runs):
        print(goal.line())
    saved = _save(started, facts, runs)
    _say(f"Saved as bench/results/{saved.name}.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks of the export.")
    parser.add_argument("--only", action="append", choices=SIZES, help="a size; may be given again")
    parser.add_argument("--repeat", type=int, choices=range(1, 100), default=3, metavar="N", help="turns (3)")
    parser.add_argument("--quick", action="store_true", help="three tiny images, once: does it run at all?")
    wanted = parser.parse_args()
    wanted.sizes = wanted.only or ["S", "M"]
    if wanted.quick:
        wanted.sizes, wanted.repeat = ["quick"], 1
    return wanted


def _save(started: datetime, facts: dict[str, Any], runs: dict[str, dict[str, Run]]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{started:%Y-%m-%dT%H%M%SZ}.json"
    content = {
        "started": started,
        "machine": facts,
        "sizes": {name: SIZES[name] for name in runs},
        "runs": runs,
        "goals": goals.judged(runs),
    }
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    return path


def _say(news: str) -> None:
    print(news, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
