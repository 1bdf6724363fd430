"""Downloading images from lists of links, with limits: `minicnn data fetch`."""

from minicnn.data.tools.fetch.addresses import is_public
from minicnn.data.tools.fetch.download import Download, FetchLimits, Transport, download
from minicnn.data.tools.fetch.downloads import Fetched, fetch_images, read_links, write_report
from minicnn.data.tools.fetch.links import Link, parse_link

__all__ = [
    "Download",
    "FetchLimits",
    "Fetched",
    "Link",
    "Transport",
    "download",
    "fetch_images",
    "is_public",
    "parse_link",
    "read_links",
    "write_report",
]
