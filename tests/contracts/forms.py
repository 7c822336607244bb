"""Whether a JSON Schema may take the place of another: where it may not, and why.

What is sent to us must not be taken less than before; what is answered must not hold what no reader could expect. An
event is read both ways: by readers that know the old form, and, from the log, by the code that knows the new one. A
value may be added to a list of values, and never removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Form = Mapping[str, Any]
LEAST = ("minLength", "minItems", "minimum", "exclusiveMinimum", "minProperties")
MOST = ("maxLength", "maxItems", "maximum", "exclusiveMaximum", "maxProperties")
EXACT = ("format", "pattern", "multipleOf", "uniqueItems", "propertyNames", "patternProperties")


class Way(Enum):
    """Which way what a form describes goes."""

    SENT = "sent to us"
    ANSWERED = "answered"
    TOLD = "told on the log"

    @property
    def must_take_the_old(self) -> bool:
        """Whether what was valid must stay valid."""
        return self is not Way.ANSWERED

    @property
    def must_be_expected(self) -> bool:
        """Whether what is valid must have been valid."""
        return self is not Way.SENT


@dataclass(frozen=True)
class Break:
    """A place at which a new form may not take the place of the old one, and why."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


@dataclass
class Comparison:
    """Two documents, and what has been compared in them: a form may contain itself."""

    old: Form
    new: Form
    way: Way
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def breaks(self, old: Any, new: Any, place: str) -> list[Break]:
        """Where a form of the new document may not take the place of one of the old document."""
        olds = _alternatives(old, self.old)
        news = _alternatives(new, self.new)
        found: list[Break] = []
        if self.way.must_take_the_old:
            for each in olds:
                found += self._nearest([(each, other) for other in news], place, f"no longer {_said(each)}")
        if self.way.must_be_expected:
            for each in news:
                found += self._nearest([(other, each) for other in olds], place, f"may now be {_said(each)}")
        return list(dict.fromkeys(found))

    def _nearest(self, pairs: Sequence[tuple[Form, Form]], place: str, otherwise: str) -> list[Break]:
        """The breaks of the pair that has the fewest; none of them is of one kind: what is said otherwise."""
        tried = [self._one(old, new, place) for old, new in pairs if self._of_one_kind(old, new)]
        return min(tried, key=len) if tried else [Break(place, otherwise)]

    def _of_one_kind(self, old: Form, new: Form) -> bool:
        if old.get("type") == new.get("type"):
            return True
        narrow, wide = (old, new) if self.way is Way.SENT else (new, old)
        widens = wide.get("type") is None or (narrow.get("type"), wide.get("type")) == ("integer", "number")
        return widens and self.way is not Way.TOLD

    def _one(self, old: Form, new: Form, place: str) -> list[Break]:
        key = (old.get("x-of", id(old)), new.get("x-of", id(new)))
        if key in self._seen:
            return []
        self._seen.add(key)
        try:
            return [
                *self._values(old, new, place),
                *self._bounds(old, new, place),
                *self._members(old, new, place),
                *self._items(old, new, place),
            ]
        finally:
            self._seen.discard(key)

    def _values(self, old: Form, new: Form, place: str) -> Iterator[Break]:
        before, after = _listed(old), _listed(new)
        if before is not None and after is not None:
            if gone := [each for each in before if each not in after]:
                yield Break(place, f"the value {', '.join(map(repr, gone))} is gone")
        elif before is None and after is not None and self.way.must_take_the_old:
            yield Break(place, f"now only {', '.join(map(repr, after))}")
        elif before is not None and after is None and self.way.must_be_expected:
            yield Break(place, f"was one of {', '.join(map(repr, before))} and may now be anything")
        if self.way.must_take_the_old and "default" in old and "default" in new and old["default"] != new["default"]:
            yield Break(place, f"what is left out meant {old['default']!r} and now means {new['default']!r}")

    def _bounds(self, old: Form, new: Form, place: str) -> Iterator[Break]:
        for name in EXACT:
            before, after = old.get(name), new.get(name)
            narrowed = after is not None and self.way.must_take_the_old
            widened = before is not None and self.way.must_be_expected
            if before != after and (narrowed or widened):
                yield Break(place, f"its {name} was {before or 'free'} and is {after or 'free'}")
        if not self.way.must_take_the_old:
            return
        for names, narrower in ((LEAST, 1), (MOST, -1)):
            for name in names:
                before, after = old.get(name), new.get(name)
                if after is not None and (before is None or (after - before) * narrower > 0):
                    yield Break(place, f"its {name} was {'free' if before is None else before} and is {after}")

    def _members(self, old: Form, new: Form, place: str) -> Iterator[Break]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        for name in before:
            here = f"{place}/{name}"
            if name not in after:
                yield Break(here, "this field is gone")
                continue
            yield from self.breaks(before[name], after[name], here)
            if name in needed - needs and self.way.must_be_expected:
                yield Break(here, "was always there and may now be missing")
        for name in sorted(needs - needed):
            if self.way.must_take_the_old:
                why = "is required now" if self.way is Way.SENT else "is required now; events on the log lack it"
                yield Break(f"{place}/{name}", why)
        yield from self._others(old.get("additionalProperties", True), new.get("additionalProperties", True), place)

    def _others(self, old: Any, new: Any, place: str) -> Iterator[Break]:
        here = f"{place}/*"
        if new is False and old is not False and self.way is Way.SENT:
            yield Break(here, "other fields are refused now")
        elif isinstance(old, dict) or isinstance(new, dict):
            yield from self.breaks(_any(old), _any(new), here)

    def _items(self, old: Form, new: Form, place: str) -> Iterator[Break]:
        if "items" in old or "items" in new:
            yield from self.breaks(old.get("items", {}), new.get("items", {}), f"{place}/[]")
        before, after = old.get("prefixItems", []), new.get("prefixItems", [])
        if len(before) != len(after):
            yield Break(place, f"had {len(before)} items and has {len(after)}")
        for number, (one, other) in enumerate(zip(before, after, strict=False)):
            yield from self.breaks(one, other, f"{place}/[{number}]")


def _alternatives(form: Any, document: Form) -> list[Form]:
    """What a form may be, each of one type: references are followed, and what holds for all is said of each."""
    form = _followed(_any(form), document)
    for name in ("anyOf", "oneOf"):
        if name in form:
            rest = _without(name, form)
            each_alone = (_both(rest, _followed(each, document)) for each in form[name])
            return [alternative for each in each_alone for alternative in _alternatives(each, document)]
    if isinstance(form.get("type"), list):
        return [{**form, "type": each} for each in form["type"]]
    return [form]


def _followed(form: Form, document: Form) -> Form:
    """What a form says with the forms that it refers to."""
    while "$ref" in form:
        form = _both({"x-of": form["$ref"], **_found(document, form["$ref"])}, _without("$ref", form))
    for each in form.get("allOf", ()):
        form = _both(_without("allOf", form), _followed(each, document))
    return form


def _found(document: Form, reference: str) -> Form:
    value: Any = document
    for part in reference.removeprefix("#/").split("/"):
        value = value[part]
    return dict(value)


def _without(name: str, form: Form) -> Form:
    return {key: each for key, each in form.items() if key != name}


def _both(one: Form, other: Form) -> Form:
    """What both say; of a member that both know, what both say of it."""
    merged = {**one, **other}
    if "properties" in one and "properties" in other:
        known, more = one["properties"], other["properties"]
        merged["properties"] = {
            name: _both(known.get(name, {}), more.get(name, {})) for name in dict.fromkeys([*known, *more])
        }
    if "required" in one and "required" in other:
        merged["required"] = [*one["required"], *other["required"]]
    return merged


def _listed(form: Form) -> list[Any] | None:
    if "const" in form:
        return [form["const"]]
    values = form.get("enum")
    return list(values) if values is not None else None


def _any(form: Any) -> Form:
    return form if isinstance(form, Mapping) else {}


def _said(form: Form) -> str:
    return str(form.get("type", "anything"))
