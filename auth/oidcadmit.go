package auth

import (
	"fmt"
	"slices"
	"strings"
)

// googleIssuer is Google's. Whoever makes himself an account there can do so with a company's address and keep it
// when he leaves; only hd tells that the account is the company's own.
const googleIssuer = "https://accounts.google.com"

func (p ProviderConfig) wantsGroups() bool { return p.AdminGroup != "" || len(p.MemberGroups) > 0 }

// admit decides whether somebody is let in, and as what. With ok false his role is given here, not by the provider.
func (p ProviderConfig) admit(c claims) (role Role, ok bool, err error) {
	if err := p.checkDomain(c); err != nil {
		return "", false, err
	}
	if !p.wantsGroups() {
		return RoleMember, false, nil
	}
	if !c.hasGroups && c.groupsAway {
		return "", false, &NotAdmittedError{Unknown: true,
			Words: p.Name + " did not say which groups you are in, since there are too many of them. An administrator can let it send fewer."}
	}
	admin := p.AdminGroup != "" && slices.Contains(c.groups, p.AdminGroup)
	member := admin || len(p.MemberGroups) == 0 || slices.ContainsFunc(p.MemberGroups, func(group string) bool {
		return slices.Contains(c.groups, group)
	})
	switch {
	case !member:
		return "", false, &NotAdmittedError{Words: "Your account at " + p.Name + " is in no group that may log in here."}
	case admin:
		return RoleAdmin, true, nil
	}
	return RoleMember, p.AdminGroup != "", nil
}

func (p ProviderConfig) checkDomain(c claims) error {
	if len(p.AllowedDomains) == 0 {
		return nil
	}
	at := strings.LastIndexByte(c.email, '@')
	switch {
	case at < 0:
		return &NotAdmittedError{Unknown: true,
			Words: p.Name + " gave no e-mail address for you, and only some addresses may log in here."}
	case !slices.Contains(p.AllowedDomains, strings.ToLower(c.email[at+1:])):
		return &NotAdmittedError{Words: fmt.Sprintf("Addresses at %s may not log in here.", printable(c.email[at+1:]))}
	case !c.emailVerified:
		return &NotAdmittedError{Unknown: !c.hasVerified, Words: p.Name + " has not verified your e-mail address."}
	case p.Issuer == googleIssuer && !slices.Contains(p.AllowedDomains, strings.ToLower(c.hostedDomain)):
		return &NotAdmittedError{Words: "This is a private Google account, not one of your company's."}
	}
	return nil
}

// printable is a provider's word as it may be shown and recorded.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if !plainText(string(r), 1) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if runes := []rune(s); len(runes) > maxDisplayName {
		s = string(runes[:maxDisplayName])
	}
	return strings.TrimSpace(s)
}
