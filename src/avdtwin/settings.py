"""Rules of the twin that a run may tune, each with the documented or usual value as its default.

Times are seconds. `(low, high)` pairs are the bounds of a uniform draw.
"""

from typing import Any

DEFAULTS: dict[str, Any] = {
    # wire
    "latency_s": (0.03, 0.25),
    "rights_enforced": True,
    "limits_enforced": True,
    "arm_limits_enforced": True,
    "arm_rates": {  # calls of a principal in a subscription: what the bucket holds, and what flows in per second
        "reads": [250, 25],
        "writes": [200, 10],
        "deletes": [200, 10],
    },
    "arm_rates_of_all": 15,  # all principals of a subscription together have so many times as much
    "session_host_list_limit": 6000,
    "provider_call_limit": 10000,
    "graph_extension_settings": True,  # whether Resource Graph tells what a VM's extension was set to
    "resource_graph_per_5s": 15,  # queries of a caller; 0: none is refused
    "quotas_enforced": True,  # of role assignments, application groups and applications
    "arm_names_enforced": True,
    "role_assignments_per_subscription": 4000,
    "role_assignments_per_object": 200,
    "application_groups_per_tenant": 500,
    "compute_limits_enforced": True,
    "compute_rates": {  # calls of a subscription in 3 and in 30 minutes, see `compute.limits`
        "HighCostGet": [160, 800],
        "LowCostGet": [4000, 32000],
        "GetOperation": [15000, 45000],
        "UpdateVM": [1500, 7500],
    },
    "graph_limits_enforced": True,
    "graph_units_per_10s": None,  # None: by the size of the directory
    "graph_writes_per_150s": 3000,
    # sign-in
    "access_token_s": 3599,
    "clock_skew_s": 300.0,
    "device_code_s": 900.0,
    "device_code_interval_s": 5,
    "applications_per_group": 500,
    "arm_child_page": 300,
    "arm_list_page": 100,
    "arm_location": "relative",  # as recorded on 201; or "absolute", for clients that poll it (`az resource create`)
    "groups_linger_s": 0.0,
    # classic: what its facts leave open (facts/classic-service 2.14), and what takes time there
    "classic_create_answer": "object",  # or "empty": 200 without a body
    "classic_delete_status": 200,  # or 204; registration infos always answer 200
    "classic_duplicate_status": 409,  # or 400
    "classic_not_empty_status": 409,  # or 400
    "classic_validation_status": 400,  # or 500: broken name rules, as documented
    "classic_no_role_status": 403,  # or 401
    "classic_error_code": "name",  # or "number"
    "classic_link_header": True,
    "classic_page_cap": 1000,
    "classic_page_unasked": None,  # rows without PageSize; None: all of them
    "classic_patch_null": "ignore",  # or "clear"
    "classic_assign_twice_status": 200,  # or 400
    "classic_unassign_absent": "accept",  # or "refuse"
    "classic_secrets": "null",  # or "asterisks"
    "classic_names_required": False,  # True: 7009 also for a name missing in a body
    "classic_name_length": 64,
    "classic_name_characters": " -_.",  # beside letters and digits
    "classic_minimum_version": "1.0",
    "classic_warning_version": "1.0",
    "classic_discovery_authority": None,  # None: the twin's own sign-in
    "classic_gone": "unreachable",  # or a status: how a service that was switched off answers
    "classic_tenant_creators": [],  # object ids with the application role TenantCreator
    "classic_new_tenants_until": 1696032000.0,  # 2023-09-30; None: for ever
    "classic_ring_changeable": False,
    "classic_remote_app_needs_host": True,
    "classic_start_menu": None,  # None: the apps of `classic.start_menu`
    "classic_role_list_below": False,  # True: a scope's list holds its children's assignments too
    "classic_host_action_s": (0.5, 3.0),
    "classic_tenants_limit": None,
    "classic_pools_limit": None,
    "classic_app_groups_limit": None,
    "classic_remote_apps_limit": None,
    "classic_role_assignments_limit": None,
    "classic_rate_per_s": None,  # calls per second of one caller; None: no limit
    "classic_burst": 100,
    # resources
    "provider_register_s": (5.0, 40.0),
    "resource_group_delete_s": (20.0, 120.0),
    "log_workspace_create_s": (2.0, 15.0),
    "log_rows": 100_000,  # of a workspace: the oldest go
    "log_latency_s": 120.0,  # from what happens until a query finds it
    "agent_report_s": 300.0,  # how often hosts are told of in WVDAgentHealthStatus; the service: every half minute
    "connection_s": (4.0, 30.0),  # from the begin of a connection until it stands
    # propagation
    "role_effective_s": (5.0, 120.0),
    "principal_replication_s": (2.0, 20.0),
    "group_membership_s": (1.0, 30.0),
    # machines, after facts/arm-service 11.7
    "run_command_overhead_s": (20.0, 60.0),
    "msi_install_s": (40.0, 120.0),
    "msi_uninstall_s": (10.0, 40.0),
    "boot_s": (60.0, 180.0),
    "power_off_s": (20.0, 60.0),
    "agent_reconnect_s": (10.0, 40.0),
    "registration_retry_s": (30.0, 90.0),
    "guest_agent_wait_s": 1800.0,
    "run_command_limit_s": 5400.0,
    "compute_retry_after_s": 10,
    "snapshot_s": (10.0, 60.0),  # of an OS disk; no figure is published
    "agent_download_version": "1.0.11814.0",
    "boot_loader_download_version": "1.0.11388.1600",
    "downloads": {},
    "compute_page_size": 200,
    "agent_register_s": (60.0, 180.0),
    "agent_healthy_s": (30.0, 120.0),
    "agent_update_s": (120.0, 180.0),
    "heartbeat_s": 60.0,
    "heartbeat_lost_s": 300.0,
    "registration_throttled": True,
    "registration_burst": 40,
    "registration_refill_per_s": 1.0,
    # people
    "feed_refresh_s": 3600.0,
    "patience_s": 900.0,
    "disconnected_limit_s": 14400.0,  # a session disconnected for so long is ended, as most hosts are told to
    "feed_chance": {"new": 1.0, "web": 0.8, "old": 0.6, "thin": 0.6},
    # by client: the chance that a sign-in begins with the act that makes it show the new feed, once there is something
    "new_feed_pull": (0.5, 0.95, 14400.0),  # preferring the new resource: at first, in the end, and how fast it grows
    "heed_chance": 0.8,  # who is told by an administrator to sign out, and does
    "heed_s": (60.0, 480.0),
    "retry_s": (45.0, 150.0),
    "sample_s": 300.0,
}

_NUMBER, _TEXT, _LIST = (int, float), (str,), (list,)
_MAY_BE_NONE: dict[str, tuple[type, ...]] = {
    "graph_units_per_10s": _NUMBER,
    "classic_page_unasked": _NUMBER,
    "classic_discovery_authority": _TEXT,
    "classic_new_tenants_until": _NUMBER,
    "classic_start_menu": _LIST,
    "classic_tenants_limit": _NUMBER,
    "classic_pools_limit": _NUMBER,
    "classic_app_groups_limit": _NUMBER,
    "classic_remote_apps_limit": _NUMBER,
    "classic_role_assignments_limit": _NUMBER,
    "classic_rate_per_s": _NUMBER,
    "classic_gone": (str, int),
}
"""Settings that their default does not tell the kind of, with what they are when they are not None."""


def problem(name: str, value: Any) -> str | None:
    """Why a setting cannot have a value; None when it can. `value` may come out of JSON: pairs are lists there."""
    if name not in DEFAULTS:
        return f"there is no setting {name}"
    return None if _fits(name, value) else f"a value does not fit: {name}"


def _fits(name: str, value: Any) -> bool:
    """Whether a value is of its default's kind: a pair of bounds, rates by name, a switch, a number or a text."""
    default = DEFAULTS[name]
    if name in _MAY_BE_NONE:
        return value is None or (isinstance(value, _MAY_BE_NONE[name]) and not isinstance(value, bool))
    if isinstance(default, tuple):
        return _is_numbers(value, len(default))
    if isinstance(default, dict) and default:
        known = all(each in default for each in value) if isinstance(value, dict) else False
        return known and (
            not isinstance(next(iter(default.values())), list) or all(_is_numbers(each, 2) for each in value.values())
        )
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    return _is_number(value) if _is_number(default) else isinstance(value, type(default))


def _is_numbers(value: Any, count: int) -> bool:
    return isinstance(value, list | tuple) and len(value) == count and all(_is_number(each) for each in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
