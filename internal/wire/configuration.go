package wire

import (
	"fmt"
	"slices"
	"strings"
)

// idPrefix begins the id of every entry, and of every permission, that this package adds. It is how they are known again.
const idPrefix = "s3wire-"

// kind is what S3 sends an entry's events to.
type kind string

const (
	function kind = "function"
	queue    kind = "queue"
	topic    kind = "topic"
)

// entry is one notification configuration of a bucket: these events, of keys that begin and end like this, go there.
type entry struct {
	id             string
	kind           kind
	arn            string
	events         []string // sorted
	prefix, suffix string   // as S3 keeps them: encoded like the keys of its events
}

func (e entry) ours() bool { return strings.HasPrefix(e.id, idPrefix) }

func (e entry) leadsTo(t Target) bool { return !t.eventBridge() && e.arn == t.arn.String() }

// sends reports whether two entries send the same events to the same place.
func (e entry) sends(o entry) bool {
	e.id, o.id = "", ""
	return e.canonical() == o.canonical()
}

// canonical is the same for two entries that say the same.
func (e entry) canonical() string {
	return fmt.Sprintf("%q %q", []string{e.id, string(e.kind), e.arn, e.prefix, e.suffix}, e.events)
}

// overlaps reports whether S3 would refuse the two in one configuration: there is an event that both would get.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
func (e entry) overlaps(o entry) bool {
	nested := func(a, b string, in func(s, part string) bool) bool { return in(a, b) || in(b, a) }
	return shareEvent(e.events, o.events) &&
		nested(decode(e.prefix), decode(o.prefix), strings.HasPrefix) &&
		nested(decode(e.suffix), decode(o.suffix), strings.HasSuffix)
}

func shareEvent(a, b []string) bool {
	covers := func(pattern, event string) bool {
		group, wild := strings.CutSuffix(pattern, "*")
		return pattern == event || wild && strings.HasPrefix(event, group)
	}
	for _, x := range a {
		if slices.ContainsFunc(b, func(y string) bool { return covers(x, y) || covers(y, x) }) {
			return true
		}
	}
	return false
}

func (e entry) String() string {
	line := fmt.Sprintf("%-8s %s  %s  %s", e.kind, e.arn, strings.Join(e.events, ","), e.keys())
	if e.id != "" {
		line += "  (" + e.id + ")"
	}
	return line
}

// keys is a pattern of the keys, such as holiday/*.jpg.
func (e entry) keys() string { return e.prefix + "*" + e.suffix }

// configuration is the whole notification configuration of a bucket.
type configuration struct {
	entries     []entry
	eventBridge bool // on for every event of the bucket, or off
}

// lines is the configuration for people, sorted.
func (c configuration) lines() []string {
	var lines []string
	for _, e := range c.entries {
		lines = append(lines, e.String())
	}
	slices.Sort(lines)
	if c.eventBridge {
		lines = append(lines, "EventBridge, every event")
	}
	return lines
}

// equal compares what the configurations say; S3 promises no order.
func (c configuration) equal(o configuration) bool {
	return c.eventBridge == o.eventBridge && slices.Equal(c.canonical(), o.canonical())
}

func (c configuration) canonical() []string {
	var all []string
	for _, e := range c.entries {
		all = append(all, e.canonical())
	}
	slices.Sort(all)
	return all
}

// with returns c with the wanted entries, each in the place of the one with its id, or says which entry is in the way.
func (c configuration) with(wanted []entry) (configuration, error) {
	result := configuration{slices.Clone(c.entries), c.eventBridge}
	for _, w := range wanted {
		if slices.ContainsFunc(result.entries, w.sends) {
			continue // be it ours or somebody else's
		}
		result.entries = slices.DeleteFunc(result.entries, func(e entry) bool { return e.id == w.id })
		for _, e := range result.entries {
			if w.overlaps(e) {
				return configuration{}, &ConflictError{wanted: w, inTheWay: e}
			}
		}
		result.entries = append(result.entries, w)
	}
	return result, nil
}

// without returns c without the entries that match.
func (c configuration) without(match func(entry) bool) configuration {
	return configuration{slices.DeleteFunc(slices.Clone(c.entries), match), c.eventBridge}
}

func (c configuration) leadsTo(t Target) bool {
	return slices.ContainsFunc(c.entries, func(e entry) bool { return e.leadsTo(t) })
}

// ConflictError is an entry that S3 would refuse because of one that is there.
type ConflictError struct{ wanted, inTheWay entry }

func (e *ConflictError) Error() string {
	whose, how := "somebody else's", ""
	if e.inTheWay.ours() {
		whose, how = "s3wire's own", " with s3wire remove"
	}
	return fmt.Sprintf("the entry %q, %s, is in the way: it sends %s of %s to the %s %s, and S3 takes no other for the same uploads (wanted: %s of %s to the %s %s). "+
		"Take it away%s; or narrow one of the two by a prefix or a suffix; or use --eventbridge, which goes with any entry",
		e.inTheWay.id, whose, strings.Join(e.inTheWay.events, ","), e.inTheWay.keys(), e.inTheWay.kind, e.inTheWay.arn,
		strings.Join(e.wanted.events, ","), e.wanted.keys(), e.wanted.kind, e.wanted.arn, how)
}

// diff is before → after, a line each: "  " for what stays, "- " for what goes, "+ " for what comes.
func diff(before, after []string) []string {
	var lines []string
	for _, line := range before {
		mark := "  "
		if !slices.Contains(after, line) {
			mark = "- "
		}
		lines = append(lines, mark+line)
	}
	for _, line := range after {
		if !slices.Contains(before, line) {
			lines = append(lines, "+ "+line)
		}
	}
	return lines
}
