"""The routes of all simulated services, on one port, under the paths of the real ones."""

from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from etl.simulator import data, discovery, links, metrics, pops
from etl.simulator.admin import Admin
from etl.simulator.gate import Ask, Gate
from etl.simulator.service import Service
from etl.simulator.shelves import Shelves
from etl.simulator.surfaces import Surfaces


def create_app(service: Service) -> Starlette:
    """The application that answers from a service."""
    routes = [*_upstream(service), *_surfaces(service), *_admin(Admin(service))]
    return Starlette(routes=routes)


def _upstream(service: Service) -> list[Route]:
    listing = Gate("islands", "data", bearer=False)(service, data.islands)
    island = Gate("island", "data", bearer=False)(service, data.island)
    metrics_gate = Gate("metrics", "data", bearer=False)
    several, one = metrics_gate(service, metrics.several), metrics_gate(service, metrics.single)
    token = Gate("token", "token", bearer=False)(service, _token)
    bulk = Gate("links", "links", bearer=True)(service, links.bulk)
    single = Gate("link", "links", bearer=True)(service, links.single)
    entries = Gate("entries", "entries", bearer=True)(service, discovery.entries)
    creator = Gate("creator", "creators", bearer=True)(service, discovery.creator)
    players = Gate("players", "creators", bearer=True)(service, pops.bulk)
    player = Gate("player", "creators", bearer=True)(service, pops.single)
    return [
        Route("/ecosystem/v1/islands", listing),
        Route("/ecosystem/v1/islands/{code}", island),
        Route("/ecosystem/v1/islands/{code}/metrics", several),
        Route("/ecosystem/v1/islands/{code}/metrics/{interval}", several),
        Route("/ecosystem/v1/islands/{code}/metrics/{interval}/{metric}", one),
        Route("/account/api/oauth/token", token, methods=["POST"]),
        Route("/links/api/fn/mnemonic", bulk, methods=["POST"]),
        Route("/links/api/fn/mnemonic/{code}", single),
        Route("/api/v2/discovery/link-entries", entries, methods=["POST"]),
        Route("/api/v1/creator/page/{account}", creator),
        Route("/page/v1", players, methods=["POST"]),
        Route("/page/v1/{account}", player),
    ]


def _surfaces(service: Service) -> list[Route]:
    surfaces = Surfaces(Shelves(service.world, service.reported))
    token = Gate("access_token", "surfaces", bearer=True)(service, surfaces.token)
    main = Gate("surface", "surfaces", bearer=True)(service, surfaces.main)
    page = Gate("surface_page", "surfaces", bearer=True)(service, surfaces.page)
    return [
        Route("/fortnite/api/discovery/accessToken/{branch}", token),
        Route("/api/v2/discovery/surface/{surface}", main, methods=["POST"]),
        Route("/api/v2/discovery/surface/{surface}/page", page, methods=["POST"]),
    ]


def _admin(admin: Admin) -> list[Route]:
    return [
        Route("/admin/state", admin.state),
        Route("/admin/clock", admin.clock, methods=["POST"]),
        Route("/admin/fault", admin.add_fault, methods=["POST"]),
        Route("/admin/fault", admin.clear_faults, methods=["DELETE"]),
        Route("/admin/limits", admin.limits, methods=["POST"]),
        Route("/admin/tokens", admin.revoke_tokens, methods=["DELETE"]),
        Route("/admin/world", admin.world, methods=["POST"]),
        Route("/admin/truth/{code}", admin.truth),
        Route("/admin/codes", admin.codes),
    ]


def _token(ask: Ask) -> Response:
    form = dict(parse_qsl(ask.body.decode(errors="replace")))
    return ask.service.tokens.issue(ask.request.headers.get("authorization"), form)
