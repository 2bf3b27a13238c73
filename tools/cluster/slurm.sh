#!/bin/bash
# A sweep as a Slurm array: each task is a shard, with records of its own. From the repository:
#
#   sbatch --array=1-8 tools/cluster/slurm.sh --preset quick
#   sbatch --array=1-8 tools/cluster/slurm.sh costs --preset study
#   deno task sweep merge shards/* --out data/records
#
# A task that is killed, preempted or requeued goes on from its records. PROCESS=2 sweeps again.
# Fetch models first (deno task models): many tasks would ask for them at once.
#SBATCH --job-name=specbound
#SBATCH --exclusive
#SBATCH --requeue
#SBATCH --output=shard-%a.log
#SBATCH --open-mode=append
set -euo pipefail
exec npx --yes deno@2.9.6 task sweep "$@" --process "${PROCESS:-1}" \
  --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
  --records "${RECORDS:-shards}/$SLURM_ARRAY_TASK_ID"
