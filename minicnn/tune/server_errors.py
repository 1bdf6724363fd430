"""The errors of a search's database, in words that say what to type."""

from __future__ import annotations

import re
from collections.abc import Iterator

from minicnn.errors import StorageError
from minicnn.tune.optuna_package import import_optuna

ADVICE = {
    r"password": "give it in the address, postgresql://USER:PASSWORD@HOST/DATABASE, in the "
    "variable PGPASSWORD or in the file ~/.pgpass",
    r"database .* does not exist": "make it with: createdb --host HOST DATABASE",
    r"permission denied": "the owner of the database can type: GRANT CREATE ON SCHEMA public TO "
    "USER",
    r"refused|time.?out|closed|terminat|translate|Name or service|No such file": "when the "
    "server can be reached, start the search again: it continues",
}
TAKEN = (
    "another worker has taken up this trial, because the server lost the connection to this one; "
    "start the search again: it continues"
)


def kinds_of_errors() -> tuple[type[Exception], ...]:
    """The errors that Optuna, SQLAlchemy and psycopg raise for a database."""
    import psycopg
    import sqlalchemy

    of_optuna = import_optuna().exceptions
    return (
        psycopg.Error,
        sqlalchemy.exc.SQLAlchemyError,
        of_optuna.StorageInternalError,
        of_optuna.UpdateFinishedTrialError,
    )


def explanation(error: BaseException) -> str:
    """What the database reported, as one line, and what to do about it."""
    taken = import_optuna().exceptions.UpdateFinishedTrialError
    if isinstance(error, taken) or str(error).startswith("Cannot tell a "):
        return TAKEN
    lines = str(_reported(error)).strip().splitlines() or [type(error).__name__]
    text = " ".join(lines[0].split())  # the others quote the statement, or guess at the cause
    found = (advice for pattern, advice in ADVICE.items() if re.search(pattern, text))
    return "; ".join([text, *list(found)[:1]])


def table_error(name: str, error: RuntimeError) -> StorageError:
    """The error for tables of another version of Optuna, of which `error` is Optuna's report."""
    command = "pip install --upgrade optuna"
    if "storage upgrade" in str(error):
        address = "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
        command = f"optuna storage upgrade --storage {address}"
    return StorageError(f"{name}: its tables are of another version of Optuna; type: {command}")


def _reported(error: BaseException) -> BaseException:
    """The database's own error, which the others have as their cause."""
    import psycopg

    return next((one for one in _causes(error) if isinstance(one, psycopg.Error)), error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__
