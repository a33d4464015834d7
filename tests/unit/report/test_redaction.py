"""Secrets of every kind do not leave the house; people only when asked to stay."""

from __future__ import annotations

import json

import pytest

from crossfade.report.redaction import HIDDEN, Redaction, is_secret_name

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJQTEFOVEVEIjoiUExBTlRFRCJ9.PLANTED-sig"
SECRETS = {
    "a token": f"the service said {JWT}",
    "a header": "Authorization: Bearer PLANTEDPLANTED123",
    "a basic header": "Basic UExBTlRFRFBMQU5URUQ=PLANTED",
    "a database": "postgresql://crossfade:PLANTED@db.example/runs",
    "a signed address": "https://x.blob.core.windows.net/c/agent.msi?sv=2022&sig=PLANTED%3D&se=2026",
    "a storage account": "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=PLANTED==;EndpointSuffix=y",
    "a service bus": "Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=PLANTED=",
    "a slack hook": "https://hooks.slack.com/services/T0/B0/PLANTED",
    "a teams hook": "https://contoso.webhook.office.com/webhookb2/PLANTED",
    "a workflow": "https://prod-1.westeurope.logic.azure.com:443/workflows/PLANTED",
    "a key": "-----BEGIN RSA PRIVATE KEY-----\nPLANTED\n-----END RSA PRIVATE KEY-----",
    "a key cut off": "-----BEGIN PRIVATE KEY-----\nPLANTED",
    "a setting": 'client_secret = "PLANTED"',
    "a setting in yaml": "password: PLANTED",
    "what the environment held": "it was PLANTED-from-environment",
}
NAMES = ("clientSecret", "client_secret", "password", "registrationToken", "token", "LogAnalyticsPrimaryKey", "apiKey")


@pytest.mark.parametrize("kind", SECRETS)
def test_no_kind_of_secret_stays_in_text_or_data(kind: str) -> None:
    redaction = Redaction({"PLANTED-from-environment"})
    assert "PLANTED" not in redaction.text(SECRETS[kind])
    if "setting" not in kind:  # in data, a setting is a member with a name
        assert "PLANTED" not in json.dumps(redaction.data({"why": [SECRETS[kind]]}))


@pytest.mark.parametrize("name", NAMES)
def test_a_member_with_a_secrets_name_loses_what_it_holds(name: str) -> None:
    assert Redaction().data({name: "x1", "other": {name: ["x2"]}}) == {name: HIDDEN, "other": {name: [HIDDEN]}}


@pytest.mark.parametrize(
    "name", ["keyVaultPath", "tokens_revoked", "token_expires_id", "key", "host", "vm", "secret_path"]
)
def test_what_is_no_secret_stays(name: str) -> None:
    assert not is_secret_name(name)
    assert Redaction().data({name: "value"}) == {name: "value"}


def test_ordinary_words_stay() -> None:
    text = "wave-01 moving: 3 hosts; the token was renewed; see https://portal.azure.com/#@contoso/resource?x=1"
    assert Redaction().text(text) == text


def test_people_stay_unless_asked_to_go() -> None:
    assert Redaction().text("alice@contoso.com") == "alice@contoso.com"


def test_a_person_is_the_same_stranger_everywhere() -> None:
    redaction = Redaction(people=["alice@contoso.com", "b.o'brien@contoso.com", "ghost"])
    text = redaction.text("Alice@Contoso.com, b.o'brien@contoso.com and unknown_ext.com#EXT#@x.onmicrosoft.com; Ghost.")
    assert text == "person-0002, person-0003 and person-0004; person-0001."
    data = redaction.data(
        {"alice@contoso.com": "id-1", "id": "retract:Office Apps#alice@contoso.com", "actor": "olivia"}
    )
    assert data == {"person-0002": "id-1", "id": "retract:Office Apps#person-0002", "actor": "person-0005"}


def test_ourselves_are_no_person() -> None:
    assert Redaction(people=[]).data({"actor": "crossfade"}) == {"actor": "crossfade"}
