package wiretest

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
)

// Configuration is a bucket's notification configuration, as S3's API has it.
type Configuration struct {
	XMLName     xml.Name  `xml:"NotificationConfiguration"`
	Topics      []Entry   `xml:"TopicConfiguration"`
	Queues      []Entry   `xml:"QueueConfiguration"`
	Functions   []Entry   `xml:"CloudFunctionConfiguration"`
	EventBridge *struct{} `xml:"EventBridgeConfiguration"`
	// Future is XML of elements from after this time.
	Future string `xml:",innerxml"`
}

// Entry is one configuration in it.
type Entry struct {
	ID       string   `xml:"Id,omitempty"`
	Topic    string   `xml:"Topic,omitempty"`
	Queue    string   `xml:"Queue,omitempty"`
	Function string   `xml:"CloudFunction,omitempty"`
	Events   []string `xml:"Event"`
	Rules    []Rule   `xml:"Filter>S3Key>FilterRule"`
}

// Rule is a filter on keys: prefix or suffix.
type Rule struct{ Name, Value string }

// bucket is what S3 keeps, and what it still shows.
type bucket struct {
	now, shown Configuration
	stale      int // reads from now that show the old one
	ids        int
	owner      string // another account than Account, or ""
}

// Notifications is what a bucket's configuration says, sorted, for comparison: neither order nor an empty filter counts.
func (a *AWS) Notifications(name string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var lines []string
	for _, e := range a.buckets[name].now.all() {
		prefix, suffix := e.filter()
		slices.Sort(e.Events)
		lines = append(lines, fmt.Sprintf("%s %s%s%s %v %q %q", e.ID, e.Topic, e.Queue, e.Function, e.Events, prefix, suffix))
	}
	slices.Sort(lines)
	if a.buckets[name].now.EventBridge != nil {
		lines = append(lines, "EventBridge")
	}
	return lines
}

// Edit changes a bucket's configuration as somebody else would, who needs no leave of anybody.
func (a *AWS) Edit(name string, change func(*Configuration)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.buckets[name]
	next := b.now.clone()
	change(&next)
	b.number(&next)
	b.now, b.stale = next, 0
}

// Take makes a bucket another account's, as when it is deleted and somebody else registers its name, and lets the world in.
func (a *AWS) Take(name, account string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.buckets[name].owner = account
}

func (c Configuration) clone() Configuration {
	c.Topics, c.Queues, c.Functions = slices.Clone(c.Topics), slices.Clone(c.Queues), slices.Clone(c.Functions)
	return c
}

func (c Configuration) all() []Entry { return slices.Concat(c.Topics, c.Queues, c.Functions) }

func (e Entry) target() string { return e.Topic + e.Queue + e.Function }

func (e Entry) filter() (prefix, suffix string) {
	for _, rule := range e.Rules {
		if strings.EqualFold(rule.Name, "prefix") {
			prefix = rule.Value
		} else {
			suffix = rule.Value
		}
	}
	return prefix, suffix
}

// matches reports whether an event of a key is for the entry.
func (e Entry) matches(event, key string) bool {
	prefix, suffix := e.filter()
	prefix, _ = url.QueryUnescape(prefix)
	suffix, _ = url.QueryUnescape(suffix)
	return strings.HasPrefix(key, prefix) && strings.HasSuffix(key, suffix) &&
		slices.ContainsFunc(e.Events, func(asked string) bool {
			return asked == event || strings.HasSuffix(asked, "*") && strings.HasPrefix(event, strings.TrimSuffix(asked, "*"))
		})
}

// number gives an id to every entry that has none, as S3 does.
func (b *bucket) number(c *Configuration) {
	for _, entries := range [][]Entry{c.Topics, c.Queues, c.Functions} {
		for i := range entries {
			if entries[i].ID == "" {
				b.ids++
				entries[i].ID = fmt.Sprintf("MGQ0%08x", b.ids)
			}
		}
	}
}

func (a *AWS) notifications(w http.ResponseWriter, q request) {
	name := strings.Trim(q.http.URL.Path, "/")
	head := httptest.NewRecorder()
	asking := httptest.NewRequest(http.MethodHead, "http://localhost/"+name, nil)
	asking.Header["X-Amz-Expected-Bucket-Owner"] = q.http.Header["X-Amz-Expected-Bucket-Owner"]
	a.objects.ServeHTTP(head, asking)
	switch {
	case head.Code == http.StatusNotFound:
		refuse(w, q, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		return
	case head.Code != http.StatusOK, a.buckets[name].owner != "" && len(asking.Header["X-Amz-Expected-Bucket-Owner"]) > 0: // another owner
		refuse(w, q, http.StatusForbidden, "AccessDenied", "Access Denied")
		return
	case q.region != Region:
		w.Header().Set("X-Amz-Bucket-Region", Region)
		refuse(w, q, http.StatusMovedPermanently, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.")
		return
	}
	b := a.buckets[name]
	if q.http.Method == http.MethodGet {
		b.show(w)
		return
	}

	body, err := io.ReadAll(q.http.Body)
	var next Configuration
	if err == nil {
		err = xml.Unmarshal(body, &next)
	}
	next.Future = "" // where the decoder leaves the whole
	if err != nil {
		refuse(w, q, http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
		return
	}
	validate := q.http.Header.Get("X-Amz-Skip-Destination-Validation") != "true"
	if refusal := a.refusal(name, next, validate); refusal != "" {
		answerXML(w, http.StatusBadRequest, "<Error><Code>InvalidArgument</Code>"+refusal+"<RequestId>1</RequestId></Error>")
		return
	}
	b.number(&next)
	b.now, b.shown, b.stale = next, b.now, a.staleness
	w.WriteHeader(http.StatusOK)
}

func (b *bucket) show(w http.ResponseWriter) {
	c := b.now.clone()
	if b.stale > 0 {
		b.stale--
		c = b.shown.clone()
	}
	future := c.Future
	c.Future = ""
	for _, entries := range [][]Entry{c.Topics, c.Queues, c.Functions} {
		for i := range entries {
			entries[i].Rules = slices.Clone(entries[i].Rules)
			for j, rule := range entries[i].Rules { // S3 answers with a capital letter
				entries[i].Rules[j].Name = strings.ToUpper(rule.Name[:1]) + rule.Name[1:]
			}
		}
	}
	raw, err := xml.Marshal(c)
	if err != nil {
		panic(err)
	}
	answerXML(w, http.StatusOK, strings.Replace(string(raw), "</NotificationConfiguration>", future+"</NotificationConfiguration>", 1))
}

// refusal is what S3 says to a configuration that it does not take, or "".
func (a *AWS) refusal(name string, c Configuration, validate bool) string {
	entries := c.all()
	for i, e := range entries {
		var names []string
		for _, rule := range e.Rules {
			names = append(names, strings.ToLower(rule.Name))
		}
		if len(e.Events) == 0 || !strings.Contains(e.target(), ":"+Region+":") || len(names) > 2 || len(names) == 2 && names[0] == names[1] {
			return "<Message>The entry is not valid</Message><ArgumentName>" + e.ID + "</ArgumentName>"
		}
		for _, o := range entries[:i] {
			if message := overlap(e, o); message != "" {
				return "<Message>" + message + "</Message>"
			}
		}
	}
	if !validate {
		return ""
	}
	refused, n := "", 0
	for _, e := range entries {
		if reason := a.unreachable(name, e); reason != "" {
			n++
			refused += fmt.Sprintf("<ArgumentName%[1]d>%[2]s, null</ArgumentName%[1]d><ArgumentValue%[1]d>%[3]s</ArgumentValue%[1]d>", n, e.target(), reason)
		}
	}
	for _, all := range []map[string]*resource{a.functions, a.queues} {
		for _, r := range all {
			r.after = max(0, r.after-1)
			if r.after == 0 {
				r.seen = r.policy
			}
		}
	}
	if refused == "" {
		return ""
	}
	return "<Message>Unable to validate the following destination configurations</Message>" + refused
}

// overlap is what S3 says if there is an event that both entries would get. What could be one: an object whose key
// begins with either prefix and ends with either suffix.
func overlap(a, b Entry) string {
	for _, events := range [][]string{a.Events, b.Events} {
		for _, event := range events {
			for _, from := range []Entry{a, b} {
				for _, to := range []Entry{a, b} {
					prefix, _ := from.filter()
					_, suffix := to.filter()
					prefix, _ = url.QueryUnescape(prefix)
					suffix, _ = url.QueryUnescape(suffix)
					event := strings.Replace(event, "*", "Anything", 1)
					if key := prefix + "/" + suffix; a.matches(event, key) && b.matches(event, key) {
						if len(a.Rules) == 0 && len(b.Rules) == 0 {
							return "Configurations overlap. Configurations on the same bucket cannot share a common event type."
						}
						return "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type."
					}
				}
			}
		}
	}
	return ""
}

// unreachable is why S3 can't send there, or "".
func (a *AWS) unreachable(bucket string, e Entry) string {
	switch target := e.target(); {
	case e.Function != "" && a.mayCall(bucket, e), e.Queue != "" && a.mayCall(bucket, e), a.topics[e.Topic]:
		return ""
	case e.Function != "":
		return "Not authorized to invoke function [" + target + "]"
	case e.Queue != "" && a.queues[target] == nil:
		return "The destination queue does not exist"
	case e.Queue != "":
		return "Permissions on the destination queue do not allow S3 to publish notifications from this bucket"
	default:
		return "The destination topic does not exist"
	}
}
