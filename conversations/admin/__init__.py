"""The pages of operators and managers: companies, people, accounts, providers, personas. Of conversations nothing.

Who sees what is in `scope.py`.
"""

from django.contrib import admin
from django.contrib.auth.models import Group

from conversations.admin import account, company, persona, price, provider

admin.site.unregister(Group)  # roles are those of a company's members

__all__ = ["account", "company", "persona", "price", "provider"]
