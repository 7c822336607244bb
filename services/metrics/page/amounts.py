"""Values of the views as numbers: to be drawn, compared and put in order, without ever adding currencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any


def number_of(value: Any) -> Decimal | None:
    """A value as one number to be drawn or compared; none for what is not one number."""
    match value:
        case bool() | None:
            return None
        case int() | float() | Decimal():
            return Decimal(str(value))
        case {"rate": str(rate)}:
            return Decimal(rate)
        case {"amount": str(amount), "currency": str()}:
            return Decimal(amount)
        case str():
            try:
                number = Decimal(value)
            except InvalidOperation:
                return None
            return number if number.is_finite() else None
    return None


def currencies_of(value: Any) -> set[str]:
    """The currencies a value speaks of."""
    match value:
        case {"currency": str(currency)}:
            return {currency}
        case {"mixed": True, "amounts": [*amounts]}:
            return {each["currency"] for each in amounts}
    return set()


def in_currency(value: Any, currency: str) -> Decimal | None:
    """What a value is in one currency: nought where it speaks only of others, none where it is not known."""
    match value:
        case {"amount": str(amount), "currency": str(of)}:
            return Decimal(amount) if of == currency else Decimal(0)
        case {"mixed": True, "amounts": [*amounts]}:
            return sum((Decimal(each["amount"]) for each in amounts if each["currency"] == currency), Decimal(0))
    return None


def zero_in(value: Any, currency: str) -> Any:
    """No money at all, told in the one currency that everything around it is in."""
    match value:
        case {"amount": str(amount), "currency": str()} if not Decimal(amount):
            return {"amount": amount, "currency": currency}
    return value


def has_parts(value: Any) -> bool:
    """Whether a figure consists of amounts that are not all nought."""
    return any(weight_of(part) for _, part in named_parts(value))


def named_parts(value: Any) -> list[tuple[str, Any]]:
    """The named amounts a figure consists of."""
    if isinstance(value, Mapping) and not currencies_of(value) and "rate" not in value and "mixed" not in value:
        return [(str(name), part) for name, part in value.items()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        found = []
        for each in value:
            if isinstance(each, Mapping):
                name = next((each[key] for key in ("label", "name", "age", "kind", "ref") if each.get(key)), "")
                part = next((part for part in each.values() if not isinstance(part, str)), None)
                found.append((str(name), part))
        return found
    return []


def weight_of(value: Any) -> Decimal | None:
    """A number to compare rows by; of several currencies the largest amount, for want of a common measure."""
    if isinstance(value, Mapping) and value.get("mixed"):
        return max((Decimal(each["amount"]) for each in value["amounts"]), default=None, key=abs)
    return number_of(value)
