import ast

import pytest

from tests.conditional_updates import Write, of_tree, walk

pytestmark = pytest.mark.once


def of_source(source: str) -> list[Write]:
    return list(of_tree(ast.parse(source), "x.py", {}))


def test_no_conditional_update_or_delete_of_ours_names_a_relation_or_asks_another_queryset():
    writes = list(walk("backoffice", "records"))
    assert len(writes) > 50
    assert {write.place: write.joins for write in writes if write.joins} == {}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Chunk.objects.filter(pk=1, run__cancelled_at=None).update(worker='')", ["run__cancelled_at"]),
        (
            "mine = Chunk.objects.filter(run__cancelled_at=None)\n mine.filter(pk=1).update(worker='')",
            ["run__cancelled_at"],
        ),
        ("Chunk.objects.filter(Q(pk=1) | Q(run__task__name='x')).delete()", ["run__task__name"]),
        ("Chunk.objects.exclude(pk__in=Run.objects.values('pk')).delete()", ["pk__in"]),
        ("Chunk.objects.filter(pk__in=[1], run=2, run__pk=2, claimed_at__isnull=True).update(worker='')", []),
        ("{}.update(run__cancelled_at=None)", None),
    ],
)
def test_the_walk_finds_what_joins_and_nothing_else(line, found):
    writes = of_source(f"def step():\n {line}")
    assert [write.joins for write in writes] == ([] if found is None else [found])


@pytest.mark.parametrize(
    ("method", "found"), [("waiting", ["run__finished_at"]), ("unclaimed", [])], ids=["joins", "plain"]
)
def test_the_walk_looks_into_the_queryset_methods_of_the_module(method, found):
    source = f"""
class ChunkQuerySet:
    def waiting(self):
        return self.filter(run__finished_at=None)

    def unclaimed(self):
        return self.filter(claimed_at=None)

def step():
    Chunk.objects.{method}().update(worker='')
"""
    assert [write.joins for write in of_source(source)] == [found]
