"""All workflow bodies of a run, by name."""

from crossfade.execution.context import Context
from crossfade.execution.engine import Bodies
from crossfade.execution.workflows.host import host_body
from crossfade.execution.workflows.objects import chain_body
from crossfade.execution.workflows.run import run_body, watch_body
from crossfade.execution.workflows.wave import wave_body


def bodies(context: Context) -> Bodies:
    return {
        "run": run_body(context),
        "watch": watch_body(context),
        "chain": chain_body(context),
        "wave": wave_body(context),
        "host": host_body(context),
    }
