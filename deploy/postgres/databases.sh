#!/usr/bin/env bash
# A database per service, made when the volume is first filled.
set -euo pipefail
for service in teams targets meetings metrics; do
    createdb --username="$POSTGRES_USER" "$service"
done
