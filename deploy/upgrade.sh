#!/usr/bin/env bash
# From the version that runs to the one in this tree: a backup, the new image, migrated databases, new containers.
#
#   deploy/upgrade.sh [FOLDER]      where the backup is kept; default: backups/<moment>
#
# If the new version does not come up, the way back is the old tree and `deploy/restore.sh FOLDER`: databases are only
# ever migrated forwards.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
. deploy/composed.sh
folder=${1:-backups/$(date -u +%Y%m%dT%H%M%SZ)}
say "building"
compose build
STAY_DOWN=1 deploy/backup.sh "$folder"
say "starting the new version"
compose up --detach --wait || die "the new version did not come up; to go back: the old tree, then deploy/restore.sh $folder"
say "Concert runs in the new version; the one before is kept in $folder"
