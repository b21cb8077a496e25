package agentkind

// Claude is Claude Code, in its own terminal interface. What stands in this package's claude files was measured
// with CLI 2.1.329.
func Claude() Kind {
	return Kind{
		Name:        "claude",
		Program:     "claude",
		Modes:       []string{"manual", "plan", "acceptEdits", "auto", "dontAsk", "bypassPermissions"},
		DefaultMode: "manual", // the CLI's own default is auto, which rarely asks
		Environment: []string{"ANTHROPIC_*", "CLAUDE_*", "DISABLE_*", "AWS_*", "GOOGLE_*", "CLOUD_ML_REGION", "VERTEX_*"},
		NotEnvironment: []string{
			"CLAUDE_PID", "CLAUDE_PROJECT_DIR", "CLAUDE_ENV_FILE",
			"CLAUDE_CODE_SESSION_ID", "CLAUDE_CODE_CHILD_SESSION", "CLAUDE_CODE_ENTRYPOINT",
		},
		// The CLI gives hooks 1.5 s to say that it ends: too little where many end at once, as in a restart. Who tells
		// it to end waits for 5 s before he kills it.
		Defaults: []string{"CLAUDE_CODE_SESSIONEND_HOOKS_TIMEOUT_MS=3000"},

		Args:     claudeArgs,
		Settings: claudeSettings,

		HeldHook: "PermissionRequest",
		ReadHook: readClaudeHook,
		ReadAsk:  readClaudeAsk,
		Reply:    claudeReply,

		FormResultHook: claudeFormResultHook,
		ShowsForm:      claudeShowsForm,
		CloseForm:      []byte{0x1b},
		ToolServer:     func(tool string) string { server, _ := claudeServerTool(tool); return server },

		JudgedHook:   "PreToolUse",
		ReadToolCall: readClaudeToolCall,
		Verdict:      claudeVerdict,

		ReadTranscript: readClaudeTranscript,
		SubagentDir:    claudeSubagentDir,
		SubagentFile:   claudeSubagentFile,
		ReadSubagent:   readClaudeSubagent,

		ReadStatus:     readClaudeStatus,
		StatusFile:     claudeStatusFile,
		Conversations:  claudeConversations,
		Writers:        claudeWriters,
		ReadScreen:     readClaudeScreen,
		ReadUnreported: readClaudeUnreported,
		ReadBox:        claudeBox,

		CleanMessage: cleanClaudeMessage,
		Changed:      changedClaudeMessage,
		SameMessage:  sameClaudeMessage,
		TypeMessage:  typeClaudeMessage,
		Submit:       []byte{0x18, '\r'}, // ctrl+x enter: queues while the agent works, and no dialog heeds it
		StashDraft:   []byte{0x13},       // ctrl+s: the draft comes back by itself after the next submit
		Interrupt:    []byte{0x1b},

		Proof: claudeProof,
	}
}

func claudeArgs(l Launch) []string {
	conversation := "--session-id"
	if l.Resume {
		conversation = "--resume"
	}
	args := []string{conversation, l.Session, "--permission-mode", l.Mode, "--settings", l.SettingsFile}
	if l.Name != "" {
		args = append(args, "--name", l.Name)
	}
	return args
}
