"""The report: what a case's finished runs say, as facts, figures, a page and a JSON twin.

Facts are gathered once (:mod:`forensics.report.gather`); the page and the twin are two ways to
write them down. No model is opened, and nothing here imports torch.
"""
