"""Who may read without a token."""

from __future__ import annotations

import pytest

from windlass.wiring.server import only_here


@pytest.mark.parametrize(
    ("host", "url", "is_open"),
    [
        ("127.0.0.1", "http://127.0.0.1:8470", True),
        ("::1", "http://[::1]:8470", True),
        ("127.0.0.1", "http://localhost:8470", True),
        ("127.0.0.1", "https://windlass.example", False),
        ("127.0.0.1", "https://localhost.example", False),
        ("127.0.0.1", "", False),
        ("0.0.0.0", "http://127.0.0.1:8470", False),
    ],
)
def test_reading_is_open_only_where_nobody_else_can_come(host, url, is_open):
    """A proxy in front of a loopback address does not open the pages to the world."""
    assert only_here(host, url) is is_open
