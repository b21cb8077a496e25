-- +goose Up

-- Word of what was taken away, or has become another, for the replicas, which remember who holds an access token and
-- serve streams that last: "<kind> <id>". It goes out when the change commits. Whatever else comes to decide about a
-- token or a login needs a trigger like these.

-- +goose StatementBegin
CREATE FUNCTION tell_access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('access_changed', TG_ARGV[0] || ' ' || (to_jsonb(OLD) ->> TG_ARGV[1]));
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER users_changed AFTER UPDATE ON users FOR EACH ROW
    WHEN ((OLD.suspended_at, OLD.role, OLD.name) IS DISTINCT FROM (NEW.suspended_at, NEW.role, NEW.name))
    EXECUTE FUNCTION tell_access_changed('user', 'id');
CREATE TRIGGER web_sessions_ended AFTER DELETE ON web_sessions FOR EACH ROW
    WHEN (OLD.expires_at > now())
    EXECUTE FUNCTION tell_access_changed('user', 'user_id');
CREATE TRIGGER oauth_clients_changed AFTER UPDATE ON oauth_clients FOR EACH ROW
    WHEN ((OLD.disabled_at, OLD.name) IS DISTINCT FROM (NEW.disabled_at, NEW.name))
    EXECUTE FUNCTION tell_access_changed('client', 'id');
CREATE TRIGGER oauth_grants_changed AFTER UPDATE ON oauth_grants FOR EACH ROW
    WHEN ((OLD.revoked_at, OLD.name, OLD.resource) IS DISTINCT FROM (NEW.revoked_at, NEW.name, NEW.resource))
    EXECUTE FUNCTION tell_access_changed('grant', 'id');
-- Not for codes and refresh tokens, which are never remembered, nor for what the sweep removes.
CREATE TRIGGER oauth_tokens_ended AFTER UPDATE OR DELETE ON oauth_tokens FOR EACH ROW
    WHEN (OLD.kind NOT IN ('code', 'refresh') AND (OLD.expires_at > now()) IS NOT FALSE)
    EXECUTE FUNCTION tell_access_changed('grant', 'grant_id');

-- +goose Down
DROP TRIGGER oauth_tokens_ended ON oauth_tokens;
DROP TRIGGER oauth_grants_changed ON oauth_grants;
DROP TRIGGER oauth_clients_changed ON oauth_clients;
DROP TRIGGER web_sessions_ended ON web_sessions;
DROP TRIGGER users_changed ON users;
DROP FUNCTION tell_access_changed;
