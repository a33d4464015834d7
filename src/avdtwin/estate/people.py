"""Who there is: users in the directory, and the habits of those who work."""

from typing import TypeVar

from avdtwin import directory
from avdtwin.estate import names
from avdtwin.state import Group, Person, User
from avdtwin.world import World

DAY_S = 86_400.0
Choice = TypeVar("Choice")

SITES = (
    (0.19, (-7.0, "Redmond")),
    (0.15, (-4.0, "New York")),
    (0.09, (1.0, "London")),
    (0.17, (2.0, "Berlin")),
    (0.14, (5.5, "Hyderabad")),
    (0.10, (8.0, "Singapore")),
    (0.16, (10.0, "Sydney")),
)
"""Share of the people; hours from UTC in June and name."""

CLIENTS = ((0.80, "new"), (0.10, "old"), (0.06, "web"), (0.04, "thin"))


class People:
    """Makes the people of one estate, in order; the nth of the same seed is always the same."""

    def __init__(self, world: World, domain: str) -> None:
        self._world = world
        self._domain = domain
        self._count = 0
        self._sites: dict[str, Group] = {}
        self._everybody = self.group("All Employees", "Everybody, as human resources lists them")

    def user(self) -> User:
        """A new user of the directory, in the groups that everybody is in."""
        number = self._count
        self._count += 1
        first, last = names.name_of(number)
        upn = names.upn_of(number, self._domain)
        user = User(
            id=self._world.guid("estate|user"),
            upn=upn,
            display_name=f"{first} {last}",
            mail=upn,
            on_premises_sam=upn.partition("@")[0].replace(".", "")[:20],
            created_at=self._world.now - 400 * DAY_S,
        )
        directory.add_user(self._world, user)
        self._everybody.members[user.id] = user.created_at
        return user

    def worker(self) -> Person:
        """A new user who works: at a site, in a shift, with a client."""
        user = self.user()
        draw = self._world.chance
        offset, site = _pick(SITES, draw("estate|site"))
        self._site(site).members[user.id] = user.created_at
        person = Person(
            user=user.id,
            upn=user.upn,
            utc_offset_h=offset,
            shift_start_h=round(7.0 + 3.5 * draw("estate|shift"), 2),
            shift_hours=8.5,
            sign_ins_per_day=2 + (draw("estate|keen") < 0.4),
            client=_pick(CLIENTS, draw("estate|client")),
            leaves_session_open=round(0.25 * draw("estate|tidy"), 3),
        )
        self._world.state.people[user.id] = person
        return person

    def absent(self) -> Person:
        """A person on leave: known, assigned, never there."""
        person = self.worker()
        person.simulated = False
        person.workdays = []
        return person

    def leaver(self) -> User:
        """Somebody whose user was deleted from the directory."""
        user = self.user()
        user.deleted = True
        del self._world.state.directory.upns[user.upn.lower()]
        for group in self._world.state.directory.groups.values():
            group.members.pop(user.id, None)
        return user

    def group(self, name: str, description: str | None = None) -> Group:
        group = Group(
            id=self._world.guid("estate|group"),
            display_name=name,
            description=description,
            mail_nickname="".join(letter for letter in name.lower() if letter.isalnum()),
            created_at=self._world.now - 500 * DAY_S,
        )
        self._world.state.directory.groups[group.id] = group
        return group

    def _site(self, name: str) -> Group:
        if name not in self._sites:
            self._sites[name] = self.group(f"Site {name}")
        return self._sites[name]


def _pick(table: tuple[tuple[float, Choice], ...], point: float) -> Choice:
    """The choice whose share of [0, 1) holds the point."""
    for share, choice in table:
        point -= share
        if point < 0:
            return choice
    return table[0][1]
