-- The database and its roles, once per server, as a superuser:
--   psql -v database=tsunagari -v owner_password=… -v app_password=… -v backup_password=… \
--        -v purge_password=… -f bin/roles.sql postgres
-- Owner: migrations. App: the service; neither owner nor superuser, and row-level security holds
-- for it. Backup: reads every row. Purge: deletes what retention says. Source: trust.md "Data".
\set ON_ERROR_STOP on

CREATE ROLE tsunagari_owner LOGIN PASSWORD :'owner_password'
    NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
CREATE ROLE tsunagari_app LOGIN PASSWORD :'app_password'
    NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
CREATE ROLE tsunagari_backup LOGIN PASSWORD :'backup_password'
    NOSUPERUSER BYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
CREATE ROLE tsunagari_purge LOGIN PASSWORD :'purge_password'
    NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;

CREATE DATABASE :"database" OWNER tsunagari_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO tsunagari_app, tsunagari_backup, tsunagari_purge;

\connect :"database"
\ir roles-database.sql
