"""Rules of the twin that a run may tune, each with the documented or usual value as its default.

Times are seconds. `(low, high)` pairs are the bounds of a uniform draw.
"""

from typing import Any

DEFAULTS: dict[str, Any] = {
    # wire
    "latency_s": (0.03, 0.25),
    "rights_enforced": True,
    "limits_enforced": True,
    "session_host_list_limit": 6000,
    "provider_call_limit": 10000,
    "role_assignments_per_subscription": 4000,
    "role_assignments_per_object": 200,
    "application_groups_per_tenant": 500,
    # sign-in
    "access_token_s": 3599,
    "clock_skew_s": 300.0,
    "device_code_s": 900.0,
    "applications_per_group": 500,
    "arm_child_page": 300,
    "arm_list_page": 100,
    "groups_linger_s": 0.0,
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
    "compute_page_size": 200,
    "agent_register_s": (60.0, 180.0),
    "agent_healthy_s": (30.0, 120.0),
    "heartbeat_s": 60.0,
    "heartbeat_lost_s": 300.0,
    "registration_burst": 40,
    "registration_refill_per_s": 1.0,
    # people
    "feed_refresh_s": 3600.0,
    "patience_s": 900.0,
}
