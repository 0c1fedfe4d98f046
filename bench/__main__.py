"""Measure this project beside what people would use instead:  python -m bench [--quick | --large]

Writes bench/results.json, and from it bench/RESULTS.md and bench/plots/*.svg.
"""

from . import environment

if __name__ == "__main__":
    environment.enter()

import argparse  # noqa: E402 - the environment comes first
import datetime  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterable  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from typing import Any  # noqa: E402

from . import contenders, machine, measures, results, undo  # noqa: E402
from .contenders import BARE, OURS, PEERS, PLAIN, SWAPPED, TUNED, USUAL  # noqa: E402
from .session import Contender  # noqa: E402
from .stage import Stage, stage  # noqa: E402


@dataclass(frozen=True)
class Plan:
    records: int
    rounds: int
    growth: tuple[int, ...]  # sizes of selections for this project and the bare loop
    clicks: tuple[int, ...]  # for this project
    clicks_of_peers: tuple[int, ...]
    plain: int  # records of a comparison of plain calls
    slow: int  # records of two seconds each


QUICK = Plan(2_000, 3, (1_000, 10_000), (1, 100, 1_000, 10_000, 100_000), (1, 100, 1_000), 1_000, 20)
FULL = Plan(10_000, 5, (1_000, 10_000, 100_000), (1, 100, 1_000, 10_000, 100_000), (1, 100, 1_000, 10_000), 2_000, 100)
MILLION = 1_000_000


class Bench:
    def __init__(self, stage: Stage, options: argparse.Namespace, plan: Plan) -> None:
        self.stage, self.options, self.plan = stage, options, plan
        self.contenders = [c for c in contenders.BY_NAME.values() if not options.only or c.name in options.only]
        self.failures: list[str] = []

    def go(self) -> None:
        chosen = {name: getattr(self, name) for name in self.options.measures}
        for name, measure in chosen.items():
            self.rows: list[dict[str, Any]] = []
            self.section = name
            measure()

    def take(self, contender: Contender, vendor: str, number: int, measure: Callable[[], Any]) -> None:
        """Measure once. What fails is reported and does not stop the rest."""
        begun = time.monotonic()
        try:
            found = measure()
        except Exception as exc:
            self.failures.append(f"{self.section} {contender.name} {vendor}: {exc!r}"[:1500])
            print(f"  FAILED {self.failures[-1]}", flush=True)
            return
        for figures in found if isinstance(found, list) else [found]:
            self.rows.append({"contender": contender.name, "database": vendor, "round": number, **figures})
            print(f"  {results.line(self.rows[-1])}  ({time.monotonic() - begun:.0f} s)", flush=True)
        results.save(self.section, self.rows, stamp(self.stage))

    def rounds(self, who: Iterable[Contender], rounds: int) -> Iterable[tuple[int, str, Contender]]:
        """Interleaved: each round has everybody once, on each database, and begins with another one."""
        who = [c for c in who if c in self.contenders]
        for number in range(rounds):
            print(f"{self.section}, round {number + 1} of {rounds}, load {os.getloadavg()[0]:.1f}", flush=True)
            for vendor in self.stage.databases():
                turn = number % max(len(who), 1)
                for contender in [*who[turn:], *who[:turn]]:
                    if vendor in contender.databases:
                        yield number, vendor, contender

    def throughput(self) -> None:
        plan = self.plan
        for number, vendor, contender in self.rounds(contenders.ALL, plan.rounds):
            self.take(
                contender, vendor, number,
                lambda c=contender, v=vendor: measures.throughput(self.stage, c, v, plan.records, singles=5),
            )  # fmt: skip

    def click(self) -> None:
        most = max(self.plan.clicks)
        for number, vendor, contender in self.rounds([OURS, USUAL, TUNED, *PEERS], self.plan.rounds):
            sizes = list(self.plan.clicks if contender is OURS else self.plan.clicks_of_peers)
            self.take(
                contender, vendor, number,
                lambda c=contender, v=vendor, s=sizes: measures.click(self.stage, c, v, most, s),
            )  # fmt: skip

    def plain(self) -> None:
        """One message a record, by the mirrored backend and by django-celery-results' own."""
        for number, vendor, contender in self.rounds([PLAIN, SWAPPED, TUNED], self.plan.rounds):
            self.take(
                contender, vendor, number,
                lambda c=contender, v=vendor: measures.throughput(self.stage, c, v, self.plan.plain),
            )  # fmt: skip

    def small(self) -> None:
        """Twenty records of a quarter of a second on two processes."""
        for number, vendor, contender in self.rounds([OURS], self.plan.rounds):
            self.take(contender, vendor, number, lambda v=vendor: measures.slow(self.stage, v, 20, 0.25))

    def slow(self) -> None:
        for number, vendor, contender in self.rounds([OURS], 1):
            self.take(contender, vendor, number, lambda v=vendor: measures.slow(self.stage, v, self.plan.slow, 2.0))

    def growth(self) -> None:
        for number, vendor, contender in self.rounds([OURS, BARE], self.plan.rounds):
            for size in self.plan.growth:
                self.take(
                    contender, vendor, number,
                    lambda c=contender, v=vendor, n=size: measures.throughput(self.stage, c, v, n),
                )  # fmt: skip

    def undo(self) -> None:
        """Of records as the run left them, and with every tenth changed since."""
        for number, vendor, contender in self.rounds([OURS], self.plan.rounds):
            for moved in (False, True):
                self.take(
                    contender, vendor, number,
                    lambda v=vendor, m=moved: undo.measure(self.stage, v, self.plan.records, moved=m),
                )  # fmt: skip

    def large(self) -> None:
        """A million, with ten thousand before and after for comparison."""
        for number, vendor, contender in self.rounds([OURS, BARE], 1):
            for size in (10_000, MILLION, 10_000):
                self.take(
                    contender, vendor, number,
                    lambda c=contender, v=vendor, n=size: measures.throughput(
                        self.stage, c, v, n, look=c is OURS and n == MILLION
                    ),
                )  # fmt: skip
            if contender is OURS:
                self.take(
                    contender, vendor, number,
                    lambda c=contender, v=vendor: measures.click(self.stage, c, v, MILLION, [MILLION] * 3),
                )  # fmt: skip


def stamp(at: Stage) -> dict[str, Any]:
    return {
        "command": " ".join(["python -m bench", *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine.describe(at),
        "load": round(os.getloadavg()[0], 1),
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="2,000 records in 3 rounds, not 10,000 in 5")
    size.add_argument("--large", action="store_true", help="a million records, this project and the bare loop only")
    size.add_argument("--report", action="store_true", help="measure nothing, write RESULTS.md and plots anew")
    parser.add_argument("--only", nargs="+", choices=contenders.BY_NAME, help="these contenders only")
    parser.add_argument("--databases", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    every = ["throughput", "plain", "click", "small", "slow", "growth", "undo"]
    parser.add_argument("--measures", nargs="+", choices=[*every, "large"], help=f"default: {' '.join(every)}")
    parser.add_argument("--records", type=int, help="for throughput and undo")
    parser.add_argument("--rounds", type=int)
    options = parser.parse_args()
    options.measures = options.measures or (["large"] if options.large else every)
    return options


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that every server is ended on the way out
    plan = QUICK if options.quick else FULL
    changed = {name: value for name in ("records", "rounds") if (value := getattr(options, name))}
    plan = Plan(**{**plan.__dict__, **changed})
    failures: list[str] = []
    if not options.report:
        with stage(options.databases) as at:
            bench = Bench(at, options, plan)
            bench.go()
            failures = bench.failures
    from . import plots, report

    plots.draw(results.load())
    report.write(results.load())
    print(f"Written: {results.FOLDER.name}/RESULTS.md, results.json and plots/.")
    for failure in failures:
        print(f"FAILED {failure}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
