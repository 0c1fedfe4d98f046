"""The cells of long lists: one tag each, formatted here because a template for each costs a third of the page."""

from datetime import datetime

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString


def badge(state: str, label: str = "") -> SafeString:
    """The same as the template backoffice/badge.html."""
    return format_html('<span class="bo-badge bo-badge--{}">{}</span>', state.lower(), label or state)


def link(text: str, url: str = "") -> SafeString | str:
    return format_html('<a class="bo-link bo-cell" href="{}">{}</a>', url, text) if url else text


def moment(at: datetime | None) -> SafeString | str:
    if at is None:
        return ""
    at = timezone.localtime(at)
    return format_html('<time class="bo-num" datetime="{}">{}</time>', at.isoformat(), f"{at:%Y-%m-%d %H:%M:%S}")


def number(text: str) -> SafeString:
    return format_html('<span class="bo-num">{}</span>', text)


def said(text: str) -> SafeString:
    """A sentence, cut by the column's width; all of it when pointed at."""
    return format_html('<span class="bo-cell" title="{}">{}</span>', text, text)
