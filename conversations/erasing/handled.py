"""What becomes of every column that points at an account or holds text, in any installed app. A test walks all models
and fails for a column that is not in here, so that whoever adds one decides what an erasure does with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from django.utils.translation import gettext_noop


class Fate(Enum):
    """What an erasure does with the rows that point at the person."""

    WITH_CHAT = auto()  # goes with the person's conversations, whose it alone can be
    DELETED = auto()  # the row goes
    CLEARED = auto()  # the row stays and points at nobody
    STAYS = auto()  # the row stays, and points at an account without a name
    OWN_PASS = auto()  # dealt with by a pass of its own in `passes.py` or `names.py`
    ACCOUNT = auto()  # goes when the account loses its name


@dataclass(frozen=True, slots=True)
class Reference:
    """What becomes of a column that points at an account. `company` leads from its row to the company's; where there
    is none the row belongs to the whole account."""

    fate: Fate
    company: str = ""
    kind: str = ""  # what receipts call the rows, where it is not the plural name of the model


REFERENCES: dict[str, Reference] = {
    "conversations.Conversation.owner": Reference(Fate.WITH_CHAT, "persona__company"),
    "conversations.Generation.requested_by": Reference(Fate.WITH_CHAT),
    "conversations.Feedback.person": Reference(Fate.WITH_CHAT),
    "conversations.Flag.person": Reference(Fate.WITH_CHAT),
    "conversations.Note.author": Reference(Fate.DELETED, "conversation__persona__company"),
    "conversations.QueueEntry.claimed_by": Reference(Fate.CLEARED, "company", gettext_noop("claims")),
    "conversations.Membership.user": Reference(Fate.DELETED, "company", gettext_noop("memberships")),
    "conversations.Review.reviewer": Reference(Fate.STAYS, "entry__company"),
    "conversations.AnswerLabel.by": Reference(Fate.STAYS, "record__company", gettext_noop("labels given")),
    "conversations.AnswerRecord.person": Reference(
        Fate.STAYS, "company", gettext_noop("answers in the ledger")
    ),
    "conversations.PersonaVersion.created_by": Reference(
        Fate.STAYS, "persona__company", gettext_noop("versions of personas")
    ),
    "conversations.Budget.person": Reference(Fate.DELETED, "company"),
    "conversations.Charge.person": Reference(Fate.STAYS, "company", gettext_noop("charges in the ledger")),
    "conversations.ProviderKey.set_by": Reference(Fate.STAYS, "company", gettext_noop("keys set")),
    "conversations.Export.by": Reference(Fate.OWN_PASS, "company"),
    "conversations.Download.person": Reference(Fate.DELETED, kind=gettext_noop("files under way")),
    "conversations.Hold.person": Reference(Fate.DELETED, "company", gettext_noop("lifted holds")),
    "conversations.Hold.placed_by": Reference(Fate.OWN_PASS, "company"),
    "conversations.Hold.lifted_by": Reference(Fate.OWN_PASS, "company"),
    "conversations.Erasure.person": Reference(Fate.OWN_PASS),  # the receipt itself: a number
    "conversations.Erasure.stand_in": Reference(Fate.OWN_PASS),
    "conversations.Erasure.asked_by": Reference(Fate.STAYS, "company", gettext_noop("erasures asked for")),
    "admin.LogEntry.user": Reference(Fate.OWN_PASS, "of__company"),
    "conversations.Invitation.used_by": Reference(Fate.DELETED, "company", gettext_noop("invitations used")),
    "conversations.Invitation.made_by": Reference(Fate.DELETED, "company", gettext_noop("invitations made")),
    "conversations.PasswordLink.user": Reference(Fate.DELETED, kind=gettext_noop("links for a password")),
    "conversations.PasswordLink.made_by": Reference(
        Fate.DELETED, kind=gettext_noop("links for a password made")
    ),
    "conversations.Folder.owner": Reference(Fate.DELETED),
    "conversations.Import.person": Reference(Fate.DELETED, "persona__company"),
    "conversations.SignIn.user": Reference(Fate.DELETED),
    "account.EmailAddress.user": Reference(Fate.DELETED),
    "mfa.Authenticator.user": Reference(Fate.DELETED, kind=gettext_noop("second factors")),
    "socialaccount.SocialAccount.user": Reference(
        Fate.DELETED, kind=gettext_noop("accounts at a company's provider")
    ),
    "auth.User_groups.user": Reference(Fate.ACCOUNT),
    "auth.User_user_permissions.user": Reference(Fate.ACCOUNT),
}


READINGS = {"conversations.Reading.reader_id": "company", "conversations.Reading.owner_id": "company"}
"""The record of readings points at accounts by their numbers alone: each column with what leads to the company."""


class Text(Enum):
    """What an erasure does with a column of text."""

    WITH_CHAT = auto()  # goes with the person's conversations; nobody else's holds words of theirs
    WORDS = auto()  # the person's words: their row goes, or loses them
    NAME = auto()  # the person's name: the pseudonym takes its place
    COMPANY = auto()  # the words of a company about its own work, whoever typed them
    FIXED = auto()  # a choice among given words, a number, or what only the site writes


_FIXED = """
    auth.Permission.name auth.Permission.codename auth.Group.name admin.LogEntry.object_id
    contenttypes.ContentType.app_label contenttypes.ContentType.model sessions.Session.session_key
    conversations.Membership.role conversations.Endpoint.wire conversations.Company.colour
    conversations.PersonaVersion.reasoning_effort conversations.Message.role conversations.Generation.status
    conversations.Generation.finish_reason conversations.Generation.error_kind conversations.Generation.key_of
    conversations.Feedback.reasons
    conversations.Export.kind conversations.Export.sha256 conversations.Reading.what
    conversations.Rule.kind conversations.Rule.stopped conversations.EntryReason.kind conversations.QueueEntry.status
    conversations.Review.seat conversations.AnswerRecord.model conversations.AnswerRecord.status
    conversations.AnswerRecord.finish_reason conversations.AnswerRecord.error_kind
    conversations.Erasure.stage conversations.Erasure.cursor conversations.Erasure.gone conversations.Erasure.stays
    conversations.Erasure.fingerprint conversations.Erasure.companies
    conversations.Budget.unit conversations.Budget.period
    conversations.Invitation.token_hash conversations.Invitation.role conversations.PasswordLink.token_hash
    conversations.SignIn.session_key conversations.SignInCount.key conversations.SignInCount.times
    conversations.SpentCode.key account.EmailConfirmation.key mfa.Authenticator.type
    socialaccount.SocialAccount.provider socialaccount.SocialToken.token socialaccount.SocialToken.token_secret
    conversations.CompanySignIn.otherwise conversations.Conversation.titled_by conversations.SharedLink.token_hash
    conversations.Import.status conversations.Import.sentence conversations.Attachment.media_type
"""
_COMPANY = """
    conversations.Company.name conversations.Endpoint.name conversations.Endpoint.base_url
    conversations.Persona.name conversations.Persona.tagline conversations.Persona.greeting
    conversations.Persona.starters conversations.Persona.avatar conversations.PersonaVersion.system_prompt
    conversations.PersonaVersion.model conversations.PersonaVersion.stop conversations.Rule.value
    conversations.ProviderKey.sealed conversations.ProviderKey.last4 conversations.Price.model
    conversations.CompanySignIn.issuer conversations.CompanySignIn.client_id conversations.CompanySignIn.sealed_secret
    conversations.CompanySignIn.secret_ending conversations.CompanySignIn.role_claim
    conversations.CompanySignIn.manager_values conversations.CompanySignIn.reviewer_values
    conversations.CompanySignIn.member_values conversations.CompanySignIn.email_domains
    socialaccount.SocialApp.provider socialaccount.SocialApp.provider_id socialaccount.SocialApp.name
    socialaccount.SocialApp.client_id socialaccount.SocialApp.secret socialaccount.SocialApp.key
    socialaccount.SocialApp.settings
    conversations.Rubric.name conversations.Grade.name conversations.Grade.meaning conversations.Label.name
"""
_WITH_CHAT = """
    conversations.Conversation.title conversations.Message.text conversations.Generation.reasoning
    conversations.Generation.citations
    conversations.Generation.sentence conversations.Generation.request_id conversations.Generation.model
    conversations.Feedback.comment conversations.EntryReason.said
    conversations.Imported.origin conversations.Imported.sentence
    conversations.Attachment.name conversations.Attachment.text
"""
_NAME = """
    auth.User.username auth.User.first_name auth.User.last_name auth.User.email auth.User.password
    conversations.Export.by_name conversations.Reading.reader_name conversations.Reading.owner_name
    admin.LogEntry.object_repr admin.LogEntry.change_message
"""
_WORDS = """
    conversations.Note.text conversations.Judgement.correction conversations.Judgement.reply
    conversations.Feedback.reply conversations.Flag.reply conversations.Hold.reason conversations.Hold.lifted_reason
    conversations.Export.filters conversations.Export.reason conversations.Reading.reason sessions.Session.session_data
    conversations.Folder.name conversations.Import.name conversations.Import.problems conversations.ImportPiece.data
    conversations.Invitation.note conversations.SignIn.agent account.EmailAddress.email mfa.Authenticator.data
    socialaccount.SocialAccount.uid socialaccount.SocialAccount.extra_data
"""

TEXTS: dict[str, Text] = {
    name: fate
    for fate, names in (
        (Text.FIXED, _FIXED),
        (Text.COMPANY, _COMPANY),
        (Text.WITH_CHAT, _WITH_CHAT),
        (Text.NAME, _NAME),
        (Text.WORDS, _WORDS),
    )
    for name in names.split()
}
