"""Programs do through the API whatever people do on the pages, by the same rules."""

from typing import Any

import pytest
from aiohttp import ClientSession
from openapi_spec_validator import validate

from router.domain.workforce import Role
from router.web.api.document import document, operations
from tests.web.house import House, sign_in
from tests.web.program import API, Program

#: What each form of the pages does → the operations that do the same.
SAME: dict[str, tuple[str, ...]] = {
    "POST /password": ("change_my_password",),
    "POST /language": ("set_my_language",),
    "POST /signout": ("end_my_sessions",),
    "GET /": ("board", "desk"),
    "GET /password": ("me",),
    "GET /live": ("board", "desk", "list_alerts"),
    "GET /desk": ("desk",),
    "GET /desk/part": ("desk",),
    "GET /desk/{conversation}": ("get_conversation",),
    "GET /desk/{conversation}/part": ("get_conversation",),
    "GET /desk/{conversation}/said": ("list_said",),
    "POST /desk/presence": ("set_my_presence",),
    "POST /desk/offers/{reservation}/accept": ("accept_offer",),
    "POST /desk/offers/{reservation}/decline": ("decline_offer",),
    "POST /desk/{conversation}/reply": ("send_reply", "post_file"),
    "POST /desk/{conversation}/typing": ("tell_typing",),
    "POST /desk/{conversation}/note": ("add_note",),
    "POST /desk/{conversation}/coach": ("coach_reply",),
    "POST /desk/{conversation}/transfer": ("transfer_conversation",),
    "POST /desk/{conversation}/park": ("park_conversation",),
    "POST /desk/{conversation}/resume": ("resume_conversation",),
    "POST /desk/{conversation}/finish": ("finish_conversation",),
    "POST /desk/{conversation}/wrap-up": ("wrap_up_conversation",),
    "GET /queues": ("board", "list_conversations", "list_decisions"),
    "GET /queues/part": ("board",),
    "POST /queues/{conversation}/take": ("take_over_conversation",),
    "POST /queues/{conversation}/reassign": ("assign_conversation",),
    "POST /queues/{conversation}/requeue": ("requeue_conversation",),
    "POST /queues/{conversation}/priority": ("set_priority",),
    "POST /queues/{conversation}/close": ("close_conversation",),
    "POST /alerts/{alert}/seen": ("see_alert",),
    "POST /alerts/{alert}/approve": ("approve_presence",),
    "POST /alerts/{alert}/decline": ("decline_presence",),
    "GET /contacts": ("search_contacts",),
    "GET /contacts/{contact}": ("get_contact",),
    "GET /contacts/{contact}/part": ("get_contact",),
    "GET /contacts/{contact}/timeline": ("get_timeline",),
    "POST /contacts/{contact}": ("change_contact",),
    "POST /contacts/{contact}/merge": ("merge_contacts",),
    "POST /contacts/{contact}/split": ("split_contacts",),
    "POST /contacts/{contact}/cases": ("open_case",),
    "POST /contacts/{contact}/remembered": ("add_remembered",),
    "POST /remembered/{note}": ("change_remembered",),
    "POST /remembered/{note}/remove": ("remove_remembered",),
    "POST /readings/{interaction}": ("correct_interaction_reading",),
    "POST /proposals/{proposal}/accept": ("list_proposals", "accept_proposal"),
    "POST /proposals/{proposal}/reject": ("reject_proposal",),
    "GET /cases": ("list_cases",),
    "GET /cases/{case}": ("get_case",),
    "GET /cases/{case}/part": ("get_case",),
    "POST /cases/{case}/acknowledge": ("acknowledge_case",),
    "POST /cases/{case}/own": ("own_case",),
    "POST /cases/{case}/enqueue": ("enqueue_case",),
    "POST /cases/{case}/correct": ("correct_case",),
    "POST /cases/{case}/resolve": ("resolve_case",),
    "POST /cases/{case}/reopen": ("reopen_case",),
    "GET /figures": ("get_figures",),
    "GET /figures/bots": ("get_bot_counts",),
    "GET /plans": ("list_plans", "get_plan"),
    "GET /plans/part": ("get_plan",),
    "POST /plans/whatif": ("play_what_if",),
    "POST /plans/staffing": ("search_staffing",),
    "GET /people": ("list_agents",),
    "GET /people/new": ("get_policy",),
    "GET /people/{agent}": ("get_agent",),
    "POST /people/new": ("create_agent",),
    "POST /people/{agent}": ("edit_agent",),
    "POST /people/{agent}/password": ("reset_password",),
    "POST /people/{agent}/presence": ("set_agent_presence",),
    "POST /desk/{conversation}/statement": ("list_statements", "say_statement"),
    "GET /crises": ("list_crises", "get_crisis"),
    "GET /crises/part": ("get_crisis",),
    "POST /crises": ("raise_crisis",),
    "POST /crises/{crisis}/statement": ("draft_statement",),
    "POST /crises/{crisis}/step": ("approve_statement", "pin_statement", "end_crisis"),
    "POST /crises/{crisis}/together": ("say_statement_together", "route_conversations_together"),
    "GET /audit": ("get_audit",),
    "POST /audit": ("run_audit",),
    "GET /trouble": ("list_outbox", "list_deliveries", "list_ignored", "list_accounts"),
    "GET /trouble/deliveries/{delivery}": ("get_delivery",),
    "POST /trouble/deliveries/{delivery}/replay": ("replay_delivery",),
    "POST /trouble/outbox/{row}": ("requeue_answer", "drop_answer", "confirm_answer"),
    "GET /knowledge": ("list_articles",),
    "GET /knowledge/new": ("list_articles",),
    "GET /knowledge/{article}": ("get_article", "list_publications"),
    "POST /knowledge/new": ("create_article",),
    "POST /knowledge/{article}": ("change_article",),
    "POST /knowledge/{article}/state": ("set_article_state",),
    "GET /knowledge/questions": ("list_open_questions",),
    "POST /knowledge/questions": ("draft_from_questions", "dismiss_questions"),
    "GET /knowledge/contradictions": ("list_contradictions",),
    "GET /knowledge/files": ("export_articles", "export_products", "export_scripts"),
    "GET /knowledge/files/{of}.{format}": ("export_articles", "export_products", "export_scripts"),
    "POST /knowledge/files": ("import_articles", "import_products", "import_scripts"),
    "GET /scripts": ("list_scripts",),
    "GET /scripts/new": ("list_scripts",),
    "GET /scripts/{script}": ("get_script", "list_trials"),
    "POST /scripts/{script}/trials": ("begin_trial",),
    "GET /trials/{trial}": ("get_trial",),
    "POST /trials/{trial}/end": ("end_trial",),
    "POST /scripts/new": ("create_script",),
    "POST /scripts/{script}": ("change_script",),
    "POST /scripts/{script}/state": ("set_script_state",),
    "GET /desk/{conversation}/aid": ("get_aid",),
    "GET /desk/{conversation}/suggested": ("get_aid",),
    "GET /products": ("list_products",),
    "GET /products/new": ("list_products",),
    "GET /products/{product}": ("get_product",),
    "POST /products/new": ("put_product",),
    "POST /products/{product}": ("put_product",),
    "GET /me": ("me", "list_my_tokens"),
    "POST /me/tokens": ("create_my_token",),
    "POST /me/tokens/{token}/revoke": ("revoke_my_token",),
}
#: Behind no sign-in, or not for people: platforms, browsers of customers, monitors, the API.
_ELSEWHERE = (
    *("/api/", "/static", "/hooks/", "/v1/", "/ws/", "/shop", "/media/", "/signin"),
    *("/k/", "/healthz", "/readyz", "/metrics"),
)


# ----- the document ------------------------------------------------------------------------------


async def test_the_document_is_valid_openapi_and_names_every_operation(
    client: ClientSession,
) -> None:
    made = await (await client.get(f"{API}/openapi.json")).json()
    validate(made)
    named = {each["operationId"] for path in made["paths"].values() for each in path.values()}
    assert named == {operation.name for operation in operations()}
    assert len(named) == len(operations())


async def test_the_page_of_operations_lists_them_all(client: ClientSession) -> None:
    page = await (await client.get(f"{API}/docs")).text()
    for operation in operations():
        assert operation.path in page
        assert operation.summary
        assert (
            operation.summary
            in document(version="1", public_url="http://x")["paths"][API + operation.path][
                operation.method.lower()
            ]["summary"]
        )


async def test_whatever_the_pages_do_the_api_does(house: House) -> None:
    known = {operation.name for operation in operations()}
    forms = {
        f"{route.method} {route.resource.canonical}"
        for route in house.app.router.routes()
        if route.resource is not None
        and route.method != "HEAD"
        and not route.resource.canonical.startswith(_ELSEWHERE)
    }
    assert forms - set(SAME) == set()
    assert {name for names in SAME.values() for name in names} <= known


# ----- who may ------------------------------------------------------------------------------------


async def test_every_operation_wants_somebody_and_its_role(
    client: ClientSession, chen: Program
) -> None:
    for operation in operations():
        path = operation.path.replace("{", "").replace("}", "")
        nobody = await client.request(operation.method, API + path)
        assert nobody.status == 401, operation.name
        if operation.role is not Role.AGENT:
            answer = await client.request(operation.method, API + path, headers=chen.headers)
            assert answer.status == 403, operation.name
            assert (await answer.json())["error"]["code"] == "forbidden"


async def test_a_revoked_token_opens_nothing(chen: Program) -> None:
    made = await chen.post("/me/tokens", json={"name": "script"}, status=201)
    other = Program(chen.client, {"Authorization": f"Bearer {made['token']}"})
    assert (await other.get("/me"))["agent"]["login"] == "chen"
    listed = await chen.get("/me/tokens")
    assert made["token"] not in str(listed)
    await chen.ask("DELETE", f"/me/tokens/{made['id']}", status=204)
    refused = await other.get("/me", status=401)
    assert refused["error"]["code"] == "unauthenticated"


async def test_the_session_of_a_page_opens_the_api_only_with_its_mark(
    house: House, client: ClientSession
) -> None:
    await house.agent("chen")
    csrf = await sign_in(client, "chen")
    assert (await client.get(f"{API}/me")).status == 200
    body = {"presence": "away"}
    refused = await client.put(f"{API}/me/presence", json=body)
    assert (refused.status, (await refused.json())["error"]["code"]) == (403, "csrf")
    headers = {"X-CSRF-Token": csrf}
    assert (await client.put(f"{API}/me/presence", json=body, headers=headers)).status == 200


# ----- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "field"),
    [
        ("GET", "/conversations/nobody", None, 404, "not_found", None),
        ("PUT", "/me/presence", {"presence": "asleep"}, 400, "invalid", "presence"),
        ("PUT", "/me/presence", {}, 400, "invalid", "presence"),
        ("PUT", "/me/presence", {"presence": "away", "x": 1}, 400, "invalid", "x"),
        ("GET", "/conversations?limit=0", None, 400, "invalid", "limit"),
        ("GET", "/conversations?colour=red", None, 400, "invalid", "colour"),
        ("GET", "/nowhere", None, 404, "not_found", None),
        ("POST", "/me", {}, 405, "method_not_allowed", None),
        ("POST", "/contacts/x/merge", {"contact": "x", "why": ""}, 409, "invalid", "why"),
    ],
)
async def test_an_error_says_its_code_and_the_field(  # noqa: PLR0917  a row of the table above
    chen: Program,
    method: str,
    path: str,
    body: Any,
    status: int,
    code: str,
    field: str | None,
) -> None:
    said = await chen.ask(method, path, json=body, status=status)
    assert said["error"]["code"] == code
    assert said["error"].get("field") == field
    assert said["error"]["message"]


async def test_an_error_is_said_in_the_readers_language(chen: Program) -> None:
    chen.headers["Accept-Language"] = "zh-CN"
    said = await chen.get("/conversations/nobody", status=404)
    assert said["error"]["message"] == "找不到此项，或您无权查看。"


async def test_a_body_that_is_no_json_is_refused(chen: Program) -> None:
    headers = chen.headers | {"Content-Type": "application/json"}
    for body in (b"{", b"\xff", b"[" * 10_000):
        answer = await chen.client.put(f"{API}/me/presence", data=body, headers=headers)
        assert answer.status == 400
    plain = await chen.client.put(f"{API}/me/presence", data=b"x", headers=chen.headers)
    assert plain.status == 415
