import msgspec
from avdtwin.state import Machine
from avdtwin.world import World


class Run(msgspec.Struct, kw_only=True):
    changes: list[list[object]] = []
    stdout: str = ""
    stderr: str = ""
    exit_code: int = 0
    duration_s: float = 0.0


def run(world: World, machine: Machine, script: str, parameters: list[list[str]]) -> Run:
    raise NotImplementedError
