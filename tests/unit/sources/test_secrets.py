"""Secrets end at the door of a reader."""

import pytest

from crossfade.sources.secrets import HIDDEN, is_secret, without_secrets

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJSZWdpc3RyYXRpb25JZCI6IngifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "name",
    ["Token", "token", "SsoClientSecret", "ssoClientSecret", "LogAnalyticsPrimaryKey", "AdminPassword", "sharedKey"],
)
def test_of_a_secret_only_that_it_is_set_remains(name: str) -> None:
    assert is_secret(name)
    assert without_secrets({name: "x"}) == {f"{name}Set": True}
    assert without_secrets({name: None}) == {f"{name}Set": False}
    assert without_secrets({name: ""}) == {f"{name}Set": False}


@pytest.mark.parametrize("name", ["SsoClientSecretType", "ssoClientSecretKeyVaultPath", "Key", "TokenExpires", "Name"])
def test_what_is_about_a_secret_is_none(name: str) -> None:
    assert without_secrets({name: "x"}) == {name: "x"}


def test_texts_shaped_like_tokens_are_hidden_wherever_they_are() -> None:
    found = without_secrets(
        {"Description": f"use {JWT} now", "Deep": [{"Header": f"Bearer {'a1' * 10}", "Token": JWT}]}
    )
    assert found == {"Description": f"use {HIDDEN} now", "Deep": [{"Header": HIDDEN, "TokenSet": True}]}
