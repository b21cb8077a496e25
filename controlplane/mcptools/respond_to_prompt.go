package mcptools

import (
	"context"

	"switchboard/auth"
)

type respondToPromptInput struct {
	PromptID  string `json:"prompt_id" max:"100" doc:"The prompt, from check_prompts. Give this or session_id."`
	SessionID string `json:"session_id" max:"100" doc:"A session with exactly one open prompt. Give this or prompt_id."`
	Response  string `json:"response" required:"true" max:"10240" lines:"true" doc:"The user's answer: an option's id, label or number, yes or no, or words where the prompt allows them. Several questions: one line for each, in their order."`
}

type respondToPromptOutput struct {
	Prompt promptView `json:"prompt"`
	Next   string     `json:"next,omitempty" doc:"what helps next"`
}

func respondToPrompt() Tool {
	return typed(Tool{
		Name:  "respond_to_prompt",
		Title: "Answer a prompt",
		Description: "Gives the user's answer to a question or permission request that an agent waits on. An allowed " +
			"command runs at once on the user's machine, so give only an answer that the user gave to this very prompt.",
		Scope: auth.ScopePromptsAnswer,
		Hints: Hints{Destructive: true, OpenWorld: true},
	}, func(ctx context.Context, c call, in respondToPromptInput) (respondToPromptOutput, error) {
		ref, err := in.ref()
		if err != nil {
			return respondToPromptOutput{}, err
		}
		prompt, err := c.fleet.AnswerPrompt(ctx, c.caller, ref, in.Response)
		return respondToPromptOutput{
			Prompt: viewPrompt(prompt),
			Next:   "The answer was handed to the agent. get_session_status or wait_for_session shows what it does with it.",
		}, err
	})
}

// ref is the one thing that is named. Two could contradict each other, and the wrong prompt would be answered.
func (in respondToPromptInput) ref() (string, error) {
	switch {
	case in.PromptID == "" && in.SessionID == "":
		return "", wrong("prompt_id", "is required, or session_id")
	case in.PromptID != "" && in.SessionID != "":
		return "", wrong("prompt_id", "give either prompt_id or session_id, not both")
	case in.PromptID != "":
		return in.PromptID, nil
	}
	return in.SessionID, nil
}
