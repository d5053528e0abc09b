"""Measure what a mirror costs training: processor seconds with none, one, and ones that fail.

    OMP_NUM_THREADS=1 python benchmarks/mirrors.py --rounds 3

SAC on Pendulum, a snapshot with its replay memory every epoch. `s3` is rclone's server on loopback,
`slow` the same behind a line of 1 MB a second, `refuses` answers 403, `absent` is a port at which
nobody listens. Runs take turns; each is a process of its own, and what counts is its own processor
time from the first epoch to the last; what the wait for the last snapshot takes is told beside it.
On a busy machine that differs by more than a mirror costs, so the threads that see to the mirror
are counted by themselves as well: their share of the process's time.
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


def train(mirror, n_epochs):
    """Train, and print processor seconds; in a process of its own."""
    from garage_like import Trainer
    from garage_like.envs import GymEnv
    from garage_like.experiment.deterministic import set_seed
    from garage_like.replay_buffer import PathBuffer
    from garage_like.snapshot import SnapshotConfig
    from garage_like.torch.algos import SAC
    from garage_like.torch.policies import TanhGaussianMLPPolicy
    from garage_like.torch.q_functions import ContinuousMLPQFunction
    from garage_like.trainer.safe_points import watching

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
        used, ours = [], []

        def look(point):
            used.append(time.process_time())
            ours.append(seconds_of_mirror())

        with watching(look):
            trainer.train(n_epochs, 1)
        used.append(time.process_time())
    told = {"training": used[-2] - used[0], "waiting": used[-1] - used[-2], "mirror": ours[-1]}
    print(json.dumps(told))


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
    shares = {kind: [] for kind in KINDS}
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
                found[kind].append(used["training"])
                shares[kind].append(used["mirror"] / used["training"])
                print(f"{number} {kind} {used['training']:.2f} s, then {used['waiting']:.2f} s")
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)
    for kind in KINDS:
        ratios = [a / b for a, b in zip(found[kind], found["none"], strict=True)]
        print(
            f"{kind:8} {statistics.median(found[kind]):6.2f} s,"
            f" {100 * (statistics.median(ratios) - 1):+.1f} % of none,"
            f" its threads {100 * statistics.median(shares[kind]):.1f} %"
        )
    print(f"load {os.getloadavg()[0]:.0f}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
