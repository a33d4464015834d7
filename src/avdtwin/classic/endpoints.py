"""What the service offers beside tenants: health, public addresses, and what belongs to its operators."""

from avdtwin.classic import access
from avdtwin.classic.dates import wire_date
from avdtwin.classic.errors import refusal
from avdtwin.classic.routes import OPEN, route
from avdtwin.wire import Request, Response
from avdtwin.world import World


@OPEN.route("GET", "/api/health")
def health(world: World, request: Request) -> Response:
    """A bare reachability check (facts/classic-service 2.1)."""
    return Response(body={"status": "Healthy"})


@OPEN.route("GET", "/api/Settings/v1/PublicUris")
def public_addresses(world: World, request: Request) -> Response:
    return Response(
        body={
            "RDBrokerUrl": request.origin,
            "RDGatewayUrl": request.origin,
            "RDWebUrl": request.origin,
            "LastUpdateTimeUTC": wire_date(world.now),
        }
    )


@route("GET", "PATCH", "/Deployments")
def deployments(world: World, request: Request) -> Response:
    """For Microsoft's operators: nobody in the twin is one, but an owner of the deployment learns why."""
    access.require(world, request, access.WRITE, ())
    raise refusal(world, "NotImplemented", "The twin has no deployment to show.")


@route("GET", "/DiagnosticActivities")
@route("GET", "/DiagnosticActivities/{scope*}")
def diagnostics(world: World, request: Request, scope: str = "") -> Response:
    """The twin keeps no activities: it says so rather than answer that there were none."""
    access.require(world, request, access.DIAGNOSE, tuple(scope.split("/")[1::2]))
    raise refusal(world, "NotImplemented", "The twin keeps no diagnostic activities.")
