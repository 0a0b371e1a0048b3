package devserver

import (
	"encoding/xml"
	"net/http"
	"strings"
)

// signed reports whether a program has signed the request: in its header, or in its URL.
func signed(r *http.Request) bool { return r.Header.Get("Authorization") != "" || presigned(r) }

func presigned(r *http.Request) bool {
	query := r.URL.Query()
	return query.Has("X-Amz-Signature") || query.Has("Signature") && query.Has("AWSAccessKeyId")
}

// signedInV2 reports whether a request is signed by the version 2 of AWS's signatures, which S3 takes in old regions alone.
func signedInV2(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "AWS ") || presigned(r) && !r.URL.Query().Has("X-Amz-Signature")
}

// fromAddressBar tells a person's request for / from a program's list of the buckets, which is signed.
func fromAddressBar(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.URL.Path == "/" && !signed(r)
}

// aside tells Options.OnNoEvent of a request that has been answered, unless it raised an event, or is a read of what isn't
// there.
func (s *S3) aside(r *http.Request, answer *response) {
	writes := r.Method == http.MethodPut || r.Method == http.MethodPost || r.Method == http.MethodDelete
	switch {
	case s.onNoEvent == nil:
	case answer.status < http.StatusBadRequest:
		if writes && !s.notifier.mayChange(r) {
			s.onNoEvent(r, Refusal{})
		}
	case writes || answer.status == http.StatusForbidden || answer.status == http.StatusBadRequest:
		var refusal Refusal
		_ = xml.Unmarshal(answer.start, &refusal) // a HEAD's answer has none
		s.onNoEvent(r, refusal)
	}
}
