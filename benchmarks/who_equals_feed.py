"""Who may open what, as the product tells it, beside the twin's own feed: every person of generated estates.

Each estate is migrated twice: with people at work, compared before the run, after each wave and after it; and with
nobody there, compared before, every twenty minutes of the waves, and after, with the proof of what was confirmed.

    PYTHONPATH=src python benchmarks/who_equals_feed.py [estates] [first]

Bound: no difference on 200 estates (`small-0` to `small-199`). The feed is code of the twin's own (`avdtwin/feed.py`),
which shares nothing with the product. One estate by itself: give 1 and its number.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "property"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "scenario"))

from test_move_equality import SEAT_WITHIN_S, compare
from test_who_after import compare_during

from crossfade.errors import MigrationError
from crossfade.execution.workflows import drain


def main() -> int:
    estates, first = [*map(int, sys.argv[1:]), *(200, 0)[len(sys.argv) - 1 :]]
    drain.SEAT_WITHIN_S = SEAT_WITHIN_S
    begun, looks, wrong = time.perf_counter(), 0, []
    for number in range(first, first + estates):
        for look in (compare, compare_during):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    looks += look(number, Path(folder))
                except (AssertionError, MigrationError) as difference:
                    wrong.append(number)
                    print(f"small-{number}, {look.__name__}: {str(difference).splitlines()[0]}", flush=True)
        if (number - first) % 20 == 19:
            print(f"{number - first + 1} estates, {looks} looks, {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    took_s = time.perf_counter() - begun
    print(f"{estates} estates, every person compared {looks} times on both services: {len(wrong)} with a difference;")
    print(f"{took_s:.0f} s. Bound: none with a difference on 200 estates")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
