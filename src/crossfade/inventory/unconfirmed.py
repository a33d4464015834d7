"""What a reconstructed estate does not say although the real one had it, until the operator confirms it
(docs/decisions/0013)."""

from collections.abc import Iterable, Iterator, Sequence

from crossfade.inventory.normalise import Draft
from crossfade.model.ids import fold, parent_key
from crossfade.model.provenance import Confidence, Gap, Origin
from crossfade.sources.records import Kind

_POOL = {"custom_rdp_property": "RDP properties"}
_POOLED = {"max_session_limit": "session limit", "load_balancer": "load balancing"}
_PERSONAL = {"assignment": "assignment type"}
"""Settings of pools that no sign tells: of every one, and of the two kinds."""
_SHOWN = 5


def unconfirmed(drafts: Iterable[Draft], origins: Sequence[Origin]) -> Iterator[Gap]:
    """A gap for each pool and app group that rests on signs alone. Records that are the operator's word have none."""
    if not any(origin.confidence for origin in origins):
        return
    drafts = list(drafts)
    with_apps = {fold(parent_key(draft.key)) for draft in drafts if draft.kind is Kind.GROUP and _is_remote(draft)}
    given: dict[str, list[Draft]] = {}
    for draft in drafts:
        confidence = origins[draft.origin].confidence
        if draft.kind is Kind.POOL and confidence not in (None, Confidence.CONFIRMED):
            yield from _pool(draft, origins[draft.origin], fold(draft.key) in with_apps)
        if draft.kind is Kind.ASSIGNMENT and confidence is Confidence.STATED:
            given.setdefault(draft.key, []).append(draft)
    yield from (_people(key, found, origins[found[0].origin]) for key, found in given.items())


def _is_remote(draft: Draft) -> bool:
    return draft.values.get("kind") == "RemoteApp"


def _pool(draft: Draft, origin: Origin, has_apps: bool) -> Iterator[Gap]:
    settings = _POOL | (_PERSONAL if draft.values.get("personal") else _POOLED)
    unknown = [word for name, word in settings.items() if draft.values.get(name) is None]
    told = [f"Its {_listed(unknown)} in the end are not known; the service's defaults are assumed."] if unknown else []
    told += [] if has_apps else ["Whether it had RemoteApps, and for whom, is not known; none are assumed."]
    if told:
        yield Gap(
            subject=f"host pool {draft.key}",
            what=" ".join(told),
            why=f"All that is known of it: {origin.place}.",
            mend=f"Fill in what you know in {draft.where}, add its app groups and apps, and write `confirmed` there.",
        )


def _people(key: str, found: list[Draft], origin: Origin) -> Gap:
    names = sorted(str(draft.values["upn"]) for draft in found)
    shown = names[:_SHOWN] + ([f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else [])
    return Gap(
        subject=f"app group {key}",
        what=f"Given to {_listed(shown)} when it was made; whether it still was theirs in the end is not known.",
        why=f"All that is known of it: {origin.place}.",
        mend=f"Take out who had left it ({found[0].where}), and write `confirmed` for the others.",
    )


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
