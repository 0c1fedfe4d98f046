"""A file on its way in: uploaded, confirmed, and what the pages say of it."""

from django.core.files.uploadedfile import SimpleUploadedFile

URL = "/admin/records/yourmodel/import/"
CONFIRM = "/admin/records/yourmodel/process_import/"
CSV, XLSX = "0", "1"


def upload(client, data, name="partners.csv", kind=CSV):
    return client.post(URL, {"import_file": SimpleUploadedFile(name, data), "format": kind, "resource": "0"})


def confirm(client, preview):
    return client.post(CONFIRM, preview.context["confirm_form"].initial, follow=True)


def problems(response):
    """Every sentence the page says about the file."""
    form = response.context.get("form")
    preview = response.context.get("preview")
    said = [message for errors in form.errors.values() for message in errors] if form else []
    return " | ".join(said + (preview.errors if preview else []))


def messages(response):
    return " ".join(str(message) for message in response.context["messages"])
