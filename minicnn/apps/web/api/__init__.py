"""The interface for programs: JSON over HTTP, described at `/api/v1/openapi.json`."""
