"""The rows of the product and what they promise by themselves: constraints, query sets, one-row facts."""

from conversations.models.company import Company, Membership
from conversations.models.conversation import Conversation, Generation, Message
from conversations.models.persona import Endpoint, Persona, PersonaVersion, Wire
from conversations.models.review import Feedback

__all__ = [
    "Company",
    "Conversation",
    "Endpoint",
    "Feedback",
    "Generation",
    "Membership",
    "Message",
    "Persona",
    "PersonaVersion",
    "Wire",
]
