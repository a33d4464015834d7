"""Changes as data. Each says what it wants, what it found in its place, and how to take it back.

An operation never decides at run time: `action` was settled by the planner. `adopt` and `no-op` are recorded facts
("we looked and nothing is needed"); a `conflict` stops the plan until the operator has decided.
"""

from enum import StrEnum
from typing import Any, ClassVar

import msgspec


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    NO_OP = "no-op"
    CONFLICT = "conflict"


class Operation(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """`id`: stable over replanning, made of kind and subject. `subject`: the id that is written to. `prior`: the state
    replaced (None: there was nothing). `irreversible`: why there is no way back. `source`: classic key, if any.
    """

    id: str
    subject: str
    action: Action
    reason: str
    source: str | None = None
    irreversible: str | None = None

    undo_note: ClassVar[str] = ""

    def inverse(self) -> str:
        """How it is taken back, for the reader of a plan."""
        if self.irreversible:
            return f"cannot be undone: {self.irreversible}"
        if self.action in (Action.ADOPT, Action.NO_OP):
            return "nothing was changed, nothing to undo"
        return self.undo_note


class RegisterProvider(Operation, frozen=True, kw_only=True, tag="register-provider"):
    """Subject: `/subscriptions/{id}/providers/{namespace}`. Left registered on the way back: it harms nobody."""

    undo_note = "stays registered"


class PutResource(Operation, frozen=True, kw_only=True, tag="put-resource"):
    """Create or replace an ARM object. `type` like `Microsoft.DesktopVirtualization/hostPools` or
    `Microsoft.Resources/resourceGroups`; `body` as it goes out (`location`, `tags`, `properties`)."""

    type: str
    body: dict[str, Any]
    prior: dict[str, Any] | None = None

    undo_note = "put the prior state back, or delete what this run created"


class PatchResource(Operation, frozen=True, kw_only=True, tag="patch-resource"):
    """Change members of an object that the service itself created (`desktops/SessionDesktop`) or that is adopted.
    `wanted`: all properties that it must have afterwards, where `body` has only those that differed."""

    type: str
    body: dict[str, Any]
    prior: dict[str, Any]
    wanted: dict[str, Any] = {}

    undo_note = "patch the prior values back"


class ReferenceGroup(Operation, frozen=True, kw_only=True, tag="reference-group"):
    """Put an application group into a workspace's list. Subject: the workspace's id; `group`: the group's id."""

    group: str
    prior: bool = False

    undo_note = "take the reference out again"


class SetIcon(Operation, frozen=True, kw_only=True, tag="set-icon"):
    """Have the service read an app's icon again, once its `pool` (id) has a host: what was made before has the default
    one. `made_by`: id of the operation that makes the app. Nothing is done where somebody has chosen another since."""

    pool: str
    made_by: str
    body: dict[str, Any]

    undo_note = "goes with its app"


class SendLogs(Operation, frozen=True, kw_only=True, tag="send-logs"):
    """A diagnostic setting: `categories` of `resource` go to the Log Analytics `workspace`. Subject: the setting's id.
    `offered`: categories that are sent too where the object says that this cloud has them."""

    resource: str
    workspace: str
    categories: list[str]
    offered: list[str] = []
    prior: dict[str, Any] | None = None

    undo_note = "put the prior setting back, or delete the one that this run made"


class SnapshotDisk(Operation, frozen=True, kw_only=True, tag="snapshot-disk"):
    """An incremental snapshot of the OS disk of `vm`, before its `host` (classic key) is touched. Subject: how the
    snapshot's id begins, in the VM's resource group: it ends with the beginning of the run and the try, and which disk
    it is of is read when it is taken."""

    host: str
    vm: str
    tags: dict[str, str]

    undo_note = "delete the snapshot once the host is back; the disk itself is never put back by Crossfade"


class CreateDirectoryGroup(Operation, frozen=True, kw_only=True, tag="create-directory-group"):
    """A new, empty Entra security group. Subject: `group:<mail nickname>`; the object id is known once it exists."""

    display_name: str
    mail_nickname: str
    description: str
    owners: list[str] = []
    """Object ids of people."""
    prior_id: str | None = None

    undo_note = "delete the group that this run created"


class GrantRole(Operation, frozen=True, kw_only=True, tag="grant-role"):
    """A role assignment. Subject: its full id, the name derived from scope, role and principal, so that a rerun repeats
    the same PUT. `principal`: an object id, or `group:<mail nickname>` of a group that this plan creates (then the name
    is derived from that text)."""

    scope: str
    role: str
    principal: str
    principal_type: str
    principal_label: str
    condition: str = ""
    """Narrows what the role allows, in the language of Azure's conditions, version 2.0; empty for none."""
    prior: bool = False

    undo_note = "delete the assignment"


class AddMember(Operation, frozen=True, kw_only=True, tag="add-member"):
    """A person into a group of this plan. Subject: `group:<mail nickname>`; `member`: object id."""

    member: str
    member_label: str
    prior: bool = False

    undo_note = "remove the member"


class RetractAssignment(Operation, frozen=True, kw_only=True, tag="retract-assignment"):
    """Take a person out of a classic app group, once they have been seen on the target or their personal desktop has
    moved: their feed must not go on offering what no longer opens. Subject: `<group key>#<folded UPN>`."""

    group: str
    upn: str
    prior: bool = True

    undo_note = "assign the person in classic again"


class PatchHostPool(Operation, frozen=True, kw_only=True, tag="patch-host-pool"):
    """A late change of a pool, after its last host: Automatic assignment switched on, load balancing restored."""

    body: dict[str, Any]
    prior: dict[str, Any]

    undo_note = "patch the prior values back"


AnyOperation = (
    RegisterProvider
    | PutResource
    | PatchResource
    | ReferenceGroup
    | SendLogs
    | SetIcon
    | SnapshotDisk
    | CreateDirectoryGroup
    | GrantRole
    | AddMember
    | RetractAssignment
    | PatchHostPool
)
