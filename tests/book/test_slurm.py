"""A sweep on a real Slurm of one node, started here on loopback, gives the figures of the desk bit for bit."""

import getpass
import os
import platform
import shutil
import socket
import subprocess
import sys
import time

import psutil
import pytest
import yaml

from memscape.book import outcomes, sweeps

from .test_faults import SWEEP, log, numbers, toy, until

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "sinfo", "squeue")

SLURM = """\
ClusterName=memscape
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
ReturnToService=2
MessageTimeout=100
BatchStartTimeout=100
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={mib} State=UNKNOWN
PartitionName=desk Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def slurm(tmp_path_factory, monkeypatch):
    """Munge, slurmctld and slurmd of this test alone; the folder of their configuration and logs."""
    path = os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"))
    missing = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    if missing:
        pytest.skip(f"no Slurm on this machine: {', '.join(missing)} (Debian: slurm-wlm, munge)")
    monkeypatch.setenv("PATH", path)
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    for one in (folder, *folder.parents[:2]):
        one.chmod(0o755)  # munge refuses a socket that others cannot reach
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    host = platform.node().partition(".")[0]
    text = SLURM.format(
        host=host, ports=[free_port(), free_port()], user=getpass.getuser(), folder=folder,
        cpus=os.cpu_count(), mib=psutil.virtual_memory().total // 2**20 - 512,
    )  # fmt: skip
    (folder / "slurm.conf").write_text(text)
    monkeypatch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
    names = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    files = [f"--{name}={folder}/munge.{end}" for name, end in names.items()]
    munged = ["munged", "--foreground", "--force", "--num-threads=1", *files]
    daemons = []
    try:
        for command in (munged, ["slurmctld", "-D", "-i"], ["slurmd", "-D"]):
            with (folder / f"{command[0]}.out").open("w") as out:
                daemons.append(subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT))
            if command[0] == "munged":
                wait(lambda: (folder / "munge.socket").exists(), daemons, folder)
        wait(lambda: "idle" in said("sinfo", "--noheader", "--format=%t"), daemons, folder)
        yield folder
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.wait(timeout=300)


def said(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def wait(condition, daemons, folder, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        logs = "\n".join(f"{path.name}: {path.read_text()[-1000:]}" for path in sorted(folder.glob("*.out")))
        assert all(daemon.poll() is None for daemon in daemons), logs
        assert time.monotonic() < end, logs
        time.sleep(0.1)


@pytest.fixture
def by_slurm(slurm, tmp_path):
    """The options of a sweep that Slurm's jobs carry out."""
    settings = {
        "queue": "desk",
        "memory": "1GB",
        "walltime": "00:10:00",
        "interface": "lo",
        "python": sys.executable,
        "log_directory": str(tmp_path / "logs"),
    }
    (tmp_path / "slurm.yml").write_text(yaml.safe_dump(settings))
    return ["--slurm", str(tmp_path / "slurm.yml")]


def test_slurm_gives_the_numbers_of_the_desk_bit_for_bit(slurm, by_slurm, home, tmp_path):
    toy(home, "import numpy as np\n(np.random.default_rng(seed).normal(size=1000) ** 3).sum().hex()")
    grid = ["-g", "seed=0:3", "-w", "2"]
    far = [*SWEEP, *grid, "-o", str(tmp_path / "far"), *by_slurm]
    done = subprocess.run(far, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ 3 runs done, 0 failed" in done.stdout
    assert (
        subprocess.run([*SWEEP, *grid, "-o", str(tmp_path / "desk")], capture_output=True, check=False).returncode == 0
    )
    runs = [f"runs/seed={seed}.ipynb" for seed in range(3)]
    assert [numbers(tmp_path / "far" / run) for run in runs] == [numbers(tmp_path / "desk" / run) for run in runs]
    assert outcomes.table(tmp_path / "far")["TOY-1"].tolist() == [20, 21, 22]
    assert "sched: Allocate JobId=1" in (slurm / "slurmctld.log").read_text()  # it was Slurm that ran them
    # The jobs end with the sweep.
    wait(lambda: not said("squeue", "--noheader", "--states=RUNNING,PENDING").strip(), [], slurm)


def test_a_job_that_slurm_ends_is_asked_for_again(slurm, by_slurm, home):
    toy(home, "time.sleep(1)")
    command = [*SWEEP, "-g", "seed=0:3", "-w", "1", "-o", str(home / "out"), *by_slurm]
    hasty = os.environ | {"DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT": "1s"}
    terminal = home / "terminal"
    with terminal.open("w") as out:
        sweep = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=hasty)
    try:
        until(lambda: log(home))
        subprocess.run(["scancel", "1"], check=True)
        assert sweep.wait() == 0, terminal.read_text()
    finally:
        sweep.kill()
        sweep.wait()
    assert "✓ 3 runs done, 0 failed" in terminal.read_text()
    assert "sched: Allocate JobId=2" in (slurm / "slurmctld.log").read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "slurm: expected a YAML file; got no "),
        ("- a\n- b", "slurm: expected a mapping of arguments of SLURMCluster: .*; got list."),
        ("a: [", "slurm: expected a YAML file; got "),
    ],
)
def test_settings_that_are_none_are_refused(tmp_path, content, message):
    path = tmp_path / "slurm.yml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(sweeps.ArgumentError, match=message):
        sweeps.slurm_settings(path)
    path.write_text("queue: gpu\ncores: 4")
    assert sweeps.slurm_settings(path) == {"cores": 4, "processes": 1, "queue": "gpu"}
