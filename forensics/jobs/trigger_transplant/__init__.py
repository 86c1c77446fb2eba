"""The transplant test of a reconstructed trigger: does it override what other pictures show?"""
