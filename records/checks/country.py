"""Countries: ISO 3166-1 alpha-2 (pycountry) plus the spellings that offices really use."""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Final

import pycountry

from .findings import Checked, finding

# UK and EL are the EU's own codes (Interinstitutional style guide, 7.1.1), 1A is TED's Kosovo, XK the code in common
# use for it. Endonyms and everyday names follow, folded as `_fold` does it.
_ALIASES: Final = {
    "GB": "uk|great britain|britain|england|scotland|wales|northern ireland|grossbritannien|vereinigtes konigreich"
    "|royaume uni|reino unido|regno unito|verenigd koninkrijk|wielka brytania|united kingdom of great britain",
    "GR": "el|hellas|ellada|ελλαδα|ελλας|hellenic republic|griechenland|grece|grecia|griekenland|grecja",
    "XK": "xk|1a|xkx|kosovo|kosova",
    "AL": "shqiperia|shqiperi|albanien",
    "AM": "hayastan",
    "AT": "osterreich|oesterreich|autriche|oostenrijk|republik osterreich",
    "BA": "bosna i hercegovina|bosnia|bosnia herzegovina|bosnia and herzegovina|bih",
    "BE": "belgie|belgique|belgien|belgica|belgio",
    "BG": "българия|република българия|balgariya|bulgarie|bulgarien",
    "BN": "brunei",
    "BO": "bolivia",
    "BY": "беларусь|weissrussland",
    "CD": "dr congo|drc|democratic republic of the congo|congo kinshasa",
    "CG": "republic of the congo|congo brazzaville",
    "CH": "schweiz|suisse|svizzera|svizra|suiza|zwitserland",
    "CI": "ivory coast|cote divoire",
    "CV": "cape verde",
    "CY": "κυπρος|kypros|kibris|zypern|chypre",
    "CZ": "czech republic|ceska republika|cesko|tschechien|tschechische republik|republique tcheque|tsjechie",
    "DE": "deutschland|bundesrepublik deutschland|brd|allemagne|alemania|germania|duitsland|niemcy|nemecko|tyskland"
    "|saksa",
    "DK": "danmark|danemark|danemarca|dinamarca|danimarca|denemarken",
    "EE": "eesti|eesti vabariik|estland|estonie",
    "ES": "espana|spanien|espagne|spagna|spanje|hiszpania|reino de espana",
    "FI": "suomi|finnland|finlande|finlandia|suomen tasavalta",
    "FR": "frankreich|francia|frankrijk|republique francaise|francja|frankrike",
    "GE": "sakartvelo",
    "HR": "hrvatska|republika hrvatska|kroatien|croatie|croazia",
    "HU": "magyarorszag|ungarn|hongrie|hongarije|ungaria|wegry",
    "IE": "eire|irland|irlande|irlanda|ierland|republic of ireland",
    "IR": "iran",
    "IS": "islande|island",
    "IT": "italia|italien|italie|wlochy|repubblica italiana",
    "KP": "north korea",
    "KR": "south korea|korea",
    "LA": "laos",
    "LT": "lietuva|lietuvos respublika|litauen|lituanie",
    "LU": "letzebuerg|luxemburg|lussemburgo",
    "LV": "latvija|latvijas republika|lettland|lettonie",
    "MD": "moldova|republica moldova",
    "ME": "crna gora|црна гора|montenegro",
    "MK": "macedonia|severna makedonija|северна македонија|македонија|fyrom|former yugoslav republic of macedonia",
    "MM": "burma",
    "NL": "nederland|holland|niederlande|pays bas|paises bajos|paesi bassi|holandia",
    "NO": "norge|noreg|norwegen|norvege|noruega|norvegia|noorwegen",
    "PL": "polska|polen|pologne|polonia|rzeczpospolita polska",
    "PS": "palestine",
    "PT": "portogallo|republica portuguesa",
    "RO": "rumanien|roumanie|rumania|roemenie|rumunia",
    "RS": "srbija|србија|serbien|serbie",
    "RU": "russia|rossiya|россия|russland|russie",
    "SE": "sverige|schweden|suede|suecia|svezia|zweden|szwecja",
    "SI": "slovenija|republika slovenija|slowenien|slovenie",
    "SK": "slovensko|slovenska republika|slovak republic|slowakei|slovaquie",
    "SY": "syria",
    "SZ": "swaziland",
    "TR": "turkey|turkei|turquie|turchia|turkije|turkiye cumhuriyeti",
    "TW": "taiwan",
    "TZ": "tanzania",
    "UA": "україна|ukraina",
    "US": "usa|united states of america|the states|vereinigte staaten|etats unis|estados unidos|stati uniti",
    "VA": "vatican|vatican city",
    "VE": "venezuela",
    "VN": "vietnam",
}
_NOT_LETTERS = re.compile(r"[\W_]+")


def _fold(text: str) -> str:
    """Letters and digits without accents, case, dots and a leading article."""
    base = unicodedata.normalize("NFKD", text.casefold().replace(".", "").replace("'", "").replace("’", ""))
    plain = "".join(char for char in base if not unicodedata.combining(char))
    return _NOT_LETTERS.sub(" ", plain).strip().removeprefix("the ")


def _build() -> dict[str, str]:
    """All spellings known, folded. Exact look-up only: pycountry's fuzzy search takes Niger for Nigeria."""
    known: dict[str, str] = {}
    short = Counter(_fold(country.name.partition(",")[0]) for country in pycountry.countries)
    for country in pycountry.countries:
        names = [country.alpha_2, country.alpha_3, country.name]
        names += [getattr(country, kind) for kind in ("official_name", "common_name") if hasattr(country, kind)]
        head = country.name.partition(",")[0]
        if short[_fold(head)] == 1:  # "Moldova, Republic of", but neither "Korea, ..." nor "Congo, ..."
            names.append(head)
        known.update((_fold(name), country.alpha_2) for name in names)
    for code, spellings in _ALIASES.items():
        known.update((_fold(spelling), code) for spelling in spellings.split("|"))
    return known


_KNOWN: Final = _build()


@lru_cache(maxsize=1024)
def iso_code(text: str) -> str | None:
    """The ISO alpha-2 code of a country however it is spelt, or None. `text` is of bounded length."""
    return _KNOWN.get(_fold(text))


_WITH_ARTICLE: Final = frozenset({"AE", "BS", "CF", "DO", "FO", "GB", "GM", "KM", "MH", "MV", "NL", "PH", "SB", "US"})


@lru_cache(maxsize=512)
def name_of(code: str) -> str:
    """The English name of an ISO alpha-2 code, as it stands in a sentence."""
    country = pycountry.countries.get(alpha_2=code)
    if country is None:
        return {"XK": "Kosovo"}.get(code, code)
    name = str(getattr(country, "common_name", country.name))
    return f"the {name}" if code in _WITH_ARTICLE else name


def check(text: str, value: str) -> Checked:
    """The ISO alpha-2 code of the country."""
    code = iso_code(text)
    if code is None:
        message = "This country is not known. Write its two-letter ISO code, such as DE or FR, or its English name."
        return Checked(None, [finding("country.unknown", message, value)])
    if code == text:
        return Checked(code, [])
    message = f"Countries are kept as ISO codes: “{code}” stands for {name_of(code)}."
    return Checked(code, [finding("country.format", message, value, code)])
