"""`queries` on the command line."""

from pathlib import Path

from crossfade.cli.answers import Answer, Here
from crossfade.errors import InputError, Problem


def queries(here: Here, name: str, out: Path | None, saved: Path | None) -> Answer:
    del here
    if saved and (name or out):
        problem = Problem("--rewrite", "goes with no name and no --out.", "Ask for one of the two at a time.")
        raise InputError("That is not clear.", [problem])
    return _rewritten(saved) if saved else _shipped(name, out)


def _shipped(name: str, out: Path | None) -> Answer:
    from crossfade.report import queries as command

    found = [query for query in command.shipped() if name in ("", query.name)]
    if not found:
        known = ", ".join(query.name for query in command.shipped())
        raise InputError("There is no such query.", [Problem(name, "is not shipped.", f"Shipped are {known}.")])
    if out:
        paths = [out / f"{query.name}.kql" for query in found]
        there = [Problem(str(path), "is there already.", "Name an empty folder.") for path in paths if path.exists()]
        if there:
            raise InputError("Nothing was written.", there)
        out.mkdir(parents=True, exist_ok=True)
        for query, path in zip(found, paths, strict=True):
            path.write_text(query.text, encoding="utf-8")
        written = [str(path) for path in paths]
        return Answer({"queries": found, "written": written}, "\n".join(f"Wrote {path}" for path in written))
    if name:
        return Answer({"queries": found, "written": []}, found[0].text.rstrip(), to_copy=True)
    width = max(len(query.name) for query in found)
    lines = [f"{query.name:<{width}}  {query.purpose}" for query in found]
    return Answer({"queries": found, "written": []}, "\n".join(lines))


def _rewritten(saved: Path) -> Answer:
    from crossfade.report import queries as command

    try:
        text = saved.read_text(encoding="utf-8-sig")
    except OSError as error:
        problem = Problem(str(saved), f"cannot be read: {error.strerror}.", "Name a file that holds one query.")
        raise InputError("There is no query to rewrite.", [problem]) from None
    except UnicodeDecodeError:
        problem = Problem(str(saved), "is not UTF-8.", "Save the file as UTF-8.")
        raise InputError("The query cannot be read.", [problem]) from None
    found = command.rewrite(text)
    return Answer(found, found.text.rstrip(), 2 if found.look_at else 0, to_copy=True)
