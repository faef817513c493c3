#!/bin/sh
# Runs once, inside the database container, when its volume is empty: makes the database and the
# four roles of bin/roles.sql with the passwords of the mounted secrets. psql reads the secrets
# itself, so they stand on no command line.
set -eu
for name in owner app backup purge; do
    if [ ! -s "/run/secrets/${name}_password" ]; then
        echo "missing secret: ${name}_password" >&2
        exit 1
    fi
done
psql --no-psqlrc --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\set ON_ERROR_STOP on
\set database tsunagari
\set owner_password `cat /run/secrets/owner_password`
\set app_password `cat /run/secrets/app_password`
\set backup_password `cat /run/secrets/backup_password`
\set purge_password `cat /run/secrets/purge_password`
\i /opt/tsunagari/roles.sql
SQL
