package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"switchboard/hostagent/holder"
)

// holderGrace is how long a holder that should run may fail to answer before it is taken for gone: it may just be
// starting.
const holderGrace = 3 * time.Second

// errRunOver ends what belongs to a run when its holder has gone.
var errRunOver = errors.New("the run is over")

// followAgain is how long after a failure to read the evidence it is tried again.
const followAgain = 5 * time.Second

// follow stays with a run until it is over or ctx ends. While the evidence cannot be read, the session's state is
// uncertain.
func (s *session) follow(ctx context.Context) {
	s.setRunning(true)
	defer s.setRunning(false)
	for {
		err := s.followRun(ctx)
		if err == nil {
			err = s.readOn(ctx)
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		s.logger.Error("session not followed", "err", err)
		s.doubt(err)
		if sleep(ctx, followAgain) != nil {
			return
		}
	}
}

// readOn reads what the agent had written when its run was over, as long as there is more: it may have been over for
// long before anybody looked. What could not be written to the event log, the run's end at least, is written now.
func (s *session) readOn(ctx context.Context) error {
	for (s.behind() || s.isStuck()) && ctx.Err() == nil {
		if err := s.look(nil); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *session) doubt(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fold.doubt(err.Error(), s.now().UTC().Truncate(time.Millisecond))
	if err := s.keep(); err != nil {
		s.logger.Error("event log not written", "err", err)
	}
}

// followRun returns nil when the run is over.
func (s *session) followRun(ctx context.Context) error {
	giveUp := s.now().Add(holderGrace)
	for !s.exited() {
		client, err := holder.Dial(ctx, s.dir)
		if errors.Is(err, holder.ErrGone) {
			if err := s.withoutHolder(ctx, giveUp); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("session %s: %w", s.id, err)
		}
		s.met()
		err = s.accompany(ctx, client)
		err = errors.Join(err, client.Close())
		if err != nil || ctx.Err() != nil {
			return err
		}
		giveUp = s.now().Add(holderGrace)
	}
	return nil
}

// met notes that the run's holder answers.
func (s *session) met() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found {
		s.found = false
		s.signal()
	}
}

func (s *session) setRunning(running bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = running
	s.signal()
}

// withoutHolder reads what a holder left behind, and decides that a run is over when none comes back.
func (s *session) withoutHolder(ctx context.Context, giveUp time.Time) error {
	var last uint64
	s.view(func(f *fold) { last = f.position.Journal })
	entries, err := holder.ReadJournal(s.dir, last)
	if err != nil {
		return fmt.Errorf("session %s: %w", s.id, err)
	}
	if err := s.look(entries); err != nil {
		return err
	}
	if s.exited() {
		return nil
	}
	if s.behind() {
		return nil // what the transcript says of the run comes before its end
	}
	if s.now().Before(giveUp) {
		return sleep(ctx, lookEvery)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().UTC().Truncate(time.Millisecond)
	s.fold.lost(now, s.found)
	s.fold.tick(now)
	return s.keep()
}

// accompany looks, types and frees hooks while the holder runs.
func (s *session) accompany(ctx context.Context, client *holder.Client) error {
	group, ctx := errgroup.WithContext(ctx)
	entries := make(chan holder.Entry, 256)
	group.Go(func() error { return s.receive(ctx, client, entries) })
	group.Go(func() error { return s.watch(ctx, entries) })
	group.Go(func() error { return s.freeHooks(ctx, client) })
	group.Go(func() error { return s.deliver(ctx, client) })
	group.Go(func() error { return s.watchDialogs(ctx, client) })
	err := group.Wait()
	if errors.Is(err, errRunOver) {
		return nil
	}
	return err
}

// receive passes the journal's entries on until the holder has gone.
func (s *session) receive(ctx context.Context, client *holder.Client, entries chan<- holder.Entry) error {
	defer close(entries)
	var last uint64
	s.view(func(f *fold) { last = f.position.Journal })
	for entry, err := range client.Follow(ctx, last) {
		if errors.Is(err, holder.ErrGone) || errors.Is(err, holder.ErrLost) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("following session %s: %w", s.id, err)
		}
		select {
		case entries <- entry:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// freeHooks lets go of hooks whose prompts were settled elsewhere: an answer at the terminal leaves them waiting. The
// hook of a form that a person closed is let go at once.
func (s *session) freeHooks(ctx context.Context, client *holder.Client) error {
	for {
		s.mu.Lock()
		changed := s.changed
		var settled []holder.HookID
		for id, p := range s.fold.prompts {
			hook, free := holder.HookID(id), p.held && p.settlement != nil
			if p.form.result != "" {
				hook, free = p.form.result, id != s.closing
			}
			if free && !s.freed[hook] {
				settled = append(settled, hook)
				s.freed[hook] = true
			}
		}
		s.mu.Unlock()
		for _, hook := range settled {
			s.letGo(ctx, client, hook)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// letGo releases a hook. One that could not be is tried again after the next change.
func (s *session) letGo(ctx context.Context, client *holder.Client, hook holder.HookID) {
	err := client.Answer(ctx, hook, nil)
	if err == nil || errors.Is(err, holder.ErrHookGone) {
		return
	}
	s.logger.Warn("hook not released", "hook", hook, "err", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.freed, hook)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
