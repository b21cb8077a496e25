package mcptools

// Tools are all tools, in the order in which they are listed.
func Tools() []Tool {
	return []Tool{
		listSessions(),
		createSession(),
		sendMessage(),
		getLogs(),
		getSessionStatus(),
		terminateSession(),
		checkPrompts(),
		respondToPrompt(),
		search(),
		fetch(),
		listHosts(),
		waitForSession(),
		interruptSession(),
		resumeSession(),
		getChanges(),
		listTemplates(),
		getProfile(),
	}
}
