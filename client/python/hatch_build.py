"""Makes the message classes from the protos of the wire contract when a wheel, or an editable install, is built."""

import pathlib
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The contract of CohortService and what it imports. The other protos are of the server and the trainer.
PROTOS = ["types", "quality", "manifest", "cohort"]


class ProtoBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        from grpc_tools import protoc

        root = pathlib.Path(self.root)
        # A source distribution carries the protos; a checkout has them beside the server.
        protos = next(path for path in (root / "proto", root.parent.parent / "proto") if path.is_dir())
        files = [f"genoserve/v1/{name}.proto" for name in PROTOS]
        out = root / "src"
        if protoc.main(["protoc", f"-I{protos}", f"--python_out={out}", f"--pyi_out={out}", *files]) != 0:
            raise RuntimeError("protoc could not make the message classes")
        build_data["artifacts"] += ["src/genoserve/v1/*_pb2.py", "src/genoserve/v1/*_pb2.pyi"]
