"""`/metadata/endpoints`: how a client learns where a cloud's services are. The twin has them all at one address.

Clients of 2022-09-01 want one object, those of 2019-05-01 a list (facts: dependencies 10).
"""

from typing import Any

from avdtwin.arm.errors import GatewayResponse
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World


def register(router: Router) -> None:
    router.add("GET", "/metadata/endpoints", endpoints)


def endpoints(world: World, request: Request) -> Response:
    version = request.query.get("api-version", "")
    if version.startswith("2015"):
        return GatewayResponse(body=_oldest(request))
    if version >= "2022":
        return GatewayResponse(body=_cloud(request))
    return GatewayResponse(body=[_cloud(request)])


def _cloud(request: Request) -> dict[str, Any]:
    here = request.origin
    return {
        "portal": here,
        "authentication": {
            "loginEndpoint": here,
            "audiences": [f"{here}/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "media": here,
        "graphAudience": here,
        "graph": here,
        "microsoftGraphResourceId": here,
        "name": "avdtwin",
        "suffixes": {
            "azureDataLakeStoreFileSystem": "azuredatalakestore.invalid",
            "acrLoginServer": "azurecr.invalid",
            "sqlServerHostname": "database.invalid",
            "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.invalid",
            "keyVaultDns": "vault.invalid",
            "storage": "core.invalid",
            "azureFrontDoorEndpointSuffix": "azurefd.invalid",
        },
        "batch": here,
        "resourceManager": f"{here}/",
        "vmImageAliasDoc": f"{here}/metadata/aliases.json",
        "activeDirectoryDataLake": here,
        "sqlManagement": here,
        "gallery": f"{here}/",
    }


def _oldest(request: Request) -> dict[str, Any]:
    cloud = _cloud(request)
    authentication = {key: cloud["authentication"][key] for key in ("loginEndpoint", "audiences")}
    return {
        "galleryEndpoint": cloud["gallery"],
        "graphEndpoint": cloud["graph"],
        "portalEndpoint": cloud["portal"],
        "authentication": authentication,
    }
