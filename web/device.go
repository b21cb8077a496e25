package web

import (
	"net/http"
	"net/url"

	"switchboard/auth"
)

type devicePage struct{ Code, Problem string }

// Device asks for the code that a device shows. A link may have filled it in; it is looked up only when the person
// says so.
func (p *Pages) Device(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	page := devicePage{}
	if code, ok := auth.ParseUserCode(r.URL.Query().Get("user_code")); ok {
		page.Code = auth.FormatUserCode(code)
	}
	return p.show(w, http.StatusOK, "device", visit.view(r, "Connect a device", page))
}

// siteHost is the host of a client's own site; empty if it told none.
func siteHost(uri string) string {
	site, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return site.Host
}

type deviceAskPage struct {
	auth.DeviceRequest
	ClientHost string
	Unverified bool   // the client registered itself, its name proves nothing
	HostName   string // that the machine will have
	Problem    string
}

// AskDevice shows what the device with that code wants, and asks whether it may.
func (p *Pages) AskDevice(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	return p.askDevice(w, r, visit, r.PostFormValue("user_code"), "")
}

func (p *Pages) askDevice(w http.ResponseWriter, r *http.Request, visit visit, code, problem string) error {
	request, err := p.OAuth.Device(r.Context(), visit.Caller, code)
	if problem := correctable(err); problem != "" {
		page := devicePage{Code: code, Problem: problem}
		return p.show(w, http.StatusBadRequest, "device", visit.view(r, "Connect a device", page))
	}
	if err != nil {
		return err
	}
	page := deviceAskPage{
		DeviceRequest: request, ClientHost: siteHost(request.ClientURI), Unverified: request.Kind == auth.ClientRegistered,
		HostName: request.HostName, Problem: problem,
	}
	if request.Kind == auth.ClientDocument {
		page.ClientHost = siteHost(request.ClientID) // its id is the document's address
	}
	status := http.StatusOK
	if problem != "" {
		status, page.HostName = http.StatusBadRequest, r.PostFormValue("name")
	}
	return p.show(w, status, "device-ask", visit.view(r, "Connect a device", page))
}

type deviceDonePage struct {
	auth.DeviceRequest
	Allowed bool
	Waiting waiting // for the machine that becomes a host
}

// DecideDevice carries out what the person answered.
func (p *Pages) DecideDevice(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	code, decision, name := r.PostFormValue("user_code"), r.PostFormValue("decision"), ""
	if decision != "allow" && decision != "deny" {
		return formError("choose to allow or to deny")
	}
	if decision == "allow" && r.PostForm.Has("name") {
		name, err = p.Fleet.NewHostName(r.Context(), visit.Caller, r.PostFormValue("name"))
		if problem := correctable(err); problem != "" {
			return p.askDevice(w, r, visit, code, problem)
		}
		if err != nil {
			return err
		}
	}
	request, err := p.OAuth.DecideDevice(r.Context(), visit.Caller, code, decision == "allow", name)
	if problem := correctable(err); problem != "" {
		return p.show(w, http.StatusBadRequest, "device", visit.view(r, "Connect a device", devicePage{Problem: problem}))
	}
	if err != nil {
		return err
	}
	page := deviceDonePage{DeviceRequest: request, Allowed: decision == "allow"}
	if page.Allowed && request.Enrols() {
		page.Waiting = waitingFor(name)
	}
	return p.show(w, http.StatusOK, "device-done", visit.view(r, "Connect a device", page))
}
