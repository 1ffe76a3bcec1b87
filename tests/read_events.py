#!/usr/bin/env python3
"""Prints what TensorBoard shows of a folder of event files: {tag: [[step, value], ...]} as JSON.

    read_events.py FOLDER
"""

import json
import sys

from tensorboard.backend.event_processing import event_accumulator

reader = event_accumulator.EventAccumulator(sys.argv[1], size_guidance={event_accumulator.SCALARS: 0})
reader.Reload()
print(json.dumps({tag: [[point.step, point.value] for point in reader.Scalars(tag)]
                  for tag in reader.Tags()["scalars"]}))
