package web

import (
	"context"
	"net/http"
	"net/url"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// SendMessage types a person's message into the session.
func (p *Pages) SendMessage(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	text := r.PostFormValue("text")
	message, err := p.Fleet.SendMessage(r.Context(), visit.Caller, r.PathValue("session"), fleet.NewMessage{
		Text: text, IdempotencyKey: r.PostFormValue("key"), WhenBusy: fleet.WhenBusy(r.PostFormValue("when_busy")),
	})
	if problem := correctable(err); problem != "" {
		return p.showTranscript(w, r, visit, http.StatusConflict, text, problem)
	}
	if err != nil {
		return err
	}
	toMessage(w, r, message)
	return nil
}

// TakeBackMessage takes back a message of which nothing is typed yet.
func (p *Pages) TakeBackMessage(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	_, message, err := p.Fleet.TakeBackMessage(r.Context(), visit.Caller, r.PathValue("session"), protocol.MessageID(r.PathValue("message")))
	if problem := correctable(err); problem != "" {
		return p.showTranscript(w, r, visit, http.StatusConflict, "", problem)
	}
	if err != nil {
		return err
	}
	toMessage(w, r, message)
	return nil
}

// toMessage shows the session with what has become of a message.
func toMessage(w http.ResponseWriter, r *http.Request, m fleet.Message) {
	http.Redirect(w, r, "/sessions/"+string(m.Session)+"?sent="+url.QueryEscape(string(m.ID)), http.StatusSeeOther)
}

// Interrupt stops what the agent is doing.
func (p *Pages) Interrupt(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, p.Fleet.InterruptSession)
}

// Resume starts an ended session's agent again, with its conversation.
func (p *Pages) Resume(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, p.Fleet.ResumeSession)
}

// Terminate ends a session.
func (p *Pages) Terminate(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, func(ctx context.Context, c auth.Caller, ref string) (fleet.Session, error) {
		return p.Fleet.TerminateSession(ctx, c, ref, r.PostFormValue("force") == "yes")
	})
}

// act does one thing to the session and shows it again.
func (p *Pages) act(w http.ResponseWriter, r *http.Request, do func(context.Context, auth.Caller, string) (fleet.Session, error)) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	session, err := do(r.Context(), visit.Caller, r.PathValue("session"))
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/sessions/"+string(session.ID), http.StatusSeeOther)
	return nil
}

// ConfirmTerminate asks before a session is ended.
func (p *Pages) ConfirmTerminate(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	session, err := p.Fleet.Session(r.Context(), visit.Caller, r.PathValue("session"))
	if err != nil {
		return err
	}
	address := "/sessions/" + string(session.ID)
	page := confirmPage{
		Text:     "The agent on " + line(session.HostName) + " is ended. What it has changed stays, and it can be resumed with its conversation.",
		Checkbox: &checkbox{"force", "At once", "Do not wait for the agent to end by itself."},
		Action:   address + "/terminate", Button: "Terminate", Back: address,
	}
	return p.show(w, http.StatusOK, "confirm", visit.view(r, "Terminate "+line(session.Name)+"?", page))
}
