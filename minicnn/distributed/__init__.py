"""Training on several processes, of one machine or of many, with the same bits on any number."""

from minicnn.distributed.group import (
    communicator,
    connect,
    init,
    is_initialized,
    rank,
    shards,
    size,
)

__all__ = ["communicator", "connect", "init", "is_initialized", "rank", "shards", "size"]
