"""Callbacks: code that runs at the turning points of a training."""

from minicnn.callbacks.base import Callback, CallbackList
from minicnn.callbacks.checkpoint import BackupAndRestore, ModelCheckpoint
from minicnn.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from minicnn.callbacks.reports import CSVLogger, LambdaCallback, TensorBoard
from minicnn.callbacks.stopping import EarlyStopping, TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "TensorBoard",
    "TerminateOnNaN",
]
