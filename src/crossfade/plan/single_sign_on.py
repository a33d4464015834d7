"""AD FS single sign-on: one setting of the tenant in classic, four properties of each pool in the new service.

The secret is never carried: somebody puts it into Key Vault, and crossfade.toml names the place (facts/classic-service
1.4 and 8.3, facts/arm-service 1.3).
"""

import re
from typing import Any

from crossfade.errors import Problem
from crossfade.inventory.inventory import Inventory
from crossfade.model.classic import Tenant
from crossfade.model.ids import fold
from crossfade.plan.intent import Intent

PROPERTIES = frozenset({"sso_adfs_authority", "sso_client_id", "sso_secret_type", "sso_secret_set"})
"""Of a tenant: translated together, or told together."""
_PLACE = re.compile(
    r"https://[A-Za-z0-9-]{3,24}\.vault\.(azure\.net|azure\.cn|usgovcloudapi\.net)"
    r"/(secrets|certificates)/[A-Za-z0-9-]{1,127}(/[0-9a-fA-F]{32})?"
)
_KINDS = {"sharedkey": "SharedKeyInKeyVault", "certificate": "CertificateInKeyVault"}


def place_of(tenant: Tenant, intent: Intent) -> str:
    """Where in Key Vault the secret is, or empty."""
    wanted = fold(tenant.key)
    return next((place for key, place in intent.single_sign_on.items() if fold(key) == wanted), "")


def properties(tenant: Tenant, intent: Intent) -> dict[str, Any]:
    """What each pool of the tenant gets; nothing without a place for the secret."""
    place = place_of(tenant, intent)
    if not place or not tenant.sso_adfs_authority:
        return {}
    usual = "certificate" if "/certificates/" in place else "sharedkey"
    return {
        "ssoadfsAuthority": tenant.sso_adfs_authority,
        "ssoClientId": tenant.sso_client_id,
        "ssoClientSecretKeyVaultPath": place,
        "ssoSecretType": _KINDS.get(fold(tenant.sso_secret_type or ""), _KINDS[usual]),
    }


def problems(inventory: Inventory, intent: Intent) -> list[Problem]:
    """What in [single_sign_on] cannot be used. A text that is no place may be the secret itself: it is not repeated."""
    tenants = {fold(tenant.key): tenant for tenant in inventory.tenants}
    found = []
    for key, place in intent.single_sign_on.items():
        where, tenant = f'crossfade.toml [single_sign_on] "{key}"', tenants.get(fold(key))
        if tenant is None:
            found.append(Problem(where, "names a tenant that the inventory does not hold.", "Correct the key."))
        elif not tenant.sso_adfs_authority:
            found.append(Problem(where, "is set, but this tenant has no AD FS authority in classic.", "Drop it."))
        if not _PLACE.fullmatch(place):
            mend = "Write the identifier of the secret in Key Vault: https://<vault>.vault.azure.net/secrets/<name>."
            found.append(Problem(where, "is no place in Key Vault.", mend))
    return found
