#!/bin/bash
# Tries slurm.sh on a cluster of this one host: an array of three shards, one of which is killed and
# requeued, merged with an undivided sweep. Needs root and Debian's slurm-wlm and munge; minutes.
#
#   tools/cluster/try_slurm.sh FOLDER
set -euo pipefail
mkdir -p "$1"
folder=$(realpath "$1")
sweep() { npx --yes deno@2.9.6 task sweep "$@"; }

dd if=/dev/urandom of="$folder/munge.key" bs=128 count=1 status=none
chmod 400 "$folder/munge.key"
munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
  --pid-file="$folder/munged.pid" --seed-file="$folder/munge.seed" --log-file="$folder/munged.log"
cat > "$folder/slurm.conf" <<END
ClusterName=one
SlurmctldHost=$(hostname -s)
AuthInfo=socket=$folder/munge.socket
SlurmUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
ReturnToService=2
$(slurmd -C | grep -o 'NodeName=.*')
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF="$folder/slurm.conf"
slurmctld -L "$folder/slurmctld.log"
slurmd -L "$folder/slurmd.log"
trap 'kill $(cat "$folder"/slurmd.pid "$folder"/slurmctld.pid "$folder"/munged.pid)' EXIT

export RECORDS="$folder/shards"
job=$(sbatch --parsable --array=1-3 --output="$folder/shard-%a.log" tools/cluster/slurm.sh --preset tiny)
rows() { cat "$RECORDS"/2/*/runs.csv 2> /dev/null | wc -l; }
until (($(rows) > 5)); do sleep 0.2; done
victim=$(squeue --noheader --jobs="${job}_2" --format=%A)
scontrol listpids "$victim" | awk 'NR > 1 && $1 > 0 { print $1 }' | xargs kill -KILL
until squeue --noheader --states=FAILED --jobs="${job}_2" | grep -q .; do sleep 1; done
echo "Shard 2 died with $(rows) lines in runs.csv."
scontrol requeue "${job}_2"
while squeue --noheader --jobs="$job" | grep -q .; do sleep 1; done

sweep --preset tiny --process 1 --records "$folder/whole" --figures "$folder/figures"
merged=$(sweep merge "$RECORDS"/* --out "$folder/merged")
# With the undivided sweep, which would be refused if it differed in more than what is timed: no row
# more than the shards had.
compared=$(sweep merge "$folder/merged" "$folder/whole" --out "$folder/compared")
printf '%s\n' "$merged" "$compared"
[[ $merged == "${compared%%$'\n'*}" ]]
