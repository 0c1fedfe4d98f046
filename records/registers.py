"""Where a person looks up what no library knows: public pages that ask for no account."""

from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

VIES: Final = "https://ec.europa.eu/taxation_customs/vies/"
EU: Final = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
IN_VIES: Final = frozenset(EU.split())  # and Northern Ireland, as XI
# The registers' own pages, where the number or the name is typed.
COMPANIES: Final = {
    "AT": ("Firmenbuch", "https://justizonline.gv.at/jop/web/firmenbuchabfrage"),
    "AU": ("ABN Lookup", "https://abr.business.gov.au/"),
    "BE": ("KBO/BCE", "https://kbopub.economie.fgov.be/kbopub/zoeknummerform.html"),
    "BG": ("Търговски регистър", "https://portal.registryagency.bg/"),
    "CH": ("Zefix", "https://www.zefix.ch/"),
    "CY": ("DRCOR", "https://efiling.drcor.mcit.gov.cy/DrcorPublic/SearchForm.aspx"),
    "CZ": ("ARES", "https://ares.gov.cz/"),
    "DE": ("Handelsregister", "https://www.handelsregister.de/"),
    "DK": ("CVR", "https://datacvr.virk.dk/"),
    "EE": ("Äriregister", "https://ariregister.rik.ee/"),
    "FI": ("YTJ", "https://tietopalvelu.ytj.fi/"),
    "FR": ("Annuaire des Entreprises", "https://annuaire-entreprises.data.gouv.fr/"),
    "GB": ("Companies House", "https://find-and-update.company-information.service.gov.uk/"),
    "GR": ("ΓΕΜΗ", "https://publicity.businessportal.gr/"),
    "HR": ("Sudski registar", "https://sudreg.pravosudje.hr/"),
    "HU": ("Cégjegyzék", "https://www.e-cegjegyzek.hu/"),
    "IE": ("CRO", "https://core.cro.ie/"),
    "IS": ("Fyrirtækjaskrá", "https://www.skatturinn.is/fyrirtaekjaskra/"),
    "IT": ("Registro Imprese", "https://www.registroimprese.it/"),
    "LT": ("Registrų centras", "https://www.registrucentras.lt/jar/p/"),
    "LU": ("LBR", "https://www.lbr.lu/"),
    "LV": ("Uzņēmumu reģistrs", "https://info.ur.gov.lv/"),
    "MT": ("MBR", "https://register.mbr.mt/app/query/search_for_company"),
    "NL": ("KvK", "https://www.kvk.nl/zoeken/"),
    "NO": ("Brønnøysund", "https://virksomhet.brreg.no/nb/oppslag/enheter"),
    "PL": ("KRS", "https://wyszukiwarka-krs.ms.gov.pl/"),
    "PT": ("Publicações", "https://publicacoes.mj.pt/"),
    "RO": (
        "ANAF",
        "https://mfinante.gov.ro/domenii/informatii-contribuabili/persoane-juridice/info-pj-selectie-dupa-cui",
    ),
    "SE": ("Bolagsverket", "https://foretagsinfo.bolagsverket.se/sok-foretagsinformation-web/"),
    "SI": ("AJPES", "https://www.ajpes.si/prs/"),
    "SK": ("ORSR", "https://www.orsr.sk/"),
}
ABOUT_THE_PARTNER: Final = frozenset({"name", "tax_id"})


class Page(NamedTuple):
    name: Any
    url: str


def pages(field: str, normalised: dict[str, str]) -> list[Page]:
    """Those on which the value of this field can be compared."""
    country, site = normalised.get("country", ""), normalised.get("website", "")
    found = []
    if field == "tax_id" and (country in IN_VIES or normalised.get("tax_id", "").startswith("XI")):
        found.append(Page("VIES", VIES))
    if field in ABOUT_THE_PARTNER and country in COMPANIES:
        found.append(Page(*COMPANIES[country]))
    if site.startswith(("http://", "https://")):
        found.append(Page(_("website"), site))
    return found
