"""Who may do what in a community; Carol sees nothing."""

from __future__ import annotations

import pytest

from qunluo.community.actions import do_appoint, do_found
from qunluo.community.models import Community, User
from qunluo.community.queries import access, list_posts, settings_of
from qunluo.community.rules import (
    DEFAULTS,
    MAY,
    PERMISSIONS,
    ROLES,
    NoCommunityError,
    NotAllowedError,
    Role,
    may,
)
from qunluo.events.models import Event
from tests.cast import make_staff, make_user

pytestmark = pytest.mark.django_db


def test_an_owner_may_everything_and_every_permission_is_somebodys() -> None:
    assert MAY["owner"] == set(PERMISSIONS)
    assert set().union(*MAY.values()) == set(PERMISSIONS)


def test_nobody_but_the_owner_takes_personal_data_out_or_gives_roles() -> None:
    for role in ROLES:
        for permission in ("export_members", "erase_members", "manage_staff", "manage_api"):
            assert may(role, permission) == (role == "owner")


def test_a_role_that_is_none_may_nothing() -> None:
    assert not any(may("emperor", permission) for permission in PERMISSIONS)


def test_each_role_gets_in_where_it_may(tea: Community, role: Role) -> None:
    post = make_staff(tea, role)
    for permission in PERMISSIONS:
        if may(role, permission):
            assert access(post.user, tea.pk, permission) == post
        else:
            with pytest.raises(NotAllowedError):
                access(post.user, tea.pk, permission)


def test_carol_finds_no_community(tea: Community, carol: User) -> None:
    for permission in PERMISSIONS:
        with pytest.raises(NoCommunityError):
            access(carol, tea.pk, permission)
    assert not list_posts(carol).exists()


def test_staff_of_one_community_find_no_other(tea: Community) -> None:
    other = do_found("Coffee", make_user("dave"))
    post = make_staff(tea, "operator")
    with pytest.raises(NoCommunityError):
        access(post.user, other.pk, "see_home")


def test_somebody_who_is_switched_off_is_out(tea: Community, alice: User) -> None:
    alice.is_active = False
    alice.save()
    with pytest.raises(NoCommunityError):
        access(alice, tea.pk, "see_home")


def test_a_new_role_takes_the_place_of_the_old_and_is_on_record(
    tea: Community, carol: User
) -> None:
    do_appoint(tea, carol, "analyst", by="staff:1")
    do_appoint(tea, carol, "moderator", by="staff:1")
    assert access(carol, tea.pk, "moderate").role == "moderator"
    told = Event.objects.filter(kind="staff_appointed", data__user=carol.pk)
    assert [e.data["role"] for e in told.order_by("id")] == ["analyst", "moderator"]


def test_two_communities_of_one_name_have_addresses_of_their_own(alice: User) -> None:
    one, two = do_found("Tea", alice), do_found("Tea", alice)
    assert one.slug != two.slug


def test_settings_are_the_defaults_and_what_differs(tea: Community) -> None:
    tea.settings = {"quiet_from": 21, "from_the_future": 1}
    assert settings_of(tea).quiet_from == 21
    assert settings_of(tea).quiet_until == DEFAULTS.quiet_until
