"""The numbers each country gives to organisations, and who checks them: python-stdnum.

A scheme has a shape, so that a number is only handed to the checks it could be meant for. `claims` says that in its
country nothing else in common use has this shape: such a number whose check digit fails is wrong, not unknown. Shapes
of VAT numbers are those of the EU's VIES (FAQ, question 11), the others those of python-stdnum's own modules.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, Literal, NamedTuple

from stdnum import get_cc_module
from stdnum.exceptions import ValidationError


class Scheme(NamedTuple):
    """One kind of number of one country."""

    label: str  # as in "does not pass the check of a ..."
    module: str  # in stdnum
    shape: str  # of the capital letters and digits alone, without the VAT prefix
    use: Literal["national", "vat", "both"] = "national"  # without the VAT prefix, behind it, either
    claims: bool = False
    pattern: re.Pattern[str] | None = None
    validate: Callable[[str], object] | None = None

    @property
    def vat(self) -> bool:
        """Whether it is valid behind the country's VAT prefix."""
        return self.use != "national"

    @property
    def bare(self) -> bool:
        """Whether it is in use without the prefix."""
        return self.use != "vat"

    def fits(self, number: str) -> bool:
        """Whether the number has this scheme's shape."""
        return self.pattern is not None and self.pattern.fullmatch(number) is not None

    def accepts(self, number: str) -> bool:
        """Whether the number passes this scheme's check."""
        try:
            return self.validate is not None and bool(self.validate(number))
        except (ValidationError, ValueError, IndexError, KeyError):  # stdnum leaks the last three on odd input
            return False


_SCHEMES: Final[dict[str, tuple[Scheme, ...]]] = {
    "AT": (
        Scheme("UID", "at.uid", r"U\d{8}", "vat", claims=True),
        Scheme("Firmenbuch number", "at.businessid", r"FN\d{1,6}[A-Z]|\d{4,6}[A-Z]"),
        Scheme("GLN of a public body", "ean", r"91100\d{8}"),
        Scheme("tax number", "at.tin", r"\d{9}"),
    ),
    "AU": (Scheme("ABN", "au.abn", r"\d{11}", "both", claims=True), Scheme("ACN", "au.acn", r"\d{9}")),
    "BE": (Scheme("enterprise number", "be.vat", r"[01]\d{9}|[2-9]\d{8}", "both", claims=True),),
    "BG": (Scheme("EIK", "bg.vat", r"\d{9}", "both", claims=True), Scheme("VAT number", "bg.vat", r"\d{10}", "both")),
    "BR": (Scheme("CNPJ", "br.cnpj", r"[0-9A-Z]{12}\d{2}", claims=True),),
    "CH": (
        Scheme("VAT number", "ch.vat", r"CHE\d{9}(?:MWST|TVA|IVA|TPV)", claims=True),
        Scheme("UID", "ch.uid", r"CHE\d{9}", claims=True),
    ),
    "CY": (Scheme("VAT number", "cy.vat", r"\d{8}[A-Z]", "vat", claims=True),),
    "CZ": (
        Scheme("IČO", "cz.dic", r"\d{8}", "both", claims=True),
        Scheme("DIČ", "cz.dic", r"\d{9,10}", "vat"),
    ),
    "DE": (
        Scheme("VAT number", "de.vat", r"[1-9]\d{8}", "vat"),
        Scheme("Steuernummer", "de.stnr", r"\d{10,11}|\d{13}"),
    ),
    "DK": (Scheme("CVR number", "dk.cvr", r"\d{8}", "both", claims=True),),
    "EE": (
        Scheme("registry code", "ee.registrikood", r"\d{8}", claims=True),
        Scheme("VAT number", "ee.kmkr", r"\d{9}", "vat"),
    ),
    "ES": (Scheme("NIF", "es.nif", r"[A-Z]\d{7}[0-9A-Z]|\d{8}[A-Z]", "both", claims=True),),
    "FI": (Scheme("Y-tunnus", "fi.ytunnus", r"\d{8}", "both", claims=True),),
    "FR": (
        Scheme("SIREN", "fr.siren", r"\d{9}", claims=True),
        Scheme("SIRET", "fr.siret", r"\d{14}", claims=True),
        Scheme("VAT number", "fr.tva", r"[0-9A-HJ-NP-Z]{2}\d{9}", "vat"),
    ),
    "GB": (
        Scheme("VAT number", "gb.vat", r"\d{9}|\d{12}|(?:GD|HA)\d{3}", "vat"),
        Scheme("UTR", "gb.utr", r"\d{10}"),
    ),
    "GR": (Scheme("AFM", "gr.vat", r"\d{9}", "both", claims=True),),
    "HR": (Scheme("OIB", "hr.oib", r"\d{11}", "both", claims=True),),
    "HU": (
        Scheme("tax number", "hu.anum", r"\d{8}", "both"),
        # the same eight digits, the kind of VAT payer and the county: adószám, law CL of 2017, annex 1
        Scheme("tax number", "hu.anum:8", r"\d{8}[1-5]\d{2}", claims=True),
    ),
    "IE": (Scheme("VAT number", "ie.vat", r"\d{7}[A-W][A-IW]?|\d[A-Z+*]\d{5}[A-W]", "vat", claims=True),),
    "IS": (Scheme("kennitala", "is_.kennitala", r"\d{10}"), Scheme("VSK number", "is_.vsk", r"\d{5,6}")),
    "IT": (
        Scheme("partita IVA", "it.iva", r"\d{11}", "both", claims=True),
        Scheme("codice fiscale", "it.codicefiscale", r"[A-Z]{6}[0-9L-V]{2}[A-Z][0-9L-V]{2}[A-Z][0-9L-V]{3}[A-Z]"),
    ),
    "LT": (Scheme("VAT number", "lt.pvm", r"\d{9}|\d{12}", "vat"),),
    "LU": (Scheme("VAT number", "lu.tva", r"\d{8}", "vat"),),
    "LV": (Scheme("registration number", "lv.pvn", r"[4-9]\d{10}", "both", claims=True),),
    "MK": (Scheme("EDB", "mk.edb", r"\d{13}", "both", claims=True),),
    "MT": (Scheme("VAT number", "mt.vat", r"\d{8}", "vat"),),
    "NL": (Scheme("VAT number", "nl.btw", r"\d{9}B\d{2}", "vat", claims=True),),
    "NO": (
        Scheme("organisation number", "no.orgnr", r"[89]\d{8}", claims=True),
        Scheme("VAT number", "no.mva", r"\d{9}MVA", "vat", claims=True),
    ),
    "PL": (
        # not 0...: ten digits starting with zeros are a KRS number, which has no check digit
        Scheme("NIP", "pl.nip", r"[1-9]\d{9}", "both", claims=True),
        Scheme("REGON", "pl.regon", r"\d{9}|\d{14}", claims=True),
    ),
    "PT": (Scheme("NIF", "pt.nif", r"[1-9]\d{8}", "both", claims=True),),
    "RO": (
        Scheme("CUI", "ro.cui", r"[1-9]\d{5,9}", "both", claims=True),
        Scheme("CUI", "ro.cui", r"[1-9]\d{1,4}", "both"),
        Scheme("trade register number", "ro.onrc", r"[JFC]\d{13}", claims=True),
    ),
    "SE": (
        Scheme("organisation number", "se.orgnr", r"\d{10}", claims=True),
        Scheme("VAT number", "se.vat", r"\d{10}01", "vat"),
    ),
    "SI": (
        Scheme("tax number", "si.ddv", r"[1-9]\d{7}", "both", claims=True),
        Scheme("registration number", "si.maticna", r"\d{10}", claims=True),
        Scheme("registration number", "si.maticna", r"\d{7}"),
    ),
    "SK": (
        Scheme("VAT number", "sk.dph", r"[1-9]\d{9}", "both"),
        # the register is older than the two countries: the Slovak IČO is checked as the Czech one
        Scheme("IČO", "cz.dic", r"\d{8}"),
    ),
    "US": (Scheme("EIN", "us.ein", r"\d{9}"),),
}
# Written with signs of their own or with the name of a court: the text is checked, not its letters and digits.
_TEXT_SCHEMES: Final[dict[str, tuple[Scheme, ...]]] = {
    "DE": (Scheme("Handelsregister number", "de.handelsregisternummer", r".*\b(?:HRA|HRB|GnR|PR|VR)\b.*"),),
    "FR": (Scheme("RCS number", "fr.rcs", r"RCS .+"),),
    "RO": (Scheme("trade register number", "ro.onrc", r"[JFC][\s/]*\d{1,2}[ /\-].+"),),
}

# VIES prefixes; CH and NO have their own way, in the table above.
PREFIXES: Final = {code: code for code in _SCHEMES if code not in ("AU", "BR", "CH", "GR", "IS", "US")} | {
    "EL": "GR",
    "GR": "GR",  # often typed, never right
    "XI": "GB",  # Northern Ireland since 2021
    "UK": "GB",
}
_WRITTEN: Final = {"GR": "EL", "UK": "GB"}

# Territories whose businesses have the numbers of the country they belong to.
_SAME: Final = dict.fromkeys(("GF", "GP", "MQ", "YT", "RE", "BL", "MF", "PM", "MC"), "FR") | {
    "AX": "FI",
    "IM": "GB",
    "SJ": "NO",
    "LI": "CH",
}


def home(country: str) -> str:
    """The country whose schemes apply."""
    return _SAME.get(country, country)


def written_prefix(prefix: str) -> str:
    """The prefix as VIES writes it."""
    return _WRITTEN.get(prefix, prefix)


def _validator(module: str) -> Callable[[str], object]:
    name, _, digits = module.partition(":")
    function: Callable[[str], object] = import_module(f"stdnum.{name}").validate
    if name == "at.businessid":
        return lambda number: function(number.lower())  # stdnum knows the check letter in lower case only
    if name == "pl.regon":
        return lambda number: function(short_regon(number))
    return (lambda number: function(number[: int(digits)])) if digits else function


def short_regon(number: str) -> str:
    """The nine digits of an organisation whose REGON was filled up to the fourteen of a local unit."""
    return number[:9] if len(number) == 14 and number.endswith("00000") else number


def _ready(scheme: Scheme) -> Scheme:
    return scheme._replace(pattern=re.compile(scheme.shape, re.IGNORECASE), validate=_validator(scheme.module))


_ANY: Final = re.compile(r"[0-9A-Z]{5,20}")


def _unlisted(country: str) -> tuple[Scheme, ...]:
    """Whatever stdnum knows for a country that the table leaves out; such a number is never called wrong."""
    found: list[Scheme] = []
    for name, label in (("vat", "VAT number"), ("businessid", "company number")):
        module: Any = get_cc_module(country, name)
        if module is not None:
            found.append(Scheme(label, name, _ANY.pattern, pattern=_ANY, validate=module.validate))
    return tuple(found)


@lru_cache(maxsize=256)
def schemes(country: str) -> tuple[Scheme, ...]:
    """The country's schemes, ready to check; imported when first asked for, as stdnum has hundreds."""
    if country in _SCHEMES:
        return tuple(_ready(scheme) for scheme in _SCHEMES[country])
    return _unlisted(country)


@lru_cache(maxsize=256)
def text_schemes(country: str) -> tuple[Scheme, ...]:
    """Schemes whose numbers contain more than letters and digits."""
    return tuple(_ready(scheme) for scheme in _TEXT_SCHEMES.get(country, ()))
