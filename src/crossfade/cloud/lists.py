"""What the answer to a list holds. Only a list says that there is nothing: an answer without one is an error, since
whoever took it for an empty list would make anew what is there, or clear away what is not empty."""

from typing import Any

from crossfade.cloud.calls import Call
from crossfade.cloud.mapping import unusable_error
from crossfade.errors import CloudError


def member(call: Call, body: Any, name: str) -> list[dict[str, Any]]:
    """The rows in a member of an answer. Raises ServiceFailed where there is no such member, or no list in it."""
    if not isinstance(body, dict) or name not in body:
        raise without_list(call)
    return rows(call, body[name])


def without_list(call: Call) -> CloudError:
    return unusable_error(call, "It holds no list.")


def rows(call: Call, found: Any) -> list[dict[str, Any]]:
    """What was found as rows; null is an empty list, as services write it. Raises ServiceFailed for anything else."""
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise unusable_error(call, "It holds something else than a list of objects.")
    return found


class Links:
    """Where the pages of one list have led to so far."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._seen: set[str] = set()

    def follow(self, link: str) -> str:
        """The same link. Raises ServiceFailed for one that was followed before: the list would never end, and nobody
        knows what it lacks."""
        if link in self._seen:
            raise unusable_error(self._call, "Its pages lead in a circle.")
        if link:
            self._seen.add(link)
        return link
