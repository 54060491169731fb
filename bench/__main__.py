"""`python -m bench`: the standard projects S and M; tables on stdout, numbers in bench/results, news on stderr."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from bench import administration, cancels, goals, machine, report, serving
from bench.place import prepared
from bench.runs import measured
from bench.sizes import SIZES

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    wanted = _arguments()
    started = datetime.now(UTC)
    facts = machine.facts()
    with prepared(_say) as place:
        runs = {name: measured(place, SIZES[name], wanted.repeat, _say) for name in wanted.sizes}
        _say(f"The administrators' pages over {wanted.jobs:,} exports.")
        looks = administration.in_a_process(place.environment, wanted.jobs)
    for name, sides in runs.items():
        print(report.table(SIZES[name], sides), end="\n\n")
    print(administration.table(looks), end="\n\n")
    _say(f"Cancelling {wanted.cancels} exports while others run.")
    promise: dict[str, Any] = {"cancels": cancels.measured(wanted.cancels)}
    _say("Downloading, alone and beside others.")
    promise["downloads"] = serving.measured(wanted.megabytes, wanted.cancels)
    promise["administration"] = looks
    met = [*goals.judged(runs), *goals.of_promise(promise), administration.goal(looks)]
    for goal in met:
        print(goal.line())
    saved = _save(started, {"machine": facts, "runs": runs, "goals": met, **promise})
    _say(f"Saved as bench/results/{saved.name}.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks of the export.")
    parser.add_argument("--only", action="append", choices=SIZES, help="a size; may be given again")
    parser.add_argument("--repeat", type=int, choices=range(1, 100), default=3, metavar="N", help="turns (3)")
    parser.add_argument(
        "--cancels", type=int, choices=range(1, 10_000), default=100, metavar="N", help="(100)"
    )
    parser.add_argument("--jobs", type=int, default=100_000, metavar="N", help="in the table (100,000)")
    parser.add_argument("--quick", action="store_true", help="three tiny images, once: does it run at all?")
    wanted = parser.parse_args()
    wanted.sizes, wanted.megabytes = wanted.only or ["S", "M"], 300
    if wanted.quick:
        wanted.sizes, wanted.repeat, wanted.cancels, wanted.megabytes = ["quick"], 1, 3, 3
        wanted.jobs = 3_000
    return wanted


def _save(started: datetime, found: dict[str, Any]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{started:%Y-%m-%dT%H%M%SZ}.json"
    content = {"started": started, "sizes": {name: SIZES[name] for name in found["runs"]}, **found}
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    return path


def _say(news: str) -> None:
    print(news, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
