"""Types keys into a shell on a terminal of its own.

usage: type_keys.py SHELL ARG... <KEYS

KEYS is a JSON list of strings. Each is typed when the terminal is quiet; standard
output gets a JSON list of what the terminal showed for each. The shell must show
READY once it waits for keys.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

# Seconds without output after which the shell may wait for keys, and at most.
QUIET = 0.5
LONGEST = 30


def waits():
    """Whether the shell has nothing to do, as far as the system tells: on a slow
    machine it may be quiet for long before it shows anything."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            if children.read():
                return False
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "S"
    except OSError:
        return True


def shown(fd, until=b"", quiet=QUIET):
    """What the terminal shows until it has shown a text, and is quiet."""
    text = b""
    end = time.time() + LONGEST
    while time.time() < end:
        ready, _, _ = select.select([fd], [], [], quiet)
        if ready:
            text += os.read(fd, 65536)
        elif until in text and waits():
            break
    return text.decode(errors="replace")


keys = json.load(sys.stdin)
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
shown(fd, b"READY")
results = []
for line in keys:
    os.write(fd, line.encode())
    # After Enter and Ctrl-C the prompt tells that the shell is ready.
    ready = line[-1] in "\r\x03"
    results.append(shown(fd, b"READY", 0.1) if ready else shown(fd))
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
json.dump(results, sys.stdout)
