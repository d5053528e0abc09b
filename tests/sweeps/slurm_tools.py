"""Stand-ins for `sbatch --wait` and `scancel`, whose jobs are no children of who submits them."""

from pathlib import Path

SBATCH = """#!/bin/sh
for word; do
    case "$word" in
        --output=*) log="${word#*=}";;
        --job-name=*) job="JOBS/${word#*=}";;
    esac
done
[ "$1" = --wait ] || exit 1
setsid sh -c 'sh -c "$1" & echo $! > "$0.pid"; wait $!; echo $? > "$0.status"' "$job" "$word" \\
    < /dev/null >> "$log" 2>&1 &
while [ ! -s "$job.status" ]; do sleep 0.1; done
echo Submitted batch job 17  # as late as Slurm's own is read from a pipe
exit "$(cat "$job.status")"
"""
SCANCEL = """#!/bin/sh
for word; do
    case "$word" in
        --name=*) job="JOBS/${word#*=}";;
        --signal=*) signal="${word#*=}";;
    esac
done
[ -z "$signal" ] || [ -e "$job.status" ] || kill -s "$signal" "$(cat "$job.pid")"
"""


def put_into(folder: Path) -> Path:
    """Write both; return the folder, to be put before all of PATH."""
    folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (folder / name).write_text(text.replace("JOBS", str(folder)))
        (folder / name).chmod(0o755)
    return folder
