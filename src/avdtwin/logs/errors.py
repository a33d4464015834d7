"""Errors of the query service: `{"error": {"message", "code", "correlationId", "innererror"?}}`.

| Error | Source |
|---|---|
| 400 `BadArgumentError` with `SyntaxError`, `SemanticError`, `QueryValidationError` | documented; innermost: posted |
| 401 `AuthorizationRequiredError` | its text as people posted it, its code unconfirmed |
| 403 `InvalidTokenError`: token broken, over or for somebody else | documented under batches |
| 403 `InsufficientAccessError`, 404 `PathNotFoundError` | documented |
| 404 `WorkspaceNotFoundError` | unconfirmed; under batches a workspace that is none is documented as 400 |
| 404 `ResourceNotFoundError` | documented under queries of a resource |
"""

from typing import Any

from avdtwin.kql import BadQuery
from avdtwin.wire import Response, WireError
from avdtwin.world import World

_MESSAGES = {
    "BadArgumentError": "The request had some invalid properties",
    "AuthorizationRequiredError": "Valid authentication was not provided",
    "InvalidTokenError": "The provided authentication is not valid for this resource",
    "InsufficientAccessError": "The provided credentials have insufficient access to perform the requested operation",
    "PathNotFoundError": "The requested path does not exist",
    "WorkspaceNotFoundError": "The workspace could not be found",
}
_STATUS = {
    "BadArgumentError": 400,
    "AuthorizationRequiredError": 401,
    "InvalidTokenError": 403,
    "InsufficientAccessError": 403,
    "PathNotFoundError": 404,
    "WorkspaceNotFoundError": 404,
    "ResourceNotFoundError": 404,
}


def refuse(
    world: World, code: str, inner: dict[str, Any] | None = None, *, message: str = "", status: int = 0
) -> WireError:
    error: dict[str, Any] = {"message": message or _MESSAGES[code], "code": code, "correlationId": world.guid("logs")}
    if inner is not None:
        error["innererror"] = inner
    return WireError(Response(status=status or _STATUS[code], body={"error": error}))


def bad_query(world: World, error: BadQuery) -> WireError:
    said = {"SyntaxError": "A recognition error occurred in the query.", "SemanticError": "A semantic error occurred."}
    inner: dict[str, Any] = {"code": error.code, "message": str(error)}
    if error.kind == "SyntaxError":
        inner["token"] = error.token
    return refuse(world, "BadArgumentError", {"code": error.kind, "message": said[error.kind], "innererror": inner})


def bad_body(world: World, code: str, message: str, target: str | None = None) -> WireError:
    details = [{"code": code, "message": message, "target": target}]
    inner = {"code": "QueryValidationError", "message": "Failed parsing the query", "details": details}
    return refuse(world, "BadArgumentError", inner)


def bad_token(world: World) -> WireError:
    inner = {"code": "SignatureVerificationFailed", "message": "Could not validate the request"}
    return refuse(world, "InvalidTokenError", inner)
