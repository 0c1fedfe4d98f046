"""What the pages for engineers name is there: files, folders and tests."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
NAMED = re.compile(r"`((?:backoffice|records|tests|bench|deploy|docs|fixtures)/[\w./-]*)(?:::(\w+))?`")
LINKED = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_files_and_tests_that_exist(page):
    for path, function in NAMED.findall(page.read_text()):
        assert (ROOT / path).exists(), f"{page.name} names {path}"
        if function:
            assert function in functions(ROOT / path), f"{page.name} names {path}::{function}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_links_only_to_what_exists(page):
    for target in LINKED.findall(page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_each_fault_has_a_test():
    rows = [line for line in (ROOT / "docs/faults.md").read_text().splitlines() if re.match(r"\| \d+ ", line)]
    assert len(rows) >= 51
    assert all("::test_" in row for row in rows)
