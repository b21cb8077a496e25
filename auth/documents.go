package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"switchboard/auth/outbound"
)

// documentTimeout is how long a document may take to come. Whoever waits for it has storeTimeout in all.
const documentTimeout = 3 * time.Second

// How often documents are fetched at most: for strangers to us, and in all. A person who connects an app needs one,
// and apps that are connected share what was fetched.
const (
	documentBurst    = 10 // for one network
	documentEvery    = 10 * time.Second
	allDocumentBurst = 100
	allDocumentEvery = time.Second
)

// Document is what is known of a client's metadata document beside the client itself.
type Document struct {
	URL        string
	CheckedAt  time.Time
	FreshUntil time.Time // not asked for again before
	ETag       string    // of the version that the client was made of
	Problem    string    // of the last attempt; empty if it went well
}

// errMeetLater says that a client is not known, and that nobody is here in whose name its document may be fetched.
var errMeetLater = errors.New("the client is not known yet")

// strangeApp says in a sentence for people why a client that is not known cannot be met. It matches ErrNotFound.
type strangeApp string

func (s strangeApp) Error() string        { return string(s) }
func (s strangeApp) Is(target error) bool { return target == ErrNotFound }

// keptDocument is what the store has of a document's client.
type keptDocument struct {
	Document
	client Client
	known  bool // there is a client
}

func (o *OAuth) keptDocument(ctx context.Context, id string) (keptDocument, error) {
	document, err := o.Store.Document(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return keptDocument{}, err
	}
	client, err := o.Store.Client(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return keptDocument{}, err
	}
	return keptDocument{document, client, err == nil}, nil
}

// fresh reports whether the document need not be fetched now. What is known of it can outlive a client that nobody used.
func (k keptDocument) fresh(now time.Time) bool {
	return now.Before(k.FreshUntil) && (k.known || k.Problem != "")
}

// answer is the client of a document that need not be fetched now, or why there is none.
func (k keptDocument) answer() (Client, error) {
	if k.known {
		return k.client, nil
	}
	return Client{}, strangeApp("The app's description at " + documentHost(k.URL) + " " + k.Problem + ". It is asked for again in a minute.")
}

// documentClient finds the client that the document at id describes, and asks for the document again when it may
// have changed. Nobody can make us fetch one that is not known but a person who is logged in (meets).
func (o *OAuth) documentClient(ctx context.Context, id, addr string, meets bool) (Client, error) {
	if problem := checkDocumentID(id); problem != "" {
		return Client{}, strangeApp("The app's client_id " + problem + ".")
	}
	kept, err := o.keptDocument(ctx, id)
	if err != nil {
		return Client{}, err
	}
	switch {
	case kept.known && o.bars(kept.client) != "":
		return kept.client, nil
	case !o.allowsDocumentsOf(id):
		return Client{}, strangeApp(notAdmitted(id))
	case kept.fresh(o.Now()):
		return kept.answer()
	case !kept.known && !meets:
		return Client{}, errMeetLater
	}
	// Everyone who waits for the same document gets it from one fetch, which outlives the request that began it.
	found, err, _ := o.documents.Do(id, func() (any, error) {
		return o.refreshDocument(context.WithoutCancel(ctx), id, addr)
	})
	if err != nil {
		return Client{}, err
	}
	return found.(keptDocument).answer()
}

// refreshDocument fetches a document unless that has just been done, and keeps what came of it.
func (o *OAuth) refreshDocument(ctx context.Context, id, addr string) (keptDocument, error) {
	reading, done := context.WithTimeout(ctx, storeTimeout)
	defer done()
	kept, err := o.keptDocument(reading, id)
	if err != nil || kept.fresh(o.Now()) {
		return kept, err
	}
	if o.tooManyDocuments(addr, kept.known) {
		if kept.known {
			return kept, nil
		}
		return keptDocument{}, &refusal{http.StatusTooManyRequests, "temporarily_unavailable", "Too many apps are being connected for the first time. Try again in a minute."}
	}
	next := o.fetchDocument(ctx, id, kept)
	writing, done := context.WithTimeout(ctx, storeTimeout)
	defer done()
	return next, o.keepDocument(writing, kept, next, addr)
}

// tooManyDocuments counts a fetch. One that only follows a known client counts for nobody's network.
func (o *OAuth) tooManyDocuments(addr string, known bool) bool {
	now := o.Now()
	each := Rate{PerSecond: 1 / documentEvery.Seconds(), Burst: documentBurst}
	all := Rate{PerSecond: 1 / allDocumentEvery.Seconds(), Burst: allDocumentBurst}
	return !known && o.fetches.Take(Network(addr), each, now) > 0 || o.fetches.Take("all", all, now) > 0
}

// fetchDocument asks for a document and says what is known afterwards. A client whose document is gone, or is no
// good any more, loses its redirect URIs: nobody vouches for them. One whose server is only away stays as it was.
func (o *OAuth) fetchDocument(ctx context.Context, id string, kept keptDocument) keptDocument {
	ctx, done := context.WithTimeout(ctx, documentTimeout)
	defer done()
	header := http.Header{"Accept": {"application/json"}}
	if kept.known && kept.ETag != "" {
		header.Set("If-None-Match", kept.ETag)
	}
	now := o.Now()
	next := kept
	next.Document = Document{URL: id, CheckedAt: now, FreshUntil: now.Add(documentRetry), ETag: kept.ETag}
	answer, err := o.Outbound.Get(ctx, id, header, maxDocument)
	switch {
	case err != nil:
		// Not the error itself, which would tell strangers about our network.
		o.Log.WarnContext(ctx, "client metadata document not fetched", "url", id, "err", err)
		next.Problem = fetchProblem(err)
		return next
	case answer.Status == http.StatusNotModified && header.Get("If-None-Match") != "":
		next.FreshUntil = now.Add(documentLife(answer, now))
		return next
	case isWithdrawn(answer.Status):
		return next.withdrawn("is not there any more")
	case answer.Status != http.StatusOK:
		next.Problem = fmt.Sprintf("could not be fetched: its server answered with status %d", answer.Status)
		return next
	case !isJSON(answer.Header):
		next.Problem = "is not served as application/json"
		return next
	}
	client, err := parseDocument(id, answer.Body, now)
	if err != nil {
		return next.withdrawn(err.Error())
	}
	return next.described(client, answer, now)
}

func fetchProblem(err error) string {
	if errors.Is(err, outbound.ErrTooLarge) {
		return fmt.Sprintf("is longer than %d kB", maxDocument>>10)
	}
	return "could not be fetched"
}

func (k keptDocument) withdrawn(problem string) keptDocument {
	k.Problem, k.ETag = problem, ""
	k.client.RedirectURIs = []string{}
	return k
}

// described is the client as its document now says. What does not come from the document stays.
func (k keptDocument) described(client Client, answer outbound.Response, now time.Time) keptDocument {
	if k.known {
		client.CreatedAt, client.DisabledAt = k.client.CreatedAt, k.client.DisabledAt
	}
	k.client, k.known = client, true
	k.FreshUntil = now.Add(documentLife(answer, now))
	k.ETag = answer.Header.Get("Etag")
	if len(k.ETag) > maxETag {
		k.ETag = ""
	}
	return k
}

const maxETag = 256 // bytes

// keepDocument keeps what a fetch found. A client that came or changed by it is in the audit log first.
func (o *OAuth) keepDocument(ctx context.Context, before, after keptDocument, addr string) error {
	if !after.known || before.known && before.client.describedLike(after.client) {
		return o.Store.SaveDocument(ctx, after.Document, nil)
	}
	change := "changed"
	switch {
	case !before.known:
		change = "new"
	case len(after.client.RedirectURIs) == 0:
		change = "withdrawn: " + after.Problem
	}
	who := Caller{ClientID: after.client.ID, Client: after.client.Name, Addr: addr}
	detail := map[string]string{"change": change, "redirects": fmt.Sprint(after.client.RedirectURIs)}
	if err := o.record(ctx, who, "oauth.document", after.client.ID, true, detail); err != nil {
		return err
	}
	return o.Store.SaveDocument(ctx, after.Document, &after.client)
}

// describedLike reports whether two versions of a client say the same.
func (c Client) describedLike(other Client) bool {
	one, _ := json.Marshal(c.Metadata) // strings always marshal
	two, _ := json.Marshal(other.Metadata)
	return c.Name == other.Name && slices.Equal(c.RedirectURIs, other.RedirectURIs) && bytes.Equal(one, two)
}
