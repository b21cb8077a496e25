package main

import (
	"net/http"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// routes lists every URL of the control plane, one line each.
func (p *plane) routes() http.Handler {
	mux := http.NewServeMux()
	page := p.pages.Handler

	// MCP, and OAuth for those who use it.
	mux.Handle(auth.ResourcePath, p.mcp)
	mux.HandleFunc(auth.ResourceMetadataPath, p.oauth.ResourceMetadata)
	mux.HandleFunc(auth.ResourceMetadataPath+auth.ResourcePath, p.oauth.ResourceMetadata)
	mux.HandleFunc(auth.ServerMetadataPath, p.oauth.ServerMetadata)
	mux.HandleFunc(auth.OpenIDMetadataPath, p.oauth.ServerMetadata)
	mux.HandleFunc(auth.AuthorizePath, p.oauth.Authorize)
	mux.HandleFunc(auth.TokenPath, p.oauth.Token)
	mux.HandleFunc(auth.RegisterPath, p.oauth.Register)
	mux.HandleFunc(auth.RevokePath, p.oauth.Revoke)
	mux.HandleFunc(auth.DeviceAuthorizationPath, p.oauth.DeviceAuthorization)

	// Hosts.
	mux.Handle("POST "+protocol.EnrolPath, p.enrol)
	mux.Handle("GET "+protocol.ConnectPath, p.bridge)

	// Pages: getting in.
	mux.Handle("GET /{$}", page(p.pages.Home))
	mux.Handle("GET /invite/{token}", page(p.pages.Invite))
	mux.Handle("POST /invite/{token}", page(p.pages.AcceptInvite))
	mux.Handle("GET /login", page(p.pages.Login))
	mux.Handle("POST /login", page(p.pages.LogIn))
	mux.Handle("GET /login/code", page(p.pages.SecondStep))
	mux.Handle("POST /login/code", page(p.pages.FinishLogIn))
	mux.Handle("POST "+auth.OIDCBeginPath, page(p.pages.BeginOIDC))
	mux.Handle("GET "+auth.OIDCCallbackPath, page(p.pages.OIDCCallback))
	mux.Handle("POST /account/oidc", page(p.pages.ConnectOIDC))
	mux.Handle("POST /account/oidc/disconnect", page(p.pages.DisconnectOIDC))
	mux.Handle("GET /second-factor", page(p.pages.NeedFactor))
	mux.Handle("POST /login/passkey", page(p.pages.LogInByPasskey))
	mux.Handle("POST /login/passkey/options", page(p.pages.PasskeyOptions))
	mux.Handle("POST /logout", page(p.pages.LogOut))
	mux.Handle("GET "+auth.DevicePath, page(p.pages.Device))
	mux.Handle("POST "+auth.DevicePath, page(p.pages.AskDevice))
	mux.Handle("POST "+auth.DevicePath+"/decide", page(p.pages.DecideDevice))
	mux.Handle("GET /account", page(p.pages.Account))
	mux.Handle("POST /account", page(p.pages.ChangePassword))
	mux.Handle("GET /account/prove", page(p.pages.ProveAgain))
	mux.Handle("POST /account/prove", page(p.pages.Prove))
	mux.Handle("GET /account/authenticator", page(p.pages.Authenticator))
	mux.Handle("POST /account/authenticator", page(p.pages.ConfirmAuthenticator))
	mux.Handle("GET /account/authenticator/image", page(p.pages.AuthenticatorImage))
	mux.Handle("GET /account/authenticator/off", page(p.pages.AuthenticatorOff))
	mux.Handle("POST /account/authenticator/off", page(p.pages.DisableAuthenticator))
	mux.Handle("POST /account/recovery-codes", page(p.pages.RenewRecoveryCodes))
	mux.Handle("POST /account/passkeys", page(p.pages.AddPasskey))
	mux.Handle("POST /account/passkeys/options", page(p.pages.NewPasskeyOptions))
	mux.Handle("POST /account/passkeys/{passkey}/remove", page(p.pages.RemovePasskey))
	mux.Handle("POST /account/prove/passkey", page(p.pages.ProveByPasskey))
	mux.Handle("POST /account/prove/passkey/options", page(p.pages.ProvePasskeyOptions))
	mux.Handle("POST /account/logins/end", page(p.pages.EndOtherLogins))
	mux.Handle("POST /account/logins/{login}/end", page(p.pages.EndLogin))

	// Pages: sessions.
	mux.Handle("GET /sessions", page(p.pages.Sessions))
	mux.Handle("POST /sessions", page(p.pages.CreateSession))
	mux.Handle("GET /sessions/new", page(p.pages.NewSession))
	mux.Handle("GET /sessions/{session}", page(p.pages.Session))
	mux.Handle("GET /sessions/{session}/screen", page(p.pages.Screen))
	mux.Handle("GET /sessions/{session}/terminal", page(p.pages.Terminal))
	mux.Handle("GET /sessions/{session}/changes", page(p.pages.Changes))
	mux.Handle("GET /sessions/{session}/recording", page(p.pages.Recording))
	mux.Handle("GET /sessions/{session}/recording/{segment}", page(p.pages.RecordingSegment))
	mux.Handle("POST /sessions/{session}/messages", page(p.pages.SendMessage))
	mux.Handle("POST /sessions/{session}/messages/{message}/take-back", page(p.pages.TakeBackMessage))
	mux.Handle("POST /sessions/{session}/prompts/{prompt}", page(p.pages.AnswerPrompt))
	mux.Handle("POST /sessions/{session}/interrupt", page(p.pages.Interrupt))
	mux.Handle("POST /sessions/{session}/resume", page(p.pages.Resume))
	mux.Handle("GET /sessions/{session}/terminate", page(p.pages.ConfirmTerminate))
	mux.Handle("POST /sessions/{session}/terminate", page(p.pages.Terminate))
	mux.Handle("GET /prompts/{prompt}", page(p.pages.Prompt))
	mux.Handle("GET /events", page(p.pages.Events))

	// Pages: hosts.
	mux.Handle("GET /hosts", page(p.pages.Hosts))
	mux.Handle("POST /hosts", page(p.pages.RegisterHost))
	mux.Handle("GET /hosts/new", page(p.pages.NewHost))
	mux.Handle("GET /hosts/waiting", page(p.pages.HostWaiting))
	mux.Handle("GET /hosts/{host}", page(p.pages.Host))
	mux.Handle("POST /hosts/{host}/shares", page(p.pages.ShareHost))
	mux.Handle("GET /hosts/{host}/remove", page(p.pages.ConfirmRemoveHost))
	mux.Handle("POST /hosts/{host}/remove", page(p.pages.RemoveHost))

	// Pages: people, clients, templates, audit.
	mux.Handle("GET /users", page(p.pages.Users))
	mux.Handle("POST /users", page(p.pages.InviteUser))
	mux.Handle("POST /users/{user}/suspend", page(p.pages.SuspendUser))
	mux.Handle("POST /users/{user}/factors/reset", page(p.pages.ResetFactors))
	mux.Handle("POST /users/{user}/logins/end", page(p.pages.EndLoginsOf))
	mux.Handle("GET /clients", page(p.pages.Clients))
	mux.Handle("GET /clients/revoke", page(p.pages.ConfirmRevokeAll))
	mux.Handle("GET /clients/registered", page(p.pages.RegisteredClients))
	mux.Handle("POST /clients/registered", page(p.pages.AddClient))
	mux.Handle("POST /clients/registered/disable", page(p.pages.DisableClient))
	mux.Handle("POST /clients/registered/remove", page(p.pages.RemoveClient))
	mux.Handle("POST /clients/revoke", page(p.pages.RevokeAll))
	mux.Handle("POST /clients/{grant}/revoke", page(p.pages.RevokeGrant))
	mux.Handle("GET /tokens", page(p.pages.Tokens))
	mux.Handle("POST /tokens", page(p.pages.CreateToken))
	mux.Handle("GET /templates", page(p.pages.Templates))
	mux.Handle("POST /templates", page(p.pages.SaveTemplate))
	mux.Handle("POST /templates/{template}/remove", page(p.pages.RemoveTemplate))
	mux.Handle("GET /audit", page(p.pages.Audit))

	mux.Handle("GET /static/", page(p.pages.Static))
	mux.HandleFunc("GET /healthz", p.health)
	mux.Handle("/", page(func(http.ResponseWriter, *http.Request) error { return auth.ErrNotFound }))
	return mux
}

// health says whether this replica can serve: 200, or 503 and what is away.
func (p *plane) health(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := p.stores.ping(r.Context()); err != nil {
		w.Header().Set("Retry-After", "2")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n")) // whoever asked may be gone
}
