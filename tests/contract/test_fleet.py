"""The queue of runs and its workers: who may work, who is dead, and that nothing has two owners."""

from __future__ import annotations

import asyncio
import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from crossfade.clock import SimulatedClock
from crossfade.commands import worker
from crossfade.commands.fleet import wanted_by_others
from crossfade.errors import DatabaseLost, InputError, JournalMismatch, LeaseLost, Refused
from crossfade.execution import postgres_store
from crossfade.execution.fleet import FINISHED, HELD, WAITING, WORKING, Entry, Fleet, Watch, holder_of, look, next_of
from crossfade.execution.journal import Journal
from crossfade.execution.places import PostgresPlace
from crossfade.execution.transitions import Kind
from postgres_kit import PASSWORD, Server

START = datetime(2026, 6, 1, 20, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[SimulatedClock]:
    made = SimulatedClock(START)
    yield made
    made.close()


@pytest.fixture
def place(postgres: str) -> PostgresPlace:
    return PostgresPlace(postgres, "public")


@pytest.fixture
def fleet(place: PostgresPlace, clock: SimulatedClock) -> Iterator[Fleet]:
    with Fleet.open(place, clock) as opened:
        yield opened


def entry(run: str, *limits: str, share: int = 100, **more: Any) -> Entry:
    return Entry(run=run, name=run, folder=f"/runs/{run}", connection={}, limits=list(limits), share=share, **more)


def later(clock: SimulatedClock, seconds: float = 1.0) -> None:
    clock.run(clock.sleep(seconds))


def states(fleet: Fleet) -> dict[str, tuple[str, str]]:
    return {each.run: (each.state, each.worker) for each in fleet.entries()}


def test_runs_are_given_out_in_their_order_each_once(fleet: Fleet, clock: SimulatedClock) -> None:
    for run in ("b", "a", "c"):
        fleet.add(entry(run, f"subscription {run}"))
        later(clock)
    fleet.enter("one", at_once=2, silence_s=60)
    fleet.enter("two", at_once=2, silence_s=60)
    taken = [fleet.claim("one"), fleet.claim("two"), fleet.claim("one"), fleet.claim("two")]
    assert [each.run if each else None for each in taken] == ["b", "a", "c", None]
    assert fleet.end("one", "b", FINISHED)
    assert fleet.end("two", "a", HELD, "a person is needed")
    assert states(fleet) == {"b": (FINISHED, ""), "a": (HELD, ""), "c": (WORKING, "one")}
    assert not fleet.end("two", "c", FINISHED), "it is another one's"


def test_what_works_at_once_never_has_more_than_the_whole_of_a_limit(fleet: Fleet) -> None:
    fleet.add(entry("a", "s1", "directory", share=50))
    fleet.add(entry("b", "s1", share=60))
    fleet.add(entry("c", "s1", "directory", share=50))
    fleet.add(entry("d", "s2"))
    fleet.enter("one", at_once=9, silence_s=60)
    assert [each.run for _ in range(4) if (each := fleet.claim("one"))] == ["a", "c", "d"]
    fleet.end("one", "a", FINISHED)
    assert fleet.claim("one") is None, "50 and 60 are more than a whole"
    fleet.end("one", "c", HELD)
    found = fleet.claim("one")
    assert found is not None
    assert found.run == "b"


def test_many_workers_at_the_same_moment_never_share_a_run(place: PostgresPlace, clock: SimulatedClock) -> None:
    with Fleet.open(place, clock) as fleet:
        for number in range(30):
            fleet.add(entry(f"r{number:02}", f"s{number % 5}", share=34))
    taken: dict[str, list[str]] = {}

    def work(name: str) -> None:
        with Fleet.open(place, clock) as mine:
            mine.enter(name, at_once=9, silence_s=60)
            while (found := mine.claim(name)) is not None:
                taken.setdefault(name, []).append(found.run)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    given = sorted(run for runs in taken.values() for run in runs)
    assert len(given) == len(set(given)) == 10, "two of a third in each of five subscriptions"


def test_the_runs_of_a_silent_worker_are_adopted_once(fleet: Fleet, clock: SimulatedClock) -> None:
    fleet.add(entry("a"))
    later(clock)
    fleet.add(entry("b"))
    for name in ("one", "two", "three"):
        fleet.enter(name, at_once=1, silence_s=60)
    fleet.claim("one")
    watch = Watch(clock)
    assert watch.dead(fleet.workers()) == []
    for _ in range(5):
        later(clock, 11)
        assert fleet.beat("two")
        assert fleet.beat("three")
        assert watch.dead(fleet.workers()) == []
    later(clock, 5)
    (dead,) = watch.dead(fleet.workers())
    assert dead.id == "one"
    assert fleet.adopt(dead) == ["a"]
    assert fleet.adopt(dead) == [], "another one was first"
    assert not fleet.beat("one"), "it hears that it was declared dead"
    assert fleet.claim("one") is None
    found = fleet.claim("two")
    assert found is not None
    assert (found.run, found.adopted) == ("a", 1)
    assert "was with one: no sign of life for 60 s, the last one at 2026-06-01 20:00:01 UTC" in found.reason
    assert watch.dead(fleet.workers()) == []


def test_one_sign_of_life_in_between_and_nothing_is_adopted(fleet: Fleet, clock: SimulatedClock) -> None:
    fleet.add(entry("a"))
    fleet.enter("one", at_once=1, silence_s=60)
    fleet.claim("one")
    (seen,) = fleet.workers()
    assert fleet.beat("one")
    assert fleet.adopt(seen) == []
    assert states(fleet) == {"a": (WORKING, "one")}


def test_a_worker_that_only_stood_still_writes_nothing_more(
    fleet: Fleet, place: PostgresPlace, clock: SimulatedClock
) -> None:
    mine, run = Fleet.open(place, clock, application="one"), place.in_schema("crossfade_run")
    fleet.add(entry("a"))
    mine.enter("one", at_once=1, silence_s=60)
    mine.claim("one")
    journal = Journal.open(run, clock, holder=holder_of("one"), synchronous="NORMAL")
    journal.add(Kind.RUN, "r", run_id="r")
    with pytest.raises(LeaseLost):
        Journal.open(run, clock, holder="two")
    (dead,) = fleet.workers()
    assert fleet.adopt(dead) == ["a"]
    with Journal.open(run, clock, holder="two", synchronous="NORMAL") as adopted:
        adopted.note("r", "adopted", run_id="r")
        with pytest.raises(DatabaseLost):
            journal.note("r", "still here", run_id="r")
        with pytest.raises(DatabaseLost):
            mine.beat("one")
        assert [event.reason for event in adopted.events(kind="note")] == ["adopted"]
        assert adopted.verify() == 2


def test_the_database_knows_a_worker_by_its_whole_name(place: PostgresPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the connections of one that stood still would not be ended, and its runs could not be adopted."""
    monkeypatch.setattr(platform, "node", lambda: "Jörgs-sehr-langer-Rechnername-im-dritten-Stock.firma.example")
    name = holder_of(worker.fresh_name())
    with closing(postgres_store.connect(place, name)) as connection:
        assert connection.execute("SHOW application_name").fetchone() == (name,)


def test_a_worker_that_leaves_gives_back_what_it_had(fleet: Fleet) -> None:
    fleet.add(entry("a"))
    fleet.enter("one", at_once=1, silence_s=60)
    fleet.claim("one")
    fleet.leave("one", "SIGTERM")
    (left,) = fleet.entries()
    assert (left.state, left.adopted, left.reason) == (WAITING, 0, "was with one: SIGTERM")
    (worker,) = fleet.workers()
    assert (worker.why, bool(worker.ended_at)) == ("SIGTERM", True)


def test_queueing_again_is_refused_while_a_worker_has_it(fleet: Fleet) -> None:
    fleet.add(entry("a"))
    fleet.enter("one", at_once=1, silence_s=60)
    fleet.claim("one")
    with pytest.raises(Refused, match="Worker one carries it out"):
        fleet.add(entry("a"))
    fleet.end("one", "a", HELD, "")
    fleet.add(entry("a"))
    assert states(fleet) == {"a": (WAITING, "")}
    with pytest.raises(InputError, match="--share"):
        fleet.add(entry("b", share=0))


def test_a_run_whose_claim_was_lost_on_the_way_is_carried_out_all_the_same(
    fleet: Fleet, place: PostgresPlace, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database has given the run, and has taken its end, and was gone before it could say so."""
    lost: list[str] = []

    def once(name: str) -> Callable[..., Any]:
        real = getattr(Fleet, name)

        def call(*args: Any) -> Any:
            done = real(*args)
            if name not in lost:
                lost.append(name)
                raise DatabaseLost("The queue cannot be used.", "", "")
            return done

        return call

    fleet.add(entry("a"))
    for name in ("claim", "end"):
        monkeypatch.setattr(Fleet, name, once(name))
    nobody: Any = None
    means = worker.Means(place.connection_url, clock, nobody, nobody, worker.Stops(), lambda text: None)
    worked = clock.run(asyncio.wait_for(worker.work(means, worker.Terms(until_done=True)), 600))
    assert lost == ["claim", "end"]
    assert worked.held == ["a"], "its folder is not there"
    assert states(fleet) == {"a": (HELD, "")}


def test_a_folder_has_one_run_in_the_queue_besides_what_is_finished(fleet: Fleet) -> None:
    def planned(run: str) -> Entry:
        return msgspec.structs.replace(entry(run), folder="/runs/one")

    fleet.enter("one", at_once=2, silence_s=60)
    fleet.add(planned("first"))
    fleet.claim("one")
    with pytest.raises(Refused, match="Worker one carries run first of the same folder out"):
        fleet.add(planned("second"))
    assert fleet.end("one", "first", FINISHED)
    fleet.add(planned("second"))
    fleet.add(planned("third"))
    assert states(fleet) == {"first": (FINISHED, ""), "third": (WAITING, "")}


def test_a_database_without_a_fleet_and_one_that_is_gone(
    place: PostgresPlace, clock: SimulatedClock, postgres_server: Server
) -> None:
    with pytest.raises(InputError, match="There is no fleet here"):
        look(place, clock)
    with Fleet.open(place, clock) as fleet:
        fleet.add(entry("a"))
        postgres_server.stop()
        try:
            with pytest.raises(DatabaseLost, match=r"The queue .* does not answer any more") as error:
                fleet.beat("one")
        finally:
            postgres_server.start()
        assert PASSWORD not in str(error.value)
    entries, workers = look(place, clock)
    assert [each.run for each in entries] == ["a"]
    assert workers == []


def test_a_server_that_refuses_is_told_as_such(fleet: Fleet) -> None:
    fleet.enter("one", at_once=1, silence_s=60)
    with pytest.raises(JournalMismatch, match="The queue"):
        fleet.enter("one", at_once=1, silence_s=60)


def test_runs_of_one_name_want_what_they_want_each() -> None:
    named = [msgspec.structs.replace(entry(run), name="prod", wants={"roles": 3}) for run in ("a", "b")]
    queued = [*named, entry("c", wants={"roles": 1}), entry("d", state=FINISHED), entry("mine", wants={"roles": 9})]
    found = wanted_by_others(queued, "mine", "/runs/mine")
    assert found == {"prod (a)": {"roles": 3}, "prod (b)": {"roles": 3}, "c": {"roles": 1}}


def test_the_next_is_a_matter_of_the_queue_alone() -> None:
    made = [
        entry("late", added_at="3"),
        entry("early", added_at="1"),
        entry("adopted", added_at="2", adopted=1),
        entry("full", "s", added_at="0"),
        msgspec.structs.replace(entry("busy", "s", added_at="0"), state=WORKING, worker="w"),
    ]
    found = next_of(made)
    assert found is not None
    assert found.run == "adopted"
    assert next_of(made[3:]) is None


def test_a_queue_of_an_earlier_version_is_looked_at_and_gone_on_with(
    fleet: Fleet, place: PostgresPlace, clock: SimulatedClock
) -> None:
    fleet.add(entry("a", wants={"role assignments, subscription x": 7}))
    fleet._connection.execute("ALTER TABLE entry DROP COLUMN wants")
    (seen,), _ = look(place, clock)
    assert (seen.run, seen.wants) == ("a", {})
    with Fleet.open(place, clock) as opened:
        opened.add(entry("b", wants={"role assignments, subscription x": 8}))
        assert [(each.run, each.wants) for each in opened.entries()] == [
            ("a", {}),
            ("b", {"role assignments, subscription x": 8}),
        ]
