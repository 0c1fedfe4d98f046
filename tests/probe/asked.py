"""What a record task of tests asks for at each run."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group


class Wording(forms.Form):
    word = forms.CharField(max_length=10)
    times = forms.IntegerField(min_value=1, max_value=3, required=False)
    loud = forms.BooleanField(required=False)
    ends = forms.MultipleChoiceField(choices=[("!", "shout"), ("?", "ask")], required=False)
    group = forms.ModelChoiceField(Group.objects.all(), required=False)
    when = forms.SplitDateTimeField(required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("word") == "secret":
            raise forms.ValidationError("Nobody says that.")
        return data


class Chosen(forms.Form):
    fields_ = forms.MultipleChoiceField(choices=[("text", "text"), ("result", "result"), ("effects", "no field of it")])

    def writes(self) -> list[str]:
        return list(self.cleaned_data["fields_"])
