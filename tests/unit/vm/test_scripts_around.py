"""The self-test for owners parses, and the reference page names everything that the script says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from lab import SCRIPT

from avdtwin.powershell.parse import parse

ROOT = Path(__file__).parents[3]
SELFTEST = (ROOT / "scripts/vm-selftest.ps1").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/reference/move-script.md").read_text(encoding="utf-8")


def test_the_self_test_parses() -> None:
    parse(SELFTEST)


def test_the_self_test_passes_only_parameters_that_the_script_has() -> None:
    declared = set(re.findall(r"^    \[[a-z0-9]+\]\$(\w+)", SCRIPT, re.MULTILINE))
    passed = set(re.findall(r"name = '(\w+)'", SELFTEST))
    assert "RegistrationToken" in passed
    assert passed <= declared


def test_every_code_is_described() -> None:
    codes = set(re.findall(r"Stop-Step '(\w+)'", SCRIPT)) | {"done", "nothing_to_do", "unexpected"}
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()


def test_every_fact_and_parameter_is_described() -> None:
    facts = set(re.findall(r"\$Facts\['(\w+)'\]", SCRIPT))
    parameters = {f"-{name}" for name in re.findall(r"^    \[[a-z0-9]+\]\$(\w+)", SCRIPT, re.MULTILINE)}
    assert {name for name in facts | parameters if f"`{name}`" not in PAGE} == set()


def test_names_are_data() -> None:
    """No text is ever taken for code."""
    for word in ("Invoke-Expression", "iex ", "[scriptblock]::Create", "-EncodedCommand", "cmd.exe", "cmd /c"):
        assert word.lower() not in SCRIPT.lower()


def test_no_download_address_is_built_in() -> None:
    assert re.findall(r"https?://[\w.]+", SCRIPT) == []
