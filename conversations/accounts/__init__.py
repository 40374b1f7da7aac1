"""How people come in and what keeps others out: sign-in, its limits, second factors, invitations, companies' providers.

What allauth does is done by allauth; here is where it is told what this site wants.
"""
