"""Signing in with a code that is entered elsewhere. Whoever enters it on the twin's page, or through the control API,
says who they are; there are no passwords here.
"""

from html import escape

from avdtwin import directory
from avdtwin.entra import tenants
from avdtwin.entra.errors import refuse
from avdtwin.entra.form import audience_of, form_of
from avdtwin.state import DeviceCode
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World

_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_PAGE = "/common/oauth2/deviceauth"


def register(router: Router) -> None:
    router.add("POST", "/{tenant}/oauth2/v2.0/devicecode", start)
    router.add("POST", "/{tenant}/oauth2/devicecode", start)
    router.add("GET", "/{tenant}/oauth2/deviceauth", show_page)
    router.add("POST", "/{tenant}/oauth2/deviceauth", enter)


def approve(world: World, user_code: str, upn: str) -> None:
    """Somebody enters a code. Raises KeyError when there is no such code waiting, or no such user."""
    sign_in = world.state.directory.device_codes[user_code.strip().upper()]
    user = directory.user_by_upn(world, upn.strip())
    if user is None:
        raise KeyError(upn)
    sign_in.user = user.id


def redeem(world: World, request: Request, device_code: str) -> DeviceCode:
    """The sign-in of a device code, which is then used up. Raises `authorization_pending` while nobody entered it."""
    codes = world.state.directory.device_codes
    found = next((code for code in codes.values() if code.device_code == device_code), None)
    if found is None:
        raise refuse(world, request, 400, "bad_verification_code", 70019, "Verification code was not recognized.")
    if world.now >= found.expires_at:
        raise refuse(world, request, 400, "expired_token", 70020, "The provided value for the 'code' has expired.")
    if found.user is None:
        text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
        raise refuse(world, request, 400, "authorization_pending", 70016, text)
    del codes[found.user_code]
    return found


def show_page(world: World, request: Request, tenant: str) -> Response:
    code = escape(request.query.get("otc", ""), quote=True)
    return _html(
        f'<form method="post"><label>Code <input name="code" value="{code}"></label> '
        '<label>User principal name <input name="upn"></label> <button>Sign in</button></form>'
    )


def enter(world: World, request: Request, tenant: str) -> Response:
    form = form_of(request)
    try:
        approve(world, form.get("code", ""), form.get("upn", ""))
    except KeyError:
        return _html("<p>No such code, or nobody of that name.</p>", 400)
    return _html("<p>You may close this page.</p>")


def start(world: World, request: Request, tenant: str) -> Response:
    tenants.require(world, request, tenant)
    form = form_of(request)
    audience = audience_of(world, request, form, application=False)
    life = int(world.setting("device_code_s"))
    user_code = "".join(_LETTERS[int(world.chance("device code") * len(_LETTERS))] for _ in range(9))
    sign_in = DeviceCode(
        user_code=user_code,
        device_code=world.guid("device code") + world.guid("device code"),
        app_id=form.get("client_id", ""),
        audience=audience,
        expires_at=world.now + life,
    )
    world.state.directory.device_codes[user_code] = sign_in
    page = request.origin + _PAGE
    body = {
        "user_code": user_code,
        "device_code": sign_in.device_code,
        "verification_uri": page,
        "verification_url": page,
        "expires_in": life,
        "interval": int(world.setting("device_code_interval_s")),
        "message": f"To sign in, use a web browser to open the page {page} and enter the code {user_code} to "
        "authenticate.",
    }
    return Response(body=body)


def _html(body: str, status: int = 200) -> Response:
    page = f"<!doctype html><title>Sign in to the twin</title>{body}"
    return Response(status=status, body=page, headers={"content-type": "text/html; charset=utf-8"})
