"""Records that may be the same partner, for a person to compare (rapidfuzz)."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final, NamedTuple

from rapidfuzz import fuzz

# Legal forms say little about identity and are left out of the comparison, never out of the record.
_FORMS: Final = (
    "ab ad ag aps as asa bv bvba ccc co corp dd doo eg ev eood gmbh inc jsc kft kg llc ltd limited mbh nv nyrt og oo"
    " ood oy oyj ou plc pte sa sarl sas sasu sc scs se sia sl slu snc sp spa sprl srl sro uab ug vzw zoo zrt"
    " еад еоод ад оод αε"
)
_LEGAL_FORMS: Final = frozenset(_FORMS.split())
_NOT_LETTERS = re.compile(r"[\W_]+")
_BRACKETS = re.compile(r"\([^()]*\)|/[^/]{1,12}/$")
_INITIALS = re.compile(r"\b\w(?: \w)+\b")
MIN_SCORE: Final = 82.0  # of the TED sample's 106 pairs with one tax id and two names 73; most others are translations
MAX_LENGTH: Final = 200


class Candidate(NamedTuple):
    """Another record and how alike it is, 0 to 100."""

    id: int
    name: str
    town: str
    score: float


def _key(text: str) -> str:
    """Words without accents, case, marks and bracketed asides; without legal forms if anything else is left."""
    base = unicodedata.normalize("NFKD", text[:MAX_LENGTH].casefold()).replace(".", "").replace("'", "")
    plain = "".join(char for char in base if not unicodedata.combining(char))
    outside = _BRACKETS.sub(" ", plain)
    words = _NOT_LETTERS.sub(" ", outside if outside.strip() else plain)
    joined = _INITIALS.sub(lambda match: match[0].replace(" ", ""), words).split()  # "d o o" is "doo"
    return " ".join([word for word in joined if word not in _LEGAL_FORMS] or joined)


def _town_bonus(mine: str, theirs: str) -> float:
    """Up to 5 points for the same town, as many off for another; nothing where one is unknown."""
    if not mine or not theirs:
        return 0.0
    return (float(fuzz.ratio(mine, theirs)) - 50.0) / 10.0


def duplicate_candidates(
    name: str, town: str, others: Iterable[tuple[int, str, str]], *, limit: int = 10
) -> list[Candidate]:
    """The records most like this one, best first; about 10 us for each of `others`, so hand over the country's only."""
    mine, my_town = _key(name), _key(town)
    if not mine:
        return []
    found = []
    for identifier, other_name, other_town in others:
        likeness = fuzz.token_sort_ratio(mine, _key(other_name), score_cutoff=MIN_SCORE - 5)
        if likeness:
            score = min(100.0, likeness + _town_bonus(my_town, _key(other_town)))
            if score >= MIN_SCORE:
                found.append(Candidate(identifier, other_name, other_town, round(score, 1)))
    return sorted(found, key=lambda candidate: (-candidate.score, candidate.id))[:limit]
