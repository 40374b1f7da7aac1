"""The pages of operators and managers: companies, people, accounts, providers, personas. Of conversations nothing.

Who sees what is in `scope.py`.
"""

from django.contrib import admin
from django.contrib.auth.models import Group

from conversations.admin import account, company, invitation, persona, price, provider, sign_in

admin.site.unregister(Group)  # roles are those of a company's members
# Second factors, and accounts at companies' providers: rows that nobody has to see, secrets among them.
admin.site.unregister(
    [model for model in list(admin.site._registry) if model.__module__.startswith("allauth.")]
)

__all__ = ["account", "company", "invitation", "persona", "price", "provider", "sign_in"]
