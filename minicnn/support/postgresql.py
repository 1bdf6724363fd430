"""Addresses of databases on PostgreSQL, such as postgresql://user:password@host:port/database."""

from __future__ import annotations

from minicnn.errors import ArgumentError
from minicnn.installed import missing_extra

SCHEMES = ("postgresql", "postgres")


def is_server(address: str) -> bool:
    """Return whether the address is one of PostgreSQL and not a path.

    >>> is_server("postgresql://server/pictures"), is_server("pictures.sqlite3")
    (True, False)
    """
    return address.partition("://")[0] in SCHEMES and "://" in address


def server_name(address: str) -> str:
    """Return the address of a server without user and password."""
    parts = address_parts(address)
    place = parts.get("host", "localhost") + (f":{parts['port']}" if "port" in parts else "")
    return f"postgresql://{place}/{parts['dbname']}"


def address_parts(address: str, purpose: str = "PostgreSQL") -> dict[str, str]:
    """Return the parts of an address, by PostgreSQL's own names of them.

    Parameters
    ----------
    address : postgresql://user:password@host:port/database
    purpose : what needs psycopg, for the error if it is missing

    Raises
    ------
    ArgumentError : it is not such an address, or names no database
    MissingExtraError : psycopg is not installed
    """
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ModuleNotFoundError as error:
        raise missing_extra(f"{purpose} needs psycopg", "postgres") from error
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(address).items()}
    except psycopg.ProgrammingError:  # its message may quote the password
        parts = {}
    if not parts.get("dbname"):
        raise ArgumentError("the address must be: postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    return parts
