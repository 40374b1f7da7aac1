"""The reviewers' verbs: claim an entry of the queue, judge its answers, submit, rule. Knows no request.

Callers have been through `access`, and show nobody's words without `reading.py`. What is done is saved at once, as
the reviewer's own; it counts, and reaches the person who asked, when the entry is done.
"""

from conversations.reviewing.agreement import Agreement, of_company
from conversations.reviewing.claims import (
    SEATS,
    SILENCE,
    barred,
    claim,
    holder,
    name_of,
    open_by_hand,
    release,
    renew,
    rubric,
    second_for,
    to_judge_unseen,
    unseen,
    until,
)
from conversations.reviewing.ending import submit
from conversations.reviewing.work import Late, correct, judge, known_labels, label, note, reply, unlabel

__all__ = [
    "SEATS",
    "SILENCE",
    "Agreement",
    "Late",
    "barred",
    "claim",
    "correct",
    "holder",
    "judge",
    "known_labels",
    "label",
    "name_of",
    "note",
    "of_company",
    "open_by_hand",
    "release",
    "renew",
    "reply",
    "rubric",
    "second_for",
    "submit",
    "to_judge_unseen",
    "unlabel",
    "unseen",
    "until",
]
