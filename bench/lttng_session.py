"""A session daemon of the suite's own, with one session in snapshot mode. Nothing leaves the machine; the daemon is ended
by its process id."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

SESSION = "faultline-bench"


class Unavailable(Exception):
    pass


class LttngSession:
    def __init__(self):
        self.daemon = None
        self.home = None

    def __enter__(self):
        for tool in ("lttng", "lttng-sessiond"):
            if shutil.which(tool) is None:
                raise Unavailable(f"{tool} is not installed (package lttng-tools)")
        if subprocess.run(["lttng", "--no-sessiond", "list"], capture_output=True).returncode == 0:
            raise Unavailable("another LTTng session daemon is running")
        self.home = tempfile.mkdtemp(prefix="faultline_bench_lttng.", dir="/dev/shm")
        self.environment = dict(os.environ, LTTNG_HOME=self.home)
        self.daemon = subprocess.Popen(["lttng-sessiond", "--no-kernel"], env=self.environment,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.wait_until_ready()
            self.lttng("create", SESSION, "--snapshot", f"--output={self.home}/snapshots")
            self.lttng("enable-channel", "--userspace", "--subbuf-size=64k", "--num-subbuf=4", "--overwrite", "bench")
            self.lttng("enable-event", "--userspace", "--channel=bench", "bench:*")
            self.lttng("start")
        except Exception:
            self.__exit__()
            raise
        return self

    def wait_until_ready(self):
        for _ in range(100):
            if subprocess.run(["lttng", "--no-sessiond", "list"], capture_output=True,
                              env=self.environment).returncode == 0:
                return
            if self.daemon.poll() is not None:
                raise Unavailable("lttng-sessiond did not start")
            time.sleep(0.05)
        raise Unavailable("lttng-sessiond does not answer")

    def lttng(self, *words):
        done = subprocess.run(["lttng", "--no-sessiond", *words], capture_output=True, text=True, env=self.environment)
        if done.returncode != 0:
            raise Unavailable(f"lttng {words[0]}: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")

    def snapshot_text(self):
        """A snapshot of what the session holds, as babeltrace2 prints it; None without babeltrace2."""
        if shutil.which("babeltrace2") is None:
            return None
        self.lttng("snapshot", "record")
        traces = sorted(Path(self.home, "snapshots").iterdir())
        return subprocess.run(["babeltrace2", traces[-1]], capture_output=True, text=True).stdout

    def __exit__(self, *_):
        if self.daemon is not None and self.daemon.poll() is None:
            subprocess.run(["lttng", "--no-sessiond", "destroy", SESSION], capture_output=True, env=self.environment)
            self.daemon.send_signal(signal.SIGTERM)
            try:
                self.daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
        if self.home:
            shutil.rmtree(self.home, ignore_errors=True)
