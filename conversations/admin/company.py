"""Companies and who belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from conversations.models import Company, Endpoint, Membership

if TYPE_CHECKING:
    MembershipInlineBase = admin.TabularInline[Membership, Company]
    CompanyAdminBase = admin.ModelAdmin[Company]
    EndpointAdminBase = admin.ModelAdmin[Endpoint]
else:
    MembershipInlineBase = admin.TabularInline
    CompanyAdminBase = EndpointAdminBase = admin.ModelAdmin


class MembershipInline(MembershipInlineBase):
    model = Membership
    autocomplete_fields = ["user"]
    extra = 1


@admin.register(Company)
class CompanyAdmin(CompanyAdminBase):
    list_display = ["name", "colour"]
    search_fields = ["name"]
    inlines = [MembershipInline]


@admin.register(Endpoint)
class EndpointAdmin(EndpointAdminBase):
    list_display = ["name", "wire", "base_url"]

    def get_readonly_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> list[str]:
        """Versions are pinned to their endpoint, and answers to their version: another server is another endpoint."""
        return ["wire", "base_url"] if obj and obj.versions.exists() else []
