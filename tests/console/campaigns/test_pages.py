"""The operators' pages of campaigns: from the wizard to the end, and who sees what."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from qunluo.campaigns.lifecycle import do_stop
from qunluo.campaigns.models import Campaign, Play
from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.community.rules import Role, may
from qunluo.console.campaigns.urls import urlpatterns
from qunluo.events.models import Event
from qunluo.ledger.models import Account, Transfer
from qunluo.ledger.queries import balance_of
from qunluo.members.models import Member
from tests.campaigns import running
from tests.campaigns.running import act, done, run, work
from tests.cast import client_of, make_member, make_staff, make_user
from tests.commerce.shop import give_points, sell
from tests.console.campaigns.filling import BARGAIN, GROUP_BUY, WHYS, later

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>{{7*7}}"


@pytest.fixture(autouse=True)
def stopped(noon: datetime, tea: Community) -> datetime:
    sell(tea, "tea", price_minor=5_000, stock=20)
    return noon


@pytest.fixture
def desk(alice: User) -> Client:
    return client_of(alice)


def keep(desk: Client, mechanic: str = "bargain", **more: str) -> Campaign:
    """A draft, from the form."""
    form = GROUP_BUY if mechanic == "group_buy" else BARGAIN
    answer = desk.post(f"/console/campaigns/new/{mechanic}", {**form, **more})
    assert answer.status_code == 302, answer.content.decode()
    return Campaign.objects.latest("pk")


def confirmed(desk: Client, campaign: Campaign) -> str:
    page = desk.get(f"/console/campaigns/{campaign.pk}/publish")
    found: str = page.context["confirmed"]
    return found


def publish(desk: Client, campaign: Campaign) -> Any:
    body = {**WHYS, "confirmed": confirmed(desk, campaign)}
    return desk.post(f"/console/campaigns/{campaign.pk}/publish", body)


def text_of(desk: Client, path: str) -> str:
    answer = desk.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_a_bargain_from_the_first_card_to_running(desk: Client, tea: Community) -> None:
    cards = text_of(desk, "/console/campaigns/new?goal=new")
    assert cards.index("/console/campaigns/new/bargain") < cards.index("/new/coupon")
    assert "Win new members" in text_of(desk, "/console/campaigns/new/bargain?goal=new")
    campaign = keep(desk)
    assert (campaign.state, campaign.mechanic) == ("draft", "bargain")
    look = text_of(desk, f"/console/campaigns/{campaign.pk}/publish")
    assert "CN¥300.00" in look
    assert publish(desk, campaign).status_code == 302
    campaign.refresh_from_db()
    assert campaign.state == "running"
    budget = Account.objects.get(owner=f"{campaign.pk}:budget")
    assert budget.balance == 30_000
    assert campaign.version
    assert set(campaign.version.reasons) == {"wechat_sharing", "below_cost", "no_end"}
    assert "Pots at a bargain" in text_of(desk, "/console/campaigns/")


def test_what_was_typed_stays_and_what_is_wrong_is_said(desk: Client) -> None:
    answer = desk.post(
        "/console/campaigns/new/bargain",
        {**BARGAIN, "r.helpers": "many", "name": " ", "r.start_minor": "50.00"},
    )
    page = answer.content.decode()
    assert answer.status_code == 400
    assert 'value="many"' in page
    assert "Write a whole number" in page
    assert "It needs a name" in page
    assert not Campaign.objects.exists()


def test_the_answer_beside_the_form_follows_what_is_typed(desk: Client) -> None:
    panel = "/console/campaigns/form/bargain/panel"
    said = desk.post(panel, BARGAIN).content.decode()
    assert "CN¥300.00" in said
    assert "WeChat" in said
    unreachable = desk.post(panel, {**BARGAIN, "r.helpers": "1"}).content.decode()
    assert "must change" in unreachable
    empty = desk.post(panel, {}).content.decode()
    assert "reckoned when the rules are filled in" in empty


def test_rows_are_added_and_removed_with_and_without_scripts(desk: Client) -> None:
    editor = "/console/campaigns/form/group_buy/editor"
    whole = desk.post(editor, {**GROUP_BUY, "act": "add:r.tiers"}).content.decode()
    assert 'name="r.tiers.2.people"' in whole
    assert "<html" in whole
    part = desk.post(
        editor, {**GROUP_BUY, "act": "drop:r.tiers.0"}, headers={"hx-request": "true"}
    ).content.decode()
    assert 'name="r.tiers.1.people"' not in part
    assert 'value="4.50"' in part
    assert "<html" not in part


def test_an_error_of_the_rules_blocks_publishing(desk: Client) -> None:
    campaign = keep(desk, **{"r.helpers": "1"})
    page = text_of(desk, f"/console/campaigns/{campaign.pk}/publish")
    assert "This must change first" in page
    answer = publish(desk, campaign)
    assert answer.status_code == 400
    campaign.refresh_from_db()
    assert campaign.state == "draft"
    assert not Transfer.objects.filter(cause__startswith="campaign:").exists()


def test_a_warning_wants_a_reason_and_nothing_is_funded_without_it(desk: Client) -> None:
    campaign = keep(desk)
    body = {"confirmed": confirmed(desk, campaign), "why:below_cost": "a reason"}
    answer = desk.post(f"/console/campaigns/{campaign.pk}/publish", body)
    assert answer.status_code == 400
    assert "WeChat" in answer.content.decode()
    assert 'value="a reason"' in answer.content.decode()
    assert not Transfer.objects.filter(cause__startswith="campaign:").exists()


def test_another_worst_case_than_the_one_shown_is_not_funded(desk: Client) -> None:
    campaign = keep(desk)
    shown = confirmed(desk, campaign)
    desk.post(f"/console/campaigns/{campaign.pk}/edit", {**BARGAIN, "r.winners": "1000"})
    body = {**WHYS, "confirmed": shown}
    answer = desk.post(f"/console/campaigns/{campaign.pk}/publish", body)
    assert "has changed meanwhile" in answer.content.decode()
    campaign.refresh_from_db()
    assert campaign.state == "draft"


@pytest.fixture
def bargain(desk: Client) -> Campaign:
    campaign = keep(desk)
    publish(desk, campaign)
    campaign.refresh_from_db()
    return campaign


def test_rules_of_a_running_one_become_a_version_that_says_what_changed(
    desk: Client, bargain: Campaign
) -> None:
    edit = f"/console/campaigns/{bargain.pk}/edit"
    more = {**BARGAIN, **WHYS, "r.winners": "20"}
    short = desk.post(edit, more)
    assert short.status_code == 400
    assert "lacks CN¥300.00" in short.content.decode()
    assert desk.post(edit, {**more, "fund": "1"}).status_code == 302
    assert bargain.versions.count() == 2
    page = text_of(desk, f"/console/campaigns/{bargain.pk}")
    assert "Bargains at once: <s>10</s> → 20" in page
    assert Account.objects.get(owner=f"{bargain.pk}:budget").balance == 60_000


def test_its_figures_say_how_they_are_counted_and_that_they_agree(
    desk: Client, bargain: Campaign, bob: Member
) -> None:
    done(act(bargain, bob))
    page = text_of(desk, f"/console/campaigns/{bargain.pk}/live")
    assert "Reconciled" in page
    assert "each counted once" in page
    assert re.search(r"\d took part", page)  # in a sentence, before the figures
    assert "CN¥270.00" in page
    Account.objects.filter(owner=f"{bargain.pk}:budget").update(balance=1)
    assert "agree with the books" in text_of(desk, f"/console/campaigns/{bargain.pk}/live")


def test_a_play_tells_its_history(desk: Client, bargain: Campaign, bob: Member) -> None:
    done(act(bargain, bob))
    play = Play.objects.get()
    done(act(bargain, make_member(bob.community, HOSTILE), "help", play.key))
    assert f"/plays/{play.pk}" in text_of(
        desk, f"/console/campaigns/{bargain.pk}/plays?show=open"
    )
    page = text_of(desk, f"/console/campaigns/{bargain.pk}/plays/{play.pk}")
    assert "cut CN¥" in page
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


def test_an_empty_form_is_told_in_words_beside_its_inputs(desk: Client, tea: Community) -> None:
    page = desk.post("/console/campaigns/new/bargain", {"name": ""}).content.decode()
    assert "It needs a name." in page
    assert "r.sku&#x27;" not in page  # not what a program keeps of it


def test_pausing_going_on_and_stopping_with_a_count_before(
    desk: Client, bargain: Campaign, bob: Member
) -> None:
    done(act(bargain, bob))
    here = f"/console/campaigns/{bargain.pk}"
    desk.post(f"{here}/pause", {"why": "a look at the price"})
    assert "a look at the price" in text_of(desk, here)
    assert "is paused" in text_of(desk, "/console/")
    desk.post(f"{here}/resume")
    count = text_of(desk, f"{here}/stopping")
    assert "CN¥30.00" in count
    assert Play.objects.get().deadline is not None
    assert desk.post(f"{here}/stop", {"why": " "}).status_code == 400
    desk.post(f"{here}/stop", {"why": "wrong price"})
    work()
    assert "Take back what is left" in text_of(desk, here)
    desk.post(f"{here}/take-back")
    assert Account.objects.get(owner=f"{bargain.pk}:budget").balance == 0


def test_the_seed_is_told_after_the_end_only(desk: Client, bargain: Campaign) -> None:
    here = f"/console/campaigns/{bargain.pk}/draws"
    before = text_of(desk, here)
    assert bargain.commitment in before
    assert bargain.seed not in before
    do_stop(bargain, why="over", by="staff:1")
    after = text_of(desk, here)
    assert bargain.seed in after
    assert "as promised" in after
    Campaign.objects.update(seed="00" * 32)
    assert "not what was promised" in text_of(desk, here)


def test_a_lucky_draw_s_draws_are_verified(desk: Client, tea: Community) -> None:
    rules = {
        "prizes": [{"name": "Pot", "weight": 1, "unit": "points", "amount": 5, "stock": 50}],
        "blank_weight": 1, "cost_points": 0, "per_day": 5, "per_member": 5,
        "zone": "Asia/Shanghai",
    }  # fmt: skip
    campaign = run(tea, "lucky_draw", rules)
    bob = make_member(tea, "Drawer")
    done(act(campaign, bob))
    play = Play.objects.get(campaign=campaign)
    for _ in range(3):
        done(act(campaign, bob, "draw", play.key))
    do_stop(campaign, why="over", by="staff:1")
    work()
    page = text_of(desk, f"/console/campaigns/{campaign.pk}/draws")
    assert "Every draw was made as promised" in page
    assert "3 draws" in page
    play.refresh_from_db()
    play.state["records"][0]["number"] ^= 1
    play.save()
    assert "not what was promised" in text_of(desk, f"/console/campaigns/{campaign.pk}/draws")


# what is the team's to do


def dispute(tea: Community) -> tuple[Campaign, Play, list[Member]]:
    """A swap of a pot for a jug, and both sides' words."""
    campaign = run(tea, "swap", {"categories": ["tea"], "deposit": 20})
    owner, other = make_member(tea, "Owner"), make_member(tea, "Other")
    for member, title in ((owner, "A pot"), (other, "A jug")):
        give_points(member, 50)
        done(act(campaign, member, title=title, category="tea"))
    mine, theirs = (Play.objects.get(starter=member) for member in (owner, other))
    done(act(campaign, other, "offer", theirs.key, to=mine.key))
    work()
    done(act(campaign, owner, "accept", mine.key, **{"from": theirs.key}))
    work()
    done(act(campaign, other, "dispute", mine.key, words=HOSTILE))
    done(act(campaign, owner, "dispute", mine.key, words="The jug came broken"))
    return campaign, mine, [owner, other]


def test_a_dispute_is_read_with_both_sides_words_and_decided_once(
    desk: Client, tea: Community, carol: User
) -> None:
    _campaign, play, people = dispute(tea)
    page = text_of(desk, "/console/campaigns/disputes")
    assert "The jug came broken" in page
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert "Other: 40 points" in page  # what the decision pays
    assert "1 swap in dispute" in text_of(desk, "/console/")
    here = f"/console/campaigns/disputes/{play.pk}/decide"
    form = {"outcome": "owner_forfeits", "why": "The pot was never sent"}
    assert client_of(carol).post(here, form).status_code == 404
    assert "The jug" not in client_of(carol).get("/console/campaigns/disputes").content.decode()
    desk.post(here, {**form, "why": " "})
    assert Event.objects.filter(kind="swap_ruled").count() == 0
    for outcome in ("owner_forfeits", "other_forfeits"):  # the second comes too late
        desk.post(here, {**form, "outcome": outcome})
    work()
    have = [balance_of(tea.pk, "member", one.pk, "points") for one in people]
    assert have == [30, 70]
    assert Event.objects.get(kind="swap_ruled").data["why"] == "The pot was never sent"
    assert "decided a swap in dispute" in text_of(desk, "/console/record")
    assert "No swap is in dispute" in text_of(desk, "/console/campaigns/disputes")


def test_the_team_puts_out_a_red_packet_once_for_its_form(desk: Client, tea: Community) -> None:
    campaign = run(tea, "red_packet", {"amount": 30, "shares": 3, "packets": 1})
    here = f"/console/campaigns/{campaign.pk}"
    assert "Put out a red packet" in text_of(desk, here)
    for key in ("a", "a", "b"):
        answer = desk.post(f"{here}/packet", {"key": key}, follow=True).content.decode()
    assert "All packets of this campaign are out" in answer
    assert Play.objects.count() == 1
    desk.post(f"{here}/pause", {"why": "a look"})
    assert "Put out a red packet" not in text_of(desk, here)
    desk.post(f"{here}/packet", {"key": "c"})
    assert Play.objects.count() == 1


# the ledger


def test_an_account_its_statement_and_the_proof_of_a_transfer(
    desk: Client, bargain: Campaign
) -> None:
    assert "Pots at a bargain · budget" in text_of(desk, "/console/ledger?kind=campaign")
    budget = Account.objects.get(owner=f"{bargain.pk}:budget")
    page = text_of(desk, f"/console/ledger/accounts/{budget.pk}")
    assert "CN¥300.00" in page
    transfer = Transfer.objects.get(cause__startswith=f"campaign:{bargain.pk}:fund:")
    proof = text_of(desk, f"/console/ledger/transfers/{transfer.pk}")
    assert transfer.cause in proof
    assert "Balanced in money" in proof


def test_the_audit_names_what_breaks(desk: Client, bargain: Campaign) -> None:
    assert "Everything holds" in text_of(desk, "/console/ledger/audit")
    Account.objects.filter(owner=f"{bargain.pk}:budget").update(balance=1)
    page = text_of(desk, "/console/ledger/audit")
    assert "checks fail" in page
    assert f"campaign:{bargain.pk}:budget" in page


# who gets in


def addresses(campaign: Campaign) -> list[tuple[Any, str]]:
    known = {"campaign_id": campaign.pk, "mechanic": "bargain"}
    return [
        (pattern, reverse(f"campaigns:{pattern.name}", kwargs={
            name: known.get(name, 999) for name in pattern.pattern.converters}))
        for pattern in urlpatterns
    ]  # fmt: skip


def test_carol_and_strangers_see_nothing(tea: Community, carol: User) -> None:
    campaign = run(tea, "bargain", running.BARGAIN)
    for _pattern, path in addresses(campaign):
        for method in ("get", "post"):
            assert getattr(client_of(carol), method)(path).status_code == 404, path
            assert getattr(client_of(), method)(path).status_code == 302, path


def test_a_role_gets_where_it_may_and_nowhere_else(tea: Community, role: Role) -> None:
    client = client_of(make_staff(tea, role).user)
    campaign = run(tea, "bargain", running.BARGAIN)
    for pattern, path in addresses(campaign):
        allowed = may(role, pattern.callback.permission)
        assert (client.get(path).status_code == 403) != allowed, (role, path)
        if not allowed:
            assert client.post(path).status_code == 403, (role, path)
    campaign.refresh_from_db()
    assert campaign.state == "running"


def test_another_community_s_campaign_is_not_there(desk: Client, noon: datetime) -> None:
    other = do_found("Coffee", make_user("dave"))
    sell(other, "tea", stock=5)
    theirs = run(other, "bargain", running.BARGAIN)
    account = Account.objects.filter(community_id=other.pk).first()
    assert account
    for path in (
        f"/console/campaigns/{theirs.pk}", f"/console/campaigns/{theirs.pk}/edit",
        f"/console/ledger/accounts/{account.pk}",
        f"/console/ledger/transfers/{Transfer.objects.filter(community_id=other.pk)[0].pk}",
    ):  # fmt: skip
        assert desk.get(path).status_code == 404, path
    answer = desk.post(f"/console/campaigns/{theirs.pk}/stop", {"why": "x"})
    assert answer.status_code == 404
    assert "A bargain" not in text_of(desk, "/console/campaigns/")


def test_names_that_mean_harm_never_execute(desk: Client, noon: datetime) -> None:
    campaign = keep(desk, name=HOSTILE, ends=later(noon, days=1))
    for path in (
        "/console/campaigns/?show=draft", f"/console/campaigns/{campaign.pk}",
        f"/console/campaigns/{campaign.pk}/edit", f"/console/campaigns/{campaign.pk}/publish",
    ):  # fmt: skip
        page = text_of(desk, path)
        assert HOSTILE not in page
        assert "&lt;script&gt;" in page
