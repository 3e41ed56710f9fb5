"""
`kill -9` in the middle of the load: what was acknowledged is stored.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys

import pytest

from windlass.ports.records import Audit, Counter, Delivery
from windlass.stores import database
from windlass.stores.sqlite import SqliteStore

LOAD = """
import asyncio, os, sys
from pathlib import Path
from windlass.stores.sqlite import SqliteStore
from windlass.testing.contracts.store import audit, delivery

async def main():
    store = SqliteStore.open(Path(sys.argv[1]))
    async def one(number):
        def work(tx):
            tx.add(delivery(number, body=os.urandom(2000)))
            tx.next("pairs")
            return tx.add(audit(number))
        await store.transaction(work)
        os.write(1, f"{number}\\n".encode())
    number = 0
    while True:
        await asyncio.gather(*(one(number + more) for more in range(40)))
        number += 40

asyncio.run(main())
"""


@pytest.mark.parametrize("lines", [1, 41, 333, 1111])
def test_what_was_acknowledged_is_stored(tmp_path, lines):
    """Whenever it is killed: nothing acknowledged is lost, and no transaction is there by half."""
    path = tmp_path / "windlass.db"
    load = subprocess.Popen([sys.executable, "-c", LOAD, str(path)], stdout=subprocess.PIPE)
    with load:
        assert load.stdout is not None
        told = [load.stdout.readline() for _ in range(lines)]
        load.send_signal(signal.SIGKILL)
        told += load.stdout.read().splitlines(keepends=True)
    acknowledged = {int(line) for line in told if line.endswith(b"\n")}
    assert len(acknowledged) >= lines
    assert database.integrity(path) == ()

    async def look():
        async with SqliteStore.open(path) as store:
            return await store.read(
                lambda tx: (
                    {one.number for one in tx.find(Audit)},
                    {int(one.id) for one in tx.find(Delivery)},
                    tx.get(Counter, "pairs"),
                )
            )

    audits, deliveries, counter = asyncio.run(look())
    assert acknowledged <= audits
    assert audits == deliveries
    assert counter is not None
    assert counter.value == len(audits)
