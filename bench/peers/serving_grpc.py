#!/usr/bin/env python3
"""CohortService by grpcio and PyTorch: what one writes in an afternoon to serve a generator.

Prints {"port": N} when it serves. Needs torch, numpy, grpcio and grpcio-tools.
"""
import concurrent.futures
import json
import pathlib
import sys
import tempfile

import grpc
from grpc_tools import protoc

import serving_model

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
CALLS = 512  # at once


def stubs():
    """Makes and imports the modules of cohort.proto."""
    with tempfile.TemporaryDirectory() as folder:
        names = ["types", "quality", "manifest", "cohort"]
        files = [f"genoserve/v1/{name}.proto" for name in names]
        if protoc.main(["protoc", f"-I{PROTO}", f"--python_out={folder}", f"--grpc_python_out={folder}", *files]):
            sys.exit("serving_grpc: protoc failed")
        sys.path.insert(0, folder)
        from genoserve.v1 import cohort_pb2, cohort_pb2_grpc, types_pb2
        sys.path.remove(folder)
    return cohort_pb2, cohort_pb2_grpc, types_pb2


cohort_pb2, cohort_pb2_grpc, types_pb2 = stubs()


class Service(cohort_pb2_grpc.CohortServiceServicer):
    def __init__(self, model):
        self.model = model
        self.packed = (types_pb2.GENOTYPE_ENCODING_HAPLOTYPE_1BIT if model.phased
                       else types_pb2.GENOTYPE_ENCODING_DIPLOID_2BIT)

    def StreamCohort(self, request, context):
        int8 = request.encoding == types_pb2.GENOTYPE_ENCODING_INT8
        count = request.cohort_size
        header = cohort_pb2.CohortHeader(
            model=request.model, seed=request.seed, ploidy=2, phased=self.model.phased,
            variant_count=self.model.variants, cohort_size=count, sample_count=count,
            encoding=request.encoding if int8 else self.packed, labels=self.model.labels)
        step = serving_model.BATCH // self.model.rows_of_sample
        for first in range(0, count, step):
            samples = min(step, count - first)
            rows = self.model.generate(samples * self.model.rows_of_sample, packed=not int8)
            footer = cohort_pb2.CohortFooter(sample_count=count)
            yield cohort_pb2.StreamCohortResponse(
                header=header if first == 0 else None,
                batch=cohort_pb2.GenotypeBatch(
                    first_sample=first, sample_count=samples, genotypes=rows.tobytes(),
                    label_indices=[0] * samples if self.model.labels else []),
                footer=footer if first + samples == count else None)


def main():
    model = serving_model.load(serving_model.arguments(__doc__).parse_args())
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(CALLS),
                         options=[("grpc.max_send_message_length", 64 << 20)])
    cohort_pb2_grpc.add_CohortServiceServicer_to_server(Service(model), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    model.generate(serving_model.BATCH)
    print(json.dumps({"port": port}), flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
