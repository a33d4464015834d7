"""Where a journal lies: a file, or a schema of a PostgreSQL database. Imports nothing heavy."""

from pathlib import Path
from urllib.parse import quote, unquote, urlencode, urlsplit

from crossfade.errors import InputError, Problem

SCHEMES = ("postgresql", "postgres")
_SECRETS = ("password", "sslpassword")
_MEND = "Give it as postgresql://user@host:5432/database; the password comes from PGPASSWORD or ~/.pgpass."


class PostgresPlace:
    """A schema of a database. `url` is without its password, which is in no text that this gives; `connection_url` is
    for those who connect. Without one, libpq looks for it: PGPASSWORD, a password file, a service file."""

    def __init__(self, url: str, schema: str) -> None:
        """Raises InputError for what is no URL of PostgreSQL."""
        self.schema = schema
        self.url, self._password = _without_password(url)

    def __str__(self) -> str:
        return f"{self.url} (schema {self.schema})"

    def __repr__(self) -> str:
        return f"PostgresPlace({self})"

    def in_schema(self, schema: str) -> "PostgresPlace":
        """Another schema of the same database."""
        other = PostgresPlace(self.url, schema)
        other._password = self._password
        return other

    @property
    def connection_url(self) -> str:
        """With the password, where it was given. For connecting only."""
        if not self._password:
            return self.url
        parts, secret = urlsplit(self.url), quote(self._password, safe="")
        user, at, rest = parts.netloc.rpartition("@")
        if not at:  # the user is in the query, if anywhere
            query = f"{parts.query}&password={secret}".removeprefix("&")
            return _url(parts.netloc, parts.path, query)
        return _url(f"{user}:{secret}@{rest}", parts.path, parts.query)

    def without_secrets(self, text: str) -> str:
        """A text of a library, in which the password could stand."""
        for secret in filter(None, {self._password, quote(self._password, safe="")}):
            text = text.replace(secret, "[removed]")
        return text


Place = Path | PostgresPlace


def is_url(text: str) -> bool:
    """Whether somebody means a PostgreSQL, right or wrong."""
    return text.partition("://")[0] in SCHEMES


def _without_password(url: str) -> tuple[str, str]:
    """The URL without a password, and the password. Its text appears in no error: what is wrong may hold a secret."""
    try:
        parts = urlsplit(url)
        port, found = parts.port, unquote(parts.password or "")
    except ValueError:
        raise _wrong("It cannot be read as a URL.") from None
    if parts.scheme not in SCHEMES:
        raise _wrong("It does not begin with postgresql://.")
    if not parts.path.strip("/"):
        raise _wrong("It names no database.")
    query = _query(parts.query)
    found = found or next((value for name, value in query if name == "password"), "")
    kept = [(name, value) for name, value in query if name not in _SECRETS]
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    netloc = (f"{parts.username}@" if parts.username else "") + host + (f":{port}" if port else "")
    return _url(netloc, parts.path, urlencode(kept, quote_via=quote)), found


def _query(text: str) -> list[tuple[str, str]]:
    """As libpq reads it: a plus is a plus."""
    parts = (part.partition("=") for part in text.split("&") if part)
    return [(unquote(name), unquote(value)) for name, _, value in parts]


def _url(netloc: str, path: str, query: str) -> str:
    """With both slashes where no host is named, as for a socket: libpq wants them."""
    return f"postgresql://{netloc}{path}" + (f"?{query}" if query else "")


def _wrong(why: str) -> InputError:
    return InputError("The database cannot be used.", [Problem("--database", why, _MEND)])
