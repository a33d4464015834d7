"""crossfade.toml: written with every setting explained, read back as it was, wrong in every way at once."""

from __future__ import annotations

import tomllib

import msgspec
import pytest
from builders import SUB, Estate, intent
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.errors import InputError
from crossfade.model.growth import Growth
from crossfade.plan.intent import Accepted, Intent, PoolIntent, Scaling, Sessions, Waves
from crossfade.plan.intent_reader import read_intent
from crossfade.plan.intent_template import POOL_WORDS, SCALING_WORDS, SECTIONS, WORDS, render


def estate() -> Estate:
    found = Estate()
    found.pool("Office & Co")
    found.pool("Kiosk", hosts=1, people=2)
    found.pool('Quoted "pool"\nof two lines')
    return found


FULL = intent(
    growth=Growth(hosts_percent=-12.5, stable_months=30),
    waves=Waves(canary_return=False, headroom=0.1),
    sessions=Sessions(active="log-off-after-grace", message_body='Say "hello"\nto \\ everybody'),
    tags={"owner": "kim", "cost centre": "4711"},
    rename={"g/t/p": "new"},
    pools={"Default Tenant Group/Contoso/kiosk": PoolIntent(outage="when-empty", expected_share=0.5, skip=True)},
    accepted=[Accepted(finding="r:x", by="Kim", reason="known", until="2026-12-31")],
    conflicts={"/subscriptions/x": "adopt"},
    groups={"g/t/p/a": ["id-1", 'id "2"'], "g/t/p/b": []},
    roles={"g/t#RDS Owner#o-1": "grant"},
    scaling={
        "g/t/p": Scaling(begin_peak="08:00", end_peak="18:00", time_zone="UTC", cpus_per_host=4, days=["Monday"]),
    },
    people={"old@contoso.com": "leave out: retired", "x@contoso.com": "y@contoso.com"},
)


@pytest.mark.parametrize("wanted", [Intent(), intent(), FULL])
def test_what_is_written_is_read_again(wanted: Intent) -> None:
    assert read_intent(render(wanted)) == wanted
    again = read_intent(render(wanted, estate().inventory(), estate().target()))
    assert again == wanted


words = st.text(max_size=20)


@settings(max_examples=60)
@given(st.dictionaries(words, words, max_size=3), words, words, st.floats(-90, 500, allow_nan=False))
def test_whatever_names_and_texts_hold(tags: dict[str, str], key: str, body: str, percent: float) -> None:
    wanted = Intent(
        tags=tags,
        pools={key: PoolIntent(name="x")},
        sessions=Sessions(message_body=body),
        growth=Growth(hosts_percent=percent),
    )
    assert read_intent(render(wanted, estate().inventory())) == wanted


def test_every_setting_is_explained() -> None:
    for section in SECTIONS:
        kind = type(getattr(Intent(), section))
        assert set(WORDS[section]) == {field.name for field in msgspec.structs.fields(kind)}
    assert set(POOL_WORDS) == {field.name for field in msgspec.structs.fields(PoolIntent)}
    members = {field.name for field in msgspec.structs.fields(Intent)}
    assert set(SCALING_WORDS) == {field.name for field in msgspec.structs.fields(Scaling)}
    tables = {"rename", "tags", "pools", "accepted", "conflicts", "groups", "roles", "people", "single_sign_on"}
    tables |= {"scaling"}
    assert members == {*SECTIONS, *tables}


def test_pools_are_there_as_comments_and_a_single_host_is_told() -> None:
    text = render(intent(), estate().inventory(), estate().target()).decode()
    assert '# [pools."Default Tenant Group/Contoso/Office & Co"]' in text
    assert "# pooled, 1 hosts, 2 people" in text
    assert '# outage = "when-empty"' in text.partition("Contoso/Kiosk")[2].partition("Contoso/Office")[0]
    assert "One of: northeurope, westeurope." in text
    assert all(len(line) <= 130 for line in text.splitlines())
    uncommented = text.replace(
        '# [pools."Default Tenant Group/Contoso/Kiosk"]', '[pools."Default Tenant Group/Contoso/Kiosk"]'
    )
    uncommented = uncommented.replace('\n# outage = "when-empty"', '\noutage = "when-empty"')
    assert read_intent(uncommented.encode()).pool("Default Tenant Group/Contoso/Kiosk").outage == "when-empty"


def test_every_problem_at_once_with_its_line() -> None:
    text = f"""[azure]
subscription = "{SUB}"
locaton = "westeurope"

[waves]
size = 0
headroom = nan
soak_minutes = "ten"

[sessions]
active = "shoot"
quiet_from = "25:00"
quiet_utc_offset_hours = 99

[pools."a/b/c"]
outage = "always"
expected_share = 2.0

[[accepted]]
finding = "r:x"
by = ""
reason = "r"
until = "20261231"

[conflicts]
"/x" = "delete"

[wave]
"""
    with pytest.raises(InputError) as caught:
        read_intent(text.encode())
    told = [str(problem) for problem in caught.value.problems]
    wanted = {
        "crossfade.toml:3": "Did you mean location?",
        "crossfade.toml:6": "waves.size must be at least 1",
        "crossfade.toml:7": "waves.headroom must be from 0 to 2",
        "crossfade.toml:8": "soak_minutes",
        "crossfade.toml:11": "sessions.active must be one of",
        "crossfade.toml:12": "hh:mm",
        "crossfade.toml:13": "from -14 to 14",
        "crossfade.toml:16": "outage must be one of",
        "crossfade.toml:17": "expected_share must be above 0",
        "crossfade.toml:26": "must be update or adopt",
        "crossfade.toml:28": "Did you mean waves?",
    }
    for where, what in wanted.items():
        assert any(line.startswith(f"{where}:") and what in line for line in told), (where, told)
    assert any("until is no day" in line for line in told)
    assert any("by is empty" in line for line in told)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"[azure\n", "crossfade.toml:1"),
        (b"\n\xff", "crossfade.toml:2: is not UTF-8"),
        (b"pools = 3", "pools must be a table"),
        (b"accepted = 3", "accepted must be a list"),
        (b"azure = 3", "azure must be a table"),
        (b"[tags]\nowner = 3", "Write texts in quotes"),
        (b"[[accepted]]\nby = 'x'", "lacks finding"),
        (b"[installers]\nagent_url = 'http://x/a.msi'", "crossfade.toml:2: installers.agent_url must begin with https"),
        (b"[installers]\nboot_loader = 'loader.msi'", "crossfade.toml:2: installers.boot_loader must be a full path"),
        (b"[installers]\nagent_version = 'latest'", "crossfade.toml:2: installers.agent_version is no version"),
        (b"[sessions]\nquiet_to = '20:00'", "crossfade.toml:2: sessions.quiet_to is quiet_from"),
        (b"[names]\nworkspace = '{pool}'", "crossfade.toml:2: names.workspace cannot hold {pool}"),
        (b"[pools.'a/b/c']\nresource_group = '{tenent}'", "crossfade.toml:2: .*cannot hold {tenent}. Known here: loc"),
        (b"[pools.'a/b/c']\nskip = true\n[pools.'A/b/c']", "crossfade.toml:3: pools names A/b/c twice"),
        (b"[people]\n'a@x' = 'b@x'\n'A@x' = 'leave out: gone'", "crossfade.toml:3: people names A@x twice"),
    ],
)
def test_what_is_no_intent(data: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_intent(data)


def test_an_empty_file_is_all_defaults() -> None:
    assert read_intent(b"") == Intent()
    assert tomllib.loads(render(Intent()).decode())["azure"]["location"] == ""
