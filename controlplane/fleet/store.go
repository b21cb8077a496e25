package fleet

// Store keeps the nouns. Each method is one question or one change, committed when it returns. What cannot be
// found gives auth.ErrNotFound, a database that cannot be reached ErrUnavailable; other errors are named at the
// method.
type Store interface {
	HostStore
	EnrolStore
	SessionStore
	EventStore
	MessageStore
	PromptStore
	UnheardStore
	TemplateStore
	SearchStore
	AnswerStore
	AuditStore
	SubscriptionStore
	NoticeStore
	RecordingStore
}
