"""Unit tests run in a process of their own, or after others."""

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_loop_goes_on() -> Iterator[None]:
    """Browser tests that came before leave one: Playwright's, until the session ends."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)
