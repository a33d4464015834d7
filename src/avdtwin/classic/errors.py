"""What the classic service says when it refuses: its codes, their HTTP statuses, its payload.

The codes are those of module 1.0.1932.5500, complete and in its spelling (facts/classic-service 2.12). A client must
decide by code: which status goes with which is only partly known (2.10), so the doubtful ones follow settings.
"""

from typing import Any

from avdtwin.wire import Response, WireError
from avdtwin.world import World

CODES: dict[str, int] = {
    "DefaultNoRdsError": 0,
    "UnknownError": 1,
    "Cancelled": 2,
    "UnauthorizedAccess": 3,
    "NotImplemented": 4,
    "MSWaraIsIncorrect": 5,
    "DeploymentNotFound": 6,
    "DeploymentUriNotWellFormed": 7,
    "DeploymentUriNotHttps": 8,
    "DeploymentUriNotCorrect": 9,
    "ContextDoesNotExist": 10,
    "AccessTokenIsNull": 11,
    "CertificateNotFound": 12,
    "MinimumApiVersionNeeded": 13,
    "ParallelExecutionOnSameRecordError": 14,
    "TenantNotFound": 1000,
    "TenantCannotBeCreated": 1001,
    "TenantAlreadyExists": 1002,
    "TenantAadTenantIdNotValid": 1003,
    "TenantAdfsDomainNotValid": 1004,
    "TenantListIsEmpty": 1005,
    "TenantCannotBeRemovedHasSessionHostPools": 1006,
    "TenantCannotBeRemoved": 1007,
    "TenantCannotUpdate": 1008,
    "TenantAadTenantIsNotConsented": 1009,
    "TenantIncorrectSortField": 1010,
    "TenantGroupIncorrectSortField": 1011,
    "TenantGroupNotFound": 1012,
    "TenantGroupCannotBeCreated": 1013,
    "TenantGroupAlreadyExists": 1014,
    "TenantGroupCannotBeRemoved": 1015,
    "TenantGroupCannotBeUpdate": 1016,
    "SubscriptionIdNotGuid": 1017,
    "LogAnalyticsWorkspaceIdNotGuid": 1018,
    "TenantCreationWithServicePrincipalsNotSupported": 1019,
    "MaxTenantsLimitPerAADTenantIdReached": 1020,
    "HostPoolNotFound": 2000,
    "HostPoolCannotBeCreated": 2001,
    "HostPoolAlreadyExists": 2002,
    "HostPoolListIsEmpty": 2003,
    "HostPoolCannotBeRemovedHasSessionHosts": 2004,
    "HostPoolCannotBeRemovedHasApplicationGroups": 2005,
    "HostPoolCannotBeRemoved": 2006,
    "HostPoolCannotBeUpdated": 2007,
    "HostPoolRingUpdateNotAdmin": 2008,
    "HostPoolValidationEnvUpdateNotAdmin": 2009,
    "StartMenuAppListIsEmpty": 2010,
    "StartMenuAppListIsNotAvailable": 2011,
    "StartMenuAppListTooManyForAlias": 2012,
    "StartMenuAppListNoMatchingAppForAlias": 2013,
    "UserPrincipalNamesIsEmpty": 2014,
    "HostPoolNoSessionHosts": 2015,
    "HostPoolIncorrectFormatCustomRdpProperties": 2016,
    "HostPoolActiveSessionLimitMinNotValid": 2017,
    "HostPoolBrokerActionConnectionNotValid": 2018,
    "HostPoolClientDeviceRedirectionOptionsNotValid": 2019,
    "HostPoolClientDeviceRedirectionOptionsHexValueNotValid": 2020,
    "HostPoolDisconnectedSessionLimitNotValid": 2021,
    "HostPoolEncryptionLevelNotValid": 2022,
    "HostPoolIdleSessionLimitNotValid": 2023,
    "HostPoolMaxRedirectionMonitorsNotValid": 2024,
    "HostPoolSecurityLayerNotValid": 2025,
    "HostPoolMaxUserProfileDiskGB": 2026,
    "HostPoolIncorrectSortField": 2027,
    "MaxSessionLimitCannotBeChangedForPersonalDesktopHostPool": 2028,
    "LoadBalancerCannotBeChangedForPersonalDesktoptHostPool": 2029,
    "UnsupportedCombinationOfLoadBalancerAndPoolType": 2030,
    "UnsupportedUpdateForHostPoolType": 2031,
    "UnsupportedUpdateForPDAssignmentType": 2032,
    "UnsupportedAssignmentTypeUpdateForSharedDesktopPool": 2033,
    "HostPoolTypeIsNotPersonalDesktop": 2034,
    "MaxHostPoolsLimitPerTenantReached": 2035,
    "SessionLimitTooHigh": 2036,
    "TokenCountIsZero": 3000,
    "TokenOutOfRange": 3001,
    "TokenExistsForHostPool": 3002,
    "TokenDoesNotExist": 3003,
    "TokenUnableToCreate": 3004,
    "ExpirationUTCTimeOnObjectPrecedesCurrentTime": 3005,
    "ExpirationUTCTimeIsMoreThan60DaysFromNow": 3006,
    "SigningCertExpiresBeforeExpirationUTCTime": 3007,
    "ActivitiesNotFound": 4000,
    "ActivitiesNotValid": 4001,
    "ActivityIdNotFound": 4002,
    "ActivityIdNotValid": 4003,
    "DiagnosticsIncorrectSortField": 4004,
    "SessionHostListIsEmpty": 5000,
    "SessionHostNotFound": 5001,
    "SessionHostMaxSessionZero": 5002,
    "SessionHostCannotBeRemoved": 5003,
    "SessionHostNotActive": 5004,
    "SessionHostCannotBeUpdated": 5005,
    "SessionHostIsWindows10Client": 5006,
    "SessionHostUnreachable": 5007,
    "SessionHostUserSessionsExist": 5008,
    "SessionHostFailedToSendMessage": 5009,
    "SessionHostFailedToSendMessageUnreachable": 5010,
    "SessionHostFailedToSendMessageSessionHostNotExist": 5011,
    "SessionHostFailedToSendMessageSessionIdNotExist": 5012,
    "SessionHostDisconnectUnreachable": 5013,
    "SessionHostDisconnectSessionHostFailed": 5014,
    "SessionHostDisconnectSessionHostNotExist": 5015,
    "SessionHostDisconnectSessionIdNotExist": 5016,
    "SessionHostLogoffUnreachable": 5017,
    "SessionHostLogoffSessionHostFailed": 5018,
    "SessionHostLogoffSessionHostNotExist": 5019,
    "SessionHostLogoffSessionIdNotExist": 5020,
    "SessionHostIncorrectSortField": 5021,
    "SessionHostManagementOperationFailure": 5022,
    "OperationFailedTimeout": 5023,
    "SesionHostAlreadyAssignedToUser": 5024,
    "UserAlreadyAssignedOneSessionHostInPool": 5025,
    "SessionNotFound": 5026,
    "AppGroupNotFound": 6000,
    "AppGroupIdNotFound": 6001,
    "AppGroupListNotFound": 6002,
    "AppGroupCannotBeCreated": 6003,
    "AppGroupCannotBeCreatedForPersonalDesktopHostPool": 6004,
    "AppGroupCannotBeRemoved": 6005,
    "AppGroupCannotBeUpdated": 6006,
    "AppGroupAlreadyExists": 6007,
    "AppGroupIsDesktop": 6008,
    "AppGroupNotValid": 6009,
    "PublishedItemsExist": 6010,
    "PublishedItemsCannotBeFound": 6011,
    "PublishedItemCountIsZero": 6012,
    "PublishedItemCannotBeRemoved": 6013,
    "PublishedItemCannotBeUpdated": 6014,
    "PublishedItemCannotBeCreated": 6015,
    "RemoteAppFilePathDoesNotExistOnSessionHost": 6016,
    "RemoteAppCannotFindIconPathOnSessionHost": 6017,
    "RemoteAppIconIndexIconPathNotExist": 6018,
    "RemoteAppCommandLineSettingIsNotValid": 6019,
    "RemoteAppNoSessionHostsAvailable": 6020,
    "RemoteAppAlreadyExists": 6021,
    "RemoteAppNotFound": 6022,
    "RemoteAppCannotBeFound": 6023,
    "RemoteAppCannotBeCreated": 6024,
    "RemoteAppCannotBeUpdated": 6025,
    "RemoteAppCannotBeRemoved": 6026,
    "RemoteAppIncorrectSortField": 6027,
    "DesktopAppGroupAlreadyExists": 6028,
    "RemoteAppInvalidFilePath": 6029,
    "RemoteAppInvalidIconPath": 6030,
    "UpnNotInAad": 6031,
    "UpnDoesNotMatchAdfsDomin": 6032,
    "UpnAlreadyHasDesktopRights": 6033,
    "UpnAlreadyHasRemoteAppAssignment": 6034,
    "UpnIsNotAssignedToAppGroup": 6035,
    "AppGroupUserIncorrectSortField": 6036,
    "StartMenuAppIncorrectSortField": 6037,
    "DesktopDoesNotExist": 6038,
    "ApplicationGroupIncorrectSortField": 6039,
    "RemoteAppNotAllowedOnDesktopAppGroup": 6040,
    "StartMenuAppNotFoundForGivenAlias": 6041,
    "AppGroupCannotBeCreatedForWin7HostPool": 6042,
    "MaxApplicationGroupsLimitPerHostPoolReached": 6043,
    "MaxRemoteAppsLimitPerAppGroupReached": 6044,
    "NameNotValidLength": 7000,
    "NameNotValidCharacters": 7001,
    "NameNotValidWhiteSpace": 7002,
    "FriendlyNameNotValidLength": 7003,
    "FriendlyNameNotValidWhiteSpace": 7004,
    "DescriptionNameNotValidLength": 7005,
    "DescriptionNotValidWhiteSpace": 7006,
    "ContextNotFound": 7007,
    "MustSpecifyDeploymentScope": 7008,
    "NameDoesNotMatchObject": 7009,
    "FilePathNotValidWhiteSpace": 7010,
    "IconPathNotValidWhiteSpace": 7011,
    "InvalidAuthorizationRoleScope": 8000,
    "UserNotFound": 8001,
    "RoleNotFound": 8002,
    "RoleAssignmentFailed": 8003,
    "RoleRemovalFailed": 8004,
    "UserNotFoundInAAD": 8005,
    "GroupNotFound": 8006,
    "GroupNotFoundInAAD": 8007,
    "TenantConsentRequired": 8008,
    "TenantNewConsentRequired": 8009,
    "AADParameterCausesBadRequest": 8010,
    "AADTenantDisabled": 8011,
    "RequestThrottled": 8012,
    "AADInternalServerError": 8013,
    "UserIdentityNotResolvedForTenant": 8014,
    "MaxRoleAssignmentLimitPerObjectReached": 8015,
    "LastOwnerCannotBeRemoved": 8016,
    "InvalidLogsConfiguration": 9000,
    "WorkspaceNotFound": 10000,
    "WorkspaceCannotBeUpdated": 10001,
}

_STATUS: dict[str, int | str] = {
    "UnauthorizedAccess": "classic_no_role_status",
    "AccessTokenIsNull": 401,
    "MSWaraIsIncorrect": 401,
    "NotImplemented": 501,
    "RequestThrottled": 429,
    "AADInternalServerError": 500,
    "HostPoolRingUpdateNotAdmin": 403,
    "LastOwnerCannotBeRemoved": 409,
    "DesktopAppGroupAlreadyExists": "classic_duplicate_status",
}
"""Code -> status, or the setting that holds it. Codes that are not here go by the groups below, else 400."""

_DUPLICATE = {"TenantAlreadyExists", "TenantGroupAlreadyExists", "HostPoolAlreadyExists", "AppGroupAlreadyExists"} | {
    "RemoteAppAlreadyExists",
    "TokenExistsForHostPool",
}
_NOT_EMPTY = {
    "TenantCannotBeRemovedHasSessionHostPools",
    "TenantGroupCannotBeRemoved",
    "HostPoolCannotBeRemovedHasSessionHosts",
    "HostPoolCannotBeRemovedHasApplicationGroups",
    "SessionHostUserSessionsExist",
    "AppGroupCannotBeRemoved",
}
_MISSING = {
    "DesktopDoesNotExist",
    "TokenDoesNotExist",
    "UpnIsNotAssignedToAppGroup",
    "UserNotFoundInAAD",
    "GroupNotFoundInAAD",
    "RoleRemovalFailed",
}
_MISSING_ENDINGS = ("NotFound", "HostNotExist", "IdNotExist")
_TEXT_CHECKS = range(7000, 7012)

_MESSAGES = {
    "UnauthorizedAccess": "The user isn't authorized to query the management service.",
    "HostPoolCannotBeRemovedHasSessionHosts": "SessionHostPool could not be deleted",
    "HostPoolCannotBeRemovedHasApplicationGroups": "SessionHostPool could not be deleted",
    "UpnNotInAad": "The specified UserPrincipalName doesn't exist in the Azure Active Directory associated with the "
    "Remote Desktop tenant.",
    "UpnAlreadyHasRemoteAppAssignment": "The specified UserPrincipalName is already assigned to a RemoteApp app group "
    "in the specified Host Pool.",
    "UpnAlreadyHasDesktopRights": "The specified UserPrincipalName is already assigned to the Desktop app group in the "
    "specified Host Pool.",
    "NameDoesNotMatchObject": "Object name and path name do not match.",
}
"""Fragments seen in documentation (2.13); the rest say their code in words."""


def refusal(world: World, code: str, message: str | None = None) -> WireError:
    """The error to raise for a code, by its symbolic name."""
    return WireError(Response(status=status_of(world, code), body=payload(world, code, message)))


def status_of(world: World, code: str) -> int:
    found = _STATUS.get(code)
    if isinstance(found, int):
        return found
    if found is not None:
        return int(world.setting(found))
    if code in _DUPLICATE:
        return int(world.setting("classic_duplicate_status"))
    if code in _NOT_EMPTY:
        return int(world.setting("classic_not_empty_status"))
    if code in _MISSING or code.endswith(_MISSING_ENDINGS):
        return 404
    return int(world.setting("classic_validation_status")) if CODES[code] in _TEXT_CHECKS else 400


def payload(world: World, code: str, message: str | None = None) -> dict[str, Any]:
    """The body of 2.11; whether `code` is the name or the number is not known, so a setting says."""
    shown = str(CODES[code]) if world.setting("classic_error_code") == "number" else code
    text = message or _MESSAGES.get(code) or _in_words(code)
    return {"error": {"code": shown, "message": text, "target": None, "details": [], "innererror": None}}


def _in_words(code: str) -> str:
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in code).strip()
    return f"{words[:1].upper()}{words[1:]}."
