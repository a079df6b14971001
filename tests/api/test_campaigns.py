"""Campaigns by programs: made, published, read, paused and stopped as in the console."""

from __future__ import annotations

from datetime import datetime

import pytest

from qunluo.campaigns.models import Campaign
from qunluo.community.actions import do_found
from qunluo.community.models import Community
from qunluo.ledger.queries import balance_of
from qunluo.members.models import Member
from tests.api.calling import Program, program_of
from tests.campaigns.running import BARGAIN, REASONS, act, done
from tests.cast import make_staff, make_user
from tests.commerce.shop import sell

pytestmark = pytest.mark.django_db
BODY = {"name": "Pots", "mechanic": "bargain", "rules": BARGAIN}


@pytest.fixture(autouse=True)
def stopped(noon: datetime, tea: Community) -> datetime:
    sell(tea, "tea", price_minor=5_000, stock=20)
    return noon


@pytest.fixture
def program(tea: Community) -> Program:
    return program_of(tea.staff.get())


def test_a_campaign_is_made_published_and_read(
    program: Program, tea: Community, bob: Member
) -> None:
    made = program.post("campaigns", BODY, key="once")
    assert program.post("campaigns", BODY, key="once") == made
    assert (made["state"], made["version"]) == ("draft", 1)
    here = f"campaigns/{made['id']}"
    assert (
        program.refused("POST", f"{here}/publish", {"reasons": REASONS})[1] == "campaign_budget"
    )
    assert program.refused("POST", f"{here}/publish", {"fund": True})[1] == "campaign_lint"
    assert balance_of(tea.pk, "campaign", f"{made['id']}:budget", "cent") == 0
    told = program.post(f"{here}/publish", {"reasons": REASONS, "fund": True})
    assert told["funded"] == [{"place": "budget", "unit": "cent", "amount": 30_000}]
    done(act(Campaign.objects.get(), bob))
    read = program.get(here)
    figures = {figure["name"]: figure for figure in read["figures"]}
    assert (figures["plays"]["here"], figures["reserved"]["here"]) == (1, 3_000)
    assert all(figure["reconciles"] for figure in read["figures"])
    assert [c["id"] for c in program.get("campaigns?state=running")["items"]] == [made["id"]]


def test_rules_that_can_t_be_are_refused(program: Program) -> None:
    for rules in ({}, {**BARGAIN, "helpers": 0}, {**BARGAIN, "more": 1}):
        answer = program.refused("POST", "campaigns", {**BODY, "rules": rules})
        assert answer == (422, "wrong_campaign")
    answer = program.refused("POST", "campaigns", {**BODY, "mechanic": "lottery"})
    assert answer == (422, "wrong_campaign")


def test_it_is_changed_paused_and_stopped(program: Program) -> None:
    here = f"campaigns/{program.post('campaigns', BODY)['id']}"
    program.post(f"{here}/publish", {"reasons": REASONS, "fund": True})
    more = {**BODY, "rules": {**BARGAIN, "winners": 11}, "reasons": REASONS, "fund": True}
    assert program.post(f"{here}/change", more)["version"] == 2
    assert program.post(f"{here}/pause", {"why": "a look"})["state"] == "paused"
    assert program.post(f"{here}/resume")["state"] == "running"
    assert program.post(f"{here}/stop", {"why": "enough"})["state"] == "stopped"
    assert program.refused("POST", f"{here}/resume") == (409, "campaign_moved")


def test_every_model_tells_what_its_rules_ask_for(program: Program) -> None:
    models = {model["name"]: model for model in program.get("mechanics")["items"]}
    assert "helpers" in models["bargain"]["rules"]["properties"]
    assert models["bargain"]["label"]["zh"] == "砍价"


def test_who_may_not_run_campaigns_reads_them_at_most(tea: Community, program: Program) -> None:
    here = f"campaigns/{program.post('campaigns', BODY)['id']}"
    analyst = program_of(make_staff(tea, "analyst"))
    assert analyst.get(here)["state"] == "draft"
    assert analyst.refused("POST", f"{here}/publish", {}) == (403, "no_scope")
    other = program_of(do_found("Coffee", make_user("dave")).staff.get())
    assert other.refused("GET", here) == (404, "not_there")
    assert other.refused("POST", f"{here}/stop", {"why": "x"}) == (404, "not_there")
