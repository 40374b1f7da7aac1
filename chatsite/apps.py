"""Which administration Django's admin application serves."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    default_site = "chatsite.administration.Administration"
