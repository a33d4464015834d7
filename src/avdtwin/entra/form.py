"""Form posts to the sign-in endpoints, and the audience they ask for."""

from urllib.parse import parse_qsl

from avdtwin import tokens
from avdtwin.entra.errors import refuse
from avdtwin.wire import Request, WireError
from avdtwin.world import World

Form = dict[str, str]
_OPENID_SCOPES = ("openid", "profile", "email", "offline_access")


def form_of(request: Request) -> Form:
    """The fields of a form post."""
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def audience_of(world: World, request: Request, form: Form, *, application: bool) -> str:
    """The audience that `resource` (v1) or `scope` (v2) asks for. Refuses what nobody here answers to."""
    audience = form["resource"] if form.get("resource") else _from_scope(world, request, form, application)
    known = frozenset().union(*tokens.AUDIENCES.values()) | {tokens.normal_audience(request.origin)}
    if tokens.normal_audience(audience) not in known:
        raise refuse(
            world,
            request,
            400,
            "invalid_resource",
            500011,
            f"The resource principal named {audience} was not found in the tenant named "
            f"{world.state.directory.domain}. This can happen if the application has not been installed by the "
            "administrator of the tenant or consented to by any user in the tenant. You might have sent your "
            "authentication request to the wrong tenant.",
        )
    return audience


def _from_scope(world: World, request: Request, form: Form, application: bool) -> str:
    scopes = [scope for scope in form.get("scope", "").split() if scope not in _OPENID_SCOPES]
    if not scopes:
        raise lacks(world, request, "scope")
    scope = scopes[0]
    if scope.lower().endswith("/.default"):
        return scope[: -len("/.default")]
    if application:
        raise refuse(
            world,
            request,
            400,
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI).",
        )
    return scope.rpartition("/")[0]


def lacks(world: World, request: Request, name: str) -> WireError:
    """The refusal of a form without a field it needs."""
    text = f"The request body must contain the following parameter: '{name}'."
    return refuse(world, request, 400, "invalid_request", 900144, text)
