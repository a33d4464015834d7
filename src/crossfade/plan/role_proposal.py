"""What a classic role would become in Azure, as data: nothing is granted without the operator's yes."""

import msgspec


class RoleProposal(msgspec.Struct, frozen=True, kw_only=True):
    """One Azure role at one scope for one classic role assignment.

    `id`: what crossfade.toml [roles] names; `source`: scope of the classic assignment; `principal` an object id, empty
    where classic knows none. `difference`: what the principal can do more or less than before. `condition`: what the
    grant is narrowed by. `needs`: what stands in the way of a yes, empty for nothing. `automation`: the principal is a
    service principal, which must sign in for the new service (`app_id`: of its application, where classic says it).
    `decision`: grant, skip, or empty. `operation`: id of the operation that grants it.
    """

    id: str
    source: str
    classic_role: str
    principal: str
    principal_type: str
    principal_label: str
    role: str = ""
    role_name: str
    scope: str = ""
    reason: str
    difference: str
    condition: str = ""
    needs: str = ""
    automation: str = ""
    app_id: str = ""
    decision: str = ""
    operation: str = ""
