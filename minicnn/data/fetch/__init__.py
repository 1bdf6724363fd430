"""Pictures from links, with limits: `minicnn data fetch`."""

from minicnn.data.fetch.addresses import is_public
from minicnn.data.fetch.download import Download, Limits, Network, download
from minicnn.data.fetch.links import Link, parse_link
from minicnn.data.fetch.pictures import Fetched, fetch_images, read_links, write_report

__all__ = [
    "Download",
    "Fetched",
    "Limits",
    "Link",
    "Network",
    "download",
    "fetch_images",
    "is_public",
    "parse_link",
    "read_links",
    "write_report",
]
