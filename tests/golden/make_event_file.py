#!/usr/bin/env python3
"""Writes tests/data/events.tfevents with TensorBoard's own writer: the bytes that ours must be.

Run by hand; the file is committed. Made with TensorBoard 2.21.
"""
import pathlib

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

folder = pathlib.Path(__file__).resolve().parent.parent / "data"
with open(folder / "events.tfevents", "wb") as file:
    writer = RecordWriter(file)
    writer.write(Event(wall_time=1.5e9, file_version="brain.Event:2").SerializeToString())
    for step, loss in (1, 0.75), (300, -2.5e-3):
        values = [Summary.Value(tag="loss/train", simple_value=loss), Summary.Value(tag="accuracy/valid", simple_value=0.5)]
        writer.write(Event(wall_time=1.5e9 + step, step=step, summary=Summary(value=values)).SerializeToString())
    writer.flush()
