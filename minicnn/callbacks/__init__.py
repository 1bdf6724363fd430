"""Callbacks: code that runs at the turning points of a training."""

from minicnn.callbacks.averages import SwapEMAWeights
from minicnn.callbacks.base import Callback
from minicnn.callbacks.callback_list import CallbackList
from minicnn.callbacks.checkpoint import BackupAndRestore, ModelCheckpoint
from minicnn.callbacks.history import History
from minicnn.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from minicnn.callbacks.progress import ProgbarLogger
from minicnn.callbacks.reports import CSVLogger, LambdaCallback
from minicnn.callbacks.stopping import EarlyStopping, TerminateOnNaN
from minicnn.callbacks.tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
