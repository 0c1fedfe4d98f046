"""Addresses of admin pages, for objects whose admin may be missing."""

from django.db.models import Model
from django.urls import NoReverseMatch, reverse


def admin_url(obj: Model) -> str:
    """The page of an object, or "" where its model has none."""
    meta = obj._meta
    return url_or_blank(f"admin:{meta.app_label}_{meta.model_name}_change", obj.pk)


def url_or_blank(name: str, *args: object) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
