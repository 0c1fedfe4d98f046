"""What a team's own app needs of this wing. docs/your-own-model.md shows it at work."""

from .admin import ExchangeAdmin
from .columns.cells import Text
from .columns.resource import ExchangeResource

__all__ = ["ExchangeAdmin", "ExchangeResource", "Text"]
