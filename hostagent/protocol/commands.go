package protocol

import "time"

// Command is one thing that a control plane can ask of a host. Both ends use the same value, so its name, its
// request and its reply cannot drift apart.
type Command[Request, Reply any] struct{ Name string }

// The commands. The host agent's main.go has one line for each.
var (
	CreateSession    = Command[CreateSessionRequest, SessionReply]{"create_session"}
	ResumeSession    = Command[ResumeSessionRequest, SessionReply]{"resume_session"}
	TerminateSession = Command[TerminateSessionRequest, SessionReply]{"terminate_session"}
	InterruptSession = Command[InterruptSessionRequest, SessionReply]{"interrupt_session"}
	SendMessage      = Command[SendMessageRequest, SendMessageReply]{"send_message"}
	// SendMessageIfIdle is a command by itself, so that a host which does not know it refuses it, and queues nothing.
	SendMessageIfIdle = Command[SendMessageRequest, SendMessageReply]{"send_message_if_idle"}
	AnswerPrompt      = Command[AnswerPromptRequest, AnswerPromptReply]{"answer_prompt"}
	WithdrawCommand   = Command[WithdrawCommandRequest, WithdrawCommandReply]{"withdraw_command"}
	WithdrawSession   = Command[WithdrawSessionRequest, WithdrawSessionReply]{"withdraw_session"}
	ReadScreen        = Command[ReadScreenRequest, ReadScreenReply]{"read_screen"}
	ReadTerminal      = Command[ReadTerminalRequest, ReadTerminalReply]{"read_terminal"}
	ReadChanges       = Command[ReadChangesRequest, ReadChangesReply]{"read_changes"}
	ReadRecording     = Command[ReadRecordingRequest, ReadRecordingReply]{"read_recording"}
)

// Act is carried by every command that changes something.
type Act struct {
	Command  CommandID `json:"command_id"`
	Actor    string    `json:"actor"`    // the person in whose name this is done, as shown to people
	Deadline time.Time `json:"deadline"` // not begun after this, by the sender's clock: HelloReply.Now tells it
}

// Overdue reports whether the deadline has passed by more than the grace.
func (a Act) Overdue(now time.Time, grace time.Duration) bool {
	return !a.Deadline.IsZero() && now.After(a.Deadline.Add(grace))
}

// CreateSessionRequest starts an agent in a terminal of its own.
type CreateSessionRequest struct {
	Act
	Session        SessionID `json:"session_id"`
	Name           string    `json:"name"`
	Agent          string    `json:"agent"`           // an agent kind; empty: the host's default
	WorkingDir     string    `json:"working_dir"`     // absolute, or ~/…; empty: the policy's first root
	PermissionMode string    `json:"permission_mode"` // empty: the kind's default, which asks
}

// ResumeSessionRequest starts an exited session's agent again, with its conversation and its flags.
type ResumeSessionRequest struct {
	Act
	Session SessionID `json:"session_id"`
}

// TerminateSessionRequest ends a session. Force does not wait for the agent to end by itself.
type TerminateSessionRequest struct {
	Act
	Session SessionID `json:"session_id"`
	Force   bool      `json:"force"`
}

// InterruptSessionRequest stops what the agent is doing, as Esc in its terminal does.
type InterruptSessionRequest struct {
	Act
	Session SessionID `json:"session_id"`
}

// SessionReply is the session after the command.
type SessionReply struct {
	Session Session `json:"session"`
}

// SendMessageRequest types a message into a session: at once, or when the agent listens. As SendMessageIfIdle it is
// typed at once into an idle session, or refused with CodeConflict, and the host keeps nothing of it.
type SendMessageRequest struct {
	Act
	Session SessionID `json:"session_id"`
	Message MessageID `json:"message_id"`
	Text    string    `json:"text"`
}

// SendMessageReply says what has become of the message so far; message_changed events tell the rest.
type SendMessageReply struct {
	Message MessageState `json:"message"`
	Changed []string     `json:"changed,omitempty"` // what the host changed in the text, as the agent itself would have
}

// AnswerPromptRequest answers exactly the prompt that was read: Digest must be that prompt's.
type AnswerPromptRequest struct {
	Act
	Session SessionID `json:"session_id"`
	Prompt  PromptID  `json:"prompt_id"`
	Digest  string    `json:"digest"`
	Answer  Answer    `json:"answer"`
}

// AnswerPromptReply says that the answer was handed to the agent. That is not yet proof that it took effect:
// a prompt_settled event follows when there is evidence.
type AnswerPromptReply struct {
	Status PromptStatus `json:"status"`
}

// WithdrawCommandRequest takes back a message or an answer of which the host has said nothing: if it has not acted on
// the command yet, it never will, however late the command reaches it. That is how its outcome becomes known.
type WithdrawCommandRequest struct {
	Session SessionID `json:"session_id"`
	Command CommandID `json:"command_id"` // the one that is taken back; a message's is its own id
	// Actor is the person who takes a message back, also if it is queued; as shown to people. Empty: nobody does.
	Actor string `json:"actor,omitempty"`
}

// WithdrawCommandReply says what came first, the command or its withdrawal.
type WithdrawCommandReply struct {
	Acted   bool          `json:"acted"`             // the command; events tell what becomes of it
	Message *MessageState `json:"message,omitempty"` // if that was a message
	Typing  bool          `json:"typing,omitempty"`  // of a queued message: its keys are being typed, and it is too late
}

// WithdrawSessionRequest takes back the start of a session of which the host has said nothing: if it has not begun yet,
// it never will.
type WithdrawSessionRequest struct {
	Session SessionID `json:"session_id"`
}

// WithdrawSessionReply says what came first, the start or its withdrawal.
type WithdrawSessionReply struct {
	Started bool `json:"started"` // events tell what becomes of it
}

// ReadScreenRequest asks for what the session's terminal shows now.
type ReadScreenRequest struct {
	Session SessionID `json:"session_id"`
}

// ReadScreenReply is the screen as lines of text without control characters or colours.
type ReadScreenReply struct {
	Lines  []string `json:"lines"`
	Cols   int      `json:"cols"`
	Rows   int      `json:"rows"`
	Cursor [2]int   `json:"cursor"` // column, row; from 0
	Title  string   `json:"title"`
}

// ReadTerminalRequest asks for the last lines that went over the terminal, from its recording.
type ReadTerminalRequest struct {
	Session SessionID `json:"session_id"`
	Lines   int       `json:"lines"`
}

// ReadTerminalReply is terminal output as plain text, oldest line first.
type ReadTerminalReply struct {
	Lines []string `json:"lines"`
}

// ReadChangesRequest asks what differs in the session's git work tree. Path narrows it.
type ReadChangesRequest struct {
	Session SessionID `json:"session_id"`
	Path    string    `json:"path"`
}

// ReadChangesReply is git's own account: `git status --porcelain` and `git diff HEAD`.
type ReadChangesReply struct {
	Repository bool   `json:"repository"` // false: the directory is in no git work tree, and the rest is empty
	Branch     string `json:"branch"`
	Status     string `json:"status"`
	Diff       string `json:"diff"`
	Truncated  bool   `json:"truncated"`
}
