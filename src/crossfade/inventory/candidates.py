"""Raw groups of the directory -> candidates that could publish something."""

from typing import Any

from crossfade.model.target import CandidateGroup
from crossfade.sources.target_records import TargetReading

UNIFIED = "Unified"


def candidates_of(reading: TargetReading) -> list[CandidateGroup]:
    """Sorted by id. One whose people were not all read is there, and says so."""
    found = [_candidate(row, reading) for row in reading.candidates]
    return sorted(found, key=lambda group: group.id)


def _candidate(row: dict[str, Any], reading: TargetReading) -> CandidateGroup:
    group = str(row.get("id", ""))
    people = reading.candidate_people.get(group)
    return CandidateGroup(
        id=group.casefold(),
        display_name=str(row.get("displayName") or ""),
        members=sorted(one.casefold() for one in people or []),
        names={one.casefold(): upn for one, upn in sorted(reading.candidate_names.get(group, {}).items())},
        complete=people is not None,
        owners=reading.candidate_owners.get(group, []),
        rule=str(row.get("membershipRule") or ""),
        description=str(row.get("description") or ""),
        role_assignable=bool(row.get("isAssignableToRole")),
        security_enabled=row.get("securityEnabled") is not False,
        unified=UNIFIED in (row.get("groupTypes") or []),
        synchronised=bool(row.get("onPremisesSyncEnabled")),
        created_at=str(row.get("createdDateTime") or ""),
        changed_at=str(row.get("onPremisesLastSyncDateTime") or ""),
    )
