"""The API does what its document says, whatever it is asked (Schemathesis)."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from urllib3 import HTTPResponse

from qunluo.api.api import api
from qunluo.api.models import HookCall, Token, Webhook
from qunluo.commerce.offers import RuleForm, do_make_rule
from qunluo.community.models import Community, Staff
from qunluo.groups.actions import do_join
from qunluo.groups.models import Case, JoinRequest
from qunluo.kit import clock
from qunluo.members.models import ChannelCode, Member, Tag, TagGroup
from qunluo.messaging.messages import do_post
from qunluo.messaging.models import AutoReply, Delivery
from qunluo.messaging.questions import do_ask
from tests.api.calling import Program
from tests.campaigns.running import BARGAIN, run
from tests.cast import make_group, make_member
from tests.commerce.shop import buy, sell

pytestmark = pytest.mark.django_db

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_schema_conformance, response_headers_conformance,
]  # fmt: skip
DOCUMENT = api.get_openapi_schema()
OPERATIONS = sorted(
    operation["operationId"]
    for path in DOCUMENT["paths"].values()
    for operation in path.values()
)


@pytest.fixture
def ids(tea: Community, program: Program, bob: Member) -> dict[str, int]:
    """A community with one of each, so that operations find something; the ids of each."""
    Token.objects.update(per_minute=1_000_000)
    group, now = make_group(tea), clock.now()
    do_join(group, bob, by=Staff.objects.get(community=tea).actor)
    said = do_post(group, text="when is the tasting?", label="member", member=bob)
    question = do_ask(said)
    assert question is not None
    taste = TagGroup.objects.create(community=tea, name="taste")
    hook = Webhook.objects.create(
        community=tea, url="https://198.51.100.7/x", secret_sealed="", made_at=now
    )
    pot = sell(tea)
    order = buy(bob, pot)
    price = do_make_rule(tea, RuleForm("Spring", "coupon", "amount", 1, now), by="staff:1")
    return {
        "product_id": pot.product_id, "variant_id": pot.pk, "price_id": price.pk,
        "order": order.number,
        "campaign_id": run(tea, "bargain", {**BARGAIN, "sku": pot.sku}).pk,
        "group_id": group.pk, "member_id": bob.pk, "message_id": said.pk,
        "question_id": question.pk,
        "tag_id": Tag.objects.create(group=taste, name="green").pk, "webhook_id": hook.pk,
        "call_id": HookCall.objects.create(
            webhook=hook, event_id=1, body={}, state="failed", due_at=now, at=now
        ).pk,
        "case_id": Case.objects.create(
            community=tea, group=group, member=bob, message_id=said.pk, text="x", score=0.7,
            evidence=[{"detector": "links"}], act="none", by="rule:1", at=now,
        ).pk,
        "request_id": JoinRequest.objects.create(
            group=group, member=make_member(tea, "Zoe"), at=now
        ).pk,
        "delivery_id": Delivery.objects.create(
            community=tea, channel="web", kind="post", group=group, body={}, cause="t:1",
            due_at=now, made_at=now,
        ).pk,
        "reply_id": AutoReply.objects.create(
            community=tea, how="contains", pattern="hours", answer="9 to 18"
        ).pk,
        "code_id": ChannelCode.objects.create(
            community=tea, code="poster", name="Poster", made_at=now
        ).pk,
    }  # fmt: skip


SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_an_operation_does_what_the_document_says(
    program: Program, ids: dict[str, int], operation_id: str
) -> None:
    operation = SCHEMA.find_operation_by_id(operation_id)
    client = Client(raise_request_exception=False)
    made = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @settings(max_examples=5, database=None, derandomize=True,
              suppress_health_check=list(HealthCheck), phases=[Phase.generate])  # fmt: skip
    @given(case=st.one_of(made), known=st.booleans())
    def ask(case: Any, known: bool) -> None:
        if known:  # else the ids are made up
            case.path_parameters = {
                name: ids.get(name, value) for name, value in case.path_parameters.items()
            }
        case.validate_response(call(client, case, program.secret), checks=CHECKS)

    ask()


def call(client: Client, case: Any, secret: str) -> requests.Response:
    """Asks in this process and thread, where the test's transaction is."""
    wanted = requests.Request(
        **{**case.as_transport_kwargs(base_url="http://localhost"), "cookies": None}
    ).prepare()
    headers = {**wanted.headers, "authorization": f"Bearer {secret}", "host": "localhost"}
    parts = urlsplit(str(wanted.url))
    answer = client.generic(
        str(wanted.method), f"{parts.path}?{parts.query}", wanted.body or b"",
        content_type=headers.pop("Content-Type", "application/octet-stream"), headers=headers,
    )  # fmt: skip
    response = requests.Response()
    response.status_code, response.request = answer.status_code, wanted
    response.headers.update(answer.headers)
    response._content = answer.content
    response.raw = HTTPResponse(
        io.BytesIO(answer.content), headers=answer.headers, status=answer.status_code
    )
    response.elapsed = timedelta(0)
    return response


def test_the_document_is_whole() -> None:
    """Every operation has words, a permission, an answer and its problems."""
    document = api.get_openapi_schema()
    for path in document["paths"].values():
        for method, operation in path.items():
            assert operation["summary"]
            assert operation["x-permission"]
            assert operation["security"]
            codes = {int(code) for code in operation["responses"]}
            assert {400, 401, 403, 404, 409, 422, 429} < codes
            problem = operation["responses"][404]["content"]
            assert list(problem) == ["application/problem+json"]
            named = {p["name"] for p in operation["parameters"]}
            assert ("Idempotency-Key" in named) == (method != "get")
    json.dumps(document)


def test_everybody_may_read_the_document(db: None, client: Any) -> None:
    answer = client.get("/api/v1/openapi.json", headers={"host": "localhost"})
    assert answer.status_code == 200
    assert json.loads(answer.content)["info"]["title"] == "Qunluo"
