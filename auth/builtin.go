package auth

// The clients that are part of Switchboard. The migrations made their rows; nobody registers as them.
const (
	personalClient  = "personal-token" // whose grants are personal tokens; it can ask for nothing
	hostAgentClient = "hostagent"
)
