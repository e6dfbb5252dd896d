"""Becomes another program, as another user if asked, that ends when its parent does.

Run as a script: ``tether.py PARENT_PID SIGNAL USER_OR_- COMMAND...``. As it replaces itself, the
process id stays the same and signals reach the program directly. A test run that is killed with
``kill -9`` has no chance to clean up; on Linux the kernel then sends SIGNAL in its place. Elsewhere
only an orderly end stops the program.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(arguments: list[str]) -> None:
    """Step down, tie the knot, and become the command."""
    parent, signal_number, user, *command = arguments
    if user != "-":
        become(user)
    if sys.platform == "linux":  # after become: a change of user cuts the knot
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal_number))
        if os.getppid() != int(parent):
            sys.exit("tether: the parent has ended already")
    os.execv(command[0], command)  # noqa: S606  # the point of this script


def become(user: str) -> None:
    """Give up every right of root for those of ``user``."""
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


if __name__ == "__main__":
    main(sys.argv[1:])
