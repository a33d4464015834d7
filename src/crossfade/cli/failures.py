"""Errors as a person or a program reads them: what, why, the mend; all problems at once; never a secret."""

import json
import os
import re
import sys
from typing import Any

DEBUG = "CROSSFADE_DEBUG"
FAILED, REFUSED, INTERRUPTED = 1, 3, 130


def known(error: Exception, *, as_json: bool) -> int | None:
    """Print one of our errors or a usage error; its exit code. None for any other."""
    from crossfade.errors import MigrationError

    if isinstance(error, MigrationError):
        _tell(error.as_data(), as_json)
        return error.exit_code
    message = getattr(error, "format_message", None)
    if message is None:
        return None
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "crossfade")
    what, _, why = str(message()).partition("\n")
    mend = f"See `{path} --help`."
    if path == "crossfade" and getattr(error, "option_name", ""):
        mend = f"Options come after the command, as in `crossfade status --json`. {mend}"
    _tell({"code": "usage", "what": what, "why": " ".join(why.split()), "mend": mend}, as_json)
    return FAILED


def unexpected(error: Exception, *, as_json: bool) -> int:
    """One line that names the kind and place of a defect. Foreign words may hold anything, so they are not repeated
    unless CROSSFADE_DEBUG is set, and then without what looks like a token."""
    data = {
        "code": "defect",
        "what": f"Crossfade failed in a way that it does not know: {type(error).__name__} at {_place(error)}.",
        "why": "",
        "mend": f"This is a defect. Set {DEBUG}=1 to see where, and report it.",
    }
    _tell(data, as_json)
    if os.environ.get(DEBUG):
        import traceback

        print(without_tokens("".join(traceback.format_exception(error))), file=sys.stderr)
    return FAILED


def interrupted(*, as_json: bool) -> int:
    data = {
        "code": "interrupted",
        "what": "Interrupted.",
        "why": "",
        "mend": "An apply is gone on with by `crossfade resume`; anything else can simply be run again.",
    }
    _tell(data, as_json)
    return INTERRUPTED


_TOKEN = re.compile(r"(?i:bearer\s+)[\w.~+/=-]{8,}|\beyJ[\w.-]{12,}")


def without_tokens(text: str) -> str:
    return _TOKEN.sub("[removed]", text)


def _place(error: Exception) -> str:
    """`folder/file.py:line` of the innermost frame of ours."""
    place, trace = "an unknown place", error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename.replace("\\", "/")
        if "/crossfade/" in name or "/avdtwin/" in name:
            place = f"{'/'.join(name.split('/')[-2:])}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _tell(data: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": data}, indent=2, sort_keys=True, ensure_ascii=False))
    else:
        from crossfade.cli.fitting import fitted

        print(fitted(as_text(data), sys.stderr), file=sys.stderr)


def as_text(data: dict[str, Any]) -> str:
    """What, then why and mend on lines of their own; for several problems, each with its place and mend."""
    lines = [f"crossfade: {data['what']}"]
    if data.get("why"):
        lines.append(f"  Why:  {data['why']}")
    if data.get("mend"):
        lines.append(f"  Mend: {data['mend']}")
    for problem in data.get("problems", ()):
        lines.append(f"  - {problem['where']}: {problem['what']}")
        if problem["mend"]:
            lines.append(f"    Mend: {problem['mend']}")
    ids = [f"{name.replace('_', ' ')} {data[name]}" for name in ("request_id", "correlation_id") if data.get(name)]
    if ids:
        lines.append(f"  ({', '.join(ids)})")
    return "\n".join(lines)
