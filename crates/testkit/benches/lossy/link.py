"""A network in one program: link.py ADDRESS LOST-OF-1000 DELAY-MS CONGESTION

What is sent to the network of ADDRESS comes back with its ends swapped. Of 1,000 packets, so many
are lost, and as many come 2 ms later than the others. The same run has the same dice.
CONGESTION is the rule of TCP in this network namespace.
"""

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

TUN = 0x0001
NO_HEADER = 0x1000
TUNSETIFF = 0x400454CA
LATE = 0.002
# More packets than any window here: a queue that is full would lose some without dice.
QUEUE = "20000"

address, lost, delay = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) / 1000
device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"lossy", TUN | NO_HEADER))
for command in (
    ["ip", "link", "set", "lo", "up"],
    ["ip", "address", "add", address + "/24", "dev", "lossy"],
    ["ip", "link", "set", "lossy", "up", "mtu", "1500", "txqueuelen", QUEUE],
):
    subprocess.run(command, check=True)
with open("/proc/sys/net/ipv4/tcp_congestion_control", "w") as rule:
    rule.write(sys.argv[4])
print("ready", flush=True)

dice = random.Random(1)
waiting = []
count = 0


def arrived(packet):
    """Queues a packet, unless it is lost."""
    global count
    drawn = dice.randrange(1000)
    if drawn < lost or packet[0] >> 4 != 4:
        return
    packet[12:16], packet[16:20] = packet[16:20], packet[12:16]
    late = LATE if drawn < 2 * lost else 0
    count += 1
    heapq.heappush(waiting, (time.monotonic() + delay + late, count, packet))


poll = select.poll()
poll.register(device, select.POLLIN)
while True:
    wait = max(0, waiting[0][0] - time.monotonic()) * 1000 if waiting else None
    if poll.poll(wait):
        try:
            for _ in range(64):
                arrived(bytearray(os.read(device, 2048)))
        except BlockingIOError:
            pass
    now = time.monotonic()
    while waiting and waiting[0][0] <= now:
        os.write(device, heapq.heappop(waiting)[2])
