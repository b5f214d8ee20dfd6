"""Children of a start program that is process 1 of its container.

Signals are blocked and waited for, so there are no handlers, no threads and no
race between a signal and a system call. Whatever ends up as our child is reaped.
"""

import os
import signal
import time

WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
ENDING = {signal.SIGTERM, signal.SIGINT}

# How long a server may take to answer what it has begun, in seconds. The pod has
# ten in all.
GRACE = 8


class Asked(Exception):
    """Somebody asked the container to end."""


class Processes:
    def __init__(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        self.ended = {}  # process → exit code, of children not asked for yet

    def spawn(self, argv, env, stderr=None):
        """Starts a program; stderr is a file to write its errors to."""
        actions = [(os.POSIX_SPAWN_OPEN, 2, stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)] if stderr else []
        return os.posix_spawnp(argv[0], argv, env, file_actions=actions, setsigmask=[], setsigdef=[signal.SIGPIPE])

    def wait(self, seconds):
        """Waits for a signal, reaps, and raises Asked when it is time to end."""
        info = signal.sigtimedwait(WATCHED, seconds)
        self.reap()
        if info and info.si_signo in ENDING:
            raise Asked

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.ended[pid] = os.waitstatus_to_exitcode(status)

    def run(self, argv, env, stderr=None):
        """Runs a program to its end and returns its exit code."""
        pid = self.spawn(argv, env, stderr)
        try:
            while pid not in self.ended:
                self.wait(60)
        except Asked:
            self.stop(pid)
            raise
        return self.ended.pop(pid)

    def stop(self, pid):
        """Ends a server: it may answer what it has begun, for a while."""
        if pid is None or pid in self.ended:
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while pid not in self.ended:
            left = deadline - time.monotonic()
            if left <= 0:
                os.kill(pid, signal.SIGKILL)
                left = 60
            signal.sigtimedwait({signal.SIGCHLD}, left)
            self.reap()
        del self.ended[pid]
