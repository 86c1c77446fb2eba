"""UBT-style local token unlearning (reconstruction; arXiv 2403.16257, 2409.19526)."""
