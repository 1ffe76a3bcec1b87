#!/usr/bin/env python3
"""The generator behind Triton (nvidia-pytriton): unary gRPC, packed rows, requests that come together in one batch.

serving_triton.py STORE MODEL [--precision P]    serves; prints {"port": N}, of gRPC
serving_triton.py --drive PORT CALLERS ROWS WARM-UP SECONDS    asks; prints one line of JSON

Needs torch, numpy and nvidia-pytriton.
"""
import json
import os
import pathlib
import socket
import sys
import threading

import numpy

import serving_drive

LARGEST_BATCH = 256  # rows


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def serve():
    import pytriton
    from pytriton.decorators import batch
    from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
    from pytriton.triton import Triton, TritonConfig

    import serving_model

    # Triton's own processes look into the virtual environment that they are told of, and not at PYTHONPATH. Its
    # libraries are looked for where PYTHONPATH's packages would be a source tree.
    packages = pathlib.Path(pytriton.__file__).parents[1]
    sys.exec_prefix = str(packages.parents[2])
    os.environ["LD_LIBRARY_PATH"] = os.pathsep.join(
        filter(None, [os.environ.get("LD_LIBRARY_PATH"), str(packages / "nvidia_pytriton.libs")]))

    model = serving_model.load(serving_model.arguments(__doc__).parse_args())
    width = model.generate(serving_model.BATCH).shape[1]

    @batch
    def infer(label):
        return {"genotypes": model.generate(len(label))}

    http, grpc, metrics = free_ports(3)
    config = TritonConfig(http_address="127.0.0.1", http_port=http, grpc_address="127.0.0.1", grpc_port=grpc,
                          metrics_port=metrics, log_verbose=0)
    with Triton(config=config) as triton:
        triton.bind(model_name="genotypes", infer_func=infer,
                    inputs=[Tensor(name="label", dtype=numpy.int32, shape=(1,))],
                    outputs=[Tensor(name="genotypes", dtype=numpy.uint8, shape=(width,))],
                    config=ModelConfig(max_batch_size=LARGEST_BATCH,
                                       batcher=DynamicBatcher(max_queue_delay_microseconds=2000)))
        triton.run()
        print(json.dumps({"port": grpc}), flush=True)
        threading.Event().wait()


def drive(port, callers, rows, warm_up, seconds):
    from tritonclient import grpc

    def connect():
        client = grpc.InferenceServerClient(f"127.0.0.1:{port}")

        def ask(count):
            label = grpc.InferInput("label", [count, 1], "INT32")
            label.set_data_from_numpy(numpy.zeros((count, 1), numpy.int32))
            if len(client.infer("genotypes", [label]).as_numpy("genotypes")) != count:
                raise RuntimeError("Triton answered another number of rows")
        return ask

    print(json.dumps(serving_drive.drive(connect, int(callers), int(rows), float(warm_up), float(seconds))))


if __name__ == "__main__":
    drive(*sys.argv[2:]) if sys.argv[1] == "--drive" else serve()
