"""A read-only server for agents (Model Context Protocol), beside the app and apart from it.

It runs no model, writes nothing into a case, listens on this machine alone and asks for a token.
"""
