"""The repair of learnt prompts by tuning on triggered copies, measured beside its controls."""
