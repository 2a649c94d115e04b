"""Be the process that writes to a store until it is killed."""

import asyncio
from itertools import count
from multiprocessing.connection import Connection

from fairlead.store import Durability, QueuedStore, open_store
from tests.fairlead.store.records import begin, fill, moved, order


async def _write(store: QueuedStore, epoch: int, confirmed: Connection) -> None:
    for n in count(1):
        store.append(n, order(n, epoch=epoch))
        seq = store.append(n, moved(n, epoch=epoch))
        store.append(n, fill(f"{epoch}-{n}", n))
        await store.durable(seq)
        confirmed.send(seq)


def write_for_ever(url: str, durability: str, inline: bool, confirmed: Connection) -> None:
    """Open the store, begin a run, and tell of each record that is confirmed."""
    store = open_store(url, durability=Durability(durability), inline=inline)
    identity = begin(store, mode="live")
    confirmed.send(0)
    asyncio.run(_write(store, identity.epoch, confirmed))
