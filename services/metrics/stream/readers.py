"""Who may see which events, and which of them somebody wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Self

from shared.bus import TOPICS
from shared.errors import Fault, Invalid
from shared.events import PEOPLE
from shared.http.asyncapi import declared_events
from shared.identity.permissions import Principal
from shared.identity.scopes import ADMIN, COLLECTIONS

MOST_TYPES = 100
# Who may read one of these is said by each of them, and the stream does not know what they say.
_EACH_HAS_ITS_READERS = frozenset({"setbacks", "pulses", "check-ins", "liaisons", "reviews", "packs", "leavers",
                                   "peer-rounds"})  # fmt: skip
# These are about somebody: a member reads their own where they are kept, and not those of all in the stream.
_ABOUT_SOMEBODY = frozenset({"trainings", "equipment", "onboardings"})
# The same, and who may change those of their own team is not told of all others either.
_NOT_FOR_MEMBERS = frozenset({"absences", "duties", "targets", "progress", "forecasts"})
# Levels of a skill stand with the members who have them, scores of a check with whose training it was; only who
# assesses skills, and who trains, is told of all.
_IN_ANOTHER = {
    "option_set": "options", "person": "people", "ability": "skills", "pack": "packs", "leavers": "leavers",
    "check": "trainings", "peer_score": "peer-rounds",
}  # fmt: skip
_ONLY_FOR_WRITERS = frozenset({"ability", "check"})
_COLLECTIONS = frozenset(name for names in COLLECTIONS.values() for name in names.split())


@cache
def collection_of(kind: str) -> str | None:
    """The collection that things of a kind stand in, `deals` of `deal`, or none."""
    if kind in _IN_ANOTHER:
        return _IN_ANOTHER[kind]
    name = kind.replace("_", "-")
    return next((each for each in (name, f"{name}s", f"{name[:-1]}ies") if each in _COLLECTIONS), None)


def may_see(reader: Principal, kind: str) -> bool:
    """Whether events about things of a kind are for this reader; those of unknown kinds are for administrators."""
    collection = collection_of(kind)
    if collection is None or collection in _EACH_HAS_ITS_READERS:
        return reader.may(ADMIN)
    if reader.member is not None and collection in _NOT_FOR_MEMBERS:
        return reader.may(ADMIN)
    if kind in _ONLY_FOR_WRITERS or (reader.member is not None and collection in _ABOUT_SOMEBODY):
        return reader.may(f"{collection}:write")
    return reader.may(f"{collection}:read")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Event types by name, or by how their names begin: `concert.targets.*`. None at all stand for every type."""

    names: frozenset[str]
    beginnings: tuple[str, ...]

    @classmethod
    def of(cls, texts: Sequence[str], at: str = "/types") -> Self:
        """What is asked for; raises Invalid for what no event is called."""
        if len(texts) > MOST_TYPES:
            detail = f"at most {MOST_TYPES} types are taken, these are {len(texts)}; many go by concert.targets.*"
            raise Invalid.at(at, detail)
        wanted = cls._as_said(texts)
        faults = [Fault(f"{at}/{place}", _unknown(text)) for place, text in enumerate(texts) if not _is_known(text)]
        if faults:
            raise Invalid(f"{faults[0].pointer}: {faults[0].detail}.", faults)
        return wanted

    @classmethod
    def stored(cls, texts: Sequence[str]) -> Self:
        """What was asked for once; a name that is no longer known matches nothing."""
        return cls._as_said(texts)

    @classmethod
    def _as_said(cls, texts: Sequence[str]) -> Self:
        beginnings = tuple(text[:-1] for text in texts if text.endswith("*"))
        return cls(frozenset(text for text in texts if not text.endswith("*")), beginnings if texts else ("",))

    def takes(self, name: str) -> bool:
        """Whether events of this type are wanted."""
        return name in self.names or name.startswith(self.beginnings)

    def topics(self, reader: Principal) -> tuple[str, ...]:
        """The topics in which there can be something for this reader."""
        wanted = {declared.topic for name, declared in declared_events().items() if self.takes(name)}
        # A newer service may tell what is not declared here yet, so whoever asks for all of a topic is given it.
        wanted |= {topic for topic in TOPICS if f"{topic}.".startswith(self.beginnings)}
        if not may_see(reader, "person"):
            wanted.discard(PEOPLE)
        return tuple(topic for topic in TOPICS if topic in wanted)


def _is_known(text: str) -> bool:
    if text.endswith("*"):
        return any(each.startswith(text[:-1]) for each in (*declared_events(), *(f"{topic}." for topic in TOPICS)))
    return text in declared_events()


def _unknown(text: str) -> str:
    near = get_close_matches(text, declared_events(), n=1)
    hint = f"did you mean {near[0]}?" if near else "/asyncapi.json lists them; concert.targets.* stands for many"
    return f"no event is called {text[:100]!r}; {hint}"
