// Package localguard keeps web pages away from what listens on a developer's machine.
//
// A browser lets any page talk to a loopback port. A page gives itself away by the Origin or the Sec-Fetch-Site that the
// browser sends with its requests, or, where its own domain was rebound to this machine's address, by the Host. Programs
// send none of the first two, and the name by which they reach us as the third. It is no protection from programs.
package localguard

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Guard says what is refused. The zero value knows this machine by its loopback names alone.
type Guard struct {
	// Hosts may stand in Host, without a port, beside the loopback names and the address that was dialled.
	Hosts []string
	// Pages lets in pages of this very origin, and what a page of any origin may do without asking: link to what is here
	// and show it. Without it, whatever a page asks for is refused.
	Pages bool
}

// Refuses returns why the request is not answered, in a sentence, or "".
func (g Guard) Refuses(r *http.Request) string {
	switch {
	case !g.knows(r):
		return "This endpoint answers to the address it listens on and to localhost, not to " + r.Host + "."
	case g.fromElsewhere(r):
		return "This endpoint answers no web page of another origin."
	}
	return ""
}

// knows reports whether the request names this endpoint. A page whose domain was rebound to 127.0.0.1 sends its own name.
func (g Guard) knows(r *http.Request) bool {
	host := strings.ToLower((&url.URL{Host: r.Host}).Hostname())
	switch host {
	case "":
		return false
	case "localhost", "127.0.0.1", "::1":
		return true
	}
	if slices.ContainsFunc(g.Hosts, func(known string) bool { return strings.EqualFold(known, host) }) {
		return true
	}
	// Listening on every address, it is known by the one that was dialled.
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	ip := net.ParseIP(host)
	return ok && ip != nil && ip.Equal(local.IP)
}

// fromElsewhere reports whether a page that this endpoint did not serve sent the request. SDKs send no Origin.
func (g Guard) fromElsewhere(r *http.Request) bool {
	for _, origin := range r.Header.Values("Origin") {
		from, err := url.Parse(origin)
		if err != nil || !g.Pages || !strings.EqualFold(from.Host, r.Host) {
			return true
		}
	}
	// A picture or a link has no Origin. "none" is the address bar.
	site := r.Header.Get("Sec-Fetch-Site")
	return !g.Pages && site != "" && site != "none"
}
