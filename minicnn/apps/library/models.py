"""The tables of a library: folders, pictures, what computes features, and the features."""

from __future__ import annotations

import secrets

from django.db import models

from minicnn.apps.library.vector_field import VectorField


def new_mark() -> str:
    """Return a random text, by which files that are made of rows know whose rows these are."""
    return secrets.token_hex(16)


class Folder(models.Model):
    """A folder whose pictures are in the library."""

    path = models.TextField(unique=True)  # absolute


class Picture(models.Model):
    """A file, and what is known of it. A corrupt file is a row with a reason."""

    folder = models.ForeignKey(Folder, models.CASCADE, related_name="pictures")
    path = models.TextField()  # below the folder, with "/"
    size = models.BigIntegerField()  # bytes
    modified = models.BigIntegerField()  # nanoseconds since 1970
    sha256 = models.CharField(max_length=64, blank=True, default="")  # "": not read yet
    failure = models.TextField(blank=True, default="")  # why it cannot be read
    width = models.IntegerField(null=True)  # pixels, as it is seen: upright
    height = models.IntegerField(null=True)
    orientation = models.SmallIntegerField(default=1)  # as in EXIF, 1...8
    taken = models.DateTimeField(null=True)  # by the camera; else the time of the file
    perceptual_hash = models.BigIntegerField(null=True)  # 64 bits
    claimed_by = models.CharField(max_length=100, blank=True, default="")  # the process indexing it
    claimed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [  # noqa: RUF012
            models.UniqueConstraint(fields=["folder", "path"], name="one_row_a_file")
        ]
        indexes = [  # noqa: RUF012
            models.Index(fields=["sha256"]),
            models.Index(fields=["taken"]),
            models.Index(fields=["claimed_by"], name="claimed", condition=~models.Q(claimed_by="")),
        ]


class Extractor(models.Model):
    """What computes features: a network, the histogram of colors, or that of textures."""

    name = models.CharField(max_length=200, unique=True)  # "photo-small", "color", "texture"
    sha256 = models.CharField(max_length=64)  # of the network's parameters, or of the method
    source = models.TextField(blank=True, default="")  # the network's file or name, to load it
    mark = models.CharField(max_length=32, default=new_mark)  # random: no other row has it
    dimensions = models.IntegerField()  # of its vectors
    class_names = models.JSONField(default=list)  # [] for colors and textures


class Features(models.Model):
    """The features of a picture, and the classes that a network sees on it."""

    picture = models.ForeignKey(Picture, models.CASCADE, related_name="features")
    extractor = models.ForeignKey(Extractor, models.CASCADE, related_name="features")
    vector = VectorField()  # float16, of length 1
    label = models.CharField(max_length=200, blank=True, default="")  # the most probable class
    probability = models.FloatField(null=True)
    top = models.JSONField(default=list)  # up to 5 [class, probability], the most probable first

    class Meta:
        constraints = [  # noqa: RUF012
            models.UniqueConstraint(fields=["picture", "extractor"], name="one_vector_a_picture")
        ]
        indexes = [models.Index(fields=["extractor", "label"])]  # noqa: RUF012


class ScannedJob(models.Model):
    """A job of several processes whose first one has compared the folders with the library."""

    name = models.CharField(max_length=200, unique=True)
    at = models.DateTimeField()
