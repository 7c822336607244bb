"""The targets service: what we aim at and what we achieve."""

from __future__ import annotations

from services.targets import reactions
from services.targets.api import (
    assignment,
    attainment,
    cascades,
    contribution,
    credit_changes,
    forecasts,
    goal_attainment,
    goal_cascades,
    goals,
    handovers,
    portfolios,
)  # fmt: skip
from services.targets.api.accomplishments import accomplishments
from services.targets.api.budgets import budgets, expenses
from services.targets.api.customers import customers
from services.targets.api.deals import deals
from services.targets.api.feedback import feedback
from services.targets.api.invoices import invoices, receipts
from services.targets.api.metrics import found_metrics, metrics, readings
from services.targets.api.own_measures import own_measures
from services.targets.api.products import products
from services.targets.api.progress import keep_progress, progress
from services.targets.api.progress import router as check_ins
from services.targets.api.rates import rates
from services.targets.api.stages import found_stages, stages
from services.targets.api.targets import targets
from services.targets.domain.overrides import Override
from shared.application import Service

service = Service(
    name="targets",
    description="What we aim at and what we achieve: customers, products, deals, money and targets.",
    collections=(
        customers,
        products,
        deals,
        contribution.role_weights,
        credit_changes.credit_changes,
        invoices,
        receipts,
        budgets,
        expenses,
        feedback,
        rates,
        stages,
        metrics,
        readings,
        goals.goals,
        targets,
        progress,
        own_measures,
        accomplishments,
    ),
    routers=(
        cascades.router,
        assignment.router,
        check_ins,
        goal_cascades.router,
        goal_attainment.router,
        attainment.router,
        forecasts.router,
        contribution.router,
        credit_changes.router,
        portfolios.router,
        handovers.router,
    ),
    tables=(Override,),
    subscriptions=reactions.subscriptions,
    prepare=(found_metrics, found_stages),
    background=(keep_progress,),
)
