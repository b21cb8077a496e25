package session

import (
	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// withheld says why a feature is not used with the version of the agent that runs; empty if it is.
func (f *fold) withheld(feature agentkind.Feature) string { return f.kind.Withheld(f.version, feature) }

// runsVersion takes in which version of the agent it is about.
func (f *fold) runsVersion(version string) {
	f.version = version
	f.session.AgentVersion = outgoingLine(f.kind.VersionWords(version))
}

// featureOf is what a prompt's answer from elsewhere rests on.
var featureOf = map[protocol.PromptKind]agentkind.Feature{
	protocol.PromptPermission:  agentkind.FeaturePrompts,
	protocol.PromptChoice:      agentkind.FeatureChoices,
	protocol.PromptPlan:        agentkind.FeaturePlans,
	protocol.PromptTrust:       agentkind.FeatureDialogs,
	protocol.PromptDialog:      agentkind.FeatureDialogs,
	protocol.PromptElicitation: agentkind.FeatureForms,
}

// atTerminalOnly leaves of a prompt what is asked, and takes away how it could be answered from elsewhere.
func atTerminalOnly(p protocol.Prompt, why string) protocol.Prompt {
	p.Options, p.AllowsText = nil, false
	note := "[Answer this at the terminal: " + why + ".]"
	if p.Detail != "" {
		note = p.Detail + "\n\n" + note
	}
	p.Detail = note
	return p
}

// may refuses what rests on a feature that is withheld, and says what to do instead.
func (s *session) may(feature agentkind.Feature, instead string) error {
	var why string
	s.view(func(f *fold) { why = f.withheld(feature) })
	if why == "" {
		return nil
	}
	return protocol.Errorf(protocol.CodeUnavailable, "%s: %s", instead, why)
}
