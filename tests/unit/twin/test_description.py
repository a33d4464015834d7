"""What the twin says at its start: lines to paste, in whatever folder the other terminal is."""

import shlex
from pathlib import Path

from avdtwin import estate
from avdtwin.cli import description
from avdtwin.clock import ManualClock
from crossfade.app import OF_A_TWIN

CA = Path("/tmp/a folder/ca.pem")


def exported(text: str, client: str) -> dict[str, str]:
    block = text.partition(f"For {client}:\n")[2].partition("\n\n")[0]
    pairs = [shlex.split(line)[1].partition("=") for line in block.splitlines()]
    return {name: value for name, _, value in pairs}


def test_each_client_gets_what_it_reads() -> None:
    world = estate.build("tiny", 1, ManualClock(0.0), people=False)
    text = description(world, "https://localhost:1", CA, {"crossfade": OF_A_TWIN})
    ours, theirs = exported(text, "a client"), exported(text, "crossfade")
    assert ours["SSL_CERT_FILE"] == theirs["CROSSFADE_CA_FILE"] == str(CA)
    assert theirs["CROSSFADE_ENDPOINT"] == "https://localhost:1"
    assert theirs["CROSSFADE_SIGN_IN"] == "service-principal"
    assert theirs["CROSSFADE_TENANT_ID"] == world.state.directory.tenant_id
    assert theirs["CROSSFADE_CLIENT_SECRET"] == ours["AZURE_CLIENT_SECRET"] != ""
    assert "For crossfade" not in description(world, "https://localhost:1", CA, {})
