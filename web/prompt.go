package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// promptCard is a prompt as a page shows it.
type promptCard struct {
	fleet.Prompt
	MayAnswer bool
	CanDeny   bool   // so that its box for words says no and why
	Told      string // how it was settled
}

func newPromptCard(prompt fleet.Prompt, mayAnswer bool) promptCard {
	card := promptCard{Prompt: prompt, MayAnswer: mayAnswer}
	if strings.HasSuffix(prompt.Title, prompt.Detail) {
		card.Detail = "" // a form's title says it all
	}
	for _, o := range prompt.Options {
		card.CanDeny = card.CanDeny || o.ID == protocol.OptionDeny
	}
	if prompt.Settlement != nil {
		card.Told = settled(*prompt.Settlement)
	}
	return card
}

// settled says who answered, where, and how that is known.
func settled(s protocol.Settlement) string {
	s.Actor, s.Answer, s.Evidence = line(s.Actor), line(s.Answer), line(s.Evidence)
	return fleet.Told(s)
}

// AnswerPrompt gives the agent a person's answer. The prompt's own id stands in the address, so what is answered
// is exactly what was shown.
func (p *Pages) AnswerPrompt(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	response, err := response(r.PostForm)
	if err != nil {
		return err
	}
	prompt, err := p.Fleet.AnswerPrompt(r.Context(), visit.Caller, r.PathValue("prompt"), response)
	if err != nil {
		return err
	}
	http.Redirect(w, r, promptAddress(prompt), http.StatusSeeOther)
	return nil
}

// Prompt leads to the session that a prompt belongs to.
func (p *Pages) Prompt(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	prompt, err := p.Fleet.Prompt(r.Context(), visit.Caller, protocol.PromptID(r.PathValue("prompt")))
	if err != nil {
		return err
	}
	http.Redirect(w, r, promptAddress(prompt), http.StatusSeeOther)
	return nil
}

func promptAddress(p fleet.Prompt) string {
	return "/sessions/" + string(p.Session) + "?seen=" + url.QueryEscape(string(p.ID))
}

// response puts a prompt's form into the words that fleet.AnswerPrompt reads: an option, with words behind it if
// there are some; or words alone; or a line for each question.
func response(form url.Values) (string, error) {
	option, text := form.Get("option"), strings.TrimSpace(form.Get("text"))
	switch {
	case option != "" && text != "":
		return option + ": " + text, nil
	case option != "":
		return option, nil
	case text != "":
		return text, nil
	}
	var answers []string
	for i := 0; form.Has(fmt.Sprintf("words-%d", i)); i++ {
		answer := chosen(form, i)
		if answer == "" && form.Has(fmt.Sprintf("optional-%d", i)) {
			answer = fleet.LeavesOut
		}
		if answer == "" {
			return "", formError(fmt.Sprintf("question %d has no answer", i+1))
		}
		answers = append(answers, answer)
	}
	return strings.Join(answers, "\n"), nil
}

// chosen is the answer to one question: the labels that are marked, and words of the person's own.
func chosen(form url.Values, question int) string {
	labels := form[fmt.Sprintf("choice-%d", question)]
	if words := strings.TrimSpace(form.Get(fmt.Sprintf("words-%d", question))); words != "" {
		labels = append(labels, words)
	}
	for i, label := range labels {
		labels[i] = strings.Join(strings.Fields(label), " ") // one line for each question
	}
	return strings.Join(labels, ", ")
}

// notThere reports whether err says that something does not exist for the person who asks.
func notThere(err error) bool { return errors.Is(err, auth.ErrNotFound) }
