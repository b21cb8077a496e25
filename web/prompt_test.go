package web

import (
	"errors"
	"net/url"
	"testing"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

func TestResponse(t *testing.T) {
	for _, c := range []struct {
		name string
		form url.Values
		want string
	}{
		{"option", url.Values{"option": {"allow"}}, "allow"},
		{"no, and why", url.Values{"option": {"deny"}, "text": {" use a branch "}}, "deny: use a branch"},
		{"words", url.Values{"text": {"something else"}}, "something else"},
		{"a question", url.Values{"choice-0": {"Red"}, "words-0": {""}}, "Red"},
		{"several answers", url.Values{"choice-0": {"Red", "Blue"}, "words-0": {""}}, "Red, Blue"},
		{"a label of two lines", url.Values{"choice-0": {"Red\nor so"}, "words-0": {""}}, "Red or so"},
		{"own words", url.Values{"words-0": {"a  dark\ngreen"}}, "a dark green"},
		{"two questions", url.Values{"choice-0": {"Red"}, "words-0": {""}, "choice-1": {"Big"}, "words-1": {""}}, "Red\nBig"},
		{"the other submit button", url.Values{"option": {"deny"}, "choice-0": {"Red"}, "words-0": {""}}, "deny"},
		{"a form", url.Values{"words-0": {"red"}, "words-1": {""}, "optional-1": {"1"}, "choice-2": {"Yes"}, "words-2": {""}}, "red\n-\nYes"},
		{"nothing", url.Values{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := response(c.form)
			if err != nil || got != c.want {
				t.Errorf("response = %q, %v; want %q", got, err, c.want)
			}
		})
	}
	if _, err := response(url.Values{"choice-0": {"Red"}, "words-0": {""}, "words-1": {""}}); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("a question without an answer: %v, want ErrInvalid", err)
	}
}

func TestSettled(t *testing.T) {
	for want, s := range map[string]protocol.Settlement{
		"Allowed by ada, remotely (known by hook PostToolUse)": {
			Outcome: protocol.OutcomeAllowed, Where: protocol.WhereRemote, Actor: "ada", Evidence: "hook PostToolUse"},
		"Denied at the terminal":    {Outcome: protocol.OutcomeDenied, Where: protocol.WhereTerminal},
		"Answered by a rule: “Red”": {Outcome: protocol.OutcomeAnswered, Where: protocol.WhereRule, Answer: "Red"},
		"The agent no longer asks":  {Outcome: protocol.OutcomeWithdrawn, Where: protocol.WhereNobody},
	} {
		if got := settled(s); got != want {
			t.Errorf("settled = %q, want %q", got, want)
		}
	}
}
