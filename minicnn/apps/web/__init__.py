"""The Django project: pages and an interface for programs, on a library of pictures."""
