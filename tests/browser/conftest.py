"""A headless Chromium for every test here."""

from tests.support.browser import chromium, new_page, problems

__all__ = ["chromium", "new_page", "problems"]
