package auth

// PasswordHashes counts the password hashes that have been computed, which is what takes the time of a login.
func (a *Accounts) PasswordHashes() int64 { return a.passwords.runs.Load() }
