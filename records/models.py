"""Business-partner master data: what procurement and finance offices keep about suppliers and customers."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, override

from backoffice.runs.seam import Outcome, Processable, Requested

from . import acceptance
from .checks import RULES_VERSION, SEVERITIES, check_partner, duplicates, likenesses


class YourModel(Processable):
    """One business partner. `process()` checks and normalises, and never overwrites what was typed."""

    class Role(models.TextChoices):
        SUPPLIER = "supplier", _("supplier")
        BUYER = "buyer", _("buyer")
        CUSTOMER = "customer", _("customer")

    class Verdict(models.TextChoices):
        VALID = "valid", _("valid")
        CORRECTED = "corrected", _("correctable")  # by corrections it suggests
        REVIEW = "review", _("review")
        INVALID = "invalid", _("invalid")

    # What staff type; editing any of these asks for processing again.
    INPUTS = (
        "reference",
        "role",
        "name",
        "address",
        "town",
        "postal_code",
        "country",
        "tax_id",
        "phone",
        "email",
        "website",
    )
    # What process() writes, and nothing else.
    RESULTS = (
        *("normalised", "issues", "accepted", "issue_codes"),
        *("verdict", "rules_version", "processed", "processed_at"),
    )

    # By which records are taken for the same partner.
    compared = ("name", "town", "country", "tax_id")
    likeness_rules = duplicates.RULES

    reference = models.CharField(_("reference"), max_length=50, unique=True)
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.SUPPLIER)
    name = models.CharField(_("name"), max_length=500)
    address = models.CharField(_("address"), max_length=300, blank=True)
    town = models.CharField(_("town"), max_length=150, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=50, blank=True)
    country = models.CharField(_("country"), max_length=60, blank=True)
    tax_id = models.CharField(
        _("tax ID"), max_length=100, blank=True, help_text=_("VAT or registration number, as known.")
    )
    phone = models.CharField(_("phone"), max_length=100, blank=True)
    email = models.CharField(_("e-mail"), max_length=300, blank=True)
    website = models.CharField(_("website"), max_length=500, blank=True)

    normalised = models.JSONField(_("normalised"), default=dict, blank=True, editable=False)
    issues = models.JSONField(_("issues"), default=list, blank=True, editable=False)
    # Of `issues` what a person has accepted, by code; NULL for none.
    accepted = models.JSONField(_("accepted issues"), null=True, editable=False)
    # The codes of the others, sorted: few combinations of them occur, which an index finds where JSON would be read.
    issue_codes = models.TextField(default="", blank=True, editable=False)
    verdict = models.CharField(_("verdict"), max_length=9, choices=Verdict, blank=True, editable=False)
    rules_version = models.CharField(_("rules version"), max_length=20, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("record")
        verbose_name_plural = _("records")
        ordering = ["reference"]
        indexes = [
            # the filters of the changelist, in its order
            models.Index(fields=["verdict", "reference"], name="record_verdict"),
            models.Index(fields=["processed", "reference"], name="record_processed"),
            models.Index(fields=["role", "reference"], name="record_role"),
            models.Index(fields=["country", "name"], name="record_country"),
            models.Index(fields=["issue_codes", "reference"], name="record_issues"),
            models.Index(fields=["reference"], name="record_accepted", condition=Q(accepted__isnull=False)),
            # its columns that are sorted by and not filtered
            models.Index(fields=["name"], name="record_name"),
            models.Index(fields=["processed_at"], name="record_processed_at"),
            # half of the records have none
            models.Index(fields=["tax_id"], name="record_tax_id", condition=~Q(tax_id="")),
        ]
        permissions = [
            ("process_yourmodel", _("Can process records")),
            ("apply_corrections_yourmodel", _("Can apply corrections to records")),
            ("accept_issues_yourmodel", _("Can accept issues of records")),
            ("import_yourmodel", _("Can import records")),
            ("export_yourmodel", _("Can export records")),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.name}".strip()

    def likenesses(self) -> Mapping[str, str]:
        return likenesses(self.name, self.town, self.country, self.tax_id)

    def process(self) -> Outcome:
        self.normalised, self.issues = check_partner({field: getattr(self, field) for field in self.INPUTS})
        acceptance.settle(self)
        self.rules_version = RULES_VERSION
        self.processed, self.processed_at = True, timezone.now()
        return self.outcome(self.issue_codes.split())

    @property
    def open_issues(self) -> list[dict[str, Any]]:
        """Those that nobody has accepted."""
        return [issue for issue in self.issues if issue["code"] not in (self.accepted or {})]

    def outcome(self, codes: Collection[str]) -> Outcome:
        """The verdict's code, for which pages have words; with codes of issues: "review: phone.form; 1 accepted"."""
        said = ", ".join(codes), _accepted_in_words(len(self.accepted or ()))
        return Outcome(str(self.verdict), "; ".join(part for part in said if part))

    def accept_issues(self, codes: Collection[str], link: str, requested: Requested) -> Outcome:
        """These issues are right as they are, says whoever asked."""
        if not (requested.by and requested.reason.strip()):
            raise ValueError(_("An issue is accepted by a person with a reason: select records, and accept it there."))
        found = acceptance.accept(self, codes, link, requested)
        return self.outcome(self.issue_codes.split()) if found else Outcome("unchanged", "no such issue")

    def withdraw_acceptance(self, codes: Collection[str]) -> Outcome:
        found = acceptance.withdraw(self, codes)
        return self.outcome(self.issue_codes.split()) if found else Outcome("unchanged", "not accepted")

    def apply_corrections(self, fields: Collection[str] = INPUTS, severities: Collection[str] = SEVERITIES) -> Outcome:
        """Copy suggestions into these fields, those of issues this severe; then it waits to be processed again."""
        # Checked anew, and only what was found before: a suggestion about a value edited since is about nothing.
        found = {(issue["field"], issue["suggestion"]) for issue in self.issues}
        _normalised, issues = check_partner({field: getattr(self, field) for field in self.INPUTS})
        changes: dict[str, str] = {}
        for issue in issues:
            field, suggestion = issue["field"], issue["suggestion"]
            is_right = issue["code"] in (self.accepted or {})
            if suggestion is None or is_right or field in changes or (field, suggestion) not in found:
                continue
            if field in fields and issue["severity"] in severities:
                changes[field] = suggestion
        if not changes:
            return Outcome("unchanged", "no suggestion to apply")
        for field, suggestion in changes.items():
            setattr(self, field, suggestion)
        self.processed = False
        return Outcome("corrected", ", ".join(changes))


@cache
def _accepted_in_words(number: int) -> str:
    """In the installation's language, whoever asks, and looked up once: gettext takes longer than many a check."""
    with override(settings.LANGUAGE_CODE):
        return ngettext("%d accepted", "%d accepted", number) % number if number else ""


def with_accepted(word: Any, accepted: int) -> Any:
    """A verdict's word: "valid, 1 accepted"."""
    return _("%(verdict)s, %(n)d accepted") % {"verdict": word, "n": accepted} if accepted else word
