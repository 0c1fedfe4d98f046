"""bench/RESULTS.md, out of bench/results.json."""

from collections.abc import Callable, Iterable
from typing import Any

from . import contenders
from .results import FOLDER, Row, rows, spread

VENDORS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
Everything = dict[str, Any]


def write(everything: Everything) -> None:
    parts = ["# Results", "", *_about(everything)]
    for section in (_throughput, _ratios, _plain, _click, _single, _memory, _growth, _slow, _undo, _large, _pages):
        parts += section(everything)
    (FOLDER / "RESULTS.md").write_text("\n".join(parts).rstrip() + "\n")


def _about(everything: Everything) -> list[str]:
    lines = ["Written by `make bench`; how each figure is taken stands in [README.md](README.md).", ""]
    lines += ["Each figure is the median, with the least and the most of all rounds in brackets.", ""]
    lines += ["| measure | command | date | load average at its end |", "|---|---|---|---:|"]
    for name, section in sorted(everything.items()):
        stamp = section["stamp"]
        lines.append(f"| {name} | `{stamp['command']}` | {stamp['date']} | {stamp['load']} |")
    # A run on one database alone does not know the other's version.
    stamps = sorted((section["stamp"] for section in everything.values()), key=lambda stamp: stamp["date"])
    machine = {name: value for stamp in stamps for name, value in stamp["machine"].items()}
    if machine:
        lines += ["", "; ".join(f"{name} {value}" for name, value in machine.items()) + "."]
    return [*lines, ""]


def _cell(found: Iterable[Any], shape: str = "{:,.0f}") -> str:
    values = [value for value in found if value is not None and value == value]
    if not values:
        return "–"
    middle, least, most = (shape.format(value) for value in spread(values))
    return f"{middle} ({least}–{most})" if len(values) > 1 else middle


def _table(head: list[str], body: list[list[str]]) -> list[str]:
    marks = ["---"] + ["---:"] * (len(head) - 1)
    return [*("| " + " | ".join(cells) + " |" for cells in [head, marks, *body]), ""]


def _throughput(everything: Everything) -> list[str]:
    lines: list[str] = []
    for vendor, label in VENDORS.items():
        body = []
        for contender in contenders.ALL:
            found = rows(everything, "throughput", database=vendor, contender=contender.name)
            if found:
                of = _picker(found)
                body.append(
                    [contender.label, _cell(of("rate")), _cell(of("seconds"), "{:.2f}"), _cell(of("click"), "{:.3f}"),
                     _cell(of("cpu_us")), str(sum(of("lost")))]
                )  # fmt: skip
        if body:
            records = rows(everything, "throughput", database=vendor)[0]["records"]
            lines += [f"## {records:,} records on {label}, two worker processes", ""]
            head = ["", "records/s", "seconds, click to last record", "click, s", "worker CPU, µs/record", "lost"]
            lines += _table(head, body)
    return [*lines, "![records a second](plots/throughput.svg)", ""] if lines else []


def _picker(found: list[Row]) -> Callable[[str], list[Any]]:
    return lambda name: [row.get(name) for row in found]


def _ratios(everything: Everything) -> list[str]:
    """Against the floors of the issue; each ratio is taken within a round, then the median of the rounds."""
    body = []
    for vendor, label in VENDORS.items():
        ours = {row["round"]: row for row in rows(everything, "throughput", database=vendor, contender="ours")}
        if not ours:
            continue
        peers = [c.name for c in contenders.PEERS]
        against = {
            "the usual way (floor 15)": ["usual"],
            "the usual way, our settings (floor 10)": ["usual_tuned"],
            "the best peer (floor 4)": peers,
            "the bare loop (floor 0.6)": ["bare"],
            "itself without change sets (floor 0.85)": ["ours_unkept"],
        }
        cells = []
        for names in against.values():
            ratios = []
            for number, row in ours.items():
                same = rows(everything, "throughput", database=vendor, round=number)
                others = [other["rate"] for other in same if other["contender"] in names]
                ratios += [row["rate"] / max(others)] if others else []
            cells.append(_cell(ratios, "{:.2f}"))
        beyond = [
            row["cpu_us"] - bare["process_us"]
            for row in ours.values()
            for bare in rows(everything, "throughput", database=vendor, contender="bare", round=row["round"])
        ]
        body.append([label, *cells, _cell(beyond)])
    if not body:
        return []
    head = [
        "records/s as a multiple of",
        *against,
        "worker CPU beyond `process()`, µs/record (floor 220)",
    ]
    return ["## Ratios", "", *_table(head, body)]


def _plain(everything: Everything) -> list[str]:
    """Plain calls against the two with the django-db backend; ratios as above."""
    body = []
    for contender in (contenders.PLAIN, contenders.SWAPPED, contenders.TUNED):
        cells = []
        for vendor in VENDORS:
            mine = rows(everything, "plain", database=vendor, contender=contender.name)
            ratios = [
                ours["rate"] / row["rate"]
                for row in mine
                for ours in rows(everything, "plain", database=vendor, contender="ours_plain", round=row["round"])
            ]
            against = "" if contender is contenders.PLAIN else _cell(ratios, "{:.2f}")
            cells += [_cell(row["rate"] for row in mine), _cell(row["cpu_us"] for row in mine), against]
        body.append([contender.label, *cells])
    if not rows(everything, "plain"):
        return []
    records = rows(everything, "plain")[0]["records"]
    head = [""]
    for label in VENDORS.values():
        head += [f"{label}, records/s", "worker CPU, µs/record", "ours against it (floor 1.2)"]
    return [f"## Plain calls: `.delay(id)` for each of {records:,} records", "", *_table(head, body)]


def _click(everything: Everything) -> list[str]:
    lines: list[str] = []
    for vendor, label in VENDORS.items():
        found = rows(everything, "click", database=vendor)
        sizes = sorted({row["records"] for row in found})
        body = []
        for contender in contenders.ALL:
            mine = [row for row in found if row["contender"] == contender.name]
            if mine:
                cells = [
                    _cell((row["click"] * 1e3 for row in mine if row["records"] == size), "{:,.0f}") for size in sizes
                ]
                grown = max(row["web_grew"] for row in mine) / 1e6
                body.append([contender.label, *cells, f"{grown:.1f}"])
        if body:
            head = ["ms", *(f"{size:,}" for size in sizes), "web memory grew by at most, MB"]
            lines += [f"## The click on {label}: milliseconds by records selected", "", *_table(head, body)]
    return [*lines, "![click latency](plots/click.svg)", ""] if lines else []


def _single(everything: Everything) -> list[str]:
    body = []
    for contender in contenders.ALL:
        cells = []
        for vendor in VENDORS:
            found = rows(everything, "throughput", database=vendor, contender=contender.name)
            cells.append(_cell((each * 1e3 for row in found for each in row["latencies"]), "{:.0f}"))
        if any(cell != "–" for cell in cells):
            body.append([contender.label, *cells])
    if not body:
        return []
    return ["## One record, click to outcome visible, idle workers: ms", "", *_table(["", *VENDORS.values()], body)]


def _memory(everything: Everything) -> list[str]:
    body = []
    for contender in contenders.ALL:
        found = rows(everything, "throughput", contender=contender.name)
        if found:
            body.append(
                [contender.label, _cell(row["memory"]["pss"] / 1e6 for row in found),
                 _cell(row["memory"]["biggest"] / 1e6 for row in found),
                 _cell(row["redis_bytes"] for row in found)]
            )  # fmt: skip
    if not body:
        return []
    head = ["", "all worker processes, MB (PSS)", "biggest process, MB (RSS)", "Redis afterwards, bytes/record"]
    return ["## Memory", "", *_table(head, body)]


def _growth(everything: Everything) -> list[str]:
    lines: list[str] = []
    both = rows(everything, "growth") + rows(everything, "large")
    for vendor, label in VENDORS.items():
        body = []
        for size in sorted({row["records"] for row in both if "rate" in row}):
            cells = []
            for name in ("ours", "bare"):
                mine = [
                    r
                    for r in both
                    if (r["database"], r["contender"], r["records"]) == (vendor, name, size) and "rate" in r
                ]
                cells += [_cell(r["rate"] for r in mine), _cell(r["cpu_us"] for r in mine)]
            body.append([f"{size:,}", *cells])
        if body:
            head = ["records", "records/s", "CPU µs/record", "bare loop, records/s", "bare loop, CPU µs/record"]
            lines += [f"## Growth on {label}", "", *_table(head, body)]
    if lines:
        lines += ["![growth](plots/growth.svg)", ""]
    sizes = [row for row in both if row.get("bytes")]
    if sizes:
        most = max(row["records"] for row in sizes)
        sizes = [row for row in sizes if row["records"] == most]
        names = list(dict.fromkeys(name for row in sizes for name in row["bytes"]))
        body = []
        for vendor, label in VENDORS.items():
            mine = [row for row in sizes if row["database"] == vendor]
            tables = [_cell(row["bytes"].get(name) for row in mine) for name in names]
            redis = [_cell(row["redis_bytes"] for row in mine), _cell(row["redis_peak"] / 1e6 for row in mine)]
            body.append([label, *tables, *redis])
        head = ["bytes a record", *(f"`{name}`" for name in names), "Redis results", "Redis at most, MB in all"]
        lines += [f"## Bytes a record, after {most:,} (tables with their indexes)", "", *_table(head, body)]
    return lines


def _slow(everything: Everything) -> list[str]:
    body = []
    for section in ("small", "slow"):
        for vendor, label in VENDORS.items():
            found = rows(everything, section, database=vendor)
            if found:
                of = _picker(found)
                what = f"{found[0]['records']} records of {found[0]['each']:g} s on {label}"
                body.append(
                    [what, _cell(of("seconds"), "{:.2f}"), f"{found[0]['ideal']:g}", _cell(of("ratio"), "{:.2f}"),
                     _cell(of("largest_step"))]
                )  # fmt: skip
    if not body:
        return []
    head = ["", "seconds", "ideal", "ratio (slow floor 1.15)", "largest step of the progress, records"]
    return ["## Few and slow records on two processes", "", *_table(head, body)]


def _pages(everything: Everything) -> list[str]:
    seen = {v: [row for row in rows(everything, "large", database=v) if row.get("pages")] for v in VENDORS}
    found = {vendor: {each["page"]: each for each in mine[-1]["pages"]} for vendor, mine in seen.items() if mine}
    body = []
    for name in dict.fromkeys(name for pages in found.values() for name in pages):
        cells = [name]
        for pages in found.values():
            page = pages.get(name)
            cells += [f"{page['ms']:.0f} (–{page['most_ms']:.0f})", str(page["queries"])] if page else ["–", "–"]
        body.append(cells)
    if not body:
        return []
    head = ["", *(cell for vendor in found for cell in (f"{VENDORS[vendor]}, ms", "queries"))]
    title = "## Pages, at a million records, items and task results (floor 300 ms, 15 queries; progress 10 ms, 3)"
    return [title, "", *_table(head, body)]


def _undo(everything: Everything) -> list[str]:
    body = []
    for vendor, label in VENDORS.items():
        both = rows(everything, "undo", database=vendor)
        for moved in sorted({row["moved"] for row in both}):
            of = _picker([row for row in both if row["moved"] == moved])
            body.append(
                [label, f"{both[0]['records']:,}", f"{moved:,}", _cell(of("rate")), _cell(of("page"), "{:.2f}"),
                 _cell(of("click"), "{:.2f}"), str(sum(of("overwritten"))), _cell(of("listed"))]
            )  # fmt: skip
    if not body:
        return []
    head = ["", "records", "changed since", "records/s", "page before, s", "press, s", "overwritten", "listed"]
    return ["## Undo of a run (floor 3,000 records/s)", "", *_table(head, body)]


def _large(everything: Everything) -> list[str]:
    body = []
    for vendor, label in VENDORS.items():
        found = rows(everything, "large", database=vendor, contender="ours")
        million = [row for row in found if row["records"] == 1_000_000 and "rate" in row]
        small = [row for row in found if row["records"] == 10_000]
        clicks = [row["click"] for row in found if row["records"] == 1_000_000]
        if million and small:
            last = million[-1]
            early = last["memory_early"].get("biggest", 0) / 1e6
            body.append(
                [label, f"{last['rate']:,.0f}", f"{last['rate'] / spread([r['rate'] for r in small])[0]:.2f}",
                 _cell(clicks, "{:.2f}"), f"{max(r['web_grew'] for r in found) / 1e6:.1f}",
                 f"{early:.0f} → {last['memory']['biggest'] / 1e6:.0f}", f"{last['lost']}"]
            )  # fmt: skip
    if not body:
        return []
    head = ["", "records/s", "of the rate at 10,000 (floor 0.8)", "click, s", "web grew, MB",
            "biggest worker process at a fifth → at the end, MB", "lost"]  # fmt: skip
    return ["## A million records", "", *_table(head, body)]
