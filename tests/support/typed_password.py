"""typed_password.py PASSWORD COMMAND…: runs a command on a terminal, types the password
when it is asked for, and prints what the terminal shows. Exit status: the command's."""

import os
import pty
import sys

password, *command = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
shown = b""
typed = False
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    if b"Password of" in shown and shown.endswith(b": ") and not typed:
        typed = True
        # With a letter too many, taken back.
        os.write(terminal, password.encode() + b"x\x7f\r")
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(status))
