package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"switchboard/hostagent/agentkind"
)

func lifeScenes() []scene {
	return []scene{
		{"clear", "The person begins another conversation in the same program.", playClear},
		{"exit", "The person ends the program.", playExit},
		{"resume", "A conversation goes on in another process.", playResume},
	}
}

func playClear(k *taker) {
	k.Ready()
	k.Send("before")
	k.Hook("Stop", 1)
	k.Becomes(agentkind.ActivityIdle)
	k.Command("/clear")
	k.hook("SessionEnd", 1)
	k.hook("SessionStart", 2)
}

func playExit(k *taker) {
	k.Ready()
	k.Send("hello")
	k.Hook("Stop", 1)
	k.Becomes(agentkind.ActivityIdle)
	k.Command("/exit")
	k.Exits()
	k.hook("SessionEnd", 1)
	k.screen("ended")
}

func playResume(k *taker) {
	k.Ready()
	k.Send("remember me")
	k.over()
	k.Start(true)
	k.hook("SessionStart", 2)
	k.Becomes(agentkind.ActivityIdle)
	k.Shows("remember me")
	k.still("idle")
}

// quickIdle has the CLI notify a second after a turn, and not a minute.
func (k *taker) quickIdle() {
	path := filepath.Join(k.Home.Dir, ".claude.json")
	text, err := os.ReadFile(path)
	k.Check(err)
	var settings map[string]any
	k.Check(json.Unmarshal(text, &settings))
	settings["messageIdleNotifThresholdMs"] = 1000
	text, err = json.Marshal(settings)
	k.Check(err)
	k.settings(".claude.json", string(text))
}

func longText() string { return strings.Repeat("words of a long file\n", 1000) }
