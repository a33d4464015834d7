"""`$batch`: at most 20 calls in one, each with an answer of its own, in any order (facts: arm-service 8)."""

import json
from collections.abc import Callable
from typing import Any

from avdtwin.graph import errors, members
from avdtwin.wire import Request, Response, parse_query
from avdtwin.world import World

MOST_STEPS = 20


def answer(world: World, request: Request, call: Callable[[World, Request], Response]) -> Response:
    """Play the steps of a batch through `call`, those that wait for others after them."""
    steps = members.body_of(world, request).get("requests")
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise errors.refuse(world, request, 400, "BadRequest", "Invalid batch payload format.")
    if len(steps) > MOST_STEPS:
        message = f"Number of batch request steps exceeds the maximum value of {MOST_STEPS}."
        raise errors.refuse(world, request, 400, "BadRequest", message)
    ids = [str(step.get("id")) for step in steps]
    if len(set(ids)) < len(ids):
        message = "Request Id has to be unique in a batch."
        raise errors.refuse(world, request, 400, "BadRequest", message)
    answers: dict[str, dict[str, Any]] = {}
    for step in steps:
        answers[str(step.get("id"))] = _step(world, request, step, answers, call)
    # No caller may rely on the order, so none is kept.
    shuffled = sorted(answers.values(), key=lambda _: world.chance("batch order"))
    return Response(body={"responses": shuffled})


def _step(
    world: World,
    request: Request,
    step: dict[str, Any],
    answers: dict[str, dict[str, Any]],
    call: Callable[[World, Request], Response],
) -> dict[str, Any]:
    identity = str(step.get("id"))
    for earlier in step.get("dependsOn") or ():
        if answers.get(earlier, {"status": 424})["status"] >= 400:
            failed = {"code": "FailedDependency", "message": "The dependent request failed."}
            return {"id": identity, "status": 424, "headers": {}, "body": {"error": failed}}
    response = call(world, _inner(request, step))
    headers = {"Content-Type": "application/json"} | response.headers if response.body is not None else {}
    return {"id": identity, "status": response.status, "headers": headers, "body": response.body}


def _inner(request: Request, step: dict[str, Any]) -> Request:
    path, _, query = str(step.get("url", "")).partition("?")
    headers = {name.lower(): str(value) for name, value in (step.get("headers") or {}).items()}
    body = step.get("body")
    return Request(
        method=str(step.get("method", "GET")).upper(),
        path=f"/v1.0/{path.strip('/').removeprefix('v1.0/')}",
        query=parse_query(query),
        headers={"authorization": request.headers.get("authorization", "")} | headers,
        body=b"" if body is None else json.dumps(body).encode(),
        origin=request.origin,
        principal=request.principal,
    )
