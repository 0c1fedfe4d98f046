"""Names that people cannot have, because the activity log writes what the machine does under them."""

import re
from unicodedata import normalize

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

ACTORS = frozenset(
    {"system", "thesystem", "beat", "sweep", "celery", "worker", "backoffice", "nobody", "anonymous", "anonymoususer"}
)
COMMAND = "managepy"  # "manage.py doctor (anna)"
# Letters of other scripts that are drawn as Latin ones, and so are read as those.
DRAWN_ALIKE = str.maketrans("аеорсухѕіјԁԛԝкмтнвьгпӏαοερκνιτυ01", "aeopcyxsijdqwkmthbbrnlaoepkvityol")
NO_LETTER = re.compile(r"[\W_]+")


def skeleton(name: str) -> str:
    """What is left of a name when it is read and not looked at closely."""
    plain = normalize("NFKD", normalize("NFKC", name)).casefold().translate(DRAWN_ALIKE)
    return NO_LETTER.sub("", "".join(char for char in plain if not 0x300 <= ord(char) <= 0x36F))


def refuse_actors(name: str) -> None:
    """A validator of user names, in every form and command that makes or changes one."""
    read = skeleton(name)
    if read in ACTORS or read.startswith(COMMAND):
        raise ValidationError(
            _("“%(name)s” is what the machine calls itself in the activity log. Choose another name."),
            code="actor",
            params={"name": name},
        )
