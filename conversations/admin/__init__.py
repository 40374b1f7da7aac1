"""The operator's pages: companies and their people, endpoints, personas. Conversations are not among them."""

from django.contrib import admin
from django.contrib.auth.models import Group

from conversations.admin import company, persona

admin.site.site_header = admin.site.site_title = "Administration"
admin.site.index_title = "Companies, people, personas"
admin.site.unregister(Group)  # roles are those of a company's members

__all__ = ["company", "persona"]
