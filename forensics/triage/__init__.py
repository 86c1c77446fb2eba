"""Triage: one queue over the evidence of all finished runs, and what people decide about it."""

from forensics.triage.summary import PairAgreement, Reviewer, Summary, summary

__all__ = ["PairAgreement", "Reviewer", "Summary", "summary"]
