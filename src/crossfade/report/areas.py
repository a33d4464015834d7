"""Settings by area, as the report counts them: six areas, and whatever is none of them."""

from collections.abc import Iterable

import msgspec

from crossfade.verification.verification import SettingCheck

VERDICTS = ("equal", "translated", "not-carried", "different")
AREAS: dict[str, tuple[str, ...]] = {
    "Remote sessions (RDP properties)": ("customRdpProperty", "custom_rdp_property"),
    "Apps: paths, arguments, icons": (
        *("filePath", "iconPath", "iconIndex", "icon", "commandLineSetting", "commandLineArguments"),
        *("applicationType", "app_alias", "fileVirtualPath"),
    ),
    "What people see: titles, visibility, preferred kind": (
        *("friendlyName", "description", "showInFeed", "showInPortal", "preferredAppGroupType", "workspace"),
        *("friendly_name", "name", "folderName", "title"),
    ),
    "Sign-on": (
        *("ssoadfsAuthority", "ssoClientId", "ssoClientSecretKeyVaultPath", "ssoSecretType"),
        *("sso_adfs_authority", "sso_client_id", "sso_secret_type", "sso_secret_set"),
    ),
    "Host pools: balancing, limits, assignment, validation": (
        *("hostPoolType", "loadBalancerType", "maxSessionLimit", "validationEnvironment", "ring", "startVMOnConnect"),
        *("personalDesktopAssignmentType", "load_balancer", "assignment", "allow_new_session"),
    ),
    "Logs and scaling": (
        *("diagnostics", "log_analytics_workspace_id", "log_analytics_key_set"),
        *("schedules", "timeZone", "exclusionTag", "hostPoolReferences"),
    ),
}
OTHER = "Everything else: roles, places, labels"
_OF = {name: area for area, names in AREAS.items() for name in names}


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """One area and how its settings came out, by verdict."""

    name: str
    counts: dict[str, int]


def areas(checks: Iterable[SettingCheck]) -> list[Area]:
    """Every area, also one without settings: that nothing is there is an answer too."""
    counts = {area: dict.fromkeys(VERDICTS, 0) for area in (*AREAS, OTHER)}
    for check in checks:
        counts[_OF.get(check.property, OTHER)][check.verdict] += 1
    return [Area(name=area, counts=found) for area, found in counts.items()]
