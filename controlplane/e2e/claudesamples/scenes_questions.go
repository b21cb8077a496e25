package main

import (
	"switchboard/controlplane/e2e/stage"
	"switchboard/hostagent/agentkind"
)

func questionScenes() []scene {
	return []scene{
		{"question", "One question is answered through the hook.", playQuestion},
		{"questions", "Two questions, the second with several answers, are answered at the terminal.", playQuestions},
		{"questions-by-hook", "The same are answered through the hook.", playQuestionsByHook},
		{"question-declined", "A question is declined through the hook.", playQuestionDeclined},
		{"plan", "A plan is approved through the hook.", playPlan},
		{"plan-refused", "A plan is refused through the hook, with words.", playPlanRefused},
	}
}

func playQuestion(k *taker) {
	k.Ready()
	asked := k.Ask("fake:ask")
	k.hook("PreToolUse", 1)
	k.payload(asked)
	k.Becomes(agentkind.ActivityWaiting)
	k.Shows("Which database should we use?")
	k.still("asked")
	k.status()
	k.Reply(asked, agentkind.Answer{Choices: [][]string{{"SQLite"}}})
	k.hook("PostToolUse", 1)
	k.over()
	k.transcript()
}

func playQuestions(k *taker) {
	k.Ready()
	k.payload(k.Ask("fake:ask2"))
	k.Shows("Which database should we use?")
	k.still("first")
	k.Sleep(stage.DialogAge)
	k.Keys("1")
	k.Shows("Which features do you want?")
	k.still("second")
	k.Sleep(stage.DialogAge)
	k.Keys("1")
	k.Shows("1. [✔]")
	k.Keys("2")
	k.Shows("2. [✔]")
	k.still("second, two chosen")
	k.Keys("\t")
	k.Shows("Review your answers")
	k.still("submit")
	k.Sleep(stage.DialogAge)
	k.Keys("1")
	k.hook("PostToolUse", 1)
	k.over()
	k.transcript()
}

func playQuestionsByHook(k *taker) {
	k.Ready()
	k.Reply(k.Ask("fake:ask2"), agentkind.Answer{Choices: [][]string{{"PostgreSQL"}, {"Login", "Search"}}})
	k.hook("PostToolUse", 1)
	k.over()
	k.transcript()
}

func playQuestionDeclined(k *taker) {
	k.Ready()
	k.Reply(k.Ask("fake:ask"), agentkind.Answer{Option: agentkind.OptionDeny, Text: "neither"})
	k.over()
	k.transcript()
}

func playPlan(k *taker) {
	k.Mode = "plan"
	k.Ready()
	asked := k.Ask("fake:planwrite Add a health endpoint ;; exitplan")
	k.payload(k.lastOf("PreToolUse"))
	k.payload(asked)
	k.Becomes(agentkind.ActivityWaiting)
	k.still("asked")
	k.Reply(asked, agentkind.Answer{Option: agentkind.OptionAcceptEdits})
	k.hook("Stop", 1)
	k.payload(k.lastOf("PostToolUse"))
	k.over()
	k.transcript()
}

func playPlanRefused(k *taker) {
	k.Mode = "plan"
	k.Ready()
	k.Reply(k.Ask("fake:planwrite Add a health endpoint ;; exitplan"), agentkind.Answer{Text: "smaller"})
	k.over()
	k.transcript()
}
