"""Import and export in the admin: django-import-export's pages with our bounds, sentences and activity log."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from import_export.admin import ImportExportMixin

from backoffice.exchange.files.formats import FORMATS
from backoffice.exchange.files.sheet import FileRefusedError
from backoffice.exchange.files.uploads import UploadFolder, UploadGoneError
from backoffice.results import activity
from backoffice.runs.pages.lists import RefusedAddress

from ..models import YourModel
from . import export
from .comparison import Comparison
from .export import TooManyRowsError
from .forms import ConfirmForm, ExportForm, ImportForm
from .preview import SHOWN, preview_of
from .resources import RecordExport, RecordImport, write


class ExchangeAdmin(ImportExportMixin):
    """Mix into the ModelAdmin of YourModel, before unfold's."""

    resource_classes = [RecordImport]
    import_form_class = ImportForm
    confirm_form_class = ConfirmForm
    export_form_class = ExportForm
    tmp_storage_class = UploadFolder
    import_template_name = "records/import.html"
    export_template_name = "records/export.html"
    skip_admin_log = True  # the activity log has it, with before and after
    formats = [partial(each, YourModel.INPUTS) for each in FORMATS]

    def has_import_permission(self, request: HttpRequest) -> bool:
        """An import adds and changes, so it takes those permissions beside its own."""
        needed = [f"records.{verb}_yourmodel" for verb in ("import", "add", "change")]
        return request.user.has_perms(needed)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(["records.export_yourmodel", "records.view_yourmodel"])

    # --- Import -----------------------------------------------------------------------------------------------------

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        response = super().import_action(request, **kwargs)
        context = response.context_data
        context["columns"] = YourModel.INPUTS  # the library's own list is empty once a file was sent
        upload = UploadFolder(name=getattr(request.FILES.get("import_file"), "tmp_storage_name", ""))
        comparison = context.get("result")
        if comparison:
            context["preview"] = preview_of(comparison)
        if "confirm_form" in context:
            upload.keep_seen(comparison.stamps)
        elif upload.name:
            upload.remove()
        return response

    @method_decorator(require_POST)
    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = ConfirmForm(request.POST)
        try:
            if not form.is_valid():
                raise UploadGoneError
            data, seen = UploadFolder(name=form.cleaned_data["import_file_name"]).take()
            sheet = self.get_import_formats()[int(form.cleaned_data["format"])]().create_dataset(data)
        except (UploadGoneError, FileRefusedError):
            messages.error(
                request, _("This preview is no longer there: it was imported, or is a day old. Upload the file again.")
            )
            return redirect("admin:records_yourmodel_import")
        written = write(sheet, seen, request.user, form.cleaned_data["original_file_name"])
        return self.answer(request, written)

    def answer(self, request: HttpRequest, written: Comparison) -> HttpResponse:
        if written.problems:
            messages.error(request, _("Nothing was imported. %(error)s") % {"error": written.problems[0]})
            return redirect("admin:records_yourmodel_import")
        counts = {name: len(getattr(written, name)) for name in ("new", "updated", "unchanged")}
        said = _("Import finished: %(new)d new, %(updated)d updated, %(unchanged)d unchanged.") % counts
        if not written.refused:
            messages.success(request, said)
            return redirect("admin:records_yourmodel_changelist")
        messages.warning(request, said)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import"),
            "opts": self.opts,
            "refused": written.refused[:SHOWN],
            "refused_count": len(written.refused),
            "refused_left": max(len(written.refused) - SHOWN, 0),
        }
        return TemplateResponse(request, [self.import_template_name], context)

    def add_data_read_fail_error_to_form(self, form: ImportForm, error: Exception) -> None:
        if not isinstance(error, FileRefusedError):
            raise error
        form.add_error("import_file", str(error))

    # --- Export -----------------------------------------------------------------------------------------------------

    def get_export_resource_classes(self, request: HttpRequest) -> list[type[RecordExport]]:
        return [RecordExport]

    @admin.action(description=gettext_lazy("Export selected records"), permissions=["export"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet[YourModel]) -> HttpResponse:
        """Ask for format and columns; "select all N" goes on as the filter, not as N hidden numbers."""
        url = reverse("admin:records_yourmodel_export") + f"?{request.GET.urlencode()}"
        if request.POST.get("select_across") == "1":
            return HttpResponseRedirect(url)
        chosen = list(queryset.values_list("pk", flat=True))
        form = ExportForm(self.get_export_formats(), [RecordExport], initial={"export_items": chosen})
        return self.export_page(request, form, export_url=url)

    def export_action(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_export_permission(request):
            raise PermissionDenied
        request.list_filters = request.GET.urlencode()  # type: ignore[attr-defined]
        form = ExportForm(self.get_export_formats(), [RecordExport], data=request.POST or None)
        try:
            return self.download(request, form) if form.is_valid() else self.export_page(request, form)
        except TooManyRowsError as error:
            form.add_error("format", str(error))
            return self.export_page(request, form)
        except (IncorrectLookupParameters, RefusedAddress):
            messages.error(request, _("The filter in the address is not one of this list."))
            return redirect("admin:records_yourmodel_changelist")

    def export_page(self, request: HttpRequest, form: ExportForm, **context: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        context |= self.init_request_context_data(request, form)
        context["record_count"] = len(form.chosen) or self.get_export_queryset(request).count()
        return TemplateResponse(request, [self.export_template_name], context)

    def download(self, request: HttpRequest, form: ExportForm) -> FileResponse:
        kind = self.get_export_formats()[int(form.cleaned_data["format"])]()
        records = self.get_export_queryset(request)
        if form.chosen:
            records = records.filter(pk__in=form.chosen)
        columns = form.get_selected_resource_export_fields()
        file, count = export.write(kind.get_extension(), records, columns)
        name = f"records-{timezone.now():%Y-%m-%d}.{kind.get_extension()}"
        activity.log(
            request.user,
            "record.exported",
            name,
            count=count,
            columns=columns,
            filter=request.GET.urlencode(),
            selected=len(form.chosen),
        )
        return FileResponse(file, as_attachment=True, filename=name, content_type=kind.get_content_type())
