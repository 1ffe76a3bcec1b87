"""CRC-32C (Castagnoli) with NumPy, over many lanes of a message at a time."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

_POLYNOMIAL = 0x82F63B78  # reflected
_LANE = 128  # bytes
_U32 = np.uint32

_Table = npt.NDArray[np.uint32]


def _linear_table(images: list[int], first: int) -> _Table:
    """The images of all values of the bits first to first + 15 under the linear map with these images of bits."""
    table = np.zeros(1, _U32)
    for image in images[first : first + 16]:
        table = np.concatenate([table, table ^ _U32(image)])
    return table


def _after_zero_bytes(state: int, count: int) -> int:
    for _ in range(8 * count):
        state = (state >> 1) ^ (_POLYNOMIAL if state & 1 else 0)
    return state


@functools.cache
def _images(level: int) -> tuple[int, ...]:
    """What each bit of the state becomes after _LANE * 2^level zero bytes; level -1 stands for 4 bytes."""
    if level == -1:
        return tuple(_after_zero_bytes(1 << bit, 4) for bit in range(32))
    if level == 0:
        return tuple(_after_zero_bytes(1 << bit, _LANE) for bit in range(32))
    half = _images(level - 1)

    def apply(state: int) -> int:
        result = 0
        for bit in range(32):
            if state >> bit & 1:
                result ^= half[bit]
        return result

    return tuple(apply(image) for image in half)


@functools.cache
def _tables(level: int) -> tuple[_Table, _Table]:
    images = list(_images(level))
    return _linear_table(images, 0), _linear_table(images, 16)


def _advance(states: _Table, level: int) -> _Table:
    low, high = _tables(level)
    return np.take(low, states & _U32(0xFFFF)) ^ np.take(high, states >> _U32(16))


def crc32c(data: bytes) -> int:
    """The checksum as RFC 3720 defines it."""
    size = len(data)
    if size < 4:  # The initial value is folded into the first four bytes.
        state = 0xFFFFFFFF
        for byte in data:
            state = _after_zero_bytes(state ^ byte, 1)
        return state ^ 0xFFFFFFFF
    # Zero bytes before the message leave a state of zero as it is, so that all lanes can be whole.
    lanes = -(-size // _LANE)
    message = np.zeros(lanes * _LANE, np.uint8)
    message[-size:] = np.frombuffer(data, np.uint8)
    start = lanes * _LANE - size
    message[start : start + 4] ^= np.uint8(0xFF)
    words = np.ascontiguousarray(message.view("<u4").reshape(lanes, _LANE // 4).T)
    states = np.zeros(lanes, _U32)
    for column in words:
        states = _advance(states ^ column, -1)
    level = 0
    while len(states) > 1:
        if len(states) % 2:
            states = np.concatenate([np.zeros(1, _U32), states])
        states = _advance(states[0::2], level) ^ states[1::2]
        level += 1
    return int(states[0]) ^ 0xFFFFFFFF
