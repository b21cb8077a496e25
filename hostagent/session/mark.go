package session

import (
	"encoding/json"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
)

// maxMark is how many bytes of a marker's text a viewer is shown.
const maxMark = 120

// markOf says in words what a journal entry is as a place in the recording. Most are none.
func markOf(kind agentkind.Kind, e holder.Entry) (string, bool) {
	switch e.Kind {
	case holder.KindHook:
		var hook holder.Hook
		if json.Unmarshal(e.Body, &hook) != nil {
			return "", false
		}
		return markOfHook(kind, hook.Payload)
	case noteAnswer:
		var note answerNote
		if json.Unmarshal(e.Body, &note) != nil {
			return "", false
		}
		return markText("Answered by " + note.Actor), true
	case noteDialog:
		var note dialogNote
		if json.Unmarshal(e.Body, &note) != nil {
			return "", false
		}
		return markText("Asks: " + note.Name), true
	}
	return "", false
}

func markOfHook(kind agentkind.Kind, payload []byte) (string, bool) {
	hook, err := kind.ReadHook(payload)
	if err != nil {
		return "", false
	}
	title := hook.Tool
	if ask, err := kind.ReadAsk(payload); err == nil && ask.Title != "" {
		title = ask.Title
	}
	switch hook.Kind {
	case agentkind.HookSubmitted:
		return markText("Message: " + hook.Text), true
	case agentkind.HookToolStarting:
		return markText(title), true
	case agentkind.HookAsked:
		return markText("Asks: " + title), true
	case agentkind.HookToolFailed:
		return markText("Failed: " + title), true
	case agentkind.HookTurnDone:
		return "Done", true
	case agentkind.HookTurnFailed:
		return markText("Stopped: " + hook.Text), true
	}
	return "", false
}

func markText(text string) string {
	text, cut := clip(outgoingLine(text), maxMark)
	if cut {
		text += "…"
	}
	return text
}
