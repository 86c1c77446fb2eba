"""The app's own addresses: JSON views, binary arrays, pictures, downloads and commands."""

from fastapi import APIRouter

from forensics.ui.context import Context
from forensics.ui.routes.account import account_routes
from forensics.ui.routes.allocation import allocation_routes
from forensics.ui.routes.cases import case_routes
from forensics.ui.routes.clusters import cluster_routes
from forensics.ui.routes.demos import demo_routes
from forensics.ui.routes.downloads import download_routes
from forensics.ui.routes.fusion import fusion_routes
from forensics.ui.routes.home import home_routes
from forensics.ui.routes.jobs import job_routes
from forensics.ui.routes.lab import lab_routes
from forensics.ui.routes.live import live_routes
from forensics.ui.routes.masked_views import masked_view_routes
from forensics.ui.routes.methods import method_routes
from forensics.ui.routes.pictures import picture_routes
from forensics.ui.routes.repair import repair_routes
from forensics.ui.routes.report import report_routes
from forensics.ui.routes.review import review_routes
from forensics.ui.routes.scans import scan_routes
from forensics.ui.routes.selections import selection_routes
from forensics.ui.routes.settings import settings_routes
from forensics.ui.routes.transplant import transplant_routes
from forensics.ui.routes.triggers import trigger_routes


def routers(context: Context) -> list[APIRouter]:
    """Return every router of the app."""
    makers = (
        transplant_routes, demo_routes, case_routes, job_routes, scan_routes, download_routes,
        live_routes, picture_routes, masked_view_routes, method_routes, allocation_routes,
        fusion_routes, cluster_routes, selection_routes, trigger_routes, repair_routes,
        report_routes, review_routes, lab_routes, account_routes,
        home_routes, settings_routes,
    )  # fmt: skip
    return [make(context) for make in makers]
