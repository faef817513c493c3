"""The forms of the seven plan steps, built from the domain's own table of fields.

Owns the way between ``plan_steps.FIELDS`` and inputs: one input per field, a line per text of a
list, three inputs per emergency contact, destinations per hazard.  Refuses to judge: the domain
cleans and refuses; ``place`` brings its sentences beside the input that they belong to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django import forms

from evacuation.domain.needs import NEEDS, NeedTag
from evacuation.domain.plan_items import PlanHazard, PlanStep
from evacuation.domain.plan_steps import (
    CONTACT_FIELDS,
    DESTINATION_FIELDS,
    FIELDS,
    Field,
    Shape,
)
from registry.domain.errors import TsunagariError
from web.forms.consents import JapaneseDate
from web.forms.sign_in import plain_digits

CONTACTS = 2
LONG = 200
_HINTS = {
    "carry": "1行にひとつずつ書きます。",
    "power_minutes": "電源が止まってから動いている時間。分で書きます。",
    "trigger_level": "高齢者等避難は警戒レベル3です。この方々は、レベル3で避難を始めます。",
    "household": "たとえば「ひとり暮らし」「長男夫婦と3人」",
    "building": "たとえば「木造平屋」「団地の3階・エレベーターなし」",
    "bedroom": "たとえば「1階の南側」",
    "needs_none": "",
    "drill_on": "まだのときは空のままにします。",
}
SECTIONS: Mapping[PlanStep, tuple[tuple[str, tuple[str, ...]], ...]] = {
    PlanStep.PERSON: (
        ("連絡先", ("phone", "other_contact")),
        ("緊急連絡先", ("emergency_contacts",)),
        ("くらし", ("care_manager", "household")),
    ),
    PlanStep.NEEDS: (
        ("必要な支援", ("needs", "needs_none", "communication")),
        ("機器・電源", ("power_device", "power_minutes", "equipment")),
        ("からだのこと", ("medicines", "allergy", "care_note")),
    ),
    PlanStep.HOME: (
        ("住まい", ("building", "bedroom", "daytime")),
        ("自宅の災害リスク", ("hazards_checked", "home_note")),
    ),
    PlanStep.SIGNAL: (
        ("避難を始める合図", ("trigger_level", "trigger_note")),
        ("持ち物", ("carry",)),
        ("訓練", ("drill_on",)),
    ),
    PlanStep.SUBMIT: (
        ("作成と確認", ("written_way", "read_back_to_person", "read_back_with", "remarks")),
    ),
}


class StepForm(forms.Form):
    """One step; ``step`` says which.  Every input is optional: gaps are listed at step 7."""

    def __init__(self, step: PlanStep, *given: Any, **more: Any) -> None:
        self.step = step
        super().__init__(*given, **more)
        for field in FIELDS[step]:
            if field.shape is Shape.CONTACTS:
                for at in range(CONTACTS):
                    for part in CONTACT_FIELDS:
                        self.fields[f"contact_{at}_{part.name}"] = _text(
                            part, f"{at + 1}人目の{part.label}"
                        )
            elif field.shape is not Shape.DESTINATIONS:
                self.fields[field.name] = _INPUTS[field.shape](field)

    def values(self) -> dict[str, Any]:
        """What the operation gets, of a valid form."""
        data, sent = self.cleaned_data, {}
        for field in FIELDS[self.step]:
            if field.shape is Shape.CONTACTS:
                sent[field.name] = self._contacts(data)
            elif field.shape is not Shape.DESTINATIONS:
                sent[field.name] = _sent(field, data[field.name])
        return sent

    def _contacts(self, data: Mapping[str, Any]) -> list[dict[str, str]]:
        rows = [
            {part.name: data[f"contact_{at}_{part.name}"] for part in CONTACT_FIELDS}
            for at in range(CONTACTS)
        ]
        return [row for row in rows if any(value.strip() for value in row.values())]

    def sections(self) -> list[dict[str, Any]]:
        """The inputs by heading, for ``plan/step_form.html``."""
        made = []
        for title, names in SECTIONS.get(self.step, ()):
            fields = [self[name] for one in names for name in self._inputs(one)]
            made.append({"title": title, "note": "", "fields": fields})
        return made

    def _inputs(self, name: str) -> list[str]:
        if name == "emergency_contacts":
            return [key for key in self.fields if key.startswith("contact_")]
        return [name] if name in self.fields else []


def initial(step: PlanStep, stored: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored, as the inputs show it."""
    found: dict[str, Any] = {}
    for field in FIELDS[step]:
        value = stored.get(field.name)
        if field.shape is Shape.CONTACTS:
            for at, row in enumerate((value or [])[:CONTACTS]):
                found |= {f"contact_{at}_{key}": each for key, each in row.items()}
        elif field.shape is Shape.TEXTS:
            found[field.name] = "\n".join(value or [])
        elif field.shape is Shape.DATE:
            found[field.name] = date.fromisoformat(value) if value else None
        elif field.shape is Shape.CHOICE:
            found[field.name] = value or field.choices[0][0]
        else:
            found[field.name] = value
    return found


class DestinationForm(forms.Form):
    """The way to one destination, and the sentences of the whole step."""

    def __init__(self, hazard: PlanHazard, *given: Any, **more: Any) -> None:
        self.hazard = hazard
        super().__init__(*given, **more)
        for part in DESTINATION_FIELDS:
            self.fields[part.name] = _INPUTS[part.shape](part)
        for field in FIELDS[PlanStep.DESTINATION]:
            if field.shape is Shape.TEXT:
                self.fields[field.name] = _INPUTS[field.shape](field)

    def values(self, shelter_id: int | None, others: list[dict[str, Any]]) -> dict[str, Any]:
        """The whole step: this destination beside those of the other hazards."""
        data, rows = self.cleaned_data, list(others)
        if shelter_id is not None:
            rows.append(
                {
                    "hazard": self.hazard.value,
                    "shelter_id": shelter_id,
                    **{part.name: _sent(part, data[part.name]) for part in DESTINATION_FIELDS},
                }
            )
        order = [hazard.value for hazard in PlanHazard]
        rows.sort(key=lambda one: order.index(one["hazard"]))
        return {"destinations": rows, "reason": data["reason"], "route_care": data["route_care"]}


def kept_parts(destination: Mapping[str, Any]) -> dict[str, Any]:
    """A stored destination as the operation takes it again (what it adds itself is left out)."""
    names = ("hazard", "shelter_id", *(part.name for part in DESTINATION_FIELDS))
    return {name: destination[name] for name in names if name in destination}


_CONTACT = re.compile(r"emergency_contacts\[(\d)\]\.(\w+)")
_DESTINATION = re.compile(r"destinations\[\d\]\.(\w+)")


def place(form: forms.Form, error: TsunagariError) -> forms.Form:
    """Bring the sentences of a refused step beside their inputs."""
    form.is_valid()
    for name, sentence in (error.fields or {"": error.message}).items():
        contact, way = _CONTACT.fullmatch(name), _DESTINATION.fullmatch(name)
        target = f"contact_{contact[1]}_{contact[2]}" if contact else way[1] if way else name
        form.add_error(target if target in form.fields else None, sentence)
    return form


class Number(forms.CharField):
    """A whole number as people type it: full-width digits and a unit behind are fine."""

    def clean(self, value: Any) -> Any:
        digits = plain_digits(super().clean(value) or "").rstrip("分人")
        if not digits:
            return None
        if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
            raise forms.ValidationError("数字で入れてください。")
        return int(digits)


def _text(field: Field, label: str = "") -> forms.Field:
    widget: forms.Widget = (
        forms.Textarea(attrs={"rows": 3, "autocomplete": "off"})
        if field.most > LONG
        else forms.TextInput(attrs={"autocomplete": "off"})
    )
    if field.name == "phone":
        widget = forms.TextInput(attrs={"autocomplete": "off", "inputmode": "tel"})
    return forms.CharField(
        label=label or field.label,
        required=False,
        widget=widget,
        help_text=_HINTS.get(field.name, ""),
    )


def _number(field: Field) -> forms.Field:
    return Number(
        label=field.label,
        required=False,
        help_text=_HINTS.get(field.name, ""),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "inputmode": "numeric", "class": "input-short"}
        ),
    )


def _lines(field: Field) -> forms.Field:
    return forms.CharField(
        label=field.label,
        required=False,
        help_text=_HINTS.get(field.name, ""),
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off"}),
    )


def _needs(field: Field) -> forms.Field:
    return forms.MultipleChoiceField(
        label=field.label,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(tag.value, NEEDS[tag].plain) for tag in NeedTag],
    )


_INPUTS: Mapping[Shape, Callable[[Field], forms.Field]] = {
    Shape.TEXT: _text,
    Shape.NUMBER: _number,
    Shape.TEXTS: _lines,
    Shape.NEEDS: _needs,
    Shape.FLAG: lambda field: forms.BooleanField(label=field.label, required=False),
    Shape.DATE: lambda field: JapaneseDate(
        label=field.label, required=False, help_text=_HINTS.get(field.name, "")
    ),
    Shape.CHOICE: lambda field: forms.ChoiceField(
        label=field.label, choices=field.choices, required=False, widget=forms.RadioSelect
    ),
}


def _sent(field: Field, value: Any) -> Any:
    if field.shape is Shape.TEXTS:
        return [line.strip() for line in value.splitlines() if line.strip()]
    if field.shape is Shape.DATE:
        return value.isoformat() if value else None
    if field.shape is Shape.CHOICE:
        return value or field.choices[0][0]
    return value
