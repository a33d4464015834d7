"""Verbs that need the services: opened, used and closed around one coroutine."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from crossfade.cli.answers import Connection, Here

if TYPE_CHECKING:
    from crossfade.app import Endpoints, Services

T = TypeVar("T")


def with_services(here: Here, work: "Callable[[Services], Awaitable[T]]") -> T:
    """Sign in as told, do the work, sign out. Raises MigrationError; Refused where the folder holds a demo."""
    from crossfade.commands.workspace import Workspace

    Workspace(here.folder).refuse_demo()
    return connected(here.connection, work)


def connected(connection: Connection, work: "Callable[[Services], Awaitable[T]]") -> T:
    """The same where nothing of the folder is carried out or written over."""
    from crossfade.app import services_for

    _check_ca_file(connection.ca_file)
    silence()

    async def story() -> T:
        async with services_for(endpoints(connection), prompt=_prompt(), show_code=_show_code) as services:
            return await work(services)

    return asyncio.run(story())


def endpoints(connection: Connection) -> "Endpoints":
    from crossfade.app import Endpoints, SignIn

    return Endpoints(
        cloud=connection.cloud,
        origin=connection.endpoint or None,
        classic=connection.classic_endpoint or None,
        ca_file=connection.ca_file or None,
        sign_in=SignIn(
            choice=connection.sign_in,
            tenant_id=connection.tenant_id or None,
            client_id=connection.client_id or None,
        ),
    )


def _prompt() -> Callable[[str], str] | None:
    """Asks for a secret without showing it; nobody is asked where nobody is."""
    import getpass

    return getpass.getpass if sys.stdin.isatty() else None


def _show_code(address: str, code: str) -> None:
    print(f"To sign in, open {address} and type {code}", file=sys.stderr, flush=True)


def _check_ca_file(path: str) -> None:
    """Raises InputError for one that is not there, or holds no certificate."""
    import ssl

    from crossfade.errors import InputError, Problem

    try:
        ssl.create_default_context(cafile=path or None)
    except ssl.SSLError:
        problem = Problem("--ca-file", f"{path} holds no certificate.", "Name a file with certificates as PEM.")
    except OSError as error:
        problem = Problem("--ca-file", f"{path} cannot be read: {error.strerror}.", "Check the path.")
    else:
        return
    raise InputError("The connection cannot be used.", [problem])


def silence() -> None:
    """Libraries log failures that we tell in our own words, and what they log may hold what we would not print."""
    import logging

    for name in ("azure", "msal", "dbos", "asyncio"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
