"""The one exception users meet: a sentence that says what was wrong, where, and what would be right."""

__all__ = ["DescendError"]


class DescendError(ValueError):
    """Bad input, said in one clear sentence.

    The command line prints the sentence and exits with 2; a program catches it as a `ValueError`.
    """
