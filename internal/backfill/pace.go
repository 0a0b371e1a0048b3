package backfill

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Pace bounds the requests to S3, of all processes together: the workers ask for theirs. When S3 asks for fewer, it
// halves what was sent lately, at most once a second, and then goes back up to the bound within recovery.
type Pace struct {
	most    float64 // requests a second
	limiter *rate.Limiter

	mu       sync.Mutex
	second   time.Time // the one that is being counted
	sent     float64   // in it
	lately   float64   // in the one before
	slowed   time.Time // when S3 asked for fewer the last time
	raised   time.Time
	throttle int
}

// recovery is how long it takes from no requests at all back to the bound.
const recovery = 30 * time.Second

// least is the part of the bound that it does not go below: so few are none too many for any S3, whatever it says.
const least = 100

// NewPace bounds requests to so many a second.
func NewPace(most int) *Pace {
	return &Pace{most: float64(most), limiter: rate.NewLimiter(rate.Limit(most), 1)}
}

// Wait returns when a request may be sent.
func (p *Pace) Wait(ctx context.Context) error {
	p.count(time.Now())
	return p.limiter.Wait(ctx)
}

func (p *Pace) count(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if since := now.Sub(p.second); since >= time.Second {
		p.lately = p.sent / since.Seconds()
		p.second, p.sent = now, 0
	}
	p.sent++
	if limit := float64(p.limiter.Limit()); limit < p.most && now.Sub(p.slowed) >= time.Second {
		limit += p.most * now.Sub(p.raised).Seconds() / recovery.Seconds()
		p.limiter.SetLimit(rate.Limit(min(limit, p.most)))
	}
	p.raised = now
}

// Throttled is called when S3 asks for fewer requests.
func (p *Pace) Throttled() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.throttle++
	if now := time.Now(); now.Sub(p.slowed) >= time.Second {
		p.slowed = now
		now := max(p.lately, p.sent) // the first second has none before it
		p.limiter.SetLimit(rate.Limit(max(1, p.most/least, min(float64(p.limiter.Limit()), now)/2)))
	}
}

// Slowed returns how many requests a second may be sent, and how often S3 has asked for fewer.
func (p *Pace) Slowed() (perSecond float64, times int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return float64(p.limiter.Limit()), p.throttle
}
