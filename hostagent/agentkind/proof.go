package agentkind

import (
	"fmt"
	"strings"
)

// Feature is something that we do with an agent and that rests on how its version behaves. One that a version is known
// to break is withheld, with the reason; the rest works on.
type Feature string

// The features, and what becomes of each when it is withheld.
const (
	FeatureSessions   Feature = "sessions"   // none is started
	FeatureState      Feature = "state"      // uncertain, and no messages are taken
	FeatureRules      Feature = "rules"      // no session is started on a host whose policy has rules about tools
	FeaturePrompts    Feature = "prompts"    // permissions are shown, and answered at the terminal
	FeatureChoices    Feature = "choices"    // so are questions
	FeaturePlans      Feature = "plans"      // so are plans
	FeatureDialogs    Feature = "dialogs"    // so is the trust dialog
	FeatureForms      Feature = "forms"      // so are the questions of MCP servers
	FeatureMessages   Feature = "messages"   // none are taken: they are typed at the terminal
	FeatureReceipts   Feature = "receipts"   // messages are typed once, and told as not confirmed
	FeatureInterrupt  Feature = "interrupt"  // Esc is pressed at the terminal
	FeatureResume     Feature = "resume"     // refused
	FeatureAdopt      Feature = "adopt"      // so is a conversation that somebody began in a terminal
	FeatureTranscript Feature = "transcript" // may lack what the agent says, which is told
	FeatureUsage      Feature = "usage"      // none is counted, and no cost is shown
	FeatureReasons    Feature = "reasons"    // so may why a turn or a session ended
)

// Features lists them.
func Features() []Feature {
	return []Feature{
		FeatureSessions, FeatureState, FeatureRules, FeaturePrompts, FeatureChoices, FeaturePlans, FeatureDialogs, FeatureForms,
		FeatureMessages, FeatureReceipts, FeatureInterrupt, FeatureResume, FeatureAdopt, FeatureTranscript, FeatureUsage,
		FeatureReasons,
	}
}

// Proof is what was found when a version of an agent was tried: one row for each behaviour that we rely on.
type Proof struct {
	Version  string `json:"version"`
	Platform string `json:"platform"`
	Date     string `json:"date"`
	Rows     []Row  `json:"rows"`
}

// Row is one behaviour.
type Row struct {
	Name     string  `json:"name"`
	Relies   string  `json:"relies"`            // what we rely on
	Feature  Feature `json:"feature,omitempty"` // what falls with it; empty: nothing
	Result   Result  `json:"result"`
	Evidence string  `json:"evidence"`
	Seconds  float64 `json:"seconds"`
}

// Result is how a row ended.
type Result string

// The results. Unknown is a row that could not be tried, which is no word against the version.
const (
	Pass    Result = "pass"
	Fail    Result = "fail"
	Unknown Result = "unknown"
)

// Broken lists the rows of a feature that have failed.
func (p Proof) Broken(feature Feature) []string {
	var failed []string
	for _, row := range p.Rows {
		if row.Feature == feature && row.Result == Fail {
			failed = append(failed, row.Name)
		}
	}
	return failed
}

// Tally is how many of a feature's rows have passed, in words.
func (p Proof) Tally(feature Feature) string {
	passed, all := 0, 0
	for _, row := range p.Rows {
		if row.Feature != feature {
			continue
		}
		all++
		if row.Result == Pass {
			passed++
		}
	}
	return fmt.Sprintf("%d of %d checks passed", passed, all)
}

// Tested reports whether exactly this version was tried. One that was not runs with every feature, and is named as not
// tested wherever its version is shown: most versions change nothing that we rely on, and where one does, the dialog
// stays at the terminal or a message is told as not confirmed. To withhold everything until somebody has tried the
// version would stop the work of each person whose agent updates itself.
func (k Kind) Tested(version string) bool {
	_, ok := k.Proof(version)
	return ok
}

// Withheld says why a feature is not used with this version; empty if it is.
func (k Kind) Withheld(version string, feature Feature) string {
	proof, _ := k.Proof(version)
	failed := proof.Broken(feature)
	if len(failed) == 0 {
		return ""
	}
	return fmt.Sprintf("%s %s fails our test of: %s", k.Name, version, strings.Join(failed, ", "))
}

// VersionWords is a version as people are shown it.
func (k Kind) VersionWords(version string) string {
	if version == "" || k.Tested(version) {
		return version
	}
	return version + notTested
}

const notTested = " (not tested)"

// Caveat is what people are told when an agent of this version starts; empty if nothing is to be said.
func (k Kind) Caveat(version string) string {
	proof, ok := k.Proof(version)
	if !ok {
		return fmt.Sprintf("%s %s was not tested with this host agent. Should it behave oddly from here, look at its terminal.", k.Name, version)
	}
	var withheld []string
	for _, feature := range Features() {
		if failed := proof.Broken(feature); len(failed) > 0 {
			withheld = append(withheld, fmt.Sprintf("%s (%s)", feature, strings.Join(failed, ", ")))
		}
	}
	if len(withheld) == 0 {
		return ""
	}
	return fmt.Sprintf("%s %s fails some of our tests; use the terminal for: %s.", k.Name, version, strings.Join(withheld, "; "))
}
