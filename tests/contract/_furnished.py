"""Principals that the identity tests know by name."""

from _inprocess import OWNER, SUBSCRIPTION, grant

from avdtwin.directory import add_user
from avdtwin.state import Group, ServicePrincipal, User
from avdtwin.world import World

APP_ID = "bbbbbbbb-0000-4000-a000-000000000002"
APP_OBJECT_ID = "bbbbbbbb-0000-4000-a000-000000000003"
SECRET = "correct horse"
GROUP = "dddddddd-0000-4000-a000-000000000001"


def furnish(world: World) -> World:
    """An application that owns the subscription, 30 users, and a group of five of them."""
    directory = world.state.directory
    directory.service_principals[APP_OBJECT_ID] = ServicePrincipal(
        id=APP_OBJECT_ID, app_id=APP_ID, display_name="operator", secret=SECRET
    )
    grant(world, APP_OBJECT_ID, OWNER, f"/subscriptions/{SUBSCRIPTION}")
    for number in range(30):
        add_user(world, User(id=user_id(number), upn=f"user{number:02}@contoso.example", display_name=f"User {number}"))
    members = {user_id(number): 0.0 for number in range(5)}
    directory.groups[GROUP] = Group(id=GROUP, display_name="Five", members=members, mail_nickname="five")
    return world


def user_id(number: int) -> str:
    return f"cccccccc-0000-4000-a000-{number:012}"
