"""Measure what a mirror costs training: processor seconds with one, and ones that fail, and none.

    OMP_NUM_THREADS=1 python benchmarks/mirrors.py --rounds 3

SAC on Pendulum, a snapshot with its replay memory every epoch. `s3` is rclone's server on loopback,
`slow` the same behind a line of 1 MB a second, `refuses` answers 403, `absent` is a port at which
nobody listens, and `none` shows how far two equal runs differ. A process trains two runs, one with
the mirror and one without, an epoch each in turns, since a machine's speed changes by the second.
What counts is the processor time of the threads that train, and with it that of the threads that
see to the mirror, until the last epoch has ended.
"""

import argparse
import json
import os
import shutil
import socket
import socketserver
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

KINDS = ("none", "s3", "slow", "refuses", "absent")
RATE = 1 << 20


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def serve(folder, port):
    rclone = shutil.which("rclone", path=Path(sys.executable).parent)
    (folder / "lab").mkdir()
    options = ["--auth-key", "key,secret", "--vfs-cache-mode", "off"]
    return subprocess.Popen(
        [rclone, "serve", "s3", folder, "--addr", f"127.0.0.1:{port}", *options],
        env={**os.environ, "HOME": str(folder)},
        stderr=subprocess.DEVNULL,
    )


def slow_line(to):
    """Pass what comes on to another port, so many bytes a second."""

    class Line(socketserver.BaseRequestHandler):
        def handle(self):
            with socket.create_connection(("127.0.0.1", to)) as server:
                back = threading.Thread(target=pump, args=(server, self.request, 0), daemon=True)
                back.start()
                pump(self.request, server, RATE)
                back.join()

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Line)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def pump(source, target, rate):
    try:
        while content := source.recv(16 << 10):
            target.sendall(content)
            if rate:
                time.sleep(len(content) / rate)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Turns:
    """Let two threads work in turns."""

    def __init__(self):
        self._changed = threading.Condition()
        self._turn, self._ended = 0, set()

    def wait_for(self, who):
        with self._changed:
            self._changed.wait_for(lambda: self._turn == who or self._ended)

    def pass_on(self, who, ends=False):
        with self._changed:
            self._turn = 1 - who
            self._ended |= {who} if ends else set()
            self._changed.notify_all()


def train(mirror, n_epochs):
    """Train two runs in turns, and print processor seconds; in a process of its own."""
    import numpy as np

    from garage_like.trainer.safe_points import watching

    turns, who = Turns(), threading.local()
    used, ours = ([], []), []

    def look(point):
        used[who.number].append(time.thread_time())
        if who.number:
            ours.append(seconds_of_mirror())
        turns.pass_on(who.number)
        turns.wait_for(who.number)

    def run(number, url):
        who.number = number
        turns.wait_for(number)
        train_one(url, n_epochs)
        turns.pass_on(number, ends=True)

    with watching(look):
        threads = [threading.Thread(target=run, args=each) for each in enumerate(("", mirror))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    # Epochs beside each other are compared; the first one warms up for both.
    without, trained = (np.diff(times)[1:] for times in used)
    told = {"without": without.sum(), "ratio": np.median(trained / without), "mirror": ours[-1]}
    print(json.dumps(told))


def train_one(mirror, n_epochs):
    from garage_like import Trainer
    from garage_like.envs import GymEnv
    from garage_like.experiment.deterministic import set_seed
    from garage_like.replay_buffer import PathBuffer
    from garage_like.snapshot import SnapshotConfig
    from garage_like.torch.algos import SAC
    from garage_like.torch.policies import TanhGaussianMLPPolicy
    from garage_like.torch.q_functions import ContinuousMLPQFunction

    set_seed(1)
    env = GymEnv("Pendulum-v1")
    policy = TanhGaussianMLPPolicy(env.spec, hidden_sizes=(64, 64))
    qfs = [ContinuousMLPQFunction(env.spec, hidden_sizes=(64, 64)) for _ in range(2)]
    algo = SAC(
        env.spec,
        policy,
        *qfs,
        replay_buffer=PathBuffer(100_000),
        steps_per_epoch=1000,
        gradient_steps_per_itr=1,
        buffer_batch_size=64,
        min_buffer_size=100,
        num_evaluation_episodes=0,
    )
    with tempfile.TemporaryDirectory() as folder:
        config = SnapshotConfig(snapshot_dir=folder, mirror=mirror or None, try_restore=False)
        trainer = Trainer(config)
        trainer.setup(algo, env)
        trainer.train(n_epochs, 1)


def seconds_of_mirror():
    """Return processor seconds of the threads that see to a mirror, and of its library's."""
    named = {t.native_id for t in threading.enumerate() if t.name.startswith("mirror")}
    found = 0.0
    for task in Path("/proc/self/task").iterdir():
        fields = (task / "stat").read_text().rpartition(")")
        if int(task.name) in named or "(tokio" in fields[0]:
            found += sum(map(int, fields[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--train", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train is not None:
        train(options.train, options.epochs)
        return
    folder, port = Path(tempfile.mkdtemp()), free_port()
    server = serve(folder, port)
    ports = {"s3": port, "slow": slow_line(port), "refuses": port, "absent": free_port()}
    found = {kind: [] for kind in KINDS}
    try:
        time.sleep(1.0)
        for number in range(options.rounds):
            for kind in KINDS:
                variables = {
                    "AWS_ACCESS_KEY_ID": "key",
                    "AWS_SECRET_ACCESS_KEY": "wrong" if kind == "refuses" else "secret",
                    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports.get(kind)}",
                    "AWS_REGION": "us-east-1",
                    "AWS_ALLOW_HTTP": "true",
                    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
                    "PYTHONWARNINGS": "ignore",
                }
                url = "" if kind == "none" else f"s3://lab/{kind}-{number}"
                said = subprocess.run(
                    [sys.executable, __file__, "--epochs", str(options.epochs), "--train", url],
                    env={**os.environ, **variables},
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
                used = json.loads(said.splitlines()[-1])
                found[kind].append(used)
                print(number, kind, *(f"{what} {took:.2f}" for what, took in used.items()))
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)
    for kind in KINDS:
        shares = [100 * u["mirror"] / u["without"] for u in found[kind]]
        costs = [100 * (u["ratio"] - 1) + s for u, s in zip(found[kind], shares, strict=True)]
        print(
            f"{kind:8} {statistics.median(costs):+.1f} % of none ({min(costs):+.1f} to"
            f" {max(costs):+.1f}), of which its threads {statistics.median(shares):.1f} %"
        )
    print(f"load {os.getloadavg()[0]:.0f}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
