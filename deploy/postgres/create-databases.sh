#!/bin/sh
# Runs once, when PostgreSQL's data folder is empty: a role and a database for each service, with
# the password taken from the service's own database URL, so that it is written down once.
set -eu
for service in inventory access_audit crypto; do
  url=$(cat "/run/secrets/${service}_database_url")
  # by the environment: a command line is shown to every process
  EMANET_PASSWORD=$(printf '%s' "$url" | sed -E 's#^[^:]+://[^:]+:([^@]+)@.*$#\1#')
  export EMANET_PASSWORD
  psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --set role="emanet_$service" \
    --set database="$service" <<'SQL'
\getenv password EMANET_PASSWORD
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"database" OWNER :"role";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
SQL
done
