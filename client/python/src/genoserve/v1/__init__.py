"""Messages of the wire contract, made from the protos when the package is built."""
