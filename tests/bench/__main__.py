"""`make bench`: runs benchmarks, prints a table, writes bench.json."""

import argparse
import json
import os
import platform
import statistics
import subprocess
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.cases import CASES, Case
from tests.bench.chain import CHAIN_CASES
from tests.bench.parties import PARTY_CASES
from tests.bench.reviews import REVIEW_CASES

ALL = (*CASES, *PARTY_CASES, *REVIEW_CASES, *CHAIN_CASES)


def main() -> None:
    """Runs the cases that the arguments name, or all."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *(case.name for case in ALL)])
    parser.add_argument("--quick", action="store_true", help="under a minute each")
    arguments = parser.parse_args()
    chosen = [case for case in ALL if not arguments.names or case.name in arguments.names]
    results = [_result(case, case.measure(arguments.quick)) for case in chosen]
    report = {"commit": _commit(), "machine": _machine(), "results": results}
    Path("bench.json").write_text(json.dumps(report, indent=2) + "\n")
    _print(results)


def _result(case: Case, runs: list[float]) -> dict[str, Any]:
    return {
        "name": case.name,
        "ratio": round(statistics.median(runs), 3),
        "goal": case.goal,
        "unit": case.unit,
        "runs": [round(run, 3) for run in runs],
        "note": case.note,
    }


def _print(results: list[dict[str, Any]]) -> None:
    table = Table("benchmark", "ratio", "goal", "unit", "runs", "what")
    for row in results:
        colour = "green" if row["ratio"] <= row["goal"] else "red"
        runs = " ".join(map(str, row["runs"]))
        table.add_row(row["name"], f"[{colour}]{row['ratio']}[/]", f"≤ {row['goal']}", row["unit"], runs, row["note"])
    Console().print(table)


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


main()
