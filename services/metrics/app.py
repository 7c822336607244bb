"""The metrics service: how we are doing, in five views that never disagree."""

from __future__ import annotations

from services.metrics.api import (  # noqa: F401
    challenge_standings,
    consistency,
    deliveries,
    events,
    fairness,
    learnt,
    organisation_graph,
    rebuild,
    review_lots,
    review_opening,
    review_verification,
    review_withdrawing,
    scorecards,
    views,
    webhooks,
)
from services.metrics.api.charters import charters
from services.metrics.api.imports import imports
from services.metrics.api.review_verification import reviews
from services.metrics.api.rule_sets import option_sets, rule_sets
from services.metrics.consistency.certificate import Certificate
from services.metrics.domain.packs import Pack
from services.metrics.facts.accomplishments import accomplishments, own_measures
from services.metrics.facts.check_ins import check_ins
from services.metrics.facts.customers import customers, products
from services.metrics.facts.deals import deals
from services.metrics.facts.feedback import feedback
from services.metrics.facts.goals import goals, metrics, readings
from services.metrics.facts.leavers import leavers
from services.metrics.facts.liaisons import liaisons
from services.metrics.facts.meetings import actions, items, meetings, outcomes
from services.metrics.facts.money import budgets, expenses, invoices, receipts
from services.metrics.facts.peers import peer_rounds, peer_scores
from services.metrics.facts.pipeline import overrides, stages
from services.metrics.facts.pulses import pulses
from services.metrics.facts.rates import rates
from services.metrics.facts.requests import requests
from services.metrics.facts.role_weights import role_weights
from services.metrics.facts.skills import abilities, skills
from services.metrics.facts.support import challenges, duties, recognitions, reputation, setbacks
from services.metrics.facts.targets import targets
from services.metrics.facts.teams import away, departments, groups, members, organisation, people, teams
from services.metrics.facts.trainings import checks, trainings
from services.metrics.facts.workplace import equipment, onboardings, openings
from services.metrics.mending import Mender, RebuildRun, mend_views
from services.metrics.packs import PackDue, freeze_packs, owe_a_pack
from services.metrics.page import entry, published, routes
from services.metrics.page.review import routes as review_routes
from services.metrics.retention import forget_members
from services.metrics.stream.live import prepare_live
from services.metrics.verdicts import judge_effects
from services.metrics.webhooks import hooks
from services.metrics.webhooks.dispatcher import deliver_webhooks, prepare_webhooks
from services.metrics.webhooks.ledger import forget_person
from shared.application import Service
from shared.consumer import Subscriptions
from shared.events import PEOPLE
from shared.events.meetings import MeetingStarted
from shared.events.teams import MemberErased
from shared.http.runtime import Runtime

subscriptions = Subscriptions("concert.teams", "concert.targets", "concert.meetings", PEOPLE)
subscriptions.keep(organisation, departments, teams, groups, members, away, people, customers, products, deals,
                   feedback, rates, invoices, receipts, budgets, expenses, targets, goals, metrics, readings, stages,
                   overrides, requests, meetings, items, actions, outcomes, check_ins, liaisons, pulses, trainings,
                   checks, openings, onboardings, equipment, duties, recognitions, setbacks, reputation,
                   leavers, role_weights, peer_rounds, peer_scores, accomplishments, own_measures, skills, abilities,
                   challenges)  # fmt: skip
subscriptions.on(MemberErased)(forget_person)
subscriptions.on(MeetingStarted)(owe_a_pack)


async def make_certificate(runtime: Runtime) -> None:
    """The certificate, before the first request may ask for it."""
    runtime.extras["certificate"] = Certificate(runtime, subscriptions)


async def make_mender(runtime: Runtime) -> None:
    """Who rebuilds the views when that is asked for."""
    runtime.extras["mender"] = Mender(runtime, subscriptions)


async def keep_certificate(runtime: Runtime) -> None:
    """Keep the certificate up to date beside the requests."""
    await runtime.extras["certificate"].keep()


service = Service(
    name="metrics",
    description="How we are doing: the five department views and their consistency, reviews of teams and their effect.",
    collections=(reviews, charters, rule_sets, option_sets, imports),
    routers=(
        scorecards.router,
        challenge_standings.router,
        rebuild.router,
        views.router,
        consistency.router,
        events.router,
        webhooks.router,
        deliveries.router,
        published.router,
        entry.router,
        routes.router,
        review_routes.router,
    ),
    tables=(*hooks.TABLES, RebuildRun, Pack, PackDue),
    subscriptions=subscriptions,
    prepare=(make_certificate, make_mender, published.prepare_pages, prepare_live, prepare_webhooks),
    speaks_for_all=True,
    background=(keep_certificate, mend_views, deliver_webhooks, freeze_packs, judge_effects, forget_members),
)
