"""A library of pictures: what is known of them, their features, and how similar they are.

It is an app of the Django project in `minicnn/apps/web`, and stores everything by Django's ORM. It
knows neither HTTP nor the command line.
"""

from minicnn.apps.library.django_setup import set_up

set_up()
