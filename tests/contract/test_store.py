"""Every store, real or fake, keeps the contract."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from windlass.stores.sqlite import SqliteStore
from windlass.testing.contracts.store import StoreContract
from windlass.testing.fakes.memory import MemoryStore


class TestSqlite(StoreContract):
    @pytest.fixture
    def opened(self, tmp_path):
        return lambda: SqliteStore.open(tmp_path / "windlass.db")


class TestMemory(StoreContract):
    @pytest.fixture
    def opened(self):
        store = MemoryStore()

        @asynccontextmanager
        async def opened():
            yield store

        return opened
