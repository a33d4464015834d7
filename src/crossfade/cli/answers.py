"""What a verb is given and what it gives. Only the standard library: `status` needs no more."""

from pathlib import Path
from typing import Any, NamedTuple


class Connection(NamedTuple):
    """Where the services are and who signs in; never a secret."""

    cloud: str = "public"
    endpoint: str = ""
    classic_endpoint: str = ""
    ca_file: str = ""
    sign_in: str = "default"
    tenant_id: str = ""
    client_id: str = ""


class Here(NamedTuple):
    """What every verb knows: the migration's folder, how to answer, and the connection where it takes one."""

    folder: Path
    as_json: bool
    connection: Connection = Connection()


class Answer(NamedTuple):
    """What a verb gives: data for --json, text for people, the exit code. An empty text prints nothing; `to_copy`: it
    is taken elsewhere as it is, so no terminal breaks its lines."""

    data: Any
    text: str = ""
    exit_code: int = 0
    to_copy: bool = False
