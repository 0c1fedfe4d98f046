"""The figures of the last run of each measure, in bench/results.json."""

import json
from pathlib import Path
from statistics import median
from typing import Any

FOLDER = Path(__file__).resolve().parent
FILE = FOLDER / "results.json"
Row = dict[str, Any]


def load() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text()) if FILE.is_file() else {}
    return found


def save(section: str, rows: list[Row], stamp: dict[str, Any]) -> None:
    everything = load()
    everything[section] = {"stamp": stamp, "rows": rows}
    new = FILE.with_suffix(".new")
    new.write_text(json.dumps(everything, indent=1, sort_keys=True) + "\n")
    new.replace(FILE)


def rows(everything: dict[str, Any], section: str, **wanted: Any) -> list[Row]:
    found = everything.get(section, {}).get("rows", [])
    return [row for row in found if all(row.get(name) == value for name, value in wanted.items())]


def spread(values: list[float]) -> tuple[float, float, float]:
    """Median, least, most."""
    return median(values), min(values), max(values)


def line(row: Row) -> str:
    parts = [f"{row['database']:10} {row['contender']:13}"]
    shapes = {
        "records": "{:,} records", "rate": "{:.0f}/s", "click": "click {:.3f} s", "cpu_us": "{:.0f} us cpu each",
        "ratio": "{:.2f} of the ideal", "lost": "{} lost", "page": "page {:.2f} s", "conflicts": "{:,} left alone",
        "overwritten": "{} overwritten",
    }  # fmt: skip
    parts += [shape.format(row[name]) for name, shape in shapes.items() if name in row]
    return ", ".join(parts)
