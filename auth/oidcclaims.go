package auth

import (
	"encoding/json"
	"fmt"
	"time"
)

// claims is what a provider says of a person. Which of them are there is left to the provider.
type claims struct {
	subject       string
	email         string
	emailVerified bool
	hasVerified   bool // email_verified is there
	username      string
	name          string
	hostedDomain  string // Google: the organisation whose account it is
	groups        []string
	hasGroups     bool
	groupsAway    bool   // too many for the token; they could be asked for elsewhere (Entra)
	authTime      *int64 // when the provider asked him last, in seconds since 1970; nil: it does not say
}

// provedAt is when the person last proved who he is, as far as is known. A provider at which he is logged in sends him
// back without asking him, so that coming back proves nothing: whoever finds a browser open could do it. It was asked
// to ask him if he went there again to prove himself, and is believed unless it says that it did not.
func (c claims) provedAt(login ProviderLogin, now time.Time) time.Time {
	switch {
	case c.authTime != nil && time.Unix(*c.authTime, 0).Before(now):
		return time.Unix(*c.authTime, 0)
	case c.authTime != nil || login.Again:
		return now
	}
	return time.Unix(0, 0)
}

// parseClaims reads the payload of an ID token, whose signature has been checked, or of UserInfo. Names are matched
// exactly, which encoding/json does for maps only.
func parseClaims(payload []byte, groupsClaim string) (claims, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(payload, &all); err != nil {
		return claims{}, fmt.Errorf("claims: %w", err)
	}
	var c claims
	for name, to := range map[string]*string{
		"sub": &c.subject, "email": &c.email, "preferred_username": &c.username, "name": &c.name, "hd": &c.hostedDomain,
	} {
		if err := parseClaim(all, name, to); err != nil {
			return claims{}, err
		}
	}
	if parseClaim(all, "auth_time", &c.authTime) != nil {
		c.authTime = nil // AD FS writes a date there, not a number
	}
	var err error
	c.emailVerified, c.hasVerified, err = parseFlag(all["email_verified"])
	if err != nil {
		return claims{}, err
	}
	if groupsClaim == "" {
		return c, nil
	}
	c.groups, c.hasGroups, err = parseGroups(all[groupsClaim])
	if err != nil {
		return claims{}, fmt.Errorf("claim %s: %w", groupsClaim, err)
	}
	var elsewhere map[string]string
	if err := parseClaim(all, "_claim_names", &elsewhere); err != nil {
		return claims{}, err
	}
	_, c.groupsAway = elsewhere[groupsClaim]
	return c, nil
}

// parseClaim leaves a claim that is absent or null as it is.
func parseClaim(all map[string]json.RawMessage, name string, to any) error {
	value, ok := all[name]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(value, to); err != nil {
		return fmt.Errorf("claim %s: %w", name, err)
	}
	return nil
}

// parseFlag takes the word for the value: some providers write "true".
func parseFlag(value json.RawMessage) (flag, there bool, err error) {
	switch string(value) {
	case "", "null":
		return false, false, nil
	case "true", `"true"`:
		return true, true, nil
	case "false", `"false"`:
		return false, true, nil
	}
	return false, false, fmt.Errorf("claim email_verified is neither true nor false")
}

// parseGroups takes a list of names, or one name by itself.
func parseGroups(value json.RawMessage) (groups []string, there bool, err error) {
	if len(value) == 0 || string(value) == "null" {
		return nil, false, nil
	}
	var one string
	if json.Unmarshal(value, &one) == nil {
		return []string{one}, true, nil
	}
	if err := json.Unmarshal(value, &groups); err != nil {
		return nil, false, err
	}
	return groups, true, nil
}

// complete takes from UserInfo what the ID token does not say. An address and whether it is verified come from the
// same source: the one says nothing of the other's.
func (c claims) complete(info claims) claims {
	if c.email == "" || !c.hasVerified {
		c.email, c.emailVerified, c.hasVerified = info.email, info.emailVerified, info.hasVerified
	}
	if !c.hasGroups {
		c.groups, c.hasGroups = info.groups, info.hasGroups
	}
	if c.username == "" {
		c.username = info.username
	}
	if c.name == "" {
		c.name = info.name
	}
	if c.hostedDomain == "" {
		c.hostedDomain = info.hostedDomain
	}
	return c
}
