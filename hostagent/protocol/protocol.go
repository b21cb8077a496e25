// Package protocol is the contract between the control plane and a host agent: who may be named, what may be
// asked, what is reported, and how an error crosses. Both programs import it and nothing else of each other.
//
// Commands go down and are answered at once: v1.host.<host>.command.<name>. Reports go up and are answered
// when they are committed in Postgres: v1.host.<host>.event.<name>. The receiver takes the host from the
// subject, never from the payload. A command that changes something carries a command id, and a host acts once
// on each id; an event carries its session and a gap-free seq, so that a repeat is recognised and a gap is
// asked for again.
//
// History:
//
//	1 (2026-11-21): first version.
//	2026-11-21, version 1 still: an EnrolRequest's token may be the access token that a person gave by the device
//	  grant; a control plane that does not know that grant does not advertise it, and login says so.
//	2026-11-21, version 1 still: an Entry may say that a rule on the host denied the call (denied_by).
//	2026-11-21, version 1 still: withdraw_command. A host that does not know it refuses it, and what became of a
//	  command whose answer was lost stays unknown until the host says something of it.
//	2026-11-21, version 1 still: read_recording and store_segment. A host that does not know the first says so; the
//	  second is sent only where the host's owner wants it, and tried again while no control plane takes it.
//	2026-11-29, version 1 still: withdraw_session. A host that does not know it refuses it, and a session of whose start
//	  nothing was heard is lost five minutes later, when the host says hello without it.
//	2026-11-29, version 1 still: a HelloReply tells the time (now), so that a host judges deadlines by the clock that they
//	  were made by. A host that was not told allows a minute for the difference.
//	2026-11-29, version 1 still: adopt_session; a Session may be adopted, or resumed by its host's policy. A control plane that does not know the
//	  report does not answer it: such a session is then known on its host only, and told when one does.
//	2026-11-29, version 1 still: a Session may say how far its state can be relied on (confidence). Prompts may be of the
//	  kinds elicitation and dialog, and questions optional and with a word on what is wanted. A control plane that does
//	  not know these shows such a prompt as any other, and takes no number for a question without options.
//	2026-11-29, version 1 still: a SendMessageReply says what the host changed in the text (changed). A host that does
//	  not say so changes the same.
//	2026-11-29, version 1 still: entries of subagents' own transcripts (subagent, subagent_id, subagent_call); what a
//	  reply took (an Entry's usage) and a session has taken (a Session's usage, and usage_changed for that alone). A
//	  control plane that does not know them keeps them.
//	2026-11-29, version 1 still: send_message_if_idle. A host that does not know it refuses it, and nothing is typed.
//	  A withdraw_command with an actor takes back a queued message too, which is withdrawn then. A host that does not
//	  know that leaves it queued, and says so; a control plane that does not know the status leaves what it knew.
package protocol

// Version is the contract's version. A control plane speaks with hosts one version older and one newer.
const Version = 1

// Compatible reports whether a peer that speaks version can be worked with. A peer that names none gives 0.
func Compatible(version int) bool {
	return version >= max(Version-1, 1) && version <= Version+1
}
