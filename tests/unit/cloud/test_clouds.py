"""The clouds and their addresses."""

from __future__ import annotations

import pytest

from crossfade.cloud import clouds
from crossfade.errors import InputError


def test_each_known_cloud_is_https_and_has_scopes() -> None:
    for cloud in clouds.KNOWN.values():
        for place in (cloud.arm, cloud.authority, cloud.graph, cloud.portal):
            assert place.startswith("https://")
            assert not place.endswith("/")
        assert cloud.arm_scope.endswith("/.default")


def test_public_classic_and_its_audience() -> None:
    cloud = clouds.named("Public")
    assert cloud.classic_origin() == "https://rdbroker.wvd.microsoft.com"
    assert cloud.classic_scope == "https://mrs-prod.ame.gbl/mrs-RDInfra-prod/.default"


def test_where_no_classic_service_is_known_we_say_so() -> None:
    with pytest.raises(InputError, match="classic_endpoint"):
        clouds.CHINA.classic_origin()


def test_unknown_clouds_name_the_known_ones() -> None:
    with pytest.raises(InputError, match="china, public, usgovernment"):
        clouds.named("moon")


def test_a_cloud_of_ones_own_is_https_only_and_asks_no_public_directory() -> None:
    with pytest.raises(InputError) as caught:
        clouds.custom("http://localhost:1", graph="http://localhost:2")
    assert len(caught.value.problems) == 2
    cloud = clouds.custom("https://localhost:8443/")
    assert (cloud.arm, cloud.arm_scope) == ("https://localhost:8443", "https://localhost:8443/.default")
    assert not cloud.known_authority


def test_portal_links_escape_names() -> None:
    link = clouds.PUBLIC.portal_link("tid", "/subscriptions/s/resourceGroups/my rg")
    assert link == "https://portal.azure.com/#@tid/resource/subscriptions/s/resourceGroups/my%20rg"
