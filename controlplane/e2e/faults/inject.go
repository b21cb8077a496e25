package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"switchboard/controlplane/dispatch"
	"switchboard/controlplane/e2e/harness"
)

// injection is one way to hurt the system: do it, and what ends it.
type injection struct {
	what, target string
	weight       int
	do, undo     func(context.Context)
	least, most  time.Duration // between the two
}

func nothing(context.Context) {}

const clientsNetwork = "the clients' network"

func networkOf(h *host) string { return "the network of " + h.Name }

func (w *world) injections() []injection {
	var list []injection
	for _, p := range append([]*part{w.bus}, w.planes...) {
		list = append(list, killing(p), freezing(p))
	}
	for _, h := range w.hosts {
		list = append(list, killing(h.part), freezing(h.part))
		list = append(list, w.hostInjections(h)...)
		list = append(list, cutting(networkOf(h), h.network)...)
	}
	list = append(list, cutting(clientsNetwork, w.front)...)
	for i, p := range w.planes {
		list = append(list, cutting("the way of "+p.name+" to NATS", w.busNetworks[i])...)
		list = append(list, lateCommands(p.name, w.busNetworks[i]))
	}
	list = append(list, w.databaseInjections()...)
	return append(list, injection{"kill -9", "both replicas", 2, func(context.Context) {
		for _, p := range w.planes {
			p.kill()
		}
	}, func(ctx context.Context) {
		for _, p := range w.planes {
			p.raise(ctx)
		}
	}, 0, 2 * time.Second})
}

func killing(p *part) injection {
	return injection{"kill -9", p.name, 5, func(context.Context) { p.kill() }, p.raise, 0, 3 * time.Second}
}

func freezing(p *part) injection {
	return injection{"freeze", p.name, 2, func(context.Context) { p.freeze() },
		func(context.Context) { p.thaw() }, 200 * time.Millisecond, longest}
}

// cutting are a network's faults: connections that break, and bytes that nobody hears of, both ways or one way.
func cutting(name string, p *harness.Proxy) []injection {
	thaw := func(context.Context) { p.Thaw() }
	const least, most = 200 * time.Millisecond, longest
	return []injection{
		{"cut", name, 2, func(context.Context) { p.Cut() }, nothing, 0, 0},
		{"freeze", name, 2, func(context.Context) { p.Freeze(harness.There, harness.Back) }, thaw, least, most},
		{"freeze there", name, 1, func(context.Context) { p.Freeze(harness.There) }, thaw, least, most},
		{"freeze back", name, 1, func(context.Context) { p.Freeze(harness.Back) }, thaw, least, most},
	}
}

// lateCommands hold up what a replica tells hosts until the other one has taken it back, but not until it is too late.
func lateCommands(name string, p *harness.Proxy) injection {
	return injection{"freeze there long", "the way of " + name + " to NATS", 6, func(context.Context) { p.Freeze(harness.There) },
		func(context.Context) { p.Thaw() }, 2*dispatch.CallTimeout + time.Second, 3*dispatch.CallTimeout - time.Second}
}

func (w *world) databaseInjections() []injection {
	const name = "postgres"
	return []injection{
		{"kill -9", name, 5, func(context.Context) { w.database.signal(syscall.SIGKILL) }, nothing, 0, 2 * time.Second},
		{"immediate stop", name, 2, func(context.Context) { w.database.signal(syscall.SIGQUIT) }, nothing, 0, 2 * time.Second},
		{"freeze", name, 1, func(context.Context) { w.database.signal(syscall.SIGSTOP) },
			func(context.Context) { w.database.signal(syscall.SIGCONT) }, 200 * time.Millisecond, 4 * time.Second},
	}
}

// hurt injects one fault after the other until ctx ends, now and then several at once, and leaves all parts up.
func (w *world) hurt(ctx context.Context, random *rand.Rand) {
	short, _ := w.byLength()
	for wait(ctx, between(random, 100*time.Millisecond, 3*time.Second)) {
		count := 1
		if random.IntN(3) == 0 {
			count = 2 + random.IntN(3)
		}
		struck := map[string]bool{}
		var group sync.WaitGroup
		for range count {
			i := pick(short, random)
			if struck[i.target] {
				continue
			}
			struck[i.target] = true
			after, lasts := between(random, 0, 500*time.Millisecond), between(random, i.least, i.most)
			group.Go(func() { w.strike(ctx, i, after, lasts) })
		}
		group.Wait()
	}
}

// hurtLong injects those faults, one after the other, that last so long that hurt would do little else.
func (w *world) hurtLong(ctx context.Context, random *rand.Rand) {
	_, long := w.byLength()
	for wait(ctx, between(random, 0, 5*time.Second)) {
		i := pick(long, random)
		w.strike(ctx, i, 0, between(random, i.least, i.most))
	}
}

// longest is how long a fault lasts at most after which the next may wait.
const longest = 6 * time.Second

func (w *world) byLength() (short, long []injection) {
	for _, i := range w.injections() {
		if i.most > longest {
			long = append(long, i)
		} else {
			short = append(short, i)
		}
	}
	return short, long
}

func pick(from []injection, random *rand.Rand) injection {
	total := 0
	for _, i := range from {
		total += i.weight
	}
	at := random.IntN(total)
	for _, i := range from {
		if at -= i.weight; at < 0 {
			return i
		}
	}
	return from[0]
}

// strike injects one fault. What was begun is undone.
func (w *world) strike(ctx context.Context, i injection, after, lasts time.Duration) {
	if !wait(ctx, after) {
		return
	}
	lasting := context.WithoutCancel(ctx)
	began := time.Now()
	i.do(lasting)
	wait(ctx, lasts)
	i.undo(lasting)
	w.history.addFault(fault{i.what, i.target, began, time.Now()})
}

func between(random *rand.Rand, least, most time.Duration) time.Duration {
	if most <= least {
		return least
	}
	return least + time.Duration(random.Int64N(int64(most-least)))
}

func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
