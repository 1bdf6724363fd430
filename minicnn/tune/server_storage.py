"""A search's record in a database on PostgreSQL, which workers on several machines share.

Optuna keeps the trials in its tables. Advisory locks of the database say who works: such a lock
belongs to a connection, and the server releases it when the connection ends, however the process or
the machine ended. It has two numbers. The first is that of the search; the second is 0 while a
trial is chosen, or the number of a worker as long as the worker lives.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import weakref
from collections.abc import Iterable, Iterator
from contextlib import (
    AbstractContextManager,
    ExitStack,
    closing,
    contextmanager,
    nullcontext,
    suppress,
)
from typing import Any

from minicnn.errors import MiniCNNError, StorageError
from minicnn.support.postgresql import address_parts, server_name
from minicnn.tune.optuna_package import import_optuna
from minicnn.tune.server_errors import explanation, kinds_of_errors, table_error

CHOICE = 0  # the second number of the lock that is held while a trial is chosen
MAKING_TABLES = "minicnn tune"  # stands for a search's name in the lock that is held meanwhile
CONNECT_TIMEOUT_S = 20
# Client and server notice within about a minute that the other one has vanished from the network.
KEEPALIVE = {
    "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3,
    "user_timeout": 60_000,  # ms
}  # fmt: skip

LOCK = "SELECT pg_advisory_lock(%s, %s)"
TRY_LOCK = "SELECT pg_try_advisory_lock(%s, %s)"
UNLOCK = "SELECT pg_advisory_unlock(%s, %s)"
# pg_locks shows both numbers without a sign. objsubid is 2 for locks of two numbers.
HELD = """
    SELECT objid::bigint FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND classid::bigint = %s
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class ServerStorage:
    """The trials of one search in a database, and the locks by which its workers know each other.

    Parameters
    ----------
    address : postgresql://user:password@host:port/database
    study_name : the name of the search in this database
    """

    def __init__(self, address: str, study_name: str) -> None:
        self.study_name = study_name
        self._parts = _with_keepalive(address_parts(address, "a search on PostgreSQL"))
        self._search = _number_of(study_name)
        self._worker: Any = None  # the connection that belongs to this process as a worker
        self.name = f"{server_name(address)} ({study_name})"  # in messages, so without a password
        self.place = self.name

    def exists(self) -> bool:
        """Return whether a search of this name was started in the database."""
        return self.study_name in import_optuna().get_all_study_names(self.connect())

    def prepare(self) -> None:
        """Do nothing: `connect` makes the tables."""

    def connect(self) -> Any:
        """Return Optuna's storage, and make its tables if there are none."""
        optuna = import_optuna()
        import sqlalchemy

        with closing(self._new_connection(autocommit=True)) as connection, ExitStack() as on_error:
            connection.execute(LOCK, [_signed(_number_of(MAKING_TABLES)), CHOICE])
            # Optuna gets connections, since an address with a password may appear in its messages.
            pool = sqlalchemy.pool.QueuePool(self._new_connection, pre_ping=True)
            on_error.callback(pool.dispose)
            try:
                storage = optuna.storages.RDBStorage("postgresql+psycopg://", {"pool": pool})
            except RuntimeError as error:
                raise table_error(self.name, error) from error
            on_error.pop_all()
        weakref.finalize(storage, pool.dispose)  # closes its connections
        return storage

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from choosing a trial inside the block."""
        key = [_signed(self._search), CHOICE]
        with self._connection() as connection:
            connection.execute(LOCK, key)
            try:
                yield
            finally:
                _unlock(connection, key)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Convert all errors of Optuna and of the database to a StorageError."""
        try:
            yield
        except (MiniCNNError, OSError, MemoryError):
            raise
        except Exception as error:
            raise StorageError(f"{self.name}: {explanation(error)}") from error

    @contextmanager
    def working(self) -> Iterator[str]:
        """Register this process as a worker inside the block, and yield its name.

        The worker's lock is held, so that other processes can see whether this one still lives.
        Errors of the database inside the block become a StorageError.
        """
        try:
            with closing(self._new_connection(autocommit=True)) as connection:
                key = self._new_worker(connection)
                self._worker = connection
                try:
                    yield _worker_name(key)
                finally:
                    self._worker = None
                    _unlock(connection, key)
        except kinds_of_errors() as error:
            raise StorageError(f"{self.name}: {explanation(error)}") from error

    def alive(self, workers: Iterable[str]) -> set[str]:
        """Return those of the workers whose processes live."""
        held = self._held()
        return {name for name in workers if _number_in(name) in held}

    def is_in_use(self) -> bool:
        """Return whether a worker lives."""
        with self.reading():
            return bool(self._held() - {CHOICE})

    def remove(self) -> None:
        """Delete the search from the database."""
        with self.reading(), suppress(KeyError):  # there is none
            import_optuna().delete_study(study_name=self.study_name, storage=self.connect())

    def _new_connection(self, **options: Any) -> Any:
        import psycopg

        return psycopg.connect(**self._parts, **options)

    def _connection(self) -> AbstractContextManager[Any]:
        """The connection of the worker, so that its loss is noticed; for others, a new one."""
        if self._worker is not None:
            return nullcontext(self._worker)
        return closing(self._new_connection(autocommit=True))

    def _new_worker(self, connection: Any) -> list[int]:
        """Take the lock of a number that no other worker has, and return its two numbers."""
        while True:
            key = [_signed(self._search), _signed(1 + secrets.randbelow(2**32 - 1))]
            if connection.execute(TRY_LOCK, key).fetchone()[0]:
                return key

    def _held(self) -> set[int]:
        """The second numbers of all locks of this search."""
        with self._connection() as connection:
            return {number for (number,) in connection.execute(HELD, [self._search])}


def _with_keepalive(parts: dict[str, str]) -> dict[str, Any]:
    """Add what both ends need to notice that the other has vanished, unless it is given."""
    server = "".join(f"-c tcp_{name}={value} " for name, value in KEEPALIVE.items())
    client = {name: str(value) for name, value in KEEPALIVE.items() if name != "user_timeout"}
    client["tcp_user_timeout"] = str(KEEPALIVE["user_timeout"])
    client["connect_timeout"] = str(CONNECT_TIMEOUT_S)
    return {**client, **parts, "options": server + parts.get("options", "")}


def _unlock(connection: Any, key: list[int]) -> None:
    import psycopg

    with suppress(psycopg.Error):  # if the connection has ended, the server has released its locks
        connection.execute(UNLOCK, key)


def _number_of(name: str) -> int:
    """A search's number of 32 bits, the first number of its locks."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big")


def _signed(number: int) -> int:
    """A number of 32 bits as PostgreSQL's integer of 4 bytes, which has a sign.

    >>> _signed(7), _signed(2**32 - 1)
    (7, -1)
    """
    return number - 2**32 if number >= 2**31 else number


def _worker_name(key: list[int]) -> str:
    """The name under which trials name a worker: its process, and the number of its lock."""
    return f"{os.getpid()}-{key[1] % 2**32:08x}"


def _number_in(worker: str) -> int:
    """The number of the lock that this worker holds."""
    return int(worker.partition("-")[2], 16)
