"""Import and export in the admin: django-import-export's pages with our bounds, sentences and activity log."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from import_export.admin import ImportExportMixin

from backoffice.results import activity
from backoffice.runs.access import may_start
from backoffice.runs.pages.actions import begin
from backoffice.runs.pages.confirmation.answers import Answers
from backoffice.runs.pages.confirmation.page import Click
from backoffice.runs.pages.lists import RefusedAddress
from backoffice.runs.registry import RecordTask, find

from . import export
from .columns.layout import Layout
from .columns.resource import ExchangeResource
from .comparison import Comparison, compare
from .export import TooManyRowsError
from .files.formats import FORMATS
from .files.sheet import FileRefusedError, Sheet
from .files.uploads import UploadFolder, UploadGoneError
from .forms import ConfirmForm, ExportForm, ImportForm
from .preview import SHOWN, preview_of
from .writing import write


class ExchangeAdmin(ImportExportMixin):
    """Import and export for the list of any model; stands before ProcessableAdmin or StaffAdmin.

    `resource_classes` has the model's one ExchangeResource, and `"export_selected"` in `actions` exports a selection.
    An import takes the permissions to add and to change, an export the one to view, and each besides its own where the
    model's Meta declares it: `import_<model>`, `export_<model>`.
    """

    import_form_class = ImportForm
    confirm_form_class = ConfirmForm
    export_form_class = ExportForm
    tmp_storage_class = UploadFolder
    import_template_name = "exchange/import.html"
    export_template_name = "exchange/export.html"
    # the activity log has it, with before and after
    skip_admin_log = True
    check_task = ""  # a record task that the preview tries on each row, and "Import and check" starts

    def has_import_permission(self, request: HttpRequest) -> bool:
        """An import adds and changes, so it takes those permissions, and its own where the model has one."""
        may = self.has_add_permission(request) and self.has_change_permission(request)
        return may and self.has_own_permission(request, "import")

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and self.has_own_permission(request, "export")

    def has_own_permission(self, request: HttpRequest, verb: str) -> bool:
        """That of the model's Meta, `permissions` or `default_permissions`; a model without one asks for no more."""
        codename = get_permission_codename(verb, self.opts)
        declared = verb in self.opts.default_permissions or codename in dict(self.opts.permissions)
        return not declared or request.user.has_perm(f"{self.opts.app_label}.{codename}")

    def check_words(self, record: Any, outcome: Any) -> Iterable[str]:
        """What a preview says beside the outcome of a row that was checked."""
        detail = str(getattr(outcome, "detail", ""))
        return [detail] if detail else []

    def check_for(self, request: HttpRequest) -> RecordTask | None:
        """None where there is none, or this person may not start it."""
        return find(self.check_task) if self.check_task and may_start(request.user, self.check_task) else None

    @property
    def resource_class(self) -> type[ExchangeResource]:
        [resource] = self.resource_classes
        return resource

    def page(self, name: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", current_app=self.admin_site.name)

    # --- Import -----------------------------------------------------------------------------------------------------

    def get_import_formats(self) -> list[Callable[[], Any]]:
        names = Layout(self.resource_class).names
        return [partial(each, names) for each in FORMATS]

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not self.has_import_permission(request):
            raise PermissionDenied
        given = {"data": request.POST, "files": request.FILES} if request.method == "POST" else {}
        form = ImportForm(self.get_import_formats(), [self.resource_class], **given)
        return self.import_page(request, form=form, **(self.checked(request, form) if form.is_valid() else {}))

    def checked(self, request: HttpRequest, form: ImportForm) -> dict[str, Any]:
        """What the page says about the file; one without a fault is kept until it is confirmed."""
        file, kind = form.cleaned_data["import_file"], form.cleaned_data["format"]
        data = file.read()
        try:
            sheet = self.sheet_of(data, kind)
        except FileRefusedError as error:
            form.add_error("import_file", str(error))
            return {}
        comparison = compare(Layout(self.resource_class), sheet, self.get_queryset(request))
        task = self.check_for(request)
        found: dict[str, Any] = {"preview": preview_of(self, request, task, comparison)}
        if not comparison.problems:
            upload = UploadFolder()
            upload.save(data)
            upload.keep_seen(comparison.stamps)
            sent = {"import_file_name": upload.name, "original_file_name": file.name, "format": kind, "resource": "0"}
            found["confirm_form"] = ConfirmForm(initial=sent)
        return found

    def sheet_of(self, data: bytes, kind: str) -> Sheet:
        sheet: Sheet = self.get_import_formats()[int(kind)]().create_dataset(data)
        return sheet

    def import_page(self, request: HttpRequest, **context: Any) -> HttpResponse:
        layout = Layout(self.resource_class)
        request.current_app = self.admin_site.name
        context |= {
            "title": _("Import"),
            "opts": self.opts,
            "columns": layout.names,
            "key": layout.key.field.verbose_name,
        }
        context["media"] = self.media + context["form"].media if "form" in context else self.media
        return TemplateResponse(
            request, [self.import_template_name], {**self.admin_site.each_context(request), **context}
        )

    @method_decorator(require_POST)
    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = ConfirmForm(request.POST)
        try:
            if not form.is_valid():
                raise UploadGoneError
            data, seen = UploadFolder(name=form.cleaned_data["import_file_name"]).take()
            sheet = self.sheet_of(data, form.cleaned_data["format"])
        except (UploadGoneError, FileRefusedError):
            messages.error(
                request, _("This preview is no longer there: it was imported, or is a day old. Upload the file again.")
            )
            return redirect(self.page("import"))
        name, layout = form.cleaned_data["original_file_name"], Layout(self.resource_class)
        written = write(layout, sheet, self.get_queryset(request), seen, request.user, name)
        run = self.begin_check(request, written, name) if "check" in request.POST else None
        answer = self.answer(request, written)
        return answer if run is None or written.refused else run

    def begin_check(self, request: HttpRequest, written: Comparison, name: str) -> HttpResponse | None:
        """A run over what was imported: of it alone, for the person who imported it."""
        task = self.check_for(request)
        ids = [row.record.pk if row.is_new else row.pk for row in (*written.new, *written.updated)]
        if task is None or not ids or written.problems:
            return None
        click = Click(self, request, ids, task, str(task.label), selection=_("imported from %(file)s") % {"file": name})
        return begin(click, Answers(task, {}))

    def answer(self, request: HttpRequest, written: Comparison) -> HttpResponse:
        if written.problems:
            messages.error(request, _("Nothing was imported. %(error)s") % {"error": written.problems[0]})
            return redirect(self.page("import"))
        counts = {name: len(getattr(written, name)) for name in ("new", "updated", "unchanged")}
        said = _("Import finished: %(new)d new, %(updated)d updated, %(unchanged)d unchanged.") % counts
        if not written.refused:
            messages.success(request, said)
            return redirect(self.page("changelist"))
        messages.warning(request, said)
        return self.import_page(
            request,
            refused=written.refused[:SHOWN],
            refused_count=len(written.refused),
            refused_left=max(len(written.refused) - SHOWN, 0),
        )

    # --- Export -----------------------------------------------------------------------------------------------------

    def get_export_formats(self) -> list[Callable[[], Any]]:
        return self.get_import_formats()

    def get_export_resource_classes(self, request: HttpRequest) -> list[type[ExchangeResource]]:
        return [self.resource_class]

    @admin.action(description=gettext_lazy("Export selected records"), permissions=["export"])
    def export_selected(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponse:
        """Ask for format and columns; "select all N" goes on as the filter, not as N hidden numbers."""
        url = self.page("export") + f"?{request.GET.urlencode()}"
        if request.POST.get("select_across") == "1":
            return HttpResponseRedirect(url)
        chosen = list(queryset.values_list("pk", flat=True))
        form = ExportForm(self.get_export_formats(), [self.resource_class], initial={"export_items": chosen})
        return self.export_page(request, form, export_url=url)

    def export_action(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_export_permission(request):
            raise PermissionDenied
        request.list_filters = request.GET.urlencode()  # type: ignore[attr-defined]
        form = ExportForm(self.get_export_formats(), [self.resource_class], data=request.POST or None)
        try:
            return self.download(request, form) if form.is_valid() else self.export_page(request, form)
        except TooManyRowsError as error:
            form.add_error("format", str(error))
            return self.export_page(request, form)
        except (IncorrectLookupParameters, RefusedAddress):
            messages.error(request, _("The filter in the address is not one of this list."))
            return redirect(self.page("changelist"))

    def export_page(self, request: HttpRequest, form: ExportForm, **context: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        context |= self.init_request_context_data(request, form)
        context["record_count"] = len(form.chosen) or self.get_export_queryset(request).count()
        return TemplateResponse(request, [self.export_template_name], context)

    def said(self) -> export.Said | None:
        """Of a record's outcome a file says what its list does."""
        outcome: str = getattr(self, "outcome_field", "")
        return export.Said(outcome, self.outcomes_in_words) if outcome else None

    def download(self, request: HttpRequest, form: ExportForm) -> FileResponse:
        kind = self.get_export_formats()[int(form.cleaned_data["format"])]()
        records = self.get_export_queryset(request)
        if form.chosen:
            records = records.filter(pk__in=form.chosen)
        columns = form.get_selected_resource_export_fields()
        file, count = export.write(kind.get_extension(), records, self.resource_class(), columns, self.said())
        name = f"{slugify(self.opts.verbose_name_plural)}-{timezone.now():%Y-%m-%d}.{kind.get_extension()}"
        activity.log(
            request.user,
            "record.exported",
            activity.Subject(name, self.opts.label_lower, ""),
            count=count,
            columns=columns,
            filter=request.GET.urlencode(),
            selected=len(form.chosen),
        )
        return FileResponse(file, as_attachment=True, filename=name, content_type=kind.get_content_type())
