// Package ready receives what s3resizer tells a web service: what EventBridge's API destination posts to it. It is the
// code of docs/ready.md, to be taken from here and changed.
package ready

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Picture is a result of the report, version 1: what a page needs of it.
type Picture struct {
	Status string `json:"status"`
	Class  string `json:"class"`  // of a rejected picture
	Reason string `json:"reason"` // for people
	Source struct {
		Bucket, Key, ETag string
		Width, Height     int
		ThumbHash, Color  string
	} `json:"source"`
	Renditions []struct {
		Size, Bucket, Key, ContentType, ETag string
		Width, Height, Bytes                 int
	} `json:"renditions"`
}

// Pictures is what the service keeps of its users' pictures.
type Pictures interface {
	// Put keeps a picture by its source's bucket and key, and tells whoever waits for it. Messages come at least once
	// and in any order: one that is no newer than what is known changes nothing.
	Put(ctx context.Context, p Picture, told time.Time) error
	// Failed notes what somebody has to mend; the class is one of docs/operating.md's, or Lambda's own.
	Failed(ctx context.Context, class, message string) error
	// Record reads the record in a bucket of renditions: an empty picture if it is gone.
	Record(ctx context.Context, bucket, key string) (Picture, error)
}

type event struct {
	Type   string `json:"detail-type"`
	Detail struct {
		Timestamp       time.Time // of an invocation, as the two below
		RequestContext  struct{ Condition string }
		ResponsePayload struct {
			Results                 []Picture // of one that succeeded
			ErrorType, ErrorMessage string    // of one that failed
		}
		Bucket struct{ Name string } // of an object
		Object struct{ Key string }
	} `json:"detail"`
}

// Receiver answers EventBridge.
type Receiver struct {
	Pictures Pictures
	Token    string // what the connection's header has
}

// ServeHTTP takes one event. EventBridge wants an answer within 5 seconds; it tries again for a day after 401, 429 and
// 5xx, and gives up at once after any other 4xx.
func (r Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	given, want := sha256.Sum256([]byte(req.Header.Get("X-S3resizer-Token"))), sha256.Sum256([]byte(r.Token))
	if r.Token == "" || subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
		http.Error(w, "the token is wrong", http.StatusUnauthorized)
		return
	}
	var e event
	if err := json.NewDecoder(http.MaxBytesReader(w, req.Body, 2<<20)).Decode(&e); err != nil {
		http.Error(w, "want an event of EventBridge: "+err.Error(), http.StatusBadRequest)
		return
	}
	if err := r.take(req.Context(), e); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r Receiver) take(ctx context.Context, e event) error {
	switch d := e.Detail; e.Type {
	case "Lambda Function Invocation Result - Success":
		for _, p := range d.ResponsePayload.Results {
			if err := r.put(ctx, p, d.Timestamp); err != nil {
				return err
			}
		}
		return nil
	case "Lambda Function Invocation Result - Failure":
		class, message := d.ResponsePayload.ErrorType, d.ResponsePayload.ErrorMessage
		if class == "" { // it was never run
			class = d.RequestContext.Condition
		}
		return r.Pictures.Failed(ctx, class, message)
	case "Object Created": // of a record, which is read as it is now: so that is when it tells
		now := time.Now()
		p, err := r.Pictures.Record(ctx, d.Bucket.Name, d.Object.Key)
		if err != nil {
			return fmt.Errorf("read s3://%s/%s: %w", d.Bucket.Name, d.Object.Key, err)
		}
		return r.put(ctx, p, now)
	default:
		return nil // nothing that was asked for
	}
}

func (r Receiver) put(ctx context.Context, p Picture, told time.Time) error {
	switch p.Status {
	case "resized", "rejected", "gone", "deleted":
		return r.Pictures.Put(ctx, p, told)
	default: // skipped, superseded, a record that is gone: there is nothing new to show
		return nil
	}
}
