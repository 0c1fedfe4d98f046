"""bench/plots/*.svg, out of bench/results.json."""

from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

from . import contenders  # noqa: E402
from .results import FOLDER, rows, spread  # noqa: E402

VENDORS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
OURS, LIMIT, OTHER = "#1d4ed8", "#6b7280", "#d97706"
STYLE = {
    "svg.fonttype": "none",  # text stays text: small files, and a reader's own fonts
    "svg.hashsalt": "bench", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.axisbelow": True, "grid.color": "#e5e7eb", "figure.facecolor": "white",
}  # fmt: skip


def draw(everything: dict[str, Any]) -> None:
    (FOLDER / "plots").mkdir(exist_ok=True)
    with plt.rc_context(STYLE):
        for name, plot in {"click": _click, "throughput": _throughput, "growth": _growth}.items():
            needed = {"growth": ("growth", "large")}.get(name, (name,))
            if any(rows(everything, section) for section in needed):
                figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
                for axis, (vendor, label) in zip(axes, VENDORS.items(), strict=True):
                    axis.set_title(label)
                    plot(axis, everything, vendor)
                    if axis.get_legend_handles_labels()[1]:
                        axis.legend(fontsize=8, frameon=False)
                figure.savefig(FOLDER / "plots" / f"{name}.svg", metadata={"Date": None})
                plt.close(figure)


def _colour(name: str) -> str:
    return OURS if name.startswith("ours") else LIMIT if name == "bare" else OTHER


def _throughput(axis: Any, everything: dict[str, Any], vendor: str) -> None:
    bars = []
    for contender in contenders.ALL:
        found = [row["rate"] for row in rows(everything, "throughput", database=vendor, contender=contender.name)]
        if found:
            bars.append((spread(found), contender))
    bars.sort(key=lambda bar: bar[0][0])
    for at, ((middle, least, most), contender) in enumerate(bars):
        axis.barh(at, middle, color=_colour(contender.name), xerr=[[middle - least], [most - middle]], ecolor="#111827")
        axis.text(max(middle, most), at, f"  {middle:,.0f}", va="center")
    axis.set_yticks(range(len(bars)), [contender.label for _spread, contender in bars])
    axis.set_xlabel("records a second, click to last record")
    axis.margins(x=0.15)
    axis.grid(visible=False, axis="y")


def _lines(axis: Any, found: list[dict[str, Any]], value: str, **how: Any) -> None:
    sizes = sorted({row["records"] for row in found})
    spreads = [spread([row[value] for row in found if row["records"] == size]) for size in sizes]
    middle = [each[0] for each in spreads]
    axis.errorbar(
        sizes, middle, yerr=[[m - low for m, low, _ in spreads], [high - m for m, _, high in spreads]],
        marker="o", markersize=4, capsize=2, **how,
    )  # fmt: skip


def _click(axis: Any, everything: dict[str, Any], vendor: str) -> None:
    million = [row for row in rows(everything, "large", database=vendor, contender="ours") if row["records"] == 10**6]
    for contender in contenders.ALL:
        found = rows(everything, "click", database=vendor, contender=contender.name)
        found += million if contender is contenders.OURS and found else []
        if found:
            mine = contender is contenders.OURS
            how = {"color": OURS, "linewidth": 2.5} if mine else {"linewidth": 1}
            _lines(axis, found, "click", label=contender.label, **how)
    axis.set(xscale="log", yscale="log", xlabel="records selected", ylabel="seconds until the request is answered")
    axis.set_ylim(bottom=2e-4)  # room for the legend under the lines


def _growth(axis: Any, everything: dict[str, Any], vendor: str) -> None:
    both = rows(everything, "growth", database=vendor) + rows(everything, "large", database=vendor)
    for contender in (contenders.OURS, contenders.BARE):
        found = [row for row in both if row["contender"] == contender.name and "rate" in row]
        if found:
            _lines(axis, found, "rate", label=contender.label, color=_colour(contender.name))
    axis.set(xscale="log", xlabel="records in the run", ylabel="records a second")
    axis.set_ylim(bottom=0)
