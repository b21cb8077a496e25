package sample

import "testing"

func TestPlain(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"ids": {
			`"a":"14bc3432-63e6-46a1-a71c-d0caee39cd04","b":"7675f1d4-014d-4a32-aecc-18d857149214","c":"14bc3432-63e6-46a1-a71c-d0caee39cd04"`,
			`"a":"00000001-0000-4000-8000-000000000000","b":"00000002-0000-4000-8000-000000000000","c":"00000001-0000-4000-8000-000000000000"`,
		},
		"call":      {`"id":"toolu_WQ263LVF72BGHOLRJG2H2WCRII","m":"msg_EZHDVVGSIM7D5WK2ESTHB27WXP"`, `"id":"toolu_0001","m":"msg_0001"`},
		"subagent":  {`agent-a728ed100c400698a.jsonl`, `agent-a0000000000000001.jsonl`},
		"time":      {`"timestamp":"2026-11-29T12:37:46.288Z","date":"2026-11-29"`, `"timestamp":"2026-11-21T09:00:01.000Z","date":"2026-11-21"`},
		"numbers":   {`"pid":20703,"startedAt":1795955865774,"statusUpdatedAt":1795955865850`, `"pid":4242,"startedAt":1795224187000,"statusUpdatedAt":1795224187903`},
		"durations": {`"durationMs":873,"duration_ms":7,"totalAPIDuration":3383,"toolInputStreamMs":1`, `"durationMs":100,"duration_ms":100,"totalAPIDuration":100,"toolInputStreamMs":100`},
		"machine":   {`"pidDomain":"linux:3d1219c7c4c5404aaa1f6d2a48adfda4:pid:[4026531836]","s":"/tmp/cc-socks/20703.sock","f":"/tmp/claude-0/x"`, `"pidDomain":"1","s":"/tmp/cc-socks/4242.sock","f":"/tmp/claude-1000/x"`},
		"user":      {`"s":"/tmp/cc-socks-1001/18484.sock"`, `"s":"/tmp/cc-socks/4242.sock"`},
		"hook":      {`PreCompact ['/tmp/b/exe' hook '/home/dev/h' 'PreCompact'] completed`, `PreCompact ['hostagent' hook '/home/dev/h' 'PreCompact'] completed`},
		"slow":      {`"line 1 of a slow answer\nline 2 of a slow answer\n"`, `"line 1 of a slow answer\n"`},
		"plan":      {`~/.claude/plans/scalable-humming-possum.md`, `~/.claude/plans/plan.md`},
		"the rest":  {`"input_tokens":13,"version":"2.1.329","text":"done"`, `"input_tokens":13,"version":"2.1.329","text":"done"`},
	}
	for name, test := range tests {
		if got := new(Plain).Record(test.text); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestPlainScreen(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"working":  {"● hi\n✽ Concocting… (2s · ↓ 8 tokens)\n", "● hi\n✻ Working…\n"},
		"worked":   {"✻ Crunched for 4s · done 9:58 PM", "✻ Worked for 1s · done 9:00 AM"},
		"retrying": {"✶ API error · retrying in 12s · attempt 1/10", "✻ API error · retrying in 1s · attempt 1/10"},
		"hints": {
			"                                                                      ◐ medium · /effort\n  ⏸ manual mode on · ? for shortcuts · ← for agents",
			"\n  ⏸ manual mode on",
		},
		"figure": {" ▐▛███▂█   Claude Code v2.1.329\n▝▜██████▀  Opus 5.5 · API", "           Claude Code v2.1.329\n           Opus 5.5 · API"},
		"blinks": {"● Running ls · 3s\n● Calling asker · 3s…\n  Running ls", "● Running ls\n● Calling asker…\n● Running ls"},
		"dialog": {" ❯ 1. Yes\n   2. No", " ❯ 1. Yes\n   2. No"},
	}
	for name, test := range tests {
		if got := new(Plain).Screen(test.text); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
