"""rdp-invalid: a custom RDP property is malformed."""

from __future__ import annotations

import pytest
from asking import without_target
from builders import Estate

from crossfade.assessment.rules.rdp_invalid import RULE
from crossfade.model import rdp


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("audiomode=1", "not name:type:value"),
        ("audiomode:i", "not name:type:value"),
        ("audiomode:x:1", "not name:type:value"),
        ("audiomode:i:loud", "no whole number"),
        ("audiomode:i:0;AudioMode:i:1", "twice"),
        (":i:0", "not name:type:value"),
        ("audiomode:i:9", "clients know 0 to 2"),
        ("redirectclipboard:s:yes", "clients expect a whole number"),
    ],
)
def test_holds(text: str, fault: str) -> None:
    estate = Estate()
    estate.pool("Office", custom_rdp_property=f"drivestoredirect:s:*;{text};")
    (found,) = without_target(RULE, estate)
    assert fault in found.what


@pytest.mark.parametrize(
    "text", ["", "drivestoredirect:s:;", "audiomode:i:0; use multimon:i:1 ;gatewayhostname:s:a:443;x:i:-1;y:b:00FF"]
)
def test_does_not_hold(text: str) -> None:
    assert rdp.parse(text).faults == []
