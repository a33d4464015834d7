"""The bundle of a real run: complete, readable, without secrets, without people when asked; also of a broken folder."""

from __future__ import annotations

import json
import re
import sqlite3
import zipfile
from pathlib import Path

import pytest
from stage import Stage, personal, pooled, spec_of
from test_secrets import SPEC, listen

from crossfade.commands.support_bundle import support_bundle
from crossfade.commands.workspace import Workspace
from crossfade.errors import InputError

PLANTED = "PLANTED-by-hand"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("supported")


@pytest.fixture(scope="module")
def stage(folder: Path) -> Stage:
    stage = Stage.of(SPEC, folder)
    stage.make_plan()
    assert stage.apply().state == "finished"
    (folder / "crossfade.toml").write_text(f'[azure]\n# mine\npassword = "{PLANTED}"\n[tags]\nowner = "x"\n')
    return stage


def contents(path: str) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as bundle:
        assert bundle.testzip() is None
        return {name.removeprefix("crossfade-support/"): bundle.read(name) for name in bundle.namelist()}


def test_it_holds_what_a_helper_needs(stage: Stage, tmp_path: Path) -> None:
    made = support_bundle(stage.workspace, tmp_path / "b.zip", environ={})
    found = contents(made.path)
    assert sorted(found) == made.parts
    assert not made.unread
    assert json.loads(found["status.json"])["state"] == "finished"
    assert json.loads(found["versions.json"])["packages"]["msgspec"]
    events = [json.loads(line) for line in found["journal/events.jsonl"].splitlines()]
    assert len(events) == json.loads(found["journal/proof.json"])["events"]
    assert json.loads(found["plan.json"])["format"] == stage.plan.format
    assert b"journal.db" in found["files.txt"]
    assert b'owner = "x"' in found["crossfade.toml"]


def test_no_secret_is_in_it(tmp_path: Path) -> None:
    stage = Stage.of(SPEC, tmp_path / "run")
    secrets = listen(stage)
    stage.make_plan()
    stage.apply()
    (tmp_path / "run" / "crossfade.toml").write_text(f'client_secret = "{PLANTED}"\n')
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    plan["notes"].append(f"Somebody wrote AccountKey={PLANTED}; and {max(secrets, key=len)}")
    plan["settings"]["password"] = PLANTED
    for path in (tmp_path / "run").rglob("plan.json"):
        path.write_text(json.dumps(plan))
    made = support_bundle(Workspace(tmp_path / "run"), environ={"CROSSFADE_CLIENT_SECRET": "PLANTED-operator"})
    assert len(secrets) > 5
    for name, data in contents(made.path).items():
        assert b"PLANTED" not in data, name
        assert not [secret[:12] for secret in secrets if secret.encode() in data], name


def test_people_are_strangers_when_asked(stage: Stage, tmp_path: Path) -> None:
    people = {person for group in stage.plan.access for person in group.people}
    plain = contents(support_bundle(stage.workspace, tmp_path / "a.zip", environ={}).path)
    hidden = contents(support_bundle(stage.workspace, tmp_path / "b.zip", redact_people=True, environ={}).path)
    assert people
    seen = b"".join(plain.values()).lower()
    assert all(person.encode() in seen for person in people)
    for name, data in hidden.items():
        assert not [person for person in people if person.encode() in data.lower()], name
        assert not re.search(rb"[\w.-]@\w", data.replace(b"@1", b"")), name
    assert len(json.loads(hidden["plan.json"])["access"]) == len(stage.plan.access)


def test_a_folder_with_a_damaged_journal_is_bundled_all_the_same(tmp_path: Path) -> None:
    stage = Stage.of(spec_of(pooled(hosts=2), personal(hosts=1)), tmp_path)
    stage.make_plan()
    stage.apply()
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        connection.execute("DROP TRIGGER event_is_append_only_update")
        connection.execute("UPDATE event SET reason = 'nothing happened' WHERE seq = 3")
    made = support_bundle(stage.workspace, environ={})
    assert set(made.unread) == {"journal/proof.json"}
    assert "journal/proof.json.error.txt" in made.parts
    (tmp_path / "journal.db").write_bytes(b"no database at all" * 100)
    (tmp_path / "findings.json").write_bytes(b"{ half of it")
    made = support_bundle(stage.workspace, tmp_path / "again.zip", environ={})
    assert {"status.json", "journal/events.jsonl", "findings.json"} <= set(made.unread)
    assert "plan.json" in made.parts


def test_nothing_is_written_over_and_an_empty_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        support_bundle(Workspace(tmp_path), tmp_path / "b.zip")
    assert (tmp_path / "b.zip").read_text() == "mine"
    with pytest.raises(InputError, match="is not there"):
        support_bundle(Workspace(tmp_path / "nowhere"))
