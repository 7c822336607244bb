"""The five department views: a file for each, its figures with their definitions, over one frame."""

from __future__ import annotations

from services.metrics.views import accounting, finance, hr, it, sales
from services.metrics.views.frame import View

VIEWS: dict[str, View] = {
    view.department: view for view in (sales.VIEW, finance.VIEW, accounting.VIEW, hr.VIEW, it.VIEW)
}
