"""Plays a demo, catches the terminal view at its liveliest, and has a browser draw it, the end and the report."""

import argparse
import re
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from rich.console import Console, RenderableType
from rich.text import Text

from crossfade.app import Rehearsal, in_process_engine
from crossfade.cli.live import Figures, view
from crossfade.cli.running import counts
from crossfade.commands import demo
from crossfade.commands.status import Status, capacities, live_status, seats
from crossfade.commands.workspace import REPORT, Workspace

PICTURES = Path(__file__).resolve().parent.parent / "docs/pictures"
COLUMNS = 104
FONT = "DejaVu Sans Mono, Consolas, monospace"
LOOK_EVERY_S = 0.2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("browser", type=Path)
    parser.add_argument("--estate", default="contoso")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        play(options, Path(folder))
    return 0


def play(options: argparse.Namespace, scratch: Path) -> None:
    folder = scratch / "crossfade-demo"
    workspace = demo.prepare(folder)
    stage = Rehearsal.of_estate(options.estate, seed=options.seed)
    said: list[str] = []
    catcher = Catcher(workspace)
    with catcher:
        result = demo.demo(
            stage,
            workspace,
            in_process_engine(stage.clock),
            estate=options.estate,
            seed=options.seed,
            say=said.append,
        )
    liveliest, figures = catcher.best
    terminal(options.browser, scratch, view(liveliest, figures), "crossfade apply", "run.png")
    text = "\n".join([*said, "", counts(result).replace(str(folder), ".crossfade")])
    terminal(options.browser, scratch, Text(text), "crossfade demo", "demo.png")
    shoot(options.browser, workspace.path(REPORT), "report.png", 1200, 1500)


class Catcher:
    """Looks at the run as the live view does, and keeps the moment when most is going on."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._score = -1
        self.best: tuple[Status, Figures]

    def __enter__(self) -> "Catcher":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        began, capacity = time.monotonic(), {}
        while not self._over.wait(LOOK_EVERY_S):
            found = live_status(self._workspace)
            if found is None:
                continue
            capacity = capacity or capacities(self._workspace)
            if (score := liveliness(found)) > self._score:
                self._score = score
                self.best = (found, Figures(seats(found, capacity), None, time.monotonic() - began))


def liveliness(found: Status) -> int:
    """Many states at once, hosts on both sides."""
    sides = min(found.hosts_by_state.get("on_source", 0), found.hosts_by_state.get("confirmed", 0))
    return 10 * len(found.hosts_by_state) + 3 * len(found.waiting) + sides


def terminal(browser: Path, scratch: Path, what: RenderableType, title: str, name: str) -> None:
    """What a terminal shows, as a picture: through Rich's SVG, with a font of this machine and no address in it."""
    console = Console(width=COLUMNS, record=True, file=open(scratch / "nothing", "w"), force_terminal=True)  # noqa: SIM115
    console.print(what)
    svg = console.export_svg(title=title)
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", FONT).replace("font-family: Fira Code", f"font-family: {FONT}")
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert box is not None, "an SVG of Rich has a viewBox"
    width, height = (round(float(each)) for each in box.groups())
    page = scratch / f"{name}.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><style>body{{margin:0}}svg{{width:{width}px}}</style>{svg}")
    shoot(browser, page, name, width, height)


def shoot(browser: Path, page: Path, name: str, width: int, height: int) -> None:
    command = [str(browser), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
    command += ["--disable-background-networking", "--disable-component-update", f"--window-size={width},{height}"]
    command += ["--virtual-time-budget=3000", f"--screenshot={PICTURES / name}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    print(f"wrote docs/pictures/{name}")


if __name__ == "__main__":
    raise SystemExit(main())
