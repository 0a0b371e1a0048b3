package devserver

import (
	"encoding/xml"
	"net"
	"net/http"
	"strings"

	"s3resizer/internal/localguard"
)

// guard refuses what must not reach a store that anything on this machine can
// talk to: other origins' web pages, and requests meant for another account's
// bucket.
type guard struct {
	pages    localguard.Guard
	owner    string
	verifies bool // signatures
}

func newGuard(o Options) guard {
	host, _, _ := net.SplitHostPort(o.Addr) // checked with the options
	return guard{localguard.Guard{Hosts: []string{host}, Pages: true}, o.Owner, o.AccessKey != ""}
}

func (g guard) check(r *http.Request) *refusal {
	if why := g.pages.Refuses(r); why != "" {
		return &refusal{http.StatusForbidden, Refusal{"AccessDenied", why}}
	}
	if g.owner != "" && !g.owns(r) {
		return &refusal{http.StatusForbidden, Refusal{"AccessDenied", "Access Denied"}}
	}
	if g.verifies && signedInV2(r) {
		return &refusal{http.StatusBadRequest, Refusal{"InvalidRequest", "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256: " +
			"with boto3, Config(signature_version='s3v4'); with the AWS CLI, aws configure set default.s3.signature_version s3v4."}}
	}
	return nil
}

// owns reports whether the owners that the request expects, of the bucket and
// of a copy's source, are the one account there is.
func (g guard) owns(r *http.Request) bool {
	for _, header := range []string{"X-Amz-Expected-Bucket-Owner", "X-Amz-Source-Expected-Bucket-Owner"} {
		for _, expected := range r.Header.Values(header) {
			if expected != g.owner {
				return false
			}
		}
	}
	return true
}

// refusal is an answer in S3's form that never reached the back end.
type refusal struct {
	status int
	Refusal
}

// shuttingDown answers requests that came too late; SDKs try again.
var shuttingDown = &refusal{http.StatusServiceUnavailable, Refusal{"ServiceUnavailable", "This endpoint is shutting down."}}

func (f *refusal) reply(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(f.status)
	if r.Method == http.MethodHead {
		return
	}
	body, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"Error"`
		Refusal
	}{Refusal: f.Refusal})
	if err == nil {
		_, _ = w.Write(append([]byte(xml.Header), body...)) // a client that has gone needs no answer
	}
}

// response takes gofakes3's CORS headers off an answer, which would let every
// origin read it, and remembers the answer's status and, of a refusal, its body.
type response struct {
	http.ResponseWriter
	status int
	start  []byte
}

func (w *response) WriteHeader(status int) {
	for name := range w.Header() {
		if strings.HasPrefix(name, "Access-Control-") {
			w.Header().Del(name)
		}
	}
	if status >= http.StatusOK && w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(b []byte) (int, error) {
	w.finish()
	if w.status >= http.StatusBadRequest {
		w.start = append(w.start, b...)
	}
	return w.ResponseWriter.Write(b)
}

// finish sends the header of an answer whose handler left it at that.
func (w *response) finish() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
}
