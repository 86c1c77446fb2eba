"""Clean accuracy beside attack success: of answers, captions and classes; two models paired."""
