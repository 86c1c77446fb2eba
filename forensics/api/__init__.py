"""The Python interface: what ``import forensics`` offers, and what the command line is made of.

One file a concern. ``forensics/__init__.py`` says which name comes from which file and imports it
when it is first used, so that ``import forensics`` itself stays light.
"""
