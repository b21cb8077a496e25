package main

import "switchboard/hostagent/agentkind"

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
