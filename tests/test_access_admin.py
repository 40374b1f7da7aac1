"""Who gets through which door of the administration, and that nothing of another company comes out of any.

Every address of the admin is asked as every demo account, with a row of one's own company, with one of another and
with one that does not exist. The table is complete by construction: an address that is not in it fails the test.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from difflib import unified_diff
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model, UUIDField
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.utils import timezone

from conversations import feedback, filing, keys, personas
from conversations.accounts import links
from conversations.models import (
    AnswerLabel,
    AnswerRecord,
    Budget,
    CompanySignIn,
    Conversation,
    Endpoint,
    Erasure,
    Export,
    Grade,
    Hold,
    Invitation,
    Judgement,
    Label,
    Membership,
    Note,
    Persona,
    PersonaVersion,
    Price,
    QueueEntry,
    Reading,
    Review,
    Rubric,
    Rule,
)
from tests.answers import ended
from tests.conftest import Cast
from tests.exporting import received
from tests.test_access import EVERYBODY, addresses, sign_in
from tests.test_budgets import PRICES
from tests.test_company_sign_in import kept

CANARY = "zqcanary"
FOREIGN = (CANARY, "Globex", "0f766e")
OURS = ("zqours", "Coca Cola", "e4002b")  # what Globex may not read
ABSENT = {"pk": 987654321, "uuid": uuid.UUID(int=7)}

Answers = dict[
    str, int
]  # by "manager", "reviewer" and "admin"; the others get 403, and nobody the sign-in page

STAFF: Answers = {"manager": 200, "reviewer": 200, "admin": 200}
REDIRECTED: Answers = dict.fromkeys(STAFF, 302)
GONE: Answers = dict.fromkeys(STAFF, 404)
NEVER: Answers = {"manager": 404, "reviewer": 404, "admin": 403}
POST_ONLY: Answers = dict.fromkeys(STAFF, 405)
OPERATORS: Answers = {"manager": 403, "reviewer": 403, "admin": 200}
MANAGERS: Answers = {"manager": 200, "reviewer": 403, "admin": 200}
OWN_ROW: Answers = {"manager": 200, "reviewer": 404, "admin": 200}
OWN_ROW_OF_OPERATORS: Answers = {"manager": 403, "reviewer": 404, "admin": 200}
FOREIGN_ROW: Answers = {"manager": 404, "reviewer": 404, "admin": 200}
OPERATORS_ALONE: Answers = {"manager": 404, "reviewer": 404, "admin": 200}

# What a reviewer presses on a conversation's page. Who may press it is tried in `test_workplace_review.py`.
ACTIONS = ("open", "claim", "release", "renew", "judge", "label", "reply", "note", "submit", "hold")

LISTS: dict[str, Answers] = {
    "index": STAFF,
    "login": REDIRECTED,
    "logout": dict.fromkeys(STAFF, 405),  # a POST only
    "password_change": REDIRECTED,  # to the site's one page for it
    "password_change_done": REDIRECTED,
    "jsi18n": STAFF,
    "autocomplete": dict.fromkeys(STAFF, 403),  # without saying of what; see below
    "auth_user_changelist": OPERATORS,
    "auth_user_add": OPERATORS,
    "conversations_company_changelist": OPERATORS,
    "conversations_company_add": OPERATORS,
    "conversations_endpoint_changelist": OPERATORS,
    "conversations_endpoint_add": OPERATORS,
    "conversations_price_changelist": OPERATORS,
    "conversations_price_add": OPERATORS,
    "conversations_membership_changelist": MANAGERS,
    "conversations_membership_add": OPERATORS,
    "conversations_invitation_changelist": MANAGERS,
    "conversations_invitation_add": MANAGERS,
    "conversations_companysignin_changelist": OPERATORS,
    "conversations_companysignin_add": OPERATORS,
    "conversations_persona_changelist": MANAGERS,
    "conversations_persona_add": MANAGERS,
    "review": {
        "manager": 302,
        "reviewer": 302,
        "admin": 200,
    },  # to the one company, or the choice between them
    "review_usage_all": OPERATORS,
    "conversations_persona_models": {"manager": 404, "reviewer": 403, "admin": 404},  # without saying of what
}
# Of each: a row of one's own company, and one of another. One that is absent is GONE.
ROWS: dict[str, tuple[Answers, Answers]] = {
    **{
        f"{model}_{page}": (OWN_ROW_OF_OPERATORS, FOREIGN_ROW)
        for model, pages in {
            "auth_user": ("change", "history", "delete", "password_change"),
            "conversations_company": ("change", "history", "delete"),
            "conversations_endpoint": ("change", "history", "delete"),  # here of one company alone
        }.items()
        for page in pages
    },
    # Prices belong to no company.
    **{f"conversations_price_{page}": (OPERATORS, OPERATORS) for page in ("change", "history", "delete")},
    **{f"auth_user_{deed}": (POST_ONLY, POST_ONLY) for deed in ("password_link", "remove_factors")},
    "conversations_membership_second_factor": (POST_ONLY, POST_ONLY),
    **{f"conversations_invitation_{page}": (OWN_ROW, FOREIGN_ROW) for page in ("change", "history")},
    "conversations_invitation_delete": ({"manager": 403, "reviewer": 404, "admin": 403}, NEVER),
    "conversations_invitation_take_back": (POST_ONLY, POST_ONLY),
    # Where a company signs in is for operators alone, and for anybody else is not there.
    **{
        f"conversations_companysignin_{page}": (FOREIGN_ROW, FOREIGN_ROW)
        for page in ("change", "history", "delete")
    },
    **{
        f"conversations_membership_{page}": (OWN_ROW, FOREIGN_ROW) for page in ("change", "history", "delete")
    },
    **{f"conversations_persona_{page}": (OWN_ROW, FOREIGN_ROW) for page in ("change", "history")},
    **{f"conversations_persona_{page}": (OWN_ROW, FOREIGN_ROW) for page in ("compare", "version", "try")},
    **{
        f"conversations_persona_{deed}": (POST_ONLY, POST_ONLY)
        for deed in ("restore", "discard", "bring_back")
    },
    "conversations_persona_delete": (OWN_ROW_OF_OPERATORS, FOREIGN_ROW),
    # The workplace, by company; asked in a sitting.
    "review_sitting": (STAFF, FOREIGN_ROW),
    "review_sitting_end": (POST_ONLY, POST_ONLY),
    "review_unmask": (POST_ONLY, POST_ONLY),
    "review_usage": (STAFF, FOREIGN_ROW),
    "review_exports": (STAFF, FOREIGN_ROW),
    "review_export": (STAFF, FOREIGN_ROW),
    "review_export_manifest": (STAFF, FOREIGN_ROW),
    "review_queue": (STAFF, FOREIGN_ROW),
    "review_conversation": (STAFF, FOREIGN_ROW),
    **{f"review_{action}": (POST_ONLY, POST_ONLY) for action in ACTIONS},
    "review_answers": (STAFF, FOREIGN_ROW),
    "review_readings": (OWN_ROW, FOREIGN_ROW),
    "review_keys": (OWN_ROW, FOREIGN_ROW),
    "review_key_put": (POST_ONLY, POST_ONLY),
    "review_key_remove": (POST_ONLY, POST_ONLY),
    **{
        f"review_{page}": (OWN_ROW, FOREIGN_ROW) for page in ("keeping", "people", "person", "erasure")
    },  # what managers, and on the second line operators, do with what is kept
    **{f"review_{page}": (OPERATORS_ALONE, OPERATORS_ALONE) for page in ("account", "account_receipt")},
    **{
        f"review_{deed}": (POST_ONLY, POST_ONLY)
        for deed in ("period", "period_back", "hold_lift", "person_data", "person_hold", "person_erase")
    },
    **{f"review_{page}": (OWN_ROW, FOREIGN_ROW) for page in ("budgets", "budget_add", "budget")},
    "review_budget_remove": (POST_ONLY, POST_ONLY),
    **{
        f"review_{page}": (OWN_ROW, FOREIGN_ROW)
        for page in ("settings", "rule_add", "rule", "rubric")  # and below, what is done there
    },
    **{
        f"review_{deed}": (POST_ONLY, POST_ONLY)
        for deed in (
            "second_reviews",
            "rule_switch",
            "rule_remove",
            "label_add",
            "label_rename",
            "label_retire",
            "account_data",
            "account_erase",
        )
    },
}
BY_NAME = {"app_list"}
FURTHER = {
    "conversations_persona_version": ("1",),
    "conversations_persona_restore": ("1",),
    "conversations_persona_bring_back": (1,),
    "review_rule_add": ("words",),
}
BELOW: dict[str, type[Model]] = {  # what stands below a company in an address, as the model that it is of
    "review_unmask": Conversation,
    **dict.fromkeys(("review_rule", "review_rule_switch", "review_rule_remove"), Rule),
    **dict.fromkeys(("review_label_rename", "review_label_retire"), Label),
    **dict.fromkeys(("review_key_put", "review_key_remove"), Endpoint),
    "review_hold_lift": Hold,
    **dict.fromkeys(
        ("review_person", "review_person_data", "review_person_hold", "review_person_erase"), User
    ),
    "review_erasure": Erasure,
    "review_export": Export,
    "review_export_manifest": Export,
    **dict.fromkeys(("review_budget", "review_budget_remove"), Budget),
    "review_conversation": Conversation,
    **{f"review_{action}": Conversation for action in ACTIONS},
}
PLAIN = r"(?P<url>.*)$", "<path:object_id>/"  # Django's catch-all, and its old form of a change page


@pytest.fixture
def crowd(live_cast: Cast) -> Cast:
    """The demo companies, with a canary in every text of Globex."""
    live_cast.globex.name = f"Globex {CANARY}"
    live_cast.globex.save()
    User.objects.filter(pk=live_cast.outsider.pk).update(
        username=f"out{CANARY}", first_name=CANARY, last_name=CANARY, email=f"{CANARY}@example.com"
    )
    words = {"tagline": CANARY, "greeting": CANARY, "starters": [CANARY], "avatar": "zq"}
    Persona.objects.filter(pk=live_cast.helpdesk.pk).update(name=f"Help {CANARY}", **words)
    told = PersonaVersion(
        system_prompt=CANARY, endpoint=Endpoint.objects.get(wire="mistral"), model=CANARY, stop=[CANARY]
    )
    personas.publish(live_cast.helpdesk, told, by=live_cast.outsider)
    LogEntry.objects.create(
        user=live_cast.manager,  # who had to do with it once
        content_type=ContentType.objects.get_for_model(Persona),
        object_id=str(live_cast.helpdesk.pk),
        object_repr=CANARY,
        action_flag=CHANGE,
        change_message=CANARY,
    )
    Price.objects.create(endpoint=told.endpoint, model="a model", **PRICES)
    _write_down(live_cast)
    return live_cast


def _write_down(cast: Cast) -> None:
    """A conversation at each company, and all that its reviewers can say of it; at Globex in canaries."""
    for company, person, persona, word in (
        (cast.coca_cola, cast.member, cast.guide, OURS[0]),
        (cast.globex, cast.outsider, cast.helpdesk, CANARY),
    ):
        persona.refresh_from_db()
        turn = ended(cast, word, question=word, by=person, persona=persona, sentence=word, request_id=word)
        feedback.rate(person, turn.answer, good=False, comment=word)
        Rule.objects.create(company=company, kind=Rule.Kind.WORDS, value=word)
        filing.file_ended()
        record = AnswerRecord.objects.get(message=turn.answer)
        endpoint = Endpoint.objects.create(
            company=company, name=f"Server {word}", wire="openai", base_url=f"https://{word}.example.com"
        )
        keys.put(endpoint, company, f"key-of-{word}-0123456789", by=cast.admin)
        rubric = Rubric.objects.create(company=company, name=word, in_use=True)
        grade = Grade.objects.create(rubric=rubric, position=1, name=word, meaning=word)
        AnswerLabel.objects.create(label=Label.objects.create(company=company, name=word), record=record)
        Note.objects.create(conversation=turn.conversation, author=cast.admin, text=word)
        review = Review.objects.create(entry=QueueEntry.objects.get(company=company), seat="first")
        Judgement.objects.create(review=review, record=record, grade=grade, correction=word)
        Export.objects.create(
            company=company, kind="csv", by_name=word, reason=word, upto=record.pk, answers=1
        )
        Hold.objects.create(company=company, person=person, reason=word, placed_by=cast.admin)
        Erasure.objects.create(
            company=company, person=person, asked_by=cast.admin, gone={word: 1}, stage="done",
            fingerprint=word, finished_at=timezone.now(),
        )  # fmt: skip
        spending = {"unit": "tokens", "period": "day", "began": record.ended_at.date(), "hard": 12_345_678}
        Budget.objects.create(company=company, persona=persona, **spending)
        links.invite(Invitation(company=company, note=word), cast.admin, days=7)
        kept(
            word,
            company=company,
            issuer=f"https://{word}.example",
            client_id=word,
        )
        Reading.objects.create(
            company=company,
            reader_id=cast.admin.pk,
            reader_name=word,
            owner_id=person.pk,
            owner_name=word,
            conversation_id=turn.conversation.pk,
            what=Reading.What.PAGE,
            reason=word,
            sitting=uuid.UUID(int=9),
        )


def sit(client: Client, cast: Cast) -> None:
    """Begin a sitting at every company that lets the client in."""
    for company in (cast.coca_cola, cast.globex):
        client.post(reverse("admin:review_sitting", args=[company.pk]), {"reason": "to find out"})


def below(cast: Cast, name: str, pk: Any) -> tuple[Any, ...]:
    """What follows the company in an address: a row of that company's, or one that is absent."""
    if name not in BELOW:
        return FURTHER.get(name, ())
    company = {Conversation: "persona__company", User: "memberships__company"}.get(BELOW[name], "company")
    found = BELOW[name]._default_manager.filter(**{company: pk}).values_list("pk", flat=True).first()
    return (found or ABSENT["uuid" if isinstance(BELOW[name]._meta.pk, UUIDField) else "pk"],)


def rows(cast: Cast, name: str) -> tuple[Any, Any, Any]:
    """The ids for an address: of one's own company, of another, of nothing."""
    if name == "review_account_receipt":
        own, other = (
            Erasure.objects.get(company=each).pk for each in (cast.coca_cola, cast.globex)
        )  # of a company each, and all of them operators' here
        return own, other, ABSENT["pk"]
    if name.startswith(("auth_user", "review_account")):
        return cast.member.pk, cast.outsider.pk, ABSENT["pk"]
    if name == "conversations_membership_second_factor":
        return cast.coca_cola.pk, cast.globex.pk, ABSENT["uuid"]
    for part, model in (("_invitation_", Invitation), ("_companysignin_", CompanySignIn)):
        if part in name:
            companies = (cast.coca_cola, cast.globex)
            found = [model._default_manager.get(company=company).pk for company in companies]
            return found[0], found[1], ABSENT["uuid"]
    if "_company_" in name or name.startswith("review_"):
        return cast.coca_cola.pk, cast.globex.pk, ABSENT["uuid"]
    if "_persona_" in name:
        return cast.guide.pk, cast.helpdesk.pk, ABSENT["uuid"]
    if "_membership_" in name:
        own = Membership.objects.get(user=cast.member).pk
        return own, Membership.objects.get(user=cast.outsider).pk, ABSENT["pk"]
    if "_price_" in name:
        price = Price.objects.get().pk
        return price, price, ABSENT["pk"]
    own = Endpoint.objects.get(company=cast.coca_cola).pk
    return own, Endpoint.objects.get(company=cast.globex).pk, ABSENT["pk"]


def doors(cast: Cast) -> Iterator[tuple[str, Answers]]:
    """Every address with its answers."""
    for name, answers in LISTS.items():
        yield reverse(f"admin:{name}"), answers
    for name, (own, foreign) in ROWS.items():
        gone = own if own is POST_ONLY else GONE
        for pk, answers in zip(rows(cast, name), (own, foreign, gone), strict=True):
            yield reverse(f"admin:{name}", args=[pk, *below(cast, name, pk)]), answers
        if name in BELOW:  # a row of another company below one's own
            own_company, other_company, _ = rows(cast, name)
            address = reverse(f"admin:{name}", args=[own_company, *below(cast, name, other_company)])
            yield address, own if own is POST_ONLY else GONE
    yield reverse("admin:app_list", args=["conversations"]), OWN_ROW
    yield reverse("admin:app_list", args=["auth"]), FOREIGN_ROW
    yield "/admin/elsewhere/", GONE


def test_every_address_of_the_admin_is_in_the_table() -> None:
    names = {name for namespace, name in addresses(get_resolver().url_patterns) if namespace == "admin"}
    assert names - set(PLAIN) == set(LISTS) | set(ROWS) | BY_NAME


def mirrored(cast: Cast) -> Cast:
    """The same from the other company's side: Globex's people of every kind, before rows of Coca Cola's."""
    staff = {}
    for role in ("manager", "reviewer"):
        staff[role] = User.objects.create_user(f"{role} of the other side")
        Membership.objects.create(user=staff[role], company=cast.globex, role=role)
    return replace(
        cast,
        manager=staff["manager"],
        reviewer=staff["reviewer"],
        coca_cola=cast.globex,
        globex=cast.coca_cola,
        guide=cast.helpdesk,
        helpdesk=cast.guide,
        member=cast.outsider,
        outsider=cast.member,
    )


def all_of(response: Any) -> str:
    """Everything that a response says, its headers and cookies too."""
    content = received(response) if response.streaming else response.content
    head = [f"{name}: {value}" for name, value in response.items()]
    return "\n".join([*head, response.cookies.output(), content.decode()])


# What is new in each response. A length follows from the rest, where an id is echoed.
NEW = (
    "X-Request-ID:",
    "Content-Length:",
    "Content-Security-Policy:",
    "Expires:",
    "csrf",
    "X-CSRFToken",
    "client_id",
    "nonce=",
)


def steady(said: str, *ids: object) -> str:
    """What two responses can be compared by: without what is new in each, and without the ids that were asked for.

    Ids that are numbers, as others are, are looked for where they are echoed: in addresses, fields and sentences.
    """
    lines = [line for line in said.splitlines() if not any(word in line for word in NEW)]
    kept = "\n".join(lines)
    for pk in ids:
        echoed = rf"(/|=|%3D|(?:version|rule|label) |hidden\" name=\"\w+\" value=\"){pk}\b"
        kept = kept.replace(f'value="{pk}" selected', "selected")
        kept = re.sub(echoed, r"\1", kept) if isinstance(pk, int) else kept.replace(str(pk), "")
    return kept


def assert_same(told: dict[tuple[int, str, int], object], *what: object) -> None:
    """There is one answer, of a status, a text and a number of queries, whatever was asked for."""
    for (one, one_said, one_asked), (other, other_said, other_asked) in pairwise(told):
        assert (one, one_asked) == (other, other_asked), what
        assert "\n".join(unified_diff(one_said.split("\n"), other_said.split("\n"), n=0)) == "", what


@pytest.mark.parametrize("side", ["Coca Cola", "Globex"])
def test_every_door_as_everybody(crowd: Cast, side: str) -> None:
    cast, words = (crowd, FOREIGN) if side == "Coca Cola" else (mirrored(crowd), OURS)
    wrong = []
    for who in EVERYBODY:
        client = Client()
        sign_in(client, cast, who)
        if who != "nobody":
            sit(client, cast)
        foreign = (
            words if who not in {"outsider", "member2"} else (FOREIGN[0], OURS[0])
        )  # they know their own
        for address, answers in doors(cast):
            response = client.get(address)
            expected = {"nobody": 302}.get(who, answers.get(who, 403))
            if response.status_code != expected:
                wrong.append(f"{address} as {who}: {response.status_code}, not {expected}")
            said = all_of(response)
            if who != "admin" and any(word in said for word in foreign):
                wrong.append(f"{address} as {who} tells of the other company")
    assert wrong == []


# How each row is asked for. What a door takes is its own business; that it tells nothing is everybody's.
WAYS = {"manager": ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"), "reviewer": ("GET", "POST")}


@pytest.mark.parametrize("who", WAYS)
def test_a_foreign_row_and_an_absent_one_are_the_same(crowd: Cast, who: str) -> None:
    client = Client()
    sign_in(client, crowd, who)
    for name in ROWS:
        if "_price_" in name:
            continue
        _, foreign, absent = rows(crowd, name)
        for method in WAYS[who]:
            told: dict[tuple[int, str, int], object] = {}
            for pk in (foreign, absent):
                address = reverse(f"admin:{name}", args=[absent, *below(crowd, name, absent)])
                address = address.replace(str(absent), str(pk))
                with CaptureQueriesContext(connection) as asked:
                    response = client.generic(
                        method, address, "post=yes", content_type="application/x-www-form-urlencoded"
                    )
                told[response.status_code, steady(all_of(response), pk), len(asked)] = pk
            assert_same(told, who, name, method)


@pytest.mark.parametrize("who", ["manager", "reviewer", "outsider"])
@pytest.mark.parametrize(
    "question",
    [
        "model_name=conversation&field_name=persona",
        "model_name=conversation&field_name=owner",
        "model_name=membership&field_name=user",
        "model_name=membership&field_name=company",
        "model_name=persona&field_name=company",
        "model_name=persona&field_name=current",
        "model_name=personaversion&field_name=endpoint",
    ],
)
def test_autocomplete_offers_nothing_foreign(crowd: Cast, who: str, question: str) -> None:
    client = Client()
    sign_in(client, crowd, who)
    address = reverse("admin:autocomplete") + f"?app_label=conversations&{question}"
    for term in ("", CANARY, "o"):
        response = client.get(address, {"term": term})
        assert response.status_code in {200, 403, 404}
        assert not any(word in response.content.decode() for word in FOREIGN)


@pytest.mark.parametrize(
    "query",
    [
        "q=canary",
        "company__id__exact=GLOBEX",
        "company__name__startswith=Globex",
        "company__personas__name__contains=z",
        "all=",
        "_facets=True",
        "e=1",
        "o=1.2.-3",
        "p=7",
    ],
)
def test_lists_and_filters_offer_nothing_foreign(crowd: Cast, query: str) -> None:
    query = query.replace("GLOBEX", str(crowd.globex.pk))
    client = Client()
    client.force_login(crowd.manager)
    for model in ("persona", "membership", "invitation"):
        response = client.get(reverse(f"admin:conversations_{model}_changelist") + f"?{query}", follow=True)
        shown = response.content.decode().replace("company__name__startswith=Globex", "")
        assert not any(word in shown for word in FOREIGN), (model, query)


def test_nothing_foreign_can_be_chosen_or_acted_on(crowd: Cast) -> None:
    client = Client()
    client.force_login(crowd.manager)
    foreign = Membership.objects.get(user=crowd.outsider)
    listed = reverse("admin:conversations_membership_changelist")
    chosen = {"action": "delete_selected", "_selected_action": foreign.pk, "post": "yes"}
    said = client.post(listed, chosen, follow=True).content.decode()
    assert not any(word in said for word in FOREIGN)
    assert Membership.objects.filter(pk=foreign.pk).exists()
    form = client.get(reverse("admin:conversations_persona_add")).context["adminform"].form
    assert list(form.fields["company"].queryset) == [crowd.coca_cola]
    sent = {"name": "Mine", "company": str(crowd.globex.pk), "model": "m"}
    client.post(reverse("admin:conversations_persona_add"), sent)
    assert not Persona.objects.filter(name="Mine").exists()


def test_managers_give_roles_and_take_people_out(crowd: Cast) -> None:
    client = Client()
    client.force_login(crowd.manager)
    place = Membership.objects.get(user=crowd.member)
    change = reverse("admin:conversations_membership_change", args=[place.pk])
    sent = {"role": "reviewer", "user": crowd.outsider.pk, "company": str(crowd.globex.pk)}
    assert client.post(change, sent).status_code == 302
    place.refresh_from_db()
    assert (place.user, place.company, place.role) == (crowd.member, crowd.coca_cola, "reviewer")
    client.post(reverse("admin:conversations_membership_delete", args=[place.pk]), {"post": "yes"})
    assert not crowd.member.memberships.exists()
    assert User.objects.filter(pk=crowd.member.pk).exists()


def test_a_foreign_persona_is_neither_changed_nor_published_nor_restored(crowd: Cast) -> None:
    before = Persona.objects.values().get(pk=crowd.helpdesk.pk)
    for who in ("manager", "reviewer", "outsider"):
        client = Client()
        sign_in(client, crowd, who)
        sent = {"name": "Taken over", "system_prompt": "x", "model": "m", "_publish": "Publish"}
        for address in (
            reverse("admin:conversations_persona_change", args=[crowd.helpdesk.pk]),
            reverse("admin:conversations_persona_restore", args=[crowd.helpdesk.pk, "1"]),
        ):
            assert client.post(address, sent).status_code == (403 if who == "outsider" else 404)
    assert Persona.objects.values().get(pk=crowd.helpdesk.pk) == before


def test_personas_are_taken_away_by_operators_only(crowd: Cast) -> None:
    """The page that asks whether to delete one names the conversations that would go with it."""
    client = Client()
    client.force_login(crowd.manager)
    chosen = {"action": "delete_selected", "_selected_action": str(crowd.guide.pk), "post": "yes"}
    client.post(reverse("admin:conversations_persona_changelist"), chosen)
    client.post(reverse("admin:conversations_persona_delete", args=[crowd.guide.pk]), {"post": "yes"})
    assert Persona.objects.filter(pk=crowd.guide.pk).exists()


def test_a_right_ends_with_its_role(crowd: Cast) -> None:
    client = Client()
    client.force_login(crowd.manager)
    User.objects.filter(pk=crowd.manager.pk).update(is_staff=True)
    assert client.get("/admin/").status_code == 200
    crowd.manager.memberships.update(role="member")
    assert client.get("/admin/").status_code == 403


def test_the_menu_leads_to_the_administration(crowd: Cast) -> None:
    for who in set(EVERYBODY) - {"nobody"}:
        client = Client()
        sign_in(client, crowd, who)
        offered = reverse("admin:index") in client.get("/").content.decode()
        assert offered is (who in {"admin", "manager", "reviewer"}), who
