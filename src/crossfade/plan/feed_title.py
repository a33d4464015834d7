"""A title that people see in their feed, before and after."""

import msgspec


class FeedTitle(msgspec.Struct, frozen=True, kw_only=True):
    """`kind`: workspace, desktop or app; `source`: classic key; `workspace`: the title under which it is listed.

    `before` is None where classic has no title and shows its default; `shown` False: hidden from the feed.
    """

    kind: str
    source: str
    workspace: str
    before: str | None
    after: str
    shown: bool = True

    @property
    def changed(self) -> bool:
        """Whether people will read something else than before, or may."""
        return self.before != self.after
