"""What an answer may come to, and what has to be known of its company before it is asked for. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from django.db import connection

from conversations import attached, estimates, statements
from conversations.models import Budget, Generation, Message
from conversations.providers.parameters import LONGEST

Prices = tuple[Decimal, Decimal]  # of a million tokens, in and out

_FIELDS = ("id", "unit", "period", "hard", "began", "reserved", "spent", "persona_id", "person_id")
_BYTES = {"sqlite": "LENGTH(CAST(text AS BLOB))", "postgresql": "OCTET_LENGTH(text)"}
_STANDING = """
    SELECT
        (SELECT COUNT(*) FROM conversations_charge WHERE company_id = company.id AND settled_at IS NULL AND NOT title),
        (SELECT COALESCE(SUM(BYTES(text)), 0) FROM conversations_message WHERE conversation_id = %s),
        (SELECT COUNT(*) FROM conversations_message WHERE conversation_id = %s),
        (SELECT COALESCE(SUM(WEIGHT), 0) FROM conversations_attachment WHERE message_id IN
            (SELECT id FROM conversations_message WHERE conversation_id = %s)),
        (SELECT COALESCE(SUM(WEIGHT), 0) FROM conversations_attachment WHERE message_id = %s),
        price.prompt, price.completion,
        budget.id, budget.unit, budget.period, budget.hard, budget.began, budget.reserved, budget.spent,
        budget.persona_id, budget.person_id
    FROM conversations_company company
    LEFT JOIN conversations_price price ON price.endpoint_id = %s AND price.model = %s
    LEFT JOIN conversations_budget budget ON budget.company_id = company.id
        AND (budget.persona_id IS NULL OR budget.persona_id = %s)
        AND (budget.person_id IS NULL OR budget.person_id = %s)
    WHERE company.id = %s ORDER BY budget.id
"""


@dataclass(frozen=True, slots=True)
class Bound:
    """What an answer may come to: tokens in and out, and their price in millionths, None where it is unknown."""

    prompt: int
    completion: int
    money: int | None

    def of(self, budget: Budget) -> int:
        """In the unit of `budget`. What has no price counts nothing in money."""
        return self.prompt + self.completion if budget.unit == Budget.Unit.TOKENS else self.money or 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What is to be known before an answer is asked for: of its company, its conversation and its model."""

    live: int  # answers that are being written
    said: int  # bytes of all messages of the conversation, and of what is attached to them
    messages: int
    attached: int  # bytes of what is attached to the question
    prices: Prices | None
    budgets: list[Budget]


def standing(generation: Generation) -> Standing:
    """What `generation` answers counts as its question. All of it in one query, which the limit of the company takes
    anyway: budgets that there are not cost nothing."""
    conversation, version = generation.conversation, generation.version
    rows = statements.fetch(
        _STANDING.replace("BYTES(text)", _BYTES[connection.vendor]).replace("WEIGHT", attached.WEIGHT),
        *(conversation.pk, conversation.pk, conversation.pk, generation.message.parent_id),
        *(version.endpoint_id, version.model, conversation.persona_id, generation.requested_by_id),
        conversation.persona.company_id,
    )
    live, said, messages, files, hung, prompt, completion, *_ = rows[0]
    # SQLite gives back numbers of its own, which end where those that were given did.
    prices = None if prompt is None else (Decimal(str(prompt)), Decimal(str(completion)))
    budgets = [Budget(**dict(zip(_FIELDS, row[7:], strict=True))) for row in rows if row[7] is not None]
    return Standing(live, said + files, messages, hung, prices, budgets)


def cost(prompt: int, completion: int, prices: Prices | None) -> int | None:
    """The price of so many tokens in millionths of the currency, rounded up; None without prices.

    Prices are for a million tokens, so a token costs as many millionths as a million of them cost units.
    """
    if prices is None:
        return None
    return int((prompt * prices[0] + completion * prices[1]).to_integral_value(ROUND_CEILING))


def bound(generation: Generation, question: Message, known: Standing) -> Bound:
    """At most what `generation.history` sends: all that was said, or what of it fits, or the question where that does
    not; and the longest answer, which is the whole context where none is chosen."""
    version = generation.version
    context = min(version.context_length or estimates.DEFAULT_CONTEXT_LENGTH, LONGEST)
    system = _size(version.system_prompt)
    everything = estimates.most_tokens(system + known.said, known.messages + 1)
    fitting = estimates.most_guessed(context - estimates.answer_room(version.max_tokens, context))
    # The question, and an answer that is carried on, are sent whatever their length.
    asked = _size(question.text) + known.attached
    last = estimates.most_tokens(system + asked + _size(generation.message.text), 3)
    prompt = min(everything, max(fitting, last))
    completion = min(version.max_tokens or context, LONGEST)  # older versions were never asked
    return Bound(prompt, completion, cost(prompt, completion, known.prices))


def _size(text: str) -> int:
    """In bytes."""
    return len(text.encode("utf-8"))
