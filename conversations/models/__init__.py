"""The rows of the product and what they promise by themselves: constraints, query sets, one-row facts."""

from conversations.models.account import (
    CompanySignIn,
    Invitation,
    PasswordLink,
    SignIn,
    SignInCount,
    SpentCode,
)
from conversations.models.attachment import Attachment
from conversations.models.company import Company, CompanyEntry, Membership
from conversations.models.conversation import Conversation, Generation, Message
from conversations.models.export import Download, Export
from conversations.models.folder import Folder
from conversations.models.importing import Import, Imported, ImportPiece
from conversations.models.keeping import Erasure, Hold, Period, RetentionRun
from conversations.models.key import ProviderKey
from conversations.models.ledger import AnswerRecord
from conversations.models.naming import name_all
from conversations.models.persona import Endpoint, Persona, PersonaVersion, Wire
from conversations.models.queue import EntryReason, QueueEntry, Rule
from conversations.models.reading import Reading
from conversations.models.review import (
    AnswerLabel,
    Feedback,
    Flag,
    Grade,
    Judgement,
    Label,
    Note,
    Review,
    Rubric,
)
from conversations.models.sharing import SharedLink
from conversations.models.spending import Budget, Charge, Price

name_all()

__all__ = [
    "AnswerLabel",
    "AnswerRecord",
    "Attachment",
    "Budget",
    "Charge",
    "Company",
    "CompanyEntry",
    "CompanySignIn",
    "Conversation",
    "Download",
    "Endpoint",
    "EntryReason",
    "Erasure",
    "Export",
    "Feedback",
    "Flag",
    "Folder",
    "Generation",
    "Grade",
    "Hold",
    "Import",
    "ImportPiece",
    "Imported",
    "Invitation",
    "Judgement",
    "Label",
    "Membership",
    "Message",
    "Note",
    "PasswordLink",
    "Period",
    "Persona",
    "PersonaVersion",
    "Price",
    "ProviderKey",
    "QueueEntry",
    "Reading",
    "RetentionRun",
    "Review",
    "Rubric",
    "Rule",
    "SharedLink",
    "SignIn",
    "SignInCount",
    "SpentCode",
    "Wire",
]
