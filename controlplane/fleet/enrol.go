package fleet

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"switchboard/auth"
	"switchboard/auth/audit"
	"switchboard/hostagent/protocol"
)

// JoinToken lets one machine become a host. Token is only known when it is made; its hash is kept.
type JoinToken struct {
	Token     string
	HostName  string
	Owner     auth.UserID
	ExpiresAt time.Time
	Used      bool // it has made a host
}

// Enrolment is what a machine says of itself to become a host.
type Enrolment struct {
	Token string // the join token, or a host agent's access token that AdmitHost has seen
	NKey  string // the public half of the key that it made
	// Admitted: AdmitHost has just seen the access token. Without that, one can only find the host that it has made.
	Admitted bool
}

// EnrolStore keeps join tokens, and trades them for hosts.
type EnrolStore interface {
	// InsertJoinToken keeps a token's hash, unless it has it. Without an owner it is the first administrator's, if there
	// is one.
	InsertJoinToken(ctx context.Context, hash []byte, token JoinToken) error
	// JoinToken finds what a token is for. ErrNotFound: unknown, expired at the given time, or used by another key.
	JoinToken(ctx context.Context, hash []byte, nkey string, at time.Time) (JoinToken, error)
	// Enrol spends a token and inserts the host, both or neither. A repeat with the same key returns the host that
	// it made. ErrNotFound: the token is no longer good; ErrNameTaken, ErrKeyKnown.
	Enrol(ctx context.Context, hash []byte, host Host) (Host, error)
	// HostNameTaken reports whether a host that is not removed has this name, in any case of letters.
	HostNameTaken(ctx context.Context, name string) (bool, error)
}

// Why a machine cannot become a host.
var (
	ErrNameTaken = errors.New("host name is taken")
	ErrKeyKnown  = errors.New("key is known") // a host has it, or a removed one had
)

// joinTokenLife is long enough to walk over to another machine.
const joinTokenLife = 30 * time.Minute

// joinTokenPrefix makes a leaked token recognisable.
const joinTokenPrefix = "swj_"

// CreateJoinToken makes a token with which one machine becomes the caller's host.
func (f *Fleet) CreateJoinToken(ctx context.Context, c auth.Caller, hostName string) (JoinToken, error) {
	err := f.anywhere(ctx, c, deed{action: "host.invite", scope: auth.ScopeManage, target: limit(hostName)})
	if err != nil {
		return JoinToken{}, err
	}
	hostName, err = f.newHostName(ctx, hostName)
	if err != nil {
		return JoinToken{}, err
	}
	return f.newJoinToken(ctx, c.User, hostName)
}

// newHostName checks a name that a person wants to give to a machine.
func (f *Fleet) newHostName(ctx context.Context, name string) (string, error) {
	name = strings.TrimSpace(name)
	if err := checkHostName(name); err != nil {
		return "", err
	}
	taken, err := f.Store.HostNameTaken(ctx, name)
	if err != nil {
		return "", err
	}
	if taken {
		return "", f.nameTaken(name)
	}
	return name, nil
}

// NewHostName checks a name that the caller wants to give to a machine that asks to become his host.
func (f *Fleet) NewHostName(ctx context.Context, c auth.Caller, name string) (string, error) {
	if !c.Scopes.Has(auth.ScopeManage) {
		return "", &auth.ScopeError{Needed: auth.ScopeManage}
	}
	return f.newHostName(ctx, name)
}

// AdmitHost makes the token with which a machine's host agent acts for the caller a join token too, so that the rest
// is one way: it is good for one key, and a repeat with that finds the host that it made.
func (f *Fleet) AdmitHost(ctx context.Context, c auth.Caller, token, hostName string) error {
	err := f.anywhere(ctx, c, deed{action: "host.invite", scope: auth.ScopeHostsEnroll, target: limit(hostName)})
	if err != nil {
		return err
	}
	if err := checkHostName(hostName); err != nil {
		return err
	}
	return f.Store.InsertJoinToken(ctx, hashToken(token), JoinToken{
		HostName: hostName, Owner: c.User, ExpiresAt: f.Now().Add(joinTokenLife),
	})
}

func (f *Fleet) nameTaken(name string) error {
	return refuse(ErrConflict, "there is a host named %s already; choose another name, or remove that host on %s/hosts first", name, f.PublicURL)
}

// NewLocalJoinToken makes one for the machine that the control plane itself runs on, for its operator, who needs
// no account yet. The host becomes the first administrator's, now or later. If the name is taken, as by this very
// machine before its own directory was thrown away, it gets a number.
func (f *Fleet) NewLocalJoinToken(ctx context.Context, hostName string) (JoinToken, error) {
	name, err := f.freeHostName(ctx, strings.TrimSpace(hostName))
	if err != nil {
		return JoinToken{}, err
	}
	return f.newJoinToken(ctx, "", name)
}

// maxNumbered is how many hosts of one name are numbered.
const maxNumbered = 99

// freeHostName is the name, or the first of name-2, name-3, … that no host has.
func (f *Fleet) freeHostName(ctx context.Context, name string) (string, error) {
	if err := checkHostName(name); err != nil {
		return "", err
	}
	free := name
	for n := 2; n <= maxNumbered; n++ {
		taken, err := f.Store.HostNameTaken(ctx, free)
		if err != nil || !taken {
			return free, err
		}
		number := fmt.Sprintf("-%d", n)
		free = name[:min(len(name), maxHostName-len(number))] + number
	}
	return "", f.nameTaken(name)
}

func (f *Fleet) newJoinToken(ctx context.Context, owner auth.UserID, name string) (JoinToken, error) {
	token := JoinToken{
		Token: joinTokenPrefix + protocol.NewID(), HostName: name, Owner: owner, ExpiresAt: f.Now().Add(joinTokenLife),
	}
	if err := f.Store.InsertJoinToken(ctx, hashToken(token.Token), token); err != nil {
		return JoinToken{}, err
	}
	return token, nil
}

// hashToken is what is kept of a join token. It has 130 random bits, so it needs no salt and no slow hash.
func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// userKey is the public half of a user's nkey: U, and base32.
var userKey = regexp.MustCompile(`^U[A-Z2-7]{55}$`)

// Enrol makes a machine a host. The join token is the right; each is good for one key.
func (f *Fleet) Enrol(ctx context.Context, e Enrolment, addr string) (Host, error) {
	if !userKey.MatchString(e.NKey) {
		return Host{}, refuse(ErrInvalid, "nkey %.60q: want a user's public key", e.NKey)
	}
	hash := hashToken(e.Token)
	token, err := f.Store.JoinToken(ctx, hash, e.NKey, f.Now())
	if errors.Is(err, auth.ErrNotFound) || err == nil && !token.Used && !e.admitted() {
		f.Log.WarnContext(ctx, "host enrolment refused", "addr", addr)
		return Host{}, refuse(auth.ErrForbidden, "this join token is not good: unknown, used or expired; make a new one on %s/hosts", f.PublicURL)
	}
	if err != nil {
		return Host{}, err
	}
	host := Host{ID: newHostID(token.HostName), Name: token.HostName, Owner: token.Owner, NKey: e.NKey, CreatedAt: f.Now()}
	err = f.record(ctx, auth.Caller{User: token.Owner, Addr: addr}, audit.Event{
		Action: "host.enrol", Host: string(host.ID), Detail: map[string]string{"host_name": host.Name, "nkey": e.NKey},
	}, nil)
	if err != nil {
		return Host{}, err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	enrolled, err := f.Store.Enrol(ctx, hash, host)
	switch {
	case errors.Is(err, ErrNameTaken):
		return Host{}, f.nameTaken(host.Name)
	case errors.Is(err, ErrKeyKnown):
		return Host{}, refuse(ErrConflict, "this machine's key belongs to a host already, or to one that was removed; enrol with a new key")
	case errors.Is(err, auth.ErrNotFound):
		return Host{}, refuse(auth.ErrForbidden, "this join token was used by another machine just now")
	}
	return enrolled, err
}

// admitted reports whether the token is a right by itself, as join tokens are, or its right was asked for just now. An
// access token that AdmitHost has seen before may have been revoked since.
func (e Enrolment) admitted() bool { return e.Admitted || strings.HasPrefix(e.Token, joinTokenPrefix) }

// newHostID is a name that a log's reader recognises, with enough chance behind it to be new.
func newHostID(name string) protocol.HostID {
	slug := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, strings.ToLower(name))
	return protocol.HostID(strings.Trim(slug[:min(len(slug), 24)], "-") + "-" + protocol.NewID()[:10])
}

// HostByKey finds the host that a connection's key belongs to; a removed host's belongs to none.
func (f *Fleet) HostByKey(ctx context.Context, nkey string) (Host, error) {
	unseen := refuse(auth.ErrNotFound, "no host has the key %.60q", nkey)
	if !userKey.MatchString(nkey) {
		return Host{}, unseen
	}
	host, err := f.Store.HostByKey(ctx, nkey)
	if err != nil {
		return Host{}, unlessFound(err, unseen)
	}
	return host, nil
}

// AdoptHosts gives the hosts that were enrolled before there was anybody to the first administrator. Who starts a
// control plane need not name him, and may ask though there is none.
func (f *Fleet) AdoptHosts(ctx context.Context, first auth.UserID) error {
	return f.Store.AdoptHosts(ctx, first)
}
