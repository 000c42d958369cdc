"""A headless Chromium and the site's server for every test here."""

from tests.support.browser import chromium, new_page, problems, site

__all__ = ["chromium", "new_page", "problems", "site"]
