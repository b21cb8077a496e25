package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"
)

// injection is one way to hurt the system: do it, and what ends it.
type injection struct {
	what, target string
	weight       int
	do, undo     func(context.Context)
	least, most  time.Duration // between the two
}

func (w *world) injections() []injection {
	nothing := func(context.Context) {}
	var list []injection
	kill := func(p *part, weight int, most time.Duration) {
		list = append(list, injection{"kill -9", p.name, weight, func(context.Context) { p.kill() }, p.raise, 0, most})
	}
	freeze := func(p *part, weight int) {
		list = append(list, injection{"freeze", p.name, weight, func(context.Context) { p.freeze() },
			func(context.Context) { p.thaw() }, 200 * time.Millisecond, 6 * time.Second})
	}
	cut := func(name string, p *proxy, weight int) {
		list = append(list,
			injection{"cut", name, weight, func(context.Context) { p.cut() }, nothing, 0, 0},
			injection{"freeze", name, weight, func(context.Context) { p.freeze() },
				func(context.Context) { p.thaw() }, 200 * time.Millisecond, 6 * time.Second})
	}
	for _, h := range w.hosts {
		kill(h.part, 5, 3*time.Second)
		freeze(h.part, 2)
		cut("the network of "+h.part.name, h.network, 2)
	}
	for _, p := range w.planes {
		kill(p, 5, 3*time.Second)
		freeze(p, 2)
	}
	kill(w.bus, 5, 3*time.Second)
	freeze(w.bus, 2)
	cut("the clients' network", w.front, 2)
	cut("the network of NATS", w.busNetwork, 2)
	return append(list,
		injection{"kill -9", "postgres", 5, func(context.Context) { w.database.signal(syscall.SIGKILL) }, nothing, 0, 2 * time.Second},
		injection{"immediate stop", "postgres", 2, func(context.Context) { w.database.signal(syscall.SIGQUIT) }, nothing, 0, 2 * time.Second},
		injection{"freeze", "postgres", 1, func(context.Context) { w.database.signal(syscall.SIGSTOP) },
			func(context.Context) { w.database.signal(syscall.SIGCONT) }, 200 * time.Millisecond, 4 * time.Second},
	)
}

// hurt injects one fault after the other until ctx ends, now and then several at once, and leaves all parts up.
func (w *world) hurt(ctx context.Context, random *rand.Rand) {
	list := w.injections()
	total := 0
	for _, i := range list {
		total += i.weight
	}
	pick := func() injection {
		at := random.IntN(total)
		for _, i := range list {
			if at -= i.weight; at < 0 {
				return i
			}
		}
		return list[0]
	}
	for wait(ctx, between(random, 100*time.Millisecond, 3*time.Second)) {
		count := 1
		if random.IntN(3) == 0 {
			count = 2 + random.IntN(3)
		}
		struck := map[string]bool{}
		var group sync.WaitGroup
		for range count {
			i := pick()
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
