"""What a reviewer does with a claimed entry: grades, corrections, labels, words to the person, notes to colleagues.

Each is saved at once and renews the claim. What comes too late, because the claim is somebody else's or the review is
over, is kept as a note in readable words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from conversations import rubrics
from conversations.models import (
    AnswerLabel,
    AnswerRecord,
    Company,
    Conversation,
    Feedback,
    Flag,
    Grade,
    Judgement,
    Label,
    Note,
    PersonaVersion,
    QueueEntry,
    Review,
)
from conversations.posting import Refused, clean
from conversations.reviewing import claims

Seat = Review.Seat

CORRECTION_CHARS = 100_000
REPLY_CHARS = 2_000
NOTE_CHARS = 20_000
LABEL_CHARS = 40


class Late(Refused):
    """It came after the claim had gone to somebody else, or the review had ended: it is kept as a note."""


def judge(review: Review, record: AnswerRecord, grade_id: int | None) -> None:
    """Give an answer a grade of the review's rubric, or take it back. Raises Refused."""
    with transaction.atomic():
        if claims.keep(review):
            grade = None if grade_id is None else rubrics.given(claims.rubric(review), grade_id)
            _set(of(review, record), grade=grade)
            return
    meant = Grade.objects.filter(pk=grade_id or 0, rubric__company=review.entry.company_id).first()
    raise late(review, record, _("grade %(grade)s") % {"grade": meant} if meant else _("no grade"))


def correct(review: Review, record: AnswerRecord, text: str) -> None:
    """Say how an answer should have been; empty for not at all. Raises Refused."""
    text = _checked(
        text, CORRECTION_CHARS, _("A correction has at most %(most)s characters. Shorten it and send again.")
    )
    if record.message is not None and text == record.message.text.strip():
        text = ""  # as it was
    said = _("corrected answer:\n%(text)s") % {"text": text}
    _save(review, record, said, lambda found: _set(found, correction=text))


def label(review: Review, record: AnswerRecord, name: str) -> None:
    """Give an answer a label of the company's, which is made where it is new. Raises Refused."""
    name = " ".join(clean(name).split())
    if not 1 <= len(name) <= LABEL_CHARS:
        raise Refused(_("A label has 1 to %(most)s characters.") % {"most": LABEL_CHARS}, status=400)

    def save(judgement: Judgement) -> None:
        there = Label.objects.filter(company=review.entry.company)
        known = next((each for each in there if each.name.casefold() == name.casefold()), None)
        if known is not None and known.retired:
            said = _("The label “%(label)s” is no longer given. Choose another.") % {"label": known}
            raise Refused(said, status=409)
        made = (
            known
            or Label.objects.get_or_create(
                company=review.entry.company, name=name, defaults={"invented_in": review}
            )[0]
        )
        judgement.labels.add(made)

    _save(review, record, _("label “%(label)s”") % {"label": name}, save)


def known_labels(company: Company, reader: User | None) -> models.QuerySet[Label]:
    """The labels that `reader` may hear of: all but what colleagues made up in reviews that are still to be blind."""
    given = Judgement.labels.through.objects.filter(label=OuterRef("pk"), judgement__review__reviewer=reader)
    open_ = [QueueEntry.Status.RULING, QueueEntry.Status.DONE]
    known = Q(invented_in=None) | Q(invented_in__reviewer=reader) | Q(invented_in__entry__status__in=open_)
    return Label.objects.filter(known | Exists(given), company=company)


def unlabel(review: Review, record: AnswerRecord, label_id: int) -> None:
    """Take a label from an answer. Raises Refused."""
    found = Label.objects.filter(company=review.entry.company, pk=label_id).first()
    if found is None:
        raise Refused(_("There is no such label any more. Reload the page."), status=409)
    said = _("without the label “%(label)s”") % {"label": found}
    _save(review, record, said, lambda judgement: judgement.labels.remove(found))


def reply(review: Review, record: AnswerRecord, text: str, fixed_in: int | None) -> None:
    """Write to the person who rated or flagged an answer, and name the version that set it right. Raises Refused.

    They are told when the entry is done, and by the review that counts: a second one says nothing to them.
    """
    text = _checked(
        text, REPLY_CHARS, _("A reply has at most %(most)s characters. Shorten it and send again.")
    )
    if review.seat == Seat.SECOND:
        raise Refused(_("The person is answered by the review that counts, not by a second one."), status=409)
    if not any(said.objects.filter(message=record.message_id).exists() for said in (Feedback, Flag)):
        raise Refused(_("The person has taken back what they said of this answer."), status=409)
    version = None if fixed_in is None else later_versions(record).filter(pk=fixed_in).first()
    if fixed_in is not None and version is None:
        raise Refused(_("Choose a version that came after the one that answered."), status=400)
    said = (
        _("reply to the person:\n%(text)s")
        if version is None
        else _("fixed in %(version)s; reply:\n%(text)s")
    ) % {"version": version, "text": text}
    _save(review, record, said, lambda found: _set(found, reply=text, fixed_in=version))


def later_versions(record: AnswerRecord) -> models.QuerySet[PersonaVersion]:
    """The published versions of the answer's persona that came after the one that answered."""
    published = PersonaVersion.objects.filter(persona=record.persona_id, number__isnull=False)
    return published.filter(number__gt=record.version.number or 0)


def note(conversation: Conversation, author: User, text: str) -> Note:
    """Say something to colleagues, with or without a claim; sent twice, it is said once. Raises Refused."""
    text = _checked(text, NOTE_CHARS, _("A note has at most %(most)s characters. Shorten it and send again."))
    if not text:
        raise Refused(_("Write a note first."), status=400)
    QueueEntry.objects.filter(conversation=conversation, claimed_by=author).update(
        claim_seen_at=timezone.now()
    )
    last = Note.objects.filter(conversation=conversation, author=author).last()
    if last is not None and (last.text, last.late) == (text, False):
        return last
    return Note.objects.create(conversation=conversation, author=author, text=text)


def of(review: Review, record: AnswerRecord) -> Judgement:
    """What `review` says of an answer so far. It begins with the labels that the answer has."""
    judgement, made = Judgement.objects.get_or_create(review=review, record=record)
    if made:
        judgement.labels.set(standing_labels(review, record))
    return judgement


def standing_labels(review: Review, record: AnswerRecord) -> Iterable[Label]:
    """What an answer is labelled with before `review` says anything: in a ruling, by both reviews.

    A second review begins with none: what was said before would not leave it its own.
    """
    if review.seat == Seat.SECOND:
        return Label.objects.none()
    if review.seat != Seat.RULING:
        return Label.objects.filter(given__record=record)
    both = Judgement.objects.filter(review__entry=review.entry_id, record=record)
    said = both.filter(review__submitted_at__isnull=False)
    if not said.exists():
        return Label.objects.filter(given__record=record)
    return Label.objects.filter(pk__in=said.values("labels"))


def given(review: Review) -> bool:
    """Whether `review` says anything yet: more than that an answer keeps the labels it has."""
    said = Q(grade__isnull=False) | Q(correction__gt="") | Q(reply__gt="") | Q(fixed_in__isnull=False)
    if review.judgements.filter(said).exists():
        return True
    own = review.judgements.filter(labels__isnull=False).values_list("record", "labels")
    return set(own) != _standing(review)


def _standing(review: Review) -> set[tuple[int, int]]:
    """What `standing_labels` says of all the answers that `review` has touched, as pairs of an answer and a label."""
    if review.seat == Seat.SECOND:
        return set()
    touched = review.judgements.values("record")
    before = AnswerLabel.objects.filter(record__in=touched).values_list("record", "label")
    if review.seat != Seat.RULING:
        return set(before)
    both = Judgement.objects.filter(
        review__entry=review.entry_id, review__submitted_at__isnull=False, record__in=touched
    )
    pairs = set(both.values_list("record", "labels"))
    reviewed = {record for record, _ in pairs}
    return {(record, label) for record, label in pairs if label is not None} | {
        (record, label) for record, label in before if record not in reviewed
    }


def late(review: Review, record: AnswerRecord | None, said: str) -> Late:
    """Keep what was sent too late as a note, once, and give back what to tell its author."""
    words = said if record is None else on_answer(record, said)
    conversation, author = review.entry.conversation, review.reviewer
    if not Note.objects.filter(conversation=conversation, author=author, late=True, text=words).exists():
        Note.objects.create(conversation=conversation, author=author, late=True, text=words)
    kept = _("%(whereabouts)s What you sent is kept as a note to colleagues.")
    return Late(kept % {"whereabouts": claims.whereabouts(review.entry)}, status=409)


def on_answer(record: AnswerRecord, said: str) -> str:
    """What was said of an answer, in a note that names the answer by its end."""
    at = date_format(timezone.localtime(record.ended_at), "DATETIME_FORMAT")
    return _("On the answer of %(at)s: %(said)s") % {"at": at, "said": said}


def _save(review: Review, record: AnswerRecord, said: str, save: Callable[[Judgement], object]) -> None:
    """Have `save` change the judgement while the claim holds; else keep what was `said` as a note."""
    with transaction.atomic():
        if claims.keep(review):
            save(of(review, record))
            return
    raise late(review, record, said)


def _set(judgement: Judgement, **values: object) -> None:
    for name, value in values.items():
        setattr(judgement, name, value)
    judgement.save(update_fields=[*values, "updated_at"])


def _checked(text: str, most: int, too_long: str) -> str:
    text = clean(text).strip()
    if len(text) > most:
        raise Refused(too_long % {"most": number_format(most, force_grouping=True)}, status=413)
    return text
