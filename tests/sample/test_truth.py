"""What `truth.json` and its companions say is what the rows show."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.sample.conftest import Read

WEEK = np.timedelta64(7, "D")


def weekly(study: Read, group: str) -> Counter[np.datetime64]:
    """Member messages of a group by the Monday of their week."""
    day = study.day[study.rows(group, "member")]
    monday = day - (day.astype(int) + 3) % 7  # 1970-01-01 was a Thursday
    return Counter(monday.tolist())


def test_totals_and_classes_are_those_of_the_rows(study: Read) -> None:
    assert study.truth["totals"]["messages"] == study.messages.num_rows
    assert study.truth["classes"] == Counter(study.klass.tolist())
    for klass, kinds in study.truth["kinds"].items():
        assert kinds == Counter(study.column("kind")[study.klass == klass].tolist())
    hour = (study.local - study.day).astype("timedelta64[h]").astype(int)
    for klass, hours in study.truth["hours"].items():
        assert hours == np.bincount(hour[study.klass == klass], minlength=24).tolist()


def test_every_group_is_described_as_it_is(study: Read) -> None:
    for name, truth in study.groups.items():
        klass = Counter(study.klass[study.rows(name)].tolist())
        day, brand = study.day[study.rows(name)], study.day[study.rows(name, "brand")]
        speakers = set(study.column("sender_id")[study.rows(name, "member")])
        assert {k: klass[k] for k in truth["messages"]} == truth["messages"]
        assert (day.max() - day.min()).astype(int) + 1 == truth["days"]
        assert np.unique(brand, return_counts=True)[1].max() == truth["brand_day_most"]
        assert len(speakers) == truth["speaking_members"]


def test_main_brand_accounts_and_nobody_else_but_the_loud_make_a_fifth(study: Read) -> None:
    main = {(a["group"], a["account"]) for a in study.truth["brand_accounts"] if a["main"]}
    loud = {(g, m) for g, t in study.groups.items() for m in t["parts"].get("loud", [])}
    found = set()
    for name in study.groups:
        here = study.rows(name)
        here = here[study.klass[here] != "system"]
        count = Counter(study.column("sender_id")[here].tolist())
        found |= {(name, who) for who, n in count.items() if n > 0.2 * len(here)}
    assert found == main | loud
    assert loud


def test_the_later_staff_member_spoke_before_as_a_member(study: Read) -> None:
    (staff,) = study.truth["later_staff"]
    here = study.rows(staff["group"])
    mine = here[study.column("sender_id")[here] == staff["account"]]
    before = study.day[mine] < np.datetime64(staff["from"])
    assert before.any()
    assert (~before).sum() > 20


def test_every_planted_spike_is_one_by_the_definition(study: Read) -> None:
    spikes = study.truth["spikes"]
    assert Counter(s["cause"] for s in spikes).most_common(1)[0][0] == "chatterbox"
    by_group = {name: weekly(study, name) for name in {s["group"] for s in spikes}}
    for spike in spikes:
        weeks = by_group[spike["group"]]
        monday = np.datetime64(spike["week"])
        before = [weeks[(monday - k * WEEK).item()] for k in range(1, 9)]
        assert weeks[monday.item()] == spike["messages"]
        assert np.median(before) == spike["median_before"]
        assert spike["messages"] > 3 * np.median(before)


def test_steady_groups_have_no_spikes_that_nobody_planted(study: Read) -> None:
    planted = {(s["group"], s["week"]) for s in study.truth["spikes"]}
    natural = 0
    for name, truth in study.groups.items():
        if truth["life"] != "steady":
            continue
        weeks = weekly(study, name)
        for monday in sorted(weeks)[8:]:
            before = [weeks[(np.datetime64(monday) - k * WEEK).item()] for k in range(1, 9)]
            high = weeks[monday] > 3 * np.median(before)
            natural += high and (name, str(monday)) not in planted
    assert natural <= 0.05 * len(planted)


def test_causes_of_spikes_hold(study: Read) -> None:
    for spike in study.truth["spikes"]:
        monday = np.datetime64(spike["week"])
        here = study.rows(spike["group"], "member")
        here = here[(study.day[here] >= monday) & (study.day[here] < monday + WEEK)]
        top, n = Counter(study.column("sender_id")[here].tolist()).most_common(1)[0]
        excess = spike["messages"] - spike["median_before"]
        assert (n >= 0.5 * excess) == (spike["cause"] == "chatterbox")
        if spike["cause"] == "chatterbox":
            assert top == spike["member"]


def test_campaigns_are_told_by_their_words_and_only_they(study: Read) -> None:
    words = "抽奖|开奖|抽取|红包雨|抽免单|活动预告|活动开始|专场|秒杀|拼团|接龙|报名|瓜分"
    brand = pa.array(study.klass == "brand")
    posts = study.messages.append_column("day", pa.array(study.day)).filter(brand)
    told = posts.filter(pc.match_substring_regex(posts["text"], words).fill_null(False))
    rows = zip(told["group_id"].to_pylist(), told["day"].to_pylist(), strict=True)
    assert Counter((g, str(d)) for g, d in rows) == Counter(
        (c["group"], c["on"]) for c in study.truth["campaigns"]
    )


def test_event_spikes_follow_a_campaign_and_broad_ones_do_not(study: Read) -> None:
    days = defaultdict(list)
    for campaign in study.truth["campaigns"]:
        days[campaign["group"]].append(np.datetime64(campaign["on"]))
    for spike in study.truth["spikes"]:
        monday = np.datetime64(spike["week"])
        near = [d for d in days[spike["group"]] if monday - WEEK <= d < monday + WEEK]
        assert bool(near) == (spike["cause"] == "event")


def test_reply_links_agree_with_the_rows(study: Read) -> None:
    links = pq.read_table(study.sample.path("truth_replies.parquet"))
    place = {m: k for k, m in enumerate(study.column("message_id"))}
    answer = np.array([place[m] for m in links["message_id"].to_pylist()])
    target = np.array([place[m] for m in links["target_id"].to_pylist()])
    delay = (study.local[answer] - study.local[target]).astype(int)
    sender, group = study.column("sender_id"), study.column("group_id")
    assert (delay == links["delay_s"].to_numpy()).all()
    assert (delay > 0).all()
    assert (group[answer] == group[target]).all()
    assert (sender[answer] != sender[target]).all()
    assert Counter(links["evidence"].to_pylist()) == study.truth["replies"]
    assert 0.15 < (study.klass[answer] == "member").sum() / 137_700 < 0.35
    assert 40 < np.median(delay) < 150


def test_each_kind_of_evidence_shows_in_the_rows(study: Read) -> None:
    links = pq.read_table(study.sample.path("truth_replies.parquet"))
    rows = {r["message_id"]: r for r in study.messages.select(
        ["message_id", "sender_id", "sender_name", "text", "reply_to", "mentions"]
    ).take(pa.array(np.arange(0, 200_000))).to_pylist()}  # fmt: skip
    for link in links.to_pylist():
        row, target = rows.get(link["message_id"]), rows.get(link["target_id"])
        if row is None or target is None:
            continue
        explicit = link["target_id"] if link["evidence"] == "explicit" else None
        assert row["reply_to"] == explicit
        if link["evidence"] == "mention":
            assert row["text"].startswith(f"@{target['sender_name']}")
            assert row["mentions"] in (None, [target["sender_id"]])
        if link["evidence"] == "quote":
            assert row["text"].startswith(f"「{target['sender_name']}：")


def test_answers_stay_mostly_within_planted_communities(study: Read) -> None:
    members = pq.read_table(study.sample.path("truth_members.parquet")).to_pylist()
    community = {(m["group_id"], m["member_id"]): m["community"] for m in members}
    sender = dict(zip(study.column("message_id"), study.column("sender_id"), strict=True))
    same = total = 0
    for link in pq.read_table(study.sample.path("truth_replies.parquet")).to_pylist():
        ends = [(link["group_id"], sender[link[k]]) for k in ("message_id", "target_id")]
        if all(e in community for e in ends) and study.groups[link["group_id"]]["size"] > 150:
            total += 1
            same += community[ends[0]] == community[ends[1]]
    assert same / total > 0.6


def test_member_counts_circles_and_parts_agree(study: Read) -> None:
    members = pq.read_table(study.sample.path("truth_members.parquet")).to_pylist()
    talk = study.klass == "member"
    pairs = zip(study.column("group_id")[talk], study.column("sender_id")[talk], strict=True)
    assert Counter(pairs) == {(m["group_id"], m["member_id"]): m["messages"] for m in members}
    by_circle = defaultdict(list)
    for member in members:
        if not member["part"]:
            by_circle[member["circle"]].append(member["messages"])
    core, influence, periphery = (
        np.mean(by_circle[c]) for c in ("core", "influence", "periphery")
    )
    assert core > 2 * influence > 4 * periphery


def test_shills_keep_the_clock_and_the_chatty_do_not(study: Read) -> None:
    """Shares of a member's gaps that are one minute, give or take two seconds."""
    (group,) = [g for g in study.groups.values() if "shill" in g["parts"]]

    def minutely(who: str) -> float:
        here = study.rows(group["group"])
        at = study.local[here[study.column("sender_id")[here] == who]].astype(int)
        return float((np.abs(np.diff(at) - 60) <= 2).mean())

    assert min(minutely(m) for m in group["parts"]["shill"]) > 0.3
    assert max(minutely(m) for m in group["parts"]["chatty"]) < 0.1
