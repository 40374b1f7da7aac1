"""The operator's pages: companies and their people, endpoints, personas. Conversations are not among them."""

from conversations.admin import company, persona

__all__ = ["company", "persona"]
