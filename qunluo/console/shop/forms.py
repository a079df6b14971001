"""The forms of the shop; money is typed in the community's currency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from qunluo.commerce import words
from qunluo.commerce.models import PriceRule, Product, Variant
from qunluo.community.models import Community
from qunluo.community.queries import settings_of
from qunluo.console.wording import current_lang
from qunluo.kit.errors import QunluoError
from qunluo.kit.money import currency_sign, read_money, to_major
from qunluo.kit.text import Text
from qunluo.segments.models import Segment
from qunluo.segments.queries import list_segments

MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


def choices(found: Mapping[str, Text], *names: str) -> list[tuple[str, str]]:
    """A closed set in the reader's words."""
    return [(n, found[n](current_lang())) for n in (names or tuple(found))]


class MoneyField(forms.Field):
    """Minor units, typed as `12.50`; None where nothing was typed."""

    currency = "CNY"

    def __init__(self, **more: Any) -> None:
        attributes = {"inputmode": "decimal", "autocomplete": "off", "maxlength": "20"}
        super().__init__(widget=forms.TextInput(attrs=attributes), **more)

    def to_python(self, value: Any) -> int | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            minor = read_money(text, self.currency)
        except QunluoError as error:
            raise ValidationError(error.message(current_lang())) from None
        if minor < 0:
            raise ValidationError(_("It can't be less than nothing."))
        return minor

    def prepare_value(self, value: Any) -> Any:
        return str(to_major(value, self.currency)) if isinstance(value, int) else value


class MoneyOrPercentField(MoneyField):
    """Money, or a percentage of two decimals, as another field says."""


class ShopForm(forms.Form):
    """A form whose amounts are of the community's currency."""

    def __init__(self, community: Community, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.community = community
        currency = settings_of(community).currency
        for field in self.fields.values():
            if isinstance(field, MoneyField):
                field.currency = currency
                if not isinstance(field, MoneyOrPercentField):
                    sign = currency_sign(currency, current_lang())
                    field.label = _("{label} ({unit})").format(label=field.label, unit=sign)


class ProductFields(ShopForm):
    title = forms.CharField(label=_("Name of the product"), max_length=120)
    text = forms.CharField(
        label=_("What it is (optional)"), required=False, max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    role = forms.ChoiceField(
        label=_("What it does in the assortment"),
        help_text=_(
            "Traffic brings people in, the hit carries an invitation deal, margin pays."
        ),
    )
    state = forms.ChoiceField(label=_("Who sees it"))

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        fields: dict[str, Any] = self.fields
        fields["role"].choices = choices(words.ROLES, *Product.ROLES)
        fields["state"].choices = choices(words.PRODUCT_STATES, "on_sale", "draft", "off_sale")


class VariantFields(ShopForm):
    sku = forms.CharField(
        label=_("Product code (SKU)"),
        max_length=40,
        help_text=_("Your own code of it, such as TEA-100G."),
    )
    title = forms.CharField(
        label=_("Variant (optional)"), max_length=80, required=False,
        help_text=_("What tells it from the others: 100 g, blue, size M."),
    )  # fmt: skip
    list_minor = MoneyField(label=_("Price"))
    cost_minor = MoneyField(
        label=_("What it costs you (optional)"), required=False,
        help_text=_("Only staff see it; margins are counted from it."),
    )  # fmt: skip
    weight_g = forms.IntegerField(
        label=_("Weight in grams (optional)"), required=False, min_value=0, max_value=10**6
    )
    active = forms.BooleanField(label=_("It can be ordered"), required=False, initial=True)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name in ("cost_minor", "weight_g"):
            cleaned[name] = cleaned.get(name) or 0
        return cleaned


class RuleFields(ShopForm):
    """A price of a time; `value` is read by its kind."""

    name = forms.CharField(
        label=_("Name of the price"), max_length=80,
        help_text=_("Buyers read it under “why this price?”."),
    )  # fmt: skip
    phase = forms.ChoiceField(label=_("Kind of price"))
    kind = forms.ChoiceField(label=_("How it counts"))
    value = MoneyOrPercentField(
        label=_("Value"), help_text=_("An amount, or the percentage off: 10 is 10 %.")
    )
    threshold_minor = MoneyField(label=_("From a purchase of (optional)"), required=False)
    cap_minor = MoneyField(label=_("At most off (optional)"), required=False)
    variants = forms.ModelMultipleChoiceField(
        Variant.objects.none(), label=_("For which things (none: for all)"), required=False
    )
    segment = forms.ModelChoiceField(
        Segment.objects.none(), label=_("For whom"), required=False, empty_label=_("Everybody")
    )
    exclusive = forms.CharField(
        label=_("Not together with (optional)"), max_length=40, required=False,
        help_text=_("Of rules with the same word here, one counts: the best for the buyer."),
    )  # fmt: skip
    starts_at = forms.DateTimeField(label=_("Begins"), widget=MOMENT)
    ends_at = forms.DateTimeField(label=_("Ends (optional)"), widget=MOMENT, required=False)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        fields: dict[str, Any] = self.fields
        fields["phase"].choices = choices(words.PHASES, *PriceRule.PHASES)
        fields["kind"].choices = choices(words.KINDS)
        rows = Variant.objects.filter(community=self.community).select_related("product")
        fields["variants"].queryset = rows.order_by("product__title", "pk")
        fields["segment"].queryset = list_segments(self.community)
        if self.data.get("kind") == "percent":
            fields["value"].currency = "CNY"  # hundredths of a percent, whatever the money is

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["threshold_minor"] = cleaned.get("threshold_minor") or 0
        if cleaned.get("kind") == "percent" and (cleaned.get("value") or 0) > 10_000:
            self.add_error("value", ValidationError(_("A percentage is 100 at most.")))
        return cleaned


class StockFields(forms.Form):
    pieces = forms.IntegerField(
        label=_("Pieces that come, or go with a minus"), min_value=-(10**7), max_value=10**7
    )
    why = forms.CharField(label=_("Why"), max_length=200)
    key = forms.CharField(max_length=40, widget=forms.HiddenInput)
