"""A link between two network namespaces that loses, delays and cuts the packets that it carries."""
import collections
import ctypes
import fcntl
import os
import random
import select
import struct
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
MOST_PACKETS = 4096  # under way; a packet more is lost, as in a router
PACKET_BYTES = 2048  # more than the device's 1,500


class End:
    """A namespace of its own with an address, in which programs can be started."""

    def __init__(self, address):
        self.address = address
        # What a thread starts is in the thread's namespace, so a thread that stays is all that a namespace needs.
        self.thread = ThreadPoolExecutor(1)
        self.device = self.thread.submit(self.enter).result()

    def enter(self):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "a network namespace is not to be had")
        device = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", b"wire", IFF_TUN | IFF_NO_PI))
        for arguments in (["addr", "add", f"{self.address}/30", "dev", "wire"], ["link", "set", "wire", "up"],
                          ["link", "set", "lo", "up"]):
            subprocess.run(["ip", *arguments], check=True)
        return device

    def popen(self, *arguments, **options):
        return self.thread.submit(subprocess.Popen, *arguments, **options).result()


class Link:
    """OSError where namespaces are not allowed. `loss` is the share of packets that are lost, `delay` the seconds that
    one takes; while `up` is False everything is lost."""

    def __init__(self, loss, delay):
        self.near, self.far = End("10.77.0.1"), End("10.77.0.2")
        self.loss, self.delay, self.up = loss, delay, True
        self.lost = self.carried = 0
        self.draws = random.Random(3)
        self.ended = threading.Event()
        self.carrier = threading.Thread(target=self.carry, daemon=True)
        self.carrier.start()

    def carry(self):
        near, far = self.near.device, self.far.device
        under_way = collections.deque()  # when due, to which device, the packet
        while not self.ended.is_set():
            wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else 0.1
            for source in select.select([near, far], [], [], wait)[0]:
                packet = os.read(source, PACKET_BYTES)
                if not self.up or self.draws.random() < self.loss or len(under_way) == MOST_PACKETS:
                    self.lost += 1
                else:
                    under_way.append((time.monotonic() + self.delay, far if source == near else near, packet))
            while under_way and under_way[0][0] <= time.monotonic():
                _, sink, packet = under_way.popleft()
                os.write(sink, packet)
                self.carried += 1

    def close(self):
        self.ended.set()
        self.carrier.join()
        for end in (self.near, self.far):
            os.close(end.device)
            end.thread.shutdown()
