"""The teams service: who we are."""

from __future__ import annotations

from services.teams.api import (
    absences,
    access,
    belonging,
    challenge_progress,
    challenges,
    courses,
    duties,
    equipment,
    members,
    onboardings,
    openings,
    organisation,
    peer_ratings,
    peers,
    personal_data,
    recognitions,
    setbacks,
    skills,
    splitting,
    teams,
    trainings,
)  # fmt: skip
from services.teams.api.scim import discovery, groups, users
from services.teams.domain.learning import Ability
from services.teams.domain.leavers import Leavers
from services.teams.domain.organisation import Organisation
from services.teams.domain.peers import PeerScore
from services.teams.domain.people import Person
from services.teams.domain.trainings import Check
from services.teams.entries import Entry
from services.teams.peer_tokens import PeerKey, PeerRating, PeerRefusal
from services.teams.pseudonyms import Pseudonym
from services.teams.reactions import subscriptions
from shared.application import Service

service = Service(
    name="teams",
    description="Who we are: the organisation, its departments, people, teams and groups.",
    collections=(
        organisation.departments,
        members.members,
        teams.teams,
        teams.groups,
        skills.skills,
        courses.courses,
        trainings.trainings,
        openings.openings,
        onboardings.onboardings,
        equipment.equipment,
        duties.duties,
        setbacks.setbacks,
        recognitions.recognitions,
        challenges.challenges,
        challenges.reputation,
        absences.absences,
        peers.peer_rounds,
    ),
    routers=(
        organisation.router,
        personal_data.router,
        access.router,
        belonging.router,
        absences.router,
        skills.router,
        challenge_progress.router,
        trainings.router,
        splitting.router,
        peer_ratings.router,
        discovery.router,
        users.router,
        groups.router,
    ),
    tables=(
        Organisation,
        Person,
        Ability,
        Check,
        Leavers,
        Pseudonym,
        Entry,
        PeerScore,
        PeerKey,
        PeerRating,
        PeerRefusal,
    ),
    subscriptions=subscriptions,
    prepare=(organisation.found,),
    background=(peers.closing.for_ever,),
)
