-- What the roles may do inside one database; included by roles.sql. The application's own rights
-- table by table, its policies and the append-only triggers are installed by the service after
-- every migration; here are only those that no migration can forget.
\set ON_ERROR_STOP on

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO tsunagari_owner;
GRANT USAGE ON SCHEMA public TO tsunagari_app, tsunagari_backup, tsunagari_purge;

ALTER DEFAULT PRIVILEGES FOR ROLE tsunagari_owner IN SCHEMA public
    GRANT SELECT ON TABLES TO tsunagari_backup;
ALTER DEFAULT PRIVILEGES FOR ROLE tsunagari_owner IN SCHEMA public
    GRANT SELECT ON SEQUENCES TO tsunagari_backup;
ALTER DEFAULT PRIVILEGES FOR ROLE tsunagari_owner IN SCHEMA public
    GRANT SELECT, UPDATE, DELETE ON TABLES TO tsunagari_purge;
